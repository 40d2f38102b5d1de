//! The smallest change of a text's layout that makes it YAML.
//!
//! A reader of YAML stops behind the line that is wrong, and often far behind. So the lines around that place are tried: each
//! with another indentation, with the colon or the quotes that it may lack. The change that lets the reader come through, with
//! the fewest findings and the fewest lines touched, is what was most likely meant.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::mistake::{Mistake, indent};
use super::{Unreadable, read};

/// Lines before the place where the reader stopped that are tried, and behind it.
const BEFORE: usize = 12;
const BEHIND: usize = 3;
/// Bytes that are read in all: what is tried is bounded, however long the text is.
const READ: usize = 4 * 1024 * 1024;
/// Characters that look like a space and are none.
const NO_SPACES: &[char] = &['\u{a0}', '\u{2007}', '\u{2009}', '\u{202f}', '\u{3000}'];

struct Line<'t> {
    number: usize,
    start: usize,
    /// Without its line break.
    body: &'t str,
    margin: usize,
}

impl Line<'_> {
    fn inner(&self) -> &str {
        &self.body[self.margin..]
    }

    fn end(&self) -> usize {
        self.start + self.body.len()
    }
}

/// A change to try. `lines` are its first and its last, counted among those that hold something.
struct Change {
    mistake: Mistake,
    lines: (usize, usize),
    /// How many lines are indented as its first one is: what is odd is rather wrong.
    alike: usize,
    /// By how many spaces lines are moved.
    by: usize,
}

/// The change of layout that comes nearest to making a text readable; none where no change of these kinds lets the reader come
/// further. `findings` counts what is wrong with a text that is YAML.
pub(super) fn nearest_readable(text: &str, fault: &Unreadable, findings: &dyn Fn(&str) -> usize) -> Option<Mistake> {
    if fault.duplicate {
        return None;
    }
    let lines = lines(text);
    let stopped = lines.iter().rposition(|line| line.start <= fault.at).unwrap_or(0);
    // A place at the very beginning is none: the reader could not say where.
    let (from, to) = if fault.at == 0 { (0, lines.len()) } else { (stopped.saturating_sub(BEFORE), lines.len().min(stopped + 1 + BEHIND)) };
    let mut alike: BTreeMap<usize, usize> = BTreeMap::new();
    for line in &lines {
        *alike.entry(line.margin).or_default() += 1;
    }
    // The nearest first. A change holds the text of what it moves, so none is made that is not tried.
    let mut near: Vec<usize> = (from..to).collect();
    near.sort_by_key(|at| at.abs_diff(stopped));
    let changes = near.into_iter().flat_map(|at| signs(&lines, at).into_iter().chain(indentations(&lines, at, text, &alike)));
    let most = READ / text.len().max(1);
    let judged = changes.take(most).filter_map(|change| {
        let mended = change.mistake.mended(text);
        let far = reached(&mended, change.lines.1, &lines).filter(|far| *far > stopped)?;
        let found = if far == usize::MAX { findings(&mended) } else { 0 };
        let reindented = change.mistake.with.trim() == text.get(change.mistake.replace.0..change.mistake.replace.1).unwrap_or_default().trim();
        let touched = change.lines.1 - change.lines.0;
        Some(((Reverse(far), found, touched, reindented, change.alike, change.by, change.lines.0.abs_diff(stopped)), change.mistake))
    });
    judged.min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, mistake)| mistake)
}

/// The line that the reader stops on; `usize::MAX` if it comes through, `None` if not even behind the change.
fn reached(mended: &str, last: usize, lines: &[Line<'_>]) -> Option<usize> {
    match read(mended) {
        Ok(_) => Some(usize::MAX),
        Err(Unreadable { at: 0, .. }) => None,
        Err(fault) => {
            let number = mended.get(..fault.at)?.matches('\n').count();
            let at = lines.iter().rposition(|line| line.number <= number)?;
            (at > last).then_some(at)
        }
    }
}

/// The lines that hold something.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut all = Vec::new();
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let body = whole.trim_end_matches(['\n', '\r']);
        let margin = body.len() - body.trim_start_matches(' ').len();
        if !body.trim().is_empty() && !body.trim_start().starts_with('#') {
            all.push(Line { number, start, body, margin });
        }
        start += whole.len();
    }
    all
}

