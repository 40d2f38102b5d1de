//! Hostile servers and clients on real sockets: memory stays flat, what is endless is ended in time and told, and the
//! work of others goes on.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crossdock::sandbox::faults::Faults;

use crate::live::{SECRET, World};

/// Asks by a fresh connection, as any client does; gives the answer's first line and the rest.
fn ask(port: u16, request: &str, patience: Duration) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn health(port: u16) -> String {
    ask(port, &format!("GET /health HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n"), Duration::from_secs(5))
}

/// How long until the other side closes a connection.
fn closed(mut stream: TcpStream, patience: Duration) -> Option<Duration> {
    let begun = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut buffer = [0; 4096];
    while begun.elapsed() < patience {
        match stream.read(&mut buffer) {
            Ok(0) => return Some(begun.elapsed()),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return Some(begun.elapsed()),
        }
    }
    None
}

/// A process that does not outlive its test, however that ends.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `serve` with so few file descriptors.
fn serve_with_descriptors(world: &World, descriptors: u32) -> Ends {
    let log = std::fs::File::options().create(true).append(true).open(world.folder.path().join("serve.log")).unwrap();
    let program = env!("CARGO_BIN_EXE_crossdock");
    let script = format!("ulimit -n {descriptors}; exec {program} serve --env live --listen 127.0.0.1:{}", world.port);
    let crossdock = world.crossdock();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(world.folder.path()).stdout(Stdio::null()).stderr(log);
    for (name, value) in crossdock.get_envs() {
        command.env(name, value.unwrap());
    }
    Ends(command.spawn().unwrap())
}

/// Clients that send nothing, or their header byte by byte, hold no connection, and no descriptor that others need.
#[test]
fn idle_connections_are_closed_and_health_answers() {
    let world = World::start_with(2, Faults::default(), "10 minutes");
    let mut serve = serve_with_descriptors(&world, 96);
    world.listening();
    let mut idle: Vec<TcpStream> = (0..150).map(|_| TcpStream::connect(("127.0.0.1", world.port)).unwrap()).collect();
    let slow: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", world.port)).unwrap();
            stream.write_all(b"GET /health HTTP/1.1\r\nhost: 127").unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    let answer = health(world.port);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // The newest are not the ones that made room: they are closed by the time that they have.
    idle.extend(slow);
    for (at, stream) in idle.into_iter().enumerate() {
        assert!(closed(stream, Duration::from_secs(20)).is_some(), "connection {at} is still open");
    }
    assert!(health(world.port).starts_with("HTTP/1.1 200"));
    world.terminate(&mut serve.0);
}

/// A webhook whose body does not come is answered, and others meanwhile.
#[test]
fn a_slow_webhook_is_ended() {
    let world = World::start_with(2, Faults::default(), "10 minutes");
    let mut serve = Ends(world.serve());
    world.listening();
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).unwrap();
    stream.write_all(format!("POST /hook/wms/{SECRET} HTTP/1.1\r\nhost: x\r\ncontent-length: 400\r\n\r\n{{").as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(health(world.port).starts_with("HTTP/1.1 200"));
    let begun = Instant::now();
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 408"));
    assert!(begun.elapsed() < Duration::from_secs(15));
    world.terminate(&mut serve.0);
}

#[test]
fn a_large_header_is_refused() {
    let world = World::start_with(2, Faults::default(), "10 minutes");
    let mut serve = Ends(world.serve());
    world.listening();
    let port = world.port;
    let with = |fields: String| {
        ask(port, &format!("GET /health HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{fields}connection: close\r\n\r\n"), Duration::from_secs(5))
    };
    assert!(with(String::new()).starts_with("HTTP/1.1 200"));
    for fields in [format!("x: {}\r\n", "x".repeat(100_000)), "x: y\r\n".repeat(200)] {
        let answer = with(fields);
        // It may hang up before all of it was sent.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let foreign = |request: String| ask(port, &request, Duration::from_secs(5));
    for path in ["/health", "/ready", "/metrics"] {
        for host in ["evil.example".to_owned(), format!("evil.example:{port}"), "127.0.0.1:1".to_owned(), "localhost".to_owned()] {
            let answer = foreign(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.1 403"), "{path} {host}: {answer}");
        }
        let answer = foreign(format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nsec-fetch-site: cross-site\r\nconnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
    }
    let preface = foreign("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0".to_owned());
    assert!(preface.is_empty() || preface.starts_with("HTTP/1.1"), "HTTP/2 is spoken: {preface:?}");
    world.terminate(&mut serve.0);
}

/// A server that answers each request as it is told, by its path; the connection is closed behind each answer.
fn hostile(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = std::sync::Arc::clone(&answer);
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                answer(head.split(' ').nth(1).unwrap_or_default(), &mut stream);
            });
        }
    });
    url
}

