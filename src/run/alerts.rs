//! The channels of alerts: the log, and those of the project: webhooks, commands, e-mail, by owner.
//!
//! The engine decides what is sent and when (an outbox). Here one message is sent to each channel of its route, one at a time per
//! channel; the channels that failed are returned.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use crate::check::Setting;
use crate::engine::{Message, Told};
use crate::http::{Broken, Transport};
use crate::project::alerts::{self as config, Route};

/// How long a channel may take for one message.
const LONGEST: Duration = Duration::from_secs(30);

/// Where alerts are sent beside the log.
#[derive(Clone, Default)]
pub struct Alerts {
    all: Vec<Channel>,
    owners: BTreeMap<String, Vec<Channel>>,
}

#[derive(Clone)]
struct Channel {
    /// Names it in the outbox: `webhook`, `finance/email`.
    name: String,
    way: Way,
    /// One message at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
enum Way {
    Webhook { url: String, transport: Arc<dyn Transport> },
    Command { program: String, arguments: Vec<String> },
    Email { server: AsyncSmtpTransport<Tokio1Executor>, from: Mailbox, to: Mailboxes },
}

/// Why a channel did not take a message.
struct NotTaken {
    why: String,
    /// Nothing was sent, so it did not get it.
    unsent: bool,
}

impl NotTaken {
    fn unsent(why: impl ToString) -> Self {
        NotTaken { why: why.to_string(), unsent: true }
    }

    fn maybe(why: impl ToString) -> Self {
        NotTaken { why: why.to_string(), unsent: false }
    }
}

impl Alerts {
    /// The channels that the project file names, their secrets looked up.
    ///
    /// # Errors
    /// What cannot be used, in one sentence.
    pub fn open(config: &config::Alerts, environment: &dyn Fn(&str) -> Option<String>, transport: &Arc<dyn Transport>) -> Result<Self, String> {
        let opening = Opening { environment, transport, server: None };
        let server = config.mail.as_ref().map(|mail| opening.server(mail)).transpose()?;
        let opening = Opening { server, ..opening };
        let mut owners = BTreeMap::new();
        for (owner, route) in &config.owners {
            owners.insert(owner.clone(), opening.channels(&format!("{owner}/"), route)?);
        }
        Ok(Alerts { all: opening.channels("", &config.all)?, owners })
    }

    /// Looks up where the programs are that are started for alerts. One that is named by a path is started from its place, whichever
    /// folder is the current one.
    ///
    /// # Errors
    /// One may not be started, as `find` says.
    pub fn placed<E>(mut self, find: impl Fn(&str) -> Result<PathBuf, E>) -> Result<Self, E> {
        for channel in self.all.iter_mut().chain(self.owners.values_mut().flatten()) {
            if let Way::Command { program, .. } = &mut channel.way {
                let place = find(program)?;
                // A bare name stays: some programs look at the name that they are called by.
                if program.contains('/') {
                    *program = place.to_string_lossy().into_owned();
                }
            }
        }
        Ok(self)
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.all.len() + self.owners.values().map(Vec::len).sum::<usize>()
    }

    /// The channels of an owner's alerts.
    fn route(&self, owner: Option<&str>) -> &[Channel] {
        owner.and_then(|owner| self.owners.get(owner)).filter(|own| !own.is_empty()).unwrap_or(&self.all)
    }

    /// Carries a message to the channels that have not taken it.
    pub async fn tell(&self, message: &Message) -> Told {
        let Message { kind, status, owner, count, before, .. } = message;
        if *status == "resolved" {
            tracing::info!(kind, subject = %message.subject, owner, count, "{}", message.text);
        } else {
            tracing::warn!(kind, subject = %message.subject, owner, count, before, "{}", message.message);
        }
        let wanted = |channel: &&Channel| message.left.as_ref().is_none_or(|left| left.contains(&channel.name));
        let outcomes = futures::future::join_all(self.route(owner.as_deref()).iter().filter(wanted).map(|channel| channel.take(message))).await;
        let mut told = Told { cause: message.cause.clone(), left: Vec::new(), unsent: true };
        for (name, outcome) in outcomes {
            if let Err(NotTaken { why, unsent }) = outcome {
                tracing::error!("the alert channel `{name}` failed, and is retried: {why}");
                told.left.push(name);
                told.unsent &= unsent;
            }
        }
        told
    }

