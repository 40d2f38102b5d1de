//! Words of other languages that begin a statement, name a type, or stand for nothing.

/// The word that begins such a statement in this language: `const` is `let`. `known` are the words that the place takes.
pub fn first_word(word: &str, known: &[&'static str]) -> Option<&'static str> {
    const WORDS: &[(&[&str], &[&str])] = &[
        (&["const", "var", "local", "set", "dim", "define", "val", "variable", "assign"], &["let"]),
        // A variable with its type.
        (
            &[
                "string", "str", "integer", "int", "long", "decimal", "double", "float", "number", "boolean", "bool", "date", "datetime", "final",
                "auto",
            ],
            &["let"],
        ),
        (&["def", "func", "fn", "fun", "sub", "procedure", "macro"], &["function"]),
        (&["import", "include", "using", "load", "from"], &["use"]),
        (&["inherit", "inherits", "base"], &["extends"]),
        (&["enum", "map", "mapping", "mappings", "lookup", "translate", "dictionary", "dict", "picklist"], &["values"]),
        (&["csv", "sheet", "lookup_table"], &["table"]),
        (&["param", "constant", "setting", "config", "env"], &["parameter"]),
        (&["job", "pipeline", "sync", "process", "integration", "workflow"], &["flow"]),
        (&["select", "read", "source", "fetch", "extract", "input"], &["from"]),
        (&["insert", "add", "new", "post"], &["create"]),
        (&["put", "patch", "modify", "change"], &["update"]),
        (&["merge", "write", "send", "save", "sink", "output", "load"], &["upsert"]),
        (&["assert", "ensure", "must", "check", "expect", "validate", "need", "mandatory"], &["require"]),
        (&["filter", "having", "only", "if"], &["where"]),
        (&["hold", "park", "approve", "flag"], &["review"]),
        (&["warning", "log", "notify"], &["warn"]),
        (&["if", "case", "elif", "elseif", "elsif", "on", "after"], &["when"]),
        (&["otherwise", "default"], &["else"]),
        (&["find", "join", "lookup"], &["match"]),
        (&["rules", "validation", "checks", "validations"], &["validate"]),
        (&["switch", "routing", "routes", "choose"], &["route"]),
        (&["foreach", "for", "loop"], &["each"]),
        (&["schedule", "poll", "cron", "interval", "run"], &["every"]),
        (&["cursor", "since", "delta", "modified", "watermark"], &["changed"]),
        (&["trigger", "hook", "webhook"], &["on"]),
        (&["version"], &["edition"]),
        (&["delete", "drop"], &["remove"]),
        (&["precondition", "unless", "protect"], &["guard"]),
    ];
    let lower = word.to_lowercase();
    // A word of the language in capital letters.
    if let Some(same) = known.iter().find(|known| **known == lower) {
        return Some(same);
    }
    let mut rows = WORDS.iter().filter(|(foreign, _)| foreign.contains(&lower.as_str()));
    rows.find_map(|(_, ours)| known.iter().find(|known| ours.contains(known)).copied())
}

/// What a bare name of another language is here.
pub fn name(word: &str) -> Option<&'static str> {
    Some(match word {
        "TRUE" | "True" | "yes" | "YES" => "true",
        "FALSE" | "False" | "no" | "NO" => "false",
        "NOW" | "Now" | "CURRENT_TIMESTAMP" | "current_timestamp" | "SYSDATE" | "sysdate" => "now",
        "TODAY" | "Today" | "CURRENT_DATE" | "current_date" => "today",
        _ => return None,
    })
}

/// A name that stands for nothing in another language.
pub fn is_nothing(word: &str) -> bool {
    matches!(word, "null" | "NULL" | "Null" | "None" | "nil" | "undefined" | "NaN" | "nothing" | "missing" | "empty" | "blank" | "NA")
}

/// What other tools call the record that is mapped.
pub fn is_record(word: &str) -> bool {
    matches!(
        word,
        "payload" | "record" | "row" | "source" | "input" | "item" | "obj" | "object" | "data" | "this" | "self" | "src" | "doc" | "entity"
    )
}

/// The function that converts to a type of another language.
pub fn type_word(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "text" | "string" | "str" | "varchar" | "nvarchar" | "char" => "text",
        "integer" | "int" | "long" | "bigint" => "integer",
        "decimal" | "number" | "numeric" | "float" | "double" | "real" => "decimal",
        "boolean" | "bool" => "boolean",
        "date" => "date",
        "datetime" | "timestamp" | "timestamptz" => "datetime",
        "money" | "currency" => "money",
        _ => return None,
    })
}
