//! What to say of a statement that its rule cannot read.

use pest::error::{Error, ErrorVariant, InputLocation};

use pest::Parser as _;

use super::super::grammar::{Grammar, Rule as G};
use super::super::habits;
use super::super::outline::{self, Range, first_word};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span};

/// Explains a statement that could not be read: the habits of other languages first, then what the
/// grammar wanted where it stopped.
pub(super) fn explain(file: FileId, text: &str, range: Range, rule: G, error: &Error<G>) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(text.len()),
    };
    let place = |start: usize, end: usize| Span::new(file, range.start + start, range.start + end);
    if let Some(diagnostic) = habit(file, text, rule, &place) {
        return diagnostic;
    }
    let rest = text[at..].trim_start();
    let stop = at + (text[at..].len() - rest.len());
    let length = match first_word(rest).len() {
        0 => rest.chars().next().map_or(0, char::len_utf8),
        length => length,
    };
    if rule == G::write_head
        && let Some(diagnostic) = name_behind_condition(file, text, stop, &place)
    {
        return diagnostic;
    }
    let wanted = wanted(error);
    let word = &rest[..length];
    if rest.is_empty() {
        let span = place(text.trim_end().len(), text.trim_end().len());
        return Diagnostic::new(Code::Unreadable, span, format!("{} breaks off here", statement(rule, text)))
            .label(if wanted.is_empty() { "more is needed".to_owned() } else { format!("{wanted} is needed") })
            .help(form(rule));
    }
    let span = place(stop, stop + length);
    if RESERVED.contains(&word) && wanted.contains("a name") {
        return Diagnostic::new(Code::ReservedWord, span, format!("`{word}` is a word of the language and cannot be a name here")).mend(
            "give it another name, or write it in backticks",
            span,
            format!("`{word}`"),
        );
    }
    let mut diagnostic = Diagnostic::new(Code::Unreadable, span, format!("{} cannot be read from `{}` on", statement(rule, text), brief(rest)));
    if !wanted.is_empty() {
        diagnostic = diagnostic.label(format!("{wanted} could stand here"));
    }
    diagnostic.help(form(rule))
}

/// `when x is present as sent`: a name stands where a condition ended, and before the condition the write could be read.
fn name_behind_condition(file: FileId, text: &str, stop: usize, place: &dyn Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    let behind = text.get(stop..)?.strip_prefix("as")?;
    let rest = behind.trim_start();
    let name = first_word(rest);
    if name.is_empty() || rest.len() == behind.len() {
        return None;
    }
    let (start, tail) = (text.len() - rest.len(), rest.get(name.len()..)?);
    let condition = |at: usize| text.get(at..stop).map(str::trim_end);
    let mended = |at: usize| Some(format!("as {name} {}{tail}", condition(at)?));
    let reads = |at: &usize| {
        let whole = mended(*at).map(|mended| format!("{}{mended}", &text[..*at]));
        whole.is_some_and(|whole| Grammar::parse(G::write_head, &outline::expression(file, &whole)).is_ok())
    };
    let at = text.match_indices("when ").map(|(at, _)| at).filter(|at| *at < stop).find(reads)?;
    Some(name_behind_when(place(start, start + name.len()), place(at, text.len()), mended(at)?))
}

/// The name of a write behind its condition; `mended` is what should stand at `whole`.
pub(super) fn name_behind_when(name: Span, whole: Span, mended: String) -> Diagnostic {
    Diagnostic::new(Code::Unreadable, name, "the name of a write stands before its `when`").label("this names the write").mend(
        "put the name first",
        whole,
        mended,
    )
}

const RESERVED: [&str; 22] = [
    "and", "or", "not", "in", "is", "was", "as", "if", "then", "else", "when", "where", "for", "before", "by", "key", "each", "once", "clear",
    "matches", "reaches", "true",
];

fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() > 24 { format!("{} …", line.chars().take(24).collect::<String>().trim_end()) } else { line.to_owned() }
}

/// What hands used to another language wrote, with the text to write instead.
fn habit(file: FileId, text: &str, rule: G, place: &dyn Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    // A schedule in other words may be one of another form.
    let rules = match rule {
        G::every_duration | G::every_day | G::every_cron => vec![G::every_duration, G::every_day, G::every_cron],
        rule => vec![rule],
    };
    let parses = |text: &str| {
        let plain = outline::expression(file, text);
        rules.iter().any(|rule| Grammar::parse(*rule, &plain).is_ok())
    };
    let found = habits::mend(text, &parses)?;
    Some(foreign(Code::Unreadable, &found, place))
}

/// A foreign habit as a message.
pub(super) fn foreign(code: Code, found: &habits::Found, place: &dyn Fn(usize, usize) -> Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(code, place(found.at.start, found.at.end), format!("`{}` is not of this language: {}", found.written, found.words));
    match &found.edit {
        Some((at, write)) => diagnostic.mend(found.advice.as_str(), place(at.start, at.end), write.clone()),
        None => diagnostic.help(found.words),
    }
}

