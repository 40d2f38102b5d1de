//! Comments, quotes and braces of other languages, which would mislead the cutting of a text into statements.

use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span};

/// A comment of another language that begins at `at`, outside of texts: where it ends, and what to say.
pub(super) fn comment(file: FileId, text: &str, at: usize) -> Option<(usize, Diagnostic)> {
    let rest = text.get(at..)?;
    let line = rest.lines().next().unwrap_or("");
    let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let alone = text[line_start..at].trim().is_empty();
    let blank_before = alone || text[..at].ends_with([' ', '\t']);
    if rest.starts_with("/*") {
        let length = rest.find("*/").map_or(line.len(), |end| end + 2);
        let inner = rest[2..length].trim_end_matches("*/");
        let behind = rest[length..].lines().next().unwrap_or("");
        let write = if behind.trim().is_empty() || inner.contains('\n') {
            let lines: Vec<String> = inner
                .lines()
                .map(|line| line.trim().trim_start_matches('*').trim())
                .filter(|line| !line.is_empty())
                .map(|line| format!("# {line}"))
                .collect();
            let margin = format!("\n{}", " ".repeat(at - line_start));
            lines.join(if alone { &margin } else { " " })
        } else {
            String::new()
        };
        // What stands behind a comment would become a part of it.
        let write = if behind.trim().is_empty() || write.is_empty() { write } else { format!("{write}\n") };
        return Some((at + length, said(file, "/* … */", at, at + 2, at..at + length, write)));
    }
    let mark = if rest.starts_with("//") && blank_before || rest.starts_with("//") && !rest.starts_with("///") && !text[..at].ends_with(':') {
        "//"
    } else if rest.starts_with("<!--") {
        "<!--"
    } else if rest.starts_with("--") && blank_before && rest[2..].starts_with([' ', '\t']) {
        "--"
    } else {
        return None;
    };
    let signs = mark.chars().next()?;
    // Lines of comments in a row are one mistake.
    let mut end = at + line.len();
    let mut write = plain(line, mark, signs);
    if alone {
        let mut rest = &text[end..];
        while let Some(next) = rest.strip_prefix('\n').map(|rest| rest.lines().next().unwrap_or("")) {
            if !next.trim_start().starts_with(mark) {
                break;
            }
            let margin = &next[..next.len() - next.trim_start().len()];
            write = format!("{write}\n{margin}{}", plain(next.trim_start(), mark, signs));
            end += 1 + next.len();
            rest = &text[end..];
        }
    }
    Some((end, said(file, mark, at, at + mark.len(), at..end, write)))
}

fn plain(line: &str, mark: &str, signs: char) -> String {
    let inner = line.trim_end().trim_start_matches(mark).trim_start_matches(signs).trim_end_matches("-->").trim();
    if inner.is_empty() { "#".to_owned() } else { format!("# {inner}") }
}

fn said(file: FileId, mark: &str, from: usize, to: usize, at: std::ops::Range<usize>, write: String) -> Diagnostic {
    let whole = Span::new(file, at.start, at.end);
    let said = Diagnostic::new(
        Code::Unreadable,
        Span::new(file, from, to),
        format!("`{mark}` is not of this language: a comment begins with `#` and ends with its line"),
    );
    if write.is_empty() {
        said.mend("take it out", whole, write)
    } else {
        said.mend(format!("write `{}`", write.lines().next().unwrap_or("#")), whole, write)
    }
}

/// A typesetter's quotes on the line of a text that is not closed.
pub(super) fn quotes(file: FileId, text: &str, at: usize) -> Option<Diagnostic> {
    const QUOTES: [char; 6] = ['“', '”', '„', '‟', '«', '»'];
    let start = text[..at.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or("");
    let first = line.find(QUOTES)?;
    let last = line.rfind(QUOTES)?;
    let sign = line[first..].chars().next()?;
    let end = last + line[last..].chars().next().map_or(1, char::len_utf8);
    let span = Span::new(file, start + first, start + first + sign.len_utf8());
    let whole = Span::new(file, start + first, start + end);
    let right = line[first..end].replace(QUOTES, "\"");
    Some(Diagnostic::new(Code::Unreadable, span, format!("`{sign}` is not of this language: texts stand in straight quotes")).mend(
        format!("write `{right}`"),
        whole,
        right,
    ))
}

/// `{{ value }}` where a value stands: where it ends, and what to say.
pub(super) fn doubled(file: FileId, text: &str, at: usize) -> Option<(usize, Diagnostic)> {
    let rest = text.get(at..)?;
    let line = rest.lines().next().unwrap_or("");
    if line.starts_with("{%") {
        let end = line.find("%}").map_or(line.len(), |end| end + 2);
        let said =
            Diagnostic::new(Code::Unreadable, Span::new(file, at, at + 2), "`{% … %}` is not of this language: nothing steers the text of a mapping")
                .help("a choice is `if … then … else …`, and a list is gone through by `each x in list { … }`");
        return Some((at + end, said));
    }
    let inner = line.strip_prefix("{{")?;
    match inner.find("}}") {
        Some(close) => {
            let value = inner[..close].trim();
            let whole = Span::new(file, at, at + 2 + close + 2);
            let said = Diagnostic::new(
                Code::Unreadable,
                Span::new(file, at, at + 2),
                "`{{ … }}` is not of this language: a value is named by itself",
            )
            .mend(format!("write `{value}`"), whole, value);
            Some((at + 2 + close + 2, said))
        }
        None if inner.trim().is_empty() => {
            let second = Span::new(file, at + 1, at + 2);
            Some((
                at + 1,
                Diagnostic::new(Code::Unclosed, second, "a `{` is there twice").label("one opens the block").mend("take it out", second, ""),
            ))
        }
        None => None,
    }
}
