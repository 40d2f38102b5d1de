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

/// `serve` with so few file descriptors.
fn serve_with_descriptors(world: &World, descriptors: u32) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(world.folder.path().join("serve.log")).unwrap();
    let program = env!("CARGO_BIN_EXE_crossdock");
    let script = format!("ulimit -n {descriptors}; exec {program} serve --env live --listen 127.0.0.1:{}", world.port);
    let crossdock = world.crossdock();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(world.folder.path()).stdout(Stdio::null()).stderr(log);
    for (name, value) in crossdock.get_envs() {
        command.env(name, value.unwrap());
    }
    command.spawn().unwrap()
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
    world.terminate(&mut serve);
}

/// A webhook whose body does not come is answered, and others meanwhile.
#[test]
fn a_slow_webhook_is_ended() {
    let world = World::start_with(2, Faults::default(), "10 minutes");
    let mut serve = world.serve();
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
    world.terminate(&mut serve);
}

#[test]
fn a_large_header_is_refused() {
    let world = World::start_with(2, Faults::default(), "10 minutes");
    let mut serve = world.serve();
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
    world.terminate(&mut serve);
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

fn told(world: &World, words: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while !world.log().contains(words) {
        assert!(Instant::now() < until, "nobody was told `{words}`: {}", world.log());
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
    let mut serve = world.serve();
    world.listening();
    let most = most_memory(&world, &serve, Duration::from_secs(8));
    assert!(most < 250_000, "{most} KB");
    told(&world, "longer than 16777216 bytes");
    let before = world.calls();
    let until = Instant::now() + Duration::from_secs(10);
    while world.calls() == before {
        assert!(Instant::now() < until, "the other connection is not polled any more");
        std::thread::sleep(Duration::from_millis(200));
    }
    world.terminate(&mut serve);

    at(&world, &hostile(|_, stream| endless(stream)), &wms);
    std::fs::write(world.folder.path().join("crossdock.live.yaml"), {
        let text = std::fs::read_to_string(world.folder.path().join("crossdock.live.yaml")).unwrap();
        text.replace(&world.crm.url, &hostile(|_, stream| endless(stream)))
    })
    .unwrap();
    let mut serve = world.serve();
    world.listening();
    let most = most_memory(&world, &serve, Duration::from_secs(4));
    assert!(most < 250_000, "{most} KB");
    told(&world, "longer than 65536 bytes");
    world.terminate(&mut serve);
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
        let row = format!(r#"{{"Id":"801x{n:011}AAA","SystemModstamp":"2026-01-01T00:00:00.000+0000","pad":"{}"}}"#, "x".repeat(100_000));
        whole(stream, &format!(r#"{{"done":false,"nextRecordsUrl":"/services/data/v64.0/query/{n}","records":[{row}]}}"#));
    });
    own.set(crm.clone()).unwrap();
    let wms = hostile(|path, stream| {
        if !path.starts_with("/shipments") {
            whole(stream, "[]");
            return;
        }
        let row = |n: usize| {
            format!(r#"{{"shipmentId":{},"orderId":{n},"orderNumber":"{n}","createDate":"2026-01-01T00:00:00.0000000","voided":false}}"#, n + 1)
        };
        let rows: Vec<String> = (0..20).map(row).collect();
        whole(stream, &format!(r#"{{"shipments":[{}],"total":99999999,"page":1,"pages":999999}}"#, rows.join(",")));
    });
    at(&world, &crm, &wms);
    let mut serve = world.serve();
    world.listening();
    let most = most_memory(&world, &serve, Duration::from_secs(10));
    assert!(most < 250_000, "{most} KB");
    told(&world, "does not end");
    told(&world, "its pages do not end: the same page came");
    let rate = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert!(rate < 10_000, "{rate} requests");
    world.terminate(&mut serve);
}

/// A program that locks the store is waited for and told; the work goes on when it lets go.
#[test]
fn a_foreign_lock_on_the_store_is_waited_for() {
    let world = World::start_with(3, Faults::default(), "1 second");
    let mut serve = world.serve();
    world.listening();
    std::thread::sleep(Duration::from_secs(3));
    let other = rusqlite::Connection::open(world.store()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::sleep(Duration::from_secs(14));
    assert!(serve.try_wait().unwrap().is_none(), "it has ended: {}", world.log());
    assert!(world.log().contains("another program has held a lock on the store"), "{}", world.log());
    other.execute_batch("COMMIT").unwrap();
    let before = world.calls();
    let until = Instant::now() + Duration::from_secs(10);
    while world.calls() == before {
        assert!(Instant::now() < until, "it does not go on");
        std::thread::sleep(Duration::from_millis(100));
    }
    world.terminate(&mut serve);
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
