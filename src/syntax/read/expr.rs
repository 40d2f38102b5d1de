//! Expressions, types, literals.

use std::iter::Peekable;

use pest::Parser as _;
use pest::iterators::{Pair, Pairs};
use rust_decimal::Decimal;

use super::super::grammar::{Grammar, Rule as G};
use super::super::habits;
use super::super::tree::{Argument, BinaryOp, Expr, ExprKind, Generator, GroupList, Name, TextLiteral, TextPart, TypeExpr, TypeKind};
use super::{Reader, parts};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, Spanned};

impl<'t> Reader<'t> {
    fn broken_expr(&mut self, span: Span) -> Expr {
        self.broken = true;
        Expr::new(ExprKind::Broken, span)
    }

    /// The reading of the first pair, or a broken expression where the grammar gave none (it always
    /// gives one: the rules that call this have a first part).
    fn next_expr(&mut self, pairs: &mut impl Iterator<Item = Pair<'t, G>>, span: Span, base: usize) -> Expr {
        match pairs.next() {
            Some(pair) => self.expr(pair, base),
            None => self.broken_expr(span),
        }
    }

    /// Any rule of an expression.
    pub(super) fn expr(&mut self, pair: Pair<'t, G>, base: usize) -> Expr {
        let span = self.span(&pair, base);
        match pair.as_rule() {
            G::expr => self.conditions(pair, base),
            G::value_side => {
                let mut inner = pair.into_inner().peekable();
                self.measured(&mut inner, span, base)
            }
            G::piped => self.piped(pair, base),
            G::postfix => {
                let mut inner = parts(pair);
                if self.too_long(inner.clone().count(), span) {
                    return self.broken_expr(span);
                }
                let mut value = self.next_expr(&mut inner, span, base);
                for step in inner {
                    let whole = value.span.to(self.span(&step, base));
                    let is_field = step.as_rule() == G::access;
                    let Some(part) = parts(step).next() else { continue };
                    let kind = if is_field {
                        ExprKind::Field { base: value, field: self.name(&part, base) }
                    } else {
                        ExprKind::JsonPath { value, path: self.plain_text(&part, base) }
                    };
                    value = Expr::new(kind, whole);
                }
                value
            }
            G::name => Expr::new(ExprKind::Name(self.name(&pair, base).node), span),
            G::bare => {
                let mut inner = parts(pair);
                self.next_expr(&mut inner, span, base)
            }
            G::bare_path => {
                let mut inner = parts(pair);
                let mut value = self.next_expr(&mut inner, span, base);
                for field in inner.take(super::CHAIN) {
                    let field = self.name(&field, base);
                    let whole = value.span.to(field.span);
                    value = Expr::new(ExprKind::Field { base: value, field }, whole);
                }
                value
            }
            G::text | G::raw => Expr::new(ExprKind::Text(self.text_literal(&pair, base)), span),
            G::message => match parts(pair).next() {
                Some(text) => self.expr(text, base),
                None => self.broken_expr(span),
            },
            G::number => match pair.as_str().trim().parse::<Decimal>() {
                Ok(number) => Expr::new(ExprKind::Number(number), span),
                Err(_) => self.bad_literal(span, "the number has more than 28 digits"),
            },
            G::boolean => Expr::new(ExprKind::Boolean(pair.as_str().trim() == "true"), span),
            G::clock => match clock(pair.as_str().trim()) {
                Some(time) => Expr::new(ExprKind::Time(time), span),
                None => self.bad_literal(span, "there is no such time of day"),
            },
            G::quantity | G::amount => {
                let mut inner = parts(pair);
                let number = inner.next().and_then(|number| number.as_str().trim().parse::<Decimal>().ok());
                match (number, inner.next()) {
                    (Some(number), Some(unit)) => {
                        let unit = self.name(&unit, base);
                        Expr::new(ExprKind::Quantity { number, unit }, span)
                    }
                    _ => self.bad_literal(span, "the number has more than 28 digits"),
                }
            }
            G::brackets => {
                // `(x,)` is a list of one.
                let listed = pair.as_str().trim_end().strip_suffix(')').is_some_and(|inner| inner.trim_end().ends_with(','));
                let mut items: Vec<Expr> = parts(pair).map(|inner| self.expr(inner, base)).collect();
                let kind = if items.len() == 1 && !listed { ExprKind::Paren(items.remove(0)) } else { ExprKind::List(items) };
                Expr::new(kind, span)
            }
            G::named => self.named(pair, base),
            G::if_expr => {
                let mut inner = parts(pair);
                let condition = self.next_expr(&mut inner, span, base);
                let then = self.next_expr(&mut inner, span, base);
                let otherwise = inner.next().map(|inner| self.expr(inner, base));
                Expr::new(ExprKind::If { condition, then, otherwise }, span)
            }
            G::each_expr => {
                let (generators, condition) = self.generators_of(pair, base);
                Expr::new(ExprKind::Each { generators, condition, rows: None }, span)
            }
            G::group_expr => {
                let mut inner = parts(pair);
                let list = inner.next().map(|listed| self.listed(listed, base));
                let by = self.next_expr(&mut inner, span, base);
                match list {
                    Some(list) => Expr::new(ExprKind::Group { list, by }, span),
                    None => self.broken_expr(span),
                }
            }
            G::sort_expr => {
                let mut inner = parts(pair);
                let Some(list) = inner.next().map(|listed| self.listed(listed, base)) else { return self.broken_expr(span) };
                let mut by = None;
                let mut descending = false;
                for part in inner {
                    if part.as_rule() == G::descending {
                        descending = part.as_str().trim() == "descending";
                    } else {
                        by = Some(self.expr(part, base));
                    }
                }
                Expr::new(ExprKind::Sort { list, by, descending }, span)
            }
            G::distinct => {
                let mut inner = parts(pair);
                let list = self.next_expr(&mut inner, span, base);
                Expr::new(ExprKind::Distinct(list), span)
            }
            G::flatten => {
                let mut inner = parts(pair);
                let list = self.next_expr(&mut inner, span, base);
                Expr::new(ExprKind::Flatten(list), span)
            }
            _ => self.broken_expr(span),
        }
    }

