//! What the settings of a connection, a store and a schedule may say: names, references to the environment, addresses.
//!
//! A text is checked where it is written out. What comes from the environment is known only when something runs.

use std::fmt;

use thiserror::Error;

use super::error::settings as error;
use super::schedule;
use crate::base::diag::Diagnostic;
use crate::base::{FileId, Span};
use crate::check::Setting;
use crate::system::{self, Kind, SystemRef};
use crate::yaml::{Entry, Node, Shape};

/// Where the text of a connection's setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'n> {
    /// It stands there, with `${NAME}` for what is in the environment.
    Text(&'n str),
    /// `{ file: path }`: what the file holds.
    File(&'n str),
}

/// Where values of the environment come from: the process, or a test's own map.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A variable of the environment that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    pub name: String,
    /// It is set, to nothing.
    pub empty: bool,
}

impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}", self.name, if self.empty { "set and empty" } else { "not set" })
    }
}

/// The variables of a setting that have no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))]
pub struct Unfilled(pub Vec<Unset>);

/// A text with its `${NAME}`s replaced.
///
/// # Errors
/// The names that have no value.
pub fn filled(text: &str, environment: Environment<'_>) -> Result<String, Unfilled> {
    let mut out = String::with_capacity(text.len());
    let mut unset = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let Some(end) = inner.find('}') else {
            out.push_str(&rest[at..]);
            rest = "";
            break;
        };
        let name = &inner[..end];
        match environment(name) {
            Some(value) if !value.is_empty() => out.push_str(&value),
            empty => unset.push(Unset { name: name.to_owned(), empty: empty.is_some() }),
        }
        rest = &inner[end + 1..];
    }
    out.push_str(rest);
    if unset.is_empty() { Ok(out) } else { Err(Unfilled(unset)) }
}

/// Where the text of a setting comes from; `None` where it is written in another way.
pub fn source(node: &Node) -> Option<Source<'_>> {
    match &node.shape {
        Shape::Scalar { text, .. } => Some(Source::Text(text)),
        Shape::Map(entries) => match entries.as_slice() {
            [only] if only.key == "file" => only.value.text().filter(|path| !path.trim().is_empty()).map(Source::File),
            _ => None,
        },
        _ => None,
    }
}

/// What is said of a setting without a [`Source`], and what to write.
pub fn no_source(connection: &str, option: &str) -> (String, &'static str) {
    let said = format!("`connections.{connection}.{option}` is neither a text nor `{{ file: … }}`");
    (said, "write a text with `${NAME}` in it, or `{ file: path }`")
}

/// Checks the settings of one connection of a system that is known.
pub(super) fn connection(name: &str, system: &SystemRef, options: &[Entry], file: FileId, found: &mut Vec<Diagnostic>) {
    let Some(manifest) = system.manifest() else { return };
    let known = |key: &str| manifest.settings.get(key);
    // On this machine nothing is kept from anybody.
    let is_address = |key: &str| known(key).is_some_and(|setting| setting.kind == Kind::Address);
    let local = options.iter().any(|option| is_address(&option.key) && option.value.text().is_some_and(is_local));
    for option in options.iter().filter(|option| !["system", "retention"].contains(&option.key.as_str())) {
        let at = Span::new(file, option.start, option.end);
        let Some(setting) = known(&option.key) else {
            let other = system::all().find(|(_, manifest)| manifest.settings.contains_key(&option.key)).map(|(of, _)| of);
            let settings: Vec<&str> = manifest.settings.keys().map(String::as_str).collect();
            let said = error::of_no_system(&option.key, at, name, system, &settings, other);
            // Under a name that is not known a secret may stand, too.
            let secret = may_be_secret(&option.key) && option.value.text().is_some_and(|text| !text.contains("${"));
            found.push(if secret { said.hide(Span::new(file, option.value.start, option.value.end)) } else { said });
            continue;
        };
        if source(&option.value).is_none() {
            found.push(error::no_source(name, option, Span::new(file, option.value.start, option.value.end)));
            continue;
        }
        let before = found.len();
        each_text(&option.value, &mut |node| {
            let Some(text) = node.text() else { return };
            found.extend(reference(text, Span::new(file, node.start, node.end)));
        });
        if found.len() > before {
            continue;
        }
        let Some(text) = option.value.text() else { continue };
        let at = Span::new(file, option.value.start, option.value.end);
        // What comes from the environment is known only when something runs.
        if text.contains("${") {
            continue;
        }
        if setting.secret && !local && !text.trim().is_empty() {
            found.push(error::secret_written_out(&option.key, at, name));
        }
        match setting.kind {
            Kind::Text => {}
            Kind::Address => found.extend(address(&option.key, text, at, setting)),
            Kind::Number if text.trim().parse::<u64>().is_err() => found.push(error::no_number(&option.key, text, at)),
            Kind::Version if text.strip_prefix('v').is_none_or(|number| number.parse::<f32>().is_err()) => {
                found.push(error::no_version(text, at, &manifest.title, setting.written()));
            }
            Kind::Number | Kind::Version => {}
        }
    }
}

