//! A way out in words that a person can carry out by hand: what to write, and where it goes if that is not what is marked.

use super::View;
use crate::base::diag::{Edit, Help};
use crate::base::{Source, Span};

/// Lines of a proposed text that are shown; the rest is in the JSON form.
const PROPOSED: usize = 4;
/// A line that shows how it reads with the edit is cut to so many characters, and stands below words that are longer with it.
const LINE: usize = 84;

/// The words of a help with what its edit says beyond them. `marked` is the place that the message marks.
pub(super) fn proposal(help: &Help, marked: Span, view: View<'_>) -> String {
    let Help { text, edit: Some(edit) } = help else { return help.text.clone() };
    match view.sources.get(edit.span.file).and_then(|source| place(text, edit, marked, &source.shown(&[]))) {
        // `write X` says no more than the line with X in it.
        Some(Place::Line(line)) if *text == format!("write `{}`", edit.replacement.trim()) => with("write", &line),
        Some(Place::Line(line)) => with(text, &line),
        Some(Place::At(words)) => with(&behind_words(text, &words), edit.replacement.trim()),
        None => with(text, edit.replacement.trim()),
    }
}

/// What the words lack to say where the edit goes.
enum Place {
    /// The line as it reads with the edit.
    Line(String),
    /// Which lines.
    At(String),
}

fn place(text: &str, edit: &Edit, marked: Span, source: &Source) -> Option<Place> {
    let (start, end) = (edit.span.start as usize, edit.span.end as usize);
    let (before, old, behind) = (source.text.get(..start)?, source.text.get(start..end)?, source.text.get(end..)?);
    let before = before.rsplit('\n').next().unwrap_or("");
    let behind = behind.split('\n').next().unwrap_or("").trim_end();
    let new = edit.replacement.as_str();
    let line = source.position(edit.span.start).line;
    if old.is_empty() && new.contains('\n') {
        // A line of its own.
        let own = if before.trim().is_empty() && !new.starts_with('\n') { format!("before line {line}") } else { format!("after line {line}") };
        return Some(Place::At(own));
    }
    if new.contains('\n') || old.contains('\n') {
        let last = source.position(edit.span.end).line;
        return (edit.span != marked).then(|| Place::At(format!("lines {line} to {last}")));
    }
    let said = !old.trim().is_empty() && text.contains(old.trim()) && text.contains(new.trim());
    let margin = before.trim().is_empty() && new.trim().is_empty() && !behind.trim().is_empty();
    if edit.span == marked || said || margin {
        return None;
    }
    if new.trim().is_empty() && before.trim().is_empty() && behind.trim().is_empty() {
        return Some(Place::At(format!("line {line}")));
    }
    Some(Place::Line(cut(before, new, behind)))
}

/// A line, cut around what is new in it.
fn cut(before: &str, new: &str, behind: &str) -> String {
    let (before, behind) = (&*narrow(before.trim_start()), &*narrow(behind));
    let count = |text: &str| text.chars().count();
    if count(before) + count(new) + count(behind) <= LINE {
        return format!("{before}{new}{behind}").trim().to_owned();
    }
    let room = LINE.saturating_sub(count(new)).max(24) / 2;
    let lead = count(before).saturating_sub(room);
    let first: String = before.chars().skip(lead).collect();
    let last: String = behind.chars().take(room).collect();
    let (open, close) = (if lead > 0 { "…" } else { "" }, if count(behind) > room { "…" } else { "" });
    format!("{open}{first}{new}{last}{close}").trim().to_owned()
}

/// A text without the blanks that set signs below each other in a column. What stands in quotes stays.
fn narrow(text: &str) -> String {
    let mut quote = None;
    let mut narrow = String::with_capacity(text.len());
    for c in text.chars() {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        if quote.is_some() || c != ' ' || !narrow.ends_with(' ') {
            narrow.push(c);
        }
    }
    narrow
}

/// Where, behind the words and before what they propose.
fn behind_words(text: &str, place: &str) -> String {
    match text.split_once(":   ") {
        Some((words, proposed)) => format!("{words} ({place}):   {proposed}"),
        None => format!("{} ({place})", text.trim_end_matches(':')),
    }
}

