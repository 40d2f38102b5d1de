//! `test` items: what is given to a flow and what must come out, as JSON.
//!
//! Names of fields are held against both schemas, and values of enumerations and named things are
//! turned into what a payload holds. Whether a fixture's file is there is for those who read it.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::base::diag::Diagnostic;
use crate::schema::{Field, Object};
use crate::syntax::tree::{self, Expr, ExprKind, FieldRow, RowValue, TestClauseKind};
use crate::value::{Kind, ObjectRef, WeightUnit, WireEncoding};

use super::CheckEnvironment;
use super::error::flows as error;
use crate::ir::{self, Expected, Place};

/// What a test needs to know of its flow.
pub(super) struct FlowOf<'a> {
    pub(super) name: &'a str,
    pub(super) source: ObjectRef,
    pub(super) matches: Vec<&'a str>,
    /// Objects that it writes, in follow-ups too.
    pub(super) writes: Vec<ObjectRef>,
}

pub(super) fn check(
    test: &tree::Test,
    flows: &[FlowOf<'_>],
    file: &str,
    place: Place,
    environment: &dyn CheckEnvironment,
    diags: &mut Vec<Diagnostic>,
) -> Option<ir::Test> {
    let before = diags.len();
    let name = &test.name;
    let named = test.clauses.iter().find_map(|clause| match &clause.kind {
        TestClauseKind::Flow(flow) => Some(flow),
        _ => None,
    });
    let Some(named) = named else {
        diags.push(error::test_without_flow(&name.node, name.span));
        return None;
    };
    let Some(flow) = flows.iter().find(|flow| flow.name == named.node) else {
        let known: Vec<&str> = flows.iter().map(|flow| flow.name).collect();
        diags.push(error::no_flow(named, &known));
        return None;
    };
    let mut typed = ir::Test {
        name: name.node.clone(),
        flow: flow.name.to_owned(),
        given: String::new(),
        with: IndexMap::new(),
        matched: Vec::new(),
        target: None,
        now: None,
        expected: Vec::new(),
        file: file.into(),
        place,
    };
    for clause in &test.clauses {
        match &clause.kind {
            TestClauseKind::Flow(_) => {}
            TestClauseKind::Given { path, with } => {
                typed.given.clone_from(&path.node);
                typed.with =
                    Reading { environment, source: true, diags }.rows(with, environment.object(&flow.source).as_deref()).into_iter().collect();
            }
            TestClauseKind::Matched { name, path } => {
                if !flow.matches.contains(&name.node.as_str()) {
                    diags.push(error::no_such_match(name, flow.name, &flow.matches));
                }
                typed.matched.push((name.node.clone(), path.node.clone()));
            }
            TestClauseKind::Target { path } => typed.target = Some(path.node.clone()),
            TestClauseKind::Now(now) => typed.now = Some(now.node.clone()),
            TestClauseKind::Sent { object, rows } => {
                let of = ObjectRef::new(&object.connection.node, &object.object.node);
                if !flow.writes.contains(&of) {
                    let sent: Vec<String> = flow.writes.iter().map(ToString::to_string).collect();
                    diags.push(error::never_sent(&of.to_string(), flow.name, object.span, &sent));
                    continue;
                }
                let fields = Reading { environment, source: false, diags }.rows(rows, environment.object(&of).as_deref());
                typed.expected.push(Expected::Sent { object: of, fields });
            }
            TestClauseKind::Nothing => typed.expected.push(Expected::Nothing),
            TestClauseKind::Rejected(texts) => typed.expected.push(Expected::Rejected(plain(texts))),
            TestClauseKind::Review(texts) => typed.expected.push(Expected::Review(plain(texts))),
            TestClauseKind::Warned(texts) => typed.expected.push(Expected::Warned(plain(texts))),
            TestClauseKind::NotEligible => typed.expected.push(Expected::NotEligible),
        }
    }
    if !test.clauses.iter().any(|clause| matches!(clause.kind, TestClauseKind::Given { .. })) {
        diags.push(error::test_without_record(&name.node, name.span));
    } else if typed.expected.is_empty() && diags.len() == before {
        diags.push(error::test_without_outcome(&name.node, name.span));
    }
    (diags.len() == before).then_some(typed)
}

fn plain(texts: &[crate::base::Spanned<String>]) -> Vec<String> {
    texts.iter().map(|text| text.node.clone()).collect()
}

struct Reading<'a> {
    environment: &'a dyn CheckEnvironment,
    /// The record that is given; else the payload that must come out.
    source: bool,
    diags: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    /// Rows as JSON; without a schema, as they stand.
    fn rows(&mut self, rows: &[FieldRow], object: Option<&Object>) -> Map<String, Json> {
        let mut out = Map::new();
        for row in rows {
            let mut of = object.cloned();
            let mut field: Option<Field> = None;
            let mut known = true;
            for (depth, name) in row.place.iter().enumerate() {
                if let Some(object) = &of {
                    match object.fields.get(&name.node) {
                        Some(found) => field = Some(found.clone()),
                        None if object.unlisted_currency() == Some(name.node.as_str()) => field = None,
                        None => {
                            let names: Vec<&str> = object.fields.keys().map(String::as_str).collect();
                            self.diags.push(error::no_field(name, &object.name, self.source, &names));
                            known = false;
                            break;
                        }
                    }
                } else {
                    field = None;
                }
                if depth + 1 == row.place.len() {
                    break;
                }
                of = field.as_ref().and_then(|field| self.object_of(&field.kind));
            }
            if !known {
                continue;
            }
            let value = match &row.value {
                RowValue::Expr(expr) => self.value(expr, field.as_ref()),
                RowValue::Object { rows, .. } => {
                    let inner = field.as_ref().and_then(|field| self.object_of(&field.kind));
                    Some(Json::Object(self.rows(rows, inner.as_ref())))
                }
                RowValue::Clear => Some(Json::Null),
                RowValue::Remove => None,
            };
            if let Some(value) = value {
                put(&mut out, &row.place, value);
            }
        }
        out
    }

    fn object_of(&self, kind: &Kind) -> Option<Object> {
        match kind {
            Kind::Object(of) => self.environment.object(of).map(|object| object.as_ref().clone()),
            Kind::List(of) => self.object_of(&of.kind),
            _ => None,
        }
    }

    fn value(&mut self, expr: &Expr, field: Option<&Field>) -> Option<Json> {
        match expr.kind.as_ref() {
            ExprKind::Paren(inner) => match field.map(|field| &field.kind) {
                // `("a")` where a list is taken is a list of one.
                Some(Kind::List(_)) => Some(Json::Array(vec![self.element(inner, field)?])),
                _ => self.value(inner, field),
            },
            ExprKind::Text(text) => match text.plain() {
                Some(text) => self.text(&text, expr, field),
                None => self.refuse(expr),
            },
            ExprKind::Name(word) if word == "null" || word == "missing" => Some(Json::Null),
            ExprKind::Name(word) => self.text(word, expr, field),
            ExprKind::Number(number) => digits(&number.to_string()),
            ExprKind::Negate(inner) => match inner.kind.as_ref() {
                ExprKind::Number(number) => digits(&format!("-{number}")),
                _ => self.refuse(expr),
            },
            ExprKind::Boolean(truth) => Some(Json::Bool(*truth)),
            ExprKind::Time(time) => Some(Json::String(time.to_string())),
            ExprKind::Quantity { number, unit } => match field.map(|field| &field.wire) {
                Some(WireEncoding::WeightObject { value, units, words }) => {
                    let wanted = WeightUnit::parse(&unit.node);
                    let word = words.iter().find(|(unit, _)| Some(*unit) == wanted).map(|(_, word)| word.clone());
                    let Some(word) = word else { return self.refuse(expr) };
                    let mut object = Map::new();
                    object.insert(value.clone(), digits(&number.to_string())?);
                    object.insert(units.clone(), Json::String(word));
                    Some(Json::Object(object))
                }
                _ => self.refuse(expr),
            },
            ExprKind::List(items) => {
                let mut all = Vec::new();
                for item in items {
                    all.push(self.element(item, field)?);
                }
                Some(self.list(all, field))
            }
            ExprKind::Object(rows) => {
                let inner = field.and_then(|field| self.object_of(&field.kind));
                Some(Json::Object(self.rows(rows, inner.as_ref())))
            }
            _ => self.refuse(expr),
        }
    }

    /// An element of a list, by the kind of the elements.
    fn element(&mut self, expr: &Expr, field: Option<&Field>) -> Option<Json> {
        let of = field.map(|field| match &field.kind {
            Kind::List(of) => Field { kind: of.kind.clone(), wire: WireEncoding::Plain, ..field.clone() },
            _ => field.clone(),
        });
        self.value(expr, of.as_ref())
    }

    fn list(&self, items: Vec<Json>, field: Option<&Field>) -> Json {
        match field.map(|field| &field.wire) {
            Some(WireEncoding::Records) => serde_json::json!({ "totalSize": items.len(), "done": true, "records": items }),
            Some(WireEncoding::Connection) => {
                let edges: Vec<Json> = items.into_iter().map(|item| serde_json::json!({ "node": item })).collect();
                serde_json::json!({ "edges": edges })
            }
            Some(WireEncoding::Separated { by }) => Json::String(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(by)),
            _ => Json::Array(items),
        }
    }

    fn text(&mut self, text: &str, expr: &Expr, field: Option<&Field>) -> Option<Json> {
        match field.map(|field| &field.kind) {
            Some(Kind::Enumeration(known)) => match known.resolve(text) {
                Some(value) => Some(Json::String(value.to_owned())),
                // A test may well give a record what it should not hold.
                None if known.open || self.source => Some(Json::String(text.to_owned())),
                None => {
                    let names: Vec<&str> = known.names().collect();
                    self.diags.push(error::not_a_value(text, &known.name, expr.span, &names));
                    None
                }
            },
            Some(Kind::Reference(of)) => match self.environment.names(of) {
                Some(names) => match names.names.iter().find(|named| named.name == text) {
                    Some(named) => Some(named.id.clone()),
                    None => {
                        let known: Vec<&str> = names.names.iter().map(|named| named.name.as_str()).collect();
                        self.diags.push(error::no_thing(text, &of.object.to_lowercase(), &of.connection, expr.span, &known));
                        None
                    }
                },
                None if self.environment.has_names(&of.connection) => {
                    self.diags.push(super::error::names::no_names_of_kind(text, expr.span, of));
                    None
                }
                None => Some(Json::String(text.to_owned())),
            },
            _ if matches!(expr.kind.as_ref(), ExprKind::Name(_)) => self.refuse(expr),
            _ => Some(Json::String(text.to_owned())),
        }
    }

    fn refuse(&mut self, expr: &Expr) -> Option<Json> {
        self.diags.push(error::no_constant(expr.span));
        None
    }
}