/// Whether a name is like that of a secret.
pub(super) fn may_be_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["token", "secret", "password", "passwd", "key", "credential", "auth"].iter().any(|word| key.contains(word))
}

/// Every text in a setting.
fn each_text(node: &Node, see: &mut dyn FnMut(&Node)) {
    match &node.shape {
        Shape::List(nodes) => nodes.iter().for_each(|node| each_text(node, see)),
        Shape::Map(entries) => entries.iter().for_each(|entry| each_text(&entry.value, see)),
        _ => see(node),
    }
}

fn is_local(address: &str) -> bool {
    url::Url::parse(address.trim()).is_ok_and(|url| super::alerts::is_local(&url))
}

fn address(name: &str, text: &str, at: Span, setting: &system::Setting) -> Option<Diagnostic> {
    let text = text.trim();
    if is_local(text) {
        return None;
    }
    if text.starts_with("https://") {
        let authority = text.trim_start_matches("https://").split(['/', '?', '#']).next().unwrap_or_default();
        return authority.contains('@').then(|| error::password_in_address(name, at));
    }
    let bare = text.strip_prefix("http://").unwrap_or(text);
    let right = if bare.contains("://") || !bare.contains('.') || bare.contains(' ') { None } else { Some(format!("https://{bare}")) };
    Some(error::no_https(name, text, at, right.as_deref(), setting.written()))
}

/// A wrong form of a reference to the environment.
pub(super) fn reference(text: &str, at: Span) -> Option<Diagnostic> {
    let word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.starts_with(|c: char| c.is_ascii_digit())
    };
    let text = text.trim();
    let between = |open: &str, close: &str| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).map(str::trim);
    let behind = |open: &str| text.strip_prefix(open).map(str::trim);
    let forms = [
        between("$(", ")"),
        between("${{", "}}").map(|inner| inner.rsplit('.').next().unwrap_or(inner)),
        between("{{", "}}").map(|inner| inner.rsplit('.').next().unwrap_or(inner)),
        between("{", "}"),
        between("%", "%"),
        between("<", ">"),
        between("#{", "}"),
        between("${env:", "}"),
        between("${env.", "}"),
        behind("$env:"),
        behind("env:"),
        behind("ENV."),
        behind("env."),
        behind("process.env."),
        between("ENV[\"", "\"]"),
        between("os.environ[\"", "\"]"),
        behind("${").filter(|rest| !rest.contains('}')),
        behind("$").filter(|rest| !rest.starts_with(['{', '('])),
    ];
    if let Some(name) = forms.into_iter().flatten().find(|name| word(name)) {
        return Some(error::bad_reference(text, name, at));
    }
    // `${A-B}`, `${}`: what stands between the braces is no name.
    let open = text.find("${")?;
    let rest = &text[open + 2..];
    match rest.find('}') {
        Some(end) if word(&rest[..end]) => None,
        Some(end) => Some(error::no_name_in_reference(&rest[..end], at)),
        None => Some(error::bad_reference(text, &rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>(), at)),
    }
}

