//! What a manifest says: `schemas/<system>/system.yaml`, or what follows from a description.

use indexmap::IndexMap;
use serde::Deserialize;

use super::write::WriteRule;

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
    /// The calls that it takes from one credential. All limits hold together; none where there is none, or where its answers tell it.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Where it is found, where that is not a setting alone: nothing is sent elsewhere. A name that begins with a dot stands for all
    /// below it.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How a connection signs in; where there are several, the settings that are there decide.
    #[serde(default)]
    pub sign_in: Vec<SignIn>,
    /// The events of its webhooks; none where it sends none, or none that is read.
    #[serde(default)]
    pub events: Vec<String>,
    /// The language of its own queries, in which a part of a flow's `where` can be said; none where its lists know a few
    /// parameters only.
    #[serde(default)]
    pub filters: Option<Dialect>,
    /// How it compares texts, in queries and in keys.
    #[serde(default)]
    pub texts: Texts,
    /// By what a record can be looked up.
    #[serde(default)]
    pub search: Search,
    /// Where the data classes of its fields are said.
    #[serde(default)]
    pub data_classes: DataClasses,
    /// The field that names the currency of a record's amounts, on accounts that have several currencies; others have no such field.
    #[serde(default)]
    pub currency: Option<String>,
    /// The form in which it describes its own objects, of which snapshots are kept; none where it gives no descriptions.
    #[serde(default)]
    pub describe: Option<Describe>,
    /// How long a request that was sent may still be carried out, and its effect be invisible to a search.
    #[serde(default)]
    pub settle_minutes: u32,
    /// What its writes are held to. A write is held to the first that it fits; what fits none is not written.
    #[serde(default)]
    pub writes: Vec<WriteRule>,
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

/// A language of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    Soql,
}

/// A form of descriptions of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Describe {
    /// `/sobjects/Order/describe`
    Sobject,
}

/// How a system compares texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texts {
    #[default]
    Exactly,
    /// Unless a field says otherwise.
    WithoutCase,
}

/// By what a system looks up a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    #[default]
    AnyField,
    /// By its id, its keys, and the fields that its schema names as searchable.
    Declared,
}

/// Where the data classes of fields are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataClasses {
    /// In the schema; a field of which it says nothing is personal.
    #[default]
    InSchema,
    /// By the words of a field's name, where the schema says nothing: the system describes itself, and knows no classes.
    ByName,
}

/// One limit of a system: a window, a bucket, or a bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Limit {
    /// So many calls in so many seconds.
    Window {
        calls: u32,
        seconds: u32,
        /// Of this operation only.
        #[serde(default)]
        operation: Option<String>,
    },
    /// So many units at once, and one more each so many milliseconds.
    Bucket {
        burst: u32,
        refill_ms: u32,
        #[serde(default)]
        operation: Option<String>,
    },
    /// So many calls in 24 hours.
    Daily { calls: u32 },
    /// So many calls that are out at once.
    AtOnce(u32),
}

/// How a connection proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignIn {
    /// A name and a password with each request (RFC 7617).
    Basic,
    /// A key in a header.
    Header,
    /// OAuth 2.0 with the client's own credentials (RFC 6749, 4.4).
    ClientCredentials,
    /// OAuth 2.0 with an assertion that the client signs (RFC 7523).
    JwtBearer,
}

/// The system's imitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// On 127.0.0.1.
    pub port: u16,
}

impl Manifest {
    /// Whether a host is one of the system's.
    pub fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| if known.starts_with('.') { host.ends_with(known.as_str()) } else { host == known })
    }

    /// What holds where a setting is left out; empty where nothing does.
    pub fn default_of(&self, setting: &str) -> &str {
        self.settings.get(setting).and_then(|setting| setting.default.as_deref()).unwrap_or_default()
    }
}
