//! The standard form of a mapping file (`crossdock fmt`).
//!
//! White space changes: indentation, the space between words, blank lines, and columns that
//! line up in rows that belong together. No word moves to another line and no comment is lost,
//! so the form keeps the meaning by the way it is made. Where the language takes two spellings of
//! the same thing, the usual one is written ([`one_spelling`]).

use super::outline::{self, Statement};
use super::read;
use super::token::{Kind, Token, tokens};
use crate::base::FileId;
use crate::base::diag::Diagnostic;

const STEP: usize = 2;
/// A line that goes on with the statement of the line above.
const GOES_ON: usize = 4;
/// Columns that would make a line longer than this are not lined up.
const WIDEST: usize = 120;

/// The text in the standard form.
///
/// # Errors
/// Some statement cannot be read; the file is better left as it is.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let file = FileId::default();
    let (tree, found) = read(file, text);
    let errors: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
    if tree.broken || !errors.is_empty() {
        return Err(errors);
    }
    let statements = outline::outline(file, text, &mut Vec::new()).statements;
    let mut spread = Vec::new();
    stretches(&statements, &mut spread);
    let mut lines = lines(text, &spread);
    line_up(&mut lines);
    Ok(print(&lines))
}

/// A line of the file, without white space.
struct Line<'t> {
    indent: usize,
    tokens: Vec<Token<'t>>,
    /// Spaces before each token; nothing before the first.
    gaps: Vec<usize>,
    /// Blank lines stood above it.
    parted: bool,
    /// It begins a statement.
    begins: bool,
}

impl Line<'_> {
    fn comment_only(&self) -> bool {
        self.tokens.first().is_some_and(|t| t.kind == Kind::Comment)
    }

    /// Columns before the token.
    fn width_before(&self, index: usize) -> usize {
        let words: usize = self.tokens[..index].iter().map(|t| t.text.chars().count()).sum();
        self.indent + words + self.gaps[..index].iter().sum::<usize>()
    }

    fn width(&self) -> usize {
        self.width_before(self.tokens.len())
    }
}

/// Byte ranges in which a line goes on with a statement: its head and its tail.
fn stretches(statements: &[Statement], into: &mut Vec<(usize, usize)>) {
    for statement in statements {
        into.push((statement.head.start, statement.head.end));
        if let Some(block) = &statement.block {
            stretches(&block.statements, into);
        }
        if !statement.tail.is_empty() {
            into.push((statement.tail.start, statement.tail.end));
        }
    }
}

fn lines<'t>(text: &'t str, spread: &[(usize, usize)]) -> Vec<Line<'t>> {
    let mut lines: Vec<Line<'t>> = Vec::new();
    // Open brackets: `true` for a block's.
    let mut open: Vec<bool> = Vec::new();
    // The same of the blocks of value maps.
    let mut maps: Vec<bool> = Vec::new();
    let mut parted = false;
    let mut rest = tokens(text);
    while !rest.is_empty() {
        let end = rest.iter().position(|t| t.kind == Kind::Break).unwrap_or(rest.len());
        let after = rest.split_off(end);
        let mut tokens = std::mem::replace(&mut rest, after);
        if !rest.is_empty() {
            rest.remove(0);
        }
        one_spelling(&mut tokens, maps.last() == Some(&true));
        let Some(first) = tokens.first() else {
            parted = true;
            continue;
        };
        let is_map = matches!(tokens.as_slice(), [first, ..] if first.text == "values")
            || matches!(tokens.as_slice(), [first, second, ..] if first.text == "override" && second.text == "values");
        let closing = tokens.iter().take_while(|t| t.closes()).count();
        let outer = &open[..open.len() - closing.min(open.len())];
        let blocks = outer.iter().filter(|block| **block).count();
        let brackets = outer.len() - blocks;
        let goes_on = spread.iter().any(|(start, end)| *start < first.at && first.at < *end);
        let more = match (brackets, goes_on && closing == 0) {
            (0, true) => GOES_ON,
            (0, false) => 0,
            (n, _) => n * STEP,
        };
        for token in &tokens {
            match token.text {
                "{" => open.push(true),
                "(" | "[" => open.push(false),
                "}" | ")" | "]" => {
                    open.pop();
                    maps.truncate(open.len());
                }
                _ => {}
            }
        }
        maps.resize(open.len(), is_map);
        let begins = spread.iter().any(|(start, _)| *start == first.at);
        let above = lines.last();
        let opens_block = above.is_some_and(|l| l.tokens.iter().rev().find(|t| t.kind != Kind::Comment).is_some_and(|t| t.text == "{"));
        let parted = std::mem::take(&mut parted) && above.is_some() && !opens_block && first.text != "}";
        let gaps = gaps(&tokens, begins);
        lines.push(Line { indent: blocks * STEP + more, tokens, gaps, parted, begins });
    }
    lines
}

