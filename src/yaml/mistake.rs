//! Mistakes of writing YAML that one line shows by itself.

/// A mistake of writing YAML that its text shows, whatever a reader makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub at: std::ops::Range<usize>,
    pub words: String,
    /// What to do, for a person.
    pub help: String,
    /// The stretch to write anew.
    pub replace: (usize, usize),
    pub with: String,
}

impl Mistake {
    /// The text as it is proposed.
    pub fn mended(&self, text: &str) -> String {
        let (start, end) = self.replace;
        [text.get(..start).unwrap_or_default(), &self.with, text.get(end..).unwrap_or_default()].concat()
    }
}

/// Looks through a text that is no YAML for what people do wrong: a tab, a quote or a brace that is not closed, `name:value`.
pub fn mistake(text: &str) -> Option<Mistake> {
    let mut start = 0;
    let mut flow: Vec<(usize, char)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let begin = start;
        start += line.len();
        let body = line.trim_end_matches(['\n', '\r']);
        let margin = &body[..body.len() - body.trim_start().len()];
        let inner = body.trim_start();
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        if let Some(tab) = margin.find('\t') {
            let before = text[..begin].trim_end();
            let last = before.rsplit('\n').find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).unwrap_or("");
            let far = last.len() - last.trim_start().len() + if last.trim_end().ends_with(':') { 2 } else { 0 };
            let blanks = " ".repeat(far);
            return Some(Mistake {
                at: begin + tab..begin + tab + 1,
                words: "a tab: YAML is indented with spaces".to_owned(),
                help: indent(far),
                replace: (begin, begin + margin.len()),
                with: blanks,
            });
        }
        let signs = outside_of_texts(inner);
        if let Some(open) = signs.unclosed {
            let at = begin + margin.len() + open;
            let quote = inner[open..].chars().next().unwrap_or('"');
            // A brace that closes a row of settings stands behind the text.
            let whole = inner.trim_end();
            let end = if flow.is_empty() && inner[..open].contains('{') && whole.ends_with('}') {
                whole[..whole.len() - 1].trim_end().len()
            } else {
                whole.len()
            };
            let end = begin + margin.len() + end;
            return Some(Mistake {
                at: at..at + 1,
                words: "a quote that is not closed".to_owned(),
                help: format!("close it: write `{quote}` behind the text"),
                replace: (end, end),
                with: quote.to_string(),
            });
        }
        // `${KEY}` ends a row of settings where it does not stand in quotes.
        if let Some(at) = signs.plain.find(": ${").or_else(|| signs.plain.find(": {{")) {
            let from = at + 2;
            let close = if signs.plain[from..].starts_with("{{") { "}}" } else { "}" };
            let length = inner[from..].find(close).map_or(inner.len() - from, |end| end + close.len());
            let from = begin + margin.len() + from;
            let name: String = text[from..from + length].chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
            if flow.is_empty() && !signs.plain.trim_start().starts_with(['{', '[']) && !signs.plain[..at].contains('{') && close == "}" {
                // A value by itself needs no quotes.
            } else {
                let with = format!("\"${{{name}}}\"");
                return Some(Mistake {
                    at: from..from + length,
                    words: "a reference to the environment stands in quotes".to_owned(),
                    help: format!("write `{with}`"),
                    replace: (from, from + length),
                    with,
                });
            }
        }
        for (at, c) in signs.plain.char_indices() {
            match c {
                '{' | '[' => flow.push((begin + margin.len() + at, c)),
                '}' | ']' => {
                    let opened = flow.pop();
                    if opened.is_none_or(|(_, open)| (open == '{') != (c == '}')) && !signs.plain[..at].contains('$') {
                        let at = begin + margin.len() + at;
                        return Some(Mistake {
                            at: at..at + 1,
                            words: "a brace that closes nothing".to_owned(),
                            help: format!("take the `{c}` out"),
                            replace: (at, at + 1),
                            with: String::new(),
                        });
                    }
                }
                _ => {}
            }
        }
        if let Some((open, sign)) = flow.last().copied() {
            let last = text[start..].trim().is_empty();
            // The next line begins something new: what was opened on this one was to be closed on it.
            let next = text[start..].lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).unwrap_or("");
            let anew = next.len() - next.trim_start().len() <= margin.len() && next.trim_start().contains(": ") | next.trim_end().ends_with(':');
            if last || anew {
                let end = begin + margin.len() + inner[..signs.end].trim_end().len();
                let close = if sign == '{' { " }" } else { "]" };
                return Some(Mistake {
                    at: open..open + 1,
                    words: "a brace that is not closed".to_owned(),
                    help: format!("close it: write `{}` at the end of the line", close.trim()),
                    replace: (end, end),
                    with: close.to_owned(),
                });
            }
            continue;
        }
        // `name:value` is one text, and not a name with its value.
        let name = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let rest = &inner[name..];
        if name > 0 && rest.starts_with(':') && rest.len() > 1 && !rest.starts_with(": ") && !rest.starts_with(":\t") && !rest.starts_with("://") {
            return Some(missing_space(text, begin + margin.len() + name));
        }
        if name > 0 && rest.trim_start().starts_with('=') {
            let from = begin + margin.len() + name;
            let length = rest.len() - rest.trim_start().trim_start_matches('=').trim_start().len();
            return Some(Mistake {
                at: from..from + length,
                words: "`: ` stands between a name and its value".to_owned(),
                help: format!("write `{}: {}`", &inner[..name], inner[name..].trim_start().trim_start_matches('=').trim_start()),
                replace: (from, from + length),
                with: ": ".to_owned(),
            });
        }
        // The same within braces: `{ system:shipstation }` is one name without a value.
        if let Some(at) = signs.plain.match_indices(':').map(|(at, _)| at).find(|at| is_glued(&signs.plain, *at)) {
            return Some(missing_space(text, begin + margin.len() + at));
        }
    }
    None
}