    /// Tells what cannot be put into the outbox, because the store itself has failed: once, to every channel.
    pub async fn tell_at_once(&self, kind: &str, subject: &str, message: &str) {
        let now = jiff::Timestamp::now().to_string();
        let message = Message {
            id: 0,
            cause: kind.to_owned(),
            kind: kind.to_owned(),
            status: "open",
            subject: subject.to_owned(),
            message: message.to_owned(),
            owner: None,
            count: 1,
            since: now,
            before: None,
            text: format!("{kind}: {subject}: {message}"),
            left: None,
        };
        let all = self.all.iter().chain(self.owners.values().flatten());
        for (name, outcome) in futures::future::join_all(all.map(|channel| channel.take(&message))).await {
            if let Err(NotTaken { why, .. }) = outcome {
                tracing::error!("the alert channel `{name}` failed: {why}");
            }
        }
    }
}

struct Opening<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    transport: &'a Arc<dyn Transport>,
    server: Option<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)>,
}

impl Opening<'_> {
    fn text(&self, setting: &Setting) -> Result<String, String> {
        crate::project::filled(&setting.text, self.environment).map_err(|unset| format!("{unset}, and `alerts` needs it"))
    }

    fn server(&self, mail: &config::Mail) -> Result<(AsyncSmtpTransport<Tokio1Executor>, Mailbox), String> {
        let wrong = |why: String| format!("`alerts.email.server` cannot be used: {why}");
        let url = config::server(&self.text(&mail.server)?).map_err(wrong)?;
        let host = url.host_str().unwrap_or_default();
        let parameters = || TlsParameters::new(host.to_owned()).map_err(|error| wrong(error.to_string()));
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Wrapper(parameters()?), 465),
            // On this machine nothing goes over a wire.
            _ if config::is_local(&url) => (Tls::None, 25),
            _ => (Tls::Required(parameters()?), 587),
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(url.port().unwrap_or(port)).tls(tls).timeout(Some(LONGEST));
        if !url.username().is_empty() {
            let plain = |text: &str| {
                form_urlencoded::parse(text.replace('+', "%2B").replace('&', "%26").as_bytes()).next().map(|(text, _)| text.into_owned())
            };
            let (user, password) = (plain(url.username()).unwrap_or_default(), url.password().and_then(plain).unwrap_or_default());
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok((builder.build(), self.address(&mail.from)?))
    }

    fn address(&self, setting: &Setting) -> Result<Mailbox, String> {
        config::address(&self.text(setting)?)
    }

    fn channels(&self, owner: &str, route: &Route) -> Result<Vec<Channel>, String> {
        let mut channels = Vec::new();
        let mut add =
            |name: &str, way: Way| channels.push(Channel { name: format!("{owner}{name}"), way, turn: Arc::new(tokio::sync::Mutex::new(())) });
        if let Some(url) = &route.webhook {
            let url = config::webhook(&self.text(url)?).map_err(|why| format!("the alerts' webhook cannot be used: {why}"))?;
            add("webhook", Way::Webhook { url: url.into(), transport: Arc::clone(self.transport) });
        }
        let command = route.command.iter().map(|part| self.text(part)).collect::<Result<Vec<_>, _>>()?;
        if let Some((program, arguments)) = command.split_first() {
            add("command", Way::Command { program: program.clone(), arguments: arguments.to_vec() });
        }
        let to = route.email.iter().map(|address| self.address(address)).collect::<Result<Vec<Mailbox>, _>>()?;
        if let (Some((server, from)), false) = (&self.server, to.is_empty()) {
            add("email", Way::Email { server: server.clone(), from: from.clone(), to: to.into_iter().collect() });
        }
        Ok(channels)
    }
}