    /// Whether a chain is longer than can be followed; it is reported then.
    fn too_long(&mut self, links: usize, span: Span) -> bool {
        let too_long = links > super::CHAIN;
        if too_long {
            self.found.push(
                Diagnostic::new(Code::TooDeep, span, format!("a chain of more than {} parts", super::CHAIN))
                    .help("give parts of it a name with `let` or a `function`"),
            );
        }
        too_long
    }

    fn bad_literal(&mut self, span: Span, message: &str) -> Expr {
        self.found.push(Diagnostic::new(Code::BadLiteral, span, message).help("write a time as `02:00`, a number with 28 digits at most"));
        self.broken_expr(span)
    }

    /// Conditions in a row: `and` binds more tightly than `or`, `not` more tightly than both.
    fn conditions(&mut self, pair: Pair<'t, G>, base: usize) -> Expr {
        let span = self.span(&pair, base);
        let mut inner = pair.into_inner().peekable();
        let (mut any, mut all) = (Joined::default(), Joined::default());
        loop {
            let condition = self.condition(&mut inner, span, base);
            let condition = all.join(condition);
            let Some(word) = inner.next() else { return any.join(condition) };
            let sign = self.span(&word, base);
            let longest = if word.as_rule() == G::kw_and {
                all.keep(condition, Spanned::new(BinaryOp::And, sign))
            } else {
                all = Joined::default();
                let condition = any.join(condition);
                any.keep(condition, Spanned::new(BinaryOp::Or, sign))
            };
            if self.too_long(longest, span) {
                return self.broken_expr(span);
            }
        }
    }

    /// `not`, a value, and what it is compared with.
    fn condition(&mut self, inner: &mut Row<'t>, span: Span, base: usize) -> Expr {
        let first = inner.peek().map(|pair| self.span(pair, base));
        let mut nots = 0;
        while inner.next_if(|pair| pair.as_rule() == G::kw_not).is_some() {
            nots += 1;
        }
        let mut condition = self.next_expr(inner, span, base);
        if let Some(tail) = inner.next_if(|pair| !matches!(pair.as_rule(), G::kw_and | G::kw_or)) {
            condition = self.compared(condition, tail, base);
        }
        // Two in a row say nothing; many of them nest nothing either.
        match first {
            Some(first) if nots % 2 == 1 => {
                let whole = first.to(condition.span);
                Expr::new(ExprKind::Not(condition), whole)
            }
            _ => condition,
        }
    }

