//! What is said about a project's files and folders.

pub(in crate::project) mod settings;

use super::columns::Wrong;
use super::records::Form;
use super::{Absence, NotText};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{CHARSETS, FileId, Span};
use crate::syntax::EDITION;
use crate::system;
use crate::yaml::{NotYaml, Unreadable};

/// How a project's file is told that is no YAML.
pub(super) fn no_yaml_of(file: FileId) -> NotYaml<'static> {
    NotYaml { code: Code::BadProject, file, message: "the project file is not readable as YAML" }
}

/// Nothing is connected: whatever a mapping names is not known.
pub(super) fn no_connections(file: &str, at: Span) -> Diagnostic {
    let such = system::all().take(2).filter_map(|(system, manifest)| Some(format!("{}: {{ system: {system} }}", manifest.connections.first()?)));
    Diagnostic::new(Code::BadProject, at, format!("{file} names no connection"))
        .why("a mapping reads and writes objects of connections: none of it can be checked")
        .help(format!("write such as   connections: {{ {} }}", such.collect::<Vec<_>>().join(", ")))
}

/// A file of the project that is there and cannot be read as text.
pub(super) fn unreadable(name: &str, at: Span, absence: &Absence) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{name}` cannot be read"))
        .label(absence.to_string())
        .help("look at its permissions, and that it is a file")
}

/// A file in another encoding, told in the file itself.
pub(super) fn not_text(code: Code, name: &str, file: FileId, not: &NotText) -> Diagnostic {
    let end = not.text.get(not.at..).and_then(|rest| rest.chars().next()).map_or(not.at, |c| not.at + c.len_utf8());
    let words = Absence::NotText(not.clone()).to_string();
    Diagnostic::new(code, Span::new(file, not.at, end), format!("`{name}` cannot be read as text")).label(words).help(not.help())
}

pub(super) fn wrong_shape(at: Span, what: &str, wants: &str, has: &str) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{what}` cannot be used")).label(format!("{wants} is wanted here, not {has}"))
}

pub(super) fn unknown_key(key: &str, at: Span, whole: &str, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, at, format!("{whole} has no setting `{key}`")).did_you_mean(key, at, known.iter().copied());
    if said.help.is_empty() { said.help(format!("settings are: {}", known.join(", "))) } else { said }
}

/// An empty block, and names behind it that belong in it.
pub(super) fn not_indented(key: &str, at: Span, inner: &[&str]) -> Diagnostic {
    let names: Vec<String> = inner.iter().map(|name| format!("`{name}`")).collect();
    let (few, more) = names.split_at(names.len().min(3));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    Diagnostic::new(Code::BadProject, at, format!("nothing is indented below `{key}`"))
        .label("this block is empty")
        .why("what belongs to a name is indented further than the name itself")
        .help(format!("indent {}{more} by 2 spaces", few.join(", ")))
}

/// A connection that stands beside `connections`, and not in it.
pub(super) fn connection_outside(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("the connection `{name}` stands outside of `connections`"))
        .label("not indented as a connection is")
        .help("put it below `connections:`, and indent it by 2 spaces")
}

/// The name under `csv` is not that of a CSV file.
pub(super) fn no_csv(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{name}` is not the name of a CSV file"))
        .label("a name here ends in .csv")
        .help("remove it: JSON and JSONL are read as UTF-8 or UTF-16, which is detected from their first bytes")
}

pub(super) fn unknown_charset(name: &str, at: Span) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, at, format!("there is no encoding `{name}`"));
    let said = said.did_you_mean(name, at, CHARSETS.iter().copied());
    if said.help.is_empty() { said.help(format!("encodings are: {} and others", CHARSETS.join(", "))) } else { said }
}

pub(super) fn bad_separator(text: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{text}` is not a separator of cells"))
        .label("one character is wanted here")
        .help("write a character such as \";\" or \"^\", or the word tab")
}

pub(super) fn bad_alert(what: &str, at: Span, why: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{what}` cannot be used")).label(why).help(help)
}

pub(super) fn no_mail_server(owner: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("the alerts of `{owner}` go by e-mail, and no server is named"))
        .label("nothing can send to this address")
        .help("add `email: { server: \"smtps://user:${SMTP_PASSWORD}@mail.example.com\", from: crossdock@example.com }` to `alerts`")
}

pub(super) fn mail_without(missing: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`alerts.email` does not say its `{missing}`"))
        .help("write `email: { server: \"smtps://user:${SMTP_PASSWORD}@mail.example.com\", from: crossdock@example.com, to: ops@example.com }`")
}

pub(super) fn no_system(connection: &str, at: Span) -> Diagnostic {
    let known = system::names();
    Diagnostic::new(Code::BadProject, at, format!("connection `{connection}` does not say its system"))
        .label("no `system` here")
        .why("without it nothing is known of the connection's objects")
        .help(format!("add `system: {}` (or another of: {})", known.first().copied().unwrap_or_default(), known.join(", ")))
}

