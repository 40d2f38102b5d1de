//! Alerts and liveness with the real program: receivers that are down, processes that are killed, systems that refuse,
//! clocks that are set.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossdock::sandbox::faults::Faults;
use crossdock::store::Store as _;
use crossdock::store::sqlite::{Mode, Sqlite};
use serde_json::Value as Json;

use crate::live::World;

/// A chat tool's webhook on this machine: what it took, and when. It can be down.
struct Receiver {
    url: String,
    taken: Arc<Mutex<Vec<(Instant, Json)>>>,
    down: Arc<AtomicBool>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/alerts", listener.local_addr().unwrap());
        let (taken, down) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (into, refuses) = (Arc::clone(&taken), Arc::clone(&down));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut text = Vec::new();
                let mut part = [0; 4096];
                let body = loop {
                    let Ok(count) = stream.read(&mut part) else { break None };
                    text.extend_from_slice(&part[..count]);
                    let whole = String::from_utf8_lossy(&text).into_owned();
                    if let Some((head, body)) = whole.split_once("\r\n\r\n") {
                        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                        if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                            break Some(body.to_owned());
                        }
                    }
                    if count == 0 {
                        break None;
                    }
                };
                let refused = refuses.load(Ordering::SeqCst);
                if let (Some(body), false) = (body, refused) {
                    into.lock().unwrap().push((Instant::now(), serde_json::from_str(&body).unwrap()));
                }
                let status = if refused { "500 Internal Server Error" } else { "200 OK" };
                let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Receiver { url, taken, down }
    }

    fn taken(&self) -> Vec<(Instant, Json)> {
        self.taken.lock().unwrap().clone()
    }
}

fn add(world: &World, text: &str) {
    let environment = world.folder.path().join("crossdock.live.yaml");
    let before = std::fs::read_to_string(&environment).unwrap();
    std::fs::write(&environment, before + text).unwrap();
}

/// Waits until something holds.
fn until(seconds: u64, holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    holds()
}

#[test]
fn no_alert_is_lost_over_kills_and_outages_and_none_comes_twice_a_minute() {
    let receiver = Receiver::start();
    let world = World::start(60, Faults::default());
    add(&world, &format!("alerts: {{ webhook: \"{}\" }}\n", receiver.url));
    receiver.down.store(true, Ordering::SeqCst);
    for round in 0..15_u64 {
        let mut serve = world.serve();
        std::thread::sleep(Duration::from_millis(500 + (round * 379) % 1_500));
        serve.kill().unwrap();
        serve.wait().unwrap();
        receiver.down.store(round % 3 != 2, Ordering::SeqCst);
    }
    receiver.down.store(false, Ordering::SeqCst);
    let mut serve = world.serve();
    let causes = || -> Vec<String> {
        let store = Sqlite::open(&world.store(), None, Mode::Read).unwrap();
        let open = store.exceptions(true, 10_000).unwrap();
        let mut causes: Vec<String> = open
            .into_iter()
            .map(|one| format!("exception {} {} {} {}", one.flow, one.code, one.cause(), one.owner.as_deref().unwrap_or("-")))
            .collect();
        causes.sort();
        causes.dedup();
        causes
    };
    let told = |cause: &String| receiver.taken().iter().any(|(_, message)| message["cause"] == cause.as_str());
    assert!(
        until(100, || {
            let all = causes();
            !all.is_empty() && all.iter().all(told)
        }),
        "{:?} of {:?}",
        receiver.taken(),
        causes()
    );
    // All may have been sent before it was started: it answers a signal once it listens.
    world.listening();
    world.terminate(&mut serve);
    let mut last: BTreeMap<String, Instant> = BTreeMap::new();
    for (at, message) in receiver.taken() {
        for field in ["id", "kind", "status", "subject", "message", "count", "since", "text"] {
            assert!(!message[field].is_null(), "{field}: {message}");
        }
        if let Some(before) = last.insert(message["cause"].to_string(), at) {
            assert!(at.duration_since(before) > Duration::from_secs(59), "{message} after {:?}", at.duration_since(before));
        }
    }
}