    fn compared(&mut self, value: Expr, tail: Pair<'t, G>, base: usize) -> Expr {
        let rule = tail.as_rule();
        let span = value.span.to(self.span(&tail, base));
        let negated = tail.clone().into_inner().any(|inner| inner.as_rule() == G::kw_not);
        let mut inner = parts(tail).filter(|inner| inner.as_rule() != G::kw_not);
        let kind = match rule {
            G::in_tail => ExprKind::In { value, list: inner.map(|item| self.expr(item, base)).collect(), negated },
            G::matches_tail => {
                let pattern = self.next_expr(&mut inner, span, base);
                ExprKind::Matches { value, pattern }
            }
            G::is_tail => match inner.next().map(|word| word.as_rule()) {
                Some(G::present) => ExprKind::IsPresent(value),
                _ => ExprKind::IsMissing(value),
            },
            G::sent_tail => ExprKind::WasSent(value),
            G::reaches_tail => ExprKind::Reaches { value, thresholds: inner.map(|item| self.expr(item, base)).collect() },
            _ => {
                let Some(sign) = inner.next() else { return value };
                let op = match sign.as_str().trim() {
                    "==" => BinaryOp::Equal,
                    "!=" => BinaryOp::NotEqual,
                    "<" => BinaryOp::Less,
                    "<=" => BinaryOp::LessOrEqual,
                    ">" => BinaryOp::Greater,
                    _ => BinaryOp::GreaterOrEqual,
                };
                let op = Spanned::new(op, self.span(&sign, base));
                let right = self.next_expr(&mut inner, span, base);
                ExprKind::Binary { op, left: value, right }
            }
        };
        Expr::new(kind, span)
    }

    fn piped(&mut self, pair: Pair<'t, G>, base: usize) -> Expr {
        let span = self.span(&pair, base);
        let mut inner = pair.into_inner().peekable();
        let first = self.sum(&mut inner, span, base);
        if self.too_long(inner.clone().count(), span) {
            return self.broken_expr(span);
        }
        self.pipe_steps(first, inner, base)
    }

    /// Values joined by `+`, `-`, `*` and `/`; the last two bind more tightly.
    fn sum(&mut self, inner: &mut Row<'t>, span: Span, base: usize) -> Expr {
        let (mut terms, mut factors) = (Joined::default(), Joined::default());
        loop {
            let value = self.measured(inner, span, base);
            let value = factors.join(value);
            let Some(sign) = inner.next_if(|pair| matches!(pair.as_rule(), G::add_op | G::mul_op)) else { return terms.join(value) };
            let op = match sign.as_str().trim() {
                "+" => BinaryOp::Add,
                "-" => BinaryOp::Subtract,
                "*" => BinaryOp::Multiply,
                _ => BinaryOp::Divide,
            };
            let op = Spanned::new(op, self.span(&sign, base));
            let longest = if sign.as_rule() == G::mul_op {
                factors.keep(value, op)
            } else {
                factors = Joined::default();
                let value = terms.join(value);
                terms.keep(value, op)
            };
            if self.too_long(longest, span) {
                return self.broken_expr(span);
            }
        }
    }

    /// `-`, a value, and the unit that it is read in.
    fn measured(&mut self, inner: &mut Row<'t>, span: Span, base: usize) -> Expr {
        let first = inner.peek().map_or(span, |pair| self.span(pair, base));
        let mut minus = 0;
        while inner.next_if(|pair| pair.as_rule() == G::minus).is_some() {
            minus += 1;
        }
        let mut value = self.next_expr(inner, span, base);
        if minus % 2 == 1 {
            let whole = first.to(value.span);
            value = Expr::new(ExprKind::Negate(value), whole);
        }
        if inner.next_if(|pair| pair.as_rule() == G::kw_as).is_some()
            && let Some(unit) = inner.next()
        {
            let unit = self.name(&unit, base);
            let whole = first.to(unit.span);
            return Expr::new(ExprKind::Unit { value, unit }, whole);
        }
        value
    }

