//! The text of a draft: lines of YAML, what was guessed with its reason, and what is left to a person.

/// A description that is being written.
#[derive(Default)]
pub(super) struct Text {
    text: String,
}

impl Text {
    /// What the vendor's file says itself.
    pub(super) fn line(&mut self, indent: usize, yaml: &str) {
        self.text.push_str(&format!("{:indent$}{yaml}\n", ""));
    }

    /// What is guessed, and why. `system check` lists it until a person takes the mark away.
    pub(super) fn guess(&mut self, indent: usize, yaml: &str, why: &str) {
        self.text.push_str(&format!("{:indent$}{yaml}   # [K] guessed: {}\n", "", one_line(why)));
    }

    pub(super) fn comment(&mut self, indent: usize, text: &str) {
        self.text.push_str(&format!("{:indent$}# {}\n", "", one_line(text)));
    }

    /// What could not be found, and where to look for it.
    pub(super) fn todo(&mut self, indent: usize, text: &str) {
        self.comment(indent, &format!("{TODO} {text}"));
    }

    pub(super) fn empty(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn done(self) -> String {
        self.text
    }
}

/// A text of a vendor's file in one line, as comments and titles are.
pub(super) fn one_line(text: &str) -> String {
    let is_none = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    text.split(is_none).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The mark of what is left open in a draft.
pub(in crate::app) const TODO: &str = "TODO:";
