//! Functions and methods of other languages.

use super::{Step, bracketed, is_one_value, mask};

/// What a call is here.
enum Write {
    /// `{1}` is the first argument, `{0}` what a method is called on; `{(1)}` stands in brackets unless it is one value.
    As(&'static str),
    By(fn(&[&str]) -> Option<String>),
    /// Only the words lead on.
    Words,
}

use Write::{As, By, Words};

struct Foreign {
    /// In small letters; as methods they begin with a point.
    names: &'static [&'static str],
    /// How many arguments, without what a method is called on; `None` for any number.
    takes: Option<usize>,
    write: Write,
    words: &'static str,
    #[cfg_attr(not(test), allow(dead_code, reason = "a test runs the examples"))]
    example: Option<(&'static str, &'static str)>,
}

macro_rules! calls {
    ($([$($name:literal)+] $takes:expr => $write:expr, $words:literal $(, $before:literal => $after:literal)?;)*) => {
        &[$(Foreign { names: &[$($name),+], takes: $takes, write: $write, words: $words, example: example!($($before, $after)?) },)*]
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

const CALLS: &[Foreign] = calls! {
    // ---- choices, conditions
    ["if" "iif" "iff"] Some(3) => As("if {1} then {2} else {3}"), "a choice is `if … then … else …`",
        "a = IF(order.A > 5, \"x\", \"y\")" => "a = if order.A > 5 then \"x\" else \"y\"";
    ["if" "iif" "iff"] Some(2) => As("if {1} then {2}"), "a choice is `if … then … else …`", "a = IF(order.A > 5, \"x\")" => "a = if order.A > 5 then \"x\"";
    ["ifs"] None => By(ifs), "a choice is `if … then … else …`", "a = IFS(order.A > 5, \"x\", order.B, \"y\")" => "a = if order.A > 5 then \"x\" else if order.B then \"y\"";
    ["case" "switch" "decode"] None => By(case), "a choice is `if … then … else …`; a map of values is an item `values`",
        "a = CASE(order.A, 1, \"x\", \"y\")" => "a = if order.A == 1 then \"x\" else \"y\"";
    ["and"] None => By(|all| junction(all, " and ")), "conditions are joined by `and` between them", "where AND(order.A, order.B > 5)" => "where order.A and order.B > 5";
    ["or"] None => By(|all| junction(all, " or ")), "conditions are joined by `or` between them", "where OR(order.A, order.B)" => "where order.A or order.B";
    ["not"] Some(1) => As("not {(1)}"), "the opposite is written `not`", "where NOT(order.A)" => "where not order.A";
    ["isblank" "isnull" "isempty" "is_null" "is_empty" "is_blank" "isna" "isnullorempty" "isnone"] Some(1) => As("{(1)} is missing"), "what is not there `is missing`",
        "where ISBLANK(order.A)" => "where order.A is missing";
    ["string.isnullorempty" "string.isnullorwhitespace" "string.isblank" "string.isempty"] Some(1) => As("{(1)} is missing"), "what is not there `is missing`",
        "where string.IsNullOrEmpty(order.A)" => "where order.A is missing";
    ["isnotblank" "isnotnull" "ispresent" "is_present" "exists" "has" "isset" "defined" "notempty" "string.isnotblank" "isnumber" "istext" "isnotempty" "isnotna"] Some(1) => As("{(1)} is present"), "what is there `is present`",
        "where isset(order.A)" => "where order.A is present";
    ["ispickval"] Some(2) => As("{(1)} == {2}"), "values are compared by `==`", "where ISPICKVAL(order.A, \"x\")" => "where order.A == \"x\"";
    ["includes"] Some(2) => As("contains({1}, {2})"), "whether a text holds another is told by `contains`";
    ["begins" "startswith" "starts"] Some(2) => As("starts_with({1}, {2})"), "the beginning of a text is compared with another by `starts_with`",
        "where BEGINS(order.A, \"x\")" => "where starts_with(order.A, \"x\")";
    ["endswith" "ends"] Some(2) => As("ends_with({1}, {2})"), "the end of a text is compared with another by `ends_with`";
    ["in" "isin"] None => By(is_in), "whether a value is one of several is told by `in`", "where ISIN(order.A, \"x\", \"y\")" => "where order.A in (\"x\", \"y\")";
    ["between"] Some(3) => As("({(1)} >= {2} and {(1)} <= {3})"), "a range is two comparisons";
    ["regex" "regexmatch" "matches"] Some(2) => As("{(1)} matches {2}"), "a text is compared with a pattern by `matches`",
        "where REGEX(order.A, 'x')" => "where order.A matches 'x'";
    // ---- fallbacks
    ["coalesce" "blankvalue" "nullvalue" "ifnull" "nvl" "ifblank" "ifempty" "ifna" "iferror" "default" "default_to" "fallback" "firstnonnull" "first_of" "or_else" "orelse" "getordefault"] None => By(fallback),
        "a fallback is written `??`", "a = coalesce(order.A, order.B, \"x\")" => "a = order.A ?? order.B ?? \"x\"";
    ["isnull"] Some(2) => By(fallback), "a fallback is written `??`";
    // ---- texts
    ["text" "str" "string" "tostring" "to_string" "to_text" "totext" "to_char" "cstr" "string.valueof"] Some(1) => As("text({1})"), "a value becomes a text by `text`",
        "a = to_string(order.A)" => "a = text(order.A)";
    ["text" "to_char"] Some(2) => By(formatted), "a date is written by `format_date`, with a pattern of `%`",
        "a = TEXT(order.A, \"yyyy-mm-dd\")" => "a = format_date(order.A, \"%Y-%m-%d\")";
    ["format" "string.format"] None => By(placeholders), "texts are put together in one text with `{…}`",
        "a = String.format(\"{0}-{1}\", order.A, order.B)" => "a = \"{order.A}-{order.B}\"";
    ["concatenate" "concat" "textjoin" "concat_ws"] None => By(template), "texts are put together in one text with `{…}`",
        "a = CONCATENATE(order.A, \"-\", order.B)" => "a = \"{order.A}-{order.B}\"";
    ["left"] Some(2) => As("first_chars({1}, {2})"), "the beginning of a text is `first_chars(text, n)`", "a = LEFT(order.A, 5)" => "a = first_chars(order.A, 5)";
    ["right"] Some(2) => As("last_chars({1}, {2})"), "the end of a text is `last_chars(text, n)`", "a = RIGHT(order.A, 5)" => "a = last_chars(order.A, 5)";
    ["mid" "substring" "substr" "slice"] Some(3) => By(middle), "the beginning of a text is `first_chars(text, n)`; a part of it is taken by `text_before`, `text_after` or `extract`",
        "a = SUBSTRING(order.A, 1, 5)" => "a = first_chars(order.A, 5)";
    ["substitute" "str_replace" "regexp_replace" "regexreplace" "gsub"] Some(3) => As("replace({1}, {2}, {3})"), "a part of a text is replaced by `replace`",
        "a = SUBSTITUTE(order.A, \"-\", \"\")" => "a = replace(order.A, \"-\", \"\")";
    ["strip" "ltrim" "rtrim" "lstrip" "rstrip" "chomp" "clean" "btrim"] Some(1) => As("trim({1})"), "space around a text is taken off by `trim`", "a = strip(order.A)" => "a = trim(order.A)";
    ["lowercase" "lcase" "tolower" "to_lower" "downcase" "tolowercase" "lower_case" "strtolower"] Some(1) => As("lower({1})"), "small letters are made by `lower`",
        "a = lowercase(order.A)" => "a = lower(order.A)";
    ["uppercase" "ucase" "toupper" "to_upper" "upcase" "touppercase" "upper_case" "strtoupper"] Some(1) => As("upper({1})"), "capital letters are made by `upper`",
        "a = uppercase(order.A)" => "a = upper(order.A)";
    ["proper" "initcap" "capitalize" "titlecase" "capitalise" "ucwords"] Some(1) => As("title({1})"), "words get capital letters by `title`", "a = PROPER(order.A)" => "a = title(order.A)";
    ["lpad" "padstart" "zfill" "ljust"] Some(3) => As("pad_left({1}, {2}, {3})"), "a text is filled up by `pad_left`", "a = LPAD(order.A, 8, \"0\")" => "a = pad_left(order.A, 8, \"0\")";
    ["rpad" "padend" "rjust"] Some(3) => As("pad_right({1}, {2}, {3})"), "a text is filled up by `pad_right`";
    ["explode" "str_split"] Some(2) => As("split({1}, {2})"), "a text is cut by `split`";
    ["implode"] Some(2) => As("join({1}, {2})"), "texts are put together by `join`";
    // ---- numbers
    ["int" "toint" "to_int" "parseint" "cint" "to_integer" "tointeger" "integer.valueof"] Some(1) => As("integer({1})"), "a text becomes a whole number by `integer`", "a = parseInt(order.A)" => "a = integer(order.A)";
    ["float" "double" "number" "value" "parsefloat" "to_number" "tonumber" "numeric" "val" "to_decimal" "todecimal" "decimal.valueof"] Some(1) => As("decimal({1})"), "a text becomes a number by `decimal`",
        "a = VALUE(order.A)" => "a = decimal(order.A)";
    ["bool" "to_boolean" "toboolean" "to_bool"] Some(1) => As("boolean({1})"), "a text becomes a truth by `boolean`";
    ["roundup"] Some(2) => As("round({1}, {2}, up)"), "a number is rounded by `round`, which takes how", "a = ROUNDUP(order.A, 2)" => "a = round(order.A, 2, up)";
    ["rounddown" "trunc"] Some(2) => As("round({1}, {2}, down)"), "a number is rounded by `round`, which takes how", "a = ROUNDDOWN(order.A, 2)" => "a = round(order.A, 2, down)";
    ["math.round" "mround"] Some(1) => As("round({1})"), "a number is rounded by `round`", "a = Math.round(order.A)" => "a = round(order.A)";
    ["math.floor" "trunc"] Some(1) => As("floor({1})"), "the whole number below is `floor`", "a = Math.floor(order.A)" => "a = floor(order.A)";
    ["math.ceil" "ceil"] Some(1) => As("ceiling({1})"), "the whole number above is `ceiling`", "a = ceil(order.A)" => "a = ceiling(order.A)";
    ["math.abs"] Some(1) => As("abs({1})"), "the amount without its sign is `abs`";
    ["math.max" "greatest"] Some(2) => As("max_of({1}, {2})"), "the greater of two is `max_of`", "a = GREATEST(order.A, 5)" => "a = max_of(order.A, 5)";
    ["math.min" "least"] Some(2) => As("min_of({1}, {2})"), "the smaller of two is `min_of`", "a = LEAST(order.A, 5)" => "a = min_of(order.A, 5)";
    ["mod"] Some(2) => As("remainder({1}, {2})"), "what a division leaves is `remainder`", "a = MOD(order.A, 5)" => "a = remainder(order.A, 5)";
    // ---- dates
    ["today" "current_date" "curdate" "getdate" "date.today" "system.today" "datetime.today"] Some(0) => As("today"), "the day of the run is the word `today`", "a = TODAY()" => "a = today";
    ["now" "current_timestamp" "sysdate" "utcnow" "system.now" "date.now" "datetime.now" "datetime.utcnow" "date"] Some(0) => As("now"), "the time of the run is the word `now`", "a = NOW()" => "a = now";
    ["datevalue" "to_date" "todate" "parse_date" "parsedate" "strptime" "date.valueof" "date.parse"] Some(1) => As("date({1})"), "a text becomes a date by `date`",
        "a = DATEVALUE(order.A)" => "a = date(order.A)";
    ["to_date" "parse_date" "parsedate" "strptime"] Some(2) => As("date({1}, {2})"), "a text becomes a date by `date`, with its pattern";
    ["datetimevalue" "to_timestamp" "to_datetime" "todatetime" "parse_datetime" "datetime.valueof" "datetime.parse"] Some(1) => As("datetime({1})"), "a text becomes a time by `datetime`",
        "a = DATETIMEVALUE(order.A)" => "a = datetime(order.A)";
    ["strftime" "date_format" "formatdate" "dateformat"] Some(2) => As("format_date({1}, {2})"), "a date is written by `format_date`";
    ["addmonths" "edate"] Some(2) => As("add_months({1}, {2})"), "months are added by `add_months`", "a = ADDMONTHS(order.A, 2)" => "a = add_months(order.A, 2)";
    ["adddays" "dateadd"] Some(2) => As("add_days({1}, {2})"), "days are added by `add_days`";
    ["datediff" "days_diff"] Some(2) => As("days_between({1}, {2})"), "days are counted by `days_between`";
    ["workday"] Some(2) => As("add_business_days({1}, {2})"), "working days are added by `add_business_days`";
    ["networkdays"] Some(2) => As("business_days_between({1}, {2})"), "working days are counted by `business_days_between`";
    // ---- lists
    ["len" "size" "strlen" "char_length"] Some(1) => As("length({1})"), "the length of a text is `length`, and how many a list has `count`", "a = len(order.A)" => "a = length(order.A)";
    ["counta" "cnt" "sizeof" "array_length" "cardinality" "list_length"] Some(1) => As("count({1})"), "how many a list has is `count`";
    ["avg" "mean"] Some(1) => As("average({1})"), "the mean of a list is `average`", "a = avg(order.A)" => "a = average(order.A)";
    ["total"] Some(1) => As("sum({1})"), "a total is `sum`", "a = total(order.A)" => "a = sum(order.A)";
    ["unique" "uniq"] Some(1) => As("distinct {(1)}"), "each value once is `distinct list`";
    ["vlookup" "xlookup" "hlookup" "lookup" "index"] None => Words, "a row of a table is looked up by the table's name: declare `table name from \"tables/file.csv\" { key … }`, then `name(key).column`";
    ["sumif" "sumifs" "countif" "countifs" "averageif"] None => Words, "a total with a condition is `sum(x.Amount for x in list where …)`, `count(each x in list where …)`";
    ["map" "filter" "reduce" "foreach"] None => Words, "a list is gone through by `each x in list where … { … }`, and a total is `sum(… for x in list)`";
    ["print" "console.log" "log" "debug" "system.debug"] None => Words, "nothing is printed by a mapping: `crossdock preview --why` shows what became of each field";
};

/// Methods, called on a value.
const METHODS: &[Foreign] = calls! {
    ["trim" "strip" "ltrim" "rtrim"] Some(0) => As("{0} | trim"), "a value goes through a function by `|`", "a = order.A.trim()" => "a = order.A | trim";
    ["tolowercase" "tolower" "lower" "downcase" "lowercase"] Some(0) => As("{0} | lower"), "a value goes through a function by `|`", "a = order.A.toLowerCase()" => "a = order.A | lower";
    ["touppercase" "toupper" "upper" "upcase" "uppercase"] Some(0) => As("{0} | upper"), "a value goes through a function by `|`", "a = order.A.upper()" => "a = order.A | upper";
    ["title" "capitalize" "titlecase"] Some(0) => As("{0} | title"), "a value goes through a function by `|`";
    ["tostring" "to_s" "text" "str"] Some(0) => As("{0} | text"), "a value goes through a function by `|`", "a = order.A.toString()" => "a = order.A | text";
    ["to_i" "intvalue" "toint"] Some(0) => As("{0} | integer"), "a value goes through a function by `|`", "a = order.A.to_i()" => "a = order.A | integer";
    ["to_f" "tonumber"] Some(0) => As("{0} | decimal"), "a value goes through a function by `|`";
    ["tofixed" "round"] Some(1) => As("{0} | round {1}"), "a value goes through a function by `|`", "a = order.A.toFixed(2)" => "a = order.A | round 2";
    ["round"] Some(0) => As("{0} | round"), "a value goes through a function by `|`";
    ["length" "size" "len" "strlen"] Some(0) => As("length({0})"), "the length of a text is `length`, and how many a list has `count`", "a = order.A.length()" => "a = length(order.A)";
    ["count"] Some(0) => As("count({0})"), "how many a list has is `count`", "a = order.A.count()" => "a = count(order.A)";
    ["sum"] Some(0) => As("sum({0})"), "a total is `sum(list)`";
    ["first"] Some(0) => As("first({0})"), "the first of a list is `first(list)`", "a = order.A.first()" => "a = first(order.A)";
    ["last"] Some(0) => As("last({0})"), "the last of a list is `last(list)`";
    ["replace" "replaceall" "gsub"] Some(2) => As("replace({0}, {1}, {2})"), "a part of a text is replaced by `replace`",
        "a = order.A.replace(\"-\", \"\")" => "a = replace(order.A, \"-\", \"\")";
    ["includes" "contains" "include?" "indexof"] Some(1) => As("contains({0}, {1})"), "whether a text holds another is told by `contains`",
        "where order.A.includes(\"x\")" => "where contains(order.A, \"x\")";
    ["startswith" "beginswith" "starts_with"] Some(1) => As("starts_with({0}, {1})"), "the beginning of a text is compared with another by `starts_with`",
        "where order.A.startsWith(\"x\")" => "where starts_with(order.A, \"x\")";
    ["endswith" "ends_with"] Some(1) => As("ends_with({0}, {1})"), "the end of a text is compared with another by `ends_with`";
    ["equals" "equalsignorecase" "eq"] Some(1) => As("{0} == {1}"), "values are compared by `==`", "where order.A.equals(\"x\")" => "where order.A == \"x\"";
    ["split"] Some(1) => As("split({0}, {1})"), "a text is cut by `split`", "a = order.A.split(\",\")" => "a = split(order.A, \",\")";
    ["join"] Some(1) => By(joined), "texts are put together by `join`", "a = order.A.join(\",\")" => "a = join(order.A, \",\")";
    ["substring" "substr" "slice" "left"] Some(2) => By(middle_of), "the beginning of a text is `first_chars(text, n)`", "a = order.A.substring(0, 5)" => "a = first_chars(order.A, 5)";
    ["left"] Some(1) => As("first_chars({0}, {1})"), "the beginning of a text is `first_chars(text, n)`";
    ["right"] Some(1) => As("last_chars({0}, {1})"), "the end of a text is `last_chars(text, n)`";
    ["padstart" "rjust"] Some(2) => As("pad_left({0}, {1}, {2})"), "a text is filled up by `pad_left`";
    ["isempty" "isnull" "isblank" "empty" "blank" "nil"] Some(0) => As("{0} is missing"), "what is not there `is missing`", "where order.A.isEmpty()" => "where order.A is missing";
    ["ispresent" "present" "hasvalue"] Some(0) => As("{0} is present"), "what is there `is present`", "where order.A.isPresent()" => "where order.A is present";
    ["orelse" "getordefault" "getvalueordefault" "or_else" "fetch"] Some(1) => As("{0} ?? {1}"), "a fallback is written `??`", "a = order.A.orElse(\"x\")" => "a = order.A ?? \"x\"";
    ["get"] Some(1) => By(get), "a field is written behind a point", "a = order.get(\"A\")" => "a = order.A";
    ["map" "filter" "reduce" "foreach" "each" "find" "some" "every" "select" "where" "any"] None => Words, "a list is gone through by `each x in list where … { … }`, and a total is `sum(… for x in list)`";
};

/// A call of another language, as it is written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub words: &'static str,
    /// Absent where only words lead on.
    pub write: Option<String>,
}

/// What a call with such a name and arguments is here, if it is one of another language.
pub fn call(name: &str, arguments: &[&str]) -> Option<Call> {
    let lower = name.to_lowercase();
    if let Some((_, foreign)) = found(CALLS, &lower, arguments.len()) {
        return made(foreign, "", arguments);
    }
    // `serial.trim()`
    let (value, method) = name.rsplit_once('.')?;
    let (_, foreign) = found(METHODS, &method.to_lowercase(), arguments.len())?;
    made(foreign, value, arguments)
}

/// Whether a text holds a call that this language does not have.
pub fn is_foreign_call(text: &str) -> bool {
    step(text, &mask(text)).is_some()
}

fn found<'f>(table: &'f [Foreign], name: &str, count: usize) -> Option<(usize, &'f Foreign)> {
    table.iter().enumerate().find(|(_, foreign)| foreign.names.contains(&name) && foreign.takes.is_none_or(|takes| takes == count))
}

