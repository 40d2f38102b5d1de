//! Mapping files as people write them: the correct ones get no error, and in each of the others one
//! mistake is found, once, on its line, with a way out.
//!
//! A file in `corpus/mistakes` begins with what is expected: `#! E0103 at 12`. They are checked in a
//! project with the template's snapshots, and the tables and shared files of `corpus/correct`.
//! `corpus/edits` holds mistakes as edits of the templates, see `corpus/README.md`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod edits;
mod projects;

use crossdock::base::diag::{Code, Diagnostic};
use crossdock::project::{Options, Texts, compile};

/// The project without mappings of its own, and the corpus' shared files.
fn project() -> Vec<(String, String)> {
    let mut files = crate::common::files(&crate::common::template());
    files.retain(|(name, _)| name.starts_with("schemas/") || name.starts_with("fixtures/") || name == "crossdock.yaml");
    let correct = crate::common::files(&crate::common::root().join("tests/corpus/correct"));
    let shared = ["base_orders.dock", "18-alias-import.dock"];
    files.extend(correct.into_iter().filter(|(name, _)| name.contains('/') || shared.contains(&name.as_str())));
    files
}

fn check(files: &[(String, String)], name: &str, text: &str) -> (Vec<Diagnostic>, crossdock::base::Sources) {
    let mut all = files.to_vec();
    let name = format!("x_{name}");
    all.push((name.clone(), text.to_owned()));
    let compiled = compile(&Texts::new(all), &Options { only: Some(vec![name]), ..Options::default() });
    (compiled.diagnostics, compiled.sources)
}

#[test]
fn correct_files_get_no_error() {
    let project = project();
    let files = crate::common::files(&crate::common::root().join("tests/corpus/correct"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".dock") && !name.contains('/') && name != "base_orders.dock") {
        count += 1;
        let (found, sources) = check(&project, name, text);
        for error in found.iter().filter(|found| found.is_error()) {
            wrong.push(format!("{}: {} {}", sources.place(error.primary.span), error.code, error.message));
        }
    }
    assert!(count >= 20, "{count} files");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_mistake_is_found_once_on_its_line_with_help() {
    let project = project();
    let files = crate::common::files(&crate::common::root().join("tests/corpus/mistakes"));
    let (mut wrong, mut edits) = (Vec::new(), 0);
    for (name, text) in &files {
        let first = text.lines().next().unwrap();
        let (codes, line) = first.strip_prefix("#! ").and_then(|rest| rest.split_once(" at ")).unwrap();
        let line: u32 = line.trim().parse().unwrap();
        let (found, sources) = check(&project, name, text);
        let errors: Vec<&Diagnostic> = found.iter().filter(|found| found.is_error()).collect();
        let right = |error: &Diagnostic| {
            let at = sources.get(error.primary.span.file).map(|file| file.position(error.primary.span.start).line);
            codes.split(' ').any(|code| code == error.code.number()) && at == Some(line) && !error.help.is_empty()
        };
        if !matches!(errors.as_slice(), [one] if right(one)) {
            let said: Vec<String> =
                errors.iter().map(|e| format!("{} {} {} ({} helps)", sources.place(e.primary.span), e.code, e.message, e.help.len())).collect();
            wrong.push(format!("{name}: wanted {codes} at {line}, got {said:?}"));
        }
        // An edit that a help carries leaves no error, and nothing to say of the lines that it writes. What is doubtful
        // elsewhere in the file is said only now, as doubts come after errors.
        for help in errors.iter().flat_map(|error| &error.help) {
            let Some(edit) = &help.edit else { continue };
            let own = sources.get(edit.span.file).filter(|file| file.name == format!("x_{name}"));
            let Some(mut mended) = own.map(|file| file.text.to_string()) else {
                wrong.push(format!("{name}: the edit `{}` is of another file", help.text));
                continue;
            };
            mended.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.replacement);
            let (mut left, sources) = check(&project, name, &mended);
            let end = edit.span.start + edit.replacement.len() as u32;
            left.retain(|found| {
                let Some(file) = sources.get(found.primary.span.file) else { return true };
                let line = |byte: u32| file.position(byte).line;
                // Said of a whole flow or file, at its head.
                let of_whole = matches!(found.code, Code::Unused | Code::CommonlyNeeded | Code::GoneUnhandled);
                found.is_error() || !of_whole && (line(edit.span.start)..=line(end)).contains(&line(found.primary.span.start))
            });
            edits += 1;
            if !left.is_empty() {
                let left: Vec<String> = left.iter().map(|e| format!("{} {} {}", sources.place(e.primary.span), e.code, e.message)).collect();
                wrong.push(format!("{name}: `{}` [{}] leaves {left:#?}", help.text, edit.replacement));
            }
        }
    }
    assert!(edits >= 40, "{edits} edits");
    assert!(files.len() >= 80, "{} files", files.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
