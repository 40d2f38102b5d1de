//! Names that are not known here, or could be two things.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::base::nearest;
use crate::check::CheckEnvironment;
use crate::schema::{Names, Object};
use crate::syntax::tree::Name;
use crate::value::{Enumeration, Kind, ObjectRef};

/// A text of JavaScript.
pub(in crate::check) fn text_in_back_ticks(name: &str, span: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, span, format!("there is no `{name}` here: back ticks stand around names, and quotes around texts")).mend(
        format!("write {text}"),
        span,
        text,
    )
}

pub(in crate::check) fn unknown(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownName, span, format!("there is no `{name}` here"));
    match nearest(name, known.iter().copied()) {
        Some(_) => diagnostic.did_you_mean(name, span, known.iter().copied()),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(format!("the names here are {}", some(known, 8))),
    }
}

/// A field of a record, written without the record.
pub(in crate::check) fn bare_field(name: &str, span: Span, record: &str, of: &ObjectRef) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, span, format!("there is no `{name}` here"))
        .label(format!("`{of}` has a field of this name"))
        .why("a bare name never means a field of a record")
        .mend(format!("write `{record}.{name}`"), span, format!("{record}.{name}"))
}

pub(in crate::check) fn ambiguous(name: &str, span: Span, given: Span, enumeration: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Code::AmbiguousName, span, format!("`{name}` could be a name of this flow or a value of `{enumeration}`"));
    if given != span {
        diagnostic = diagnostic.other(given, "the name is given here");
    }
    diagnostic.mend("write the value as text", span, format!("\"{name}\"")).help("or give the other one another name")
}

pub(in crate::check) fn given_twice(name: &str, span: Span, before: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateItem, span, format!("the name `{name}` is given twice"))
        .other(before, "it is given here")
        .help("give this one another name")
}

pub(in crate::check) fn ungrouped(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UngroupedField, span, format!("`{name}` is one record of many here"))
        .why("behind `group by` the flow works on a group, and its records may differ")
        .help(format!("say which is meant by an aggregate: `first({name}.…)`, `max({name}.…)`, `sum({name}.…)`"))
}

pub(in crate::check) fn no_target(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NoTarget, span, "`target` cannot be read here")
        .why("it is the record as the target holds it, and that is read just before an update or an upsert")
        .help("read it in a `guard` or in the rows of an `update` or `upsert`")
}

pub(in crate::check) fn unknown_source_field(of: &ObjectRef, object: &Object, name: &Name, write_only: bool) -> Diagnostic {
    if write_only {
        return Diagnostic::new(Code::UnknownSourceField, name.span, format!("`{of}.{}` can be written, but not read", name.node))
            .why(format!("{} never gives it, so it would always be missing", object.system));
    }
    let readable = object.fields.iter().filter(|(_, field)| field.readable).map(|(name, _)| name.as_str());
    let diagnostic = Diagnostic::new(Code::UnknownSourceField, name.span, format!("`{of}` has no field `{}`", name.node));
    other_fields(diagnostic, of, object, name, readable.collect())
}

/// The field stands in another record that this one holds.
pub(in crate::check) fn in_another(diagnostic: Diagnostic, base: &str, name: &Name, inner: &[&str], lists: &[&str]) -> Diagnostic {
    match (inner, lists) {
        ([one], _) => {
            let path = format!("{one}.{}", name.node);
            diagnostic.mend(format!("write `{base}.{path}`"), name.span, path)
        }
        ([], [list, ..]) => {
            diagnostic.help(format!("each record of the list `{base}.{list}` has it:   each x in {base}.{list} {{ … x.{} … }}", name.node))
        }
        ([], []) => diagnostic,
        (several, _) => {
            let paths: Vec<String> = several.iter().map(|inner| format!("{base}.{inner}.{}", name.node)).collect();
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            diagnostic.help(format!("records that it holds have it: {}", some(&paths, 6)))
        }
    }
}