fn made(foreign: &Foreign, value: &str, arguments: &[&str]) -> Option<Call> {
    let write = match foreign.write {
        As(template) => Some(filled(template, value, arguments)?),
        By(make) => {
            let all: Vec<&str> =
                if value.is_empty() { arguments.to_vec() } else { std::iter::once(value).chain(arguments.iter().copied()).collect() };
            // A call that has no such form here is told in words.
            make(&all)
        }
        Words => None,
    };
    Some(Call { words: foreign.words, write })
}

fn filled(template: &str, value: &str, arguments: &[&str]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        let close = open + rest[open..].find('}')?;
        let inner = &rest[open + 1..close];
        let number: usize = inner.trim_matches(['(', ')']).parse().ok()?;
        let text = if number == 0 { value } else { arguments.get(number - 1)?.trim() };
        filled.push_str(&if inner.starts_with('(') { bracketed(text) } else { text.to_owned() });
        rest = &rest[close + 1..];
    }
    filled.push_str(rest);
    Some(filled)
}

/// The first foreign call in a text, the innermost of those that begin before it.
pub(super) fn step(text: &str, masked: &str) -> Option<Step> {
    let bytes = masked.as_bytes();
    let mut outer = None;
    for open in (0..bytes.len()).filter(|at| bytes[*at] == b'(') {
        let name_start = masked[..open]
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '?')))
            .map_or(0, |at| at + masked[at..].chars().next().map_or(1, char::len_utf8));
        let name = &text[name_start..open];
        let Some((end, arguments)) = arguments(text, masked, open) else { continue };
        if name.is_empty() || name == "in" || name == "and" || name == "or" || name == "not" {
            continue;
        }
        // A method of what is itself a call or a text: `f(x).trim()`, `"a".trim()`.
        let begin = if name.starts_with('.') { receiver(masked, name_start) } else { name_start };
        let whole = if begin < name_start { format!("{}{name}", &text[begin..name_start]) } else { name.to_owned() };
        if whole.starts_with('.') {
            continue;
        }
        let Some(call) = call(&whole, &arguments) else { continue };
        let at = begin..end;
        let write = call.write.map(|write| super::in_place(text, at.clone(), &write));
        let step = Step { row: None, at, write, words: call.words };
        if step.write.is_some() {
            return Some(step);
        }
        outer.get_or_insert(step);
    }
    outer
}

