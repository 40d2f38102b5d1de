#!/usr/bin/env python3
"""Runs real clients against the sandboxes, and records what they ask and what they are answered. See README.md beside it."""
import argparse
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Name, what runs it, its file, and what has to be installed for it.
CLIENTS = [
    ("simple-salesforce", "python", "simple_salesforce.py", "simple_salesforce"),
    ("jsforce", "node", "jsforce.mjs", "jsforce"),
    ("sf", "python", "sf.py", "@salesforce/cli"),
    ("shipstation-node", "node", "shipstation-node.mjs", "shipstation-node"),
    ("soql-parser-js", "node", "soql.mjs", "soql-parser-js"),
    ("graphql-js", "node", "graphql-js.mjs", "graphql"),
]
PYTHON = ["simple-salesforce==1.12.10"]
NODE = ["jsforce@3.10.16", "shipstation-node@1.5.6", "soql-parser-js@5.0.2", "graphql@16.11.0", "@salesforce/cli@2.86.1"]
# Headers that decide what is answered.
HEADERS = ["authorization", "content-type", "api-key", "sforce-query-options", "sforce-call-options"]


def shape(value):
    """Members and kinds of values; of a list its first element."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return {"str": "text", "int": "number", "float": "number", "bool": "truth", "NoneType": "nothing"}[type(value).__name__]


class Recorder:
    """A server that passes everything on to one system, and keeps it."""

    def __init__(self, system, port, kept):
        recorder = self
        self.kept = kept

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def passed(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                if self.headers.get("transfer-encoding", "").lower() == "chunked":
                    body = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                headers = {name.lower(): value for name, value in self.headers.items() if name.lower() in HEADERS}
                at = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                recorder.keep(system, at, self.command, self.path, headers, body, answer.status, answer.getheader("content-type") or "", text)
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                        self.send_header(name, value)
                if answer.status not in (204, 304):
                    self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = passed

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def keep(self, system, at, method, path, headers, body, status, kind, text):
        out = {"system": system, "at": at, "method": method, "path": path, "headers": headers, "body": body.decode("utf-8", "replace"), "status": status}
        if "json" in kind and text:
            answer = json.loads(text)
            out["refused" if status >= 400 else "shape"] = answer if status >= 400 else shape(answer)
        elif text:
            out["lines"] = len(text.splitlines())
        self.kept.append(out)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def program():
    given = os.environ.get("CROSSDOCK")
    if given:
        return given
    subprocess.run(["cargo", "build", "--quiet", "--bin", "crossdock"], cwd=ROOT, check=True)
    return str(ROOT / "target" / "debug" / "crossdock")


def install(folder):
    """Installs what can be had; what cannot is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = {"name": "clients", "private": True, "overrides": {"undici": "6.21.3"}}  # The CLI takes an HTTP client of newer Nodes, where none is named.
    (folder / "package.json").write_text(json.dumps(modules))
    steps = [[sys.executable, "-m", "venv", folder / "venv"], [folder / "venv" / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON]]
    steps += [[shutil.which("npm"), "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, package] for package in NODE if shutil.which("npm")]
    for step in steps:
        try:
            subprocess.run(step, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
        except (OSError, subprocess.SubprocessError):
            print(f"not to be had: {step[-1]}")


def runner(kind, package, folder):
    """What runs a client, or nothing where it is not installed."""
    python = folder / "venv" / "bin" / "python" if (folder / "venv" / "bin" / "python").exists() else Path(sys.executable)
    modules = folder / "node_modules"
    if kind == "node" or package.startswith("@"):
        there = shutil.which("node") and (modules / package).exists()
        return ([shutil.which("node")] if kind == "node" else [str(python)]) if there else None
    known = subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode == 0
    return [str(python)] if known else None


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--install", metavar="DIR", type=Path)
    arguments.add_argument("--installed", metavar="DIR", type=Path, default=Path(os.environ.get("CROSSDOCK_CLIENTS", HERE / "installed")))
    arguments.add_argument("--record", action="store_true")
    arguments.add_argument("--only", action="append")
    asked = arguments.parse_args()
    if asked.install:
        install(asked.install)
        asked.installed = asked.install
    binary, bad, ran = program(), 0, 0
    for name, kind, file, package in CLIENTS:
        command = runner(kind, package, asked.installed)
        if (asked.only and name not in asked.only) or command is None:
            print(f"{name}: not installed, left out" if command is None else f"{name}: left out")
            continue
        crm, wms, hero, kept = free_port(), free_port(), free_port(), []
        started = subprocess.Popen(
            [binary, "sandbox", "start", "salesforce", "shipstation", "shiphero", "--orders", "50", "--no-limits"]
            + [f"--port={name}={port}" for name, port in [("salesforce", crm), ("shipstation", wms), ("shiphero", hero)]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        try:
            for line in started.stdout:
                if line.startswith("next"):
                    break
            salesforce, shipstation, shiphero = [
                Recorder(name, port, kept) for name, port in [("salesforce", crm), ("shipstation", wms), ("shiphero", hero)]
            ]
            with tempfile.TemporaryDirectory() as home:
                environment = {
                    **os.environ, "SALESFORCE": salesforce.url, "SHIPSTATION": shipstation.url, "SHIPHERO": shiphero.url, "HOME": home, "INSTALLED": str(asked.installed.resolve()),
                    "SF_DISABLE_TELEMETRY": "true", "SF_AUTOUPDATE_DISABLE": "true", "NO_PROXY": "127.0.0.1",
                }
                done = subprocess.run([*command, str(HERE / file)], env=environment, cwd=home, capture_output=True, text=True, timeout=900)
        finally:
            started.terminate()
            started.wait()
        lines = done.stdout.splitlines()
        passed = [line for line in lines if line.startswith("ok ")]
        named = [line for line in lines if line.startswith("named ")]
        failed = [line for line in lines if line.startswith("FAIL ")]
        for line in failed:
            print(f"  {line}")
        if done.returncode and not failed:
            print(done.stdout[-2000:], done.stderr[-2000:])
        ran += len(passed) + len(named)
        bad += len(failed) + (1 if done.returncode and not failed else 0)
        print(f"{name}: {len(passed)} as the vendor, {len(named)} named as not imitated, {len(failed)} otherwise")
        if asked.record:
            path = HERE / "recorded" / f"{name}.jsonl"
            path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in kept))
    print(f"{ran} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
