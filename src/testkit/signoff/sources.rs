//! From where a value comes: the fields that an expression reads, through the names that a mapping gives.

use std::collections::BTreeMap;

use crate::ir::{Bound, Expr, Flow, Generator, Match, Row, Slot, walk};
use crate::value::{Literal, ObjectRef};

/// What the slots of a flow hold.
#[derive(Debug, Clone)]
pub(super) struct Names<'f> {
    slots: BTreeMap<Slot, Held<'f>>,
}

#[derive(Debug, Clone)]
enum Held<'f> {
    /// A record by its name: the source's, a match's.
    Record(&'f str),
    /// A name's value, an argument's.
    Value(&'f Expr),
    /// An element of a list.
    Element(&'f Expr),
    /// Rows of a match for each element.
    Rows(&'f Match),
    Route(&'f str),
}

impl<'f> Names<'f> {
    pub(super) fn of(flow: &'f Flow) -> Self {
        let mut slots = BTreeMap::from([(Flow::RECORD, Held::Record(&flow.source_name))]);
        slots.extend(flow.matches.iter().map(|found| (found.slot, Held::Record(found.name.as_str()))));
        slots.extend(
            flow.lets.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.lets)).map(|found| (found.slot, Held::Value(&found.value))),
        );
        slots.extend(flow.routes.iter().flat_map(|route| &route.results).map(|result| (result.slot, Held::Route(result.name.as_str()))));
        for found in &flow.matches {
            if let Some(each) = &found.each {
                slots.insert(each.rows, Held::Rows(found));
                slots.insert(each.generator.slot, Held::Element(&each.generator.list));
            }
        }
        if let Some(group) = &flow.group {
            slots.insert(group.slot, Held::Value(&group.by));
        }
        Names { slots }
    }

    /// The same inside an expression that goes through a list.
    pub(super) fn with(&self, expr: &'f Expr) -> Self {
        let mut names = self.clone();
        names.bind(expr);
        names
    }

    /// The elements of a rule's lists.
    pub(super) fn elements(&mut self, generators: &'f [Generator]) {
        self.slots.extend(generators.iter().map(|one| (one.slot, Held::Element(&one.list))));
    }

    fn bind(&mut self, expr: &'f Expr) {
        let mut found = Vec::new();
        walk::expr(expr, &mut |inner| {
            inner.bound(&mut |slot, held| {
                found.push(match held {
                    Bound::Value(value) => (slot, Held::Value(value)),
                    Bound::Element(list) => (slot, Held::Element(list)),
                });
            });
        });
        self.slots.extend(found);
    }

    /// The paths that an expression reads, each once, in the order in which they stand: `order.ShippingAddress.street`.
    pub(super) fn sources(&self, expr: &'f Expr) -> Vec<String> {
        let mut found = Vec::new();
        self.with(expr).read(expr, 0, &mut found);
        let whole: Vec<String> = found.clone();
        // `order.ShippingAddress` is read on the way to its street.
        found.retain(|path| !whole.iter().any(|longer| longer.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))));
        found
    }

    fn read(&self, expr: &'f Expr, depth: u8, found: &mut Vec<String>) {
        // Names are made of names; the checker lets none go round, and this does not count on it.
        if depth > 32 {
            return;
        }
        let mut inner = Vec::new();
        walk::expr(expr, &mut |part| inner.push(part));
        for part in inner {
            match part {
                Expr::Field { .. } => {
                    if let Some(path) = self.path(part, depth)
                        && !found.contains(&path)
                    {
                        found.push(path);
                    }
                }
                Expr::Slot { slot, .. } => match self.slots.get(slot) {
                    // What is read of an element says where the list is from.
                    Some(Held::Element(list)) if self.path(list, depth).is_some() => {}
                    Some(Held::Value(value) | Held::Element(value)) => self.with(value).read(value, depth + 1, found),
                    Some(Held::Route(name)) => {
                        let told = format!("route: {name}");
                        if !found.contains(&told) {
                            found.push(told);
                        }
                    }
                    Some(Held::Record(_) | Held::Rows(_)) | None => {}
                },
                _ => {}
            }
        }
    }

    /// The paths by which a row has its value. A list's are those of the list; its elements have theirs.
    pub(super) fn of_row(&self, expr: &'f Expr) -> Vec<String> {
        match bare(expr) {
            Expr::Each { generators, condition, .. } => self.of_list(generators, condition.as_deref()),
            expr => self.sources(expr),
        }
    }

    /// The paths by which a list is what it is: where its elements come from, and which are taken.
    fn of_list(&self, generators: &'f [Generator], condition: Option<&'f Expr>) -> Vec<String> {
        let mut found = Vec::new();
        for one in generators {
            found.extend(self.path(&one.list, 0).map_or_else(|| self.sources(&one.list), |path| vec![path]));
        }
        let mut inside = self.clone();
        inside.elements(generators);
        found.extend(condition.into_iter().flat_map(|condition| inside.sources(condition)));
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|path| seen.insert(path.clone()));
        found
    }

    /// The match whose rows, or one of them, an expression is.
    fn rows(&self, expr: &Expr, depth: u8) -> Option<&'f Match> {
        if depth > 32 {
            return None;
        }
        match expr {
            Expr::Coerce { value, .. } => self.rows(value, depth),
            Expr::Slot { slot, .. } => match self.slots.get(slot)? {
                Held::Rows(found) => Some(found),
                Held::Value(value) | Held::Element(value) => self.rows(value, depth + 1),
                Held::Record(_) | Held::Route(_) => None,
            },
            _ => None,
        }
    }

    /// What a name, an argument or an element of a list stands for.
    pub(super) fn value_of(&self, slot: Slot) -> Option<&'f Expr> {
        match self.slots.get(&slot)? {
            Held::Value(value) => Some(value),
            Held::Element(_) | Held::Record(_) | Held::Rows(_) | Held::Route(_) => None,
        }
    }

    /// A field's own path.
    pub(super) fn path_of(&self, expr: &Expr) -> Option<String> {
        self.path(expr, 0)
    }

    fn path(&self, expr: &Expr, depth: u8) -> Option<String> {
        if depth > 32 {
            return None;
        }
        match expr {
            Expr::Field { base, name, .. } => match self.rows(base, depth) {
                Some(found) => match &found.each {
                    Some(each) if *each.generator.name == **name => self.path(&each.generator.list, depth + 1),
                    _ => Some(found.name.clone()),
                },
                None => Some(format!("{}.{name}", self.path(base, depth)?)),
            },
            Expr::Coerce { value, .. } => self.path(value, depth),
            Expr::Slot { slot, .. } => match self.slots.get(slot)? {
                Held::Record(name) => Some((*name).to_owned()),
                Held::Value(value) | Held::Element(value) => self.path(value, depth + 1),
                // A row's own fields are told by what they hold.
                Held::Rows(_) | Held::Route(_) => None,
            },
            Expr::Each { generators, condition: _, body } => match (generators.as_slice(), &**body) {
                ([one], Expr::Slot { slot, .. }) if *slot == one.slot => self.path(&one.list, depth + 1),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The rows of an object that an expression builds, and what it is.
pub(super) fn built(expr: &Expr) -> Option<(&[Row], &ObjectRef)> {
    match expr {
        Expr::Coerce { value: inner, .. } | Expr::Bind { body: inner, .. } => built(inner),
        // A function of which an argument may be missing.
        Expr::If { then, otherwise, .. } if matches!(&**otherwise, Expr::Literal(Literal::Missing)) => built(then),
        Expr::Object { rows, object: Some(object) } => Some((rows, object)),
        _ => None,
    }
}

/// An expression without what only says how it is treated.
pub(super) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Coerce { value, .. } => bare(value),
        other => other,
    }
}

/// The rows of the object that an expression builds, or of the elements of the list that it makes.
pub fn rows_built(expr: &Expr) -> Option<&[Row]> {
    match bare(expr) {
        Expr::Each { body, .. } => built(body),
        other => built(other),
    }
    .map(|(rows, _)| rows)
}