/// Where the value begins that ends before `end`, which is a call, something in brackets, or a text.
fn receiver(masked: &str, end: usize) -> usize {
    let bytes = masked.as_bytes();
    let mut at = end;
    if at > 0 && bytes[at - 1] == b')' {
        let mut depth = 0_usize;
        while at > 0 {
            at -= 1;
            match bytes[at] {
                b')' => depth += 1,
                b'(' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
    } else if at > 0 && matches!(bytes[at - 1], b'"' | b'\'') {
        let quote = bytes[at - 1];
        at -= 1;
        while at > 0 {
            at -= 1;
            if bytes[at] == quote {
                return at;
            }
        }
    }
    while at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'_' | b'.')) {
        at -= 1;
    }
    at
}

/// The arguments of a call whose bracket opens at `open`, and where it ends.
fn arguments<'t>(text: &'t str, masked: &str, open: usize) -> Option<(usize, Vec<&'t str>)> {
    let ends = cut(masked, open + 1)?;
    let mut arguments = Vec::new();
    let mut from = open + 1;
    for end in &ends {
        let argument = text.get(from..*end)?.trim();
        if !(argument.is_empty() && ends.len() == 1) {
            arguments.push(argument);
        }
        from = end + 1;
    }
    Some((from, arguments))
}

/// Where the arguments end that begin here: the commas, and the closing bracket.
fn cut(masked: &str, from: usize) -> Option<Vec<usize>> {
    let (mut depth, mut ends) = (0_usize, Vec::new());
    let mut quote = None;
    for (at, byte) in masked.bytes().enumerate().skip(from) {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')') if depth == 0 => {
                ends.push(at);
                return Some(ends);
            }
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => ends.push(at),
            _ => {}
        }
    }
    None
}

