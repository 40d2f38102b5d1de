//! `alerts:` of the project file: where alerts go, and who gets whose.

use indexmap::IndexMap;

use super::config::Reader;
use super::error;
use crate::base::Span;
use crate::check::Setting;
use crate::yaml::{Node, Shape};

/// Where alerts go beside the log.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    /// For alerts without an owner, and for owners without a route of their own.
    pub all: Route,
    /// How e-mail is sent.
    pub mail: Option<Mail>,
    /// By owner: what takes its alerts in place of [`Alerts::all`].
    pub owners: IndexMap<String, Route>,
}

/// The channels of one owner.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// Gets each message as JSON by POST.
    pub webhook: Option<Setting>,
    /// A program and its arguments, started for each message; it gets the JSON on its standard input.
    pub command: Vec<Setting>,
    /// Addresses.
    pub email: Vec<Setting>,
}

/// A server that takes e-mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `smtps://user:password@host:port`, or `smtp://…` with STARTTLS.
    pub server: Setting,
    pub from: Setting,
}

const SETTINGS: &[&str] = &["webhook", "command", "email", "owners"];
const ROUTE: &[&str] = &["webhook", "command", "email"];
const MAIL: &[&str] = &["server", "from", "to"];

impl Alerts {
    /// Reads the setting. Mistakes are pushed with their places; what can be used is used.
    pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut alerts = Alerts::default();
        for entry in reader.block(node, "alerts") {
            let at = Span::new(reader.file, entry.start, entry.end);
            match entry.key.as_str() {
                "email" => {
                    let (mail, to) = mail(&entry.value, at, reader);
                    alerts.mail = mail;
                    alerts.all.email = to;
                }
                "owners" => {
                    for owner in reader.block(&entry.value, "alerts.owners") {
                        let what = format!("alerts.owners.{}", owner.key);
                        let mut route = Route::default();
                        for channel in reader.block(&owner.value, &what) {
                            let at = Span::new(reader.file, channel.start, channel.end);
                            if !route.channel(&channel.key, &channel.value, &what, reader) {
                                reader.found.push(error::unknown_key(&channel.key, at, &format!("`{what}`"), ROUTE));
                            }
                        }
                        alerts.owners.insert(owner.key.clone(), route);
                    }
                }
                key => {
                    if !alerts.all.channel(key, &entry.value, "alerts", reader) {
                        reader.found.push(error::unknown_key(key, at, "`alerts`", SETTINGS));
                    }
                }
            }
        }
        if alerts.mail.is_none()
            && let Some((owner, address)) = alerts.owners.iter().find_map(|(owner, route)| Some((owner, route.email.first()?)))
        {
            reader.found.push(error::no_mail_server(owner, address.span));
        }
        alerts
    }
}

impl Alerts {
    /// The programs that are started for alerts, each with the name of its setting. What comes from the environment is known only when
    /// something runs.
    pub fn programs(&self) -> impl Iterator<Item = (String, &Setting)> {
        let own = self.owners.iter().map(|(owner, route)| (format!("alerts.owners.{owner}.command"), route));
        let all = std::iter::once(("alerts.command".to_owned(), &self.all)).chain(own);
        all.filter_map(|(what, route)| Some((what, route.command.first().filter(|program| !open(program))?)))
    }
}

impl Route {
    /// Reads one channel. False where there is none of that name.
    fn channel(&mut self, key: &str, value: &Node, whole: &str, reader: &mut Reader<'_>) -> bool {
        let what = format!("{whole}.{key}");
        match key {
            "webhook" => self.webhook = reader.setting(value, &what).filter(|url| web_address(url, &what, reader)),
            "command" => self.command = command(value, &what, reader),
            "email" => self.email = addresses(value, &what, reader),
            _ => return false,
        }
        true
    }
}

