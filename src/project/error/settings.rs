//! What is said about the settings of `crossdock.yaml`.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::Setting;
use crate::project::settings::no_source as no_source_words;
use crate::yaml::Entry;

pub(in crate::project) fn of_no_system(key: &str, at: Span, connection: &str, system: &str, known: &[&str], other: Option<&str>) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, at, format!("`connections.{connection}` has no setting `{key}`"));
    let said = match other {
        Some(other) => said.label(format!("a setting of {other}, and this connection is of {system}")),
        None => said,
    };
    let near = alike(key, known);
    match near {
        Some(near) => said.mend(format!("did you mean `{near}`?"), at, near),
        None => said.help(format!("settings of {system} are: {}", known.join(", "))),
    }
}

/// The setting that a name of another system or another program stands for.
fn alike<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    const NAMES: &[(&[&str], &str)] = &[
        (&["url", "login_url", "loginurl", "instance_url", "host", "domain", "endpoint", "base_url", "server"], "login"),
        (&["consumer_key", "clientid", "app_id", "key", "user"], "client_id"),
        (&["consumer_secret", "clientsecret", "app_secret"], "client_secret"),
        (&["key_file", "pem", "privatekey", "certificate", "jwt_key"], "private_key"),
        (&["user", "user_name", "username", "login_name"], "username"),
        (&["version", "apiversion"], "api_version"),
        (&["key", "apikey", "token", "api_token", "access_token"], "api_key"),
        (&["secret", "apisecret", "api_password"], "api_secret"),
        (&["login", "host", "endpoint", "base_url", "login_url", "server"], "url"),
    ];
    let lower = key.to_lowercase().replace('-', "_");
    let by_name = NAMES.iter().filter(|(others, _)| others.contains(&lower.as_str())).find_map(|(_, ours)| known.iter().find(|known| *known == ours));
    by_name.copied().or_else(|| crate::base::nearest(key, known.iter().copied()))
}

/// A setting that is neither a text nor a file's.
pub(in crate::project) fn no_source(connection: &str, option: &Entry, at: Span) -> Diagnostic {
    let (message, help) = no_source_words(connection, &option.key);
    let said = Diagnostic::new(Code::BadProject, at, message);
    let variable = match option.value.entries() {
        Some([only]) => only.value.text().filter(|_| only.key != "file"),
        _ => None,
    };
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // `{ env: KEY }`, as other programs have it.
    match variable.filter(is_name) {
        Some(name) => said.help(format!("a value of the environment is written `\"${{{name}}}\"`")),
        None => said.help(help),
    }
}

pub(in crate::project) fn bad_reference(text: &str, name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{text}` is no reference to the environment"))
        .why("it would be taken as it stands, and the system would refuse it")
        .mend(format!("write `\"${{{name}}}\"`"), at, format!("\"${{{name}}}\""))
}

pub(in crate::project) fn no_name_in_reference(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`${{{name}}}` names no variable of the environment"))
        .help("a variable's name has letters, digits and `_`: `\"${SS_KEY}\"`; a default cannot be given here")
}

pub(in crate::project) fn secret_written_out(key: &str, at: Span, connection: &str) -> Diagnostic {
    let name = format!("{}_{}", connection.to_uppercase(), key.to_uppercase());
    Diagnostic::new(Code::BadProject, at, format!("a secret stands here in the open: `{key}`"))
        .why("who can read the project could act as you, also in its history")
        .mend(format!("take it from the environment: `\"${{{name}}}\"`, and make a new one in the system"), at, format!("\"${{{name}}}\""))
        .hide(at)
}

/// An address of alerts with a secret in it. `instead`: the same with the secret from the environment.
pub(in crate::project) fn secret_in_alerts(what: &str, at: Span, instead: &str) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("a secret stands here in the open: `{what}`"))
        .why("who can read the project could send as you, also in its history")
        .mend(format!("take it from the environment: `\"{instead}\"`, and make a new one at the service"), at, format!("\"{instead}\""))
        .hide(at)
}

/// A user and a password in the address of a connection.
pub(in crate::project) fn password_in_address(key: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("a secret stands here in the open: `{key}`"))
        .why("who can read the project could act as you, also in its history")
        .help("take the user and the password out of the address: they have settings of their own; and make a new password in the system")
        .hide(at)
}

/// Whether an address has a password in it: `https://user:password@host`.
pub(in crate::project) fn has_password(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains('@')) && !text.contains("${")
}