/// What the grammar would have taken, in an author's words.
fn wanted(error: &Error<G>) -> String {
    let ErrorVariant::ParsingError { positives, negatives } = &error.variant else { return String::new() };
    let mut words: Vec<&str> = Vec::new();
    // A word of the language stands where a name was wanted.
    if negatives.contains(&G::reserved) {
        words.push("a name");
    }
    for rule in positives {
        let word = match rule {
            G::name | G::field | G::word | G::path | G::path_name => "a name",
            G::text | G::raw | G::message => "a text in quotes",
            G::expr | G::piped | G::minus | G::postfix | G::named | G::brackets | G::kw_not => "a value",
            G::type_expr | G::type_path | G::list_type | G::reference => "a type",
            G::arrow => "`->`",
            G::stop | G::stop_word => "`review \"…\"`, `reject \"…\"` or `skip`",
            G::amount | G::quantity => "an amount with its unit, such as `10 minutes`",
            G::number => "a number",
            G::generators | G::generator | G::kw_in => "`name in list`",
            G::kw_else => "`else`",
            G::kw_when => "`when`",
            G::kw_by => "`by`",
            G::kw_key | G::write_key => "`key`",
            G::object_path => "an object such as `crm.Order`",
            G::event => "`fails`, `is rejected`, `is in review`, `succeeds`, `is late after …` or `is gone`",
            G::unit => "a unit",
            G::arguments => "`( … )`",
            G::kw_then => "`then`",
            G::present | G::missing => "`present` or `missing`",
            G::clock => "a time such as `02:00`",
            _ => continue,
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [many @ .., last] if words.len() <= 3 => format!("{} or {last}", many.join(", ")),
        _ => String::new(),
    }
}

/// The statement in a reader's noun.
fn statement(rule: G, text: &str) -> String {
    let noun = match rule {
        G::row | G::object_head | G::row_tail => "this field row",
        G::value_row | G::value_else | G::value_side => "this row of the value map",
        G::route_head => "write `route store, warehouse { … }`",
        G::route_row => "this routing row",
        G::require_stmt | G::review_stmt | G::warn_stmt | G::reconcile_stmt => "this rule",
        G::write_head => "this write",
        G::whole_expr => "this expression",
        _ => {
            let word = first_word(text);
            return if word.is_empty() { "this line".to_owned() } else { format!("this `{word}`") };
        }
    };
    noun.to_owned()
}

/// The form of a statement, to be copied.
fn form(rule: G) -> &'static str {
    match rule {
        G::row => "a field row is `target = value`, perhaps with `once`, `if empty` or `clear` behind it",
        G::object_head => "a nested object is `name { … }` or `name when condition { … }`",
        G::value_row => "a row is `\"Left\", \"Other left\" -> right`",
        G::value_else | G::value_side => "`else` takes a value, `review \"…\"` or `reject \"…\"`",
        G::route_row => "a routing row is `when condition -> result, result`, or `else -> …`",
        G::require_stmt => "a rule is `require condition \"reason\"`; a pipe in it stands in brackets",
        G::review_stmt => "a rule is `review when condition \"reason\"`",
        G::warn_stmt => "a rule is `warn when condition \"reason\"`, or `warn unless …`",
        G::reconcile_stmt => "a rule is `reconcile total == sum(…) \"differs by {difference}\"`",
        G::write_head => "a write is `upsert wms.Order key orderKey = \"…\" as name when condition in doubt look up { … }`",
        G::from_head => "write `from connection.Object as name`",
        G::match_head => "write `match name: connection.Object { by … none -> … many -> … }`",
        G::by_stmt => "a key is `by order.OrderNumber == shipment.orderNumber`",
        G::none_stmt | G::many_stmt => "write `none -> review \"…\"`, `skip`, `reject \"…\"` or `create`",
        G::values_head => "write `values name: crm.Order.Status -> wms.Order.orderStatus { … }`",
        G::table_head => "write `table name from \"tables/file.csv\" { … }`",
        G::table_key | G::table_many | G::table_columns => "columns are `name: type, name: type`",
        G::function_stmt => "write `function name(x: text) -> text = …`",
        G::parameter_stmt => "write `parameter name: type = default`",
        G::let_stmt => "write `let name = value`",
        G::use_stmt => "write `use \"path\"` or `use \"path\" as name`",
        G::extends_stmt => "write `extends \"path\"`",
        G::split_stmt => "write `split line in order.OrderItems by line.Warehouse__c as part`",
        G::repeat_stmt => "write `each line in order.OrderItems`",
        G::when_head => "write `when name fails or is rejected { … }`",
        G::guard_stmt => "write `guard condition else review \"…\"`",
        G::changed_stmt => "write `changed order.SystemModstamp overlap 10 minutes`",
        G::every_duration | G::every_day | G::every_cron => {
            "write `every 5 minutes`, `every day at 02:00 in \"Europe/London\"` or `every \"0 6 * * 1-5\"`"
        }
        G::expect_head => "write `expect name \"what is promised\" { … }`",
        G::seen_stmt => "write `seen flow within 2 days` or `seen flow before order.Ship_By__c`",
        G::else_stmt => "write `else alert \"…\"`",
        G::group_stmt => "write `group by s.customerEmail as email`",
        G::edition_stmt => "write `edition 1`",
        G::test_given => "write `given \"fixtures/order.json\" with { Status = \"Cancelled\" }`",
        _ => "see `crossdock explain E0001` for the form of statements",
    }
}