fn mail(node: &Node, at: Span, reader: &mut Reader<'_>) -> (Option<Mail>, Vec<Setting>) {
    let (mut server, mut from, mut to) = (None, None, Vec::new());
    for entry in reader.block(node, "alerts.email") {
        let what = format!("alerts.email.{}", entry.key);
        match entry.key.as_str() {
            "server" => server = reader.setting(&entry.value, &what).filter(|url| mail_server(url, &what, reader)),
            "from" => from = addresses(&entry.value, &what, reader).into_iter().next(),
            "to" => to = addresses(&entry.value, &what, reader),
            key => {
                let at = Span::new(reader.file, entry.start, entry.end);
                reader.found.push(error::unknown_key(key, at, "`alerts.email`", MAIL));
            }
        }
    }
    match (server, from) {
        (Some(server), Some(from)) => (Some(Mail { server, from }), to),
        (server, from) => {
            let missing: Vec<&str> =
                [("server", server.is_none()), ("from", from.is_none())].iter().filter(|(_, missing)| *missing).map(|(name, _)| *name).collect();
            let said = |name: &&str| node.get(name).is_some();
            // What was said and is wrong was told where it stands.
            if !missing.iter().any(said) {
                reader.found.push(error::mail_without(&missing.join("` and `"), at));
            }
            (None, to)
        }
    }
}

/// A program and its arguments.
fn command(node: &Node, what: &str, reader: &mut Reader<'_>) -> Vec<Setting> {
    let parts = texts(node, what, reader);
    let written = node.elements().map_or(1, <[Node]>::len);
    match parts.first() {
        // A part that is no text was told.
        _ if parts.len() < written => Vec::new(),
        Some(program) if !program.text.trim().is_empty() => parts,
        named => {
            let at = named.map_or_else(|| reader.span(node), |program| program.span);
            reader.found.push(error::bad_alert(what, at, "it names no program", "write a program and its arguments: [./notify, --urgent]"));
            Vec::new()
        }
    }
}

fn texts(node: &Node, what: &str, reader: &mut Reader<'_>) -> Vec<Setting> {
    match &node.shape {
        Shape::List(parts) => parts.iter().filter_map(|part| reader.setting(part, what)).collect(),
        _ => reader.setting(node, what).into_iter().collect(),
    }
}

fn addresses(node: &Node, what: &str, reader: &mut Reader<'_>) -> Vec<Setting> {
    let mut texts = texts(node, what, reader);
    texts.retain(|text| {
        let fine = open(text) || address(&text.text).is_ok();
        if !fine {
            reader.found.push(error::bad_alert(what, text.span, "an e-mail address is wanted here", "write it as name@example.com"));
        }
        fine
    });
    texts
}

/// An address as e-mail has it: `name@host`, or `Name <name@host>`.
///
/// # Errors
/// Why it is none.
pub fn address(text: &str) -> Result<lettre::message::Mailbox, String> {
    text.parse().map_err(|error| format!("`{text}` in `alerts` is not an e-mail address: {error}"))
}

/// It holds a `${NAME}`, so what it is shows when a run begins.
fn open(text: &Setting) -> bool {
    text.text.contains("${")
}

fn web_address(text: &Setting, what: &str, reader: &mut Reader<'_>) -> bool {
    if !is_here(&text.text) && (password(&text.text).is_some() || has_token(&text.text)) {
        let variable = what.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        reader.found.push(error::settings::secret_in_alerts(what, text.span, &format!("${{{variable}}}")));
    }
    usable(text, what, webhook(&text.text), "write the address that takes the POST: https://hooks.example.com/…", reader)
}

fn mail_server(text: &Setting, what: &str, reader: &mut Reader<'_>) -> bool {
    if let Some((before, behind)) = password(&text.text).filter(|_| !is_here(&text.text)) {
        reader.found.push(error::settings::secret_in_alerts(what, text.span, &format!("{before}${{SMTP_PASSWORD}}{behind}")));
    }
    usable(text, what, server(&text.text), "write: smtps://user:${SMTP_PASSWORD}@mail.example.com", reader)
}

fn usable(text: &Setting, what: &str, read: Result<url::Url, String>, help: &str, reader: &mut Reader<'_>) -> bool {
    match read {
        Err(why) if !open(text) => {
            let said = error::bad_alert(what, text.span, &why, help);
            reader.found.push(if error::settings::has_password(&text.text) { said.hide(text.span) } else { said });
            false
        }
        _ => true,
    }
}

