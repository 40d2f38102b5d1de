//! What a field is, by the form in which the vendor's file has it.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{Class, Draft, Field, Form, Kind, Size, SizeUnit, Type, WireEncoding, Write, class_of_field, field_of};
use crate::apispec::{ApiSpec, Fields, Others, Shape, Style, TypeId};
use crate::describe::model::{TimeForm, is_object_name};
use crate::value::{Enumeration, Known, ObjectRef, WeightUnit};

pub(super) struct Kinds<'k> {
    pub(super) system: &'k str,
    pub(super) time: &'k TimeForm,
}

/// An object that stands in a field: its name, and its types as it is read, created and updated.
type Inner<'a> = (String, [Form<'a>; 3]);

/// What a type is.
struct Shown<'a> {
    kind: Kind,
    wire: WireEncoding,
    /// The type of the object in it.
    inside: Option<(&'a ApiSpec, TypeId)>,
}

impl<'a> Shown<'a> {
    fn plain(kind: Kind) -> Self {
        Shown { kind, wire: WireEncoding::Plain, inside: None }
    }
}

impl Kinds<'_> {
    pub(super) fn field<'a>(&self, object: &str, name: &str, draft: &Draft<'a>, deeper: bool, inner: &mut Vec<Inner<'a>>) -> Field {
        let empty = Form::default();
        let (create, update) = (draft.create.as_ref().unwrap_or(&empty), draft.update.as_ref().unwrap_or(&empty));
        let writable = draft.create.is_some() || draft.update.is_some();
        let first = [&draft.read, create, update].into_iter().find_map(|form| form.types.first().copied());
        let Some((api, id)) = first else {
            let mut field = Field::of(Kind::Json);
            field.write = Write { required: draft.required, create: draft.create.is_some(), update: draft.update.is_some(), nullable: false };
            field.readable = false;
            return field;
        };
        let known = self.of(object, name, api, id, 0);
        let mut field = match &known.inside {
            // What is deeper than anybody looks is JSON.
            Some(_) if !deeper => Field::of(Kind::Json),
            Some((api, id)) => {
                let inside = self.named(object, name, api, *id);
                let of = Kind::Object(ObjectRef::new(self.system, inside.clone()));
                let one = |form: &Form<'a>| self.inside(object, name, form);
                inner.push((inside, [one(&draft.read), one(create), one(update)]));
                match known.kind {
                    Kind::List(_) => field_of(Kind::List(Box::new(Type::some(of))), known.wire),
                    _ => field_of(of, known.wire),
                }
            }
            None => field_of(known.kind, known.wire),
        };
        // What is taken is closed; what is given may be more.
        let takes = create.types.first().or_else(|| update.types.first());
        match (takes.map(|(api, id)| self.of(object, name, api, *id, 0).kind), &field.kind) {
            (Some(Kind::Enumeration(takes)), Kind::Enumeration(gives)) => {
                let gives = Kind::Enumeration(Arc::new(Enumeration { open: true, ..(**gives).clone() }));
                field.gives = (!draft.read.is_unknown()).then_some(gives);
                field.kind = Kind::Enumeration(Arc::new(Enumeration { open: false, ..(*takes).clone() }));
            }
            (Some(Kind::Enumeration(takes)), Kind::Text) => {
                field.kind = Kind::Enumeration(Arc::new(Enumeration { open: true, ..(*takes).clone() }));
            }
            _ => {}
        }
        if let Some((api, id)) = takes.or(draft.read.types.first()) {
            limits(&mut field, api, *id, writable);
        }
        field.readable = !draft.read.is_unknown();
        field.nullable = !draft.always;
        field.write =
            Write { required: draft.required, create: draft.create.is_some(), update: draft.update.is_some(), nullable: draft.clears && writable };
        field.doc = sentence(&draft.description);
        field.class = match &field.kind {
            // What stands in it has classes of its own.
            Kind::Json => Class::Personal,
            _ => class_of_field(object, name, &field),
        };
        field
    }

    fn of<'a>(&self, object: &str, name: &str, api: &'a ApiSpec, id: TypeId, depth: usize) -> Shown<'a> {
        let ty = api.ty(id);
        if depth > 8 {
            return Shown::plain(Kind::Json);
        }
        match &ty.shape {
            Shape::Text if !ty.values.is_empty() => {
                let values = ty.values.iter().map(|value| Known { value: value.clone(), label: None }).collect();
                Shown::plain(Kind::Enumeration(Arc::new(Enumeration { name: format!("{}.{object}.{name}", self.system), values, open: true })))
            }
            Shape::Text => self.text(name, api, ty.format.as_deref().unwrap_or("")),
            Shape::Integer if seconds(name, ty.format.as_deref(), &ty.description) => {
                Shown { wire: WireEncoding::UnixSeconds, ..Shown::plain(Kind::Datetime) }
            }
            Shape::Integer => Shown::plain(Kind::Integer),
            Shape::Number => Shown::plain(Kind::Decimal),
            Shape::Boolean => Shown::plain(Kind::Boolean),
            Shape::Any => match ty.format.as_deref().map(str::to_lowercase) {
                Some(scalar) if scalar.contains("decimal") || scalar.contains("money") => {
                    Shown { wire: WireEncoding::NumberText, ..Shown::plain(Kind::Decimal) }
                }
                _ => Shown::plain(Kind::Json),
            },
            Shape::List(item) => {
                let item = self.of(object, name, api, *item, depth + 1);
                match (&item.kind, &item.wire) {
                    // Lists in lists, and lists of what has a wire form of its own, are kept as they are.
                    (Kind::List(_), _) => Shown::plain(Kind::Json),
                    (_, WireEncoding::Plain) => Shown { kind: Kind::List(Box::new(Type::some(item.kind))), ..item },
                    _ => Shown::plain(Kind::Json),
                }
            }
            Shape::OneOf(forms) => {
                let objects = forms.iter().all(|form| matches!(api.ty(*form).shape, Shape::Object(_)));
                if objects { self.object(api, id) } else { Shown::plain(Kind::Json) }
            }
            Shape::Object(fields) => {
                if let Ok(found) = api.walk(id, "edges.*.node")
                    && fields.fields.contains_key("edges")
                    && let Some(node) = found.types.first()
                {
                    let item = self.of(object, name, api, *node, depth + 1);
                    return Shown { kind: Kind::List(Box::new(Type::some(item.kind))), wire: WireEncoding::Connection, inside: item.inside };
                }
                if let Some(wire) = money(api, fields) {
                    return Shown { wire, ..Shown::plain(Kind::Money) };
                }
                if let Some(wire) = weight(api, fields) {
                    return Shown { wire, ..Shown::plain(Kind::Weight) };
                }
                if fields.fields.is_empty() && fields.variants.is_empty() || matches!(fields.others, Others::Of(_)) {
                    return Shown::plain(Kind::Json);
                }
                self.object(api, id)
            }
        }
    }

    fn object<'a>(&self, api: &'a ApiSpec, id: TypeId) -> Shown<'a> {
        Shown { kind: Kind::Object(ObjectRef::new(self.system, "")), wire: WireEncoding::Plain, inside: Some((api, id)) }
    }

    /// The objects in all types of a field.
    fn inside<'a>(&self, object: &str, name: &str, form: &Form<'a>) -> Form<'a> {
        let mut inside = Form::default();
        for (api, id) in &form.types {
            if let Some((api, id)) = self.of(object, name, api, *id, 0).inside {
                inside.add_all(&Form { types: vec![(api, id)] });
            }
        }
        inside
    }

    /// What an object in a field is called: as its type, or by the field if that has no name.
    fn named(&self, object: &str, name: &str, api: &ApiSpec, id: TypeId) -> String {
        let said = api.ty(id).name.clone().filter(|name| is_object_name(name));
        said.unwrap_or_else(|| {
            let mut letters = name.chars();
            let upper: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
            // A file is called by it: a vendor's field may have any name.
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            format!("{object}{}", upper.chars().chain(letters).map(plain).collect::<String>())
        })
    }

    fn text<'a>(&self, name: &str, api: &ApiSpec, format: &str) -> Shown<'a> {
        let lower = format.to_lowercase();
        match lower.as_str() {
            "date" => Shown::plain(Kind::Date),
            "time" => Shown::plain(Kind::Time),
            "decimal" | "double" | "float" => Shown { wire: WireEncoding::NumberText, ..Shown::plain(Kind::Decimal) },
            "int32" | "int64" => Shown { wire: WireEncoding::NumberText, ..Shown::plain(Kind::Integer) },
            "date-time" | "datetime" | "isodatetime" | "iso8601datetime" => self.instant(),
            // GraphQL has no decimals: amounts are texts of digits.
            "" if api.style == Style::GraphQl && is_amount(name) => Shown { wire: WireEncoding::NumberText, ..Shown::plain(Kind::Decimal) },
            _ => Shown::plain(Kind::Text),
        }
    }

    /// An instant as the description says that they are written: without an offset it is in the zone of its clock.
    fn instant<'a>(&self) -> Shown<'a> {
        let zone = match &self.time.zone {
            crate::describe::model::Zone::WallClock(zone) => zone.node.clone(),
            crate::describe::model::Zone::Utc => "UTC".to_owned(),
        };
        match &self.time.print {
            Some(print) if !print.node.contains("%z") && !print.node.contains("%:z") && !print.node.ends_with('Z') && print.node.contains('%') => {
                Shown { wire: WireEncoding::Zoned { zone, pattern: print.node.clone() }, ..Shown::plain(Kind::Datetime) }
            }
            _ => Shown::plain(Kind::Datetime),
        }
    }
}