    /// `| f x` and `?? y`, from the left.
    pub(super) fn pipe_steps(&mut self, first: Expr, steps: impl Iterator<Item = Pair<'t, G>>, base: usize) -> Expr {
        let mut value = first;
        for step in steps {
            let step_span = self.span(&step, base);
            let whole = value.span.to(step_span);
            let kind = if step.as_rule() == G::fallback {
                let fallback = self.sum(&mut step.into_inner().peekable(), step_span, base);
                ExprKind::Fallback { value, fallback }
            } else {
                let mut inner = parts(step);
                let function = inner.next().map(|path| self.path_name(path, base)).unwrap_or_default();
                let mut arguments = Vec::new();
                for part in inner {
                    if part.as_rule() == G::arguments {
                        arguments.extend(self.arguments(part, base).0);
                    } else {
                        arguments.push(Argument { name: None, value: self.expr(part, base) });
                    }
                }
                ExprKind::Pipe { value, function, arguments }
            };
            value = Expr::new(kind, whole);
        }
        value
    }

    fn path_name(&mut self, pair: Pair<'t, G>, base: usize) -> Vec<Name> {
        parts(pair).map(|name| self.name(&name, base)).collect()
    }

    /// A name, its first field, or the call of a function by either.
    fn named(&mut self, pair: Pair<'t, G>, base: usize) -> Expr {
        let span = self.span(&pair, base);
        let mut function = Vec::with_capacity(2);
        for part in pair.into_inner() {
            if part.as_rule() == G::arguments {
                return self.call(function, part, span, base);
            }
            function.push(self.name(&part, base));
        }
        let mut path = function.into_iter();
        let Some(name) = path.next() else { return self.broken_expr(span) };
        let mut value = Expr::new(ExprKind::Name(name.node), name.span);
        for field in path {
            let whole = value.span.to(field.span);
            value = Expr::new(ExprKind::Field { base: value, field }, whole);
        }
        value
    }

    fn call(&mut self, function: Vec<Name>, arguments: Pair<'t, G>, span: Span, base: usize) -> Expr {
        let (mut arguments, clause) = self.arguments(arguments, base);
        let kind = match (clause, function.as_slice()) {
            (Some((generators, condition)), [name]) if !arguments.is_empty() => {
                let value = arguments.remove(0).value;
                ExprKind::Aggregate { function: name.clone(), value, generators, condition, arguments }
            }
            (Some(_), _) => {
                self.found.push(
                    Diagnostic::new(Code::Misplaced, span, "`for` stands only in an aggregate such as `sum(… for x in xs)`")
                        .help("use `each x in xs { … }` for a list"),
                );
                ExprKind::Broken
            }
            (None, _) => ExprKind::Call { function, arguments },
        };
        Expr::new(kind, span)
    }

    #[allow(clippy::type_complexity, reason = "an aggregate's clause is read with its arguments and nowhere else")]
    fn arguments(&mut self, pair: Pair<'t, G>, base: usize) -> (Vec<Argument>, Option<(Vec<Generator>, Option<Expr>)>) {
        let mut arguments = Vec::new();
        let mut clause = None;
        for part in parts(pair) {
            if part.as_rule() == G::for_clause {
                clause = Some(self.generators_of(part, base));
                continue;
            }
            let span = self.span(&part, base);
            let mut name = None;
            let mut value = None;
            for inner in parts(part) {
                if inner.as_rule() == G::field {
                    name = Some(self.name(&inner, base));
                } else if inner.as_rule() == G::two_words {
                    let words = inner.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
                    let text = TextLiteral { parts: vec![TextPart::Text(words)], raw: true };
                    value = Some(Expr::new(ExprKind::Text(text), self.span(&inner, base)));
                } else {
                    value = Some(self.expr(inner, base));
                }
            }
            let value = value.unwrap_or_else(|| self.broken_expr(span));
            arguments.push(Argument { name, value });
        }
        (arguments, clause)
    }

