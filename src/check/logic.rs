//! Conditions as a set of cases, for questions such as “is this row ever reached?”.
//!
//! A condition becomes an *or* of [`Case`]s; a case says for each value that it looks at what that
//! may be. What cannot be read so (a function's answer, two fields compared) is kept as it stands
//! and is only equal to itself. Every answer is on the safe side: `implies` and `never` are true
//! only where that is certain, for missing values too (a comparison with one is false, `!=` is not).

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::value::{Kind, Literal};

use crate::ir::{Compare, Expr};

/// More cases than this are not followed.
const MOST: usize = 96;

/// An *and* of what must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Case {
    values: BTreeMap<String, Bounds>,
    /// What must hold and cannot be read; with `false`, what must not.
    opaque: BTreeSet<(String, bool)>,
}

/// What one value may be.
#[derive(Debug, Clone, Default, PartialEq)]
struct Bounds {
    /// It is one of these.
    only: Option<BTreeSet<String>>,
    /// It is none of these.
    not: BTreeSet<String>,
    /// It lies above (with `true`: or at).
    low: Option<(Decimal, bool)>,
    high: Option<(Decimal, bool)>,
    present: Option<bool>,
    /// Missing only because a comparison with a missing value is false.
    lost: bool,
}

/// The cases of a condition; `None` where there are too many.
pub(super) fn cases(condition: &Expr) -> Option<Vec<Case>> {
    let mut all = read(condition, true)?;
    all.retain(|case| !case.never());
    Some(all)
}

/// Always or never true, whatever the record; `None` where it depends, or is not known.
pub(super) fn constant(condition: &Expr) -> Option<bool> {
    if cases(condition)?.is_empty() {
        return Some(false);
    }
    let mut against = read(condition, false)?;
    against.retain(|case| !case.never());
    against.is_empty().then_some(true)
}

/// The same, where a record has the values that are compared: `x > 5 or x <= 5` is true of every `x`.
pub(super) fn settled(condition: &Expr) -> Option<bool> {
    constant(condition).or_else(|| {
        let mut against = read(condition, false)?;
        against.retain(|case| !case.never());
        against.iter().all(|case| case.values.values().any(|bounds| bounds.lost)).then_some(true)
    })
}

/// The value that a path of a condition is called by; two alike are the same value.
pub(super) fn path(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Slot { slot, .. } => Some(format!("${}", slot.0)),
        Expr::Field { base, name, .. } => {
            let mut path = path(base)?;
            path.push('.');
            path.push_str(name);
            Some(path)
        }
        Expr::Coerce { value, .. } => path(value),
        Expr::Parameter(name) => Some(format!("parameter {name}")),
        // What a function gives for the same arguments is the same.
        Expr::Call { function, arguments } => {
            let arguments: Vec<String> =
                arguments.iter().map(|argument| path(argument).or_else(|| constant_text(argument))).collect::<Option<_>>()?;
            Some(format!("{}({})", function.0.name, arguments.join(", ")))
        }
        _ => None,
    }
}

/// How many there are: whole, never less than none.
fn counts(value: &Expr) -> bool {
    match value {
        Expr::Call { function, .. } | Expr::Grouped { function, .. } => matches!(function.0.name, "count" | "length"),
        Expr::Coerce { value, .. } => counts(value),
        _ => false,
    }
}

fn is_count(value: &Expr) -> bool {
    match value {
        Expr::Call { function, .. } | Expr::Grouped { function, .. } => function.0.name == "count",
        Expr::Coerce { value, .. } => is_count(value),
        _ => false,
    }
}

fn is_whole(value: &Expr) -> bool {
    counts(value) || matches!(value, Expr::Field { kind: Kind::Integer, .. })
}

/// The closed enumeration that a path holds, in the system's order.
pub(super) fn closed(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Field { kind: Kind::Enumeration(known), .. } if !known.open => Some(known.names().map(str::to_owned).collect()),
        Expr::Coerce { value, .. } => closed(value),
        _ => None,
    }
}