impl Channel {
    async fn take(&self, message: &Message) -> (String, Result<(), NotTaken>) {
        let _turn = self.turn.lock().await;
        let taken = tokio::time::timeout(LONGEST, self.way.take(message)).await;
        (self.name.clone(), taken.unwrap_or_else(|_| Err(NotTaken::maybe("it took longer than 30 seconds"))))
    }
}

impl Way {
    async fn take(&self, message: &Message) -> Result<(), NotTaken> {
        let body = serde_json::to_vec(message).map_err(NotTaken::unsent)?;
        match self {
            Way::Webhook { url, transport } => {
                let request = http::Request::post(url).header("content-type", "application/json").body(body.into()).map_err(NotTaken::unsent)?;
                match transport.send(request).await {
                    Ok(response) if response.status().is_success() => Ok(()),
                    Ok(response) => Err(NotTaken::maybe(format!("it answered {}", response.status()))),
                    Err(broken @ Broken::NotSent(_)) => Err(NotTaken::unsent(broken)),
                    Err(broken) => Err(NotTaken::maybe(broken)),
                }
            }
            Way::Command { program, arguments } => start(program, arguments, &body).await,
            Way::Email { server, from, to } => {
                let mail = lettre::Message::builder()
                    .mailbox(lettre::message::header::From::from(Mailboxes::from(from.clone())))
                    .mailbox(lettre::message::header::To::from(to.clone()))
                    .subject(subject(message))
                    .header(ContentType::TEXT_PLAIN)
                    .body(letter(message))
                    .map_err(NotTaken::unsent)?;
                server.send(mail).await.map(|_| ()).map_err(|error| {
                    // A server that says no has not taken it.
                    NotTaken { unsent: error.is_permanent() || error.is_transient() || error.is_client(), why: error.to_string() }
                })
            }
        }
    }
}

/// One line of at most 120 characters.
fn subject(message: &Message) -> String {
    let head = if message.status == "resolved" { "resolved: " } else { "" };
    let line: String = format!("[crossdock] {head}{}: {}", message.kind, message.subject).replace(['\r', '\n'], " ");
    line.chars().take(120).collect()
}

fn letter(message: &Message) -> String {
    let mut lines = vec![message.text.clone(), String::new()];
    let mut line = |name: &str, value: &str| lines.push(format!("{name}: {value}"));
    line("kind", &message.kind);
    line("status", message.status);
    line("about", &message.subject);
    line("owner", message.owner.as_deref().unwrap_or("-"));
    line("count", &message.count.to_string());
    line("since", &message.since);
    if let Some(before) = &message.before {
        line("before", before);
    }
    line("number", &message.id.to_string());
    lines.join("\r\n")
}