/// The arguments of a call that is written out: `f(a, b)`.
pub fn split(text: &str) -> Vec<&str> {
    let masked = mask(text);
    text.find('(').and_then(|open| arguments(text, &masked, open)).map(|(_, arguments)| arguments).unwrap_or_default()
}

/// The examples of the table.
#[cfg(test)]
pub(super) fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    CALLS.iter().chain(METHODS).filter_map(|foreign| foreign.example)
}

/// What stands between the `+` of a row of texts.
pub fn summands(text: &str) -> Vec<&str> {
    let masked = mask(text);
    let (mut depth, mut from, mut parts) = (0_usize, 0, Vec::new());
    for (at, byte) in masked.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'+' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// Texts and values in one text with `{…}`.
pub fn template(parts: &[&str]) -> Option<String> {
    let mut made = String::from("\"");
    for part in parts {
        let part = part.trim();
        match (part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')), part.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''))) {
            (Some(text), _) => made.push_str(text),
            (None, Some(text)) if !text.contains(['"', '\\', '{', '}']) => made.push_str(text),
            _ if part.is_empty() => return None,
            _ => made.push_str(&format!("{{{part}}}")),
        }
    }
    made.push('"');
    (parts.len() > 1).then_some(made)
}

/// `", ".join(xs)` has its list behind the separator, `xs.join(", ")` before it.
fn joined(all: &[&str]) -> Option<String> {
    let [first, second] = all else { return None };
    let (list, separator) = if first.starts_with(['"', '\'']) { (second, first) } else { (first, second) };
    Some(format!("join({}, {})", list.trim(), separator.trim()))
}

/// `format("{0}-{1}", a, b)`, `format("%s-%s", a, b)`: each hole is a value.
fn placeholders(all: &[&str]) -> Option<String> {
    let (first, values) = all.split_first()?;
    let first = first.trim();
    let quoted = first.starts_with(['"', '\'']) && first.len() > 1;
    let Some(inner) = first.get(1..first.len().saturating_sub(1)).filter(|_| quoted) else { return template(all) };
    let mut made = String::new();
    let (mut rest, mut next) = (inner, 0);
    while let Some(at) = rest.find(['{', '%']) {
        made.push_str(rest.get(..at)?);
        rest = rest.get(at..)?;
        let (number, length) = if let Some(tail) = rest.strip_prefix("%s") {
            (next, rest.len() - tail.len())
        } else {
            let close = rest.find('}')?;
            let said = rest.get(1..close)?;
            (if said.is_empty() { next } else { said.parse().ok()? }, close + 1)
        };
        let value = values.get(number)?.trim();
        match constant(value) {
            Some(text) => made.push_str(text),
            // No text can stand within a text.
            None if value.contains(['"', '\'']) => return None,
            None => made.push_str(&format!("{{{value}}}")),
        }
        next += 1;
        rest = rest.get(length..)?;
    }
    made.push_str(rest);
    if next == 0 {
        return template(all);
    }
    (!made.contains('"')).then(|| format!("\"{made}\""))
}

/// What stands between the quotes of a text that is written out, where it can stand in another text.
fn constant(value: &str) -> Option<&str> {
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))?;
    (!inner.contains(['"', '\'', '\\', '{', '}'])).then_some(inner)
}