/// An integer that counts seconds since 1970.
fn seconds(name: &str, format: Option<&str>, description: &str) -> bool {
    let told = description.to_lowercase();
    let named = ["_time", "_at", "timestamp", "_date"].iter().any(|end| name.ends_with(end));
    matches!(format, Some("unix-time" | "timestamp")) || (named && told.contains("unix") && !told.contains("millisecond"))
}

/// The last word of an amount's name.
fn is_amount(name: &str) -> bool {
    matches!(name.rsplit('_').next(), Some("price" | "subtotal" | "tax" | "discounts" | "total" | "amount" | "cost"))
}

/// `{centAmount, currencyCode, fractionDigits}`, `{value, currency}`, `{amount, currencyCode}`: an amount, its currency, and nothing that
/// is not about the amount.
fn money(api: &ApiSpec, fields: &Fields) -> Option<WireEncoding> {
    let find = |names: &[&str]| fields.fields.keys().find(|name| names.contains(&name.to_lowercase().replace('_', "").as_str())).cloned();
    let currency = find(&["currency", "currencycode"])?;
    let amount = find(&["centamount", "amount", "value", "currencyamount"])?;
    let about = |name: &str| {
        let lower = name.to_lowercase();
        *name == currency
            || *name == amount
            || matches!(lower.as_str(), "type" | "fractiondigits" | "preciseamount")
            || lower.starts_with("converted")
    };
    if !fields.fields.keys().all(|name| about(name)) {
        return None;
    }
    let text = matches!(api.ty(fields.fields.get(&amount)?.ty).shape, Shape::Text);
    let minor_digits = amount.to_lowercase().starts_with("cent").then(|| find(&["fractiondigits"]).unwrap_or_else(|| "fractionDigits".to_owned()));
    Some(WireEncoding::MoneyObject { amount, currency, minor_digits, text })
}

