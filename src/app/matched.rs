//! Records of the other side, which the matches of a flow search: `NAME=FILE`.

use std::collections::BTreeMap;

use super::Failure;
use crate::base::nearest;
use crate::eval::queries::{Given, Sought};
use crate::ir::Flow;
use crate::value::Json;

/// Reads the files of such pairs, by the names of the flow's matches.
///
/// # Errors
/// A pair has no `=`, the flow has no such match, or a file cannot be read.
pub fn given(pairs: &[String], flow: &Flow, load: &dyn Fn(&str) -> Result<Vec<Json>, Failure>) -> Result<Given, Failure> {
    let mut given = BTreeMap::new();
    for pair in pairs {
        let (name, path) = pair
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{pair}` names no match")).hint("write --matched order=fixtures/order.json"))?;
        if !flow.matches.iter().any(|found| found.name == name) {
            let known: Vec<&str> = flow.matches.iter().map(|found| found.name.as_str()).collect();
            let failure = Failure::usage(format!("`{}` has no match called `{name}`", flow.name));
            return Err(match (nearest(name, known.iter().copied()), known.is_empty()) {
                (Some(near), _) => failure.hint(format!("did you mean {near}?")),
                (None, true) => failure.hint("it looks nothing up: remove --matched"),
                (None, false) => failure.hint(format!("its matches are {}", known.join(", "))),
            });
        }
        given.insert(name.to_owned(), load(path)?);
    }
    Ok(Given::new(flow, given))
}

/// How a match went, in one line: what it looked for, and what it found.
pub fn text(sought: &Sought) -> String {
    let key = |(field, values): &(String, Vec<String>)| match values.as_slice() {
        [] => format!("{field} (the record has no value for it)"),
        [one] => format!("{field} = {one}"),
        many => format!("{field} = one of {}", many.join(", ")),
    };
    let keys: Vec<String> = sought.keys.iter().map(key).collect();
    let records = if sought.among == 1 { "1 record".to_owned() } else { format!("{} records", sought.among) };
    if sought.unkeyed {
        let fields: Vec<&str> = sought.keys.iter().map(|(field, _)| field.as_str()).collect();
        return format!("match `{}` treats {records} as found: none has {}, by which it searches", sought.name, fields.join(" or "));
    }
    match &sought.by {
        Some(by) => format!("match `{}` found {} of {records} by {by}", sought.name, sought.found),
        None => format!("match `{}` found none of {records}: it searched for {}", sought.name, keys.join(", then ")),
    }
}
