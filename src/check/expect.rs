//! `expect` items: promises about two flows, watched at run time.

use crate::base::diag::Diagnostic;
use crate::syntax::tree::{self, ExpectClauseKind, Expr, StopKind};

use super::error::flows as error;
use super::schedule;
use crate::ir::{self, Deadline, Place};

/// Checks expressions that read the record of a flow by the names that the flow gives.
pub(super) trait RecordOf {
    /// A condition on the record.
    fn condition(&mut self, expr: &Expr) -> Option<ir::Expr>;
    /// An instant: `order.Ship_By__c - 4 hours`.
    fn instant(&mut self, expr: &Expr) -> Option<ir::Expr>;
    /// A message; it may read `sent_at`.
    fn message(&mut self, expr: &Expr) -> Option<ir::Expr>;
}

/// Checks one promise. `flows` are all that run; `record` is asked for the flow of `for`.
pub(super) fn check(
    expect: &tree::Expect,
    flows: &[&str],
    place: Place,
    record: &mut dyn RecordOf,
    diags: &mut Vec<Diagnostic>,
) -> Option<ir::Expect> {
    let before = diags.len();
    let (mut flow, mut filter, mut seen, mut otherwise) = (None, None, None, None);
    for clause in &expect.clauses {
        match &clause.kind {
            ExpectClauseKind::For(name) => {
                known_flow(name, flows, diags);
                flow = Some(name);
            }
            ExpectClauseKind::Where(condition) => filter = Some(condition),
            ExpectClauseKind::Seen { flow, deadline } => {
                known_flow(flow, flows, diags);
                seen = Some((flow, deadline));
            }
            ExpectClauseKind::Else(stop) => otherwise = Some(stop),
        }
    }
    let (Some(flow), Some((seen, deadline)), Some(otherwise)) = (flow, seen, otherwise) else {
        let missing: Vec<&str> = [(flow.is_none(), "for"), (seen.is_none(), "seen"), (otherwise.is_none(), "else")]
            .into_iter()
            .filter_map(|(absent, word)| absent.then_some(word))
            .collect();
        diags.push(error::expect_incomplete(&expect.name, &missing));
        return None;
    };
    if !matches!(otherwise.kind, StopKind::Alert | StopKind::Review) {
        diags.push(error::expect_else(otherwise.span));
    }
    // Names in expressions are those of the flow: without it, each would be one more mistake.
    if diags.len() > before {
        return None;
    }
    let filter = match filter {
        Some(condition) => Some(record.condition(condition)?),
        None => None,
    };
    let deadline = match deadline {
        tree::Deadline::Within(stretch) => Deadline::Within(schedule::duration(stretch, "a deadline", diags)?),
        tree::Deadline::Before(instant) => Deadline::Before(record.instant(instant)?),
    };
    let Some(message) = &otherwise.message else {
        diags.push(error::expect_else(otherwise.span));
        return None;
    };
    Some(ir::Expect {
        name: expect.name.node.clone(),
        title: expect.title.as_ref().map(|title| title.node.clone()),
        flow: flow.node.clone(),
        filter,
        seen: seen.node.clone(),
        deadline,
        message: record.message(message)?,
        review: otherwise.kind == StopKind::Review,
        owner: otherwise.owner.as_ref().map(|owner| owner.node.clone()),
        place,
    })
}

fn known_flow(name: &tree::Name, flows: &[&str], diags: &mut Vec<Diagnostic>) {
    if !flows.contains(&name.node.as_str()) {
        diags.push(error::no_flow(name, flows));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::base::diag::Code;
    use crate::value::Literal;

    struct Anything;

    impl RecordOf for Anything {
        fn condition(&mut self, _: &Expr) -> Option<ir::Expr> {
            Some(ir::Expr::Literal(Literal::Boolean(true)))
        }
        fn instant(&mut self, _: &Expr) -> Option<ir::Expr> {
            Some(ir::Expr::Literal(Literal::Missing))
        }
        fn message(&mut self, _: &Expr) -> Option<ir::Expr> {
            Some(ir::Expr::Literal(Literal::Text("late".into())))
        }
    }

    fn read(clauses: &str) -> (Option<ir::Expect>, Vec<Code>) {
        let (tree, found) = crate::syntax::read(FileId(0), &format!("edition 1\nexpect tracked \"title\" {{\n{clauses}\n}}\n"));
        assert!(found.is_empty(), "{found:#?}");
        let tree::ItemKind::Expect(expect) = &tree.items[0].kind else { panic!("an expect") };
        let mut diags = Vec::new();
        let place = Place::line("a.dock", 2);
        let typed = check(expect, &["export_orders", "import_shipments"], place, &mut Anything, &mut diags);
        (typed, diags.iter().map(|d| d.code).collect())
    }

    #[test]
    fn a_promise_is_read() {
        let (typed, codes) = read("for export_orders\nseen import_shipments within 2 days\nelse alert \"late\"");
        assert_eq!(codes, []);
        let typed = typed.unwrap();
        assert_eq!(
            (typed.flow.as_str(), typed.seen.as_str(), typed.deadline, typed.review),
            ("export_orders", "import_shipments", Deadline::Within(172_800_000), false)
        );
    }

    #[test]
    fn flows_have_to_be_there_and_nothing_may_lack() {
        assert_eq!(read("for export_order\nseen import_shipments within 2 days\nelse alert \"late\"").1, [Code::UnknownFlow]);
        assert_eq!(read("for export_orders\nelse alert \"late\"").1, [Code::FlowIncomplete]);
        assert_eq!(read("for export_orders\nseen import_shipments within 0 days\nelse alert \"late\"").1, [Code::BadSchedule]);
    }
}