pub(in crate::project) fn no_https(key: &str, text: &str, at: Span, right: Option<&str>, example: Option<&str>) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, at, format!("`{key}` is no address that begins with https://"))
        .why("secrets are sent there, and without TLS anybody on the way could read them");
    if has_password(text) {
        return said.hide(at).help("take the user and the password out of the address: they have settings of their own");
    }
    let said = said.label(format!("`{text}`"));
    match right {
        Some(right) => said.mend(format!("write `{right}`"), at, format!("\"{right}\"")),
        None => said.help(format!("write it as `{}`", example.unwrap_or("https://…"))),
    }
}

pub(in crate::project) fn no_number(key: &str, text: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("`{key}` is a whole number, and `{text}` is none")).help("write digits alone, such as 2000")
}

pub(in crate::project) fn no_version(text: &str, at: Span, title: &str, example: Option<&str>) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, at, format!("`{text}` is no version of the API"));
    let number: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    match number.parse::<f32>() {
        Ok(number) if number > 0.0 => said.mend(format!("write `v{number:.1}`"), at, format!("v{number:.1}")),
        _ => said.help(format!("write it as {title} does: {}", example.unwrap_or("v1.0"))),
    }
}

pub(in crate::project) fn no_store(text: &str, at: Span, path: &str) -> Diagnostic {
    Diagnostic::new(Code::BadProject, at, format!("there is no store `{text}`")).label("a store is a file of SQLite").mend(
        format!("write `sqlite:{path}`"),
        at,
        format!("sqlite:{path}"),
    )
}

pub(in crate::project) fn no_schedule(what: &str, why: &str, setting: &Setting, right: Option<&str>) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, setting.span, format!("`{what}` is no schedule")).label(why.to_owned());
    let off = if what == "schema_drift" { ", or `off`" } else { "" };
    match right {
        Some(right) => {
            said.mend(format!("write `{right}`"), setting.span, if right.contains(':') { format!("\"{right}\"") } else { right.to_owned() })
        }
        None => said.help(format!("write `5 minutes`, `\"02:00\"` for a time of each day, or `\"0 6 * * 1-5\"` as cron does{off}")),
    }
}

pub(in crate::project) fn unknown_flow(flow: &str, at: Span, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::BadProject, at, format!("`schedules` names a flow that is not there: `{flow}`"))
        .why("its schedule would never be used")
        .did_you_mean(flow, at, known.iter().copied());
    match known {
        _ if !said.help.is_empty() => said,
        [] => said.help("the project has no flow: take the entry out"),
        known => said.help(format!("flows are: {}", known.join(", "))),
    }
}

/// A value that no mapping takes: a mistake of writing where one is near that has no value, and a doubt else.
pub(in crate::project) fn unknown_parameter(name: &str, at: Span, unset: &[&str], known: &[&str]) -> Diagnostic {
    let near = crate::base::nearest(name, unset.iter().copied());
    let code = if near.is_some() { Code::BadProject } else { Code::Unused };
    let said = Diagnostic::new(code, at, format!("no mapping declares the parameter `{name}`")).why("its value would never be used").did_you_mean(
        name,
        at,
        unset.iter().copied(),
    );
    if said.help.is_empty() {
        said.help(if known.is_empty() {
            "declare it in a mapping: `parameter name: type`".to_owned()
        } else {
            format!("parameters are: {}", known.join(", "))
        })
    } else {
        said
    }
}

/// A name under `csv` that is that of no file, and the one that may be meant.
pub(in crate::project) fn no_such_csv(name: &str, at: Span, near: Option<&str>, code: Code) -> Diagnostic {
    let said = Diagnostic::new(code, at, format!("`csv` names a file that is not there: `{name}`")).why("its settings would never be used");
    match near {
        Some(near) => {
            let plain = near.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-'));
            said.mend(format!("did you mean `{near}`?"), at, if plain { near.to_owned() } else { format!("\"{near}\"") })
        }
        None => {
            said.help("a name is a path from the project's folder; `*` stands for any characters except `/`; take the entry out if the file is gone")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_help_lists_is_never_nothing() {
        let help = |said: Diagnostic| said.help.into_iter().map(|help| help.text).collect::<Vec<_>>();
        assert_eq!(help(unknown_flow("orders", Span::default(), &[])), ["the project has no flow: take the entry out"]);
        assert_eq!(help(unknown_flow("orders", Span::default(), &["refunds", "stock"])), ["flows are: refunds, stock"]);
        assert_eq!(help(unknown_parameter("limit", Span::default(), &[], &[])), ["declare it in a mapping: `parameter name: type`"]);
    }
}