fn read(expr: &Expr, truth: bool) -> Option<Vec<Case>> {
    match expr {
        Expr::Literal(Literal::Boolean(is)) => Some(if *is == truth { vec![Case::default()] } else { Vec::new() }),
        Expr::Not(inner) => read(inner, !truth),
        Expr::And(all) if truth => product(all, truth),
        Expr::Or(all) if !truth => product(all, truth),
        Expr::And(any) | Expr::Or(any) => {
            let mut cases = Vec::new();
            for one in any {
                cases.extend(read(one, truth)?);
                if cases.len() > MOST {
                    return None;
                }
            }
            Some(cases)
        }
        Expr::Coerce { value, .. } => read(value, truth),
        Expr::IsPresent(value) => Some(vec![match path(value) {
            Some(path) => Case::of(path, Bounds { present: Some(truth), ..Bounds::default() }),
            None => Case::opaque(expr, truth),
        }]),
        Expr::In { value, list } => {
            let (Some(path), Some(words)) = (path(value), list.iter().map(constant_text).collect::<Option<BTreeSet<_>>>()) else {
                return Some(vec![Case::opaque(expr, truth)]);
            };
            Some(vec![Case::of(path, among(words, truth, value))])
        }
        Expr::Compare { op, left, right } if left == right && !matches!(left.as_ref(), Expr::Literal(_)) => {
            let holds = matches!(op, Compare::Equal | Compare::LessOrEqual | Compare::GreaterOrEqual);
            Some(if holds == truth { vec![Case::default()] } else { Vec::new() })
        }
        Expr::Compare { op, left, right } => Some(compare(*op, left, right, truth).unwrap_or_else(|| vec![Case::opaque(expr, truth)])),
        // A field that is true or false by itself.
        other => Some(match path(other) {
            Some(path) => vec![Case::of(path, among(BTreeSet::from(["true".to_owned()]), truth, other))],
            None => vec![Case::opaque(other, truth)],
        }),
    }
}

/// One of the words, or none of them.
fn among(words: BTreeSet<String>, truth: bool, value: &Expr) -> Bounds {
    let known = closed(value);
    if truth {
        // Words that the field cannot hold were reported where they stand.
        let words = match known {
            Some(known) => words.into_iter().filter(|word| known.contains(word)).collect(),
            None => words,
        };
        Bounds { only: Some(words), ..Bounds::default() }
    } else {
        Bounds { not: words, ..Bounds::default() }
    }
}

fn compare(op: Compare, left: &Expr, right: &Expr, truth: bool) -> Option<Vec<Case>> {
    let (op, value, constant) = match (constant_text(right), constant_text(left)) {
        (Some(word), None) => (op, left, (word, number(right))),
        (None, Some(word)) => (op.mirrored(), right, (word, number(left))),
        _ => return None,
    };
    let path = path(value)?;
    let whole = is_whole(value);
    let counts = counts(value);
    let (word, number) = constant;
    let bounds = match op {
        Compare::Equal | Compare::NotEqual if word == MISSING => Bounds { present: Some((op == Compare::Equal) != truth), ..Bounds::default() },
        Compare::Equal => among(BTreeSet::from([word]), truth, value),
        Compare::NotEqual => among(BTreeSet::from([word]), !truth, value),
        order => {
            let number = number?;
            let order = if truth { order } else { opposite(order) };
            let one = Decimal::ONE;
            let mut within = match order {
                // Between two whole numbers there is none.
                Compare::Less if whole => Bounds { high: Some((number.ceil() - one, true)), ..Bounds::default() },
                Compare::Greater if whole => Bounds { low: Some((number.floor() + one, true)), ..Bounds::default() },
                Compare::Less => Bounds { high: Some((number, false)), ..Bounds::default() },
                Compare::LessOrEqual => Bounds { high: Some((number, true)), ..Bounds::default() },
                Compare::Greater => Bounds { low: Some((number, false)), ..Bounds::default() },
                _ => Bounds { low: Some((number, true)), ..Bounds::default() },
            };
            if counts {
                within = within.and(&Bounds { low: Some((Decimal::ZERO, true)), ..Bounds::default() });
            }
            let mut cases = vec![Case::of(path.clone(), within)];
            if !truth && !is_count(value) {
                // A comparison with a missing value is false.
                cases.push(Case::of(path, Bounds { present: Some(false), lost: true, ..Bounds::default() }));
            }
            return Some(cases);
        }
    };
    Some(vec![Case::of(path, bounds)])
}

