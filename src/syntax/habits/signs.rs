//! Signs and words inside a statement.

use std::sync::OnceLock;

use regex::{Captures, Regex};

use super::Step;

/// What to write instead.
enum Write {
    /// A text in which `$1` is what the pattern's first group caught.
    As(&'static str),
    /// Made of what the pattern caught.
    By(fn(&str) -> Option<String>),
    /// Only the words lead on.
    Words,
}

use Write::{As, By, Words};

/// A habit: how it looks, what to write, what this language says, and an example with its mended text.
///
/// In a pattern `{V}` is a value (a path, a text, a number, a call) and `{P}` a path. Insides of texts and comments are
/// blanks when a pattern is tried.
struct Sign {
    find: &'static str,
    write: Write,
    words: &'static str,
    #[cfg_attr(not(test), allow(dead_code, reason = "a test runs the examples"))]
    example: Option<(&'static str, &'static str)>,
}

macro_rules! signs {
    ($($find:literal => $write:expr, $words:literal $(, $before:literal => $after:literal)?;)*) => {
        &[$(Sign { find: $find, write: $write, words: $words, example: example!($($before, $after)?) },)*]
    };
}
macro_rules! example {
    () => {
        None
    };
    ($before:literal, $after:literal) => {
        Some(($before, $after))
    };
}

const SIGNS: &[Sign] = signs! {
    // ---- signs of a typesetter, of another keyboard, and signs that nobody sees
    r"[\u{ff01}-\u{ff5e}\u{3001}\u{3002}\u{300c}\u{300d}]+" => By(narrow), "signs are those of ASCII, not their full-width forms",
        "require order.A ＞ 5 \"a\"" => "require order.A > 5 \"a\"";
    r"[\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{2064}\u{ad}]+" => As(""), "a sign that is not seen stands here; it often comes with text that is copied from a page",
        "require order.A\u{200b} > 5 \"a\"" => "require order.A > 5 \"a\"";
    r#"[“”„‟«»]([^“”„‟«»"]*)[“”„‟«»"]"# => As("\"$1\""), "texts stand in straight quotes",
        "require order.A > 5 “the reason”" => "require order.A > 5 \"the reason\"";
    r"[‘’‚‛‹›]([^‘’‚‛‹›]*)[‘’‚‛‹›]" => As("\"$1\""), "texts stand in straight quotes",
        "where order.A == ‘x’" => "where order.A == \"x\"";
    "``" => As("\""), "texts stand in straight quotes";
    "→|⇒|➔|➜|➝|⟶|⟹|▶" => As("->"), "an arrow is written `->`",
        "\"A\" → \"b\"" => "\"A\" -> \"b\"";
    "↔|⇔|⟷" => As("<->"), "an arrow both ways is written `<->`";
    "≠" => As("!="), "`not equal` is written `!=`", "where order.A ≠ 5" => "where order.A != 5";
    "≥" => As(">="), "`at least` is written `>=`", "where order.A ≥ 5" => "where order.A >= 5";
    "≤" => As("<="), "`at most` is written `<=`", "where order.A ≤ 5" => "where order.A <= 5";
    "×|✕|∗|⋅" => As("*"), "a product is written `*`", "a = order.A × 2" => "a = order.A * 2";
    "÷|∕|⁄" => As("/"), "a division is written `/`", "a = order.A ÷ 2" => "a = order.A / 2";
    "−|–|—|‐|‑" => As("-"), "a minus is written `-`", "a = order.A − 2" => "a = order.A - 2";
    "∧" => As("and"), "conditions are joined by `and`";
    "∨" => As("or"), "conditions are joined by `or`";
    "¬" => As("not "), "the opposite is written `not`";
    // ---- numbers
    r"[€£$¥₹]\s?(\d[\d.,'_]*)" => As("$1"), "an amount is a number; its field says the currency",
        "where order.A > £5000" => "where order.A > 5000";
    r"\b(\d[\d.,'_]*)\s?[€£¥₹]" => As("$1"), "an amount is a number; its field says the currency",
        "where order.A > 500 €" => "where order.A > 500";
    r"\b(EUR|USD|GBP|CHF|JPY|CAD|AUD)\s(\d[\d.,'_]*)" => As("$2 $1"), "a currency stands behind its amount",
        "where order.A > USD 500" => "where order.A > 500 USD";
    r"\b(\d+(?:[.,]\d+)?)\s?%" => By(percent), "a percentage is a number: 5 % is `0.05`",
        "a = order.A * 5%" => "a = order.A * 0.05";
    r"\b\d{1,3}(?:,\d{3})+(?:\.\d+)?\b" => By(|text| Some(text.replace(',', ""))), "a number has no sign between its thousands",
        "where order.A > 5,000.00" => "where order.A > 5000.00";
    r"\b\d{1,3}(?:\.\d{3})+,\d+\b" => By(|text| Some(text.replace('.', "").replace(',', "."))), "decimals stand behind a point, and nothing between thousands",
        "where order.A > 5.000,00" => "where order.A > 5000.00";
    r"\b\d{1,3}(?:\.\d{3}){2,}\b" => By(|text| Some(text.replace('.', ""))), "a number has no sign between its thousands",
        "where order.A > 5.000.000" => "where order.A > 5000000";
    r"\b\d+(?:['’_]\d{3})+(?:\.\d+)?\b" => By(|text| Some(text.replace(['\'', '’', '_'], ""))), "a number has no sign between its thousands",
        "where order.A > 1_000" => "where order.A > 1000";
    r"\b\d{1,3}(?:\s\d{3})+\b" => By(|text| Some(text.replace(|c: char| c.is_whitespace(), ""))), "a number has no sign between its thousands",
        "where order.A > 5 000" => "where order.A > 5000";
    r"\b(\d+),(\d+)\b" => As("$1.$2"), "decimals stand behind a point",
        "where order.A > 0,05" => "where order.A > 0.05";
    r"(^|[\s(=<>*+/,-])\.(\d+)\b" => As("${1}0.$2"), "a number has a digit before its point",
        "where order.A > .5" => "where order.A > 0.5";
    r"\b(\d+)\.(\s|$|[),])" => As("$1.0$2"), "a number has a digit behind its point",
        "where order.A > 5." => "where order.A > 5.0";
    r"\b\d+(?:\.\d+)?[eE][+]?\d+\b" => By(exponent), "a number is written out",
        "where order.A > 1e3" => "where order.A > 1000";
    r"\b(\d+)[kK]\b" => As("${1}000"), "a number is written out", "where order.A > 10k" => "where order.A > 10000";
    r"\b(\d+(?:\.\d+)?)[fFdDmMlL]\b" => As("$1"), "a number needs no letter behind it", "a = 5.0m" => "a = 5.0";
    r"([=<>(,*/+-]\s*)\+(\d)" => As("$1$2"), "a number has no `+` before it", "where order.A > +5" => "where order.A > 5";
    // ---- dates and durations
    r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?" => By(instant), "a time is read from a text by `datetime`",
        "where order.A > 2026-01-01T00:00:00Z" => "where order.A > datetime(\"2026-01-01T00:00:00Z\")";
    r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b" => By(date_with_points), "a date is read from a text by `date`, year first",
        "where order.A > 31.12.2026" => "where order.A > date(\"2026-12-31\")";
    r"#(\d{4}-\d{2}-\d{2})#" => As("date(\"$1\")"), "a date is read from a text by `date`";
    r"\b(every|overlap|within|after|last)\s+(\d+)\s*(?:minutes?|mins?|m)\b\.?" => As("$1 $2 minutes"), "an amount of time is a number, a blank and its unit",
        "changed order.A overlap 10min" => "changed order.A overlap 10 minutes";
    r"\b(every|overlap|within|after|last)\s+(\d+)\s*(?:hours?|hrs?|h)\b\.?" => As("$1 $2 hours"), "an amount of time is a number, a blank and its unit",
        "every 2h" => "every 2 hours";
    r"\b(every|overlap|within|after|last)\s+(\d+)\s*(?:seconds?|secs?|s)\b\.?" => As("$1 $2 seconds"), "an amount of time is a number, a blank and its unit",
        "every 30s" => "every 30 seconds";
    r"\b(every|overlap|within|after|last)\s+(\d+)\s*(?:days?|d)\b\.?" => As("$1 $2 days"), "an amount of time is a number, a blank and its unit",
        "seen f within 2d" => "seen f within 2 days";
    r"\bevery\s+(minute|hour)\s*$" => As("every 1 $1"), "an amount of time is a number and its unit", "every hour" => "every 1 hour";
    r"\bevery\s+day\s*$|\bdaily\s*$" => As("every day at 02:00"), "a daily schedule says its time", "every day" => "every day at 02:00";
    r"\bat\s+(\d{1,2})\s*[aA][mM]\b" => As("at $1:00"), "a time of day is written as in 02:00", "every day at 6am" => "every day at 6:00";
    // ---- joined conditions, negation
    "&&" => As("and"), "conditions are joined by `and`", "where order.A && order.B" => "where order.A and order.B";
    r"\bAND\b" => As("and"), "conditions are joined by `and`, in small letters", "where order.A AND order.B" => "where order.A and order.B";
    r"\bOR\b" => As("or"), "conditions are joined by `or`, in small letters", "where order.A OR order.B" => "where order.A or order.B";
    r"\b(?:IS\s+NOT\s+NULL|is\s+not\s+(?:null|Null|None|nil|undefined|empty|blank|missing))\b" => As("is present"), "what is there `is present`",
        "where order.A IS NOT NULL" => "where order.A is present";
    r"\b(?:IS\s+NULL|is\s+(?:null|Null|None|nil|undefined|empty|blank|absent|not\s+present))\b" => As("is missing"), "what is not there `is missing`",
        "where order.A is None" => "where order.A is missing";
    r"!==?\s*(?:null|undefined|None|nil|NULL)\b" => As("is present"), "what is there `is present`",
        "where order.A !== null" => "where order.A is present";
    r"===?\s*(?:null|undefined|None|nil|NULL)\b" => As("is missing"), "what is not there `is missing`",
        "where order.A === undefined" => "where order.A is missing";
    r"\bis\s+(not\s+)?(true|false|TRUE|FALSE|True|False)\b" => By(is_truth), "a truth is compared by `==`",
        "where order.A is true" => "where order.A == true";
    r"\b({V})\s+NOT\s+IN\b" => As("$1 not in"), "words of the language are written in small letters",
        "where order.A NOT IN (\"x\")" => "where order.A not in (\"x\")";
    r"\bNOT\s+({V})\s+IN\b" => As("$1 not in"), "words of the language are written in small letters",
        "where NOT order.A IN (\"x\")" => "where order.A not in (\"x\")";
    r"\bIN\b(\s*\()" => As("in$1"), "words of the language are written in small letters", "where order.A IN (\"x\")" => "where order.A in (\"x\")";
    r"\bNOT\b" => As("not"), "the opposite is written `not`, in small letters", "where NOT order.A" => "where not order.A";
    "===" => As("=="), "`equal` is written `==`", "where order.A === 5" => "where order.A == 5";
    "!==" => As("!="), "`not equal` is written `!=`", "where order.A !== 5" => "where order.A != 5";
    "<>|=!|/=|~=" => As("!="), "`not equal` is written `!=`", "where order.A <> 5" => "where order.A != 5";
    "=<" => As("<="), "`at most` is written `<=`", "where order.A =< 5" => "where order.A <= 5";
    r"=>(\s*\d)" => As(">=$1"), "`at least` is written `>=`", "where order.A => 5" => "where order.A >= 5";
    r"\[([^\[\]]*)\]\s*\.\s*(?i:includes|contains|include\?|has)\s*\(\s*({V})\s*\)" => As("$2 in ($1)"), "whether a value is one of several is told by `in`",
        "where [\"x\", \"y\"].includes(order.A)" => "where order.A in (\"x\", \"y\")";
    r"\.(?:map|filter|reduce|forEach|flatMap|find|some|every)\s*\(\s*\(?[\w\s,]*\)?\s*=>" => Words, "a list is gone through by `each x in list where … { … }`, and a total is `sum(… for x in list)`";
    "=>|-->|->>|- >|–>" => As("->"), "an arrow is written `->`", "else => \"x\"" => "else -> \"x\"";
    r"!!\s*({V})" => As("$1"), "a condition holds where a value is there: no sign makes it one", "where !!order.A" => "where order.A";
    r"(^|[\s(,])!\s*({V})" => As("${1}not $2"), "the opposite is written `not`", "where !order.A" => "where not order.A";
    r"\bis\s+(?:equal\s+to|equals?)\s" => As("== "), "`equal` is written `==`", "where order.A is equal to 5" => "where order.A == 5";
    r"\s(?:equals|eq|EQ)\s" => As(" == "), "`equal` is written `==`", "where order.A equals 5" => "where order.A == 5";
    r"\s(?:ne|NE|neq)\s" => As(" != "), "`not equal` is written `!=`", "where order.A ne 5" => "where order.A != 5";
    r"\s(?:ge|gte|GTE)\s" => As(" >= "), "`at least` is written `>=`", "where order.A gte 5" => "where order.A >= 5";
    r"\s(?:le|lte|LTE)\s" => As(" <= "), "`at most` is written `<=`", "where order.A lte 5" => "where order.A <= 5";
    r"\s(?:gt|GT)\s|\bis\s+(?:greater|more)\s+than\s|\sis\s+above\s" => As(" > "), "`more than` is written `>`", "where order.A gt 5" => "where order.A > 5";
    r"\s(?:lt|LT)\s|\bis\s+less\s+than\s|\sis\s+below\s" => As(" < "), "`less than` is written `<`", "where order.A lt 5" => "where order.A < 5";
    r"\bis\s+not\s+({V})" => As("!= $1"), "`not equal` is written `!=`", "where order.A is not \"x\"" => "where order.A != \"x\"";
    r#"\bis\s+("[^"]*"|'[^']*'|\d+)"# => As("== $1"), "`equal` is written `==`", "where order.A is \"x\"" => "where order.A == \"x\"";
    // ---- SQL
    r#"({V})\s+(?:NOT\s+LIKE|not\s+like)\s+(?:"([^"]*)"|'([^']*)')"# => By(not_like), "texts are compared by `contains`, `starts_with` and `ends_with`",
        "where order.A NOT LIKE '%x%'" => "where not contains(order.A, 'x')";
    r#"({V})\s+(?:I?LIKE|i?like)\s+(?:"([^"]*)"|'([^']*)')"# => By(like), "texts are compared by `contains`, `starts_with` and `ends_with`",
        "where order.A LIKE \"sf-%\"" => "where starts_with(order.A, \"sf-\")";
    r"({V})\s+(?:NOT\s+BETWEEN|not\s+between)\s+({V})\s+(?:AND|and)\s+({V})" => As("($1 < $2 or $1 > $3)"), "a range is two comparisons",
        "where order.A not between 1 and 5" => "where (order.A < 1 or order.A > 5)";
    r"({V})\s+(?:BETWEEN|between)\s+({V})\s+(?:AND|and)\s+({V})" => As("$1 >= $2 and $1 <= $3"), "a range is two comparisons",
        "where order.A between 1 and 5" => "where order.A >= 1 and order.A <= 5";
    r"(?is)\bcase\s+when\b.*?\bend\b" => By(case_when), "a choice is `if … then … else …`",
        "a = case when order.A > 5 then \"x\" else \"y\" end" => "a = if order.A > 5 then \"x\" else \"y\"";
    r"(?is)\bcase\s+({V})\s+when\b.*?\bend\b" => By(case_of), "a choice is `if … then … else …`",
        "a = case order.A when 1 then \"x\" else \"y\" end" => "a = if order.A == 1 then \"x\" else \"y\"";
    r"({V})::(\w+)" => By(cast), "a value is converted by a function", "a = order.A::text" => "a = order.A | text";
    r"(?i)\bcast\s*\(\s*({V})\s+as\s+(\w+)(?:\([\d, ]*\))?\s*\)" => By(cast), "a value is converted by a function",
        "a = CAST(order.A AS varchar(20))" => "a = order.A | text";
    r"(?i)\bcount\s*\(\s*distinct\s+({V})\s*\)" => As("count(distinct $1)"), "each value once is `distinct list`",
        "a = COUNT(DISTINCT order.A)" => "a = count(distinct order.A)";
    r"(?i)\bcount\s*\(\s*\*\s*\)" => Words, "how many a list has is `count(list)`; in a flow with `group`, `count()` says how many records it holds";
    // ---- choices
    r"(=\s*|\(|->\s*|,\s*)(\S.*?)\s+\?\s+([^?:\n]+?)\s+:\s+(?:null|undefined|None|nil|NULL)\s*(\)|$)" => As("${1}if $2 then $3$4"), "a choice is `if … then …`, and gives nothing without an `else`",
        "a = order.A > 5 ? \"x\" : null" => "a = if order.A > 5 then \"x\"";
    r"(=\s*|\(|->\s*|,\s*)(\S.*?)\s+\?\s+([^?:\n]+?)\s+:\s+([^?:\n]+?)\s*(\)|$)" => As("${1}if $2 then $3 else $4$5"), "a choice is `if … then … else …`",
        "a = order.A > 5 ? \"x\" : \"y\"" => "a = if order.A > 5 then \"x\" else \"y\"";
    r"(=\s*)({V})\s+if\s+(.+?)\s+else\s+(?:null|undefined|None|nil|NULL)\s*$" => As("${1}if $3 then $2"), "a choice is `if … then …`, and gives nothing without an `else`",
        "a = \"x\" if order.A > 5 else None" => "a = if order.A > 5 then \"x\"";
    r"(=\s*)({V})\s+when\s+(.+?)\s+otherwise\s+(.+)$" => As("${1}if $3 then $2 else $4"), "a choice is `if … then … else …`",
        "a = \"x\" when order.A > 5 otherwise \"y\"" => "a = if order.A > 5 then \"x\" else \"y\"";
    r"(=\s*)({V})\s+if\s+(.+?)\s+else\s+(.+)$" => As("${1}if $3 then $2 else $4"), "a choice is `if … then … else …`",
        "a = \"x\" if order.A > 5 else \"y\"" => "a = if order.A > 5 then \"x\" else \"y\"";
    r"\bif\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*({V})\s+else\b" => As("if $1 then $2 else"), "a choice is `if … then … else …`",
        "a = if (order.A > 5) \"x\" else \"y\"" => "a = if order.A > 5 then \"x\" else \"y\"";
    r"\b(?:elif|elsif|elseif|elseIf)\b" => As("else if"), "a further choice is `else if … then …`",
        "a = if order.A > 5 then \"x\" elif order.A > 3 then \"y\" else \"z\"" => "a = if order.A > 5 then \"x\" else if order.A > 3 then \"y\" else \"z\"";
    r"\s+(?:end|endif|fi|end if|END)\s*$" => As(""), "a choice has no word at its end",
        "a = if order.A > 5 then \"x\" else \"y\" end" => "a = if order.A > 5 then \"x\" else \"y\"";
    r"^(when\s.*?)\s+then\s+(->\s*)?" => As("$1 -> "), "a routing row is `when condition -> result`",
        "when order.A > 5 then \"x\"" => "when order.A > 5 -> \"x\"";
    r"^(?:else\s+if|elif|otherwise\s+when)\s" => As("when "), "each routing row begins with `when`",
        "else if order.A > 5 -> \"x\"" => "when order.A > 5 -> \"x\"";
    r"^else\s*:\s*" => As("else -> "), "a routing row is `else -> result`", "else: \"x\"" => "else -> \"x\"";
    r"^(when\s[^:]*[^:\s])\s*:\s+" => As("$1 -> "), "a routing row is `when condition -> result`", "when order.A > 5: \"x\"" => "when order.A > 5 -> \"x\"";
    // ---- lists
    r"\b(in|IN)\s*\[([^\[\]]*)\]" => As("in ($2)"), "the values behind `in` stand in round brackets",
        "where order.A in [\"x\", \"y\"]" => "where order.A in (\"x\", \"y\")";
    r"\b(in|IN)\s*\{([^{}]*)\}" => As("in ($2)"), "the values behind `in` stand in round brackets";
    r#"\bin\s+("[^"]*"(?:\s*,\s*"[^"]*")+)"# => As("in ($1)"), "the values behind `in` stand in round brackets",
        "where order.A in \"x\", \"y\"" => "where order.A in (\"x\", \"y\")";
    r#"("[^"]*"|'[^']*')\s+in\s+({P})"# => As("contains($2, $1)"), "whether a text holds another is told by `contains`",
        "where \"x\" in order.A" => "where contains(order.A, \"x\")";
    r#"\bin\s+("[^"]*"|'[^']*')"# => As("== $1"), "one value is compared by `==`", "where order.A in \"x\"" => "where order.A == \"x\"";
    r"({P})\[\s*0\s*\]" => As("first($1)"), "the first of a list is `first(list)`, and the beginning of a text `first_chars`",
        "a = order.Items[0].Name" => "a = first(order.Items).Name";
    r"({P})\[\s*-1\s*\]" => As("last($1)"), "the last of a list is `last(list)`", "a = order.Items[-1].Name" => "a = last(order.Items).Name";
    r"\b(sum|count|min|max|average|any|all|join)\(\s*\[([^\[\]]*\bfor\b[^\[\]]*)\]" => As("$1($2"), "a total over a list needs no further brackets",
        "a = sum([x.A for x in order.Items])" => "a = sum(x.A for x in order.Items)";
    r"({P})\[\s*-(\d+)\s*:\s*\]" => As("last_chars($1, $2)"), "the end of a text is `last_chars(text, n)`",
        "a = order.Name[-5:]" => "a = last_chars(order.Name, 5)";
    r"({P})\[\s*0?\s*:\s*(\d+)\s*\]" => As("first_chars($1, $2)"), "the beginning of a text is `first_chars(text, n)`",
        "a = order.Name[:5]" => "a = first_chars(order.Name, 5)";
    r#"({P})\[\s*["'](\s*)["']\s*\]"# => As("$1.$2"), "a field is written behind a point", "a = order[\"Name\"]" => "a = order.Name";
    r"({P})\[[^\[\]]*[<>=][^\[\]]*\]" => Words, "elements are chosen by `each x in list where …`";
    r"({P})\[\s*\d+\s*\]" => Words, "an element is not named by its number: say which is meant, by `first(…)`, `last(…)` or `each x in … where …`";
    r"=\s*\[([^\[\]]*)\]\s*$" => As("= ($1,)"), "a list stands in round brackets", "a = [order.A]" => "a = (order.A,)";
    r"(^|[^\w)\]])\[([^\[\]]*)\]" => As("$1($2)"), "a list stands in round brackets";
    // ---- paths and names
    r"\?\." => As("."), "a path may be missing anywhere; `.` is enough", "a = order?.A?.B" => "a = order.A.B";
    r"\$\{\s*([^{}]*?)\s*\}" => As("$1"), "a value is named by itself", "a = ${order.A}" => "a = order.A";
    r"\$(\w)" => As("$1"), "a name has no sign before it", "a = $order.A" => "a = order.A";
    r"(^|[\s(=,])@(\w)" => As("$1$2"), "a name has no sign before it", "a = @order.A" => "a = order.A";
    r"\b([A-Za-z_]\w*)(?:->|::)([A-Za-z_])" => As("$1.$2"), "a field is written behind a point", "a = order->A" => "a = order.A";
    r"\b(\w+)!\." => As("$1."), "a field is written behind a point", "a = order!.A" => "a = order.A";
    // ---- pipes, fallbacks, templates
    r#"(?:^[\w.]+\s*=\s*|^let\s+\w+\s*=\s*|\bkey\s+\w+\s*=\s*|\bthen\s+|\belse\s+|[(,]\s*){V}(?:\s*\|\|\s*{V})+"# => By(joined_in_sql), "texts are put together in one text with `{…}`",
        "a = \"X\" || order.A" => "a = \"X{order.A}\"";
    r"\|\s*default\s*(?::\s*|\(\s*|\s+)({V})\s*\)?" => As("?? $1"), "a fallback is written `??`", "a = order.A | default: \"x\"" => "a = order.A ?? \"x\"";
    r"({V})\s+default\s+({V})" => As("$1 ?? $2"), "a fallback is written `??`", "a = order.A default \"x\"" => "a = order.A ?? \"x\"";
    r"\?:" => As("??"), "a fallback is written `??`", "a = order.A ?: \"x\"" => "a = order.A ?? \"x\"";
    r"^([\w.]+\s*=\s.*?)\|\|" => As("$1??"), "a fallback is written `??`", "a = order.A || \"x\"" => "a = order.A ?? \"x\"";
    r"^(let\s+\w+\s*=\s*)({P})\s*\|\|\s*({V})$" => As("$1$2 ?? $3"), "a fallback is written `??`; conditions are joined by `or`",
        "let x = order.A || order.B" => "let x = order.A ?? order.B";
    r"\|\|" => As("or"), "conditions are joined by `or`", "where order.A || order.B" => "where order.A or order.B";
    r#"\|\s*date\s*:\s*("[^"]*"|'[^']*')"# => As("| format_date $1"), "a date is written by `format_date`",
        "a = order.A | date: \"%Y-%m-%d\"" => "a = order.A | format_date \"%Y-%m-%d\"";
    r"({V})\s*\|\s*append\s*:\s*{V}" => By(appended), "texts are put together in one text with `{…}`",
        "a = order.A | append: \"-x\"" => "a = \"{order.A}-x\"";
    r"\|\s*(\w+)\s*:\s*" => As("| $1 "), "an argument stands behind its function", "a = order.A | truncate: 5" => "a = order.A | truncate 5";
    r"\|>|>>" => As("|"), "a value goes through a function by `|`", "a = order.A |> trim" => "a = order.A | trim";
    r#"({V}(?:\s*(?:\+\+|&|<>)\s*{V})+)"# => By(joined), "texts are put together in one text with `{…}`",
        "a = order.A & \"-\" & order.B" => "a = \"{order.A}-{order.B}\"";
    r#"(^|[\s(=,])[fFuUrR$]("[^"]*")"# => By(lettered), "a text needs no letter before it", "a = f\"{order.A or order.B}\"" => "a = \"{order.A ?? order.B}\"";
    r"`([^`\n]*)`" => By(back_ticks), "texts stand in straight quotes", "require order.A `the reason`" => "require order.A \"the reason\"";
    r"\{\{\s*([^{}]*?)\s*\}\}" => As("$1"), "a value is named by itself";
    r"\{!\s*([^{}]*?)\s*\}" => As("$1"), "a value is named by itself", "a = {!order.A}" => "a = order.A";
    r#"("[^"]*"|'[^']*')\s*%\s*(\([^()]*\)|{V})"# => By(percent_text), "texts are put together in one text with `{…}`",
        "a = \"%s-%s\" % (order.A, order.B)" => "a = \"{order.A}-{order.B}\"";
    r#"("[^"]*"|'[^']*')\s*\.\s*format\s*\([^()]*\)"# => By(format_text), "texts are put together in one text with `{…}`",
        "a = \"{}-{}\".format(order.A, order.B)" => "a = \"{order.A}-{order.B}\"";
    r"\s*=~\s*/([^/\n]*)/i?" => By(slashed_pattern), "a text is compared with a pattern by `matches`",
        "where order.A =~ /^x[0-9]+$/" => "where order.A matches '^x[0-9]+$'";
    r#"\s*=~\s*(?:"[^"]*"|'[^']*')"# => By(quoted_pattern), "a text is compared with a pattern by `matches`",
        "where order.A =~ \"^x[0-9]+$\"" => "where order.A matches '^x[0-9]+$'";
    r"\s*!~\s*/([^/\n]*)/i?" => Words, "a text is compared with a pattern by `not … matches`";
    r"({V})\s*\*\*\s*2\b" => As("$1 * $1"), "a power is a product", "a = order.A ** 2" => "a = order.A * order.A";
    r"({V})\s*\*\*\s*3\b" => As("$1 * $1 * $1"), "a power is a product", "a = order.A ** 3" => "a = order.A * order.A * order.A";
    r"\*\*" => Words, "there is no power: write the product out, such as `a * a`";
    r"({V})\s*%\s*({V})" => As("remainder($1, $2)"), "a remainder is `remainder(a, b)`", "a = order.A % 12" => "a = remainder(order.A, 12)";
    r"\bnew\s+" => As(""), "nothing is made by `new`";
    // ---- rows
    r"^(let\s+\w+)\s*:=\s*" => As("$1 = "), "a `let` is `let name = value`", "let a := order.A" => "let a = order.A";
    r"^([A-Za-z_][\w.]*)\s*:=\s*" => As("$1 = "), "a row is `field = value`", "a := order.A" => "a = order.A";
    r"^([A-Za-z_][\w.]*)\s*:\s+" => As("$1 = "), "a row is `field = value`", "a: order.A" => "a = order.A";
    r#"^"([A-Za-z_]\w*)"\s*[:=]\s*"# => As("$1 = "), "a field is named without quotes";
    r"^([A-Za-z_][\w.]*)\s*(?:<-|<=)\s*" => As("$1 = "), "a row is `field = value`", "a <- order.A" => "a = order.A";
    r"^([A-Za-z_][\w.]*)\s*==\s*" => As("$1 = "), "a row sets a field with one `=`", "a == order.A" => "a = order.A";
    r"^set\s+([A-Za-z_][\w.]*\s*=)" => As("$1"), "a row is `field = value`", "set a = order.A" => "a = order.A";
    r"^([A-Za-z_][\w.]*)\s*[+]=\s*" => Words, "a row sets a field once: write the whole value behind one `=`";
    r"^([A-Za-z_][\w.]*\s*=)\s+=\s*" => As("$1 "), "a value has no `=` of its own before it", "a = =order.A" => "a = order.A";
    r"^([A-Za-z_]\w*)\s*:\s*$" => As("$1"), "a nested object is `name { … }`";
    r"(\([^();]*);\s*([^()]*\))" => As("$1, $2"), "arguments are parted by commas", "a = max_of(order.A; 5)" => "a = max_of(order.A, 5)";
    r"\s*[;,]+\s*$" => As(""), "a statement ends with its line", "a = order.A;" => "a = order.A";
    ";" => As(""), "a statement ends with its line";
    r#"^(".*?"\s*)(?:=|:)(\s)"# => As("$1->$2"), "a row of a value map is `left -> right`", "\"A\" = \"b\"" => "\"A\" -> \"b\"";
    r"^((?:when|where|require|review|warn|by|guard|first)\b.*?[^=!<>])=([^=>])" => As("$1==$2"), "a single `=` sets a field; a condition compares with `==`",
        "where order.A = 5" => "where order.A == 5";
    r"\bif\s+(.*?[^=!<>])=([^=>].*?\bthen\b)" => As("if $1==$2"), "a single `=` sets a field; a condition compares with `==`",
        "a = if order.A = 5 then \"x\" else \"y\"" => "a = if order.A == 5 then \"x\" else \"y\"";
    r#"^((?:review|warn)\s+)if\s"# => As("${1}when "), "a rule is `review when condition`", "review if order.A > 5 \"x\"" => "review when order.A > 5 \"x\"";
    r#"^((?:require)\s+)(?:that|when|if)\s"# => As("$1"), "a rule is `require condition \"reason\"`", "require that order.A > 5 \"x\"" => "require order.A > 5 \"x\"";
    r#"^(require\s.*?)\s*(?:,|:|\belse\b|\bor\b|->)\s*("[^"]*")"# => As("$1 $2"), "the reason stands behind the condition",
        "require order.A > 5, \"x\"" => "require order.A > 5 \"x\"";
    r#"^((?:review|warn)\s+(?:when|unless)\s.*?)\s*(?:,|:|->)\s*("[^"]*")"# => As("$1 $2"), "the reason stands behind the condition",
        "review when order.A > 5: \"x\"" => "review when order.A > 5 \"x\"";
};

/// What each row that matches does, in the order of the table.
pub(super) fn steps(text: &str, masked: &str) -> Vec<Step> {
    (0..SIGNS.len()).filter_map(|row| one(row, text, masked)).collect()
}

/// What one row does where it matches first.
pub(super) fn one(row: usize, text: &str, masked: &str) -> Option<Step> {
    let (sign, pattern) = (SIGNS.get(row)?, patterns().get(row)?);
    let caught = pattern.captures(masked)?;
    let whole = caught.get(0)?.range();
    let stretch = text.get(whole.clone())?;
    let write = match sign.write {
        As(template) => Some(filled(template, &caught, text)),
        By(make) => Some(make(stretch)?),
        Words => None,
    };
    let Some(write) = write else { return Some(Step { row: Some(row), at: whole, write: None, words: sign.words }) };
    if write == stretch {
        return None;
    }
    // Blanks that a pattern takes along at both ends are no part of the habit.
    let (lead, tail) = (stretch.len() - stretch.trim_start().len(), stretch.len() - stretch.trim_end().len());
    let blanks = write.starts_with(stretch.get(..lead)?) && write.ends_with(stretch.get(stretch.len() - tail..)?);
    if lead + tail < stretch.len() && lead + tail <= write.len() && blanks {
        let at = whole.start + lead..whole.end - tail;
        return Some(Step { row: Some(row), at, write: Some(write[lead..write.len() - tail].to_owned()), words: sign.words });
    }
    Some(Step { row: Some(row), at: whole, write: Some(write), words: sign.words })
}

/// Every pattern, compiled when the first statement of a run cannot be read.
fn patterns() -> &'static [Regex] {
    static PATTERNS: OnceLock<Vec<Regex>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        const VALUE: &str = r#"(?:"[^"]*"|'[^']*'|[\w$]+(?:\.[\w$]+)*(?:\([^()]*\))?)"#;
        const PATH: &str = r"(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)";
        let compiled = |sign: &Sign| Regex::new(&sign.find.replace("{V}", VALUE).replace("{P}", PATH));
        // A pattern is a constant, and the test of the examples compiles each of them.
        #[allow(clippy::expect_used, reason = "the patterns are constants that a test compiles")]
        SIGNS.iter().map(|sign| compiled(sign).expect("a pattern of the table")).collect()
    })
}

