//! Doubts that rest on the text alone. Those that rest on meaning are held by the pages of
//! `crossdock explain`, which run through the whole checker.

use super::super::Unit;
use super::super::overlay::merge;
use super::super::scope::Scope;
use super::{Input, check};
use crate::base::diag::Code;
use crate::base::{FileId, Source, Sources};
use crate::check::{CheckEnvironment, Setting, TableFault};
use crate::schema::{Connection, Names, Object, Schemas};
use crate::value::ObjectRef;
use std::sync::Arc;

struct Nothing;

impl Schemas for Nothing {
    fn connections(&self) -> Vec<Connection> {
        Vec::new()
    }
    fn object(&self, _: &ObjectRef) -> Option<Arc<Object>> {
        None
    }
    fn objects(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
    fn names(&self, _: &ObjectRef) -> Option<Arc<Names>> {
        None
    }
}

impl CheckEnvironment for Nothing {
    fn table(&self, _: FileId, path: &str) -> Result<(String, Arc<str>), TableFault> {
        Err(TableFault::NotFound(path.into()))
    }
    fn parameter(&self, _: &str) -> Option<Setting> {
        None
    }
    fn parameters(&self) -> Vec<(String, Setting)> {
        Vec::new()
    }
    fn time_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::UTC
    }
}

fn found(files: &[(&str, &str)]) -> Vec<(Code, String)> {
    let mut sources = Sources::default();
    let trees: Vec<_> = files
        .iter()
        .map(|(name, text)| {
            let file = sources.add(Source::new(*name, *text));
            (file, crate::syntax::read(file, text).0)
        })
        .collect();
    let find = |path: &str| files.iter().position(|(name, _)| *name == format!("{path}.dock"));
    let units: Vec<Unit> = trees
        .into_iter()
        .map(|(file, tree)| {
            let uses = tree.uses.iter().map(|using| find(&using.path.node)).collect();
            Unit { file, uses, extends: None, runs: true, tree }
        })
        .collect();
    let mut diags = Vec::new();
    let merged = merge(&units, &mut diags);
    let scope = Scope::build(&merged, &sources, &mut diags);
    check(&Input { merged: &merged, scope: &scope, environment: &Nothing, mapping: None }, &mut diags);
    diags.iter().map(|d| (d.code, sources.text(d.primary.span).to_owned())).collect()
}

const LIBRARY: &str = "edition 1\n\nfunction tidy(x: text) -> text = x | trim\nfunction spare(x: text) -> text = x\n";

fn flow(body: &str) -> String {
    format!(
        "edition 1\n\nuse \"library\"\n\nparameter limit: integer = 5\n\nflow copy {{\n  from crm.Order as order {{ every 5 minutes }}\n\n{body}\n}}\n"
    )
}

#[test]
fn what_nothing_reads_is_pointed_out() {
    let text = flow("  let a = order.A\n  let b = order.B\n  update crm.Order of order { C = a }");
    let found = found(&[("library.dock", LIBRARY), ("main.dock", &text)]);
    let all: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(all, ["limit", "b", "\"library\""]);
}

#[test]
fn what_is_read_anywhere_is_quiet() {
    let text = flow(
        "  let a = \"{order.A | tidy}\"\n  validate { require order.N < limit \"{a} is too many\" }\n  update crm.Order of order { C = order.C }",
    );
    assert_eq!(found(&[("library.dock", LIBRARY), ("main.dock", &text)]), []);
}

#[test]
fn a_broken_file_keeps_back_what_seems_unused() {
    let text = flow("  let a = order.A\n  upsert ???\n  update crm.Order of order { C = order.C }");
    assert_eq!(found(&[("library.dock", LIBRARY), ("main.dock", &text)]), []);
}

#[test]
fn lists_over_one_source_have_one_condition() {
    let codes = |body: &str| {
        let text = flow(body).replace("use \"library\"\n\nparameter limit: integer = 5\n", "");
        found(&[("main.dock", &text)]).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    let differ = "  let lines = each line in order.Lines where line.N > 0\n  update crm.Order of order {\n    A = count(lines)\n    B = sum(l.N for l in order.Lines)\n  }";
    assert_eq!(codes(differ), [Code::ListsDiffer]);
    let alike = "  let lines = each line in order.Lines where line.N > 0\n  update crm.Order of order {\n    A = count(lines)\n    B = sum(l.N for l in order.Lines where l.N > 0)\n  }";
    assert_eq!(codes(alike), []);
    let reconciled = "  let lines = each line in order.Lines where line.N > 0\n  validate {\n    reconcile order.T == sum(l.N for l in order.Lines) \"{difference}\"\n  }\n  update crm.Order of order { A = count(lines) }";
    assert_eq!(codes(reconciled), []);
}

#[test]
fn a_fallback_in_many_words_is_shortened() {
    let text = "edition 1\n\nflow copy {\n  from crm.Order as order { every 5 minutes }\n  update crm.Order of order { A = if order.A is present then order.A else order.B }\n}\n";
    assert_eq!(found(&[("main.dock", text)]), [(Code::Deprecated, "if order.A is present then order.A else order.B".to_owned())]);
}
