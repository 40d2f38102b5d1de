//! Paths into JSON: `data.edges.*.node`, `errors.0.code`.

use crate::base::Span;
use crate::value::Json;

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A field of an object.
    Name(String),
    /// An element of a list, counted from 0. In an object it is a field of that name.
    At(usize),
    /// Each element of a list, or each value of an object.
    Each,
}

/// Where something stands in an answer, a record, a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub steps: Vec<Step>,
    pub span: Span,
}

impl Path {
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str, span: Span) -> Result<Self, &'static str> {
        let step = |part: &str| match part {
            "" => Err("two dots stand beside each other, or one at its end"),
            "*" => Ok(Step::Each),
            _ if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse().map(Step::At).map_err(|_| "a place in a list is too large"),
            _ if part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@')) => Ok(Step::Name(part.to_owned())),
            _ => Err("a path has names, places and `*`, with dots between them"),
        };
        Ok(Path { steps: text.trim().split('.').map(step).collect::<Result<_, _>>()?, span })
    }

    /// The first name, where it begins with one.
    pub fn root(&self) -> &str {
        match self.steps.first() {
            Some(Step::Name(name)) => name,
            _ => "",
        }
    }

    /// The one name that it is, where it is no more than that.
    pub fn only(&self) -> Option<&str> {
        match self.steps.as_slice() {
            [Step::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// What stands behind its first step.
    #[must_use]
    pub fn rest(&self) -> Path {
        Path { steps: self.steps.get(1..).unwrap_or_default().to_vec(), span: self.span }
    }

    /// The same below a name.
    #[must_use]
    pub fn below(&self, name: &str) -> Path {
        Path { steps: std::iter::once(Step::Name(name.to_owned())).chain(self.steps.iter().cloned()).collect(), span: self.span }
    }

    /// Whether it leads to several values.
    pub fn is_many(&self) -> bool {
        self.steps.contains(&Step::Each)
    }

    /// The value that it leads to; the first, where it leads to several.
    pub fn get<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        let mut found = None;
        walk(&self.steps, json, &mut |json| {
            found.get_or_insert(json);
        });
        found
    }

    /// All values that it leads to, in their order.
    pub fn all<'j>(&self, json: &'j Json) -> Vec<&'j Json> {
        let mut found = Vec::new();
        walk(&self.steps, json, &mut |json| found.push(json));
        found
    }
}

fn walk<'j>(steps: &[Step], json: &'j Json, see: &mut dyn FnMut(&'j Json)) {
    let Some((step, rest)) = steps.split_first() else { return see(json) };
    match (step, json) {
        (Step::Name(name), Json::Object(fields)) => fields.get(name).into_iter().for_each(|json| walk(rest, json, see)),
        (Step::At(at), Json::Array(items)) => items.get(*at).into_iter().for_each(|json| walk(rest, json, see)),
        (Step::At(at), Json::Object(fields)) => fields.get(&at.to_string()).into_iter().for_each(|json| walk(rest, json, see)),
        (Step::Each, Json::Array(items)) => items.iter().for_each(|json| walk(rest, json, see)),
        (Step::Each, Json::Object(fields)) => fields.values().for_each(|json| walk(rest, json, see)),
        _ => {}
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Name(name) => f.write_str(name)?,
                Step::At(at) => write!(f, "{at}")?,
                Step::Each => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_one_value_or_to_many() {
        let json = json!({"data": {"edges": [{"node": 1}, {"no": 2}, {"node": 3}]}, "errors": [{"code": "a"}]});
        let path = |text| Path::parse(text, Span::default()).unwrap();
        assert_eq!(path("data.edges.*.node").all(&json), [&json!(1), &json!(3)]);
        assert_eq!(path("errors.0.code").get(&json), Some(&json!("a")));
        assert_eq!((path("errors.1.code").get(&json), path("data.edges.node").get(&json)), (None, None));
        assert_eq!(path("data.edges.*.node").to_string(), "data.edges.*.node");
        for wrong in ["", "a..b", "a.", "a b", "a.{b}"] {
            assert!(Path::parse(wrong, Span::default()).is_err(), "{wrong}");
        }
    }
}
