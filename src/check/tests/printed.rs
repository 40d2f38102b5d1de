//! An expression that is printed says what the mapping says: read again, it is the same expression.

use proptest::prelude::*;

use super::{checked, shown, whole};
use crate::ir::{Expr, Flow, print};

/// Names for the flow's record: numbers that may be missing, and a text.
const NAMES: &str = "let a = decimal(order.PoNumber)\nlet b = decimal(order.Description)\nlet c = order.PoNumber\n";

/// The flow of an expression: as the value of a `let`, or as the condition of a rule.
fn flow(expr: &str, condition: bool) -> Flow {
    let line = if condition { format!("validate {{ require {expr} \"no\" }}") } else { format!("let d = {expr}") };
    let text = whole(&format!("{NAMES}{line}\nupdate crm.Order of order {{ Description = \"x\" }}"));
    let (checked, sources) = checked(&text);
    let said: Vec<String> = checked.diagnostics.iter().filter(|d| d.is_error()).map(|d| shown(d, &sources)).collect();
    let mapping = checked.mapping.unwrap_or_else(|| panic!("{expr}: {said:?}"));
    mapping.flows.into_iter().next().expect("the text has a flow")
}

fn read(expr: &str, condition: bool) -> Expr {
    let flow = flow(expr, condition);
    if !condition {
        return flow.lets.into_iter().next_back().expect("the text has a `let`").value;
    }
    match flow.rules.into_iter().next().expect("the text has a rule").kind {
        crate::ir::RuleKind::Require { condition, .. } => condition,
        other => panic!("{other:?}"),
    }
}

#[test]
fn brackets_stand_where_the_meaning_needs_them_and_nowhere_else() {
    for (condition, written, printed) in [
        (true, "(a + b) * 2 > 5", "(a + b) * 2 > 5"),
        (true, "(a * b) + 2 > (5 - b)", "a * b + 2 > 5 - b"),
        (true, "a - (b - 1) > 5", "a - (b - 1) > 5"),
        (true, "a / (b * 2) > 5", "a / (b * 2) > 5"),
        (true, "-(a + b) > 5", "-(a + b) > 5"),
        (true, "-(-a) > 5", "-(-a) > 5"),
        (true, "(a ?? b) * 2 > 5", "(a ?? b) * 2 > 5"),
        (true, "(a ?? (b * 2)) > 5", "a ?? (b * 2) > 5"),
        (true, "((a ?? b) ?? 1) > (a ?? (b ?? 1))", "a ?? b ?? 1 > a ?? (b ?? 1)"),
        (true, "(a > 1 or b > 2) and c is present", "(a > 1 or b > 2) and c is present"),
        (true, "a > 1 or (b > 2 and c is missing)", "(a > 1 or b > 2 and c is missing)"),
        (true, "not (a > 1 or b > 2)", "not (a > 1 or b > 2)"),
        (true, "not (a > 1 and b > 2) and not (c matches 'x')", "not (a > 1 and b > 2) and not (c matches 'x')"),
        (true, "(if a > 1 then b else a) > 5", "(if a > 1 then b else a) > 5"),
        (true, "(a + b) is present", "a + b is present"),
        (true, "(c ?? order.Description) in (\"x\", \"y\")", "c ?? order.Description in (\"x\", \"y\")"),
        (false, "if a > 1 then (if b > 1 then a) else b", "if a > 1 then (if b > 1 then a) else b"),
        (false, "if a > 1 then a else (if b > 1 then a else b)", "if a > 1 then a else if b > 1 then a else b"),
        (false, "(a + b) as kg", "(a + b) as kg"),
        (false, "(-a) as kg", "-a as kg"),
    ] {
        let expr = read(written, condition);
        let said = print::of(&expr);
        assert_eq!(said, printed, "{written}");
        assert_eq!(read(&said, condition), expr, "{written}");
    }
}

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("a".to_owned()), Just("b".to_owned()), Just("2".to_owned())];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let two = (inner.clone(), inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "??"]));
        prop_oneof![
            4 => two.prop_map(|(left, right, sign)| format!("(({left}) {sign} ({right}))")),
            1 => inner.clone().prop_map(|one| format!("(-({one}))")),
            1 => (inner.clone(), inner.clone(), inner).prop_map(|(one, then, other)| format!("(if ({one}) > a then ({then}) else ({other}))")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let test = prop_oneof![
        (number(), number(), prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]))
            .prop_map(|(left, right, sign)| format!("(({left}) {sign} ({right}))")),
        (number(), number()).prop_map(|(value, item)| format!("(({value}) in (1, ({item})))")),
        number().prop_map(|value| format!("(({value}) is present)")),
        number().prop_map(|value| format!("(({value}) is missing)")),
    ];
    test.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone(), prop::sample::select(vec!["and", "or"]))
                .prop_map(|(left, right, word)| format!("(({left}) {word} ({right}))")),
            inner.prop_map(|one| format!("(not ({one}))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What is written in brackets throughout, and is printed with those that it needs, means the same.
    #[test]
    fn what_is_printed_means_the_same(written in condition()) {
        let expr = read(&written, true);
        let said = print::of(&expr);
        prop_assert_eq!(print::of(&read(&said, true)), said.clone(), "{}", written);
        prop_assert_eq!(read(&said, true), expr, "{} -> {}", written, said);
    }
}
