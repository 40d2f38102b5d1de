//! Each block of commands in README, in the book and in the templates' READMEs is run as it stands, by a shell, each block in a
//! fresh project. A block that begins with ```` ```console ```` also shows what is printed: each line of it has to be printed.
//!
//! A block that cannot be run has a comment in front of it in the page's source that says why: `<!-- not run: the reason -->`.
//! The tutorial is walked from its beginning to its end by `tests/docs.rs`.
//!
//! A wrapper named `crossdock` stands on the shell's path. It passes everything on to the program, and adds ports to what listens,
//! so that nothing else on the machine is in the way, and the sandbox limits no rates. What runs until somebody stops it (the sandbox, `serve`) it puts beside
//! the other commands, as "in another terminal" says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A block of commands, from a page.
#[derive(Debug)]
struct Block {
    place: String,
    /// What a shell runs.
    script: String,
    /// By command: the lines that the page shows.
    shown: Vec<Vec<String>>,
    not_run: Option<String>,
}

fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut before = "";
    while let Some((at, line)) = lines.next() {
        let console = line == "```console";
        if !console && line != "```sh" {
            if !line.trim().is_empty() {
                before = line;
            }
            continue;
        }
        let inside: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let (mut script, mut shown) = (String::new(), Vec::<Vec<String>>::new());
        for line in inside {
            if !console {
                script.push_str(&format!("{line}\n"));
            } else if let Some(command) = line.strip_prefix("$ ") {
                script.push_str(&format!("{command}\n"));
                shown.push(Vec::new());
            } else if let (Some(shown), false) = (shown.last_mut(), line.trim().is_empty() || line.trim() == "…") {
                shown.push(line.to_owned());
            }
        }
        let not_run = before.strip_prefix("<!-- not run: ").and_then(|rest| rest.strip_suffix(" -->")).map(str::to_owned);
        before = "";
        found.push(Block { place: format!("{page}:{}", at + 1), script, shown, not_run });
    }
    found
}

/// What stands on the path as `crossdock`.
const WRAPPER: &str = r#"#!/bin/bash
listens() { for _ in $(seq 600); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0; sleep 0.1; done; echo "nothing listens on $1"; return 1; }
port_of() {
    case "$1" in
    salesforce) echo "$CRM_PORT" ;;
    shipstation) echo "$WMS_PORT" ;;
    shiphero) echo "$HERO_PORT" ;;
    commercetools) echo "$SHOP_PORT" ;;
    esac
}
count=$(ls "$BESIDE" | wc -l)
said="$BESIDE/$(printf %03d "$count")"
echo "$*" > "$said"
case "$1 $2" in
"sandbox start")
    imitated='salesforce|shipstation|shiphero|commercetools'
    systems=$(for word in "$@"; do echo "$word"; done | grep -xE "$imitated")
    [ -n "$systems" ] || systems=$(grep -os 'system: *[a-z]*' crossdock.yaml | sed 's/.* //' | grep -xE "$imitated" | sort -u)
    [ -n "$systems" ] || systems="salesforce shipstation"
    ports=()
    for system in $systems; do ports+=(--port "$system=$(port_of "$system")"); done
    # A test does not wait for rate limits: at 40 calls a minute the labels of a first run take minutes.
    "$PROGRAM" "$@" --no-limits "${ports[@]}" > /dev/null 2>&1 &
    echo $! >> "$STARTED"
    for system in $systems; do listens "$(port_of "$system")" || exit 1; done
    exit ;;
sandbox\ *)
    port=$CRM_PORT
    case " $* " in
    *\ shiphero\ *) port=$HERO_PORT ;;
    *\ commercetools\ *) port=$SHOP_PORT ;;
    *\ ship\ *|*\ shipstation\ *) port=$WMS_PORT ;;
    esac
    set -- "$@" --port "$port" ;;
serve\ *)
    "$PROGRAM" "$@" --listen "127.0.0.1:$HOOK_PORT" >> "$said" 2>&1 &
    serve=$!
    echo $serve >> "$STARTED"
    listens "$HOOK_PORT" || exit 1
    sleep 2
    kill -TERM $serve
    wait $serve
    exit ;;
esac
"$PROGRAM" "$@" >> "$said" 2>&1
code=$?
if [ "$1" = new ]; then
    find . -name crossdock.sandbox.yaml -exec sed -i "s/:8461/:$CRM_PORT/; s/:8462/:$WMS_PORT/; s/:8463/:$HERO_PORT/; s/:8480/:$SHOP_PORT/" {} +
fi
exit $code
"#;

/// What stands on the path as `cargo`: it was built already.
const CARGO: &str = r#"#!/bin/bash
case "$*" in
"run --release -- "*) shift 3; exec crossdock "$@" ;;
"install --path .") exit 0 ;;
*) echo "cargo $* is not known here"; exit 1 ;;
esac
"#;

fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

