//! Doubts about what is seldom meant, and the few mistakes of the same kind.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::error::names::some;
use crate::value::{Literal, ObjectRef};

pub(in crate::check) fn also_a_parameter(name: &str, span: Span, parameter: Option<Span>) -> Diagnostic {
    let d = Diagnostic::new(Code::AmbiguousName, span, format!("`{name}` is the name of a parameter, too"))
        .label("given a second meaning here")
        .why("a reader, and every expression below, would take one for the other")
        .help(format!("give it another name, such as `our_{name}`"));
    match parameter {
        Some(parameter) => d.other(parameter, "the parameter"),
        None => d,
    }
}

pub(in crate::check) fn key_set_again(of: &ObjectRef, key: &str, row: Span, head: Span) -> Diagnostic {
    Diagnostic::new(Code::FieldSetTwice, row, format!("`{of}.{key}` is set by the write's key and by this row"))
        .other(head, "the key is written here")
        .why("the record would be sent under another key than the one that it is known by, and could be made twice")
        .mend("take the row out: the key sets the field", row, "")
}

pub(in crate::check) fn not_ascending(at: Span, all: Span, thresholds: &[Literal]) -> Diagnostic {
    let mut numbers: Vec<_> = thresholds.iter().filter_map(|one| if let Literal::Number(number) = one { Some(*number) } else { None }).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let sorted = numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Diagnostic::new(Code::BadMilestone, at, "thresholds ascend, and this one does not")
        .why("each is reached after the one before it, so this one would never be told by itself")
        .mend(format!("write them in order:   ({sorted})"), all, sorted)
}

pub(in crate::check) fn guard_without_target(at: Span) -> Diagnostic {
    Diagnostic::new(Code::GuardWithoutTarget, at, "this guard does not look at the target")
        .label("reads nothing of `target`")
        .why("a guard tells whether the record as the target holds it now may still be changed; this one says the same whatever stands there")
        .help("read the target:   guard target.… in (…)")
        .help("or, if it is the source that decides, write it as the write's `when`")
}

pub(in crate::check) fn set_only_once(of: &ObjectRef, name: &str, row: Span) -> Diagnostic {
    Diagnostic::new(Code::SetOnlyOnce, row, format!("`{of}.{name}` is taken only when the record is made"))
        .label("sent with every update, too")
        .why("an update that holds another value of it is refused as a whole, or the value is ignored")
        .mend("set it when the record is made, and never again", row.after(), " once")
}

pub(in crate::check) fn stamp_stays(name: &str, created: bool, at: Span, instead: &str) -> Diagnostic {
    Diagnostic::new(Code::StampStays, at, format!("`{name}` does not move when the record changes"))
        .label(if created { "set when the record is made" } else { "set by people, not by each change" })
        .why("a record that is changed later is not fetched again, and its change is never sent")
        .mend(format!("name the timestamp that changes:   {instead}"), at, instead)
}

pub(in crate::check) fn not_searchable(of: &ObjectRef, field: &str, known: &[&str], at: Span) -> Diagnostic {
    let mut fields: Vec<&str> = Vec::new();
    known.iter().for_each(|field| {
        if !fields.contains(field) {
            fields.push(field);
        }
    });
    Diagnostic::new(Code::NotSearchable, at, format!("`{of}` cannot be searched by `{field}`"))
        .label("every record has to be read to find one")
        .why("each look-up reads the whole list page by page: 20,000 records are 40 calls, and the rate limit holds up everything else")
        .help(format!("match by a field that the system searches: {}", some(&fields, 6)))
}

pub(in crate::check) fn text_dropped(path: &str, at: Span, parts: &[String], first: Span, mended: String) -> Diagnostic {
    let names: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Diagnostic::new(Code::TextDropped, at, format!("nothing of this text is sent where {} is missing", some(&names, 3)))
        .other(first, "may be missing")
        .why(format!("a text with a missing part is missing itself, and `{path}` then stays as it is"))
        .mend("say what stands for the missing part", at, mended)
}

pub(in crate::check) fn unit_differs(name: &str, named: &str, said: &str, at: Span, unit: Option<Span>) -> Diagnostic {
    let d = Diagnostic::new(Code::UnitDiffers, at, format!("`{name}` is named in {named}, and this takes it as {said}"))
        .label(format!("{said} here"))
        .why("every weight or length would be wrong by the same factor, and nothing would tell");
    match unit {
        Some(unit) => d.mend(format!("take the unit of the name:   as {named}"), unit, named),
        None => d.help(format!("convert it:   (… as {named}) | number_in {said}   or the other way round")),
    }
}

pub(in crate::check) fn looks_like_code(text: &str, at: Span, mended: String, why: &str) -> Diagnostic {
    Diagnostic::new(Code::LooksLikeCode, at, "this text looks like an expression")
        .label("sent just as it stands")
        .why(format!("{why}: every record would hold the letters {text}"))
        .mend(format!("write   {mended}"), at, mended)
}

