//! `crossdock sandbox`: what is started, what is acted in, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::{crossdock, put};

/// A running sandbox, and all lines that it prints of its systems.
struct Started {
    process: Child,
    lines: Vec<String>,
}

impl Started {
    fn new(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crossdock"));
        command
            .current_dir(folder)
            .args(["sandbox", "start"])
            .args(arguments)
            .envs([crate::common::WIDE])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut started = Started { process: command.spawn().unwrap(), lines: Vec::new() };
        for line in BufReader::new(started.process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if line.starts_with("next") {
                return started;
            }
            started.lines.push(line);
        }
        panic!("{arguments:?}: {}", started.end());
    }

    fn port(&self, at: usize) -> String {
        let address = self.lines[at].split_whitespace().find_map(|word| word.strip_prefix("http://127.0.0.1:")).unwrap();
        address.split('/').next().unwrap().to_owned()
    }

    /// Ends it; gives what it told on its standard error.
    fn end(mut self) -> String {
        let _ = self.process.kill();
        self.process.wait().unwrap();
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

fn project(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), [("crossdock.yaml", config)]);
    folder
}

/// Without names the systems start that the project's connections name, each once, and no other.
#[test]
fn a_project_starts_what_its_connections_name() {
    let shop = project(
        "connections:\n  shop: { system: commercetools }\n  eu: { system: commercetools }\n  erp: { system: own-erp }\n  lists: { system: files }\n",
    );
    let started = Started::new(shop.path(), &["--port", "commercetools=0", "--orders", "3"]);
    assert!(started.lines.len() == 1 && started.lines[0].starts_with("commercetools http://"), "{:?}", started.lines);
    let told = started.end();
    assert!(told.contains("there is no sandbox for erp (own-erp)") && !told.contains("lists"), "{told}");

    // What a connection is called says its system, too; V2 of ShipStation is in its sandbox.
    let parcels = project("connections:\n  crm: {}\n  tracking: { system: shipstation-v2 }\n");
    let started = Started::new(parcels.path(), &["--port", "shipstation=0", "--port", "salesforce=0", "--orders", "3"]);
    assert!(started.lines.len() == 2 && started.lines[1].starts_with("ShipStation"), "{:?}", started.lines);
    started.end();
}

#[test]
fn what_cannot_be_started_is_refused_with_what_there_is() {
    let shop = project("connections:\n  shop: { system: commercetools }\n");
    let files = project("connections:\n  lists: { system: files }\n  erp: { system: own-erp }\n");
    let broken = project("connections: [shop]\n");
    let none = project("");
    for (folder, arguments, says) in [
        (&shop, &["--port", "salesforce=0"][..], "salesforce is not started, and a port is named for it"),
        (&shop, &["--salesforce", "8461"], "salesforce is not started, and a port is named for it"),
        (&shop, &["--port", "commercetools=0", "--port", "commercetools=1"], "the port of commercetools is named twice"),
        (&shop, &["--port", "commercetols=0"], "did you mean `commercetools`?"),
        (&shop, &["--port", "commercetools=x"], "`x` is no port"),
        (&shop, &["--autoship", "5", "--port", "commercetools=0"], "shipstation and shiphero do"),
        (&shop, &["shipstation", "--autoship=-5"], "-5 is not in 0..=100000"),
        (&shop, &["--faults", "lost_replys=5", "--port", "commercetools=0"], "did you mean `lost_reply`?"),
        (&shop, &["shopify"], "there is no sandbox of `shopify`"),
        (&files, &[], "there is no sandbox for erp (own-erp)"),
        (&broken, &[], "`crossdock.yaml` cannot be read"),
        (&none, &[], "this project has no connection to a system"),
    ] {
        let (code, said) = crossdock(folder.path(), &[&["sandbox", "start"], arguments].concat());
        assert!(code == Some(2) && said.contains(says), "{arguments:?}: {code:?} {said}");
    }
}

/// An act reaches the system that it is meant for, or is refused; nothing that is given is ignored.
#[test]
fn an_act_reaches_the_system_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let started = Started::new(folder.path(), &["shipstation", "--port", "shipstation=0"]);
    let port = started.port(0);
    let act = |arguments: &[&str]| crossdock(folder.path(), &[&["sandbox"], arguments, &["--port", &port]].concat());
    assert_eq!(act(&["act", "create", "A-1"]).0, Some(0), "what answers on the port is meant");
    let (code, said) = act(&["act", "ship", "A-1", "--set", "trackingNumber=00012"]);
    assert!(code == Some(0) && said.contains("\"00012\""), "{said}");
    for (arguments, says) in [
        (&["act", "show", "A-1", "--system", "salesforce"][..], "shipstation answers on port"),
        (&["act", "ship", "A-1", "--system", "shipstatoin"], "did you mean `shipstation`?"),
        (&["act", "fix", "A-1"], "shipstation has no act `fix`"),
        (&["act", "fix", "A-1", "--system", "shipstation"], "it is one of salesforce and commercetools"),
        (&["act", "juggle", "A-1"], "there is no act `juggle`"),
        (&["act", "ship", "A-1", "--set", "trackingNumbr=1"], "did you mean `trackingNumber`?"),
        (&["act", "ship", "A-1", "--set", "shipDate=soon"], "`soon` is no day"),
        (&["act", "ship", "A-1", "--set", "carrierCode=ups", "--set", "carrierCode=usps"], "`carrierCode` is set twice"),
        (&["act", "ship", "A-1", "--set", "=ups"], "is no field=value"),
        (&["act", "change", "A-1", "--set", "orderStaus=cancelled"], "did you mean `orderStatus`?"),
        (&["act", "ship_all", "A-1"], "leave out `A-1`"),
        (&["effects", "salesforce"], "shipstation answers on port"),
        (&["state", "shopify"], "there is no sandbox of `shopify`"),
        (&["faults", "commercetools", "none"], "shipstation answers on port"),
        (&["faults", "shipstation", "lost_reply=2000"], "2000 of 1000 requests"),
        (&["faults", "shipstation", "los_reply=2"], "did you mean `lost_reply`?"),
    ] {
        let (code, said) = act(arguments);
        assert!(code == Some(2) && said.contains(says), "{arguments:?}: {code:?} {said}");
    }
    started.end();
    // It is gone: that is told, and not that the act is unknown.
    let (code, said) = act(&["act", "ship", "A-1"]);
    assert!(code == Some(3) && said.contains("no sandbox answers on port"), "{said}");
}
