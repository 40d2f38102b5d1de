//! What several tests need: the template as a project in memory, and generated orders.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

pub mod orders;

use std::path::{Path, PathBuf};

use crossdock::project::{Compiled, Options, Texts, compile};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

pub fn template() -> PathBuf {
    root().join("mappings/salesforce-shipstation")
}

/// Every file below a folder, by its name from there.
pub fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(root, &path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            found.push((name, text));
        }
    }
}

/// The template, compiled.
pub fn compiled_template() -> Compiled {
    let compiled = compile(&Texts::new(files(&template())), &Options::default());
    assert!(compiled.plan.is_some(), "{:#?}", compiled.diagnostics);
    compiled
}

/// Wide enough that no sentence is broken: a test that looks for words finds them on one line.
pub(crate) const WIDE: (&str, &str) = ("COLUMNS", "200");

/// Runs the program in a folder: how it ended, and what it said.
pub(crate) fn crossdock(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_crossdock")).current_dir(folder).args(arguments).env("NO_COLOR", "1").envs([WIDE]).output();
    let output = output.unwrap();
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// Writes files below a folder.
pub(crate) fn put(folder: &Path, files: impl IntoIterator<Item = (impl AsRef<Path>, impl AsRef<[u8]>)>) {
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// A template, in a folder of its own.
pub(crate) fn copied(template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), files(&root().join("mappings").join(template)));
    folder
}
