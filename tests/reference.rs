//! The pages that the program writes are the pages that are there.
//! `CROSSDOCK_ACCEPT=1 cargo nextest run --test all reference::` writes them anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

#[test]
fn the_reference_of_the_functions_is_what_the_table_says() {
    is_written("docs/reference/functions.md", &crossdock::builtin::reference());
}

#[test]
fn the_page_of_the_bounds_is_what_the_register_says() {
    is_written("docs/reference/bounds.md", &crossdock::base::bounds::reference());
}

#[test]
fn the_page_of_the_acts_is_what_the_tables_say() {
    is_written("docs/reference/sandbox-acts.md", &crossdock::sandbox::user_actions::reference());
}

/// Each bound names the test that fails without it, and that test is there.
#[test]
fn the_page_of_what_is_not_supported_is_what_the_list_says() {
    is_written("docs/reference/not-supported.md", &crossdock::describe::unsupported::reference());
}

#[test]
fn each_bound_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in ["src", "tests"] {
        read(&root.join(folder), &mut texts);
    }
    for bound in crossdock::base::bounds::ALL {
        let (file, test) = bound.held_by.rsplit_once("::").unwrap();
        let file = file.rsplit("::").next().unwrap();
        let found = texts.iter().any(|(path, text)| {
            let path = path.with_extension("");
            let named = path.iter().any(|part| part == file);
            named && text.contains(&format!("fn {test}("))
        });
        assert!(found, "{}: there is no test `{}`", bound.name, bound.held_by);
        let used = texts.iter().any(|(path, text)| !path.ends_with("bounds.rs") && text.contains(bound.name));
        assert!(used, "{} bounds nothing", bound.name);
    }
}

fn read(folder: &Path, texts: &mut Vec<(std::path::PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            texts.push((path, text));
        }
    }
}

fn is_written(name: &str, expected: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("CROSSDOCK_ACCEPT").is_some() {
        if let Some(folder) = page.parent() {
            std::fs::create_dir_all(folder).expect("a folder for the page");
        }
        std::fs::write(&page, expected).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(found == expected, "{name} is not what the program says; CROSSDOCK_ACCEPT=1 cargo nextest run --test all reference:: writes it");
}
