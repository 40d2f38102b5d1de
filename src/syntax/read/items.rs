//! What stands at the top of a file: items, and the statements in those that are not flows.

use std::sync::Arc;

use pest::iterators::Pair;

use super::super::grammar::Rule as G;
use super::super::habits;
use super::super::outline::{Range, Statement, first_word};
use super::super::tree::{
    Deadline, ElseOutcome, Expect, ExpectClause, ExpectClauseKind, Expr, ExprKind, File, Flow, Function, FunctionParameter, Item, ItemKind,
    Otherwise, Parameter, Stop, StopKind, Table, TableColumn, Test, TestClause, TestClauseKind, Use, ValueRow, Values,
};
use super::{Reader, parts};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, Spanned, nearest};

const ITEMS: [&str; 12] = ["edition", "use", "extends", "parameter", "values", "table", "function", "flow", "expect", "test", "override", "remove"];

impl<'t> Reader<'t> {
    pub(super) fn file(&mut self, statements: &[Statement]) -> File {
        let mut file = File::default();
        for statement in statements {
            self.top(statement, &mut file);
        }
        file
    }

    fn top(&mut self, statement: &Statement, file: &mut File) {
        let text = self.slice(statement.head);
        let mut word = first_word(text);
        let mut inner = statement.clone();
        let mut overrides = None;
        if word == "override" {
            let start = statement.head.start;
            overrides = Some(Span::new(self.file, start, start + word.len()));
            let rest = &text[word.len()..];
            inner.head.start += text.len() - rest.trim_start().len();
            word = first_word(rest);
        }
        let statement = &inner;
        let kind = match word {
            "edition" => {
                if let Some((pair, base)) = self.head(G::edition_stmt, statement) {
                    let number = parts(pair).next();
                    let number = number.map(|pair| Spanned::new(pair.as_str().trim().parse().unwrap_or(0), self.span(&pair, base)));
                    file.edition = number;
                }
                self.block_wanted(statement, false);
                return;
            }
            "use" => {
                if let Some((pair, base)) = self.head(G::use_stmt, statement) {
                    let span = self.span(&pair, base);
                    let mut inner = parts(pair);
                    if let Some(path) = inner.next() {
                        let path = self.plain_text(&path, base);
                        let alias = inner.next().map(|name| self.name(&name, base));
                        file.uses.push(Use { path, alias, span });
                    }
                }
                self.block_wanted(statement, false);
                return;
            }
            "extends" => {
                if let Some((pair, base)) = self.head(G::extends_stmt, statement)
                    && let Some(path) = parts(pair).next()
                {
                    file.extends = Some(self.plain_text(&path, base));
                }
                self.block_wanted(statement, false);
                return;
            }
            "parameter" => self.parameter(statement),
            "values" => self.values(statement),
            "table" => self.table(statement),
            "function" => self.function(statement),
            "flow" => self.flow(statement).map(ItemKind::Flow),
            "expect" => self.expect(statement),
            "test" => self.test(statement),
            "remove" => self.head(G::remove_item, statement).and_then(|(pair, base)| {
                let mut inner = parts(pair).map(|name| self.name(&name, base));
                Some(ItemKind::Remove { kind: inner.next()?, name: inner.next()? })
            }),
            other => {
                let span = Span::new(self.file, statement.head.start, statement.head.start + other.len().max(1));
                self.broken = true;
                self.lose(statement);
                if !statement.broken {
                    let shown = if other.is_empty() { "this line".to_owned() } else { format!("`{other}`") };
                    let diagnostic = Diagnostic::new(Code::Unreadable, span, format!("{shown} begins no item")).label("an item begins here");
                    self.found.push(match habits::first_word(other, &ITEMS).or_else(|| nearest(other, ITEMS)) {
                        Some(near) => diagnostic.mend(format!("did you mean `{near}`?"), span, near),
                        None => diagnostic.help("items are parameter, values, table, function, flow, expect and test"),
                    });
                }
                return;
            }
        };
        let end = statement.block.as_ref().map_or(statement.head.end, |_| statement.tail.start.max(statement.head.end));
        let span = Range { start: statement.head.start, end }.span(self.file);
        if let Some(kind) = kind {
            file.items.push(Arc::new(Item { doc: statement.doc.clone(), overrides, span, kind }));
        } else {
            self.broken = true;
        }
    }