const MISSING: &str = "\u{0}missing";

/// A constant, in a form in which equal ones are alike.
fn constant_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(literal) => Some(match literal {
            Literal::Missing => MISSING.to_owned(),
            Literal::Text(text) => text.clone(),
            Literal::Boolean(truth) => truth.to_string(),
            Literal::Number(number) | Literal::Money(number) => number.normalize().to_string(),
            other => format!("{other:?}"),
        }),
        Expr::Named { name, .. } => Some(name.clone()),
        Expr::Coerce { value, .. } => constant_text(value),
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<Decimal> {
    match expr {
        Expr::Literal(Literal::Number(number) | Literal::Money(number)) => Some(*number),
        Expr::Coerce { value, .. } => number(value),
        _ => None,
    }
}

fn opposite(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::GreaterOrEqual,
        Compare::LessOrEqual => Compare::Greater,
        Compare::Greater => Compare::LessOrEqual,
        Compare::GreaterOrEqual => Compare::Less,
        same => same,
    }
}

fn product(all: &[Expr], truth: bool) -> Option<Vec<Case>> {
    let mut cases = vec![Case::default()];
    for one in all {
        let next = read(one, truth)?;
        if cases.len() * next.len() > MOST {
            return None;
        }
        cases = cases.iter().flat_map(|a| next.iter().map(|b| a.and(b))).collect();
    }
    Some(cases)
}

impl Case {
    fn of(path: String, bounds: Bounds) -> Self {
        Case { values: BTreeMap::from([(path, bounds)]), opaque: BTreeSet::new() }
    }

    /// A record that has just this word at the path, whatever else.
    pub(super) fn word(path: &str, word: &str) -> Self {
        let only = BTreeSet::from([word.to_owned()]);
        Case::of(path.to_owned(), Bounds { only: Some(only), ..Bounds::default() })
    }

    /// A record that has nothing at the path.
    pub(super) fn missing(path: &str) -> Self {
        Case::of(path.to_owned(), Bounds { present: Some(false), ..Bounds::default() })
    }

    fn opaque(expr: &Expr, truth: bool) -> Self {
        Case { values: BTreeMap::new(), opaque: BTreeSet::from([(format!("{expr:?}"), truth)]) }
    }

    fn and(&self, other: &Case) -> Case {
        let mut both = self.clone();
        both.opaque.extend(other.opaque.iter().cloned());
        for (path, bounds) in &other.values {
            let had = both.values.remove(path);
            both.values.insert(path.clone(), had.map_or_else(|| bounds.clone(), |had| had.and(bounds)));
        }
        both
    }

    /// No record meets it.
    pub(super) fn never(&self) -> bool {
        self.opaque.iter().any(|(text, truth)| *truth && self.opaque.contains(&(text.clone(), false))) || self.values.values().any(Bounds::never)
    }

    /// Every record that meets this case meets the other.
    pub(super) fn implies(&self, other: &Case) -> bool {
        other.opaque.is_subset(&self.opaque)
            && other.values.iter().all(|(path, wanted)| match self.values.get(path) {
                Some(own) => own.implies(wanted),
                None => Bounds::default().implies(wanted),
            })
    }

