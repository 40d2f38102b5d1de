//! `allow` in `crossdock.yaml`: warnings that a project accepts, each with a reason.

use super::config::Reader;
use super::error;
use crate::base::diag::{Code, Diagnostic, Severity};
use crate::base::{Sources, Span};
use crate::check::{Setting, Unit};
use crate::syntax::tree::ItemKind;
use crate::yaml::{Node, Shape};

/// One warning, or all of its code in a file or a flow.
#[derive(Debug, Clone)]
pub struct Allowance {
    pub code: Code,
    /// A mapping file or a flow; the whole project where none is named.
    pub within: Option<Setting>,
    pub reason: String,
    pub span: Span,
}

/// A warning that is allowed, and why.
#[derive(Debug, Clone)]
pub struct Allowed {
    pub diagnostic: Diagnostic,
    pub reason: String,
}

const SETTINGS: &[&str] = &["code", "in", "reason"];

pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Vec<Allowance> {
    let parts: &[Node] = match &node.shape {
        Shape::Nothing => &[],
        Shape::List(parts) => parts,
        _ => {
            reader.found.push(error::wrong_shape(reader.span(node), "allow", "a list of warnings with reasons", node.noun()));
            &[]
        }
    };
    parts.iter().filter_map(|part| one(part, reader)).collect()
}

fn one(node: &Node, reader: &mut Reader<'_>) -> Option<Allowance> {
    let (mut code, mut within, mut reason) = (None, None, None);
    let entries = reader.block(node, "allow");
    for entry in entries {
        match entry.key.as_str() {
            "code" => code = reader.setting(&entry.value, "allow.code"),
            "in" => within = reader.setting(&entry.value, "allow.in"),
            "reason" => reason = reader.setting(&entry.value, "allow.reason"),
            key => {
                let at = Span::new(reader.file, entry.start, entry.end);
                reader.found.push(error::unknown_key(key, at, "`allow`", SETTINGS));
            }
        }
    }
    // What is no block was told.
    if entries.is_empty() {
        return None;
    }
    let span = Span::new(reader.file, node.start, node.end);
    let Some(code) = code else {
        reader.found.push(error::bad_allowance(span, "an allowance names the code of a warning", "write   - { code: W0510, reason: \"…\" }"));
        return None;
    };
    let Some(known) = Code::parse(&code.text) else {
        reader.found.push(error::unknown_allowance(&code.text, code.span));
        return None;
    };
    if known.severity() == Severity::Error {
        let text = format!("{known} is an error, and only warnings can be allowed");
        reader.found.push(error::bad_allowance(code.span, &text, "mend the mapping: with the error it cannot run"));
        return None;
    }
    let reason = reason.filter(|reason| !reason.text.trim().is_empty());
    let Some(reason) = reason else {
        let text = format!("why {known} is allowed is not said");
        reader.found.push(error::bad_allowance(span, &text, "add   reason: \"…\"   for whoever reads this in a year"));
        return None;
    };
    Some(Allowance { code: known, within, reason: reason.text, span })
}

/// Takes the warnings that are allowed out of what was found. An allowance for which there is none is told, once there
/// is no error that could keep warnings back, nothing else to say of the file or flow it is for, and if the `whole` project was
/// read: another file may have it.
pub(super) fn apply(all: &[Allowance], found: &mut Vec<Diagnostic>, units: &[Unit], sources: &Sources, whole: bool) -> Vec<Allowed> {
    let mut allowed = Vec::new();
    let mut used = vec![false; all.len()];
    let broken = found.iter().any(Diagnostic::is_error);
    found.retain(|diagnostic| {
        let fits = |one: &Allowance| {
            one.code == diagnostic.code
                && diagnostic.severity == Severity::Warning
                && one.within.as_ref().is_none_or(|within| covers(&within.text, diagnostic.primary.span, units, sources))
        };
        // The narrowest of them is the one that is meant.
        let by = (0..all.len()).filter(|at| fits(&all[*at])).max_by_key(|at| all[*at].within.is_some());
        let Some(by) = by else { return true };
        used[by] = true;
        allowed.push(Allowed { diagnostic: diagnostic.clone(), reason: all[by].reason.clone() });
        false
    });
    for (one, _) in all.iter().zip(&used).filter(|(_, used)| whole && !**used) {
        match one.within.as_ref().filter(|within| !is_known(&within.text, units, sources)) {
            Some(within) => found.push(error::allowance_nowhere(within, &names(units, sources))),
            None if broken => {}
            // What is told there may be why the warning is gone.
            None if one.within.as_ref().is_some_and(|within| found.iter().any(|of| covers(&within.text, of.primary.span, units, sources))) => {}
            None => found.push(error::useless_allowance(one.code, one.within.as_ref(), one.span)),
        }
    }
    allowed
}

