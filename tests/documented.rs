//! The commands that README and the operations page show for work between the systems are run as they stand, in a fresh
//! project against a running sandbox. Only ports are added, so that nothing else on the machine is in the way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The commands of each of a text's `sh` blocks, without their comments.
fn blocks(text: &str) -> Vec<Vec<Vec<String>>> {
    let block = |block: &str| {
        let block = block.split("```").next().unwrap();
        let lines = block.lines().filter_map(|line| line.strip_prefix("crossdock "));
        lines.map(|line| line.split(" #").next().unwrap().split_whitespace().map(str::to_owned).collect()).collect()
    };
    text.split("```sh\n").skip(1).map(block).filter(|commands: &Vec<_>| !commands.is_empty()).collect()
}

fn free() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn answers(port: u16) {
    let until = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "nothing listens on {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn crossdock(folder: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossdock"));
    command.current_dir(folder).args(arguments).env("NO_COLOR", "1").env_remove("COLUMNS");
    command
}

/// Runs each block of a text by itself.
fn walk(text: &str, least: usize) {
    let blocks = blocks(text);
    assert!(blocks.iter().map(Vec::len).sum::<usize>() >= least, "{blocks:?}");
    blocks.into_iter().for_each(walk_block);
}

/// Runs commands in a fresh project. What a machine waits for (`serve`, the sandbox) runs beside the others.
fn walk_block(all: Vec<Vec<String>>) {
    let home = tempfile::tempdir().unwrap();
    assert!(crossdock(home.path(), &["new".into(), "acme".into()]).output().unwrap().status.success());
    let acme = home.path().join("acme");
    let (crm, wms, hook) = (free(), free(), free());
    let file = acme.join("crossdock.sandbox.yaml");
    let environment = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, environment.replace(":8461", &format!(":{crm}")).replace(":8462", &format!(":{wms}"))).unwrap();
    let starts = |words: &Vec<String>| words.starts_with(&["sandbox".to_owned(), "start".to_owned()]);
    // A block that only reads needs a sandbox all the same.
    let (start, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(starts);
    let mut start = start.into_iter().next().unwrap_or_else(|| vec!["sandbox".into(), "start".into()]);
    start.extend(["--salesforce".into(), crm.to_string(), "--shipstation".into(), wms.to_string()]);
    let _sandbox = Running(crossdock(&acme, &start).stdout(Stdio::null()).spawn().unwrap());
    answers(crm);
    answers(wms);
    for words in rest {
        let mut arguments = words.clone();
        if words[0] == "serve" {
            arguments.extend(["--listen".into(), format!("127.0.0.1:{hook}")]);
            let mut serve = Running(crossdock(&acme, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
            answers(hook);
            std::thread::sleep(Duration::from_secs(2));
            assert!(Command::new("kill").args(["-TERM", &serve.0.id().to_string()]).status().unwrap().success());
            assert_eq!(serve.0.wait().unwrap().code(), Some(0), "serve");
            continue;
        }
        if words[0] == "sandbox" {
            let shipstation = words.iter().any(|word| word == "ship" || word == "shipstation");
            arguments.extend(["--port".into(), if shipstation { wms } else { crm }.to_string()]);
        }
        let output = crossdock(&acme, &arguments).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "crossdock {}\n{said}", words.join(" "));
        assert!(!said.contains("BAD"), "crossdock {}\n{said}", words.join(" "));
        let wide: Vec<&str> =
            String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.chars().count() > 80).map(|line| &*line.to_owned().leak()).collect();
        let tables = ["status", "trace", "queue", "plan", "run"];
        assert!(wide.is_empty() || !tables.contains(&words[0].as_str()), "crossdock {} is wider than 80 columns: {wide:#?}", words.join(" "));
    }
}

#[test]
fn what_readme_shows_between_the_systems_works_as_it_stands() {
    let text = std::fs::read_to_string(crate::common::root().join("README.md")).unwrap();
    let (_, section) = text.split_once("## Between the systems").unwrap();
    walk(section.split("\n## ").next().unwrap(), 9);
}

#[test]
fn what_the_operations_page_shows_works_as_it_stands() {
    let text = std::fs::read_to_string(crate::common::root().join("docs/operations.md")).unwrap();
    walk(&text, 8);
}