/// Puts a value at its path; objects on the way are made.
fn put(out: &mut Map<String, Json>, path: &[tree::Name], value: Json) {
    match path {
        [] => {}
        [last] => drop(out.insert(last.node.clone(), value)),
        [first, rest @ ..] => {
            if let Json::Object(inner) = out.entry(first.node.clone()).or_insert_with(|| Json::Object(Map::new())) {
                put(inner, rest, value);
            }
        }
    }
}

/// A number by its digits.
fn digits(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::FileId;
    use crate::base::diag::Code;
    use crate::check::{Setting, TableFault};
    use crate::schema::{Access, Class, Connection, Named, Names, Schemas};
    use crate::value::{Enumeration, Known, Type};

    struct Both;

    fn field(kind: Kind) -> Field {
        Field { class: Class::Public, ..Field::of(kind) }
    }

    fn object(name: &str, fields: Vec<(&str, Kind)>) -> Arc<Object> {
        Arc::new(Object {
            system: "s".into(),
            name: name.into(),
            source: String::new(),
            doc: String::new(),
            fields: fields.into_iter().map(|(name, kind)| (name.to_owned(), field(kind))).collect(),
            access: Access { read: true, create: true, update: true, upsert: true },
            id: None,
            keys: Vec::new(),
            searchable: Vec::new(),
            stamp: None,
            name_field: None,
            parent: None,
            otherwise: crate::system::Guarantee::Idempotent,
            events: Vec::new(),
        })
    }

    impl Schemas for Both {
        fn connections(&self) -> Vec<Connection> {
            Vec::new()
        }
        fn object(&self, of: &ObjectRef) -> Option<Arc<Object>> {
            let status = Kind::Enumeration(Arc::new(Enumeration {
                name: "wms.Order.orderStatus".into(),
                values: vec![Known { value: "cancelled".into(), label: None }, Known { value: "on_hold".into(), label: None }],
                open: false,
            }));
            match of.object.as_str() {
                "Source" => Some(object("Source", vec![("Status", Kind::Text), ("Amount", Kind::Decimal)])),
                "Options" => Some(object("Options", vec![("warehouseId", Kind::Reference(ObjectRef::new("wms", "Warehouse")))])),
                "Order" => Some(object(
                    "Order",
                    vec![
                        ("orderStatus", status),
                        ("options", Kind::Object(ObjectRef::new("wms", "Options"))),
                        ("tags", Kind::List(Box::new(Type::some(Kind::Text)))),
                    ],
                )),
                _ => None,
            }
        }
        fn objects(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
        fn names(&self, _: &ObjectRef) -> Option<Arc<Names>> {
            Some(Arc::new(Names { pulled: None, names: vec![Named { name: "Reno DC".into(), id: 4410.into() }] }))
        }
    }

    impl CheckEnvironment for Both {
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

    fn read(clauses: &str) -> (Option<ir::Test>, Vec<Code>) {
        let clauses = clauses.replace('\n', "\n  ");
        let (tree, found) = crate::syntax::read(FileId(0), &format!("edition 1\ntest \"t\" {{\n  {clauses}\n}}\n"));
        assert!(found.is_empty(), "{found:#?}");
        let tree::ItemKind::Test(test) = &tree.items[0].kind else { panic!("a test") };
        let flow =
            FlowOf { name: "export", source: ObjectRef::new("crm", "Source"), matches: vec!["order"], writes: vec![ObjectRef::new("wms", "Order")] };
        let mut diags = Vec::new();
        let place = Place::line("a.dock", 2);
        let typed = check(test, &[flow], "a.dock", place, &Both, &mut diags);
        (typed, diags.iter().map(|d| d.code).collect())
    }

    #[test]
    fn values_become_what_a_payload_holds() {
        let (typed, codes) = read(
            "flow export\ngiven \"a.json\" with { Amount = 5.00 }\nsent wms.Order {\norderStatus = cancelled\noptions.warehouseId = \"Reno DC\"\n}",
        );
        assert_eq!(codes, []);
        let typed = typed.unwrap();
        assert_eq!(typed.with["Amount"].to_string(), "5.00");
        let Expected::Sent { fields, .. } = &typed.expected[0] else { panic!("sent") };
        assert_eq!(serde_json::to_string(fields).unwrap(), r#"{"orderStatus":"cancelled","options":{"warehouseId":4410}}"#);
    }

    #[test]
    fn names_are_held_against_both_schemas() {
        assert_eq!(read("flow export\ngiven \"a.json\" with { Statsu = \"x\" }\nnot_eligible").1, [Code::UnknownSourceField]);
        assert_eq!(read("flow export\ngiven \"a.json\"\nsent wms.Order { orderState = cancelled }").1, [Code::UnknownTargetField]);
        assert_eq!(read("flow export\ngiven \"a.json\"\nsent wms.Order { orderStatus = canceled }").1, [Code::NotInEnumeration]);
        assert_eq!(read("flow export\ngiven \"a.json\"\nsent wms.Orders { a = 1 }").1, [Code::BadTest]);
        assert_eq!(read("flow exprt\ngiven \"a.json\"\nnot_eligible").1, [Code::UnknownFlow]);
    }

    #[test]
    fn a_test_that_cannot_fail_is_refused() {
        assert_eq!(read("flow export\ngiven \"a.json\"").1, [Code::BadTest]);
        assert_eq!(read("flow export\nnot_eligible").1, [Code::BadTest]);
        assert_eq!(read("given \"a.json\"\nnot_eligible").1, [Code::BadTest]);
    }
}
