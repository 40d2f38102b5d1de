//! What to say of a statement that its rule cannot read.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::super::grammar::Rule as G;
use super::super::outline::{Range, first_word};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span};

/// Explains a statement that could not be read: the habits of other languages first, then what the
/// grammar wanted where it stopped.
pub(super) fn explain(file: FileId, text: &str, range: Range, rule: G, error: &Error<G>) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(text.len()),
    };
    let place = |start: usize, end: usize| Span::new(file, range.start + start, range.start + end);
    if let Some(diagnostic) = habit(text, &place) {
        return diagnostic;
    }
    let rest = text[at..].trim_start();
    let stop = at + (text[at..].len() - rest.len());
    let length = match first_word(rest).len() {
        0 => rest.chars().next().map_or(0, char::len_utf8),
        length => length,
    };
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

const RESERVED: [&str; 22] = [
    "and", "or", "not", "in", "is", "was", "as", "if", "then", "else", "when", "where", "for", "before", "by", "key", "each", "once", "clear",
    "matches", "reaches", "true",
];

fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() > 24 { format!("{} …", line.chars().take(24).collect::<String>().trim_end()) } else { line.to_owned() }
}

/// Signs that other languages use for what this one says otherwise.
fn habit(text: &str, place: &dyn Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    let masked = mask(text);
    let signs = [
        ("&&", "and", "conditions are joined by `and`"),
        ("||", "or", "conditions are joined by `or`"),
        ("<>", "!=", "`not equal` is written `!=`"),
        ("===", "==", "`equal` is written `==`"),
        ("=>", "->", "an arrow is written `->`"),
        ("→", "->", "an arrow is written `->`"),
        ("“", "\"", "texts stand in straight quotes"),
        ("”", "\"", "texts stand in straight quotes"),
        ("‘", "\"", "texts stand in straight quotes"),
        (";", "", "a statement ends with its line"),
    ];
    for (sign, right, words) in signs {
        if let Some(at) = masked.find(sign) {
            let span = place(at, at + sign.len());
            let diagnostic = Diagnostic::new(Code::Unreadable, span, format!("`{sign}` is not of this language: {words}"));
            return Some(if right.is_empty() {
                diagnostic.mend("take it out", span, "")
            } else {
                diagnostic.mend(format!("write `{right}`"), span, right)
            });
        }
    }
    for (word, right, words) in [
        ("is null", "is missing", "what is not there `is missing`"),
        ("is not null", "is present", "what is there `is present`"),
        ("is empty", "is missing", "blank text counts as missing"),
        ("is not missing", "is present", "the opposite of `is missing` is `is present`"),
        ("is not present", "is missing", "the opposite of `is present` is `is missing`"),
        ("== null", "is missing", "what is not there `is missing`"),
        ("!= null", "is present", "what is there `is present`"),
    ] {
        if let Some(at) = masked.find(word) {
            let span = place(at, at + word.len());
            return Some(Diagnostic::new(Code::Unreadable, span, format!("`{word}` is not of this language: {words}")).mend(
                format!("write `{right}`"),
                span,
                right,
            ));
        }
    }
    let word = first_word(&masked);
    let condition = ["when", "where", "require", "review", "warn", "by", "guard", "first"].contains(&word);
    if condition {
        let bytes = masked.as_bytes();
        let single =
            (1..bytes.len()).find(|at| bytes[*at] == b'=' && !matches!(bytes[at - 1], b'=' | b'!' | b'<' | b'>') && bytes.get(at + 1) != Some(&b'='));
        if let Some(at) = single {
            let span = place(at, at + 1);
            return Some(Diagnostic::new(Code::Unreadable, span, "a single `=` sets a field; a condition compares with `==`").mend(
                "write `==`",
                span,
                "==",
            ));
        }
    }
    None
}

/// The text with everything in quotes and comments blanked, so that signs in it are not seen.
fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut quote: Option<char> = None;
    let mut comment = false;
    for c in text.chars() {
        let hidden = quote.is_some() || comment;
        match (quote, c) {
            (_, '\n') => {
                quote = None;
                comment = false;
            }
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'' | '`') if !comment => quote = Some(c),
            (None, '#') => comment = true,
            _ => {}
        }
        if (hidden || comment) && c != '\n' {
            masked.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            masked.push(c);
        }
    }
    masked
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