    fn parameter(&mut self, statement: &Statement) -> Option<ItemKind> {
        let (pair, base) = self.head(G::parameter_stmt, statement)?;
        self.block_wanted(statement, false);
        let mut inner = parts(pair);
        let name = self.name(&inner.next()?, base);
        let of = self.type_expr(inner.next()?, base);
        let default = inner.next().map(|expr| self.expr(expr, base));
        Some(ItemKind::Parameter(Parameter { name, of, default }))
    }

    fn values(&mut self, statement: &Statement) -> Option<ItemKind> {
        let (pair, base) = self.head(G::values_head, statement)?;
        self.no_tail(statement);
        let mut inner = parts(pair);
        let mut values = Values {
            name: self.name(&inner.next()?, base),
            from: None,
            to: None,
            both_ways: false,
            rows: Vec::new(),
            otherwise: None,
            removes: Vec::new(),
        };
        for part in inner {
            match part.as_rule() {
                G::arrow => values.both_ways = part.as_str().trim() == "<->",
                _ if values.from.is_none() => values.from = Some(self.type_expr(part, base)),
                _ => values.to = Some(self.type_expr(part, base)),
            }
        }
        if !self.block_wanted(statement, true) {
            return Some(ItemKind::Values(values));
        }
        for row in statement.block.iter().flat_map(|block| &block.statements) {
            self.value_row(row, &mut values);
        }
        Some(ItemKind::Values(values))
    }

    fn value_row(&mut self, statement: &Statement, values: &mut Values) {
        let text = self.slice(statement.head);
        let word = first_word(text);
        self.block_wanted(statement, false);
        if word == "else" {
            let Some((pair, base)) = self.head(G::value_else, statement) else { return };
            let span = self.span(&pair, base);
            let Some(part) = parts(pair).next() else { return };
            let outcome =
                if part.as_rule() == G::stop { ElseOutcome::Stop(self.stop(part, base)) } else { ElseOutcome::Value(self.expr(part, base)) };
            if let Some(first) = &values.otherwise {
                let diagnostic = Diagnostic::new(Code::DuplicateRow, span, "the value map has two `else`")
                    .other(first.span, "the first one")
                    .help("take one of them out");
                self.found.push(diagnostic);
            } else {
                values.otherwise = Some(Otherwise { outcome, span });
            }
            return;
        }
        if word == "remove" {
            let Some((pair, base)) = self.head(G::value_remove, statement) else { return };
            values.removes.extend(parts(pair).map(|side| self.expr(side, base)).collect::<Vec<_>>());
            return;
        }
        let Some((pair, base)) = self.head(G::value_row, statement) else { return };
        let span = self.span(&pair, base);
        let mut from = Vec::new();
        let mut to = Vec::new();
        let mut behind = false;
        for part in parts(pair) {
            if part.as_rule() == G::arrow {
                behind = true;
                let both = part.as_str().trim() == "<->";
                if values.from.is_some() && both != values.both_ways {
                    let place = self.span(&part, base);
                    let right = if values.both_ways { "<->" } else { "->" };
                    self.found.push(
                        Diagnostic::new(Code::Unreadable, place, format!("the rows of `{}` are written with `{right}`", values.name.node))
                            .other(values.name.span, "as its head says")
                            .mend(format!("write `{right}`"), place, right),
                    );
                    self.broken = true;
                }
            } else if behind {
                to.push(self.expr(part, base));
            } else {
                from.push(self.expr(part, base));
            }
        }
        let mut to = to.into_iter();
        if let Some(right) = to.next() {
            values.rows.push(ValueRow { from, to: right, back: to.next(), span });
        }
    }

