//! Where alerts go: the log always, and what the project names: a webhook, a command.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Alert;
use crate::http::Transport;
use crate::project::yaml::Node;

/// Where alerts are sent beside the log.
#[derive(Clone, Default)]
pub struct Alerts {
    /// Gets each alert as JSON by POST.
    webhook: Option<String>,
    /// Is started for each alert and gets it as JSON on its standard input.
    command: Option<Vec<String>>,
    transport: Option<Arc<dyn Transport>>,
}

impl Alerts {
    /// Reads `alerts: { webhook: URL, command: [program, argument] }`.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn read(node: Option<&Node>, environment: &dyn Fn(&str) -> Option<String>, transport: Arc<dyn Transport>) -> Result<Self, String> {
        let mut alerts = Alerts { transport: Some(transport), ..Alerts::default() };
        let Some(entries) = node.and_then(Node::entries) else {
            return if node.is_none() { Ok(alerts) } else { Err("`alerts` is no block of names and values".to_owned()) };
        };
        for entry in entries {
            let text = |node: &Node| {
                let text = node.text().ok_or_else(|| format!("`alerts.{}` is no text", entry.key))?;
                super::connections::filled(text, environment).map_err(|name| format!("`{name}` is not set, and `alerts.{}` needs it", entry.key))
            };
            match entry.key.as_str() {
                "webhook" => {
                    let url = text(&entry.value)?;
                    let parsed = url::Url::parse(&url).map_err(|error| format!("`alerts.webhook` is no URL: {error}"))?;
                    let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                    if parsed.scheme() != "https" && !loopback {
                        return Err("`alerts.webhook` must be https".to_owned());
                    }
                    alerts.webhook = Some(url);
                }
                "command" => {
                    let parts = match &entry.value.shape {
                        crate::project::yaml::Shape::List(parts) => parts.iter().map(text).collect::<Result<Vec<_>, _>>()?,
                        _ => vec![text(&entry.value)?],
                    };
                    alerts.command = Some(parts);
                }
                other => return Err(format!("`alerts` has no `{other}`; there are webhook and command")),
            }
        }
        Ok(alerts)
    }

    /// The program that is started for each alert, where there is one.
    pub fn program(&self) -> Option<&str> {
        self.command.as_ref()?.first().map(String::as_str)
    }

    /// Tells one alert. What goes wrong with a way is logged; the others are used all the same.
    pub async fn tell(&self, alert: &Alert) {
        tracing::warn!(kind = alert.kind, subject = %alert.subject, owner = alert.owner, before = alert.before, "{}", alert.message);
        let Ok(body) = serde_json::to_vec(alert) else { return };
        if let (Some(url), Some(transport)) = (&self.webhook, &self.transport) {
            let request = http::Request::post(url).header("content-type", "application/json").body(body.clone().into());
            let sent = match request {
                Ok(request) => transport
                    .send(request)
                    .await
                    .map_err(|broken| broken.to_string())
                    .and_then(|response| if response.status().is_success() { Ok(()) } else { Err(format!("it answered {}", response.status())) }),
                Err(error) => Err(error.to_string()),
            };
            if let Err(why) = sent {
                tracing::error!("the alert's webhook failed: {why}");
            }
        }
        if let Some([program, arguments @ ..]) = self.command.as_deref()
            && let Err(why) = start(program, arguments, &body).await
        {
            tracing::error!("the alert's command failed: {why}");
        }
    }
}

async fn start(program: &str, arguments: &[String], body: &[u8]) -> Result<(), String> {
    use tokio::io::AsyncWriteExt as _;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read is no failure.
        let _ = input.write_all(body).await;
    }
    match tokio::time::timeout(Duration::from_secs(30), child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("it ended with {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it took longer than 30 seconds".to_owned()),
    }
}