/// A line in the indentation of those around it: by itself, with what is indented below it, or with all that follow it.
fn indentations(lines: &[Line<'_>], at: usize, text: &str, alike: &BTreeMap<usize, usize>) -> Vec<Change> {
    let Some(line) = lines.get(at) else { return Vec::new() };
    let around = lines.get(at.saturating_sub(BEFORE)..lines.len().min(at + 1 + BEHIND)).unwrap_or_default();
    let mut wanted: BTreeSet<usize> = around.iter().map(|line| line.margin).chain([0]).collect();
    // Of what it may belong to, however far above that begins.
    let mut least = usize::MAX;
    for above in lines[..at].iter().rev() {
        if above.margin < least {
            least = above.margin;
            wanted.insert(least);
        }
        if least == 0 {
            break;
        }
    }
    if let Some(before) = at.checked_sub(1).and_then(|before| lines.get(before)) {
        wanted.insert(before.margin + 2);
    }
    wanted.remove(&line.margin);
    let behind = |keep: &dyn Fn(&Line<'_>) -> bool| at + lines[at + 1..].iter().take_while(|line| keep(line)).count();
    let lasts: BTreeSet<usize> = [at, behind(&|next| next.margin > line.margin), behind(&|next| next.margin >= line.margin)].into();
    let mut changes = Vec::new();
    for to in wanted {
        for last in &lasts {
            let moved = lines.get(at..=*last).unwrap_or_default();
            let Some(end) = moved.last().map(Line::end) else { continue };
            let Some(whole) = text.get(line.start..end) else { continue };
            let with: Vec<String> = whole.split('\n').map(|one| shifted(one, line.margin, to)).collect();
            let like = around.iter().filter(|other| other.margin == to && (other.start < line.start || other.start > end));
            let like = like.min_by_key(|other| other.number.abs_diff(line.number)).map(|other| format!(", as line {}", other.number + 1));
            let help = match moved.last() {
                Some(last) if last.number > line.number => {
                    let (from, last) = (line.number + 1, last.number + 1);
                    let by = line.margin.abs_diff(to);
                    let way = if to > line.margin { "further in" } else { "further out" };
                    format!("{}, and the lines to {last} with it: lines {from} to {last} belong {by} {way}", indent(to))
                }
                _ => format!("{}{}", indent(to), like.unwrap_or_default()),
            };
            changes.push(Change {
                mistake: Mistake {
                    at: line.start..line.start + line.margin.max(1),
                    words: indented(line.margin),
                    help,
                    replace: (line.start, end),
                    with: with.join("\n"),
                },
                lines: (at, *last),
                alike: alike.get(&line.margin).copied().unwrap_or(0),
                by: line.margin.abs_diff(to),
            });
        }
    }
    changes
}

fn shifted(line: &str, from: usize, to: usize) -> String {
    if line.trim().is_empty() {
        return line.to_owned();
    }
    let margin = line.len() - line.trim_start_matches(' ').len();
    let new = if to > from { margin + (to - from) } else { margin.saturating_sub(from - to) };
    " ".repeat(new) + line.trim_start_matches(' ')
}

fn indented(spaces: usize) -> String {
    match spaces {
        0 => "not indented".to_owned(),
        1 => "indented by 1 space".to_owned(),
        spaces => format!("indented by {spaces} spaces"),
    }
}

/// What a line by itself may lack: a colon, the space behind a dash, quotes.
fn signs(lines: &[Line<'_>], at: usize) -> Vec<Change> {
    let Some(line) = lines.get(at) else { return Vec::new() };
    let inner = line.inner().trim_end();
    let begin = line.start + line.margin;
    let mut changes = Vec::new();
    let mut propose = |from: usize, length: usize, words: &str, help: String, with: String| {
        let from = begin + from;
        let mistake = Mistake { at: from..from + length.max(1), words: words.to_owned(), help, replace: (from, from + length), with };
        changes.push(Change { mistake, lines: (at, at), alike: 0, by: 0 });
    };
    let name = inner.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).unwrap_or(inner.len());
    let (word, rest) = (&inner[..name], &inner[name..]);
    if name > 0 && !word.starts_with('-') {
        let deeper = lines.get(at + 1).is_some_and(|next| next.margin > line.margin || next.inner().starts_with('-'));
        if rest.is_empty() && deeper {
            propose(name, 0, "a colon is missing behind the name", format!("write `{word}:`"), ":".to_owned());
        } else if rest.starts_with(' ') && !rest.trim_start().starts_with(':') {
            propose(name, 0, "a colon is missing behind the name", format!("write `{word}: {}`", rest.trim_start()), ":".to_owned());
        }
    }
    for wide in ['：', '﹕'] {
        if let Some(found) = inner.find(wide) {
            let help = "write `: `, a colon and a space".to_owned();
            propose(found, wide.len_utf8(), "this looks like a colon and is another character", help, ":".to_owned());
        }
    }
    if let Some(first) = inner.find(NO_SPACES) {
        let length = inner[first..].chars().next().map_or(1, char::len_utf8);
        propose(first, length, "this looks like a space and is another character", "write a space in its place".to_owned(), " ".to_owned());
    }
    if inner.len() > 1 && inner.starts_with('-') && !inner.starts_with("- ") && !inner.starts_with("--") {
        propose(1, 0, "a space is missing behind the dash", "write `- ` before an item of a list".to_owned(), " ".to_owned());
    }
    if inner == "---" || inner == "..." {
        propose(0, 3, "a second document begins here, and a file holds one", format!("take the `{inner}` out"), String::new());
    }
    // What stands behind `name: ` or `- ` as one text.
    let value = inner.find(": ").map(|colon| colon + 2).or_else(|| inner.strip_prefix("- ").map(|_| 2));
    if let Some(value) = value.map(|value| value + inner[value..].len() - inner[value..].trim_start().len())
        && !inner[value..].is_empty()
        && !inner[value..].starts_with(['"', '\'', '{', '['])
    {
        // A comment is no part of it.
        let text = inner[value..].split(" #").next().unwrap_or_default().trim_end();
        let quoted = if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") };
        let help = format!("put it in quotes: {quoted}");
        propose(value, text.len(), "a text with such characters stands in quotes", help, quoted);
    }
    changes
}

#[cfg(test)]
mod tests {
    use crate::yaml::{mend, read};

    const FINE: &str = "\
# Connections.
connections:
  crm: { system: salesforce }
  # The warehouse.
  wms:
    system: shipstation
    api_key: \"${KEY}\"
    api_secret: \"${SECRET}\"

parameters:
  default_warehouse: \"Reno DC\"
  review_above: \"20000.00\"
  # It costs postage.
  print_labels: false

time_zone: Europe/London # what today means
store: sqlite:x.db
allow:
  - code: W0530
    reason: one
  - code: W0531
    reason: two
";

    /// A text and a line of it (from 1) written anew.
    fn edited(line: usize, new: &str) -> String {
        let lines: Vec<&str> = FINE.lines().enumerate().map(|(at, old)| if at + 1 == line { new } else { old }).collect();
        lines.join("\n") + "\n"
    }

    /// Each line of the file with another indentation is told on that line, and the mend gives the file as it was.
    #[test]
    fn a_wrong_indentation_is_told_on_its_line() {
        // What counts as wrong here: an unknown name at the left margin, a connection without its system.
        let top = ["connections", "parameters", "time_zone", "store", "allow"];
        let findings = |text: &str| {
            let Ok(node) = read(text) else { return 1 };
            let unknown = node.entries().unwrap_or_default().iter().filter(|entry| !top.contains(&entry.key.as_str())).count();
            let connections = node.get("connections").and_then(|all| all.entries()).unwrap_or_default();
            let within = ["connections", "parameters"].map(|name| node.get(name).and_then(|all| all.entries()).unwrap_or_default());
            let astray = within.iter().flat_map(|all| all.iter()).filter(|entry| top.contains(&entry.key.as_str())).count();
            unknown + astray + connections.iter().filter(|entry| entry.value.get("system").is_none()).count()
        };
        let mut wrong = Vec::new();
        let mut tried = 0;
        for (at, line) in FINE.lines().enumerate() {
            let margin = line.len() - line.trim_start().len();
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            for to in [margin.wrapping_sub(1), margin + 1, margin + 3, margin.wrapping_sub(2), 0] {
                if to > 12 || to == margin {
                    continue;
                }
                let text = edited(at + 1, &(" ".repeat(to) + line.trim_start()));
                let Err(fault) = read(&text) else { continue };
                tried += 1;
                let Some(found) = mend(&text, &fault, &findings) else {
                    wrong.push(format!("line {} by {to}: nothing is found", at + 1));
                    continue;
                };
                let told = text[..found.at.start].matches('\n').count() + 1;
                let mended = found.mended(&text);
                if told != at + 1 || mended != FINE {
                    wrong.push(format!("line {} by {to}: told at {told}: {}: {}\n{mended}", at + 1, found.words, found.help));
                }
            }
        }
        assert!(tried > 30, "{tried}");
        assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn what_a_line_lacks_is_told_on_it() {
        let mut wrong = Vec::new();
        for (line, new, says) in [
            (10, "parameters", "write `parameters:`"),
            (14, "  print_labels false", "write `print_labels: false`"),
            (14, "  print_labels： false", "a colon"),
            (11, "  default_warehouse: Reno: DC", "\"Reno: DC\""),
            (11, "  default_warehouse: @Reno", "\"@Reno\""),
            (11, "  default_warehouse: %5", "\"%5\""),
            (17, "store sqlite:x.db", "write `store: sqlite:x.db`"),
            (19, "  -code: W0530", "write `- `"),
            (9, "---", "take the `---` out"),
            (12, "\treview_above: 1", "indent it by 2 spaces"),
            (5, "  wms", "write `wms:`"),
        ] {
            let text = edited(line, new);
            let Err(fault) = read(&text) else {
                wrong.push(format!("{new}: can be read"));
                continue;
            };
            let Some(found) = mend(&text, &fault, &|_| 0) else {
                wrong.push(format!("{new}: nothing is found; {fault}"));
                continue;
            };
            let told = text[..found.at.start].matches('\n').count() + 1;
            if told != line || !found.help.contains(says) || read(&found.mended(&text)).is_err() {
                wrong.push(format!("{new}: told at {told}: {}: {}\n{}", found.words, found.help, found.mended(&text)));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn an_item_of_an_outer_list_is_not_taken_for_one_of_an_inner_list() {
        let fine = "cases:\n  - name: one\n    given: { record: a }\n    expect:\n      sent:\n        items:\n            - sku: x\n              a: 1\n              b: 1\n              c: 1\n              d: 1\n              e: 1\n              f: 1\n              g: 1\n              h: 1\n  - name: two\n    given: { record: b }\n    expect: { sent: 1 }\n";
        for wrong in [1, 3] {
            let text = fine.replace("  - name: two", &(" ".repeat(wrong) + "- name: two"));
            let found = mend(&text, &read(&text).unwrap_err(), &|_| 0).unwrap();
            assert_eq!(found.mended(&text), fine, "{found:?}");
        }
    }

    #[test]
    fn of_two_mistakes_the_first_is_told() {
        let text = edited(8, "     api_secret: x").replace("    reason: two", "   reason: two");
        let found = mend(&text, &read(&text).unwrap_err(), &|_| 0).unwrap();
        assert_eq!(text[..found.at.start].matches('\n').count() + 1, 8, "{found:?}");
        let text = found.mended(&text);
        let found = mend(&text, &read(&text).unwrap_err(), &|_| 0).unwrap();
        assert_eq!(text[..found.at.start].matches('\n').count() + 1, 22, "{found:?}");
    }

    #[test]
    fn what_is_no_layout_is_left_to_the_reader() {
        for (text, mended) in [("a: 1\na: 2\n", None), ("a: *none\n", Some("a: \"*none\"\n")), ("}\n", Some("\n")), ("a: \u{0}\n", None)] {
            let fault = read(text).unwrap_err();
            let found = mend(text, &fault, &|_| 0).map(|found| found.mended(text));
            assert_eq!(found.as_deref(), mended, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_answered_soon() {
        let long = FINE.to_owned() + &"  - code: W1\n    reason: x\n".repeat(20_000) + "   - code: W2\n";
        // Of a mistake at the very beginning the reader does not say where it is.
        for text in [long.clone(), "@x: 1\n".to_owned() + &long] {
            let fault = read(&text).unwrap_err();
            let began = std::time::Instant::now();
            let _ = mend(&text, &fault, &|_| 0);
            assert!(began.elapsed().as_secs() < 10, "{:?}: {}", began.elapsed(), &text[..20]);
        }
    }
}