/// What stands before and behind the password that an address has in the open.
fn password(text: &str) -> Option<(&str, &str)> {
    let authority = text.find("://")? + 3;
    let end = text[authority..].find(['/', '?', '#']).map_or(text.len(), |end| authority + end);
    // A password may have a sign in it that ends a host.
    let at = text[authority..end].rfind('@').or_else(|| text[authority..].rfind('@'))? + authority;
    let colon = text[authority..at].find(':')? + authority + 1;
    let secret = &text[colon..at];
    (!secret.is_empty() && !secret.contains("${")).then(|| (&text[..colon], &text[at..]))
}

/// Whether an address holds what only its owner may know: a parameter that is called so, or a part that nobody would choose.
fn has_token(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.split('/').skip(1).any(is_random);
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        let is_secret = super::settings::may_be_secret(name) || name.to_ascii_lowercase().contains("sig");
        !value.contains("${") && (is_random(value) || is_secret && !value.is_empty())
    });
    path || query
}

/// A long text of letters and digits among each other, as machines make them; no words or dates with `-` between them.
fn is_random(text: &str) -> bool {
    let mixed = |part: &str| part.contains(|c: char| c.is_ascii_digit()) && part.contains(|c: char| c.is_ascii_alphabetic());
    !text.contains("${") && text.len() >= 20 && text.split(['-', '_', '.', '@', '%']).any(|part| part.len() >= 4 && mixed(part))
}

/// On this machine nothing is kept from anybody.
fn is_here(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| loopback(&url))
}

