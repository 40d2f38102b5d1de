//! The one file that names all connectors.

use std::sync::Arc;

use thiserror::Error;

use super::{Connector, salesforce, shipstation, shipstation_v2};
use crate::http::{Clock, Secret, Transport};

/// A connection's settings with its secrets looked up.
pub struct Settings {
    /// The connection's name in the project.
    pub name: String,
    pub system: String,
    /// Texts by name, as configured, `${…}` and files replaced by what they hold.
    pub options: std::collections::BTreeMap<String, Secret>,
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
}

/// A connection that cannot be opened as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the connection `{connection}` {message}")]
pub struct Unusable {
    pub connection: String,
    pub message: String,
    pub hint: String,
}

/// A connector that is asked what things cost, and never calls: with settings that nobody has.
pub fn on_paper(connection: &str, system: &str) -> Option<Arc<dyn Connector>> {
    struct Nowhere;
    #[async_trait::async_trait]
    impl Transport for Nowhere {
        async fn send(&self, _request: crate::http::Request) -> Result<crate::http::Response, crate::http::Broken> {
            Err(crate::http::Broken::NotSent("this connector is on paper".to_owned()))
        }
    }
    let names = ["login", "client_id", "client_secret", "api_key", "api_secret"];
    let given = |name: &str| if name == "login" { "https://login.salesforce.com" } else { "on-paper" };
    let options = names.into_iter().map(|name| (name.to_owned(), Secret::new(given(name)))).collect();
    let settings = Settings { name: connection.to_owned(), system: system.to_owned(), options };
    open(&settings, Arc::new(Nowhere), Arc::new(crate::http::SystemClock)).ok()
}

/// Makes the connector of a connection.
///
/// # Errors
/// A setting is missing or cannot be understood.
pub fn open(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable> {
    match settings.system.as_str() {
        "salesforce" => Ok(Arc::new(salesforce::Salesforce::new(settings, transport, clock)?)),
        "shipstation" => Ok(Arc::new(shipstation::ShipStation::new(settings, transport, clock)?)),
        "shipstation-v2" => Ok(Arc::new(shipstation_v2::ShipStationV2::new(settings, transport, clock)?)),
        other => Err(Unusable {
            connection: settings.name.clone(),
            message: format!("is of the system `{other}`, which has no connector"),
            hint: "systems with a connector: salesforce, shipstation, shipstation-v2".to_owned(),
        }),
    }
}
