//! What people write who know another language: one table of foreign habits, each with the text to write instead.
//!
//! A row of [`signs`] is a pattern in a statement; a row of [`calls`] is a function or a method of another language; a row
//! of [`words`] is a word that begins a statement, or a name. The table is asked first when something cannot be read or
//! found. [`mend`] applies rows until the statement can be read, so that its edit always leads to a statement that parses.

mod calls;
mod signs;
mod words;

use std::ops::Range;

pub use calls::{Call, call, is_foreign_call, split, summands, template};
pub use signs::back_ticks;
pub use words::{first_word, is_nothing, is_record, name, type_word};

/// Rows that are applied to one statement at most.
const STEPS: usize = 24;

/// What was found first in a statement, and how the whole of it reads without foreign habits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where the first habit stands.
    pub at: Range<usize>,
    /// What this language says, in words.
    pub words: &'static str,
    /// What stands there, for the headline.
    pub written: String,
    /// The stretch to replace and its replacement; absent where only words lead on. It holds all of what stands at `at`, so
    /// that a reader who sees the marked habit knows what the replacement stands in place of.
    pub edit: Option<(Range<usize>, String)>,
    /// How to carry the edit out, in words.
    pub advice: String,
}

/// One step: a stretch, its replacement (`None` where only words help), and the words.
#[derive(Debug)]
struct Step {
    /// Its place in the table of signs.
    row: Option<usize>,
    at: Range<usize>,
    write: Option<String>,
    words: &'static str,
}

/// Looks for foreign habits in a statement that cannot be read; `parses` says whether a text can.
pub fn mend(text: &str, parses: &dyn Fn(&str) -> bool) -> Option<Found> {
    let mut now = text.to_owned();
    let mut first: Option<Step> = None;
    let mut mended = false;
    for _ in 0..STEPS {
        let mut steps = steps(&now);
        // The one that is enough by itself, done as often as it applies; else the first of the table.
        let enough = steps.iter().position(|step| step.write.is_some() && parses(&repeated(&now, step)));
        if let Some(enough) = enough {
            let step = steps.swap_remove(enough);
            now = repeated(&now, &step);
            first.get_or_insert(step);
            mended = true;
            break;
        }
        if steps.is_empty() {
            break;
        }
        let step = steps.remove(0);
        let (at, write) = (step.at.clone(), step.write.clone());
        first.get_or_insert(step);
        let Some(write) = write else { break };
        now.replace_range(at, &write);
    }
    // What can be read may still call what there is not: `!isEmpty(x)`. A name in small letters may be the author's own.
    for _ in 0..STEPS {
        let call = calls::step(&now, &mask(&now)).filter(|call| {
            let name = now.get(call.at.clone()).and_then(|call| call.split('(').next()).unwrap_or("");
            mended && !name.contains('.') && name.contains(|c: char| c.is_ascii_uppercase())
        });
        let Some(Step { at, write: Some(write), .. }) = call else { break };
        let mut next = now.clone();
        next.replace_range(at, &write);
        if !parses(&next) {
            break;
        }
        now = next;
    }
    // A row that leads to nothing that can be read may have met something else.
    let first = first.filter(|first| mended || first.write.is_none())?;
    let written = shown(text.get(first.at.clone()).unwrap_or(""));
    let edit = mended.then(|| difference(text, &now)).map(|edit| grown(text, edit, &first.at));
    let advice = edit.as_ref().map_or_else(|| first.words.to_owned(), |(at, write)| advice(text, at, write, *at == first.at));
    Some(Found { at: first.at, words: first.words, written, edit, advice })
}

/// An edit made to hold all of a stretch that it touches.
fn grown(text: &str, (at, write): (Range<usize>, String), stretch: &Range<usize>) -> (Range<usize>, String) {
    if at.start > stretch.end || at.end < stretch.start {
        return (at, write);
    }
    let before = text.get(stretch.start.min(at.start)..at.start).unwrap_or("");
    let behind = text.get(at.end..stretch.end.max(at.end)).unwrap_or("");
    (at.start - before.len()..at.end + behind.len(), format!("{before}{write}{behind}"))
}

/// What to write, and in place of what, unless that is what the message marks.
fn advice(text: &str, at: &Range<usize>, write: &str, marked: bool) -> String {
    let (old, new) = (text.get(at.clone()).unwrap_or("").trim(), write.trim());
    match (new.is_empty(), marked || old.is_empty() || old.contains('\n')) {
        (true, true) => "take it out".to_owned(),
        (true, false) => format!("take `{old}` out"),
        (false, true) => format!("write `{new}`"),
        (false, false) => format!("write `{new}` in place of `{old}`"),
    }
}