    /// This case, apart for each of the words that a value of it may be.
    pub(super) fn apart(&self) -> Vec<Case> {
        let Some((path, words)) =
            self.values.iter().find_map(|(path, bounds)| bounds.only.as_ref().filter(|words| words.len() > 1).map(|words| (path, words)))
        else {
            return vec![self.clone()];
        };
        words
            .iter()
            .flat_map(|word| {
                let mut one = self.clone();
                if let Some(bounds) = one.values.get_mut(path) {
                    bounds.only = Some(BTreeSet::from([word.clone()]));
                }
                one.apart()
            })
            .take(MOST)
            .collect()
    }

    /// The words that one path is held to, if the case says nothing else.
    pub(super) fn only(&self, path: &str) -> Option<&BTreeSet<String>> {
        match self.values.get(path) {
            Some(bounds) if self.values.len() == 1 && self.opaque.is_empty() => bounds.only.as_ref().filter(|_| bounds.not.is_empty()),
            _ => None,
        }
    }
}

impl Bounds {
    fn and(&self, other: &Bounds) -> Bounds {
        Bounds {
            only: match (&self.only, &other.only) {
                (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
                (a, b) => a.clone().or_else(|| b.clone()),
            },
            not: self.not.union(&other.not).cloned().collect(),
            low: narrower(self.low, other.low, |a, b| a > b),
            high: narrower(self.high, other.high, |a, b| a < b),
            lost: self.lost || other.lost,
            present: match (self.present, other.present) {
                // Both cannot be: kept as an empty choice.
                (Some(a), Some(b)) if a != b => return Bounds { only: Some(BTreeSet::new()), ..Bounds::default() },
                (a, b) => a.or(b),
            },
        }
    }

    fn needs_present(&self) -> bool {
        self.present == Some(true) || self.only.is_some() || self.low.is_some() || self.high.is_some()
    }

    fn never(&self) -> bool {
        if self.present == Some(false) && (self.only.is_some() || self.low.is_some() || self.high.is_some()) {
            return true;
        }
        if let Some(words) = &self.only {
            return !words.iter().any(|word| !self.not.contains(word) && self.holds(word));
        }
        match (self.low, self.high) {
            (Some((low, at)), Some((high, and_at))) => low > high || (low == high && !(at && and_at)),
            _ => false,
        }
    }

    /// Whether a word lies between the bounds; what is no number is not held to them.
    fn holds(&self, word: &str) -> bool {
        let Ok(number) = word.parse::<Decimal>() else { return true };
        self.low.is_none_or(|(low, at)| number > low || (at && number == low))
            && self.high.is_none_or(|(high, at)| number < high || (at && number == high))
    }

    fn implies(&self, wanted: &Bounds) -> bool {
        if self.never() {
            return true;
        }
        let own: Option<Vec<&String>> =
            self.only.as_ref().map(|words| words.iter().filter(|word| !self.not.contains(*word) && self.holds(word)).collect());
        let absent = self.present == Some(false);
        let only = match (&wanted.only, &own) {
            (None, _) => true,
            (Some(wanted), Some(own)) => own.iter().all(|word| wanted.contains(*word)),
            (Some(_), None) => false,
        };
        let not = wanted
            .not
            .iter()
            .all(|word| absent || self.not.contains(word) || own.as_ref().is_some_and(|own| !own.contains(&word)) || !self.holds(word));
        let range = if wanted.low.is_none() && wanted.high.is_none() {
            true
        } else if let Some(own) = &own {
            own.iter().all(|word| word.parse::<Decimal>().is_ok() && wanted.holds(word))
        } else {
            let low = wanted.low.is_none_or(|(low, at)| self.low.is_some_and(|(own, own_at)| own > low || (own == low && (at || !own_at))));
            let high = wanted.high.is_none_or(|(high, at)| self.high.is_some_and(|(own, own_at)| own < high || (own == high && (at || !own_at))));
            low && high
        };
        let present = match wanted.present {
            None => true,
            Some(true) => self.needs_present(),
            Some(false) => absent,
        };
        only && not && range && present
    }
}

fn narrower(a: Option<(Decimal, bool)>, b: Option<(Decimal, bool)>, tighter: fn(&Decimal, &Decimal) -> bool) -> Option<(Decimal, bool)> {
    match (a, b) {
        (Some(a), Some(b)) if a.0 == b.0 => Some((a.0, a.1 && b.1)),
        (Some(a), Some(b)) => Some(if tighter(&a.0, &b.0) { a } else { b }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Slot;
    use crate::value::{Enumeration, Known, WireEncoding};
    use std::sync::Arc;

    fn field(name: &str, kind: Kind) -> Expr {
        Expr::Field {
            base: Box::new(Expr::Slot { slot: Slot(0), name: "order".into() }),
            name: name.into(),
            kind,
            wire: WireEncoding::Plain,
            held: false,
        }
    }

    fn region() -> Expr {
        let known = ["UK", "EU", "US"].map(|value| Known { value: value.into(), label: None });
        field("Region__c", Kind::Enumeration(Arc::new(Enumeration { name: "crm.Order.Region__c".into(), values: known.into(), open: false })))
    }

    fn text(word: &str) -> Expr {
        Expr::Literal(Literal::Text(word.into()))
    }

    fn compare(op: Compare, left: Expr, right: Expr) -> Expr {
        Expr::Compare { op, left: Box::new(left), right: Box::new(right) }
    }

    fn is(word: &str) -> Expr {
        compare(Compare::Equal, region(), text(word))
    }

    fn within(words: &[&str]) -> Expr {
        Expr::In { value: Box::new(region()), list: words.iter().map(|word| text(word)).collect() }
    }

    fn above(amount: i64) -> Expr {
        compare(Compare::Greater, field("Total", Kind::Decimal), Expr::Literal(Literal::Number(amount.into())))
    }

    fn implies(a: &Expr, b: &Expr) -> bool {
        let b = cases(b).unwrap();
        cases(a).unwrap().iter().all(|case| b.iter().any(|wide| case.implies(wide)))
    }

    #[test]
    fn narrower_conditions_imply_wider_ones() {
        assert!(implies(&is("UK"), &within(&["UK", "EU"])));
        assert!(!implies(&within(&["UK", "EU"]), &is("UK")));
        assert!(implies(&Expr::And(vec![is("UK"), above(5)]), &is("UK")));
        assert!(!implies(&is("UK"), &Expr::And(vec![is("UK"), above(5)])));
        assert!(implies(&above(10), &above(5)));
        assert!(!implies(&above(5), &above(10)));
        assert!(implies(&is("UK"), &compare(Compare::NotEqual, region(), text("EU"))));
        assert!(implies(&is("UK"), &Expr::IsPresent(Box::new(region()))));
    }

    #[test]
    fn a_missing_value_meets_no_comparison_but_every_difference() {
        let not_uk = compare(Compare::NotEqual, region(), text("UK"));
        assert!(!implies(&not_uk, &Expr::IsPresent(Box::new(region()))));
        // `not (total > 5)` holds where the total is missing: it is not `total <= 5`.
        let at_most = compare(Compare::LessOrEqual, field("Total", Kind::Decimal), Expr::Literal(Literal::Number(5.into())));
        assert!(!implies(&Expr::Not(Box::new(above(5))), &at_most));
    }

    #[test]
    fn constants_are_known() {
        assert_eq!(constant(&Expr::And(vec![is("UK"), is("EU")])), Some(false));
        assert_eq!(constant(&Expr::Or(vec![is("UK"), Expr::Not(Box::new(is("UK")))])), Some(true));
        assert_eq!(constant(&is("UK")), None);
        assert_eq!(constant(&Expr::Literal(Literal::Boolean(true))), Some(true));
        assert_eq!(
            constant(&Expr::And(vec![above(10), compare(Compare::Less, field("Total", Kind::Decimal), Expr::Literal(Literal::Number(5.into())))])),
            Some(false)
        );
    }

    #[test]
    fn too_many_cases_are_not_followed() {
        let either = |n: i64| Expr::Or(vec![above(n), is("UK"), is("EU")]);
        assert_eq!(cases(&Expr::And((0..9).map(either).collect())), None);
    }
}
