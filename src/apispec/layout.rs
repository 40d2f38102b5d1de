//! YAML as vendors' generators write it: libyaml takes what the specification forbids.

/// The text with the continuations of quoted scalars indented as the specification asks; none if all are. Within quotes the
/// indentation of a line is folded away, so no value changes. commercetools' file has such lines:
///
/// ```yaml
/// HalfEven: "Round half to even
/// is the default."
/// ```
pub fn indented(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + text.len() / 64);
    let mut changed = false;
    // The quote that is open, and how far its continuations have to be indented at least.
    let mut open: Option<(char, usize)> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if let Some((quote, least)) = open {
            if indent < least && !line.trim().is_empty() {
                out.extend(std::iter::repeat_n(' ', least - indent));
                changed = true;
            }
            if closes(line, quote) {
                open = None;
            }
        } else if let Some((quote, rest)) = opened(line)
            && !closes(rest, quote)
        {
            let dashes = line[indent..].chars().take_while(|c| matches!(c, '-' | ' ')).count();
            open = Some((quote, indent + dashes + 1));
        }
        out.push_str(line);
    }
    changed.then_some(out)
}

/// The quote with which a line's value begins, and what is behind it.
fn opened(line: &str) -> Option<(char, &str)> {
    let (key, value) = line.split_once(": ")?;
    if key.contains(['"', '\'', '#']) {
        return None;
    }
    let value = value.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some((quote, &value[1..]))
}

fn closes(text: &str, quote: char) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek() == Some(&'\'') {
                chars.next();
            } else {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn only_continuations_of_quotes_are_moved() {
        let text = "a:\n  b: \"one\n  two\\\"\n\n  three\"\n  c: 'it''s\n d'\n  e: \"whole\"\n- f: \"x\n  y\"\n";
        assert_eq!(indented(text).unwrap(), "a:\n  b: \"one\n   two\\\"\n\n   three\"\n  c: 'it''s\n   d'\n  e: \"whole\"\n- f: \"x\n   y\"\n");
        assert_eq!(indented("a: \"one\n  two\"\nb: 'x'\n"), None);
    }
}