    /// The generators and the condition in a rule that has both.
    pub(super) fn generators_of(&mut self, pair: Pair<'t, G>, base: usize) -> (Vec<Generator>, Option<Expr>) {
        let mut generators = Vec::new();
        let mut condition = None;
        for part in parts(pair) {
            match part.as_rule() {
                G::generators => {
                    generators = parts(part).map(|inner| self.generator(inner, base)).collect();
                }
                G::where_clause => {
                    let span = self.span(&part, base);
                    let mut inner = parts(part);
                    condition = Some(self.next_expr(&mut inner, span, base));
                }
                _ => {}
            }
        }
        (generators, condition)
    }

    pub(super) fn generator(&mut self, pair: Pair<'t, G>, base: usize) -> Generator {
        let span = self.span(&pair, base);
        let optional = pair.clone().into_inner().any(|inner| inner.as_rule() == G::kw_optional);
        let mut name = Spanned::new(String::new(), span);
        let mut list = None;
        for part in parts(pair) {
            match part.as_rule() {
                G::kw_optional => {}
                G::name => name = self.name(&part, base),
                _ => list = Some(self.expr(part, base)),
            }
        }
        let list = list.unwrap_or_else(|| self.broken_expr(span));
        Generator { name, list, optional, span }
    }

    fn listed(&mut self, pair: Pair<'t, G>, base: usize) -> GroupList {
        let span = self.span(&pair, base);
        let mut name = None;
        let mut list = None;
        for part in parts(pair) {
            if part.as_rule() == G::name {
                name = Some(self.name(&part, base));
            } else {
                list = Some(self.expr(part, base));
            }
        }
        GroupList { name, list: list.unwrap_or_else(|| self.broken_expr(span)) }
    }

    pub(super) fn type_expr(&mut self, pair: Pair<'t, G>, base: usize) -> TypeExpr {
        let span = self.span(&pair, base);
        let mut nullable = false;
        let mut kind = TypeKind::Path(Vec::new());
        for part in parts(pair) {
            match part.as_rule() {
                G::optional_mark => nullable = true,
                G::list_type => {
                    if let Some(of) = parts(part).next() {
                        kind = TypeKind::List(Box::new(self.type_expr(of, base)));
                    }
                }
                G::reference => {
                    let mut inner = parts(part);
                    if let (Some(object), Some(connection)) = (inner.next(), inner.next()) {
                        kind = TypeKind::Reference { object: self.name(&object, base), connection: self.name(&connection, base) };
                    }
                }
                _ => {
                    let mut names: Vec<Name> = parts(part).map(|name| self.name(&name, base)).collect();
                    kind = if names.len() == 1 { TypeKind::Word(names.remove(0)) } else { TypeKind::Path(names) };
                }
            }
        }
        TypeExpr { kind, nullable, span }
    }

    /// `"…"` with its templates, or `'…'`.
    pub(super) fn text_literal(&mut self, pair: &Pair<'t, G>, base: usize) -> TextLiteral {
        let whole = pair.as_str();
        let start = base + pair.as_span().start();
        let inner = whole.get(1..whole.len().saturating_sub(1)).unwrap_or("");
        if whole.starts_with('\'') {
            return TextLiteral { parts: vec![TextPart::Text(inner.to_owned())], raw: true };
        }
        let mut literal = TextLiteral { parts: Vec::new(), raw: false };
        let mut text = String::new();
        let mut at = 0;
        while let Some(c) = inner[at..].chars().next() {
            match c {
                '\\' => {
                    let escaped = inner[at + 1..].chars().next();
                    match escaped {
                        Some('n') => text.push('\n'),
                        Some('t') => text.push('\t'),
                        Some(sign @ ('"' | '\\' | '{' | '}')) => text.push(sign),
                        _ => {
                            let span = Span::new(self.file, start + 1 + at, start + 2 + at + escaped.map_or(0, char::len_utf8));
                            self.found.push(
                                Diagnostic::new(Code::BadLiteral, span, "there is no such escape")
                                    .help("escapes are `\\\"`, `\\\\`, `\\{`, `\\n`; a pattern is written in '…', where nothing is escaped"),
                            );
                            self.broken = true;
                        }
                    }
                    at += 1 + escaped.map_or(0, char::len_utf8);
                }
                '{' => {
                    let end = hole_end(&inner[at..]).map_or(inner.len(), |length| at + length);
                    let code = inner.get(at + 1..end.saturating_sub(1)).unwrap_or("");
                    if !text.is_empty() {
                        literal.parts.push(TextPart::Text(std::mem::take(&mut text)));
                    }
                    let expr = self.hole(code, start + 1 + at + 1);
                    literal.parts.push(TextPart::Expr(expr));
                    at = end;
                }
                _ => {
                    text.push(c);
                    at += c.len_utf8();
                }
            }
        }
        if !text.is_empty() || literal.parts.is_empty() {
            literal.parts.push(TextPart::Text(text));
        }
        literal
    }