/// `store: sqlite:crossdock.db`.
pub(super) fn store(setting: &Setting) -> Option<Diagnostic> {
    if let Some(wrong) = reference(&setting.text, setting.span) {
        return Some(wrong);
    }
    let text = setting.text.trim();
    if text.starts_with("${") {
        return None;
    }
    match text.split_once(':') {
        Some(("sqlite", path)) if unlike_a_file(path) => Some(error::no_store(text, setting.span, "crossdock.db")),
        Some(("sqlite", _)) => None,
        // A drive of Windows.
        Some((drive, path)) if drive.len() == 1 => unlike_a_file(path).then(|| error::no_store(text, setting.span, "crossdock.db")),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sqlite") || scheme == "sqlite3" || scheme == "file" => {
            Some(error::no_store(text, setting.span, rest.trim_start_matches('/')))
        }
        Some(_) => Some(error::no_store(text, setting.span, "crossdock.db")),
        // A word alone is more likely a kind of store, or no path at all: a number, `true`, `postgres`.
        None if unlike_a_file(text) || !text.contains(['.', '/', '\\']) => Some(error::no_store(text, setting.span, "crossdock.db")),
        None => None,
    }
}

/// It is empty, or the name of a folder.
fn unlike_a_file(path: &str) -> bool {
    let path = path.trim();
    path.is_empty() || path.ends_with(['/', '\\']) || matches!(path.rsplit(['/', '\\']).next(), Some("." | ".."))
}

/// `schedules: { export_orders: 10 minutes }`.
pub(super) fn schedule_of(what: &str, setting: &Setting, zone: &str) -> Option<Diagnostic> {
    if setting.text.contains("${") {
        return None;
    }
    let right = usual(&setting.text).filter(|right| schedule::read(right, zone).is_ok());
    schedule::read(&setting.text, zone).err().map(|why| error::no_schedule(what, &why, setting, right.as_deref()))
}

/// `schema_drift: 24 hours`, or `off`.
pub(super) fn drift(setting: &Setting, zone: &str) -> Option<Diagnostic> {
    if setting.text == "off" || setting.text.contains("${") {
        return None;
    }
    let off = matches!(setting.text.to_lowercase().as_str(), "never" | "no" | "none" | "false" | "disabled" | "off");
    let right = if off { Some("off".to_owned()) } else { usual(&setting.text).filter(|right| schedule::read(right, zone).is_ok()) };
    schedule::read(&setting.text, zone).err().map(|why| error::no_schedule("schema_drift", &why, setting, right.as_deref()))
}

