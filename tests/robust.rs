//! A thousand broken mapping files: each gets an answer, quickly, and none brings the program down.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use crate::common::orders::Dice;
use crossdock::base::diag::render::{Look, View, json, terminal};
use crossdock::project::{Options, Texts, compile};

fn answer(project: &[(String, String)], text: &str) -> usize {
    let mut files = project.to_vec();
    files.push(("x.dock".to_owned(), text.to_owned()));
    let compiled = compile(&Texts::new(files), &Options { only: Some(vec!["x.dock".to_owned()]), ..Options::default() });
    let view = View { sources: &compiled.sources, prefix: "" };
    // What is found must also be printable: places lie in the text, on the borders of characters.
    for diagnostic in &compiled.diagnostics {
        let _ = terminal(diagnostic, view, Look { colours: false, width: 100 });
    }
    let _ = json(&compiled.diagnostics, view);
    compiled.diagnostics.len()
}

fn project() -> Vec<(String, String)> {
    let mut files = crate::common::files(&crate::common::template());
    files.retain(|(name, _)| name.starts_with("schemas/") || name.starts_with("tables/") || name.starts_with("shared/") || name == "crossdock.yaml");
    files
}

fn seeds() -> Vec<String> {
    let mut seeds: Vec<String> = crate::common::files(&crate::common::root().join("tests/corpus/correct"))
        .into_iter()
        .filter(|(name, _)| name.ends_with(".dock"))
        .map(|(_, text)| text)
        .collect();
    seeds.push(std::fs::read_to_string(crate::common::template().join("orders.dock")).unwrap());
    seeds
}

const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "\"",
    "'",
    "`",
    "->",
    "<->",
    "|",
    "??",
    "==",
    "=",
    "$",
    ",",
    ".",
    "\n",
    "#",
    "##",
    "\\",
    "{x}",
    "é",
    "山",
    "🎂",
    "\u{feff}",
    "if ",
    "each ",
    "not ",
    "and ",
    "in ",
    "sum(",
    "override ",
    "remove ",
    "extends \"x\"\n",
    "flow ",
    "1e9",
    "99999999999999999999999999999999",
    "-",
    "\r\n",
    "\t",
    "\0",
];

#[test]
fn a_thousand_mutated_files_are_answered() {
    let (project, seeds) = (project(), seeds());
    let mut dice = Dice::new(1);
    let mut found = 0;
    for n in 0..1_000 {
        let mut text: Vec<char> = seeds[n % seeds.len()].chars().collect();
        for _ in 0..1 + dice.below(6) {
            let at = dice.below(text.len().max(1)).min(text.len());
            match dice.below(5) {
                0 if !text.is_empty() => drop(text.remove(at.min(text.len() - 1))),
                1 => {
                    let piece = dice.pick(PIECES);
                    text.splice(at..at, piece.chars());
                }
                2 => {
                    let end = (at + dice.below(80)).min(text.len());
                    text.drain(at..end);
                }
                3 => {
                    let end = (at + dice.below(200)).min(text.len());
                    let copy: Vec<char> = text[at..end].to_vec();
                    let to = dice.below(text.len() + 1);
                    text.splice(to..to, copy);
                }
                _ => {
                    let other = dice.below(text.len().max(1)).min(text.len().saturating_sub(1));
                    if !text.is_empty() {
                        text.swap(at.min(other), other);
                    }
                }
            }
        }
        let text: String = text.into_iter().collect();
        let began = Instant::now();
        found += usize::from(answer(&project, &text) > 0);
        assert!(began.elapsed() < Duration::from_secs(20), "{text}");
    }
    assert!(found > 500, "only {found} of the broken files were told so");
}

#[test]
fn random_tokens_are_answered() {
    let project = project();
    let words = [
        "flow",
        "x",
        "from",
        "crm.Order",
        "as",
        "order",
        "validate",
        "require",
        "upsert",
        "wms.Order",
        "key",
        "orderKey",
        "order.Id",
        "\"t {order.Id}\"",
        "values",
        "12",
        "5.00",
        "when",
        "route",
        "else",
    ];
    let mut dice = Dice::new(2);
    for _ in 0..300 {
        let mut text = String::new();
        for _ in 0..dice.below(200) {
            text.push_str(if dice.once_in(3) { dice.pick(PIECES) } else { dice.pick(&words) });
            text.push(' ');
        }
        answer(&project, &text);
    }
}

/// An unoptimised build takes much more stack for each level than the program that people run; the
/// limits are held here on the stack that the program has on its main thread.
#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = std::thread::Builder::new().stack_size(8 << 20).spawn(nested_inputs).unwrap();
    assert!(deep.join().is_ok());
}

fn nested_inputs() {
    let project = project();
    let deep =
        |open: &str, close: &str, n: usize| format!("flow f {{\n  from crm.Order as order\n  let x = {}1{}\n}}\n", open.repeat(n), close.repeat(n));
    for (open, close) in [
        ("(", ")"),
        ("not ", ""),
        ("-", ""),
        ("if true then ", " else 1"),
        ("\"{", "}\""),
        ("sum(", ")"),
        ("each a in ", ""),
        ("distinct ", ""),
        ("a.", ""),
        ("1 + ", ""),
        ("a ?? ", ""),
        ("a | f ", ""),
    ] {
        for n in [100, 1_000, 20_000] {
            let began = Instant::now();
            answer(&project, &deep(open, close, n));
            assert!(began.elapsed() < Duration::from_secs(20), "{open} {n}: {:?}", began.elapsed());
        }
    }
    let blocks = format!("flow f {{\n{}", "validate {\n".repeat(5_000));
    answer(&project, &blocks);
    answer(&project, &"}".repeat(5_000));
    answer(&project, &"x".repeat(900_000));
    answer(&project, &"\"".repeat(100_000));
    answer(&project, &"a = {\n".repeat(20_000));
}
