//! The reference of the functions, and how a function's head reads in a hover.

use std::fmt::Write;

use super::{ALIASES, Builtin, Family, Gives, Param, Takes, all};
use crate::value::Kind;

/// `docs/reference/functions.md`, as the table has it.
pub fn reference() -> String {
    let mut out = String::from(
        "# Functions\n\n\
         The functions that a mapping can call. `x | f y` and `f(x, y)` are the same call. `?` after a type says that the\n\
         value may be missing; a parameter in `[ ]` can be left out. If the first argument is missing, the result is\n\
         missing, unless the description says otherwise. Each example is run as a test.\n\n\
         This page is written by the program from the table of its functions.\n",
    );
    let mut family = None;
    for builtin in all() {
        if family != Some(builtin.family) {
            family = Some(builtin.family);
            section(&mut out, builtin.family);
        }
        function(&mut out, builtin);
    }
    out
}

/// `round(number: integer or decimal, [places: integer], [how: …]) -> the same kind`
pub fn signature(builtin: &Builtin) -> String {
    let parameters: Vec<String> = builtin.takes.iter().map(parameter).collect();
    format!("{}({}) -> {}", builtin.name, parameters.join(", "), gives(&builtin.gives))
}

fn section(out: &mut String, family: Family) {
    let (title, says) = match family {
        Family::Text => ("Text", ""),
        Family::Numbers => ("Numbers", "All numbers are exact, with 28 digits. They are rounded only where you write it."),
        Family::Money => ("Money", "No function converts one currency into another."),
        Family::Dates => ("Dates and times", "Working days are Monday to Friday. Public holidays are not known."),
        Family::Lists => (
            "Lists and aggregates",
            "A missing list counts as an empty one. `sum(e for x in xs where c)` calls the function of that name \
             with the list of all values of `e`.",
        ),
        Family::Addresses => ("Addresses", "Countries and states are known by any of their codes and usual names."),
        Family::Contacts => ("E-mail and telephone", ""),
        Family::Units => ("Weights and lengths", ""),
        Family::Codes => ("Codes", ""),
        Family::Json => ("JSON", "`x $ \"$.path\"` reads inside a `json` value."),
        Family::Conversions => (
            "Conversions",
            "The result of a conversion that can fail for a good record may be missing, so the mapping has to handle that. \
             The result of every conversion of a `json` value may be missing.",
        ),
        Family::Patterns => {
            ("Patterns", "They are used with `matches`: `order.Email matches email`. The first parameter is the text that is tested.")
        }
    };
    // Writing to a text cannot fail.
    let _ = writeln!(out, "\n## {title}");
    if !says.is_empty() {
        let _ = writeln!(out, "\n{says}");
    }
}

fn function(out: &mut String, builtin: &Builtin) {
    let _ = writeln!(out, "\n### {}\n\n```\n{}\n```\n\n{}\n", builtin.name, signature(builtin), builtin.says);
    for (alias, _) in ALIASES.iter().filter(|(_, name)| *name == builtin.name) {
        let _ = writeln!(out, "Also written `{alias}`.\n");
    }
    let _ = writeln!(out, "| example | gives |\n| --- | --- |");
    for example in builtin.examples {
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(out, "| `{}` | `{}` |", cell(example.call), cell(example.gives));
    }
}

fn parameter(param: &Param) -> String {
    let question = if param.nullable { "?" } else { "" };
    let one = format!("{}: {}{question}", param.name, takes(&param.takes));
    if param.optional { format!("[{one}]") } else { one }
}

fn takes(takes: &Takes) -> String {
    match takes {
        Takes::Kind(kind) => kind.to_string(),
        Takes::OneOf(kinds) => or(kinds),
        Takes::Any => "anything".to_owned(),
        Takes::List => "list".to_owned(),
        Takes::ListOf(kinds) => format!("list of {}", or(kinds)),
        Takes::Words(words) => words.join(" | "),
        Takes::Pattern => "pattern".to_owned(),
    }
}

fn or(kinds: &[Kind]) -> String {
    let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn gives(gives: &Gives) -> String {
    match gives {
        Gives::Kind(kind) => kind.to_string(),
        Gives::Maybe(kind) => format!("{kind}?"),
        Gives::First => "the same kind".to_owned(),
        Gives::MaybeFirst => "the same kind?".to_owned(),
        Gives::Element => "an element".to_owned(),
        Gives::MaybeElement => "an element?".to_owned(),
        Gives::List(kind) => format!("list of {kind}"),
    }
}
