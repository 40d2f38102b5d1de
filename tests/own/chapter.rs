//! The book's chapter on a system of one's own: its commands are run as they stand there, in their order.

use std::sync::Arc;
use std::time::Duration;

use crossdock::http::net::Net;
use crossdock::http::{Clock, SystemClock, Transport};
use crossdock::sandbox::faults::{FaultKit, Faults, Faulty};
use crossdock::sandbox::salesforce;
use crossdock::sandbox::server::{Running, listen, serve};

use super::book;
use super::northbay::{Manners, Northbay, TOKEN};

const SECRET: &str = "planted-client-secret-4711";

/// A block of the chapter.
fn block(page: &str, fence: &str) -> String {
    let text = page.split(&format!("```{fence}\n")).nth(1).unwrap_or_else(|| panic!("the chapter has no block {fence}"));
    text.split("```").next().unwrap().to_owned()
}

/// The commands of the chapter, each with what it prints there.
fn commands(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for console in page.split("```console\n").skip(1) {
        for line in console.split("\n```").next().unwrap().lines() {
            match line.strip_prefix("$ crossdock ") {
                Some(command) => found.push((command.to_owned(), Vec::new())),
                None => found.last_mut().unwrap().1.push(line.to_owned()),
            }
        }
    }
    found
}

/// Whether what was said is what the chapter prints: `…` stands for any lines, and in a line for any text.
fn fits(said: &[&str], printed: &[String]) -> bool {
    match printed.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first == "…" => (0..=said.len()).any(|at| fits(&said[at..], rest)),
        Some((first, rest)) => said.split_first().is_some_and(|(line, more)| alike(line, first) && fits(more, rest)),
    }
}

fn alike(line: &str, printed: &str) -> bool {
    let mut parts = printed.split('…');
    let Some(mut left) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut ends = !printed.contains('…');
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        (left, ends) = (&left[at + part.len()..], part.is_empty());
    }
    left.is_empty() || (ends && printed.ends_with('…'))
}

fn org(runtime: &tokio::runtime::Runtime) -> Running {
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let transport: Arc<dyn Transport> = Arc::new(Net::new(Duration::from_secs(20)).unwrap());
        let (listener, url) = listen(0).await.unwrap();
        let options = salesforce::Options {
            base_url: url.clone(),
            orders: 12,
            start: clock.now(),
            client_secret: Some(SECRET.to_owned()),
            ..salesforce::Options::default()
        };
        let crm = Faulty::new(Box::new(salesforce::Salesforce::new(options)), FaultKit::new(1, Faults::default()));
        serve(listener, url, crm, clock, transport)
    })
}

#[test]
fn the_chapter_ends_with_a_delivered_order() {
    let page = std::fs::read_to_string(crate::common::root().join("docs/own-system.md")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (crm, wms) = (org(&runtime), Northbay::start(Manners::default()));
    wms.put("OLD-1", "TEA-1", 1);
    wms.put("OLD-2", "TEA-1", 1);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("api.yaml", &book("api.yaml"));
    write("test-order.json", &block(&page, "json test-order.json"));
    let commands = commands(&page);
    assert_eq!(commands.len(), 10, "{commands:#?}");
    for (command, printed) in &commands {
        let words: Vec<&str> = command.split(' ').collect();
        let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_crossdock"));
        process.current_dir(folder.path()).args(&words).env("NO_COLOR", "1").env("NORTHBAY_TOKEN", TOKEN).env("NORTHBAY_URL", &wms.url);
        process.env("CRM_LOGIN_URL", &crm.url).env("CRM_CLIENT_ID", "sandbox").env("CRM_CLIENT_SECRET", SECRET);
        let output = process.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{command}: {said}");
        assert!(!said.contains(TOKEN) && !said.contains(SECRET), "{command} shows a secret");
        let lines: Vec<&str> = said.lines().collect();
        assert!(fits(&lines, printed), "{command} prints otherwise than the chapter:\n{said}");
        // What a person does between the commands.
        match words.as_slice() {
            ["system", "check", ..] => {
                let example = book("systems/northbay/system.yaml");
                write("systems/northbay/system.yaml", &example);
                assert!(
                    example.contains("limits:\n  - window: { calls: 300, length: 1 minute }"),
                    "the table of the chapter is of another description"
                );
                write("crossdock.yaml", &block(&page, "yaml crossdock.yaml"));
                write("orders.dock", &block(&page, "text orders.dock"));
            }
            ["system", "probe", ..] => {
                let mapping = block(&page, "text orders.dock");
                assert!(mapping.contains(" in doubt review"));
                write("orders.dock", &mapping.replace(" in doubt review", ""));
            }
            _ => {}
        }
    }
    // The environment of who has no org.
    write("crossdock.sandbox.yaml", &block(&page, "yaml crossdock.sandbox.yaml"));
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_crossdock"));
    process.current_dir(folder.path()).args(["check", "--env", "sandbox"]).env("NORTHBAY_TOKEN", TOKEN).env("NORTHBAY_URL", &wms.url);
    let output = process.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let numbers = wms.numbers();
    let delivered = numbers.iter().filter(|number| number.starts_with("SF-")).count();
    assert!(delivered > 0, "{numbers:?}");
}
