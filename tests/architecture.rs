//! Holds the order of the rooms: each imports only from floors below its own, and the pure ones
//! do not touch the world. The floors are read from the table in `src/lib.rs`, which
//! `docs/architecture.md` draws.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// From this floor up a room may touch the world.
const SHELL: u32 = 11;
/// What a pure room never names, and why.
const WORLD: &[(&str, &str)] = &[
    ("std::fs", "files"),
    ("std::env", "the environment"),
    ("std::net", "the network"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("tokio", "an executor"),
    ("SystemTime::now", "a clock"),
    ("Instant::now", "a clock"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("TimeZone::system", "the machine's zone"),
    ("static mut", "global state"),
    ("thread_local!", "global state"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `| 2 | [`syntax`] | … |` lines of the table.
fn floors() -> BTreeMap<String, u32> {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
        let floor = cells.next()?.parse().ok()?;
        let room = cells.next()?.trim_matches(['[', ']', '`']).to_owned();
        Some((room, floor))
    };
    lib.lines().filter_map(row).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The text with comments and the insides of literals blanked, line breaks kept.
fn code(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    let blank = |out: &mut String, c: char| out.push(if c == '\n' { '\n' } else { ' ' });
    while i < bytes.len() {
        let rest = |n: usize| bytes.get(i + n).copied().unwrap_or(' ');
        if bytes[i] == '/' && rest(1) == '/' {
            while i < bytes.len() && bytes[i] != '\n' {
                i += 1;
            }
        } else if bytes[i] == '/' && rest(1) == '*' {
            while i < bytes.len() && !(bytes[i] == '*' && bytes.get(i + 1) == Some(&'/')) {
                blank(&mut out, bytes[i]);
                i += 1;
            }
            i += 2;
        } else if bytes[i] == 'r' && (rest(1) == '"' || (rest(1) == '#' && matches!(rest(2), '"' | '#'))) {
            let hashes = bytes[i + 1..].iter().take_while(|c| **c == '#').count();
            i += hashes + 2;
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            while i < bytes.len() && !bytes[i..].starts_with(&end) {
                blank(&mut out, bytes[i]);
                i += 1;
            }
            i += end.len();
        } else if bytes[i] == '"' {
            i += 1;
            while i < bytes.len() && bytes[i] != '"' {
                if bytes[i] == '\\' {
                    i += 1;
                }
                if let Some(c) = bytes.get(i) {
                    blank(&mut out, *c);
                }
                i += 1;
            }
            i += 1;
        } else if bytes[i] == '\'' && (rest(2) == '\'' || rest(1) == '\\') {
            i += 1;
            while i < bytes.len() && bytes[i] != '\'' {
                i += if bytes[i] == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    out
}

/// The rooms that a file names: by `crate::room`, grouped (`crate::{a, b::c}`), by enough
/// `super::` to leave its own room, or as `crossdock::room`.
fn named(code: &str, depth: usize) -> Vec<String> {
    let mut rooms = Vec::new();
    let dense: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut roots = vec!["crate::".to_owned(), "crossdock::".to_owned()];
    roots.extend([depth, depth + 1].iter().filter(|d| **d > 0).map(|d| "super::".repeat(*d)));
    // Inside a `mod tests` it takes one `super` more.
    for prefix in &roots {
        for (at, _) in dense.match_indices(prefix.as_str()) {
            let before = dense[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            heads(&dense[at + prefix.len()..], &mut rooms);
        }
    }
    rooms
}

/// The first words of what follows a path: one, or each of a group.
fn heads(text: &str, rooms: &mut Vec<String>) {
    let word = |t: &str| t.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = text.strip_prefix('{') else {
        rooms.push(word(text));
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                rooms.push(word(&group[start..i]));
                return;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                rooms.push(word(&group[start..i]));
                start = i + 1;
            }
            _ => {}
        }
    }
}

#[test]
fn rooms_import_only_from_floors_below() {
    let floors = floors();
    assert!(floors.len() > 8, "the table in src/lib.rs is read: {floors:?}");
    let mut wrong = Vec::new();
    for (room, floor) in &floors {
        for (path, depth) in of_room(room) {
            let text = code(&std::fs::read_to_string(&path).unwrap());
            for other in named(&text, depth) {
                if let Some(theirs) = floors.get(&other)
                    && other != *room
                    && theirs >= floor
                {
                    wrong.push(format!("{}: {room} (floor {floor}) names {other} (floor {theirs})", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a connector is asked is in its own words: it knows of no mapping.
#[test]
fn connectors_know_neither_mappings_nor_plans() {
    let mut wrong = Vec::new();
    for (path, depth) in of_room("connector") {
        // Tests make their requests from mappings.
        if path.file_stem().is_some_and(|name| name == "tests") || path.iter().any(|part| part == "tests") {
            continue;
        }
        let text = code(&std::fs::read_to_string(&path).unwrap());
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let found = named(text, depth).into_iter().filter(|room| matches!(room.as_str(), "check" | "ir" | "plan" | "project" | "eval" | "syntax"));
        wrong.extend(found.map(|room| format!("{}: names {room}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_do_not_touch_the_world() {
    let mut wrong = Vec::new();
    // The engine stands above the store, which is handed in, and is pure all the same.
    for (room, _) in floors().iter().filter(|(room, floor)| **floor < SHELL || *room == "engine") {
        for (path, _) in of_room(room) {
            // Tests may read their fixtures.
            if path.file_stem().is_some_and(|n| n == "tests") || path.iter().any(|p| p == "tests") {
                continue;
            }
            let text = code(&std::fs::read_to_string(&path).unwrap());
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (name, what) in WORLD {
                if text.contains(name) {
                    wrong.push(format!("{}: {room} is pure and names {name} ({what})", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_stands_in_the_table_and_in_the_drawing() {
    let floors = floors();
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: Vec<&str> = lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(declared.len() > 8);
    let drawing = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    for room in declared {
        assert!(floors.contains_key(room), "the table in src/lib.rs does not name `{room}`");
        assert!(drawing.contains(&format!("`{room}`")), "docs/architecture.md does not draw `{room}`");
    }
}

#[test]
fn the_reader_of_this_test_sees_all_forms() {
    let text = code("use crate::{base::diag, check::{Setting, Unit}}; // crate::cli\nlet s = \"crate::plan\"; super::super::eval::go();");
    let mut rooms = named(&text, 2);
    rooms.sort();
    assert_eq!(rooms, ["base", "check", "eval"]);
    assert!(named("my_crate::cli", 1).is_empty());
}

/// Where the store's backend is named, and why. All else works with the trait `Store`.
const OF_THE_BACKEND: &[(&str, &str)] = &[
    ("src/store/", "the backends themselves"),
    ("src/app/stores.rs", "opens the one that a project's setting names"),
    ("src/simulate/", "breaks the disk under a store"),
];

/// The source files but those of tests, by their names from the package's folder.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root().join("src"), &mut found);
    let is_test =
        |path: &Path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains("tests")) || path.iter().any(|part| part == "tests");
    found.retain(|path| !is_test(path));
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    found.into_iter().map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn one_place_knows_which_backend_the_store_has() {
    let mut wrong = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    for (name, text) in sources() {
        let text = code(&text).to_lowercase();
        // The tests of a room may take the backend that is at hand; `cli` has none that need it.
        let text = if name.starts_with("src/cli/") { &text } else { text.split("#[cfg(test)]").next().unwrap_or_default() };
        if !text.contains("sqlite") {
            continue;
        }
        match OF_THE_BACKEND.iter().find(|(place, _)| name.starts_with(place)) {
            Some((place, _)) => named.push(place),
            None => wrong.push(name),
        }
    }
    assert!(wrong.is_empty(), "these name the store's backend; they should take a `Store`, or open it by `app::stores`: {wrong:?}");
    assert!(OF_THE_BACKEND.iter().all(|(place, _)| named.contains(place)), "a place of the list names no backend any more: {named:?}");
}

const VENDORS: &[&str] = &["salesforce", "shipstation", "shiphero", "commercetools"];

/// Folders that belong to one vendor: there it may be named.
const OF_VENDORS: &[&str] = &[
    "src/connector/salesforce/",
    "src/connector/shipstation/",
    "src/connector/described/tests/",
    "src/sandbox/commercetools/",
    "src/sandbox/salesforce/",
    "src/sandbox/shiphero/",
    "src/sandbox/shipstation/",
];

/// Where vendors are still named outside their folders, and as what. A file that names none any more has to leave the list.
const STILL_NAMED: &[(&str, &str)] = &[
    ("src/base/bounds.rs", "the names of tests that hold a bound"),
    ("src/bin/simulate.rs", "the simulation plays the templates of these systems"),
    ("src/cli/demo/", "the demo plays one template"),
    ("src/cli/new.rs", "the template that a project begins with"),
    ("src/cli/queue/decide.rs", "an example in a help text"),
    ("src/cli/sandbox", "the sandboxes that are started"),
    ("src/connector/registry.rs", "a line for each connector"),
    ("src/sandbox/user_actions.rs", "what people do in each system"),
    ("src/simulate/", "the simulation plays the templates of these systems"),
];

/// The text of a file without comments and without its tests; literals stay.
fn said(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    // A help text of a command is a comment that people read.
    let is_module = |line: &&str| line.trim_start().starts_with("pub mod ") || line.trim_start().starts_with("mod ");
    text.lines().filter(|line| is_code(line) && !is_module(line)).collect::<Vec<_>>().join("\n").to_lowercase()
}

#[test]
fn vendors_are_named_in_their_own_folders() {
    let mut wrong = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    for (name, text) in sources() {
        if OF_VENDORS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        let text = said(&text);
        let Some(line) = text.lines().find(|line| VENDORS.iter().any(|vendor| line.contains(vendor))) else { continue };
        match STILL_NAMED.iter().find(|(still, _)| name.starts_with(still)) {
            Some((still, _)) => named.push(still),
            None => wrong.push(format!("{name}: a vendor is named outside its folder: {}", line.trim())),
        }
    }
    let done: Vec<&str> = STILL_NAMED.iter().map(|(still, _)| *still).filter(|still| !named.contains(still)).collect();
    assert!(wrong.is_empty(), "what is known of a system belongs into its manifest, `schemas/<system>/system.yaml`:\n{}", wrong.join("\n"));
    assert!(done.is_empty(), "these name no vendor any more: take them off the list: {done:?}");
}

/// The files of a room, each with how many `super::` lead from it to the root.
fn of_room(room: &str) -> Vec<(PathBuf, usize)> {
    let src = root().join("src");
    let mut found = Vec::new();
    let single = src.join(format!("{room}.rs"));
    if single.exists() {
        found.push(single);
    }
    if src.join(room).is_dir() {
        files(&src.join(room), &mut found);
    }
    found
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&src).unwrap().iter().count();
            let module = path.file_name().is_some_and(|n| n == "mod.rs");
            let depth = if module { inside - 1 } else { inside };
            (path, depth)
        })
        .collect()
}

/// What a system's sandbox is made from, and what its description is made from, know nothing of each other: each is held against the other.
#[test]
fn a_described_system_and_its_sandbox_do_not_read_each_other() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let places = [("sandbox", "system.yaml"), ("sandbox", "systems/"), ("src/sandbox/kit", "systems/"), ("src/sandbox/shiphero", "systems/")];
    let others = [("systems", "laws.yaml"), ("src/describe", "laws.yaml"), ("src/connector/described", "laws.yaml")];
    for (folder, word) in places.into_iter().chain(others) {
        let mut open = vec![root().join(folder)];
        while let Some(folder) = open.pop() {
            // A room that is not there yet reads nothing.
            for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    seen += 1;
                    if text.contains(word) {
                        wrong.push(format!("{} names {word}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 40, "{seen}");
}
