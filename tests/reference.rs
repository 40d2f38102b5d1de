//! The pages that the program writes are the pages that are there.
//! `CROSSDOCK_ACCEPT=1 cargo test --test reference` writes them anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

#[test]
fn the_reference_of_the_functions_is_what_the_table_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/functions.md");
    let expected = crossdock::builtin::reference();
    if std::env::var_os("CROSSDOCK_ACCEPT").is_some() {
        if let Some(folder) = page.parent() {
            std::fs::create_dir_all(folder).expect("a folder for the page");
        }
        std::fs::write(&page, &expected).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(found == expected, "docs/reference/functions.md is not what the functions say; CROSSDOCK_ACCEPT=1 cargo test --test reference writes it");
}