/// The examples of the table.
#[cfg(test)]
pub(super) fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    SIGNS.iter().filter_map(|sign| sign.example)
}

/// A template with what was caught, as the author wrote it.
fn filled(template: &str, caught: &Captures<'_>, text: &str) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let braced = rest.starts_with('{');
        let digits = rest.trim_start_matches('{');
        let number = digits.chars().next().and_then(|c| c.to_digit(10));
        let Some(number) = number else {
            filled.push('$');
            continue;
        };
        if let Some(group) = caught.get(number as usize) {
            filled.push_str(text.get(group.range()).unwrap_or(""));
        }
        rest = &digits[1..];
        if braced {
            rest = rest.strip_prefix('}').unwrap_or(rest);
        }
    }
    filled.push_str(rest);
    filled
}

/// Full-width signs as those of ASCII.
fn narrow(text: &str) -> Option<String> {
    let one = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3001}' => ',',
        '\u{3002}' => '.',
        _ => '"',
    };
    Some(text.chars().map(one).collect())
}

fn percent(text: &str) -> Option<String> {
    let number: rust_decimal::Decimal = text.trim_end_matches('%').trim().replace(',', ".").parse().ok()?;
    Some((number / rust_decimal::Decimal::ONE_HUNDRED).normalize().to_string())
}

