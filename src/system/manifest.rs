//! What a manifest says: `schemas/<system>/system.yaml`.

use indexmap::IndexMap;
use serde::Deserialize;

/// What is known of a system before anything is asked of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The system's name as its vendor writes it.
    pub title: String,
    /// What connections of it are called in a mapping file that has no project around it.
    pub connections: Vec<String>,
    /// What stands under a connection in `crossdock.yaml` beside `system`, by name.
    pub settings: IndexMap<String, Setting>,
    /// The calls that it takes from one credential; none where there is no such limit, or where its answers tell it.
    #[serde(default)]
    pub limits: Option<Limits>,
    /// Where its sandbox answers unless told otherwise; none where another system's sandbox has it with it.
    #[serde(default)]
    pub sandbox: Option<Sandbox>,
}

/// A setting of a connection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    #[serde(default)]
    pub kind: Kind,
    /// It may not stand in a file that others read.
    #[serde(default)]
    pub secret: bool,
    /// Without it, or what stands in its place, no connection is opened.
    #[serde(default)]
    pub needed: bool,
    /// What holds where it is left out.
    #[serde(default)]
    pub default: Option<String>,
    /// How people write it.
    #[serde(default)]
    pub example: Option<String>,
}

impl Setting {
    /// How it is written, for messages.
    pub fn written(&self) -> Option<&str> {
        self.example.as_deref().or(self.default.as_deref())
    }
}

/// What a setting's text has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Text,
    /// An address of the system: https, or this machine.
    Address,
    /// A whole number.
    Number,
    /// A version of an API: `v64.0`.
    Version,
}

/// So many calls in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub calls: u32,
    pub seconds: u32,
}

/// The system's imitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// On 127.0.0.1.
    pub port: u16,
}

impl Manifest {
    /// What holds where a setting is left out; empty where nothing does.
    pub fn default_of(&self, setting: &str) -> &str {
        self.settings.get(setting).and_then(|setting| setting.default.as_deref()).unwrap_or_default()
    }
}