pub(in crate::check) fn no_message(word: &str, condition: Span, text: &str, path: bool) -> Diagnostic {
    let plain = text.replace('"', "'").replace(['{', '}', '\\'], "");
    let message = match word {
        "require" | "warn" if path => {
            let field = text.rsplit('.').next().unwrap_or(text);
            format!("{} is missing", super::presence::spoken(field))
        }
        "require" => format!("it has to be so: {plain}"),
        _ => plain,
    };
    Diagnostic::new(Code::NoMessage, condition, format!("this `{word}` says nothing to the person who reads it"))
        .label("no message")
        .why("who works through the exceptions sees the condition as it is written here, and not what to do")
        .mend(format!("add a message:   \"{message}\""), condition.after(), format!(" \"{message}\""))
}

pub(in crate::check) fn may_be_silent(at: Span, value: Span, text: &str, whole: &str, review: bool) -> Diagnostic {
    let rule = if review { "this review" } else { "this rule" };
    let shown = if text.contains(" | ") { format!("({text})") } else { text.to_owned() };
    let mended = format!("({shown} is missing or {whole})");
    Diagnostic::new(Code::MayBeSilent, at, format!("{rule} is silent where `{text}` is missing"))
        .other(value, "may be missing")
        .why("a comparison with a missing value is false: such a record goes through as if all were well")
        .mend(format!("say what holds then:   {mended}"), at, mended)
}

/// `beside` is the number as it is written, or the name of a parameter.
pub(in crate::check) fn currency_unsaid(text: &str, currency: &str, beside: &str, parameter: Option<&str>, at: Span) -> Diagnostic {
    let say = match parameter {
        Some(name) => format!("give `{name}` a value with its currency, such as \"500.00 EUR\": other currencies need a rule of their own"),
        None => format!("say its currency, and name each that the rule is for:   {text} > {beside} EUR or {text} > … GBP"),
    };
    Diagnostic::new(Code::CurrencyUnclear, at, format!("`{text}` has a currency of its own, and the number beside it has none"))
        .label(format!("`{currency}` is not looked at"))
        .why("500 yen and 500 pounds would be treated alike")
        .help(say)
        .help(format!("or ask for it first:   {currency} == \"USD\" and …"))
}

pub(in crate::check) fn brackets(at: Span, op: Span, close: String, wide: String) -> Diagnostic {
    Diagnostic::new(Code::NeedsBrackets, at, "`??` beside an arithmetic sign needs brackets")
        .other(op, "which of the two comes first")
        .why("read the other way it gives another number, and nothing would tell")
        .mend(format!("write   {close}"), at, close)
        .mend(format!("or   {wide}"), at, wide)
}

pub(in crate::check) fn no_such_key(table: &str, path: &str, key: &str, value: &str, at: Span, near: Option<&str>) -> Diagnostic {
    let d = Diagnostic::new(Code::KeyNotInTable, at, format!("the table `{table}` has no row with `{key}` \"{value}\""))
        .label(format!("not in {path}"))
        .why("the row would be missing for every record that comes to this");
    match near {
        Some(near) => d.mend(format!("did you mean \"{near}\"?"), at, format!("\"{near}\"")),
        None => d.help(format!("add a row to {path}, or name a key that it has")),
    }
}

pub(in crate::check) fn keys_swapped(table: &str, keys: (&str, &str), at: Span, swapped: String, certain: bool) -> Diagnostic {
    let text = format!("the keys of `{table}` stand the other way round: first `{}`, then `{}`", keys.0, keys.1);
    let code = if certain { Code::KeyNotInTable } else { Code::NoRowFits };
    Diagnostic::new(code, at, text).label("swapped").why("no row would be found, or a wrong one").mend(format!("swap them:   {swapped}"), at, swapped)
}

pub(in crate::check) fn no_row_fits(what: &str, name: &str, source: &str, at: Span, rows: &[&str], values: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::NoRowFits, at, format!("no row of the {what} `{name}` fits any value of `{source}`"))
        .label(format!("values: {}", some(values, 4)))
        .why(format!("its rows are for {}: each record would be treated as if it had no row", some(rows, 4)))
        .help("write the rows for the values that come, or give it the value that the rows are for")
}

pub(in crate::check) fn of_another_field(map: &str, from: &str, field: &str, at: Span, mended: String) -> Diagnostic {
    Diagnostic::new(Code::NoRowFits, at, format!("`{map}` maps the values of `{from}`, and this is `{field}`"))
        .label("any text, of another field")
        .why("its rows are the values of the other field: whatever stands here goes to the map's `else`")
        .mend(format!("did you mean {mended}?"), at, mended)
}