/// `own`: the systems that the project describes.
pub(super) fn unknown_system(system: &str, at: Span, own: &[String]) -> Diagnostic {
    let known: Vec<&str> = system::names().into_iter().chain(own.iter().map(String::as_str)).collect();
    let said = Diagnostic::new(Code::UnknownSystem, at, format!("there is no system `{system}`")).did_you_mean(system, at, known.iter().copied());
    if !said.help.is_empty() {
        return said;
    }
    said.help(format!("systems are: {}", known.join(", ")))
        .help(format!("another one is described in the project: `crossdock system new {system}` writes a draft of `systems/{system}/system.yaml`"))
}

/// A project describes a system of a name that one of the program has.
pub(super) fn taken_system(system: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("a system `{system}` comes with Crossdock, and `systems/{system}` describes another one"))
        .label("which one is meant is not clear")
        .help(format!("give the folder another name, and write it here and behind `system:` in its system.yaml: `systems/my-{system}`"))
        .help(format!("or delete the folder `systems/{system}`, to use the one that comes with Crossdock"))
}

/// A description that is there and cannot be read as a text.
pub(super) fn unreadable_description(path: &str, at: Span, absence: &Absence) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, at, format!("`{path}` cannot be read")).label(absence.to_string())
}

/// A connection of one system is called like another system, which the project describes.
pub(super) fn like_own_system(connection: &str, at: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadProject,
        at,
        format!("the connection `{connection}` is called like the system that `systems/{connection}` describes, and is of another one"),
    )
    .label(format!("the schemas of both would stand in `schemas/{connection}`"))
    .help("give the connection another name, here and in the mappings")
    .help("or give the system another name: that of its folder in `systems/` and in `schemas/`, and behind `system:` in its system.yaml")
}

/// A description of which the objects are not known.
pub(super) fn no_schemas(system: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("the objects of `{system}` have no schemas yet"))
        .label(format!("there is no file in `schemas/{system}/`"))
        .why("what its records hold is not known, so no mapping of them can be checked")
        .help(format!("derive them from the vendor's file: `crossdock system import {system} --openapi FILE`, or `--graphql FILE`"))
}

/// What a probe found cannot be read.
pub(super) fn bad_probe(file: FileId, why: &Unreadable) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, Span::new(file, why.at, why.at + 1), "what a probe found cannot be read")
        .label(why.message.clone())
        .help("`crossdock system probe` writes this file: run it again, or delete the file")
}