    fn table(&mut self, statement: &Statement) -> Option<ItemKind> {
        let (pair, base) = self.head(G::table_head, statement)?;
        self.no_tail(statement);
        let mut inner = parts(pair);
        let mut table = Table {
            name: self.name(&inner.next()?, base),
            path: inner.next().map(|path| self.plain_text(&path, base)),
            keys: Vec::new(),
            columns: Vec::new(),
            many: false,
        };
        self.block_wanted(statement, true);
        for row in statement.block.iter().flat_map(|block| &block.statements) {
            self.block_wanted(row, false);
            let word = first_word(self.slice(row.head));
            let rest = self.slice(row.head)[word.len()..].trim_start();
            // A column may be called `key` or `many`.
            let rule = match word {
                "key" if !rest.starts_with(':') => G::table_key,
                "many" if !rest.starts_with(':') => G::table_many,
                _ => G::table_columns,
            };
            let Some((pair, base)) = self.head(rule, row) else { continue };
            let columns: Vec<TableColumn> = parts(pair).flat_map(parts).filter_map(|column| self.column(column, base)).collect();
            match rule {
                G::table_key => table.keys.extend(columns),
                _ => {
                    table.many |= rule == G::table_many;
                    table.columns.extend(columns);
                }
            }
        }
        Some(ItemKind::Table(table))
    }

    fn column(&mut self, pair: Pair<'t, G>, base: usize) -> Option<TableColumn> {
        let mut inner = parts(pair);
        let name = self.name(&inner.next()?, base);
        let of = self.type_expr(inner.next()?, base);
        let header = inner.next().map(|text| self.plain_text(&text, base));
        Some(TableColumn { name, of, header })
    }

    fn function(&mut self, statement: &Statement) -> Option<ItemKind> {
        let (pair, base) = self.head(G::function_stmt, statement)?;
        let span = self.span(&pair, base);
        let mut inner = parts(pair);
        let name = self.name(&inner.next()?, base);
        let mut parameters = Vec::new();
        let mut gives = None;
        let mut body = None;
        for part in inner {
            match part.as_rule() {
                G::function_parameter => {
                    let mut inner = parts(part);
                    let name = self.name(&inner.next()?, base);
                    let of = self.type_expr(inner.next()?, base);
                    let default = inner.next().map(|expr| self.expr(expr, base));
                    parameters.push(FunctionParameter { name, of, default });
                }
                G::type_expr => gives = Some(self.type_expr(part, base)),
                _ => body = Some(self.expr(part, base)),
            }
        }
        let body = self.with_block(statement, body, span)?;
        Some(ItemKind::Function(Function { name, parameters, gives, body }))
    }

    /// A value whose rows stand in the statement's block: a record body, or the body of an `each`.
    pub(super) fn with_block(&mut self, statement: &Statement, value: Option<Expr>, span: Span) -> Option<Expr> {
        let Some(block) = &statement.block else {
            if value.is_none() {
                self.found.push(
                    Diagnostic::new(Code::Unreadable, span.after(), "a value is missing behind `=`").help("write the value, or take the line out"),
                );
                self.broken = true;
            }
            return value;
        };
        let (rows, guards) = self.rows(&block.statements);
        for guard in guards {
            self.found.push(Diagnostic::new(Code::Misplaced, guard.span, "a `guard` stands in a write, beside its rows"));
            self.broken = true;
        }
        let end = statement.tail.start.max(block.open + 1);
        let whole = Span::new(self.file, block.open, end);
        let mut rows = Some(rows);
        let value = match value {
            None => Expr::new(ExprKind::Object(rows.take().unwrap_or_default()), whole),
            Some(mut value) => {
                attach(&mut value, &mut rows);
                if rows.is_some() {
                    let place = Span::new(self.file, block.open, block.open + 1);
                    self.found.push(
                        Diagnostic::new(Code::Misplaced, place, "a block stands behind a value that takes none")
                            .help("a block follows `=` alone, or `each x in xs`"),
                    );
                    self.broken = true;
                }
                value.span = value.span.to(whole);
                value
            }
        };
        Some(value)
    }