async fn start(program: &str, arguments: &[String], body: &[u8]) -> Result<(), NotTaken> {
    use tokio::io::AsyncWriteExt as _;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(NotTaken::unsent)?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read is no failure.
        let _ = input.write_all(body).await;
    }
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(NotTaken::maybe(format!("it ended with {status}"))),
        Err(error) => Err(NotTaken::maybe(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::Mutex;

    use super::*;
    use crate::http::net::Net;
    use crate::project::Texts;
    use crate::project::config::Config;

    /// A mail server on this machine: it takes every letter.
    fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&letters);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut stream = stream;
                let mut letter = String::new();
                let mut in_data = false;
                let _ = stream.write_all(b"220 here\r\n");
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 {
                        break;
                    }
                    letter.push_str(&line);
                    let answer: &[u8] = match (in_data, line.trim_end()) {
                        (true, ".") => {
                            in_data = false;
                            into.lock().unwrap().push(std::mem::take(&mut letter));
                            b"250 taken\r\n"
                        }
                        (true, _) => continue,
                        (false, "DATA") => {
                            in_data = true;
                            b"354 go on\r\n"
                        }
                        (false, "QUIT") => b"221 bye\r\n",
                        (false, _) => b"250 fine\r\n",
                    };
                    if stream.write_all(answer).is_err() {
                        break;
                    }
                }
            }
        });
        (port, letters)
    }

    fn opened(text: &str) -> Result<Alerts, String> {
        let (mut sources, mut found) = (crate::base::Sources::default(), Vec::new());
        let texts = Texts::new([("crossdock.yaml", text)]);
        let config = Config::read(&texts, None, &mut sources, &mut found);
        assert!(found.is_empty(), "{found:?}");
        let transport: Arc<dyn Transport> = Arc::new(Net::new(Duration::from_secs(5)).unwrap());
        Alerts::open(&config.alerts, &|name| (name == "TO").then(|| "ops@example.com".to_owned()), &transport)
    }

    fn message(owner: Option<&str>) -> Message {
        Message {
            id: 7,
            cause: "exception f refused".to_owned(),
            kind: "exception".to_owned(),
            status: "open",
            subject: "00000012".to_owned(),
            message: "refused in export_orders: no such carrier".to_owned(),
            owner: owner.map(str::to_owned),
            count: 3,
            since: "2026-03-02T08:00:00Z".to_owned(),
            before: None,
            text: "exception: 00000012: refused in export_orders: no such carrier".to_owned(),
            left: None,
        }
    }

    fn tell(alerts: &Alerts, message: &Message) -> Told {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(alerts.tell(message))
    }

    #[test]
    fn alerts_go_by_their_owner_and_by_e_mail() {
        let (port, letters) = mail_server();
        let alerts = opened(&format!(
            "alerts:\n  email: {{ server: \"smtp://127.0.0.1:{port}\", from: crossdock@example.com, to: \"${{TO}}\" }}\n  owners:\n    finance: {{ email: [finance@example.com, cfo@example.com] }}\n"
        ))
        .unwrap();
        let told = tell(&alerts, &message(Some("finance")));
        assert!(told.left.is_empty(), "{told:?}");
        tell(&alerts, &message(Some("warehouse")));
        let letters = letters.lock().unwrap();
        assert_eq!(letters.len(), 2);
        assert!(letters[0].contains("RCPT TO:<finance@example.com>") && letters[0].contains("RCPT TO:<cfo@example.com>"), "{}", letters[0]);
        assert!(letters[0].contains("Subject: [crossdock] exception: 00000012") && letters[0].contains("no such carrier"), "{}", letters[0]);
        assert!(letters[1].contains("RCPT TO:<ops@example.com>"), "an owner without a route of its own: {}", letters[1]);
    }

    #[test]
    fn only_the_channel_that_failed_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("told");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let alerts = opened(&format!(
            "alerts: {{ webhook: \"http://{closed}/\", command: [sh, -c, \"cat >> '{}'; echo >> '{}'\"] }}\n",
            file.display(),
            file.display()
        ))
        .unwrap();
        let told = tell(&alerts, &message(None));
        assert_eq!((told.left.clone(), told.unsent), (vec!["webhook".to_owned()], true));
        let again = tell(&alerts, &Message { left: Some(told.left), ..message(None) });
        assert_eq!(again.left, ["webhook"]);
        let lines = std::fs::read_to_string(&file).unwrap();
        assert_eq!(lines.lines().count(), 1);
        let json: serde_json::Value = serde_json::from_str(lines.trim()).unwrap();
        assert_eq!((json["count"].as_u64(), json["text"].as_str().is_some()), (Some(3), true));
    }

    #[test]
    fn what_is_not_set_is_told() {
        let Err(why) = opened("alerts: { webhook: \"${CHAT}\" }\n") else { panic!("it was opened") };
        assert!(why.contains("CHAT"), "{why}");
    }
}