/// What to do about a line whose indentation is wrong.
pub(super) fn indent(spaces: usize) -> String {
    match spaces {
        0 => "begin it at the left margin, without indentation".to_owned(),
        1 => "indent it by 1 space".to_owned(),
        spaces => format!("indent it by {spaces} spaces"),
    }
}

/// Whether a colon within braces stands behind a name and directly before its value.
fn is_glued(plain: &str, colon: usize) -> bool {
    let (before, behind) = (&plain[..colon], &plain[colon + 1..]);
    let name = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    let begins = name.len() < before.len() && name.trim_end().ends_with(['{', ',']);
    begins && behind.starts_with(|c: char| c.is_alphanumeric())
}

fn missing_space(text: &str, colon: usize) -> Mistake {
    let name = text[..colon].rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
    Mistake {
        at: colon..colon + 1,
        words: "a space is missing behind the colon".to_owned(),
        help: format!("write `{name}: ` and then the value"),
        replace: (colon, colon + 1),
        with: ": ".to_owned(),
    }
}

/// A line with its texts and its comment blanked, and the quote that is not closed.
struct Signs {
    plain: String,
    /// Where a comment begins, or the line ends.
    end: usize,
    unclosed: Option<usize>,
}

fn outside_of_texts(line: &str) -> Signs {
    let (mut plain, mut open) = (String::with_capacity(line.len()), None::<(usize, char)>);
    let mut before = ' ';
    let (mut comment, mut end) = (false, line.len());
    for (at, c) in line.char_indices() {
        let begins = matches!(before, ' ' | '{' | '[' | ',' | ':' | '-' | '\t');
        match (open, c) {
            _ if comment => {}
            (Some((_, quote)), _) if quote == c && !(quote == '"' && before == '\\') => open = None,
            (None, '"' | '\'') if begins => open = Some((at, c)),
            (None, '#') if begins => (comment, end) = (true, at),
            _ => {}
        }
        let hidden = open.is_some() || comment || matches!(c, '"' | '\'');
        if hidden {
            plain.extend(std::iter::repeat_n(' ', c.len_utf8()))
        } else {
            plain.push(c)
        }
        before = c;
    }
    Signs { plain, end, unclosed: open.map(|(at, _)| at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read;

    /// Each way to spoil a project file is told on its line, and the text that is proposed can be read.
    #[test]
    fn mistakes_are_told_where_they_stand_and_mended() {
        let cases = [
            ("connections:\n\tcrm: { system: salesforce }\n", 2),
            ("connections:\n  crm: { system: salesforce\n  wms: { system: shipstation }\nstore: x\n", 2),
            ("connections:\n  crm: { system: salesforce, login: \"https://x }\n  wms: { system: shipstation }\n", 2),
            ("connections:\n  crm: { system: salesforce }\nparameters:\n  a: \"Reno DC\n  b: 1\n", 4),
            ("connections:\n  crm: { system: salesforce, client_id: ${ID}, login: x }\n", 2),
            ("connections:\n  crm: { system: salesforce, client_id: {{ID}}, login: x }\n", 2),
            ("connections:\n  crm: { system: salesforce } }\n", 2),
            ("connections:\n  crm: { system: salesforce }\ntime_zone = UTC\n", 3),
        ];
        let mut wrong = Vec::new();
        for (text, line) in cases {
            let Err(_) = read(text) else {
                wrong.push(format!("{text} can be read"));
                continue;
            };
            let Some(found) = mistake(text) else {
                wrong.push(format!("{text} finds nothing"));
                continue;
            };
            let here = text[..found.at.start].matches('\n').count() + 1;
            let mut mended = text.to_owned();
            mended.replace_range(found.replace.0..found.replace.1, &found.with);
            if here != line || read(&mended).is_err() {
                wrong.push(format!("{text} is told at {here}, and gives {mended}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