    pub(super) fn stop(&mut self, pair: Pair<'t, G>, base: usize) -> Stop {
        let span = self.span(&pair, base);
        let mut stop = Stop { kind: StopKind::Review, message: None, owner: None, before: None, span };
        for part in parts(pair) {
            match part.as_rule() {
                G::stop_word => {
                    stop.kind = match part.as_str().trim() {
                        "reject" => StopKind::Reject,
                        "skip" => StopKind::Skip,
                        "create" => StopKind::Create,
                        "continue" => StopKind::Continue,
                        "alert" => StopKind::Alert,
                        _ => StopKind::Review,
                    };
                }
                G::message => stop.message = Some(self.expr(part, base)),
                G::owner => stop.owner = parts(part).next().map(|text| self.plain_text(&text, base)),
                G::deadline => stop.before = parts(part).next().map(|expr| self.expr(expr, base)),
                _ => {}
            }
        }
        let silent = matches!(stop.kind, StopKind::Skip | StopKind::Create | StopKind::Continue);
        if !silent && stop.message.is_none() {
            self.found.push(
                Diagnostic::new(Code::Unreadable, span, "the reason is missing")
                    .help("write what a person must know, in quotes: `review \"… {value} …\"`"),
            );
            self.broken = true;
        }
        stop
    }

    fn flow(&mut self, statement: &Statement) -> Option<Flow> {
        let head = self.head(G::flow_head, statement);
        self.no_tail(statement);
        let name = head.and_then(|(pair, base)| parts(pair).next().map(|name| self.name(&name, base)));
        self.block_wanted(statement, true);
        // The sections are read even where the name cannot be: their mistakes are worth knowing.
        let sections = statement.block.iter().flat_map(|block| &block.statements).flat_map(|inner| self.section(inner)).collect();
        Some(Flow { name: name?, sections })
    }

    fn expect(&mut self, statement: &Statement) -> Option<ItemKind> {
        let (pair, base) = self.head(G::expect_head, statement)?;
        self.no_tail(statement);
        let mut inner = parts(pair);
        let name = self.name(&inner.next()?, base);
        let title = inner.next().map(|title| self.plain_text(&title, base));
        self.block_wanted(statement, true);
        let clauses = statement
            .block
            .iter()
            .flat_map(|block| &block.statements)
            .filter_map(|clause| {
                let kind = self.expect_clause(clause)?;
                Some(ExpectClause { kind, span: clause.head.span(self.file) })
            })
            .collect();
        Some(ItemKind::Expect(Expect { name, title, clauses }))
    }

    fn expect_clause(&mut self, statement: &Statement) -> Option<ExpectClauseKind> {
        self.block_wanted(statement, false);
        match first_word(self.slice(statement.head)) {
            "for" => {
                let (pair, base) = self.head(G::for_stmt, statement)?;
                Some(ExpectClauseKind::For(self.name(&parts(pair).next()?, base)))
            }
            "where" => {
                let (pair, base) = self.head(G::where_stmt, statement)?;
                Some(ExpectClauseKind::Where(self.expr(parts(pair).next()?, base)))
            }
            "seen" => {
                let (pair, base) = self.head(G::seen_stmt, statement)?;
                let mut inner = parts(pair);
                let flow = self.name(&inner.next()?, base);
                let clause = inner.next()?;
                let within = clause.as_rule() == G::within_clause;
                let time = self.expr(parts(clause).next()?, base);
                Some(ExpectClauseKind::Seen { flow, deadline: if within { Deadline::Within(time) } else { Deadline::Before(time) } })
            }
            "else" => {
                let (pair, base) = self.head(G::else_stmt, statement)?;
                Some(ExpectClauseKind::Else(self.stop(parts(pair).next()?, base)))
            }
            word => {
                self.unknown_word(statement, word, &["for", "where", "seen", "else"], "an `expect`");
                None
            }
        }
    }

