//! The one file that names all connectors.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use thiserror::Error;

use super::{Connector, described, salesforce, shipstation};
use crate::describe::Known;
use crate::http::{Clock, Limit, LimitKind, Rule, Secret, Transport, Window};
use crate::system::{self, SystemRef};

/// Makes the connector of one system.
type Open = fn(&Settings, Arc<dyn Transport>, Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable>;

/// A line for each system that has a connector of its own. All others are described.
const CONNECTORS: &[(&str, Open)] = &[(salesforce::SYSTEM, salesforce::open), (shipstation::SYSTEM, shipstation::open)];

/// What opens a connection of a system.
fn opened_by(system: &str) -> Option<Open> {
    let own = CONNECTORS.iter().find(|(known, _)| *known == system).map(|(_, open)| *open);
    own.or_else(|| system::descriptions().iter().any(|(known, _)| *known == system).then_some(described::open as Open))
}

/// A connection's settings with its secrets looked up.
pub struct Settings {
    /// The connection's name in the project.
    pub name: String,
    pub system: String,
    /// Texts by name, as configured, `${…}` and files replaced by what they hold.
    pub options: BTreeMap<String, Secret>,
}

impl Settings {
    /// A setting that has to be there.
    ///
    /// # Errors
    /// It is not.
    pub fn need(&self, name: &str) -> Result<&Secret, Unusable> {
        self.options.get(name).ok_or_else(|| Unusable {
            connection: self.name.clone(),
            message: format!("has no `{name}`"),
            hint: format!("add `{name}` under `connections.{}` in crossdock.yaml", self.name),
        })
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(Secret::reveal)
    }

    /// A setting, or what the system's manifest says holds without it.
    pub fn or_default(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| self.usual(name))
    }

    /// What the system's manifest says holds without a setting; empty where it says nothing.
    pub fn usual(&self, name: &str) -> &'static str {
        system::manifest(&self.system).map_or("", |manifest| manifest.default_of(name))
    }

    /// The calls that the system takes from one credential, as its manifest says.
    pub fn limit(&self) -> Limit {
        let limits = system::manifest(&self.system).map_or(&[][..], |manifest| &manifest.limits);
        let window = |calls, seconds| LimitKind::Window(Window { calls, length: SignedDuration::from_secs(seconds) });
        let rule = |limit: &system::Limit| match limit {
            system::Limit::Window { calls, seconds, operation } => {
                Some(Rule { operation: operation.clone(), kind: window(*calls, i64::from(*seconds)) })
            }
            system::Limit::Bucket { burst, refill_ms, operation } => {
                let refill = SignedDuration::from_millis((*refill_ms).into());
                Some(Rule { operation: operation.clone(), kind: LimitKind::Bucket { burst: *burst, refill } })
            }
            system::Limit::Daily { calls } => Some(Rule { operation: None, kind: window(*calls, 86_400) }),
            system::Limit::AtOnce(_) => None,
        };
        let at_once = limits.iter().find_map(|limit| if let system::Limit::AtOnce(most) = limit { Some(*most) } else { None });
        Limit::of(limits.iter().filter_map(rule).collect(), at_once)
    }
}

/// A connection that cannot be opened as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the connection `{connection}` {message}")]
pub struct Unusable {
    pub connection: String,
    pub message: String,
    pub hint: String,
}

/// No request of a connector that only estimates is sent.
struct Nowhere;

#[async_trait::async_trait]
impl Transport for Nowhere {
    async fn send(&self, _request: crate::http::Request) -> Result<crate::http::Response, crate::http::Broken> {
        Err(crate::http::Broken::NotSent("this connector is on paper".to_owned()))
    }
}

/// Offline connector with placeholder credentials, used to estimate call counts.
pub fn offline(connection: &str, system: &str) -> Option<Arc<dyn Connector>> {
    on_paper(connection, &system.into(), None, BTreeMap::new()).ok()
}

/// The same for a system that the project describes.
pub fn offline_own(connection: &str, system: &SystemRef, known: &Known) -> Option<Arc<dyn Connector>> {
    on_paper(connection, system, Some(known), BTreeMap::new()).ok()
}

/// Connector that reaches nothing, opened with the settings that are given. Placeholders stand for needed settings whose values come
/// from the environment or a file, so it is refused only for what is given. `own`: the description, where the project has it.
///
/// # Errors
/// A setting cannot be understood.
pub fn on_paper(connection: &str, system: &SystemRef, own: Option<&Known>, given: BTreeMap<String, String>) -> Result<Arc<dyn Connector>, Unusable> {
    let settings = system.manifest().into_iter().flat_map(|manifest| &manifest.settings);
    let mut options: BTreeMap<String, Secret> = settings
        .filter(|(_, setting)| setting.needed)
        .map(|(name, setting)| (name.clone(), Secret::new(setting.written().unwrap_or("on-paper"))))
        .collect();
    options.extend(given.into_iter().map(|(name, text)| (name, Secret::new(text))));
    let settings = Settings { name: connection.to_owned(), system: system.to_string(), options };
    let (transport, clock) = (Arc::new(Nowhere), Arc::new(crate::http::SystemClock));
    match own {
        Some(known) => open_own(known, &settings, transport, clock),
        None => open(&settings, transport, clock),
    }
}

/// Makes the connector of a connection.
///
/// # Errors
/// A setting is missing or cannot be understood.
pub fn open(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable> {
    match opened_by(&settings.system) {
        Some(open) => open(settings, transport, clock),
        None => Err(Unusable {
            connection: settings.name.clone(),
            message: format!("is of the system `{}`, which has no connector", settings.system),
            hint: format!("systems with a connector: {}", system::all().map(|(system, _)| system).collect::<Vec<_>>().join(", ")),
        }),
    }
}

/// Makes the connector of a connection to a system that its project describes.
///
/// # Errors
/// The description has an error, or a setting is missing or cannot be understood.
pub fn open_own(known: &Known, settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable> {
    described::open_own(known, settings, transport, clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_has_a_connector_and_every_connector_a_manifest() {
        assert!(
            CONNECTORS.iter().all(|(own, _)| system::manifest(own).is_some() && system::descriptions().iter().all(|(described, _)| described != own))
        );
        let without: Vec<&str> = system::all().map(|(system, _)| system).filter(|system| opened_by(system).is_none()).collect();
        assert!(without.is_empty(), "{without:?}");
    }

    /// What a manifest says is needed is enough to ask a connector what things cost, and it says its own name.
    #[test]
    fn every_connector_opens_on_paper() {
        for (system, _) in system::all() {
            assert_eq!(offline("c", system).map(|connector| connector.system().to_owned()), Some(system.to_owned()));
        }
    }
}