/// `Account__c.Name`, `AccountId.Name`: an id has no fields, and the record beside it has.
pub(in crate::check) fn through_relation(name: &Name, at: Span, id: &str, relation: &str) -> Diagnostic {
    Diagnostic::new(Code::NotAnObject, name.span, format!("`{id}` is the id of a record and has no fields")).other(at, "an id").mend(
        format!("the record itself is `{relation}`"),
        at,
        relation,
    )
}

/// What a field could be called instead: one whose name is written alike, or has a word in common; else an object's own
/// fields, where the name is one that an administrator gave.
pub(in crate::check) fn other_fields(diagnostic: Diagnostic, of: &ObjectRef, object: &Object, name: &Name, known: Vec<&str>) -> Diagnostic {
    let (name, span) = (name.node.as_str(), name.span);
    if nearest(name, known.iter().copied()).is_some() {
        return diagnostic.did_you_mean(name, span, known);
    }
    // Of other systems there is nothing to pull: their schemas come with the program, or from a file.
    let is_pulled = object.system.manifest().is_some_and(|manifest| manifest.describe.is_some());
    let pull = |diagnostic: Diagnostic| {
        let text = "if the field is new in the system, `crossdock schema pull` fetches what its object looks like today";
        if is_pulled { diagnostic.help(text) } else { diagnostic }
    };
    let wanted = words(name);
    let shared = |other: &str| words(other).iter().filter(|word| wanted.contains(word.as_str())).count();
    let most = known.iter().map(|other| shared(other)).max().unwrap_or_default();
    let mut like: Vec<&str> = known.iter().copied().filter(|other| most > 0 && shared(other) == most).collect();
    // An administrator's name is called otherwise by another administrator.
    if name.ends_with("__c") && like.iter().any(|other| other.ends_with("__c")) {
        like.retain(|other| other.ends_with("__c"));
    }
    let custom: Vec<&str> = known.iter().copied().filter(|other| other.ends_with("__c")).collect();
    match like.as_slice() {
        [one] => pull(diagnostic.mend(format!("did you mean `{one}`?"), span, (*one).to_owned())),
        [_, ..] => pull(diagnostic.help(format!("fields with such a name are {}", some(&like, 8)))),
        [] if name.ends_with("__c") && !custom.is_empty() => pull(diagnostic.help(format!("`{of}` has of its own {}", some(&custom, 16)))),
        [] if is_pulled || known.is_empty() => pull(diagnostic),
        [] => diagnostic.help(format!("its fields are {}", some(&known, 16))),
    }
}

/// The words of a name: `Order_Value__c` has `order` and `value`, `shipDate` has `ship` and `date`.
fn words(name: &str) -> std::collections::BTreeSet<String> {
    let mut all = std::collections::BTreeSet::new();
    for part in name.split('_').filter(|part| part.len() > 1) {
        let mut word = String::new();
        for c in part.chars() {
            if c.is_uppercase() && word.chars().last().is_some_and(char::is_lowercase) {
                all.insert(std::mem::take(&mut word).to_lowercase());
            }
            word.push(c);
        }
        all.insert(word.to_lowercase());
    }
    all
}

pub(in crate::check) fn unknown_column(name: &Name, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownSourceField, name.span, format!("the row has no `{}`", name.node));
    if nearest(&name.node, known.iter().copied()).is_some() {
        diagnostic.did_you_mean(&name.node, name.span, known.iter().copied())
    } else {
        diagnostic.help(format!("it has {}", some(known, 8)))
    }
}

/// `lines.length`: how many a list has, how long a text is.
pub(in crate::check) fn length_of(name: &Name, base: Span, kind: &Kind, write: String) -> Diagnostic {
    let whole = base.to(name.span);
    Diagnostic::new(Code::NotAnObject, name.span, format!("{} has no field `{}`", super::types::a(kind), name.node))
        .other(base, format!("this is {}", super::types::a(kind)))
        .mend(format!("write `{write}`"), whole, write)
}

