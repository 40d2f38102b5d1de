//! Text to tree: each statement of the outline is read by its rule of the grammar.
//!
//! A statement that cannot be read gives one diagnostic and is left out; everything else in the
//! file is still there.

mod expr;
mod flow;
mod items;
mod mistake;
mod writes;

use pest::Parser as _;
use pest::iterators::Pair;

use super::grammar::{Grammar, Rule as G};
use super::outline::{self, Range, Statement};
use super::tree::{File, Name};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span, Spanned, bounds};

/// A file larger than this is refused.
const LARGEST: usize = bounds::MAPPING;
/// Words that nest (`if`, `each`, `not` …) in one statement.
const WORDS: usize = 64;
/// Operators, fields or pipes in one chain: each nests what stands before it.
const CHAIN: usize = 200;

/// Reads a mapping file. The tree holds every statement that could be read.
pub fn read(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    if text.len() > LARGEST {
        let diagnostic = Diagnostic::new(Code::TooLarge, Span::new(file, 0, 0), "the file is larger than 1 MiB")
            .help("split it into several files and bring them together with `use`");
        return (File { broken: true, ..File::default() }, vec![diagnostic]);
    }
    let mut found = Vec::new();
    let outline = outline::outline(file, text, &mut found);
    let mut reader = Reader { file, source: text, text: &outline.text, found, broken: false, lost: Vec::new() };
    let mut tree = reader.file(&outline.statements);
    let (broken, lost, mut found) = (reader.broken, reader.lost, reader.found);
    tree.lost = lost;
    tree.torn = found.iter().any(outline::is_of_blocks);
    tree.broken = broken || found.iter().any(Diagnostic::is_error);
    // Where a block's brace is lost, what seems misplaced or unreadable only follows from it.
    if tree.torn {
        found.retain(|found| outline::is_of_blocks(found) || !matches!(found.code, Code::Unreadable | Code::Misplaced));
    }
    found.sort_by_key(|diagnostic| (diagnostic.primary.span.start, diagnostic.code));
    (tree, found)
}

/// Reads one expression, as it stands in a text of another file (a YAML value, a test).
///
/// # Errors
/// What cannot be read.
pub fn read_expr(file: FileId, text: &str) -> Result<super::tree::Expr, Vec<Diagnostic>> {
    let plain = outline::expression(file, text);
    let mut reader = Reader { file, source: text, text: &plain, found: Vec::new(), broken: false, lost: Vec::new() };
    let range = Range { start: 0, end: text.len() };
    let expr = reader.sentence(G::whole_expr, range).map(|pair| {
        let mut parts = parts(pair);
        let first = parts.next();
        first.map(|pair| reader.expr(pair, 0))
    });
    match expr {
        Some(Some(expr)) if reader.found.is_empty() => Ok(expr),
        _ => Err(reader.found),
    }
}

pub(super) struct Reader<'t> {
    file: FileId,
    /// As the author wrote it.
    source: &'t str,
    /// As the grammar takes it, byte by byte in the same place.
    text: &'t str,
    found: Vec<Diagnostic>,
    broken: bool,
    /// Names that statements would have given that could not be read.
    lost: Vec<String>,
}

/// The names that a statement gives, told by its words alone: those behind its first word, and one behind `as`.
fn names_given(text: &str) -> Vec<String> {
    let first = outline::first_word(text);
    let gives = [
        "let",
        "match",
        "values",
        "table",
        "function",
        "parameter",
        "flow",
        "expect",
        "route",
        "from",
        "const",
        "var",
        "def",
        "func",
        "group",
        "split",
        "create",
        "update",
        "upsert",
    ];
    if !gives.contains(&first) && crate::syntax::habits::first_word(first, &["let"]).is_none() {
        return Vec::new();
    }
    let is_name = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let end = text.find(['=', ':', '(', '{', '"']).unwrap_or(text.len());
    let head = text.get(first.len()..end).unwrap_or("");
    let named = !["from", "group", "split", "create", "update", "upsert"].contains(&first);
    let mut names: Vec<String> = if named { head.split([' ', ',', '\n']).filter(is_name).map(str::to_owned).collect() } else { Vec::new() };
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).filter(|word| !word.is_empty()).collect();
    names.extend(words.windows(2).filter(|two| two[0] == "as").map(|two| two[1].to_owned()));
    names
}

