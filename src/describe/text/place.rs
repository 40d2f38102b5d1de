//! Where a text stands in a description, and which names are provided there.

/// A place, by what it is for. `setting` and `session` are provided at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Addresses, headers of each call, limits.
    Everywhere,
    /// A sign-in, and a signature.
    Auth,
    /// The call of a stream of changes.
    Changes,
    /// What a page says of itself.
    Page,
    /// The call of a `get` or a `find`.
    Find,
    /// The call of a write.
    Write,
    /// A field that becomes an action.
    Action,
    /// The rules of answers.
    Answer,
    /// What became of an item of a write.
    Receipt,
    /// A record as it was read.
    Record,
    /// Whether what was written is there, and which of several it is.
    There,
    /// The lines of a record that a step is for.
    Line,
    /// What is said of a connection that works.
    Hello,
    /// A webhook that came in, and how webhooks are ordered.
    Webhook,
}

impl Place {
    /// The names that the place provides, beside `setting` and `session`.
    pub fn provides(self) -> &'static [&'static str] {
        match self {
            Place::Everywhere => &[],
            Place::Auth => &["token", "refresh", "now", "call", "name", "value"],
            Place::Changes => &["from", "until", "page", "stamp", "id", "read", "included", "of", "record"],
            Place::Page => &["body", "records", "page", "header"],
            Place::Find => &["id", "ids", "value", "values", "field", "page", "included", "of", "record", "kid"],
            Place::Write => {
                &["item", "items", "id", "target", "parent", "changed", "actions", "now", "lines", "group", "groups", "key", "ids", "included"]
            }
            Place::Action => &["value", "name", "after", "item", "id", "target", "parent", "now"],
            Place::Answer => &["status", "header", "body", "error", "message", "asked", "data", "errors", "extensions"],
            Place::Receipt => &["item", "sent", "found", "parts", "body", "header", "status", "error", "key"],
            Place::Record => &["record"],
            Place::There => &["item", "sent", "found", "parts", "target", "record"],
            Place::Line => &["line", "target", "item", "id"],
            Place::Hello => &["body", "data", "header", "host"],
            Place::Webhook => &["url", "event", "secret", "body", "header", "query", "id", "now"],
        }
    }

    /// What it is, for a message.
    pub fn noun(self) -> &'static str {
        match self {
            Place::Everywhere => "here",
            Place::Auth => "in a sign-in",
            Place::Changes => "in a stream of changes",
            Place::Page => "for a page",
            Place::Find => "in a `get` or a `find`",
            Place::Write => "in a write",
            Place::Action => "in an action",
            Place::Answer => "in a rule for answers",
            Place::Receipt => "in a receipt",
            Place::Record => "for a record",
            Place::There => "where a record is looked at again",
            Place::Line => "for a line",
            Place::Hello => "in `hello`",
            Place::Webhook => "in `webhooks`",
        }
    }
}
