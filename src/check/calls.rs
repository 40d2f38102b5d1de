//! Calls: builtins, value maps, tables, and functions, which are inlined and checked at each call.

use crate::base::Span;
use crate::base::diag::Diagnostic;
use crate::builtin;
use crate::check::builtin_calls::{is_aggregate, wanted_by};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::items::What;
use crate::syntax::habits;
use crate::syntax::tree::{self, Argument, ExprKind};
use crate::value::Kind;

impl Checker<'_> {
    /// `f(x, y)`, or `piped | f y`.
    pub(super) fn call(
        &mut self,
        function: &[tree::Name],
        piped: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
        want: Option<&Kind>,
    ) -> TypedExpr {
        let Some(name) = function.last() else { return TypedExpr::erroneous(span) };
        match self.context.items.find(self.unit, function) {
            Some(What::Function(id)) => return self.inline(id, piped, arguments, span, want),
            Some(What::Values(id)) => return self.value_map(id, piped, arguments, span),
            Some(What::Table(id)) => return self.table_call(id, piped, arguments, span),
            _ => {}
        }
        // `x | store of wms`
        if let (Some(value), [of, connection, ..]) = (piped, arguments)
            && let (ExprKind::Name(word), ExprKind::Name(connection)) = (of.value.kind.as_ref(), connection.value.kind.as_ref())
            && word == "of"
        {
            return self.look_up_name(value, name, connection, span);
        }
        let Some(builtin) = builtin::find(&name.node).filter(|_| function.len() == 1) else {
            // Its arguments may hold mistakes of their own, which come first.
            let before = self.out.len();
            let first = piped.or(arguments.first().map(|argument| &argument.value)).map(|value| self.expr(value, None));
            if self.out.len() == before {
                let list = first.is_some_and(|first| matches!(first.kind, Kind::List(_)));
                let diagnostic = self.unknown_function(function, piped, arguments, span, list);
                self.report(diagnostic);
            }
            return TypedExpr::erroneous(span);
        };
        if self.grouped
            && is_aggregate(builtin.name)
            && let Some(typed) = self.grouped_call(builtin, piped, arguments, span)
        {
            return typed;
        }
        if builtin.takes.is_empty() {
            return self.builtin(builtin, Vec::new(), span);
        }
        let mut given = Vec::new();
        let mut from = 0;
        if let Some(value) = piped {
            let typed = self.expr(value, wanted_by(&builtin.takes[0].takes));
            match self.argument_fits(builtin, 0, typed) {
                Some(typed) => given.push(typed),
                None => {
                    let _ = self.arguments(builtin, 1, arguments, span);
                    return TypedExpr::erroneous(span);
                }
            }
            from = 1;
        } else if builtin.takes.iter().all(|p| !p.optional) && arguments.is_empty() {
            self.report(error::types::needs_argument(builtin.name, span));
            return TypedExpr::erroneous(span);
        }
        let Some(rest) = self.arguments(builtin, from, arguments, span) else { return TypedExpr::erroneous(span) };
        given.extend(rest);
        self.builtin(builtin, given, span)
    }

    fn unknown_function(
        &mut self,
        function: &[tree::Name],
        piped: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
        list: bool,
    ) -> Diagnostic {
        let name = function.iter().map(|name| name.node.as_str()).collect::<Vec<_>>().join(".");
        let at = function.iter().map(|name| name.span).reduce(Span::to).unwrap_or_default();
        let mut known = self.context.items.names(self.unit);
        known.extend(builtin::all().map(|builtin| builtin.name));
        // The same name but for its capital letters is nearer than a habit.
        let same = known.iter().any(|known| known.eq_ignore_ascii_case(&name));
        let texts: Vec<String> = piped
            .into_iter()
            .chain(arguments.iter().map(|argument| &argument.value))
            .map(|value| self.context.sources.text(value.span).trim().to_owned())
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        // It takes no such call where it has fewer arguments.
        let fits = builtin::find(&name.to_lowercase()).is_none_or(|builtin| texts.len() <= builtin.takes.len());
        let Some(call) = habits::call(&name, &texts).filter(|call| !same || !fits && call.write.is_some()) else {
            let diagnostic = error::names::unknown_function(function, &known);
            return match self.in_unused_file(&name) {
                Some((path, place)) => error::names::in_unused_file(Diagnostic { help: Vec::new(), ..diagnostic }, &name, &path, place),
                None => diagnostic,
            };
        };
        let said = error::names::foreign_function(&name, at, call.words);
        let Some(write) = call.write else { return said.help(call.words) };
        let write = if list && write.starts_with("length(") { write.replacen("length(", "count(", 1) } else { write };
        // `x | lowercase` keeps its form: only the name is another.
        let renamed =
            write.split_once('(').filter(|(ours, rest)| piped.is_some() && known.contains(ours) && rest.strip_suffix(')') == Some(&texts.join(", ")));
        if let Some((ours, _)) = renamed {
            return said.mend(format!("write `{ours}`"), at, ours);
        }
        if let (Some(value), Some(number)) =
            (arguments.first().filter(|_| piped.is_none()), write.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')))
            && texts == [number]
            && matches!(self.silently(|check| check.expr(&value.value, None)).kind, Kind::Money | Kind::Decimal | Kind::Integer)
        {
            let write = self.in_place(span, number);
            return said.mend(format!("it is a number already: write `{write}`"), span, write);
        }
        let write = self.in_place(span, &write);
        said.mend(format!("write `{write}`"), span, write)
    }

    /// A file of the project that has an item of this name and is not used here: its path from this file, and where a `use`
    /// can be written.
    pub(super) fn in_unused_file(&self, name: &str) -> Option<(String, Span)> {
        let files = self.context.items.scope.files();
        let here = files.get(self.unit)?;
        let has = |merged: &crate::check::overlay::Merged| {
            merged.items.iter().any(|item| {
                let kind = matches!(
                    item.kind,
                    tree::ItemKind::Parameter(_) | tree::ItemKind::Values(_) | tree::ItemKind::Table(_) | tree::ItemKind::Function(_)
                );
                kind && crate::check::overlay::item_name(&item.kind) == name
            })
        };
        let other = files.iter().enumerate().find(|(at, merged)| *at != self.unit && has(merged))?.1;
        let source = self.context.sources.get(here.file)?;
        let path = from_file(&source.name, &self.context.sources.get(other.file)?.name);
        // Behind the first line, which says the edition.
        let end = source.text.find('\n').unwrap_or(source.text.len());
        source.text.starts_with("edition").then(|| (path, Span::new(here.file, end, end)))
    }

    /// A replacement for what stands at a place, in brackets where its neighbors would take a part of it.
    pub(super) fn in_place(&self, span: Span, write: &str) -> String {
        let text = self.context.sources.get(span.file).map_or("", |source| &*source.text);
        habits::in_place(text, span.start as usize..span.end as usize, write)
    }
}

/// A file as another file names it: `../shared/address.dock`.
fn from_file(here: &str, there: &str) -> String {
    let folders = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (folders(here), folders(there));
    let shared = from[..from.len() - 1].iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - 1 - shared);
    up.chain(to[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}
