//! Where a text stands in a description, and which names are provided there.

/// A place, by what it is for. `setting` and `session` are provided at each. Names of the notation that have no value there yet stand in
/// [`crate::describe::unsupported::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Addresses, headers of each call, limits.
    Everywhere,
    /// The credentials of a sign-in.
    Auth,
    /// A call that gives a token.
    Token,
    /// What goes with each request.
    Sent,
    /// A signature.
    Signature,
    /// The call of a stream of changes.
    Changes,
    /// What a page after the first is asked for instead.
    Keyset,
    /// What a page says of itself.
    Page,
    /// A call that reads a record by its id.
    Get,
    /// A call that looks records up by a value.
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
    /// The call that lists named things.
    Names,
    /// What is said of a connection that works.
    Hello,
    /// A webhook that came in, and how webhooks are ordered.
    Webhook,
}

impl Place {
    /// The names that the place provides, beside `setting` and `session`.
    pub fn provides(self) -> &'static [&'static str] {
        match self {
            Place::Everywhere | Place::Auth | Place::Names => &[],
            Place::Token => &["refresh", "now"],
            Place::Sent => &["token", "now"],
            Place::Signature => &["token", "now", "name", "value"],
            Place::Changes => &["from", "until", "page"],
            Place::Keyset => &["stamp", "id", "from", "until", "page"],
            Place::Page => &["body", "records", "header"],
            Place::Get => &["id", "ids", "value", "values"],
            Place::Find => &["value", "values", "field"],
            Place::Write => &["item", "items", "id", "ids", "key", "target", "actions", "lines", "now"],
            Place::Action => &["value", "name", "after", "item", "id", "key", "target", "now"],
            Place::Answer => &["status", "header", "body", "error", "message", "asked", "data", "errors", "extensions"],
            Place::Receipt => &["item", "sent", "body", "header", "status", "error", "key"],
            Place::Record => &["record"],
            Place::There => &["item", "parts", "id", "key", "now"],
            Place::Line => &["line", "target", "item", "id", "key", "now"],
            Place::Hello => &["body", "data", "header", "host"],
            Place::Webhook => &["url", "event", "secret", "body", "header", "query", "id", "now"],
        }
    }

    /// What it is, for a message.
    pub fn noun(self) -> &'static str {
        match self {
            Place::Everywhere => "here",
            Place::Auth => "in a sign-in",
            Place::Token => "in a call for a token",
            Place::Sent => "in `send`",
            Place::Signature => "in a signature",
            Place::Changes => "in a stream of changes",
            Place::Keyset => "for the next page",
            Place::Page => "for a page",
            Place::Get => "in a `get`",
            Place::Find => "in a `find`",
            Place::Write => "in a write",
            Place::Action => "in an action",
            Place::Answer => "in a rule for answers",
            Place::Receipt => "in a receipt",
            Place::Record => "for a record",
            Place::There => "where a record is looked at again",
            Place::Line => "for a line",
            Place::Names => "in `names`",
            Place::Hello => "in `hello`",
            Place::Webhook => "in `webhooks`",
        }
    }
}
