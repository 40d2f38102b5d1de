//! Text for a terminal of a given width: tables that fit, and wrapped paragraphs.

/// `1 record`, `2 lines of history`, `3 entries`
pub(super) fn counted(count: impl std::fmt::Display + PartialEq + From<u8>, what: &str) -> String {
    let (noun, rest) = what.split_once(" of ").map_or((what, String::new()), |(noun, rest)| (noun, format!(" of {rest}")));
    let many = match noun.strip_suffix('y') {
        _ if count == 1.into() => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    };
    format!("{count} {many}{rest}")
}

/// Columns of a table, filled row by row and printed when all widths are known.
pub(super) struct Columns {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The column that gives way where the table is too wide.
    yields: usize,
}

impl Columns {
    /// `yields`: the column whose cells are cut where the table is too wide.
    pub(super) fn new(header: &[&str], yields: usize) -> Self {
        Columns { header: header.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new(), yields }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The header and the rows, each at most so wide, as far as the other columns allow it.
    pub(super) fn lines(&self, width: usize) -> (String, Vec<String>) {
        let count = self.header.len();
        let all = || std::iter::once(&self.header).chain(&self.rows);
        let mut widths: Vec<usize> = (0..count).map(|at| all().filter_map(|row| row.get(at)).map(|cell| long(cell)).max().unwrap_or(0)).collect();
        let whole = widths.iter().sum::<usize>() + 2 * count.saturating_sub(1);
        if let Some(yields) = widths.get_mut(self.yields) {
            *yields = yields.saturating_sub(whole.saturating_sub(width)).max(6);
        }
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
            cells.join("  ").trim_end().to_owned()
        };
        (line(&self.header), self.rows.iter().map(line).collect())
    }
}

/// A text cut to a number of characters, its end marked.
pub(super) fn cut(text: &str, width: usize) -> String {
    if long(text) <= width { text.to_owned() } else { text.chars().take(width.saturating_sub(1)).chain(std::iter::once('…')).collect() }
}

fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let left = width.saturating_sub(long(&text));
    text + &" ".repeat(left)
}

fn long(text: &str) -> usize {
    text.chars().count()
}

/// A paragraph in lines of a width, each after an indent. A word that is longer is cut.
pub(super) fn wrapped(text: &str, indent: usize, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        loop {
            let joined = long(&line) + usize::from(!line.is_empty()) + long(&word);
            if joined <= room {
                line = if line.is_empty() { word } else { line + " " + &word };
                break;
            }
            if line.is_empty() {
                line = word.chars().take(room).collect();
                word = word.chars().skip(room).collect();
            }
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.into_iter().map(|line| " ".repeat(indent) + &line).collect()
}

/// Lines for people, each at most so wide: a longer one goes on below, between words, under its own text: behind its indent, and behind a
/// word that stands before it as in `ok   the store …`. A word that is longer stays whole, since people copy paths and addresses. Colors take
/// no room.
pub(super) fn flowed(text: &str, width: usize) -> String {
    let mut flowed = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            flowed.push('\n');
        }
        flow(line, width, &mut flowed);
    }
    flowed
}

fn flow(line: &str, width: usize, into: &mut String) {
    let plain = without_colours(line);
    if long(&plain) <= width {
        return into.push_str(line);
    }
    let hang = hang(&plain, width);
    let (mut column, mut gap, mut word, mut begun) = (0, 0, String::new(), false);
    let mut put = |word: &mut String, gap: &mut usize, into: &mut String| {
        let wide = long(&without_colours(word));
        if wide > 0 {
            let breaks = begun && column + *gap + wide > width;
            let spaces = if breaks { hang } else { *gap };
            if breaks {
                into.push('\n');
            }
            into.extend(std::iter::repeat_n(' ', spaces));
            column = if breaks { hang + wide } else { column + spaces + wide };
            (*gap, begun) = (0, true);
        }
        into.push_str(word);
        word.clear();
    };
    for c in line.chars() {
        if c == ' ' {
            put(&mut word, &mut gap, into);
            gap += 1;
        } else {
            word.push(c);
        }
    }
    put(&mut word, &mut gap, into);
}

/// Where a line goes on.
fn hang(line: &str, width: usize) -> usize {
    let blank = |text: &str| text.chars().take_while(|c| *c == ' ').count();
    let indent = blank(line);
    let rest = line.trim_start_matches(' ');
    let word = rest.chars().take_while(|c| *c != ' ').count();
    let behind = rest.find(' ').map_or(0, |at| blank(&rest[at..]));
    let hang = if word <= 10 && behind >= 2 { indent + word + behind } else { indent + 2 };
    if hang <= width / 2 { hang } else { 2 }
}

fn without_colours(text: &str) -> String {
    let mut in_colour = false;
    let is_seen = |c: &char| {
        let seen = !in_colour && *c != '\u{1b}';
        in_colour = *c == '\u{1b}' || in_colour && *c != 'm';
        seen
    };
    text.chars().filter(is_seen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_named_in_words() {
        for (count, what, told) in
            [(1_u64, "body", "1 body"), (2, "body", "2 bodies"), (2, "line of history", "2 lines of history"), (0, "link", "0 links")]
        {
            assert_eq!(counted(count, what), told);
        }
    }

    #[test]
    fn a_table_fits_by_the_column_that_gives_way() {
        let mut table = Columns::new(&["id", "flow", "age"], 1);
        table.row(vec!["1".into(), "a_flow_with_a_very_long_name".into(), "3 days".into()]);
        let (header, rows) = table.lines(24);
        assert_eq!((header.as_str(), rows[0].as_str()), ("id  flow          age", "1   a_flow_with…  3 days"));
        assert_eq!(table.lines(80).1[0], "1   a_flow_with_a_very_long_name  3 days");
    }

    #[test]
    fn paragraphs_are_wrapped_and_long_words_cut() {
        assert_eq!(wrapped("one two three four", 2, 22), ["  one two three four"]);
        assert_eq!(wrapped("one two three four five", 2, 22), ["  one two three four", "  five"]);
        let long = "x".repeat(50);
        assert_eq!(wrapped(&long, 0, 20).iter().map(String::len).collect::<Vec<_>>(), [20, 20, 10]);
        assert!(wrapped("  ", 2, 20).is_empty());
    }

    #[test]
    fn a_long_line_goes_on_under_its_own_text() {
        for (line, told) in [
            ("short", "short"),
            ("one two three four five", "one two three four\n  five"),
            ("ok   one two three four", "ok   one two three\n     four"),
            ("  reason   one two three", "  reason   one two\n  three"),
            ("see https://example.com/a/long/path now", "see\n  https://example.com/a/long/path\n  now"),
            ("\u{1b}[1mone two three four\u{1b}[0m five", "\u{1b}[1mone two three four\u{1b}[0m\n  five"),
            ("one\ntwo two two two two two", "one\ntwo two two two two\n  two"),
        ] {
            assert_eq!(flowed(line, 19), told, "{line}");
        }
    }
}
