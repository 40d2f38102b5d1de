//! What a checker asks of an API: is there such a call, does it take this, is there something at this path of its answer.

use super::model::{Answer, ApiSpec, Fields, Method, Operation, Others, Parameter, Place, Shape, TypeId};
use crate::base::nearest;

/// A name that is not among those that there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}`")]
pub struct Unknown {
    /// `call`, `query parameter`, `field` …
    pub what: &'static str,
    pub name: String,
    /// The name that was probably meant.
    pub nearest: Option<String>,
    /// The names that there are, in the order of the file.
    pub known: Vec<String>,
    /// What else helps: methods of the path, `*` for lists.
    pub hint: Option<String>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it can be: several where an object has several forms. Never empty.
    pub types: Vec<TypeId>,
    /// It may be missing or `null` even in an answer that has all it can have.
    pub nullable: bool,
}

/// How many names a message lists.
const LISTED: usize = 12;

impl Unknown {
    fn new<'n>(what: &'static str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Self {
        let nearest = nearest(name, known.clone()).map(str::to_owned);
        Unknown { what, name: name.to_owned(), nearest, known: known.map(str::to_owned).collect(), hint: None }
    }

    /// What to do about it: the nearest name, else the names that there are.
    pub fn help(&self) -> Option<String> {
        if let Some(near) = &self.nearest {
            return Some(format!("did you mean `{near}`?"));
        }
        if self.hint.is_some() {
            return self.hint.clone();
        }
        let names: Vec<String> = self.known.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
        match (self.known.len(), names.join(", ")) {
            (0, _) => None,
            (1, only) => Some(format!("the only one is {only}")),
            (count, some) if count > LISTED => Some(format!("there are {count}, among them {some}")),
            (_, all) => Some(format!("there are {all}")),
        }
    }
}

impl ApiSpec {
    /// The operation of a method and a path, as a description of a system writes them: parameters in braces count as parameters,
    /// whatever their names; `prefix` is what the vendor's paths have in front and the description's do not.
    ///
    /// # Errors
    /// There is none. The nearest is one of the same method.
    pub fn call(&self, method: Method, path: &str, prefix: &str) -> Result<&Operation, Unknown> {
        let path = path.split('?').next().unwrap_or(path);
        let wanted = [form(path), form(&format!("{prefix}{path}"))];
        let is = |operation: &&Operation| {
            let own = form(&operation.path);
            wanted.contains(&own) || (!self.base_path.is_empty() && wanted.contains(&format!("{}{own}", form(&self.base_path))))
        };
        if let Some(found) = self.operations.iter().find(|operation| operation.method == method && is(operation)) {
            return Ok(found);
        }
        let shown: Vec<String> =
            self.operations.iter().filter(|operation| operation.method == method).map(|operation| self.shown(operation, prefix)).collect();
        let mut unknown = Unknown::new("call", &format!("{} {path}", method.word()), shown.iter().map(String::as_str));
        // Paths are compared without their parameters' names, and share most of their letters.
        let near = shown.iter().map(|known| (strsim::levenshtein(&form(known), &form(&unknown.name)), known)).min_by_key(|(distance, _)| *distance);
        unknown.nearest = near.filter(|(distance, known)| *distance <= 3.max(known.len() / 4)).map(|(_, known)| known.clone());
        let methods: Vec<&str> = self.operations.iter().filter(is).map(|operation| operation.method.word()).collect();
        if !methods.is_empty() {
            unknown.nearest = None;
            unknown.hint = Some(format!("this path takes {}", methods.join(", ")));
        }
        Err(unknown)
    }

    fn shown(&self, operation: &Operation, prefix: &str) -> String {
        let path = operation.path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(&operation.path);
        format!("{} {path}", operation.method.word())
    }

    /// The GraphQL query or mutation of a name.
    ///
    /// # Errors
    /// There is none.
    pub fn field(&self, method: Method, name: &str) -> Result<&Operation, Unknown> {
        let of = |operation: &&Operation| operation.method == method;
        if let Some(found) = self.operations.iter().filter(of).find(|operation| operation.name == name) {
            return Ok(found);
        }
        let what = if method == Method::Mutation { "mutation" } else { "query" };
        let mut unknown = Unknown::new(what, name, self.operations.iter().filter(of).map(|operation| operation.name.as_str()));
        let other = if method == Method::Mutation { Method::Query } else { Method::Mutation };
        if self.operations.iter().any(|operation| operation.method == other && operation.name == name) {
            unknown.nearest = None;
            unknown.hint = Some(format!("it is a {}", if other == Method::Mutation { "mutation" } else { "query" }));
        }
        Err(unknown)
    }

