//! Writes records to begin with into a folder: `seeds FOLDER`.

#![allow(clippy::unwrap_used, reason = "a tool that cannot go on stops")]

#[path = "../../tests/common/mod.rs"]
mod common;

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    for (at, order) in common::orders::orders(17, 300).iter().enumerate() {
        std::fs::write(format!("{folder}/order-{at}"), order.to_string()).unwrap();
    }
}