/// `{value, unit}` with units of weight.
fn weight(api: &ApiSpec, fields: &Fields) -> Option<WireEncoding> {
    let (value, units) = match fields.fields.keys().collect::<Vec<_>>().as_slice() {
        [a, b] if *a == "value" => (a.as_str(), b.as_str()),
        [b, a] if *a == "value" => (a.as_str(), b.as_str()),
        _ => return None,
    };
    let words = &api.ty(fields.fields.get(units)?.ty).values;
    let words: Option<Vec<(WeightUnit, String)>> = words.iter().map(|word| Some((WeightUnit::parse(word)?, word.clone()))).collect();
    let words = words.filter(|words| !words.is_empty())?;
    Some(WireEncoding::WeightObject { value: value.to_owned(), units: units.to_owned(), words })
}

fn limits(field: &mut Field, api: &ApiSpec, id: TypeId, writable: bool) {
    let limits = &api.ty(id).limits;
    let number = |said: Option<u64>| said.and_then(|said| usize::try_from(said).ok());
    if !writable {
        return;
    }
    if field.kind == Kind::Text {
        field.size = number(limits.max_length).map(|max| Size { min: number(limits.min_length).unwrap_or(0), max, unit: SizeUnit::Characters });
        // Patterns of JSON Schema are those of JavaScript; what this program cannot read is left out.
        field.pattern = limits.pattern.clone().filter(|pattern| regex::Regex::new(pattern).is_ok());
    }
    if matches!(field.kind, Kind::Integer | Kind::Decimal) {
        field.minimum = limits.minimum.as_deref().and_then(|bound| bound.parse::<Decimal>().ok());
        field.maximum = limits.maximum.as_deref().and_then(|bound| bound.parse::<Decimal>().ok());
    }
    if matches!(field.kind, Kind::List(_)) {
        field.max_items = number(limits.max_items);
    }
}

/// The first sentence of a description, cut where it goes on for long.
fn sentence(text: &str) -> String {
    const LONGEST: usize = 200;
    let end = text.match_indices(". ").map(|(at, _)| at + 1).find(|at| *at > 20).unwrap_or(text.len());
    let sentence = &text[..end];
    match sentence.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", sentence[..at].trim_end()),
        None => sentence.to_owned(),
    }
}