    /// What stands at a path below a type: `data.edges.*.node.id`, `errors.0.code`. `*` is each element of a list or each value of
    /// an object with names of its own; an empty path is the type itself.
    ///
    /// # Errors
    /// Nothing can stand there: the name of the first word that leads nowhere.
    pub fn walk(&self, from: TypeId, path: &str) -> Result<Found, Unknown> {
        let mut found = Found { types: vec![from], nullable: self.ty(from).nullable };
        for word in path.split('.').filter(|word| !word.is_empty()) {
            found = self.step(&found, word)?;
        }
        Ok(found)
    }

    /// One word of a path.
    ///
    /// # Errors
    /// Nothing can stand there.
    pub fn step(&self, from: &Found, word: &str) -> Result<Found, Unknown> {
        let mut next = Found { types: Vec::new(), nullable: from.nullable };
        for id in self.forms(&from.types) {
            let ty = self.ty(id);
            match &ty.shape {
                // What it is is not said: anything can be there.
                Shape::Any => next.take(id),
                Shape::List(item) if word == "*" || word.parse::<usize>().is_ok() => {
                    next.nullable |= self.ty(*item).nullable;
                    next.take(*item);
                }
                Shape::Object(fields) => match (fields.fields.get(word), fields.others) {
                    (Some(field), _) => {
                        next.nullable |= field.nullable || !field.required;
                        next.take(field.ty);
                    }
                    (None, Others::Of(other)) => {
                        next.nullable = true;
                        next.take(other);
                    }
                    (None, _) if word == "*" && fields.fields.is_empty() && fields.others == Others::Unstated => next.take(id),
                    // `type: object` and no more.
                    (None, Others::Unstated) if fields.fields.is_empty() && fields.variants.is_empty() => next.take(id),
                    (None, _) => {}
                },
                _ => {}
            }
        }
        if next.types.is_empty() { Err(self.lost(from, word)) } else { Ok(next) }
    }

    fn lost(&self, from: &Found, word: &str) -> Unknown {
        let forms = self.forms(&from.types);
        let mut known: Vec<&str> = Vec::new();
        let (mut list, mut fields) = (false, false);
        for id in &forms {
            match &self.ty(*id).shape {
                Shape::Object(own) => {
                    fields = true;
                    known.extend(own.fields.keys().map(String::as_str).filter(|name| !known.contains(name)).collect::<Vec<_>>());
                }
                Shape::List(_) => list = true,
                _ => {}
            }
        }
        let mut unknown = Unknown::new("field", word, known.iter().copied());
        if list && !fields {
            unknown.hint = Some("this is a list: `*` stands for each of its elements, `0` for the first".to_owned());
        } else if word == "*" {
            unknown.hint = Some("this is no list: `*` stands for the elements of lists only".to_owned());
            unknown.nearest = None;
        } else if !fields {
            unknown.hint = Some(format!("this is {}, it has no fields", self.noun(from.types.first().copied())));
        }
        unknown
    }

    /// What a type is, for a message.
    pub fn noun(&self, id: Option<TypeId>) -> &'static str {
        match id.map(|id| &self.ty(id).shape) {
            Some(Shape::Text) => "a text",
            Some(Shape::Integer) => "a whole number",
            Some(Shape::Number) => "a number",
            Some(Shape::Boolean) => "true or false",
            Some(Shape::List(_)) => "a list",
            Some(Shape::Object(_)) => "an object",
            Some(Shape::OneOf(_)) => "one of several forms",
            Some(Shape::Any) | None => "a value of any kind",
        }
    }

    /// The types and all forms that they can have, each once.
    pub fn forms(&self, types: &[TypeId]) -> Vec<TypeId> {
        let mut forms: Vec<TypeId> = Vec::new();
        let mut waiting: Vec<TypeId> = types.iter().rev().copied().collect();
        while let Some(id) = waiting.pop() {
            if forms.contains(&id) {
                continue;
            }
            forms.push(id);
            match &self.ty(id).shape {
                Shape::OneOf(variants) | Shape::Object(Fields { variants, .. }) => waiting.extend(variants.iter().rev()),
                _ => {}
            }
        }
        forms.retain(|id| !matches!(self.ty(*id).shape, Shape::OneOf(_)));
        forms
    }

    /// The form of an object that has `value` in its discriminator: commercetools' action `addDelivery`.
    ///
    /// # Errors
    /// It has no such form.
    pub fn form_of(&self, id: TypeId, value: &str) -> Result<TypeId, Unknown> {
        let Some(discriminator) = self.fields(id).and_then(|fields| fields.discriminator.as_ref()) else { return Ok(id) };
        match discriminator.forms.get(value) {
            Some(form) => Ok(*form),
            None if discriminator.forms.is_empty() => Ok(id),
            None => Err(Unknown::new("form", value, discriminator.forms.keys().map(String::as_str))),
        }
    }

    /// The field that tells an object's forms apart.
    pub fn discriminator(&self, id: TypeId) -> Option<&str> {
        Some(self.fields(id)?.discriminator.as_ref()?.field.as_str())
    }

    /// Whether a value is one of an enumeration. A list takes what its elements take.
    ///
    /// # Errors
    /// It is an enumeration without this value.
    pub fn accepts(&self, id: TypeId, value: &str) -> Result<(), Unknown> {
        match &self.ty(id).shape {
            Shape::List(item) => return self.accepts(*item, value),
            Shape::OneOf(forms) => {
                let mut last = Ok(());
                for form in forms {
                    last = self.accepts(*form, value);
                    if last.is_ok() {
                        break;
                    }
                }
                return last;
            }
            _ => {}
        }
        let values = &self.ty(id).values;
        if values.is_empty() || values.iter().any(|known| known == value) {
            return Ok(());
        }
        Err(Unknown::new("value", value, values.iter().map(String::as_str)))
    }

    /// The fields that an object demands.
    pub fn required(&self, id: TypeId) -> Vec<&str> {
        let fields = self.fields(id).map(|fields| fields.fields.iter()).into_iter().flatten();
        fields.filter(|(_, field)| field.required && !field.read_only).map(|(name, _)| name.as_str()).collect()
    }

    /// What is wrong with a GraphQL document, by all rules of the specification; nothing where the API is not GraphQL.
    pub fn faults_of_document(&self, document: &str) -> Vec<super::SpecError> {
        self.documents.as_ref().map(|schema| super::graphql::faults(schema, document)).unwrap_or_default()
    }
}