/// The inner pairs of a rule, without the marks of its ends and words that only introduce.
fn parts(pair: Pair<'_, G>) -> impl Iterator<Item = Pair<'_, G>> + Clone {
    pair.into_inner().filter(|inner| {
        !matches!(
            inner.as_rule(),
            G::EOI
                | G::kw_and
                | G::kw_or
                | G::kw_in
                | G::kw_is
                | G::kw_was
                | G::kw_as
                | G::kw_if
                | G::kw_then
                | G::kw_else
                | G::kw_where
                | G::kw_for
                | G::kw_before
                | G::kw_by
                | G::kw_key
                | G::kw_each
                | G::kw_matches
                | G::kw_reaches
                | G::kw_of
                | G::a_word
                | G::list_word
                | G::group_word
                | G::sort_word
                | G::distinct_word
                | G::flatten_word
                | G::empty
                | G::sent
        )
    })
}

impl<'t> Reader<'t> {
    fn slice(&self, range: Range) -> &'t str {
        self.text.get(range.start..range.end).unwrap_or("")
    }

    /// Reads a stretch of text by a rule. What cannot be read is reported, once.
    fn sentence(&mut self, rule: G, range: Range) -> Option<Pair<'t, G>> {
        let slice = self.slice(range);
        // So many words have no room in a shorter text.
        if slice.len() > 3 * WORDS && nests(slice) > WORDS {
            self.found.push(
                Diagnostic::new(Code::TooDeep, range.span(self.file), format!("this is nested deeper than {WORDS} levels"))
                    .help("give parts of it a name with `let` or a `function`"),
            );
            self.broken = true;
            return None;
        }
        // The text up to the end of the range, so that places count from the file's beginning.
        match Grammar::parse(rule, slice) {
            Ok(mut pairs) => pairs.next(),
            Err(error) => {
                let diagnostic = mistake::explain(self.file, self.source.get(range.start..range.end).unwrap_or(slice), range, rule, &error);
                self.found.push(diagnostic);
                self.broken = true;
                None
            }
        }
    }

    /// The rule's pair for a statement's head, unless a mistake in it was reported already.
    fn head(&mut self, rule: G, statement: &Statement) -> Option<(Pair<'t, G>, usize)> {
        if statement.broken {
            self.broken = true;
            self.lose(statement);
            return None;
        }
        let head = self.sentence(rule, statement.head).map(|pair| (pair, statement.head.start));
        if head.is_none() {
            self.lose(statement);
        }
        head
    }

    /// What a broken statement would have named is not unknown where it is read.
    fn lose(&mut self, statement: &Statement) {
        let names = names_given(self.slice(statement.head));
        self.lost.extend(names);
    }

    /// The span of a pair that was read at `base`.
    fn span(&self, pair: &Pair<'_, G>, base: usize) -> Span {
        let inner = pair.as_span();
        let (start, mut end) = (base + inner.start(), base + inner.end());
        // The outline has left nothing else of white space.
        let blank = |at: usize| matches!(self.text.as_bytes().get(at), Some(b' ' | b'\n'));
        while end > start && blank(end - 1) {
            end -= 1;
        }
        Span::new(self.file, start, end)
    }

    fn name(&self, pair: &Pair<'_, G>, base: usize) -> Name {
        let text = pair.as_str().trim();
        let plain = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')).unwrap_or(text);
        Spanned::new(plain.to_owned(), self.span(pair, base))
    }

    /// The text of a `"…"` or `'…'` that holds no expression.
    fn plain_text(&mut self, pair: &Pair<'t, G>, base: usize) -> Spanned<String> {
        let span = self.span(pair, base);
        let literal = self.text_literal(pair, base);
        let text = literal.plain().unwrap_or_else(|| {
            self.found.push(
                Diagnostic::new(Code::BadTemplate, span, "no expression can stand in this text")
                    .help("write the text as it is; a `{` in it is written `\\{`"),
            );
            self.broken = true;
            String::new()
        });
        Spanned::new(text, span)
    }

    /// Says that no block belongs to a statement, or that one is wanted.
    fn block_wanted(&mut self, statement: &Statement, wanted: bool) -> bool {
        match (&statement.block, wanted) {
            (None, true) => {
                if !statement.broken {
                    let span = statement.head.span(self.file);
                    self.found.push(Diagnostic::new(Code::Unreadable, span.after(), "a block `{ … }` is missing here").mend(
                        "open it with `{` on this line and close it with `}`",
                        span.after(),
                        " { }",
                    ));
                    self.broken = true;
                }
                false
            }
            (Some(block), false) => {
                if !statement.broken {
                    let span = Span::new(self.file, block.open, block.open + 1);
                    self.found.push(Diagnostic::new(Code::Misplaced, span, "no block belongs here").help("this statement ends with its line"));
                    self.broken = true;
                }
                false
            }
            _ => true,
        }
    }

    /// Says that nothing may stand behind a block.
    fn no_tail(&mut self, statement: &Statement) {
        if !statement.tail.is_empty() && !statement.broken {
            self.found.push(
                Diagnostic::new(Code::Misplaced, statement.tail.span(self.file), "nothing can stand behind this block").help("begin a new line"),
            );
            self.broken = true;
        }
    }
}