pub(in crate::check) fn no_fields(name: &Name, base: Span, kind: &Kind) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NotAnObject, name.span, format!("{} has no fields", super::types::a(kind)))
        .other(base, format!("this is {}", super::types::a(kind)));
    match kind {
        Kind::List(_) => diagnostic.help(format!("say which element: `first(…)`, or `each x in … {{ … x.{} … }}`", name.node)),
        Kind::Json => diagnostic.help(format!("read it with a JSONPath: `… $ \"$.{}\" | first | text`", name.node)),
        _ => diagnostic,
    }
}

pub(in crate::check) fn unknown_value(name: &str, span: Span, of: &Enumeration, code: Option<Code>) -> Diagnostic {
    let diagnostic = Diagnostic::new(code.unwrap_or(Code::NotInEnumeration), span, format!("`{}` has no value `{name}`", of.name));
    match nearest(name, of.names()) {
        Some(near) => {
            let bare = near.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let text = if bare { near.to_owned() } else { format!("\"{near}\"") };
            diagnostic.mend(format!("did you mean `{near}`?"), span, text)
        }
        None => {
            let known: Vec<&str> = of.names().collect();
            diagnostic.help(format!("the values are {}", some(&known, 10)))
        }
    }
}

pub(in crate::check) fn not_known_value(name: &str, span: Span, of: &Enumeration) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NotKnownValue, span, format!("`{name}` is none of the known values of `{}`", of.name))
        .why("the field takes any text, so this may be right; a typing error would go through");
    match nearest(name, of.names()) {
        Some(near) => diagnostic.mend(format!("did you mean `{near}`?"), span, format!("\"{near}\"")),
        None => diagnostic,
    }
}

pub(in crate::check) fn unknown_reference(name: &str, span: Span, of: &ObjectRef, names: &Names) -> Diagnostic {
    let what = of.object.to_lowercase();
    let mut known: Vec<&str> = names.names.iter().map(|known| known.name.as_str()).collect();
    // Codes are written too, where a field takes texts.
    known.extend(names.names.iter().filter_map(|named| named.id.as_str()).filter(|id| !names.names.iter().any(|named| named.name == *id)));
    let mut diagnostic = Diagnostic::new(Code::UnknownReference, span, format!("`{}` has no {what} `{name}`", of.connection));
    if let Some(pulled) = &names.pulled {
        diagnostic = diagnostic.label(format!("not among those of {pulled}"));
    }
    match nearest(name, known.iter().copied()) {
        Some(near) => diagnostic.mend(format!("did you mean \"{near}\"?"), span, format!("\"{near}\"")),
        None => match names.names.iter().find(|known| known.id.to_string().trim_matches('"') == name) {
            Some(known) => diagnostic.mend(format!("`{name}` is an id; its name is \"{}\"", known.name), span, format!("\"{}\"", known.name)),
            None if known.is_empty() => diagnostic.help(pull(of)),
            None => diagnostic.help(format!("`{}` has {}", of.connection, some(&known, 8))),
        },
    }
}

/// A name where another value of the same field is an id.
pub(in crate::check) fn name_beside_ids(name: &str, span: Span, of: &ObjectRef, id: &str) -> Diagnostic {
    let what = of.object.to_lowercase();
    Diagnostic::new(Code::UnknownReference, span, format!("`{name}` is the name of a {what}, and codes are sent here"))
        .label("another value here is not a name, so no value is looked up by its name")
        .why(format!("`{}` takes a code in this field, and would refuse the name", of.connection))
        .mend(format!("write the code of this {what}: \"{id}\""), span, format!("\"{id}\""))
}

/// A name or a code, where the snapshot of a connection's names has none of the kind: it is sent as it stands.
pub(in crate::check) fn not_compared(name: &str, span: Span, of: &ObjectRef) -> Diagnostic {
    let what = of.object.to_lowercase();
    Diagnostic::new(Code::NotKnownValue, span, format!("`{name}` is compared with no {what} of `{}`, and is sent as it stands", of.connection))
        .label(format!("schemas/{}/names.json has no {what}", of.connection))
        .why(format!("a {what}'s name is not known here as one, and `{}` takes only codes in this field", of.connection))
        .help(pull(of))
}

