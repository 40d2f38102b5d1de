//! Patterns: regular expressions, made ready once.

use regex::Regex;

use crate::base::Span;

/// A regular expression of a description.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As it is written.
    pub text: String,
    pub span: Span,
    whole: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.span) == (&other.text, other.span)
    }
}

impl Pattern {
    /// # Errors
    /// What is wrong with the expression.
    pub fn read(text: &str, span: Span) -> Result<Self, regex::Error> {
        // By itself first: with the signs around it an error would stand elsewhere.
        Regex::new(text)?;
        Ok(Pattern { text: text.to_owned(), span, whole: Regex::new(&format!("^(?:{text})$"))? })
    }

    /// Whether it matches a text as a whole.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}