/// `TEXT(date, "yyyy-mm-dd")`.
fn formatted(all: &[&str]) -> Option<String> {
    let [value, pattern] = all else { return None };
    let pattern = pattern.trim();
    let inner = pattern.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.or_else(|| pattern.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')))?;
    Some(format!("format_date({}, \"{}\")", value.trim(), date_pattern(inner)?))
}

/// A date pattern of a spreadsheet or a database with `%`. In a spreadsheet `mm` is the minute beside hours or seconds.
fn date_pattern(pattern: &str) -> Option<String> {
    let mut made = String::new();
    let mut before = ' ';
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let length: usize = rest.chars().take_while(|c| *c == letter).map(char::len_utf8).sum();
        let behind = &rest[length..];
        let next = behind.chars().find(char::is_ascii_alphabetic).unwrap_or(' ');
        let minute = letter == 'm' && (before.eq_ignore_ascii_case(&'h') || next.eq_ignore_ascii_case(&'s'));
        let part = match (letter.to_ascii_lowercase(), length) {
            ('y', 4) => "%Y",
            ('y', 2) => "%y",
            ('m', 2) if minute => "%M",
            ('m', 4) => "%B",
            ('m', 3) => "%b",
            ('m', 2) => "%m",
            ('m', 1) => "%-m",
            ('d', 4) => "%A",
            ('d', 3) => "%a",
            ('d', 2) => "%d",
            ('d', 1) => "%-d",
            ('h', 2) => "%H",
            ('s', 2) => "%S",
            _ if letter.is_alphanumeric() || letter == '%' => return None,
            _ => &rest[..length],
        };
        made.push_str(part);
        if letter.is_ascii_alphabetic() {
            before = letter;
        }
        rest = behind;
    }
    made.contains('%').then_some(made)
}