pub(super) fn bad_name(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{name}` cannot be the name of a connection"))
        .label("letters, digits and `_`, beginning with a letter")
        .help("mapping files write it in front of an object, as in `crm.Order`")
}

pub(super) fn unknown_zone(zone: &str, at: Span) -> Diagnostic {
    let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let said = Diagnostic::new(Code::BadProject, at, format!("there is no time zone `{zone}`"))
        .why("`today` in a mapping would mean no day")
        .did_you_mean(zone, at, known.iter().map(String::as_str));
    if !said.help.is_empty() {
        return said;
    }
    said.help("write a name of the zone database, as `Europe/London` or `UTC`")
}

pub(super) fn no_environment(name: &str, known: &[String]) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, Span::default(), format!("the project has no environment `{name}`"));
    if known.is_empty() {
        said.help(format!("write its settings in crossdock.{name}.yaml"))
    } else {
        said.help(format!("environments are: {}", known.join(", ")))
    }
}

pub(super) fn files_without_path(object: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("the files of `{object}` are not named"))
        .label("no `path` here")
        .help("add `path: data/orders.jsonl` (a .jsonl, .json or .csv file)")
}

pub(super) fn unknown_edition(edition: u32, at: Span) -> Diagnostic {
    Diagnostic::new(Code::Edition, at, format!("there is no edition {edition} of the language"))
        .label(format!("this program knows edition {EDITION}"))
        .mend(format!("write `{EDITION}`, or take a newer crossdock"), at, EDITION.to_string())
}

pub(super) fn no_edition(at: Span) -> Diagnostic {
    Diagnostic::new(Code::Edition, at, "the file does not say its edition")
        .why("a later crossdock could not tell by which rules the file was written")
        .mend("begin the file with it", at, format!("edition {EDITION}\n\n"))
}

/// `use` or `extends` names a file that cannot be had.
pub(super) fn no_file(written: &str, path: &str, at: Span, absence: &Absence, known: &[(String, String)]) -> Diagnostic {
    match absence {
        Absence::Outside => Diagnostic::new(Code::OutsideProject, at, format!("`{written}` lies outside the project"))
            .why("a project is whole by itself: what it maps with is what its folder holds")
            .help("copy the file into the project's folder, or move crossdock.yaml to a folder above both"),
        Absence::NotFound => {
            let said = Diagnostic::new(Code::FileNotFound, at, format!("there is no file `{path}`"));
            let name = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
            // Another folder is the likelier slip than another name.
            let moved = known.iter().find(|(as_written, _)| name(as_written) == name(written));
            match moved {
                Some((as_written, _)) => {
                    let quoted = format!("\"{as_written}\"");
                    said.mend(format!("did you mean `{as_written}`?"), at, quoted)
                }
                None => match crate::base::nearest(written, known.iter().map(|(as_written, _)| as_written.as_str())) {
                    Some(near) => said.mend(format!("did you mean `{near}`?"), at, format!("\"{near}\"")),
                    None => said.help("paths begin at the folder of the file that names them; `.dock` may be left out"),
                },
            }
        }
        other => Diagnostic::new(Code::FileNotFound, at, format!("`{path}` cannot be read")).label(other.to_string()),
    }
}

/// `chain` are the files from the first to the one that names the first again.
pub(super) fn cycle(chain: &[(String, Span)]) -> Diagnostic {
    let names: Vec<&str> = chain.iter().map(|(name, _)| name.as_str()).collect();
    let (last, rest) = match chain.split_last() {
        Some((last, rest)) => (last.1, rest),
        None => (Span::default(), chain),
    };
    let mut said = Diagnostic::new(Code::ImportCycle, last, format!("`{}` brings itself in", names.first().copied().unwrap_or_default()))
        .label(format!("brings in `{}` again", names.first().copied().unwrap_or_default()));
    for (i, (_, span)) in rest.iter().enumerate() {
        said = said.other(*span, format!("brings in `{}`", names.get(i + 1).copied().unwrap_or_default()));
    }
    said.help("move what both files need into a file of its own, and bring that in")
}

pub(super) fn bad_schema(at: Span, what: &str, why: &str) -> Diagnostic {
    Diagnostic::new(Code::BadSchema, at, format!("the schema `{what}` cannot be read"))
        .label(why)
        .why("nothing is known of the object, so no mapping that uses it can be checked")
}

/// A file of records whose headings are not what the flows read.
pub(super) fn wrong_columns(path: &str, at: Span, schema: &str, wrong: &Wrong) -> Diagnostic {
    let (words, helps) = wrong.words();
    let said = Diagnostic::new(Code::ColumnMissing, at, format!("{path} {words}"));
    let said = match wrong {
        Wrong::Twice(_) => said.why("which of the two is read would hang on their order"),
        Wrong::OneHeading { .. } => said.why("every record would be read without the columns that the flows read"),
        Wrong::Lacking(names) => {
            let them = if names.len() == 1 { "it" } else { "them" };
            said.label(format!("a flow reads {them}, and {schema} names {them}")).why(format!("every record would be read without {them}"))
        }
    };
    helps.into_iter().fold(said, Diagnostic::help)
}

/// A file of the project in another encoding.
pub(super) fn bad_text(code: Code, at: Span, path: &str, words: &str, help: &str) -> Diagnostic {
    Diagnostic::new(code, at, format!("`{path}` cannot be read as text")).label(words).help(help)
}

pub(super) fn absent_schema(at: Span, what: &str, absence: &Absence) -> Diagnostic {
    match absence {
        Absence::Outside => Diagnostic::new(Code::OutsideProject, at, format!("`{what}` lies outside the project")),
        absence if matches!(Form::of(what), Form::Csv | Form::JsonLines) => unreadable_records(at, what, absence),
        other => bad_schema(at, what, &other.to_string()),
    }
}

pub(super) fn unreadable_records(at: Span, path: &str, absence: &Absence) -> Diagnostic {
    let reason = match absence {
        Absence::Unreadable(reason) => reason.clone(),
        other => other.to_string(),
    };
    Diagnostic::new(Code::BadSchema, at, format!("the records in `{path}` cannot be read"))
        .label(reason)
        .help("correct the path, the file, or its `encoding` under `csv` in crossdock.yaml")
}

pub(super) fn bad_allowance(at: Span, text: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, text).help(help)
}

pub(super) fn unknown_allowance(written: &str, at: Span) -> Diagnostic {
    let known = Code::ALL.iter().map(|code| code.number()).filter(|code| code.starts_with('W'));
    let d = Diagnostic::new(Code::BadProject, at, format!("there is no warning {written}")).did_you_mean(written, at, known);
    d.help("`crossdock check` shows the code of each warning")
}

pub(super) fn allowance_nowhere(within: &crate::check::Setting, known: &[String]) -> Diagnostic {
    let d = Diagnostic::new(Code::BadProject, within.span, format!("`{}` is neither a mapping file nor a flow of the project", within.text));
    let d = d.did_you_mean(&within.text, within.span, known.iter().map(String::as_str));
    if d.help.is_empty() { d.help("name a file, as orders.dock, or a flow") } else { d }
}

pub(super) fn useless_allowance(code: Code, within: Option<&crate::check::Setting>, at: Span) -> Diagnostic {
    let place = within.map_or(String::new(), |within| format!(" in {}", within.text));
    Diagnostic::new(Code::UselessAllowance, at, format!("there is no {code}{place} to allow"))
        .why("it would hide the next warning of this kind")
        .help("take the line out")
}