impl Found {
    fn take(&mut self, id: TypeId) {
        if !self.types.contains(&id) {
            self.types.push(id);
        }
    }
}

impl Operation {
    /// The parameter of a name. Names of headers have no case.
    ///
    /// # Errors
    /// It takes none of this name there.
    pub fn parameter(&self, place: Place, name: &str) -> Result<&Parameter, Unknown> {
        let of = |parameter: &&Parameter| parameter.place == place;
        let is = |parameter: &&Parameter| {
            if place == Place::Header {
                parameter.name.eq_ignore_ascii_case(name)
            } else {
                parameter.name == name || parameter.name.strip_suffix("[]") == Some(name)
            }
        };
        if let Some(found) = self.parameters.iter().filter(of).find(is) {
            return Ok(found);
        }
        let what = match place {
            Place::Path => "path parameter",
            Place::Query => "query parameter",
            Place::Header => "header",
            Place::Cookie => "cookie",
            Place::Argument => "argument",
        };
        let mut unknown = Unknown::new(what, name, self.parameters.iter().filter(of).map(|parameter| parameter.name.as_str()));
        if unknown.known.is_empty() {
            unknown.hint = Some(format!("the vendor's file lists none for {}", self.title()));
        }
        Err(unknown)
    }

    /// The parameters that a request must have.
    pub fn demanded(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| parameter.required)
    }

    /// The answer to a status: by its own number, its class (`2XX`), or `default`.
    pub fn answer(&self, status: u16) -> Option<&Answer> {
        let own = status.to_string();
        let class = format!("{}XX", status / 100);
        self.answers
            .get(&own)
            .or_else(|| self.answers.iter().find(|(known, _)| known.eq_ignore_ascii_case(&class)).map(|(_, answer)| answer))
            .or_else(|| self.answers.get("default"))
    }

    /// The body of its success: of the first 2xx that has one.
    pub fn success(&self) -> Option<TypeId> {
        let two = self.answers.iter().filter(|(status, _)| status.starts_with('2')).find_map(|(_, answer)| answer.body);
        two.or_else(|| self.answers.get("default").and_then(|answer| answer.body))
    }

    /// The bodies of its errors, each once.
    pub fn errors(&self) -> Vec<TypeId> {
        let mut bodies: Vec<TypeId> =
            self.answers.iter().filter(|(status, _)| !status.starts_with('2')).filter_map(|(_, answer)| answer.body).collect();
        bodies.dedup();
        bodies
    }

    /// `GET /orders`, `query orders`.
    pub fn title(&self) -> String {
        match self.method {
            Method::Query => format!("query {}", self.name),
            Method::Mutation => format!("mutation {}", self.name),
            method => format!("{} {}", method.word(), self.path),
        }
    }
}

/// A path with its parameters' names left out.
fn form(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut depth = 0usize;
    for c in path.trim_end_matches('/').chars() {
        match c {
            '{' => {
                if depth == 0 {
                    out.push_str("{}");
                }
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}