    /// A statement whose first word is none that can stand here.
    pub(super) fn unknown_word(&mut self, statement: &Statement, word: &str, known: &[&'static str], place: &str) {
        self.broken = true;
        self.lose(statement);
        if statement.broken {
            return;
        }
        let start = statement.head.start;
        let length = if word.is_empty() { statement.head.end - start } else { word.len() };
        let span = Span::new(self.file, start, start + length);
        let shown = if word.is_empty() { "this".to_owned() } else { format!("`{word}`") };
        let diagnostic = Diagnostic::new(Code::Unreadable, span, format!("{shown} begins no statement of {place}"));
        self.found.push(match habits::first_word(word, known).or_else(|| nearest(word, known.iter().copied())) {
            Some(near) => diagnostic.mend(format!("did you mean `{near}`?"), span, near),
            None => diagnostic.help(format!("here can stand {}", known.join(", "))),
        });
    }

    fn test(&mut self, statement: &Statement) -> Option<ItemKind> {
        let (pair, base) = self.head(G::test_head, statement)?;
        self.no_tail(statement);
        let name = self.plain_text(&parts(pair).next()?, base);
        self.block_wanted(statement, true);
        let clauses = statement
            .block
            .iter()
            .flat_map(|block| &block.statements)
            .filter_map(|clause| {
                let kind = self.test_clause(clause)?;
                let end = if clause.block.is_some() { clause.tail.start } else { clause.head.end };
                Some(TestClause { kind, span: Span::new(self.file, clause.head.start, end.max(clause.head.end)) })
            })
            .collect();
        Some(ItemKind::Test(Test { name, clauses }))
    }

    fn test_clause(&mut self, statement: &Statement) -> Option<TestClauseKind> {
        let word = first_word(self.slice(statement.head));
        let text_of = |reader: &mut Self, rule: G| -> Option<Spanned<String>> {
            reader.block_wanted(statement, false);
            let (pair, base) = reader.head(rule, statement)?;
            let text = parts(pair).next()?;
            Some(reader.plain_text(&text, base))
        };
        match word {
            "flow" => {
                let (pair, base) = self.head(G::test_flow, statement)?;
                Some(TestClauseKind::Flow(self.name(&parts(pair).next()?, base)))
            }
            "given" => {
                let (pair, base) = self.head(G::test_given, statement)?;
                let path = self.plain_text(&parts(pair).next()?, base);
                let with = statement.block.as_ref().map(|block| self.rows(&block.statements).0).unwrap_or_default();
                Some(TestClauseKind::Given { path, with })
            }
            "matched" => {
                let (pair, base) = self.head(G::test_matched, statement)?;
                let mut inner = parts(pair);
                let name = self.name(&inner.next()?, base);
                let path = self.plain_text(&inner.next()?, base);
                Some(TestClauseKind::Matched { name, path })
            }
            "target" => text_of(self, G::test_target).map(|path| TestClauseKind::Target { path }),
            "now" => text_of(self, G::test_now).map(TestClauseKind::Now),
            "sent" if self.slice(statement.head).split_whitespace().eq(["sent", "nothing"]) => {
                self.head(G::test_nothing, statement)?;
                self.block_wanted(statement, false);
                Some(TestClauseKind::Nothing)
            }
            "sent" => {
                let (pair, base) = self.head(G::test_sent, statement)?;
                let object = self.object_path(parts(pair).next()?, base)?;
                self.block_wanted(statement, true);
                let rows = statement.block.as_ref().map(|block| self.rows(&block.statements).0).unwrap_or_default();
                Some(TestClauseKind::Sent { object, rows })
            }
            "rejected" | "review" | "warned" => {
                let (pair, base) = self.head(G::test_messages, statement)?;
                let texts: Vec<Spanned<String>> = parts(pair).map(|text| self.written_text(&text, base)).collect();
                Some(match word {
                    "rejected" => TestClauseKind::Rejected(texts),
                    "review" => TestClauseKind::Review(texts),
                    _ => TestClauseKind::Warned(texts),
                })
            }
            "not_eligible" => {
                self.head(G::test_not, statement)?;
                Some(TestClauseKind::NotEligible)
            }
            other => {
                let known = ["flow", "given", "matched", "target", "now", "sent", "rejected", "review", "warned", "not_eligible"];
                self.unknown_word(statement, other, &known, "a `test`");
                None
            }
        }
    }

    /// A text that is compared and not evaluated.
    fn written_text(&mut self, pair: &Pair<'t, G>, base: usize) -> Spanned<String> {
        self.plain_text(pair, base)
    }
}

/// Gives the rows to the `each` that ends the value.
fn attach(value: &mut Expr, rows: &mut Option<Vec<super::super::tree::FieldRow>>) {
    if let ExprKind::Each { rows: body @ None, .. } = &mut *value.kind {
        *body = rows.take();
    } else if let Some(last) = value.last_mut() {
        attach(last, rows);
    }
}