/// A schedule in the words that people use for it.
fn usual(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let lower = lower.strip_prefix("every ").or(lower.strip_prefix("each ")).unwrap_or(&lower);
    let fixed = match lower {
        "weekly" | "week" => Some("7 days"),
        "daily" | "day" | "once a day" => Some("1 day"),
        "hourly" | "hour" => Some("1 hour"),
        "minute" | "minutely" => Some("1 minute"),
        "monthly" | "month" => Some("30 days"),
        _ => None,
    };
    if let Some(fixed) = fixed {
        return Some(fixed.to_owned());
    }
    let digits: String = lower.chars().take_while(char::is_ascii_digit).collect();
    let unit = match lower[digits.len()..].trim().trim_end_matches('.') {
        "m" | "min" | "mins" | "minute" | "minutes" => "minutes",
        "h" | "hr" | "hrs" | "hour" | "hours" => "hours",
        "s" | "sec" | "secs" | "second" | "seconds" => "seconds",
        "d" | "day" | "days" => "days",
        "w" | "week" | "weeks" => return digits.parse::<u32>().ok().map(|weeks| format!("{} days", weeks * 7)),
        _ => return lower.strip_prefix("day at ").or(lower.strip_prefix("at ")).map(str::to_owned),
    };
    (!digits.is_empty()).then(|| format!("{digits} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_one_form() {
        let at = Span::default();
        for wrong in
            ["$KEY", "$(KEY)", "{{KEY}}", "{{ KEY }}", "${KEY", "%KEY%", "$env:KEY", "env:KEY", "${{ secrets.KEY }}", "process.env.KEY", "<KEY>"]
        {
            let said = reference(wrong, at).unwrap_or_else(|| panic!("{wrong} is taken"));
            assert_eq!(said.help[0].edit.as_ref().map(|edit| edit.replacement.as_str()), Some("\"${KEY}\""), "{wrong}");
        }
        for right in ["${KEY}", "https://${HOST}/x", "abc", "p4$$word", "https://login.salesforce.com", "Reno DC"] {
            assert_eq!(reference(right, at), None, "{right}");
        }
        assert!(reference("${MY-KEY}", at).is_some());
    }

    #[test]
    fn this_machine_is_one_by_its_host() {
        for local in ["http://127.0.0.1:8080/x", "http://localhost", "http://[::1]:80", "https://localhost"] {
            assert!(is_local(local), "{local}");
        }
        for other in ["http://evil.example/127.0.0.1", "http://localhost.evil.example", "http://127.0.0.1@evil.example", "127.0.0.1"] {
            assert!(!is_local(other), "{other}");
        }
    }

    #[test]
    fn a_setting_is_a_text_or_a_file() {
        for (written, text) in [
            ("x", Some(Source::Text("x"))),
            ("\"${KEY}\"", Some(Source::Text("${KEY}"))),
            ("{ file: crm.pem }", Some(Source::File("crm.pem"))),
            ("{ env: KEY }", None),
            ("{ file: \"\" }", None),
            ("{ file: [a] }", None),
            ("{ file: a, env: B }", None),
            ("[a, b]", None),
            ("~", None),
        ] {
            let node = crate::yaml::read(&format!("key: {written}\n")).unwrap();
            assert_eq!(source(node.get("key").unwrap()), text, "{written}");
        }
    }

    #[test]
    fn a_store_is_a_file() {
        let said = |text: &str| store(&Setting { text: text.to_owned(), span: Span::default() });
        for right in ["sqlite:crossdock.db", "crossdock.db", "data/store", "sqlite:7", "${STORE}", "C:\\data\\x.db"] {
            assert_eq!(said(right), None, "{right}");
        }
        for wrong in ["", " ", "7", "true", "postgres", "./", "data/", "sqlite:", "sqlite:./", "..", "mysql:x", "postgres://x"] {
            assert!(said(wrong).is_some_and(|said| said.help[0].text.contains("sqlite:crossdock.db") || wrong == "mysql:x"), "{wrong}");
        }
    }

    #[test]
    fn people_say_schedules_in_other_words() {
        for (text, right) in [
            ("weekly", "7 days"),
            ("10m", "10 minutes"),
            ("every 5 min", "5 minutes"),
            ("daily", "1 day"),
            ("2w", "14 days"),
            ("every day at 02:00", "02:00"),
        ] {
            let usual = usual(text).unwrap_or_default();
            assert_eq!(usual, right);
            assert!(schedule::read(&usual, "UTC").is_ok());
        }
        assert_eq!(usual("soon"), None);
    }

    /// What a person wrote out goes into no log of a build: neither in the frame of its own message nor in that of another on its line.
    #[test]
    fn a_secret_that_stands_in_the_open_is_not_printed() {
        use crate::base::Sources;
        use crate::base::diag::render::{Look, View, github, json, sarif, terminal};
        use crate::project::Texts;
        use crate::project::config::{Config, FILE};

        const SECRET: &str = "s3cr3t-v4lue";
        for text in [
            "connections:\n  wms:\n    system: shipstation\n    api_key: s3cr3t-v4lue\n    api_secret: \"${B}\"\n",
            "connections:\n  wms: { system: shipstation, api_kye: 1, api_secret: \"s3cr3t-v4lue\", api_key: \"${A}\", urls: 3 }\n",
            "connections:\n  wms: { system: shipstation, token: s3cr3t-v4lue }\n",
            "connections:\n  wms: { system: shipstation, api_key: \"${A}\", api_secret: \"${B}\", url: \"http://me:s3cr3t-v4lue@wms.example\" }\n",
            "alerts: { email: { server: \"smpt://me:s3cr3t-v4lue@mail.example.com\", from: a@example.com, to: b@example.com } }\n",
        ] {
            let (mut sources, mut found) = (Sources::default(), Vec::new());
            let _ = Config::read(&Texts::new([(FILE, text)]), None, &mut sources, &mut found);
            assert!(!found.is_empty(), "{text}");
            let view = View::new(&sources);
            let mut shown: String = found.iter().map(|one| terminal(one, view, Look::PLAIN)).collect();
            assert!(shown.contains("***"), "{shown}");
            shown += &json(&found, view).to_string();
            shown += &sarif(&found, view).to_string();
            shown += &github(&found, view);
            assert!(!shown.contains(SECRET), "{text}\n{shown}");
        }
    }
}
