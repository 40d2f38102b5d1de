//! What is said to an author: a code, a headline, places with their roles, and a way out.
//!
//! A [`Diagnostic`] is data. How it looks on a terminal, as JSON, SARIF or a GitHub
//! annotation is for [`render`].

mod code;
pub mod render;

pub use code::Code;

use super::{Span, visible};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The mapping cannot run.
    Error,
    /// The mapping can run; somebody should look.
    Warning,
}

/// A place, and the part it plays in the mistake.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// Text that would mend the mistake if it replaced what stands at `span`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Edit {
    pub span: Span,
    pub replacement: String,
}

/// One way out: words, and where it can be told exactly, the edit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Help {
    pub text: String,
    pub edit: Option<Edit>,
}

/// One mistake or one doubt. Made by a function in the `error.rs` of the room that finds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// The headline, in the reader's nouns, lower case, without a full stop.
    pub message: String,
    /// The smallest place that is wrong.
    pub primary: Label,
    /// Other places that make it wrong, in this file or another.
    pub others: Vec<Label>,
    /// What would happen to a record.
    pub why: Option<String>,
    pub help: Vec<Help>,
    /// Places whose text is a secret: no form shows it.
    pub hidden: Vec<Span>,
}

impl Diagnostic {
    /// A diagnostic of the code's own severity.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: code.severity(),
            message: visible(message.into()),
            primary: Label { span, text: String::new() },
            others: Vec::new(),
            why: None,
            help: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// What stands there is a secret, and is shown by no form.
    #[must_use]
    pub fn hide(mut self, span: Span) -> Self {
        self.hidden.push(span);
        self
    }

    /// What the primary place is, said beside it.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = visible(text.into());
        self
    }

    #[must_use]
    pub fn other(mut self, span: Span, text: impl Into<String>) -> Self {
        self.others.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn why(mut self, text: impl Into<String>) -> Self {
        self.why = Some(text.into());
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(Help { text: visible(text.into()), edit: None });
        self
    }

    /// A way out that can be applied as it is.
    #[must_use]
    pub fn mend(mut self, text: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        self.help.push(Help { text: visible(text.into()), edit: Some(Edit { span, replacement: replacement.into() }) });
        self
    }

    /// “did you mean …?” with the edit, where a name is near.
    #[must_use]
    pub fn did_you_mean<'a>(self, written: &str, span: Span, known: impl IntoIterator<Item = &'a str>) -> Self {
        match super::nearest(written, known) {
            Some(near) => self.mend(format!("did you mean `{near}`?"), span, near),
            None => self,
        }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