/// Writes what has two spellings in the usual one: `look up` for `lookup` in a write, and the `else` of a value map without an arrow.
fn one_spelling(tokens: &mut Vec<Token<'_>>, in_map: bool) {
    for at in 2..tokens.len() {
        if tokens[at].text == "lookup" && tokens[at - 1].text == "doubt" && tokens[at - 2].text == "in" {
            tokens[at].text = "look up";
        }
    }
    if in_map && matches!(tokens.as_slice(), [first, second, ..] if first.text == "else" && second.text == "->") {
        tokens.remove(1);
    }
}

/// One space, or none, before each token of a line.
fn gaps(tokens: &[Token<'_>], begins: bool) -> Vec<usize> {
    let mut gaps = vec![0; tokens.len()];
    for i in 1..tokens.len() {
        let (before, token) = (&tokens[i - 1], &tokens[i]);
        let sign = before.text == "-" && (i < 2 || !tokens[i - 2].ends_value());
        let tight = match token.text {
            "," | ")" | "]" | "." | "?" | ":" => true,
            "}" => before.text == "{",
            // A call; but `in (…)`, `and (…)`, and what follows a statement's own word.
            "(" => before.kind == Kind::Name && !before.is_reserved() && !(begins && i == 1),
            _ => false,
        } || matches!(before.text, "(" | "[" | ".")
            || sign;
        gaps[i] = match token.kind {
            Kind::Comment => 2,
            _ => usize::from(!tight),
        };
    }
    gaps
}

/// In which rows something lines up, and what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    /// `city = …`
    Field,
    /// `let lines = …`
    Let,
    /// `"Draft" -> on_hold`
    Arrow,
    /// `require … "the message"`
    Message,
}