    /// What to say of a `{…}` of a text that is no expression.
    fn bad_hole(&self, code: &str, start: usize, span: Span) -> Diagnostic {
        let doubled = code.strip_prefix('{').and_then(|code| code.strip_suffix('}')).or_else(|| code.strip_prefix('%')?.strip_suffix('%'));
        // `{!order.Name}`, as Salesforce names a field in a text.
        let merged = code.strip_prefix('!').filter(|rest| rest.starts_with(|c: char| c.is_alphabetic()));
        let doubled = doubled.or(merged);
        if let Some(inner) = doubled {
            return Diagnostic::new(
                Code::BadTemplate,
                span,
                format!("`{{{code}}}` is not of this language: a value in a text stands in one `{{…}}`"),
            )
            .mend(format!("write `{{{}}}`", inner.trim()), span, inner.trim());
        }
        let parses = |text: &str| Grammar::parse(G::whole_expr, text).is_ok();
        if let Some(found) = habits::mend(code, &parses) {
            return super::mistake::foreign(Code::BadTemplate, &found, &|from, to| Span::new(self.file, start + from, start + to));
        }
        Diagnostic::new(Code::BadTemplate, span, format!("`{code}` between `{{` and `}}` is no expression"))
            .help("write the value to print, such as `{order.OrderNumber}`, or `\\{` for the sign itself")
    }

    /// The expression in a `{…}` of a text.
    fn hole(&mut self, code: &'t str, start: usize) -> Expr {
        let span = Span::new(self.file, start, start + code.len());
        if code.trim().is_empty() {
            self.found.push(
                Diagnostic::new(Code::BadTemplate, span, "an expression is missing between `{` and `}`")
                    .help("write the value to print, such as `{order.OrderNumber}`, or `\\{` for the sign itself"),
            );
            return self.broken_expr(span);
        }
        match Grammar::parse(G::whole_expr, code) {
            Ok(mut pairs) => match pairs.next().and_then(|pair| parts(pair).next()) {
                Some(pair) => self.expr(pair, start),
                None => self.broken_expr(span),
            },
            Err(_) => {
                let found = self.bad_hole(code, start, span);
                self.found.push(found);
                self.broken_expr(span)
            }
        }
    }
}

/// What stands in one row inside a rule.
type Row<'t> = Peekable<Pairs<'t, G>>;

/// What stands left of an operator, as far as it was read.
#[derive(Default)]
struct Joined {
    left: Option<(Expr, Spanned<BinaryOp>)>,
    count: usize,
}

impl Joined {
    /// Both sides, where there is a left one.
    fn join(&mut self, right: Expr) -> Expr {
        match self.left.take() {
            Some((left, op)) => {
                let both = left.span.to(right.span);
                Expr::new(ExprKind::Binary { op, left, right }, both)
            }
            None => right,
        }
    }

    /// Keeps what stands left of an operator; how many there were in this row.
    fn keep(&mut self, left: Expr, op: Spanned<BinaryOp>) -> usize {
        self.left = Some((left, op));
        self.count += 1;
        self.count
    }
}

/// The length of a `{…}` with its own texts and braces.
fn hole_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    let mut quotes: Vec<usize> = Vec::new();
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if !quotes.is_empty() && quotes.last() == Some(&depth) => at += 1,
            b'"' if quotes.last() == Some(&depth) => {
                quotes.pop();
            }
            b'"' => quotes.push(depth),
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn clock(text: &str) -> Option<jiff::civil::Time> {
    let mut numbers = text.split(':').map(str::parse::<i8>);
    let hour = numbers.next()?.ok()?;
    let minute = numbers.next()?.ok()?;
    let second = numbers.next().transpose().ok()?.unwrap_or(0);
    jiff::civil::Time::new(hour, minute, second, 0).ok()
}