/// What each row finds first in the text.
fn steps(text: &str) -> Vec<Step> {
    let masked = mask(text);
    let mut steps = signs::steps(text, &masked);
    steps.extend(calls::step(text, &masked));
    steps
}

/// A text with a row applied wherever it finds something.
fn repeated(text: &str, step: &Step) -> String {
    let mut now = text.to_owned();
    let mut next = Some((step.at.clone(), step.write.clone()));
    for _ in 0..STEPS {
        let Some((at, Some(write))) = next else { break };
        now.replace_range(at, &write);
        let masked = mask(&now);
        let again = match step.row {
            Some(row) => signs::one(row, &now, &masked),
            None => calls::step(&now, &masked),
        };
        next = again.map(|again| (again.at, again.write));
    }
    now
}

/// The stretch in which two texts differ, grown to whole words, and what stands there in the other.
fn difference(old: &str, new: &str) -> (Range<usize>, String) {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '\'');
    let mut start = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    let room = (old.len() - start).min(new.len() - start);
    let mut end = old.bytes().rev().zip(new.bytes().rev()).take(room).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(old.len() - end) || !new.is_char_boundary(new.len() - end) {
        end -= 1;
    }
    while let Some(c) = old[..start].chars().next_back().filter(|c| word(*c)) {
        start -= c.len_utf8();
    }
    while let Some(c) = old[old.len() - end..].chars().next().filter(|c| word(*c)) {
        end -= c.len_utf8();
    }
    (start..old.len() - end, new[start..new.len() - end].to_owned())
}

/// A text for a headline: one line, not long, signs that nobody sees written out.
fn shown(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or("");
    let short: String = line.chars().take(32).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

/// The text with everything in quotes and comments blanked, byte by byte, so that signs in it are not seen.
pub fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut quote: Option<char> = None;
    let mut comment = false;
    for c in text.chars() {
        let hidden = quote.is_some() || comment;
        match (quote, c) {
            (_, '\n') => {
                quote = None;
                comment = false;
            }
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'' | '`') if !comment => quote = Some(c),
            (None, '#') => comment = true,
            _ => {}
        }
        // The closing quote stays seen.
        if (comment || hidden && quote.is_some()) && c != '\n' {
            masked.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            masked.push(c);
        }
    }
    masked
}

/// An expression with brackets around it, unless it is one value by itself.
pub fn bracketed(text: &str) -> String {
    let text = text.trim();
    if is_one_value(text) { text.to_owned() } else { format!("({text})") }
}

/// A path, a literal, a call, or something in brackets of its own.
pub fn is_one_value(text: &str) -> bool {
    let masked = mask(text);
    let mut depth = 0_i32;
    let bytes = masked.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth < 0 {
                    return false;
                }
            }
            b'"' | b'\'' | b'`' | b'.' | b'_' | b'$' => {}
            b' ' if depth == 0 => {
                // Blanks are all that is left of a text's inside.
                let quotes = bytes[..at].iter().filter(|byte| matches!(byte, b'"' | b'\'' | b'`')).count();
                if quotes % 2 == 0 {
                    return false;
                }
            }
            byte if depth == 0 && !byte.is_ascii_alphanumeric() && byte.is_ascii() => return false,
            _ => {}
        }
    }
    depth == 0 && !masked.is_empty()
}

/// A replacement for a stretch of an expression: in brackets where its neighbors would else take a part of it.
pub fn in_place(text: &str, at: Range<usize>, replacement: &str) -> String {
    if is_one_value(replacement) || stands_alone(text, at) { replacement.to_owned() } else { format!("({replacement})") }
}