/// The snapshot of a connection's names has none of a kind.
pub(in crate::check) fn no_names_of_kind(name: &str, span: Span, of: &ObjectRef) -> Diagnostic {
    let what = of.object.to_lowercase();
    Diagnostic::new(Code::UnknownReference, span, format!("`{}` has no {what} `{name}` that is known", of.connection))
        .label(format!("schemas/{}/names.json has no {what}", of.connection))
        .why("the id behind the name is read from there: each record that needs it would be rejected")
        .help(pull(of))
}

/// How the names of a connection's things get into the project.
pub(in crate::check) fn pull(of: &ObjectRef) -> String {
    format!("read the names from the system: crossdock schema pull {}", of.connection)
}

pub(in crate::check) fn two_of_a_name(name: &str, span: Span, of: &ObjectRef) -> Diagnostic {
    Diagnostic::new(Code::AmbiguousReference, span, format!("`{}` has two {}s `{name}`", of.connection, of.object.to_lowercase()))
        .why("which of them an order would go to is not clear")
        .help("give one of them another name in the system, and pull the names again")
}

pub(in crate::check) fn unknown_unit(unit: &Name) -> Diagnostic {
    let known = ["kg", "g", "lb", "oz", "cm", "mm", "m", "inches", "ft", "days", "hours", "minutes", "seconds", "weeks"];
    Diagnostic::new(Code::UnknownUnit, unit.span, format!("`{}` is no unit", unit.node))
        .did_you_mean(&unit.node, unit.span, known)
        .help("units are g, kg, oz, lb; mm, cm, m, inches, ft; seconds, minutes, hours, days, weeks; and currencies, such as `12.50 EUR`")
}

pub(in crate::check) fn unknown_type(word: &Name) -> Diagnostic {
    let known = ["text", "integer", "decimal", "money", "boolean", "date", "time", "datetime", "duration", "weight", "length", "json"];
    Diagnostic::new(Code::UnknownName, word.span, format!("there is no type `{}`", word.node))
        .did_you_mean(&word.node, word.span, known)
        .help(format!("types are {}, `list of …`, objects such as `crm.Order`, and `a store of wms`", known.join(", ")))
}

pub(in crate::check) fn unknown_connection(name: &str, span: Span, environment: &dyn CheckEnvironment) -> Diagnostic {
    let known: Vec<String> = environment.connections().into_iter().map(|connection| connection.name).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let diagnostic = Diagnostic::new(Code::UnknownConnection, span, format!("there is no connection `{name}`"));
    if nearest(name, known.iter().copied()).is_some() {
        diagnostic.did_you_mean(name, span, known.iter().copied())
    } else {
        diagnostic.help(format!("crossdock.yaml names {}", some(&known, 8)))
    }
}

pub(in crate::check) fn unknown_object(of: &ObjectRef, span: Span, path: Span, environment: &dyn CheckEnvironment) -> Diagnostic {
    let known = environment.objects(&of.connection);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let diagnostic = Diagnostic::new(Code::UnknownObject, span, format!("`{}` has no object `{}`", of.connection, of.object));
    let same = |object: &String| object.eq_ignore_ascii_case(&of.object);
    let elsewhere = environment.connections().into_iter().filter(|other| other.name != of.connection);
    let elsewhere = elsewhere.filter_map(|other| Some((environment.objects(&other.name).into_iter().find(same)?, other.name))).next();
    if let Some((object, connection)) = elsewhere.filter(|_| !known.iter().any(|known| known.eq_ignore_ascii_case(&of.object))) {
        let right = format!("{connection}.{object}");
        return diagnostic.mend(format!("`{connection}` has one of this name: `{right}`"), path, right);
    }
    if nearest(&of.object, known.iter().copied()).is_some() {
        diagnostic.did_you_mean(&of.object, span, known.iter().copied())
    } else {
        diagnostic.help(format!("it has {}", some(&known, 12)))
    }
}