/// How many words that nest stand in a text; a bound on how deep it can be read.
fn nests(text: &str) -> usize {
    const NESTING: [&[u8]; 8] = [b"if", b"each", b"group", b"sort", b"distinct", b"flatten", b"then", b"list"];
    let words = text.as_bytes().split(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'));
    words.filter(|word| (2..=8).contains(&word.len()) && NESTING.contains(word)).count()
}

#[cfg(test)]
mod tests {
    use super::super::tree::ItemKind;
    use super::*;
    use crate::base::{Source, Sources};

    /// Line and code of each mistake.
    fn mistakes(text: &str) -> (File, Vec<(u32, &'static str)>) {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("a.dock", text));
        let (tree, found) = read(file, text);
        let line = |found: &Diagnostic| sources.get(file).map_or(0, |source| source.position(found.primary.span.start).line);
        (tree, found.iter().map(|found| (line(found), found.code.number())).collect())
    }

    const BROKEN: &str = "edition 1\n\
        valuez a: text -> text { \"x\" -> \"y\" }\n\
        values b: text -> text {\n  \"x\" \"y\"\n  \"z\" -> \"w\"\n}\n\
        flow f {\n  from crm.Order as order\n  validate {\n    require order.Id the reason\n    require order.Id \"a reason\"\n  }\n\
          upsert wms.Order key orderKey = order.Id {\n    orderNumber = = order.Id\n    orderDate = order.CreatedDate\n    gift = order.X && true\n  }\n}\n\
        flow g {\n  from crm.Order as o\n  let x = \"not closed\n}\n\
        flow h {\n  from crm.Order as o\n}\n";

    #[test]
    fn every_broken_statement_is_told_once_and_the_rest_is_read() {
        let (tree, found) = mistakes(BROKEN);
        assert_eq!(found, [(2, "E0001"), (4, "E0001"), (10, "E0001"), (14, "E0001"), (16, "E0001"), (21, "E0002")]);
        assert_eq!(tree.items.len(), 4, "values b, flows f, g and h");
        assert!(tree.broken);
    }

    #[test]
    fn an_open_block_ends_where_the_next_item_begins() {
        let (tree, found) = mistakes("flow f {\n  from crm.Order as o\n  validate {\n    require o.Id \"x\"\n\nflow g {\n  from crm.Order as o\n}\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, "E0002");
        assert_eq!(tree.items.len(), 2);
    }

    #[test]
    fn statements_go_on_where_the_language_says_so() {
        let text = "flow f {\n  from crm.Order as o\n  validate {\n    require o.A\n      and o.B\n            \"both\"\n    review when o.C\n      \"c\"\n      for \"x\"\n  }\n  \
            let y = o.A\n    ?? o.B\n    | trim\n  upsert wms.Order key orderKey =\n    o.Id\n    as sent\n    when o.A is present {\n    a = 1 +\n      2\n    guard target.x == 1\n      else review \"r\"\n           for \"w\" before o.D\n  }\n}\n";
        let (tree, found) = mistakes(text);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(tree.items.len(), 1);
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let text = "#".repeat(LARGEST);
        assert!(mistakes(&text).1.is_empty());
        let (tree, found) = mistakes(&(text + "#"));
        assert!(tree.broken && found[0].1 == "E0009");
    }

    /// Each line of a file is looked at a few times, and not once for each of the others.
    #[test]
    fn comments_without_end_take_no_longer_than_other_lines() {
        let comments = "#\n".repeat(LARGEST / 4);
        for (before, behind) in [("let x = o.A", "    ?? o.B"), ("let x = o.A +", "    o.B"), ("let x = sum(o.A,", "    o.B)")] {
            let text = format!("edition 1\nflow f {{\n  from crm.Order as o\n  {before}\n{comments}{behind}\n}}\n");
            let (tree, found) = mistakes(&text);
            assert!(found.is_empty(), "{found:?}");
            let ItemKind::Flow(flow) = &tree.items[0].kind else { panic!("a flow") };
            assert_eq!(flow.sections.len(), 2, "{before}");
        }
    }

    /// Comments and white space of any kind stand between words as blanks do, byte by byte.
    #[test]
    fn comments_and_rare_white_space_are_blanks() {
        let odd = "edition 1\nflow f {\n  from crm.Order\tas\u{a0}order # of the shop\r\n  let x = order.A # one\n    ?? \u{2003}order.B\u{feff} | trim # two\n  \
            let y = sum(order.C, # \"three\n    order.D)\n  let z = \"{order.E\t?? \u{3000}order.F} # no comment\"\n  upsert wms.Order\u{b}key orderKey = x {\n    \
            a\t=\t'# nor\tthis'\n  }\n}\n";
        let mut plain = odd.to_owned();
        for comment in ["# of the shop\r", "# one", "# two", "# \"three"] {
            plain = plain.replace(comment, &" ".repeat(comment.len()));
        }
        for blank in ["\t", "\u{a0}", "\r", "\u{2003}", "\u{feff}", "\u{3000}", "\u{b}"] {
            plain = plain.replace(blank, &" ".repeat(blank.len()));
        }
        let plain = plain.replace("'# nor this'", "'# nor\tthis'");
        let (mut trees, mut found) = (Vec::new(), Vec::new());
        for text in [odd, &plain] {
            let (tree, mistakes) = read(FileId::default(), text);
            trees.push(tree);
            found.extend(mistakes);
        }
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(trees[0], trees[1]);
        let expr = |text: &str| read_expr(FileId::default(), text).unwrap();
        assert_eq!(expr("order.A\t+ # two\n\u{a0} 1"), expr("order.A + \u{20}    \n   1"));
    }
}