/// The words and the text to write, where the words do not hold it already.
fn with(text: &str, proposed: &str) -> String {
    if proposed.is_empty() || text.contains(proposed) {
        return text.to_owned();
    }
    let text = text.trim_end_matches(':');
    if !proposed.contains('\n') {
        // Where the words propose something themselves, or leave no room, the line stands below them.
        let below = text.contains(":   ") || text.chars().count() + proposed.chars().count() > LINE;
        let colon = if text.contains(":   ") || text.ends_with('?') { "" } else { ":" };
        return if below { format!("{text}{colon}\n  {proposed}") } else { format!("{text}{colon}   {proposed}") };
    }
    let mut lines: Vec<String> =
        std::iter::once(format!("{text}:")).chain(proposed.lines().take(PROPOSED).map(|line| format!("  {}", line.trim_end()))).collect();
    let left = proposed.lines().count().saturating_sub(PROPOSED);
    if left > 0 {
        lines.push(format!("  … and {left} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sources;

    const TEXT: &str = "flow f {\n  require lines.length > 0 \"none\"\n    a   = x.y\n  let b = c\n}\n";

    /// What is said of an edit of `old` (at its first place) while `marked` is marked.
    fn said(words: &str, marked: &str, old: &str, new: &str) -> String {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("a.dock", TEXT));
        let at = |part: &str| TEXT.find(part).map(|start| Span::new(file, start, start + part.len())).unwrap();
        let help = Help { text: words.to_owned(), edit: Some(Edit { span: at(old), replacement: new.to_owned() }) };
        proposal(&help, at(marked), View::new(&sources))
    }

    fn inserted(words: &str, marked: &str, behind: &str, new: &str) -> String {
        said(words, marked, behind, &format!("{behind}{new}"))
    }

    #[test]
    fn an_edit_of_what_is_marked_is_what_to_write() {
        assert_eq!(said("did you mean `count`?", "length", "length", "count"), "did you mean `count`?");
        assert_eq!(said("round it", "x.y", "x.y", "x.y | round 2"), "round it:   x.y | round 2");
        assert_eq!(said("take it out", "lines", "lines", ""), "take it out");
    }

    #[test]
    fn an_edit_of_more_or_less_than_is_marked_is_shown_in_its_line() {
        let line = "require count(lines) > 0 \"none\"";
        assert_eq!(said("write `count(lines)`", "length", "lines.length", "count(lines)"), format!("write:   {line}"));
        assert_eq!(
            said("write `count(lines)` in place of `lines.length`", "length", "lines.length", "count(lines)"),
            "write `count(lines)` in place of `lines.length`"
        );
        // A fragment that goes, and one that comes.
        assert_eq!(said("take it out", "lines.length", ".length", ""), "take it out:   require lines > 0 \"none\"");
        assert_eq!(inserted("set it once", "a   =", "x.y", " once"), "set it once:   a = x.y once");
    }

    #[test]
    fn a_line_of_its_own_is_told_by_its_number() {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("a.dock", TEXT));
        let end = TEXT.find("\n  let").unwrap();
        let told = |words: &str, at: usize, to: usize, new: &str| {
            let help = Help { text: words.to_owned(), edit: Some(Edit { span: Span::new(file, at, to), replacement: new.to_owned() }) };
            proposal(&help, Span::new(file, 0, 4), View::new(&sources))
        };
        assert_eq!(told("close it with a `}` on a line of its own", end, end, "\n  }"), "close it with a `}` on a line of its own (after line 3)");
        assert_eq!(told("add a row", end + 1, end + 1, "  c = d\n"), "add a row (before line 4):   c = d");
        assert_eq!(told("add:   c = d", end, end, "\n  c = d"), "add (after line 3):   c = d");
        assert_eq!(told("take it out", end + 1, end + 1 + "  let b = c".len(), ""), "take it out (line 4)");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_new_in_it() {
        let line = cut(&format!("{}(", "long ".repeat(30)), "NEW", &format!("){}", " long".repeat(30)));
        assert!(line.contains("(NEW)") && line.starts_with('…') && line.ends_with('…') && line.chars().count() <= LINE + 2, "{line}");
        assert_eq!(cut("  a    = ", "b", "  c \"d   e\""), "a = b c \"d   e\"");
    }
}