fn loopback(url: &url::Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// A webhook's address: https, but on this machine.
///
/// # Errors
/// Why it cannot be used.
pub fn webhook(text: &str) -> Result<url::Url, String> {
    let url = url::Url::parse(text).map_err(|error| format!("this is no URL: {error}"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback(&url) => Ok(url),
        _ => Err("the address must begin with https://".to_owned()),
    }
}

/// A mail server's address.
///
/// # Errors
/// Why it cannot be used.
pub fn server(text: &str) -> Result<url::Url, String> {
    let url = url::Url::parse(text).map_err(|error| format!("this is no URL: {error}"))?;
    match (url.scheme(), url.host_str()) {
        (_, None) => Err("the server's name is missing".to_owned()),
        ("smtps" | "smtp", Some(_)) => Ok(url),
        _ => Err("the address must begin with smtps:// (or smtp://, which asks for STARTTLS)".to_owned()),
    }
}

/// Whether a mail server is this machine, so that nothing of it goes over a wire.
pub fn is_local(server: &url::Url) -> bool {
    loopback(server)
}

#[cfg(test)]
mod tests {
    use crate::base::Sources;
    use crate::base::diag::render;
    use crate::project::Texts;
    use crate::project::config::{Config, FILE};

    fn read(text: &str) -> (Config, Vec<String>) {
        let (mut sources, mut found) = (Sources::default(), Vec::new());
        let config = Config::read(&Texts::new([(FILE, text)]), None, &mut sources, &mut found);
        let place = |at: crate::base::Span| text.get(at.start as usize..at.end as usize).unwrap_or_default();
        (config, found.iter().map(|one| format!("{} at `{}`", one.message, place(one.primary.span))).collect())
    }

    #[test]
    fn channels_and_owners_are_read() {
        let (config, found) = read(
            "alerts:\n  webhook: \"${CHAT}\"\n  command: [./tell, -v]\n  email: { server: \"smtps://u:${P}@mail.example.com\", from: Cross <c@example.com>, to: ops@example.com }\n  owners:\n    finance: { email: [a@example.com, b@example.com] }\n    warehouse: { webhook: \"https://hooks.example.com/1\" }\n",
        );
        assert_eq!(found, Vec::<String>::new());
        assert_eq!((config.alerts.all.command.len(), config.alerts.all.email.len()), (2, 1));
        assert_eq!(config.alerts.owners["finance"].email.len(), 2);
        assert!(config.alerts.owners["warehouse"].webhook.is_some() && config.alerts.mail.is_some());
    }

    /// Whoever has the password or the address can send in the client's name.
    #[test]
    fn a_secret_in_the_open_is_told_and_not_shown() {
        let slack = "https://hooks.slack.com/services/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";
        for (text, secret, instead) in [
            (
                "email: { server: \"smtps://me:s3cr#t/x@mail.example.com\", from: a@example.com }",
                "s3cr#t/x",
                "smtps://me:${SMTP_PASSWORD}@mail.example.com",
            ),
            ("email: { server: \"smtps://me:s3cret@${MAIL_HOST}\", from: a@example.com }", "s3cret", "smtps://me:${SMTP_PASSWORD}@${MAIL_HOST}"),
            (&format!("webhook: \"{slack}\""), "XkDpZ3mQ9vLr7TtYw2Hs8NcA", "${ALERTS_WEBHOOK}"),
            ("webhook: \"https://x.example/a?sig=abc\"", "abc", "${ALERTS_WEBHOOK}"),
            ("webhook: \"https://u:pw@x.example/a\"", "pw@", "${ALERTS_WEBHOOK}"),
            (
                "owners: { it-shop: { webhook: \"https://x.example/3f1c9a52-0b7e-4d7c-9c1e-5a1f0e9b2c44\" } }",
                "3f1c9a52",
                "${ALERTS_OWNERS_IT_SHOP_WEBHOOK}",
            ),
        ] {
            let text = format!("alerts: {{ {text} }}\n");
            let (mut sources, mut found) = (Sources::default(), Vec::new());
            Config::read(&Texts::new([(FILE, &*text)]), None, &mut sources, &mut found);
            let told =
                found.iter().find(|one| one.message.contains("a secret stands here in the open")).unwrap_or_else(|| panic!("{text}: {found:?}"));
            let shown = render::terminal(told, render::View::new(&sources), render::Look::PLAIN);
            assert!(!shown.contains(secret) && shown.contains(instead), "{shown}");
        }
        for text in [
            "email: { server: \"smtps://me:${P}@mail.example.com\", from: a@example.com }",
            "email: { server: \"smtps://mail.example.com\", from: a@example.com }",
            "email: { server: \"smtp://me:pw@127.0.0.1:2525\", from: a@example.com }",
            "webhook: \"https://hooks.example.com/order-alerts-of-the-production-team-2026\"",
            "webhook: \"https://hooks.example.com/x?token=${TOKEN}\"",
            "webhook: \"http://127.0.0.1:9000/x?token=abc\"",
        ] {
            assert_eq!(read(&format!("alerts: {{ {text} }}\n")).1, Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn each_mistake_is_told_where_it_stands() {
        for (text, expected) in [
            ("alerts: { webhok: x }\n", "`alerts` has no setting `webhok` at `webhok`"),
            ("alerts: { webhook: \"http://example.com\" }\n", "`alerts.webhook` cannot be used at `\"http://example.com\"`"),
            ("alerts: { email: { server: mail, from: a@example.com } }\n", "`alerts.email.server` cannot be used at `mail`"),
            ("alerts: { email: { server: \"smtps://mail.example.com\", from: nobody } }\n", "`alerts.email.from` cannot be used at `nobody`"),
            ("alerts: { email: { from: a@example.com } }\n", "`alerts.email` does not say its `server` at `email`"),
            (
                "alerts: { owners: { finance: { email: f@example.com } } }\n",
                "the alerts of `finance` go by e-mail, and no server is named at `f@example.com`",
            ),
            ("alerts: { owners: { finance: { sms: 1 } } }\n", "`alerts.owners.finance` has no setting `sms` at `sms`"),
            ("alerts: { command: \"\" }\n", "`alerts.command` cannot be used at `\"\"`"),
            ("alerts: { command: [] }\n", "`alerts.command` cannot be used at `[`"),
            ("alerts: { command: [\" \", -v] }\n", "`alerts.command` cannot be used at `\" \"`"),
            ("alerts: { owners: { finance: { command: [[tell]] } } }\n", "`alerts.owners.finance.command` cannot be used at `[`"),
            (
                "alerts: { email: { server: \"smtps://mail.example.com\", from: a@example.com, to: [a@b@c] } }\n",
                "`alerts.email.to` cannot be used at `a@b@c`",
            ),
            ("alerts: yes\n", "`alerts` cannot be used at `yes`"),
        ] {
            assert_eq!(read(text).1, [expected], "{text}");
        }
    }
}