fn exponent(text: &str) -> Option<String> {
    let number = rust_decimal::Decimal::from_scientific(&text.replace('+', "")).ok()?;
    Some(number.normalize().to_string())
}

fn instant(text: &str) -> Option<String> {
    let mut text = text.replacen(' ', "T", 1);
    if text.len() == "2026-01-01T00:00".len() {
        text.push_str(":00");
    }
    if !text.ends_with('Z') && !text[11..].contains(['+', '-']) {
        text.push('Z');
    }
    Some(format!("datetime(\"{text}\")"))
}

fn date_with_points(text: &str) -> Option<String> {
    let parts: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [day, month, year] = parts.as_slice() else { return None };
    Some(format!("date(\"{year}-{month:02}-{day:02}\")"))
}

fn is_truth(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let sign = if lower.contains(" not ") { "!=" } else { "==" };
    Some(format!("{sign} {}", lower.split_whitespace().last()?))
}

fn like(text: &str) -> Option<String> {
    let words = Regex::new(r#"(?s)^(.*?)\s+(?i:i?like)\s+(["'])(.*)["']$"#).ok()?;
    let caught = words.captures(text)?;
    let (value, quote, pattern) = (&caught[1], &caught[2], &caught[3]);
    let (left, right) = (pattern.starts_with('%'), pattern.ends_with('%') && pattern.len() > 1);
    let inner = pattern.trim_matches('%');
    if inner.contains(['%', '_']) || inner.is_empty() {
        return None;
    }
    Some(match (left, right) {
        (true, true) => format!("contains({value}, {quote}{inner}{quote})"),
        (false, true) => format!("starts_with({value}, {quote}{inner}{quote})"),
        (true, false) => format!("ends_with({value}, {quote}{inner}{quote})"),
        (false, false) => format!("{value} == {quote}{inner}{quote}"),
    })
}

fn not_like(text: &str) -> Option<String> {
    let plain = Regex::new(r"\s(?i:not)\s+").ok()?.replace(text, " ").into_owned();
    Some(format!("not {}", like(&plain)?))
}

/// `case when a then b when c then d else e end`.
fn case_when(text: &str) -> Option<String> {
    let words = Regex::new(r"(?i)\b(case|when|else|end)\b").ok()?;
    let masked = super::mask(text);
    let mut made = String::new();
    let mut from = 0;
    for found in words.find_iter(&masked) {
        made.push_str(text.get(from..found.start())?);
        from = found.end();
        match found.as_str().to_lowercase().as_str() {
            "when" if made.trim().is_empty() => made = "if".to_owned(),
            "when" => made.push_str("else if"),
            "else" => made.push_str("else"),
            _ => {}
        }
    }
    let then = Regex::new(r"\bTHEN\b").ok()?;
    Some(then.replace_all(made.trim(), "then").into_owned())
}

/// `case x when a then b else c end`.
fn case_of(text: &str) -> Option<String> {
    let head = Regex::new(r"(?is)^case\s+(\S+)\s+(when\b.*)$").ok()?;
    let caught = head.captures(text)?;
    let value = caught[1].to_owned();
    let rest = Regex::new(r"(?i)\bwhen\s+").ok()?.replace_all(&caught[2], format!("when {} == ", value.replace('$', "$$"))).into_owned();
    case_when(&format!("case {rest}"))
}

fn cast(text: &str) -> Option<String> {
    let words = Regex::new(r"(?i)^(?:cast\s*\(\s*)?(.*?)(?:::|\s+as\s+)(\w+)").ok()?;
    let caught = words.captures(text)?;
    Some(format!("{} | {}", &caught[1], super::words::type_word(&caught[2])?))
}

/// `"X" || order.A`: SQL puts texts together by the sign that others write for a fallback or for `or`. A text before a further
/// value, or between two, is no fallback; a text at the end may be one.
fn joined_in_sql(text: &str) -> Option<String> {
    let before = Regex::new(r"^(?:let\s+\w+\s*=\s*|key\s+\w+\s*=\s*|then\s+|else\s+|[\w.]+\s*=\s*|[(,]\s*)").ok()?;
    let start = before.find(text)?.end();
    let values = text.get(start..)?;
    let masked = super::mask(values);
    let last = masked.rfind("||")?;
    let joined = masked.get(..last)?.contains(['"', '\'']).then(|| joined(values)).flatten()?;
    Some(format!("{}{joined}", &text[..start]))
}

/// Texts and values in one text.
fn joined(text: &str) -> Option<String> {
    let masked = super::mask(text);
    let signs = Regex::new(r"\s*(?:\+\+|&|<>|\|\|)\s*").ok()?;
    let mut parts = Vec::new();
    let mut from = 0;
    for sign in signs.find_iter(&masked) {
        parts.push(text.get(from..sign.start())?);
        from = sign.end();
    }
    parts.push(text.get(from..)?);
    super::calls::template(&parts)
}

/// `"%s-%s" % (a, b)`: each `%s` is a value.
fn percent_text(text: &str) -> Option<String> {
    let masked = super::mask(text);
    let sign = masked.find('%')?;
    let quoted = text.get(..sign)?.trim();
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let values = text.get(sign + 1..)?.trim();
    let values: Vec<&str> = if values.starts_with('(') { super::calls::split(values) } else { vec![values] };
    let holes = Regex::new(r"%[sdi]").ok()?;
    if inner.contains(['{', '}', '"']) || holes.find_iter(inner).count() != values.len() || inner.matches('%').count() != values.len() {
        return None;
    }
    let mut values = values.iter();
    let filled = holes.replace_all(inner, |_: &Captures<'_>| format!("{{{}}}", values.next().map_or("", |value| value.trim())));
    Some(format!("\"{filled}\""))
}

/// `"{}-{}".format(a, b)`: each `{}` is a value.
fn format_text(text: &str) -> Option<String> {
    let masked = super::mask(text);
    let open = masked.rfind('(')?;
    let quoted = text.get(..masked.get(..open)?.rfind('.')?)?.trim();
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let values = super::calls::split(text.get(open..)?);
    if inner.matches("{}").count() != values.len() || inner.matches(['{', '}', '"']).count() != values.len() * 2 {
        return None;
    }
    let filled = values.iter().fold(inner.to_owned(), |filled, value| filled.replacen("{}", &format!("{{{}\u{0}}}", value.trim()), 1));
    Some(format!("\"{}\"", filled.replace('\u{0}', "")))
}

/// `order.A | append: "-x"`.
fn appended(text: &str) -> Option<String> {
    let masked = super::mask(text);
    let pipe = masked.find('|')?;
    let colon = pipe + masked.get(pipe..)?.find(':')?;
    super::calls::template(&[text.get(..pipe)?.trim(), text.get(colon + 1..)?.trim()])
}

/// `=~ /pattern/`.
fn slashed_pattern(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix("=~")?.trim().strip_prefix('/')?;
    let (pattern, flags) = inner.rsplit_once('/')?;
    // Without regard to capital and small letters is said in the pattern.
    let flags = if flags == "i" { "(?i)" } else { "" };
    (!pattern.contains('\'')).then(|| format!(" matches '{flags}{}'", pattern.replace("\\/", "/")))
}

/// `f"{a or b}"`: what Python takes where the first is empty.
fn lettered(text: &str) -> Option<String> {
    let quote = text.find('"')?;
    let (lead, body) = (text.get(..quote.checked_sub(1)?)?, text.get(quote..)?);
    let mut made = lead.to_owned();
    let mut inside = false;
    for part in body.split_inclusive(['{', '}']) {
        made.push_str(&if inside { part.replace(" or ", " ?? ") } else { part.to_owned() });
        inside = part.ends_with('{');
    }
    Some(made)
}

/// `=~ "pattern"`: braces in a text of two quotes are values, so a pattern has single ones.
fn quoted_pattern(text: &str) -> Option<String> {
    let quoted = text.trim().strip_prefix("=~")?.trim();
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    (!inner.contains('\'')).then(|| format!(" matches '{inner}'"))
}

/// A text of JavaScript, between back ticks, as a text in quotes; none where it holds quotes itself.
pub fn back_ticks(text: &str) -> Option<String> {
    let inner = text.trim_matches('`');
    // A name of the language's own is quoted so; a sentence is no name.
    (!inner.contains('"')).then(|| format!("\"{}\"", inner.replace("${", "{")))
}