#[test]
fn records_of_one_cause_are_one_message_with_their_number() {
    let receiver = Receiver::start();
    let world = World::start(200, Faults::default());
    add(&world, &format!("alerts: {{ webhook: \"{}\" }}\n", receiver.url));
    // Everything is refused: one rule that no order passes.
    let mapping = world.folder.path().join("orders.dock");
    let text = std::fs::read_to_string(&mapping).unwrap();
    let rule = "    require ship_to.street ";
    assert!(text.contains(rule));
    let edited = text.replacen(rule, &format!("    require order.OrderNumber == \"never\" \"no order goes today\" for \"support\"\n{rule}"), 1);
    std::fs::write(&mapping, edited).unwrap();
    let check = world.command(&["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
    let run = world.command(&["run", "--flow", "export_orders"]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let taken = receiver.taken();
    // Orders that another rule stops as well are a cause of their own, as in the queue.
    let alone = |message: &&Json| message["message"].as_str().is_some_and(|words| words.ends_with("no order goes today"));
    let of_the_rule: Vec<&Json> = taken.iter().map(|(_, message)| message).filter(alone).collect();
    assert_eq!(of_the_rule.len(), 1, "{taken:?}");
    assert!(of_the_rule[0]["count"].as_u64().unwrap() > 20, "{taken:?}");
    assert_eq!(of_the_rule[0]["owner"], "support");
}

fn ends(child: &mut Child, seconds: u64) -> Option<i32> {
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn words(mut child: Child) -> String {
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    out + &err
}

#[test]
fn a_run_ends_when_the_sign_in_is_refused() {
    let world = World::start(3, Faults::default());
    let mut run = world
        .crossdock()
        .args(["run", "--env", "live"])
        .env("PLANTED", "another-secret")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let code = ends(&mut run, 60);
    let said = words(run);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("crm") && said.contains("sign-in"), "{said}");
}

#[test]
fn a_run_ends_when_a_system_is_down_and_one_that_is_stopped_says_so() {
    let world = World::start(3, Faults::default());
    world.set_faults(Faults { refused_before: 1_000, ..Faults::default() });
    let start = || world.crossdock().args(["run", "--env", "live"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stopped = start();
    std::thread::sleep(Duration::from_secs(8));
    assert!(std::process::Command::new("kill").args(["-TERM", &stopped.id().to_string()]).status().unwrap().success());
    let code = ends(&mut stopped, 40);
    let said = words(stopped);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stopped before it was finished"), "{said}");
    let mut run = start();
    let code = ends(&mut run, 150);
    let said = words(run);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("waits for the next run") && said.contains("is waited for"), "{said}");
}

/// The port is open before the first poll: who sees it may end the process.
#[test]
fn a_request_to_end_is_heard_from_the_first_moment() {
    let world = World::start(1, Faults::default());
    for _ in 0..4 {
        let mut serve = world.serve();
        let address = world.url("").trim_start_matches("http://").trim_end_matches('/').to_owned();
        let began = std::time::Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", world.log());
        }
        assert!(std::process::Command::new("kill").args(["-TERM", &serve.id().to_string()]).status().unwrap().success());
        assert_eq!(ends(&mut serve, 40), Some(0), "{}", world.log());
    }
}

#[test]
fn serve_logs_each_poll_and_shows_what_moves() {
    let world = World::start(3, Faults::default());
    let mut serve = world.serve();
    world.listening();
    assert!(until(30, || world.log().matches("polled `export_orders`").count() >= 3), "{}", world.log());
    std::thread::sleep(Duration::from_secs(6));
    let get = |path: &str| world.ask(http::Request::get(world.url(path)).body(bytes::Bytes::new()).unwrap()).unwrap();
    assert_eq!(get("/health").0, 200);
    let (status, ready) = get("/ready");
    let ready: Json = serde_json::from_str(&ready).unwrap();
    assert_eq!((status, &ready["ready"]), (200, &Json::Bool(true)), "{ready}");
    assert!(ready["flows"].as_array().unwrap().iter().any(|flow| flow["flow"] == "export_orders" && flow["last_poll"].is_i64()), "{ready}");
    let (_, metrics) = get("/metrics");
    for name in [
        "crossdock_flow_last_poll_timestamp_seconds{flow=\"export_orders\"}",
        "crossdock_flow_lag_seconds{flow=\"export_orders\"} 0",
        "crossdock_oldest_waiting_seconds",
        "crossdock_oldest_unresolved_write_seconds",
        "crossdock_connection_last_success_timestamp_seconds{connection=\"crm\"}",
        "crossdock_connection_failing_seconds{connection=\"wms\"} 0",
        "crossdock_alerts_undelivered 0",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    // A system stops: it is not ready, and says why.
    world.set_faults(Faults { refused_before: 1_000, ..Faults::default() });
    assert!(until(90, || get("/ready").0 == 503), "{:?}", get("/ready"));
    let reasons = get("/ready").1;
    assert!(reasons.contains("it cannot be used now"), "{reasons}");
    let shown = String::from_utf8(world.command(&["status"]).stdout).unwrap();
    assert!(shown.contains("last seen running") && shown.contains("export_orders: polled"), "{shown}");
    world.set_faults(Faults::default());
    world.terminate(&mut serve);
}

#[test]
fn a_store_that_cannot_be_used_is_told_at_once() {
    let receiver = Receiver::start();
    let world = World::start(1, Faults::default());
    add(&world, &format!("alerts: {{ webhook: \"{}\" }}\n", receiver.url));
    assert_eq!(world.command(&["run", "--flow", "export_orders"]).status.code(), Some(0));
    let before = receiver.taken().len();
    let mut bytes = std::fs::read(world.store()).unwrap();
    bytes[..100].fill(b'x');
    std::fs::write(world.store(), bytes).unwrap();
    let run = world.command(&["run"]);
    assert_eq!(run.status.code(), Some(3), "{run:?}");
    let taken = receiver.taken();
    assert_eq!(taken.len(), before + 1, "{taken:?}");
    let (_, message) = taken.last().unwrap();
    assert_eq!((&message["kind"], &message["subject"]), (&Json::from("store"), &Json::from("live.db")), "{message}");
}

/// A library that sets the wall clock of the process it is loaded into, by as many seconds as a file says.
#[cfg(target_os = "linux")]
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <stdio.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, at);
    const char *path = getenv("CLOCK_OFFSET");
    if (id == CLOCK_REALTIME && path) {
        FILE *file = fopen(path, "r");
        long by = 0;
        if (file) { if (fscanf(file, "%ld", &by) != 1) by = 0; fclose(file); }
        at->tv_sec += by;
    }
    return done;
}
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_clock_that_is_set_does_not_stop_serve() {
    let receiver = Receiver::start();
    let world = World::start(3, Faults::default());
    add(&world, &format!("alerts: {{ webhook: \"{}\" }}\n", receiver.url));
    let (source, shim, offset) = (world.folder.path().join("shim.c"), world.folder.path().join("shim.so"), world.folder.path().join("offset"));
    std::fs::write(&source, SHIM).unwrap();
    std::fs::write(&offset, "0").unwrap();
    // SQLite is compiled from C, so there is a compiler where this is tested.
    let made = std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).arg("-ldl").status().unwrap();
    assert!(made.success());
    let serve = || {
        let log = std::fs::File::options().create(true).append(true).open(world.folder.path().join("serve.log")).unwrap();
        world
            .crossdock()
            .args(["serve", "--env", "live", "--listen", &format!("127.0.0.1:{}", world.port)])
            .env("LD_PRELOAD", &shim)
            .env("CLOCK_OFFSET", &offset)
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let polls = || world.log().matches("polled `export_orders`").count();
    let goes_on = |what: &str| {
        let before = polls();
        assert!(until(20, || polls() >= before + 2), "{what}: {}", world.log());
    };
    let mut process = serve();
    goes_on("as it is");
    let clocks = || receiver.taken().iter().filter(|(_, message)| message["kind"] == "clock").count();
    for (at, seconds) in ["-3600", "2592000"].into_iter().enumerate() {
        std::fs::write(&offset, seconds).unwrap();
        goes_on(seconds);
        if at == 0 {
            assert!(until(10, || clocks() == 1), "{:?}", receiver.taken());
        }
    }
    // Killed, and started with yet another clock.
    process.kill().unwrap();
    process.wait().unwrap();
    std::fs::write(&offset, "-600").unwrap();
    let mut process = serve();
    goes_on("after a restart");
    world.terminate(&mut process);
    assert!(receiver.taken().iter().all(|(_, message)| message["kind"] != "poll"), "{:?}", receiver.taken());
}