fn whole(stream: &mut TcpStream, body: &str) {
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

fn endless(stream: &mut TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[");
    let piece = vec![b' '; 1 << 16];
    while stream.write_all(&piece).is_ok() {}
}

/// The world's project with other addresses.
fn at(world: &World, crm: &str, wms: &str) {
    let path = world.folder.path().join("crossdock.live.yaml");
    let text = std::fs::read_to_string(&path).unwrap().replace(&world.crm.url, crm).replace(&world.wms.url, wms);
    std::fs::write(&path, text).unwrap();
}

/// The most that a process has had in memory over a time, in KB. `/health` has to answer throughout.
fn most_memory(world: &World, serve: &Child, time: Duration) -> u64 {
    let begun = Instant::now();
    let mut most = 0;
    while begun.elapsed() < time {
        assert!(health(world.port).starts_with("HTTP/1.1 200"), "{}", world.log());
        let status = std::fs::read_to_string(format!("/proc/{}/status", serve.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        most = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }
    most
}

/// What people see of the log.
fn said(world: &World) -> String {
    let log = world.log();
    log.lines().filter(|line| !line.contains("\"DEBUG\"") && !line.contains("\"TRACE\"")).collect::<Vec<_>>().join("\n")
}

fn told(world: &World, words: &str) {
    let until = Instant::now() + Duration::from_secs(90);
    while !world.log().contains(words) {
        assert!(Instant::now() < until, "nobody was told `{words}`: {}", said(world));
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Answers to reads and sign-ins that never end: each ends at its size, the connection pauses and alerts, and the other
/// connection is polled meanwhile.
#[test]
fn endless_answers_end() {
    let world = World::start_with(3, Faults::default(), "2 seconds");
    let wms = hostile(|_, stream| endless(stream));
    at(&world, &world.crm.url, &wms);
    let mut serve = Ends(world.serve());
    world.listening();
    let most = most_memory(&world, &serve.0, Duration::from_secs(8));
    assert!(most < 250_000, "{most} KB");
    told(&world, "longer than 16777216 bytes");
    let before = world.calls();
    let until = Instant::now() + Duration::from_secs(10);
    while world.calls() == before {
        assert!(Instant::now() < until, "the other connection is not polled any more");
        std::thread::sleep(Duration::from_millis(200));
    }
    world.terminate(&mut serve.0);

    at(&world, &hostile(|_, stream| endless(stream)), &wms);
    std::fs::write(world.folder.path().join("crossdock.live.yaml"), {
        let text = std::fs::read_to_string(world.folder.path().join("crossdock.live.yaml")).unwrap();
        text.replace(&world.crm.url, &hostile(|_, stream| endless(stream)))
    })
    .unwrap();
    let mut serve = Ends(world.serve());
    world.listening();
    let most = most_memory(&world, &serve.0, Duration::from_secs(4));
    assert!(most < 250_000, "{most} KB");
    told(&world, "longer than 65536 bytes");
    world.terminate(&mut serve.0);
}

/// A chain of answers that never ends, and a page that comes again for ever.
#[test]
fn pages_without_end_are_ended_and_told() {
    let world = World::start_with(3, Faults::default(), "2 seconds");
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&asked);
    let own = std::sync::Arc::new(std::sync::OnceLock::new());
    let instance: std::sync::Arc<std::sync::OnceLock<String>> = std::sync::Arc::clone(&own);
    let crm = hostile(move |path, stream| {
        if path.starts_with("/services/oauth2/token") {
            whole(stream, &format!(r#"{{"access_token":"t","instance_url":"{}"}}"#, instance.get().unwrap()));
            return;
        }
        let n = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let row = format!(r#"{{"Id":"801x{n:011}AAA","SystemModstamp":"2026-01-01T00:00:00.000+0000","pad":"{}"}}"#, "x".repeat(10_000));
        whole(stream, &format!(r#"{{"done":false,"nextRecordsUrl":"/services/data/v64.0/query/{n}","records":[{row}]}}"#));
    });
    own.set(crm.clone()).unwrap();
    let wms = hostile(|path, stream| {
        let list = |key: &str, row: &str| format!(r#"{{"{key}":[{row}],"total":99999999,"page":1,"pages":999999}}"#);
        let order = r#"{"orderId":7,"orderNumber":"7","orderKey":"k","modifyDate":"2026-01-01T00:00:00.0000000"}"#;
        let shipment = r#"{"shipmentId":8,"orderId":7,"orderNumber":"7","createDate":"2026-01-01T00:00:00.0000000","voided":false}"#;
        match path {
            path if path.starts_with("/shipments") => whole(stream, &list("shipments", shipment)),
            path if path.starts_with("/fulfillments") => whole(stream, r#"{"fulfillments":[],"total":0,"page":1,"pages":0}"#),
            path if path.starts_with("/orders/") => whole(stream, order),
            path if path.starts_with("/orders") => whole(stream, r#"{"orders":[],"total":0,"page":1,"pages":0}"#),
            _ => whole(stream, "[]"),
        }
    });
    at(&world, &crm, &wms);
    let mut serve = Ends(world.serve());
    world.listening();
    let most = most_memory(&world, &serve.0, Duration::from_secs(10));
    assert!(most < 250_000, "{most} KB");
    told(&world, "it has too many pages: the same page came");
    let rate = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert!(rate < 10_000, "{rate} requests");
    world.terminate(&mut serve.0);
}

/// A program that locks the store is waited for and told; the work goes on when it lets go.
#[test]
fn a_foreign_lock_on_the_store_is_waited_for() {
    let world = World::start_with(3, Faults::default(), "1 second");
    let mut serve = Ends(world.serve());
    world.listening();
    std::thread::sleep(Duration::from_secs(3));
    let other = rusqlite::Connection::open(world.store()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::sleep(Duration::from_secs(14));
    assert!(serve.0.try_wait().unwrap().is_none(), "it has ended: {}", world.log());
    assert!(world.log().contains("another program has held a lock on the store"), "{}", world.log());
    other.execute_batch("COMMIT").unwrap();
    let before = world.calls();
    let until = Instant::now() + Duration::from_secs(10);
    while world.calls() == before {
        assert!(Instant::now() < until, "it does not go on");
        std::thread::sleep(Duration::from_millis(100));
    }
    world.terminate(&mut serve.0);
}

#[test]
fn a_command_does_not_wait_long_for_a_locked_store() {
    let world = World::start_with(1, Faults::default(), "10 minutes");
    assert!(world.command(&["run", "--once"]).status.success());
    let other = rusqlite::Connection::open(world.store()).unwrap();
    other.execute_batch("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE another (a)").unwrap();
    let begun = Instant::now();
    let told = world.command(&["status"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let words = String::from_utf8_lossy(&told.stderr);
    assert!(!told.status.success() && words.contains("locked by another program"), "{words}");
}

/// Runs the program in a folder, for so long at most: exit code, what it said, and how long it took.
fn run_in(folder: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_crossdock"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .envs([crate::common::WIDE])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = std::thread::spawn(move || {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let _ = out.read_to_end(&mut one);
        let _ = err.read_to_end(&mut other);
        String::from_utf8_lossy(&[one, other].concat()).into_owned()
    });
    let until = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("`crossdock {}` does not end: {}", arguments.join(" "), read.join().unwrap());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    (child.wait().unwrap().code(), read.join().unwrap())
}

const PROJECT: &[(&str, &str)] = &[
    (
        "crossdock.yaml",
        "connections:\n  shop: { system: files, object: Order, path: orders.jsonl, schema: order.json }\n  out: { system: files, object: Row, path: made/rows.jsonl, schema: row.json }\n",
    ),
    (
        "order.json",
        r#"{"title":"Order","type":"object","x-access":{"read":true},"properties":{"id":{"type":"string"},"name":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}}}}"#,
    ),
    (
        "row.json",
        r#"{"title":"Row","type":"object","required":["name"],"properties":{"name":{"type":"string"},"kind":{"type":"string"}},"x-access":{"read":false,"create":true,"update":false,"upsert":true},"x-keys":["name"],"x-class":0}"#,
    ),
    ("orders.jsonl", "{\"id\":\"1\",\"name\":\"a\"}\n{\"id\":\"2\",\"name\":\"b\"}\n"),
    (
        "orders.dock",
        "edition 1\n\ntable kinds from \"kinds.csv\" {\n  key name: text\n  kind: text\n}\n\nflow rows {\n  from shop.Order as o\n\n  validate { require o.id \"no id\" }\n\n  let row = o.name | kinds\n\n  upsert out.Row key name = o.id {\n    kind = row.kind ?? \"none\"\n  }\n}\n",
    ),
    ("kinds.csv", "name,kind\na,b\n"),
];

fn small_project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in PROJECT {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A file of a project that is a pipe, a device, a folder, a socket or huge is refused by its name, and never waited for.
#[cfg(unix)]
#[test]
fn files_that_never_end_are_refused() {
    let folder = small_project();
    let (code, said) = run_in(folder.path(), &["run"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(folder.path().join("made/rows.jsonl")).unwrap().lines().count(), 2);
    for (name, _) in PROJECT {
        for kind in ["a named pipe", "a device", "a folder", "a socket", "longer than"] {
            // A folder is no mapping, whatever its name.
            if (*name, kind) == ("orders.dock", "a folder") {
                continue;
            }
            let folder = small_project();
            let path = folder.path().join(name);
            std::fs::remove_file(&path).unwrap();
            let mut held = None;
            match kind {
                "a named pipe" => assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success()),
                "a device" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
                "a folder" => std::fs::create_dir(&path).unwrap(),
                "a socket" => held = Some(std::os::unix::net::UnixListener::bind(&path).unwrap()),
                _ => {
                    // It takes no room on the disk. Records are read line by line, so they have no bound as a whole.
                    if *name == "orders.jsonl" {
                        continue;
                    }
                    std::fs::File::create(&path).unwrap().set_len(40 << 30).unwrap();
                }
            }
            let (code, said) = run_in(folder.path(), &["run"]);
            assert!(code.is_some_and(|code| code != 0), "{name} as {kind}: {said}");
            // A link out of the project is refused as such.
            let outside = kind == "a device" && said.contains("outside");
            assert!(outside || said.contains(kind), "{name} as {kind}: {said}");
            drop(held);
        }
    }
    // Records that are named on the command line.
    let folder = small_project();
    assert!(std::process::Command::new("mkfifo").arg(folder.path().join("pipe.jsonl")).status().unwrap().success());
    std::fs::File::create(folder.path().join("huge.csv")).unwrap().set_len(40 << 30).unwrap();
    for (records, words) in [("pipe.jsonl", "a named pipe"), ("huge.csv", "longer than 256 MB"), ("/dev/zero", "a device")] {
        let (code, said) = run_in(folder.path(), &["run", "--records", records, "--out", "o"]);
        assert!(code != Some(0) && said.contains(words), "{records}: {said}");
        if records.starts_with('/') {
            continue;
        }
        let (code, said) = run_in(folder.path(), &["preview", records]);
        assert!(code != Some(0) && said.contains(words), "{records}: {said}");
    }
}

/// What a project names outside its folder is neither read nor written, by whatever way it leads there.
#[cfg(unix)]
#[test]
fn a_project_stays_in_its_folder() {
    let outside = tempfile::tempdir().unwrap();
    let there = outside.path().canonicalize().unwrap();
    std::fs::write(there.join("orders.jsonl"), "{\"name\":\"secret\"}\n").unwrap();
    let above = "../".repeat(12) + there.to_str().unwrap().trim_start_matches('/');
    for way in [there.to_str().unwrap(), &above, "link"] {
        for (from, to) in [("orders.jsonl", format!("{way}/orders.jsonl")), ("made/rows.jsonl", format!("{way}/rows.jsonl"))] {
            let folder = small_project();
            std::os::unix::fs::symlink(&there, folder.path().join("link")).unwrap();
            let config = PROJECT[0].1.replace(&format!("path: {from}"), &format!("path: \"{to}\""));
            std::fs::write(folder.path().join("crossdock.yaml"), config).unwrap();
            let (code, said) = run_in(folder.path(), &["run"]);
            assert!(code != Some(0) && said.contains("outside its folder") && said.contains("--allow"), "{to}: {said}");
            assert!(!there.join("rows.jsonl").exists(), "{to} was written");
            let (code, said) = run_in(folder.path(), &["run", "--allow", there.to_str().unwrap()]);
            assert_eq!(code, Some(0), "{to}: {said}");
            let _ = std::fs::remove_file(there.join("rows.jsonl"));
        }
    }
    // The store, and a command for alerts, of a stranger's project.
    let world = World::start_with(1, Faults::default(), "10 minutes");
    let path = world.folder.path().join("crossdock.live.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("sqlite:live.db", &format!("sqlite:{}/stolen.db", there.display()))).unwrap();
    let told = world.command(&["run"]);
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(!told.status.success() && words.contains("outside its folder"), "{words}");
    assert!(!there.join("stolen.db").exists() && !there.join("stolen.db.lock").exists());
    let program = there.join("program");
    std::fs::write(&program, format!("#!/bin/sh\ntouch {}/started\n", there.display())).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    std::fs::write(&path, format!("{text}alerts: {{ command: [\"{}\"] }}\n", program.display())).unwrap();
    let told = world.command(&["run"]);
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(!told.status.success() && words.contains("names a command") && words.contains("--allow"), "{words}");
    assert!(!there.join("started").exists());
    assert!(world.command(&["run", "--allow", program.to_str().unwrap()]).status.success());
}

/// What a mapping of a stranger makes of one record is bounded, in time and in memory: the record is rejected with a reason.
#[test]
fn a_record_has_bounds() {
    let mapped = |mapping: &str, records: &str| {
        let folder = small_project();
        let head = "edition 1\n\nflow rows {\n  from shop.Order as o\n\n  validate { require o.id \"no id\" }\n\n";
        std::fs::write(folder.path().join("orders.dock"), format!("{head}{mapping}\n}}\n")).unwrap();
        std::fs::write(folder.path().join("orders.jsonl"), records).unwrap();
        let begun = Instant::now();
        let (_, said) = run_in(folder.path(), &["run"]);
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        said.chars().take(4_000).collect::<String>()
    };
    let create = |value: &str| format!("  upsert out.Row key name = o.id {{ kind = {value} }}");
    let text = |length: usize| format!("{{\"id\":\"1\",\"name\":\"{}\"}}\n", "x".repeat(length));
    // One text that doubles.
    let doubling: String = (1..=24).map(|n| format!("  let a{n} = \"{{a{}}}{{a{}}}\"\n", n - 1, n - 1)).collect();
    let said = mapped(&format!("  let a0 = o.name ?? \"-\"\n{doubling}{}", create("a24")), &text(4));
    assert!(said.contains("1 rejected") && said.contains("longer than 1048576 bytes"), "{said}");
    // Many that are as long as one may be.
    let many: String = (0..100).map(|n| format!("  let a{n} = \"{{o.name ?? \"-\"}}{n}\"\n")).collect();
    let all = (0..100).map(|n| format!("{{length(a{n})}} ")).collect::<String>();
    let said = mapped(&format!("{many}{}", create(&format!("\"{all}\""))), &text(1_000_000));
    assert!(said.contains("1 rejected") && said.contains("together longer than 64 MB"), "{said}");
    // Fewer are fine.
    let said = mapped(&format!("  let a = \"{{o.name ?? \"-\"}}!\"\n{}", create("a")), &text(1_000_000));
    assert!(said.contains("1 to send"), "{said}");
    // Lists of lists.
    let tags = |count: usize| format!("{{\"id\":\"1\",\"name\":\"a\",\"tags\":[{}]}}\n", vec!["\"t\""; count].join(","));
    let products = create("\"{sum(length(a) + length(b) for a in o.tags, b in o.tags)}\"");
    let said = mapped(&products, &(tags(5_000) + &tags(10)));
    assert!(said.contains("1 rejected") && said.contains("more than 10000 elements") && said.contains("1 to send"), "{said}");
    let sums: String = (0..110).map(|n| format!("  let s{n} = sum(length(a) + length(b) for a in o.tags, b in o.tags)\n")).collect();
    let all: String = (0..110).map(|n| format!("{{s{n}}} ")).collect();
    let said = mapped(&format!("{sums}{}", create(&format!("\"{all}\""))), &(tags(100) + &tags(10)));
    assert!(said.contains("1 rejected") && said.contains("combinations") && said.contains("1 to send"), "{said}");
    let said = mapped(&create("\"{sum(length(a) for a in o.tags)}\""), &(tags(10_001) + &tags(10)));
    assert!(said.contains("1 rejected") && said.contains("1 to send"), "{said}");
    // Lines and texts that are too long, and levels without end, are of one record each.
    let deep = format!("{{\"id\":\"1\",\"name\":{}{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let records = format!("{}{}{deep}{}", text(17 << 20), text(2 << 20), text(3));
    let said = mapped(&create("o.name ?? \"-\""), &records);
    assert!(said.contains("4 records: 1 to send"), "{said}");
}
