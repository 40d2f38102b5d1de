//! An expression as text, without its spans: two that read alike are the same thing to an overlay
//! (“a route row is known by its condition”). Brackets that only group are left out.

use crate::syntax::tree::{
    Argument, BinaryOp, Expr, ExprKind, FieldRow, Generator, GroupList, Name, Policy, RowValue, TextLiteral, TextPart, TypeExpr, TypeKind,
};

/// The expression in one line, the same for every way of spacing and bracketing it.
pub(super) fn written(expr: &Expr) -> String {
    match expr.kind.as_ref() {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Field { base, field } => format!("{}.{}", written(base), field.node),
        ExprKind::Text(text) => quoted(text),
        ExprKind::Number(number) => number.to_string(),
        ExprKind::Boolean(truth) => truth.to_string(),
        ExprKind::Time(time) => time.to_string(),
        ExprKind::Quantity { number, unit } => format!("{number} {}", unit.node),
        ExprKind::Call { function, arguments } => format!("{}({})", dotted(function), listed(arguments)),
        ExprKind::Pipe { value, function, arguments } => {
            // `x | f y` is `f(x, y)`.
            let rest = listed(arguments);
            let comma = if rest.is_empty() { "" } else { ", " };
            format!("{}({}{comma}{rest})", dotted(function), written(value))
        }
        ExprKind::Fallback { value, fallback } => format!("({} ?? {})", written(value), written(fallback)),
        ExprKind::JsonPath { value, path } => format!("({} $ '{}')", written(value), path.node),
        ExprKind::Unit { value, unit } => format!("({} as {})", written(value), unit.node),
        ExprKind::Negate(value) => format!("-{}", written(value)),
        ExprKind::Not(value) => format!("not {}", written(value)),
        ExprKind::Binary { op, left, right } => format!("({} {} {})", written(left), sign(op.node), written(right)),
        ExprKind::In { value, list, negated } => {
            format!("({}{} in ({}))", written(value), if *negated { " not" } else { "" }, all(list))
        }
        ExprKind::Matches { value, pattern } => format!("({} matches {})", written(value), written(pattern)),
        ExprKind::IsPresent(value) => format!("({} is present)", written(value)),
        ExprKind::IsMissing(value) => format!("({} is missing)", written(value)),
        ExprKind::WasSent(value) => format!("({} was sent)", written(value)),
        ExprKind::Reaches { value, thresholds } => format!("({} reaches ({}))", written(value), all(thresholds)),
        ExprKind::If { condition, then, otherwise } => {
            let otherwise = otherwise.as_ref().map(|e| format!(" else {}", written(e))).unwrap_or_default();
            format!("(if {} then {}{otherwise})", written(condition), written(then))
        }
        ExprKind::Each { generators, condition, rows } => {
            let rows = rows.as_ref().map(|rows| format!(" {{ {} }}", fields(rows))).unwrap_or_default();
            format!("(each {}{rows})", ranges(generators, condition.as_ref()))
        }
        ExprKind::Aggregate { function, value, generators, condition, arguments } => {
            let rest = listed(arguments);
            let comma = if rest.is_empty() { "" } else { ", " };
            format!("{}({} for {}{comma}{rest})", function.node, written(value), ranges(generators, condition.as_ref()))
        }
        ExprKind::Group { list, by } => format!("(group {} by {})", group_list(list), written(by)),
        ExprKind::Sort { list, by, descending } => {
            let by = by.as_ref().map(|by| format!(" by {}", written(by))).unwrap_or_default();
            format!("(sort {}{by}{})", group_list(list), if *descending { " descending" } else { "" })
        }
        ExprKind::Distinct(list) => format!("distinct {}", written(list)),
        ExprKind::Flatten(list) => format!("flatten {}", written(list)),
        ExprKind::Object(rows) => format!("{{ {} }}", fields(rows)),
        ExprKind::List(items) => format!("({})", all(items)),
        ExprKind::Paren(inner) => written(inner),
        ExprKind::Broken => "…".to_owned(),
    }
}

/// Generators and their condition: `line in lines where line.Quantity > 0`.
pub(super) fn ranges(generators: &[Generator], condition: Option<&Expr>) -> String {
    let each = generators.iter().map(|g| format!("{}{} in {}", if g.optional { "optional " } else { "" }, g.name.node, written(&g.list)));
    let condition = condition.map(|c| format!(" where {}", written(c))).unwrap_or_default();
    format!("{}{condition}", each.collect::<Vec<_>>().join(", "))
}

/// A type as an author writes it.
pub(super) fn type_written(of: &TypeExpr) -> String {
    let kind = match &of.kind {
        TypeKind::Word(word) => word.node.clone(),
        TypeKind::Path(path) => dotted(path),
        TypeKind::Reference { object, connection } => format!("a {} of {}", object.node, connection.node),
        TypeKind::List(of) => format!("list of {}", type_written(of)),
    };
    if of.nullable { format!("{kind}?") } else { kind }
}

/// `a.b.c`
pub(super) fn dotted(path: &[Name]) -> String {
    path.iter().map(|name| name.node.as_str()).collect::<Vec<_>>().join(".")
}

/// What a person calls a value or a message: text without its quotes, else the expression.
pub(super) fn spoken(expr: &Expr) -> String {
    match expr.kind.as_ref() {
        ExprKind::Text(text) => {
            let quoted = quoted(text);
            quoted[1..quoted.len() - 1].to_owned()
        }
        ExprKind::Paren(inner) => spoken(inner),
        _ => written(expr),
    }
}

fn quoted(text: &TextLiteral) -> String {
    let parts = text.parts.iter().map(|part| match part {
        TextPart::Text(text) => text.clone(),
        TextPart::Expr(expr) => format!("{{{}}}", written(expr)),
    });
    format!("\"{}\"", parts.collect::<String>())
}

fn all(items: &[Expr]) -> String {
    items.iter().map(written).collect::<Vec<_>>().join(", ")
}

fn listed(arguments: &[Argument]) -> String {
    let each = arguments.iter().map(|argument| match &argument.name {
        Some(name) => format!("{}: {}", name.node, written(&argument.value)),
        None => written(&argument.value),
    });
    each.collect::<Vec<_>>().join(", ")
}

fn group_list(list: &GroupList) -> String {
    match &list.name {
        Some(name) => format!("{} in {}", name.node, written(&list.list)),
        None => written(&list.list),
    }
}

fn fields(rows: &[FieldRow]) -> String {
    let each = rows.iter().map(|row| {
        let place = dotted(&row.place);
        let policy = match row.policy.as_ref().map(|policy| policy.node) {
            Some(Policy::Once) => " once",
            Some(Policy::IfEmpty) => " if empty",
            Some(Policy::Clear) => " clear",
            None => "",
        };
        match &row.value {
            RowValue::Expr(value) => format!("{place} = {}{policy}", written(value)),
            RowValue::Object { when, rows } => {
                let when = when.as_ref().map(|when| format!(" when {}", written(when))).unwrap_or_default();
                format!("{place}{when} {{ {} }}", fields(rows))
            }
            RowValue::Clear => format!("clear {place}"),
            RowValue::Remove => format!("remove {place}"),
        }
    });
    each.collect::<Vec<_>>().join("; ")
}

fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
    }
}