fn covers(within: &str, span: Span, units: &[Unit], sources: &Sources) -> bool {
    if sources.get(span.file).is_some_and(|source| source.name == within) {
        return true;
    }
    units.iter().filter(|unit| unit.file == span.file).flat_map(|unit| &unit.tree.items).any(|item| match &item.kind {
        ItemKind::Flow(flow) => flow.name.node == within && item.span.start <= span.start && span.end <= item.span.end,
        _ => false,
    })
}

fn names(units: &[Unit], sources: &Sources) -> Vec<String> {
    let files = units.iter().filter_map(|unit| sources.get(unit.file).map(|source| source.name.clone()));
    let flows = units.iter().flat_map(|unit| &unit.tree.items).filter_map(|item| match &item.kind {
        ItemKind::Flow(flow) => Some(flow.name.node.clone()),
        _ => None,
    });
    files.chain(flows).collect()
}

fn is_known(within: &str, units: &[Unit], sources: &Sources) -> bool {
    names(units, sources).iter().any(|name| name == within)
}

#[cfg(test)]
mod tests {
    use crate::base::diag::Code;
    use crate::project::{Compiled, Options, Texts, compile};

    const MAPPING: &str = "edition 1\nflow copy {\n  from crm.Order as order { every 5 minutes }\n  validate { require order.PoNumber }\n  update crm.Order of order { Description = order.PoNumber }\n}\n";

    fn compiled(allow: &str) -> Compiled {
        let config = format!("connections:\n  crm: {{ system: salesforce }}\n{allow}");
        compile(&Texts::new([("crossdock.yaml", config.as_str()), ("a.dock", MAPPING)]), &Options::default())
    }

    #[test]
    fn an_allowance_for_a_file_that_is_not_looked_at_is_no_mistake() {
        let config = "connections:\n  crm: { system: salesforce }\nallow:\n  - { code: W0518, in: a.dock, reason: x }\n  - { code: W0510, in: copy, reason: x }\n";
        let texts = Texts::new([("crossdock.yaml", config), ("a.dock", MAPPING), ("b.dock", "edition 1\n")]);
        let only = |file: &str| compile(&texts, &Options { only: Some(vec![file.to_owned()]), ..Options::default() });
        assert_eq!(only("b.dock").diagnostics, []);
        assert_eq!((only("a.dock").diagnostics, only("a.dock").allowed.len()), (vec![], 1));
    }

    fn codes(allow: &str) -> Vec<Code> {
        compiled(allow).diagnostics.iter().map(|found| found.code).collect()
    }

    #[test]
    fn a_warning_is_allowed_with_a_reason() {
        assert_eq!(codes(""), [Code::NoMessage]);
        for within in ["", "in: a.dock, ", "in: copy, "] {
            let compiled = compiled(&format!("allow:\n  - {{ code: W0518, {within}reason: it is plain }}\n"));
            assert_eq!(compiled.diagnostics, [], "{within}");
            assert_eq!(compiled.allowed.len(), 1, "{within}");
            assert_eq!(compiled.allowed[0].reason, "it is plain");
        }
    }

    #[test]
    fn what_else_is_told_there_comes_before_an_allowance_that_allows_nothing() {
        // The rule without a message may be why the other warning is gone.
        assert_eq!(codes("allow:\n  - { code: W0510, in: a.dock, reason: x }\n"), [Code::NoMessage]);
        let both = "allow:\n  - { code: W0518, reason: x }\n  - { code: W0510, in: a.dock, reason: x }\n";
        assert_eq!(codes(both), [Code::UselessAllowance]);
    }

    #[test]
    fn an_allowance_that_cannot_be_used_is_told() {
        for (allow, code, words) in [
            ("  - { code: W9999, reason: x }\n", Code::BadProject, "W9999"),
            ("  - { code: E0202, reason: x }\n", Code::BadProject, "error"),
            ("  - { code: W0518 }\n", Code::BadProject, "not said"),
            ("  - { reason: x }\n", Code::BadProject, "names the code"),
            ("  - { code: W0518, reason: x, until: never }\n", Code::BadProject, "until"),
            ("  - { code: W0518, in: b.dock, reason: x }\n", Code::BadProject, "b.dock"),
            ("  - { code: W0510, reason: x }\n", Code::UselessAllowance, "W0510"),
        ] {
            let found = compiled(&format!("allow:\n{allow}")).diagnostics;
            assert!(found.iter().any(|found| found.code == code && found.message.contains(words)), "{allow}: {found:#?}");
        }
    }
}