/// An item that stands in a file which this one does not use.
pub(in crate::check) fn in_unused_file(diagnostic: Diagnostic, name: &str, path: &str, at: Span) -> Diagnostic {
    let place = path.strip_suffix(".dock").unwrap_or(path);
    diagnostic.mend(format!("`{name}` stands in another file: add `use \"{place}\"`"), at, format!("\n\nuse \"{place}\""))
}

/// A function that another language has.
pub(in crate::check) fn foreign_function(name: &str, span: Span, words: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownFunction, span, format!("`{name}` is not of this language: {words}"))
}

/// `TRUE`, `null` and the like.
pub(in crate::check) fn foreign_name(name: &str, span: Span, ours: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, span, format!("there is no `{name}` here")).mend(format!("did you mean `{ours}`?"), span, ours)
}

/// A word of another language for what is not there.
pub(in crate::check) fn nothing(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, span, format!("there is no `{name}` here: what is not there is left out"))
        .why("an `if` without `else` gives nothing; a row without a value leaves its field alone, and `clear` behind it empties it")
        .help("leave out what would give nothing")
}

/// A name that is given once and read nowhere, and one like it that is read and given nowhere.
pub(in crate::check) fn misspelt_where_given(given: &str, at: Span, read: &str, reads: &[Span]) -> Diagnostic {
    let times = if reads.len() == 1 { "once".to_owned() } else { format!("{} times", reads.len()) };
    let text = format!("`{given}` is given here and read nowhere, and `{read}` is read {times} and given nowhere");
    let mut diagnostic = Diagnostic::new(Code::UnknownName, at, text);
    if let Some(first) = reads.first() {
        diagnostic = diagnostic.other(*first, "read here");
    }
    diagnostic.mend(format!("did you mean `{read}`?"), at, read)
}

/// A comparison with such a word.
pub(in crate::check) fn compared_with_nothing(name: &str, span: Span, at: Span, text: &str, missing: bool) -> Diagnostic {
    let word = if missing { "missing" } else { "present" };
    Diagnostic::new(
        Code::UnknownName,
        span,
        format!("there is no `{name}` here: what is {} `is {word}`", if missing { "not there" } else { "there" }),
    )
    .mend(format!("write `{text} is {word}`"), at, format!("{text} is {word}"))
}

/// A relation leads to an object of which nothing is known.
pub(in crate::check) fn undescribed(of: &ObjectRef, base: Span, field: &Name) -> Diagnostic {
    Diagnostic::new(Code::UnknownObject, base, format!("this leads to `{of}`, of which the project has no description"))
        .why(format!("whether it has a field `{}`, and of which type, is not known; nothing of it would be read", field.node))
        .help(format!("take it in from the system:   crossdock schema pull {of}"))
        .help(format!("or put its describe into schemas/{}/{}.json", of.connection, of.object))
}

pub(in crate::check) fn unknown_function(function: &[Name], known: &[&str]) -> Diagnostic {
    let name = function.iter().map(|name| name.node.as_str()).collect::<Vec<_>>().join(".");
    let span = function.iter().map(|name| name.span).reduce(Span::to).unwrap_or_default();
    Diagnostic::new(Code::UnknownFunction, span, format!("there is no function, value map or table `{name}`")).did_you_mean(
        &name,
        span,
        known.iter().copied(),
    )
}

pub(in crate::check) fn recursion(name: &Name, cycle: &[&str]) -> Diagnostic {
    let text = match cycle {
        [_] => format!("`{}` calls itself", name.node),
        more => {
            let mut way = more.to_vec();
            way.push(&name.node);
            format!("`{}` calls itself: {}", name.node, way.join(" -> "))
        }
    };
    Diagnostic::new(Code::Recursion, name.span, text)
        .why("a mapping ends for every record, so a function cannot come back to itself")
        .help("write what it needs from the other out in its own body")
}

/// Some of a long list, for a sentence.
pub(in crate::check) fn some(known: &[&str], at_most: usize) -> String {
    let mut text = known.iter().take(at_most).copied().collect::<Vec<_>>().join(", ");
    if known.len() > at_most {
        text.push_str(&format!(" and {} more", known.len() - at_most));
    }
    text
}