/// Whether nothing beside a stretch joins it: it is a whole value, argument or bracket.
pub fn stands_alone(text: &str, at: Range<usize>) -> bool {
    let before = text.get(..at.start).unwrap_or("").trim_end_matches([' ', '\t', '\n', '\r']);
    let behind = text.get(at.end..).unwrap_or("");
    let line = behind.trim_start_matches([' ', '\t']);
    let next = behind.trim_start();
    let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
    let opened = before.is_empty()
        || before.ends_with(['(', ',', '{', ':'])
        || before.ends_with("->")
        || (before.ends_with('=') && !before.ends_with("==") && !before.ends_with("!=") && !before.ends_with("<=") && !before.ends_with(">="))
        || matches!(word, "then" | "else" | "when" | "unless" | "where" | "require" | "if" | "by" | "in");
    let goes_on =
        next.starts_with(['|', '?', '+', '-', '*', '/', '.']) || next.starts_with("as ") || next.starts_with("and ") || next.starts_with("or ");
    let closed = (line.is_empty() || line.starts_with(['\n', '\r', ')', ',', '}', '"', '#'])) && !goes_on
        || ["then ", "else ", "once", "clear", "for "].iter().any(|word| line.starts_with(word));
    opened && closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_where_a_neighbor_would_take_a_part() {
        let text = "x = a.b * c";
        assert_eq!(in_place(text, 4..7, "a.b ?? 0"), "(a.b ?? 0)");
        assert_eq!(in_place("x = a.b", 4..7, "a.b ?? 0"), "a.b ?? 0");
        assert_eq!(in_place("x = f(a.b, 2)", 6..9, "a.b ?? 0"), "a.b ?? 0");
        assert_eq!(in_place("x = a.b\n  | trim", 4..7, "a.b ?? 0"), "(a.b ?? 0)");
        assert!(is_one_value("f(a, b + c)") && is_one_value("\"a b\"") && !is_one_value("a + b") && !is_one_value("(a) + (b)"));
    }

    /// Each row of the tables has an example: it is found, and the edit gives the text that stands beside it.
    #[test]
    fn every_example_is_mended_as_the_table_says() {
        let mut wrong = Vec::new();
        for (written, right) in signs::examples().chain(calls::examples()) {
            let parses = |text: &str| text == right;
            let mended = mend(written, &parses).and_then(|found| {
                let (at, replacement) = found.edit?;
                let mut text = written.to_owned();
                text.replace_range(at, &replacement);
                Some(text)
            });
            if mended.as_deref() != Some(right) {
                wrong.push(format!("{written}\n   gives {mended:?}\n   wanted {right:?}"));
            }
            // What it leads to can be read.
            let whole = wrap(right);
            let (_, found) = crate::syntax::read(crate::base::FileId::default(), &whole);
            if !found.is_empty() {
                wrong.push(format!("{right} cannot be read: {found:?}"));
            }
            // What is written can not be read, or calls what this language does not have.
            let (_, found) = crate::syntax::read(crate::base::FileId::default(), &wrap(written));
            if found.len() > 1 || found.is_empty() && !is_foreign_call(written) {
                wrong.push(format!("{written} gives {} messages: {found:?}", found.len()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// A person who reads the help can apply it: it replaces at least what is marked, and says what it replaces where that
    /// is more.
    #[test]
    fn an_edit_holds_what_is_marked_and_its_words_say_what_it_replaces() {
        for (written, right) in signs::examples().chain(calls::examples()) {
            let Some(found) = mend(written, &|text| text == right) else { continue };
            let Some((at, write)) = found.edit else { continue };
            assert!(at.start <= found.at.start && at.end >= found.at.end, "{written}: {at:?} does not hold {:?}", found.at);
            let (old, new) = (written[at.clone()].trim(), write.trim());
            assert!(found.advice.contains(new), "{written}: {}", found.advice);
            assert!(at == found.at || found.advice.contains(old), "{written}: {}", found.advice);
        }
        let advice = |written: &str, right: &str| mend(written, &|text| text == right).unwrap().advice;
        assert_eq!(advice("where order.A === 5", "where order.A == 5"), "write `==`");
        assert_eq!(advice("else => \"x\"", "else -> \"x\""), "write `->`");
        assert_eq!(advice("where order.A is null", "where order.A is missing"), "write `is missing`");
        let choice = advice("a = order.A > 5 ? \"x\" : \"y\"", "a = if order.A > 5 then \"x\" else \"y\"");
        assert!(choice.contains("write `if order.A > 5 then \"x\" else \"y\"`") || choice.contains("`= if order.A > 5 then"), "{choice}");
    }

    /// A statement in a file.
    fn wrap(statement: &str) -> String {
        let word = crate::syntax::outline::first_word(statement);
        let (section, end) = match word {
            "require" | "review" | "warn" => ("validate {\n    ", "\n  }"),
            "let" => ("", ""),
            "where" | "changed" | "every" | "first" => ("from crm.X as y {\n    ", "\n  }"),
            "when" | "else" => ("route store {\n    ", "\n  }"),
            "seen" => return format!("edition 1\nexpect e \"e\" {{\n  for f\n  {statement}\n  else alert \"x\"\n}}\n"),
            _ if statement.starts_with('"') => return format!("edition 1\nvalues v: text -> text {{\n  {statement}\n}}\n"),
            _ => ("update crm.Order of order {\n    ", "\n  }"),
        };
        format!("edition 1\nflow f {{\n  from crm.Order as order\n  {section}{statement}{end}\n}}\n")
    }
}