fn executable(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Processes that are stopped with their test.
struct Started(PathBuf);

impl Drop for Started {
    fn drop(&mut self) {
        for process in std::fs::read_to_string(&self.0).unwrap_or_default().lines() {
            let _ = Command::new("kill").args(["-KILL", process]).stderr(std::process::Stdio::null()).status();
        }
    }
}

/// Runs a block in a fresh project of a template, and says what is wrong.
fn run(block: &Block, template: &str) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let (path, beside, work) = (home.path().join("path"), home.path().join("said"), home.path().join("work"));
    for folder in [&path, &beside, &work] {
        std::fs::create_dir(folder).unwrap();
    }
    executable(&path.join("crossdock"), WRAPPER);
    executable(&path.join("cargo"), CARGO);
    let started = Started(home.path().join("started"));
    let mut script = String::from("set -e\n");
    if block.script.contains("cargo run") {
        script.push_str(&format!("cp -r '{}' mappings\n", crate::common::root().join("mappings").display()));
    } else if !block.script.contains("crossdock new") {
        script.push_str(&format!("crossdock new acme --template {template}\ncd acme\n"));
    }
    let asks = block.script.contains("--env sandbox") || block.script.contains("crossdock sandbox");
    if asks && !block.script.contains("sandbox start") {
        script.push_str("crossdock sandbox start\n");
    }
    script.push_str(&block.script);
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&work)
        .env("PATH", format!("{}:{}", path.display(), std::env::var("PATH").unwrap()))
        .envs([("PROGRAM", env!("CARGO_BIN_EXE_crossdock")), ("NO_COLOR", "1"), ("COLUMNS", "80")])
        .envs([("CRM_PORT", free()), ("WMS_PORT", free()), ("HERO_PORT", free()), ("SHOP_PORT", free()), ("HOOK_PORT", free())])
        .env("BESIDE", &beside)
        .env("STARTED", &started.0)
        .output()
        .unwrap();
    let mut said: Vec<PathBuf> = std::fs::read_dir(&beside).unwrap().map(|entry| entry.unwrap().path()).collect();
    said.sort();
    let said: Vec<String> = said.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut wrong = Vec::new();
    if output.status.code() != Some(0) {
        let rest = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        wrong.push(format!("{}: ends with {:?}: {rest}\n{}", block.place, output.status.code(), said.last().map_or("", String::as_str)));
    }
    for said in &said {
        let (command, printed) = said.split_once('\n').unwrap_or((said, ""));
        if printed.contains("BAD") {
            wrong.push(format!("{}: crossdock {command}: {printed}", block.place));
        }
        let wide: Vec<&str> = printed.lines().filter(|line| line.chars().count() > 80).collect();
        if !wide.is_empty() && ["status", "trace", "queue", "plan", "run"].iter().any(|word| command.starts_with(word)) {
            wrong.push(format!("{}: crossdock {command} is wider than 80 columns: {wide:#?}", block.place));
        }
    }
    let own = &said[said.len().saturating_sub(block.shown.len())..];
    for (shown, said) in block.shown.iter().zip(own) {
        // `…` stands for what differs from run to run.
        let is = |line: &str, shown: &str| match shown.trim_end().split_once('…') {
            Some((from, to)) => line.starts_with(from) && line.ends_with(to),
            None => line.trim_end() == shown.trim_end(),
        };
        let missing = shown.iter().filter(|shown| !said.lines().any(|line| is(line, shown)));
        wrong.extend(missing.map(|line| format!("{}: not printed: {line}\n{said}", block.place)));
    }
    wrong
}

/// Runs the blocks of a page; gives how many were run.
fn page(name: &str, template: &str) -> usize {
    let text = std::fs::read_to_string(crate::common::root().join(name)).unwrap();
    let blocks = blocks(name, &text);
    let run: Vec<&Block> = blocks.iter().filter(|block| block.not_run.is_none()).collect();
    let wrong: Vec<String> = run.iter().flat_map(|block| self::run(block, template)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    run.len()
}

const TEMPLATE: &str = "salesforce-shipstation";

#[test]
fn what_readme_shows_works_as_it_stands() {
    assert!(page("README.md", TEMPLATE) >= 3);
}

#[test]
fn what_the_operations_page_shows_works_as_it_stands() {
    assert!(page("docs/operations.md", TEMPLATE) >= 3);
}

#[test]
fn what_the_other_pages_of_the_book_show_works_as_it_stands() {
    let pages = crate::common::files(&crate::common::root().join("docs"));
    let elsewhere = ["operations.md", "tutorial.md"];
    let pages: Vec<String> = pages.into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".md") && !elsewhere.contains(&&**name)).collect();
    let run: usize = pages.iter().map(|name| page(&format!("docs/{name}"), TEMPLATE)).sum();
    assert!(run >= 2, "{run}");
}

#[test]
fn what_the_templates_show_works_as_it_stands() {
    let folders = std::fs::read_dir(crate::common::root().join("mappings")).unwrap();
    let mut names: Vec<String> = folders.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let run: usize = names.iter().map(|name| page(&format!("mappings/{name}/README.md"), name)).sum();
    assert!(run >= names.len(), "{run} blocks of {} templates", names.len());
}