fn line_up(lines: &mut [Line<'_>]) {
    let columns: Vec<Option<(Column, usize)>> = lines.iter().map(column).collect();
    together(
        lines,
        |above, below| match (columns[above], columns[below]) {
            (Some((a, _)), Some((b, _))) => a == b,
            _ => false,
        },
        |i| columns[i].map(|(_, token)| token),
    );
    // Comments behind the rows of one group.
    let comments: Vec<Option<usize>> =
        lines.iter().map(|line| (!line.comment_only()).then(|| line.tokens.iter().position(|t| t.kind == Kind::Comment)).flatten()).collect();
    together(lines, |above, below| comments[above].is_some() && comments[below].is_some(), |i| comments[i]);
}

/// Moves one token of each line of a group to the widest line's column.
fn together(lines: &mut [Line<'_>], same: impl Fn(usize, usize) -> bool, token: impl Fn(usize) -> Option<usize>) {
    let mut start = 0;
    while start < lines.len() {
        let mut end = start + 1;
        while end < lines.len() && !lines[end].parted && lines[end].indent == lines[start].indent && same(end - 1, end) {
            end += 1;
        }
        let at: Vec<Option<usize>> = (start..end).map(&token).collect();
        let widths: Vec<usize> = at.iter().zip(&lines[start..end]).map(|(t, l)| t.map_or(0, |t| l.width_before(t) + l.gaps[t])).collect();
        let widest = widths.iter().copied().max().unwrap_or(0);
        let fits = lines[start..end].iter().zip(&widths).all(|(l, w)| l.width() + widest - w <= WIDEST);
        if end - start > 1 && fits {
            for ((line, width), token) in lines[start..end].iter_mut().zip(&widths).zip(&at) {
                if let Some(token) = token {
                    line.gaps[*token] += widest - width;
                }
            }
        }
        start = end;
    }
}

/// What lines up in a line, and which token it is.
fn column(line: &Line<'_>) -> Option<(Column, usize)> {
    if !line.begins {
        return None;
    }
    let first = line.tokens.first()?;
    let at_level = |text: &'static str| {
        let mut depth = 0_i32;
        line.tokens.iter().position(|t| {
            let found = depth == 0 && t.text == text;
            depth += i32::from(t.opens()) - i32::from(t.closes());
            found
        })
    };
    match first.text {
        "let" => return Some((Column::Let, at_level("=")?)),
        "require" | "warn" | "review" => return Some((Column::Message, message(line)?)),
        "function" | "values" | "parameter" | "create" | "update" | "upsert" => return None,
        _ => {}
    }
    if let Some(arrow) = at_level("->").or_else(|| at_level("<->")) {
        return Some((Column::Arrow, arrow));
    }
    let path = line.tokens.iter().take_while(|t| t.kind == Kind::Name || t.text == ".").count();
    let words_meet = line.tokens[..path].windows(2).any(|two| two[0].kind == Kind::Name && two[1].kind == Kind::Name);
    (path > 0 && !words_meet && line.tokens.get(path)?.text == "=").then_some((Column::Field, path))
}

/// The text that stands behind the condition, not in it.
fn message(line: &Line<'_>) -> Option<usize> {
    let mut depth = 0_i32;
    for (i, token) in line.tokens.iter().enumerate() {
        if depth == 0 && token.kind == Kind::Text && i > 1 && line.tokens[i - 1].ends_value() {
            return Some(i);
        }
        depth += i32::from(token.opens()) - i32::from(token.closes());
    }
    None
}

fn print(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    for line in lines {
        if line.parted {
            text.push('\n');
        }
        text.extend(std::iter::repeat_n(' ', line.indent));
        for (token, gap) in line.tokens.iter().zip(&line.gaps) {
            text.extend(std::iter::repeat_n(' ', *gap));
            text.push_str(token.text);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let once = format(text).unwrap_or_else(|found| panic!("{text}\n{found:?}"));
        assert_eq!(format(&once).as_deref(), Ok(once.as_str()), "a second time changes it again");
        once
    }

    #[test]
    fn space_and_columns_come_into_order() {
        let text = "\u{feff}edition 1\r\n\r\n\r\nflow  x{\r\n\tfrom crm.Order as order{every 5 minutes}\n\n\n  let a=order.X\n  let long_name =-1+2*( 3-order.Y )\n upsert wms.Order key orderKey=\"sf-{ order.Id }\" {\n\n orderNumber=order.OrderNumber\n  shipTo . city   =   order.City|trim|truncate 30 # a note\n  x = count (order.Lines)\n\n }\n}\n\n\n";
        insta::assert_snapshot!(formatted(text));
    }

    #[test]
    fn lines_that_go_on_stay_lines_and_are_set_in() {
        let text = "edition 1\nflow x {\nfrom crm.Order as order { every 5 minutes }\nvalidate {\nrequire order.A\n\"the message\" for \"x\"\nrequire order.LongName \"m\"\nrequire order.B   \"n\"\nrequire order.C matches '[0-9]+' \"o\"\n}\nupdate crm.Order of order {\nNotes__c = if order.A in (\"x\",\n\"y\"\n) then \"{order.B ?? \"-\"}\"\nelse order.C\n| trim\n}\n}\n";
        match format(text) {
            Ok(_) => insta::assert_snapshot!(formatted(text)),
            // The `else` of an `if` may not begin a line.
            Err(_) => insta::assert_snapshot!(formatted(&text.replace("\nelse", " else"))),
        }
    }

    #[test]
    fn rows_of_maps_and_routes_line_up_and_comments_stay() {
        let text = "edition 1 # first\n# about the map\n## Documented.\nvalues v:crm.Order.Status->wms.Order.orderStatus{\n\"Draft\"->on_hold   # why\n\"Activated\",\"Ready to Ship\" -> awaiting_shipment # because\nelse review \"{value}?\"\n}\nflow x {\n from crm.Order as order { every 5 minutes }\n route a,b {\n when order.X==\"1\"->\"A\",\"B\"\n else->\"C\",\"D\"\n }\n update crm.Order of order { Notes__c = \"x\" }\n}\n";
        insta::assert_snapshot!(formatted(text));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused() {
        assert!(format("edition 1\nflow x {\n").is_err());
        assert!(format("edition 1\nnonsense here\n").is_err());
    }

    #[test]
    fn only_white_space_changes() {
        let dense = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let text = "edition 1\nfunction f(a: text?, b: integer = -3) -> text? = \"{a}: {b - 1} { \"x\" }\"  # c\n\nparameter p: a warehouse of wms = 'Reno  DC'\n";
        assert_eq!(dense(text), dense(&formatted(text)));
        assert!(formatted(text).contains("'Reno  DC'") && formatted(text).contains("{b - 1} { \"x\" }"));
    }

    #[test]
    fn every_example_of_the_pages_keeps_its_meaning() {
        let places = regex::Regex::new(r"@\d+\.\.\d+|start: \d+|end: \d+").unwrap();
        let meaning = |text: &str| places.replace_all(&format!("{:#?}", read(FileId::default(), text).0), "").into_owned();
        let mut seen = 0;
        for code in crate::base::diag::Code::ALL {
            for fence in code.page().split("```dock mended\n").skip(1) {
                let example = fence.split("```").next().unwrap_or_default();
                let standard = formatted(example);
                assert_eq!(meaning(example), meaning(&standard), "{code}");
                seen += 1;
            }
        }
        assert!(seen > 30);
    }

    #[test]
    fn a_comparison_with_a_negative_number_is_read() {
        let text = formatted("edition 1\nflow x {\n  from crm.Order as order {\n    where order.X <-5 and order.Y > -2\n  }\n}\n");
        assert!(text.contains("where order.X < -5 and order.Y > -2"), "{text}");
    }
}