fn junction(all: &[&str], word: &str) -> Option<String> {
    let one = |text: &&str| {
        let masked = mask(text);
        let low = masked.contains(" or ") || masked.contains(" and ") || masked.contains("OR(") || masked.contains("AND(");
        if low { format!("({})", text.trim()) } else { text.trim().to_owned() }
    };
    (all.len() > 1).then(|| all.iter().map(one).collect::<Vec<_>>().join(word))
}

fn fallback(all: &[&str]) -> Option<String> {
    let one = |text: &&str| if is_one_value(text) { text.trim().to_owned() } else { format!("({})", text.trim()) };
    (all.len() > 1).then(|| all.iter().map(one).collect::<Vec<_>>().join(" ?? "))
}

/// `IFS(c, a, c, b)`.
fn ifs(all: &[&str]) -> Option<String> {
    if all.len() < 2 || all.len() % 2 == 1 {
        return None;
    }
    let rows: Vec<String> = all.chunks(2).map(|pair| format!("if {} then {}", pair[0].trim(), pair[1].trim())).collect();
    Some(rows.join(" else "))
}

/// `CASE(x, a, b, c, d, e)`.
fn case(all: &[&str]) -> Option<String> {
    let (value, rest) = all.split_first()?;
    if rest.len() < 2 {
        return None;
    }
    let rows: Vec<String> = rest
        .chunks(2)
        .map(|pair| {
            if let [value_is, then] = pair {
                format!("if {} == {} then {}", bracketed(value), value_is.trim(), then.trim())
            } else {
                pair[0].trim().to_owned()
            }
        })
        .collect();
    Some(rows.join(" else "))
}

fn is_in(all: &[&str]) -> Option<String> {
    let (value, rest) = all.split_first()?;
    (!rest.is_empty()).then(|| format!("{} in ({})", bracketed(value), rest.iter().map(|text| text.trim()).collect::<Vec<_>>().join(", ")))
}

/// `SUBSTRING(x, 1, n)` counts from one.
fn middle(all: &[&str]) -> Option<String> {
    let [text, from, count] = all else { return None };
    matches!(from.trim(), "0" | "1").then(|| format!("first_chars({}, {})", text.trim(), count.trim()))
}

/// `x.substring(0, n)` counts from nought.
fn middle_of(all: &[&str]) -> Option<String> {
    let [text, from, count] = all else { return None };
    (from.trim() == "0").then(|| format!("first_chars({}, {})", text.trim(), count.trim()))
}

/// `record.get("Field")`.
fn get(all: &[&str]) -> Option<String> {
    let [value, field] = all else { return None };
    let field = field.trim().trim_matches(['"', '\'']);
    field.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| format!("{value}.{field}"))
}
