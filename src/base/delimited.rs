//! What separates the cells of a CSV text, where its headings begin, and what is said where another sign separates them.

/// A CSV text, and how it is cut into cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimited<'t> {
    /// From its headings on.
    pub text: &'t str,
    /// What stands between cells.
    pub separator: u8,
    /// The lines before the headings: one that says the separator.
    pub before: u8,
}

/// What a header is looked through for, first ones first.
const SEPARATORS: [u8; 4] = *b",;\t|";
/// Signs that stand in no heading, and that some programs write between cells. They have to be said.
const UNUSUAL: [u8; 2] = *b"^~";

/// Each sign that may separate the cells of a CSV text.
pub fn separators() -> impl Iterator<Item = u8> {
    SEPARATORS.into_iter().chain(UNUSUAL)
}

impl<'t> Delimited<'t> {
    /// The separator is the one that is said; else that of a first line `sep=;`; else as the header has it: commas, or, where it has
    /// none, the most of semicolons, tabs and bars.
    pub fn of(text: &'t str, said: Option<u8>) -> Self {
        // Some programs write a byte order mark before a text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (written, text) = written(text);
        let separator = said.or(written).unwrap_or_else(|| detected(text));
        Delimited { text, separator, before: u8::from(written.is_some()) }
    }
}

/// What helps where the whole first line of a CSV file was read as one heading, and the columns that are wanted are not it: its cells are
/// separated by another sign than was said or than is detected. `None` where that is not the cause.
pub fn separator_help<'n>(path: &str, heading: &str, columns: impl IntoIterator<Item = &'n str>, said: Option<u8>) -> Option<String> {
    if let Some(said) = said.map(char::from) {
        let said = if said == '\t' { "tab".to_owned() } else { said.to_string() };
        return Some(format!(
            "line 1 of {path} has no `{said}`, which `separator` under `csv` in crossdock.yaml says is between its cells: correct it or take it out"
        ));
    }
    let sign = columns.into_iter().find_map(|column| beside(heading, column))?;
    Some(format!(
        "cells are separated by commas, semicolons, tabs or bars; name another separator in crossdock.yaml:   csv: {{ {path}: {{ separator: \"{sign}\" }} }}"
    ))
}

/// The sign beside a column's name in a line.
fn beside(line: &str, column: &str) -> Option<char> {
    let at = line.to_ascii_lowercase().find(&column.to_ascii_lowercase())?;
    let (before, behind) = (line.get(..at)?, line.get(at + column.len()..)?);
    let sign = behind.trim_start().chars().next().or_else(|| before.trim_end().chars().next_back())?;
    // These stand within a heading.
    (sign.is_ascii_punctuation() && !matches!(sign, '"' | '\'' | '\\' | '_' | '-' | '.' | '(' | ')')).then_some(sign)
}

/// What a spreadsheet's first line `sep=;` says that stands between cells, and the text behind that line.
fn written(text: &str) -> (Option<u8>, &str) {
    let line = text.lines().next().unwrap_or("");
    let said = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP=")).or_else(|| line.strip_prefix("\"sep=")?.strip_suffix('"'));
    match said.map(str::as_bytes) {
        Some([sign]) if sign.is_ascii_punctuation() || *sign == b'\t' => {
            (Some(*sign), text.get(line.len()..).map_or("", |rest| rest.trim_start_matches('\r').strip_prefix('\n').unwrap_or("")))
        }
        _ => (None, text),
    }
}

/// What separates the cells of a header, outside of quotes.
fn detected(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let mut quoted = false;
    let mut found = [0_usize; SEPARATORS.len()];
    for c in header.bytes() {
        match SEPARATORS.iter().position(|known| *known == c) {
            _ if c == b'"' => quoted = !quoted,
            Some(at) if !quoted => found[at] += 1,
            _ => {}
        }
    }
    let most = if found[0] > 0 { 0 } else { (1..found.len()).max_by_key(|at| (found[*at], found.len() - at)).unwrap_or(0) };
    if found[most] > 0 { SEPARATORS[most] } else { b',' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_shows_what_separates_its_cells() {
        for (header, separator) in [
            ("a,b", b','),
            ("a;b", b';'),
            ("a\tb", b'\t'),
            ("a|b", b'|'),
            ("a, b;c;d", b','),
            ("\"a, b\";c", b';'),
            ("\"a,b;c\"|d", b'|'),
            ("a;b|c|d", b'|'),
            ("a;b|c", b';'),
            ("a", b','),
            ("", b','),
            ("\u{feff}a;b", b';'),
        ] {
            assert_eq!(Delimited::of(header, None).separator, separator, "{header}");
        }
    }

    #[test]
    fn what_is_said_comes_before_what_is_seen() {
        let told = |text, said| Delimited::of(text, said);
        assert_eq!(told("sep=^\r\na,b\n", None), Delimited { text: "a,b\n", separator: b'^', before: 1 });
        assert_eq!(told("\"sep=;\"\na,b", None), Delimited { text: "a,b", separator: b';', before: 1 });
        assert_eq!(told("\u{feff}sep=;\na,b", Some(b'|')), Delimited { text: "a,b", separator: b'|', before: 1 });
        assert_eq!(told("sep=ab\n", None), Delimited { text: "sep=ab\n", separator: b',', before: 0 });
        assert_eq!(told("sep=;", None), Delimited { text: "", separator: b';', before: 1 });
    }

    #[test]
    fn the_sign_that_separates_a_line_which_is_one_heading_is_told() {
        let help = |heading, said| separator_help("a.csv", heading, ["sku", "name"], said).unwrap_or_default();
        assert!(help("sku^name", None).contains("separator: \"^\""));
        assert!(help("Number : SKU", None).contains("separator: \":\""));
        for other in ["", "skus", "product_sku", "sku (old)", "sku name", "code"] {
            assert_eq!(help(other, None), "", "{other}");
        }
        assert!(help("sku,name", Some(b';')).contains("has no `;`"));
        assert!(help("sku,name", Some(b'\t')).contains("has no `tab`"));
    }
}
