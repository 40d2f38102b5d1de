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
