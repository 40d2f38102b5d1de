//! One call: its method and path, what it is asked with, and where things stand in its answer.

use super::form::Form;
use super::formula::Names;
use super::object::Sink;
use super::sent::To;
use super::{Surveyor, error};
use crate::apispec::{Method, Operation, Place, Unknown};
use crate::base::{Span, Spanned};
use crate::describe::model::{Ask, Errors, FieldOf, Page, Paging, Pick, Request, SignIn};
use crate::describe::text::{Filled, Path, Piece, Step, Template};

/// Words of the languages in which vendors write conditions and orders.
const OPERATORS: [&str; 20] = [
    "and", "or", "not", "in", "is", "asc", "desc", "ASC", "DESC", "defined", "contains", "any", "all", "within", "circle", "has", "changed", "empty",
    "true", "false",
];

/// What a call gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered<'a> {
    /// The whole answer; of GraphQL what is below the field.
    pub(super) whole: Form<'a>,
    /// One record of it.
    pub(super) record: Form<'a>,
    operation: Option<&'a Operation>,
    api: Option<&'a crate::apispec::ApiSpec>,
}

impl<'a> Surveyor<'a> {
    /// A call, what it sends and where its records stand.
    pub(super) fn ask(&mut self, ask: &Ask, page: Option<&Page>, object: &Form<'a>, names: &Names<'a>, sinks: &mut Vec<Sink<'a>>) -> Answered<'a> {
        let Some((at, span)) = self.operation(&ask.request) else { return Answered::default() };
        let (file, operation) = at;
        let api = self.files[file].api;
        self.used[file].operation(operation);
        for id in operation.errors() {
            self.errors.add(&Form::of(api, id));
        }
        let whole = operation.success().map(|id| Form::of(api, id)).unwrap_or_default();
        match &ask.request {
            Request::Rest { query, body, .. } => {
                for (name, value) in query {
                    self.parameter(operation, Place::Query, name, value, names);
                    if let (Filled::Json(number), Ok(parameter)) = (value, operation.parameter(Place::Query, &name.node)) {
                        let most = api.ty(parameter.ty).limits.maximum.as_ref().and_then(|most| most.parse::<f64>().ok()).map(|most| most as u64);
                        self.within(number.as_u64().unwrap_or(0), most, &format!("`{}`", name.node), name.span);
                        let form = Form::of(api, parameter.ty);
                        if let Err(unknown) = form.accepts(&number.to_string()) {
                            self.found.push(error::not_in_file(&unknown, name.span));
                        } else if let Some(takes) = form.refuses(number, true) {
                            self.found.push(error::other_type(&format!("`{}`", name.node), takes, &number.to_string(), name.span));
                        } else if let (Some(least), Some(number)) = (&api.ty(parameter.ty).limits.minimum, number.as_f64())
                            && least.parse::<f64>().is_ok_and(|least| number < least)
                        {
                            self.found.push(error::too_few(&number.to_string(), least, &format!("`{}`", name.node), name.span));
                        }
                    }
                }
                let headers = operation.parameters.iter().any(|parameter| parameter.place == Place::Header);
                for (name, value) in ask.headers.iter().filter(|_| headers) {
                    self.parameter(operation, Place::Header, name, value, names);
                }
                self.demanded_headers(operation, ask, span);
                let given: Vec<&str> = query.iter().map(|(name, _)| name.node.as_str()).chain(page.map(asked_by).unwrap_or_default()).collect();
                self.demands(operation, Place::Query, &given, span);
                if let Some(body) = body {
                    let form = operation.body.as_ref().map(|body| Form::of(api, body.ty));
                    match form {
                        Some(form) => self.sent(body, To { form: &form, name: None, span, required: true, object }, names, sinks),
                        None => {
                            let unknown = Unknown { what: "body of", name: operation.title(), nearest: None, known: Vec::new(), hint: None };
                            self.found.push(error::not_in_file(&unknown, span));
                        }
                    }
                }
            }
            Request::GraphQl { arguments, connection, .. } => {
                let given = match arguments {
                    Some(Filled::Map(fields)) => {
                        for (name, value) in fields {
                            match operation.parameter(Place::Argument, &name.node) {
                                Ok(argument) => {
                                    let form = Form::of(api, argument.ty);
                                    self.sent(
                                        value,
                                        To { form: &form, name: Some(&name.node), span: name.span, required: argument.required, object },
                                        names,
                                        sinks,
                                    );
                                }
                                Err(unknown) => self.found.push(error::not_in_file(&unknown, name.span)),
                            }
                        }
                        fields.iter().map(|(name, _)| name.node.as_str()).collect()
                    }
                    _ => Vec::new(),
                };
                self.demands(operation, Place::Argument, &given, span);
                if let Some(connection) = connection {
                    let form = self.leads(&whole, connection);
                    if !form.is_unknown()
                        && let Err(unknown) = form.step("edges")
                    {
                        self.found.push(error::not_in_file(&unknown, connection.span));
                    }
                }
            }
        }
        for path in &ask.select {
            self.selected(&whole, path);
        }
        let records = ask.records.as_ref().map(|path| (self.leads(&whole, path), path));
        let mut record = match (&records, &ask.record) {
            // `edges.*.node` is each record by itself.
            (Some((form, path)), _) if path.is_many() => form.clone(),
            (Some((form, _)), _) => form.element(),
            (None, Some(path)) => self.leads(&whole, path),
            (None, None) => whole.element(),
        };
        if let Some(at) = &ask.at {
            record = self.leads(&record, at);
        }
        let answered = Answered { whole, record, operation: Some(operation), api: Some(api) };
        if let Request::Rest { query, .. } = &ask.request {
            for (name, value) in query {
                self.fields_in(&name.node, value, &answered.record);
            }
        }
        if let Some(page) = page {
            self.page(page, &answered, names);
        }
        answered
    }

    /// What takes the body of a call.
    pub(super) fn body_of(&mut self, request: &Request) -> Form<'a> {
        let Some(((file, operation), _)) = self.operation(request) else { return Form::default() };
        operation.body.as_ref().map(|body| Form::of(self.files[file].api, body.ty)).unwrap_or_default()
    }

    fn operation(&mut self, request: &Request) -> Option<((usize, &'a Operation), Span)> {
        let (span, mut lost) = match request {
            Request::Rest { path, .. } => (path.span, None::<Unknown>),
            Request::GraphQl { field, .. } => (field.span, None),
        };
        for (number, file) in self.files.clone().into_iter().enumerate() {
            let found = match request {
                Request::Rest { method, path, .. } => {
                    let text = written(path);
                    // A whole address is another API's, unless the base is in it.
                    let text = match text.strip_prefix("https://") {
                        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]).to_owned(),
                        None => text,
                    };
                    let text = match &file.spec.base {
                        Some(base) => text.strip_prefix(base.as_str()).unwrap_or(&text).to_owned(),
                        None => text,
                    };
                    let Some(method) = Method::parse(method.as_str()) else { continue };
                    file.api.call(method, &text, file.spec.prefix.as_deref().unwrap_or(""))
                }
                Request::GraphQl { mutation, field, .. } => file.api.field(if *mutation { Method::Mutation } else { Method::Query }, &field.node),
            };
            match found {
                Ok(operation) => return Some(((number, operation), span)),
                Err(unknown) if lost.as_ref().is_none_or(|lost| lost.nearest.is_none() && lost.hint.is_none()) => lost = Some(unknown),
                Err(_) => {}
            }
        }
        let whole = matches!(request, Request::Rest { path, .. } if written(path).starts_with("https://"));
        if let Some(lost) = lost.filter(|_| !whole) {
            let is_cut = self.files.iter().any(|file| file.is_cut);
            self.found.push(if is_cut { error::not_in_cut(&lost, span, &self.described.system.node) } else { error::not_in_file(&lost, span) });
        }
        None
    }

    fn parameter(&mut self, operation: &'a Operation, place: Place, name: &Spanned<String>, value: &Filled, names: &Names<'a>) {
        match operation.parameter(place, &name.node) {
            Ok(parameter) => {
                let form = self.files.iter().find(|file| file.api.operations.iter().any(|known| std::ptr::eq(known, operation)));
                let form = form.map(|file| Form::of(file.api, parameter.ty)).unwrap_or_default();
                self.asked_value(value, &form, names);
            }
            Err(unknown) => self.found.push(error::not_in_file(&unknown, name.span)),
        }
    }

    fn demands(&mut self, operation: &Operation, place: Place, given: &[&str], span: Span) {
        for parameter in operation.demanded().filter(|parameter| parameter.place == place) {
            if !given.contains(&parameter.name.as_str()) {
                let what = if place == Place::Argument { "argument" } else { "query parameter" };
                self.found.push(error::demanded(what, &parameter.name, &format!("`{}`", operation.title()), span));
            }
        }
    }

    /// Headers that the file demands. Those that say who asks are given by `auth`.
    fn demanded_headers(&mut self, operation: &Operation, ask: &Ask, span: Span) {
        let auth = &self.described.auth;
        let sent = auth.send.iter().filter_map(|(to, _)| to.node.strip_prefix("header."));
        let signs = auth.sign_ins.iter().flat_map(|(_, sign_in)| match sign_in {
            SignIn::Header(headers) => headers.iter().map(|(name, _)| name.node.as_str()).collect(),
            _ => Vec::new(),
        });
        let named = self.described.headers.iter().chain(&ask.headers).map(|(name, _)| name.node.as_str());
        // The first three are the connector's own.
        let given: Vec<&str> = ["accept", "content-type", "authorization"].into_iter().chain(sent).chain(signs).chain(named).collect();
        for parameter in operation.demanded().filter(|parameter| parameter.place == Place::Header) {
            if !given.iter().any(|known| known.eq_ignore_ascii_case(&parameter.name)) {
                self.found.push(error::demanded("header", &parameter.name, &format!("`{}`", operation.title()), span));
            }
        }
    }

    /// Where a path leads; what leads nowhere is told once, and is not known from there.
    pub(super) fn leads(&mut self, form: &Form<'a>, path: &Path) -> Form<'a> {
        if form.is_unknown() {
            return Form::default();
        }
        match form.walk(path) {
            Ok(found) => found,
            Err(unknown) => {
                self.found.push(error::not_in_file(&unknown, path.span));
                Form::default()
            }
        }
    }

    /// A field that a GraphQL document asks for: through lists without `*`.
    fn selected(&mut self, whole: &Form<'a>, path: &Path) {
        let mut form = whole.clone();
        for step in &path.steps {
            let Step::Name(name) = step else { continue };
            if form.is_unknown() {
                return;
            }
            form = match form.step(name).or_else(|lost| form.element().step(name).map_err(|_| lost)) {
                Ok(below) => below,
                Err(lost) => return self.found.push(error::not_in_file(&lost, path.span)),
            };
        }
    }

    pub(super) fn pick(&mut self, pick: &Pick, form: &Form<'a>, names: &Names<'a>) -> Form<'a> {
        match pick {
            Pick::Path(path) => self.leads(form, path),
            Pick::Formula(formula) => {
                self.formula(formula, names);
                Form::default()
            }
        }
    }

    fn page(&mut self, page: &Page, answered: &Answered<'a>, names: &Names<'a>) {
        let names = names.clone().with("body", &answered.whole).with("data", &answered.whole.step("data").unwrap_or_default());
        if let Some(more) = &page.more {
            self.pick(more, &answered.whole, &names);
        }
        if let Some(total) = &page.total {
            self.leads(&answered.whole, total);
        }
        match &page.paging {
            Paging::Keyset { fields, asks } => {
                for field in fields {
                    self.leads(&answered.record, field);
                }
                for (to, value) in asks {
                    self.goes_to(to, answered);
                    self.asked_value(value, &Form::default(), &names);
                    self.fields_in(to.node.rsplit('.').next().unwrap_or(""), value, &answered.record);
                }
            }
            Paging::Token { token, to, size, sort, by_stamp, .. } => {
                self.leads(&answered.whole, token);
                if let Some(stamp) = by_stamp {
                    self.leads(&answered.record, stamp);
                }
                for to in [Some(to), size.as_ref()].into_iter().flatten() {
                    self.goes_to(to, answered);
                }
                if let Some(sort) = sort
                    && let Ok(path) = Path::parse(&sort.node, sort.span)
                {
                    self.leads(&answered.record, &path);
                }
            }
            Paging::ByStamp { stamp, bounds, number } => {
                self.leads(&answered.record, stamp);
                let to = bounds.iter().chain(number.as_ref().map(|number| &number.to));
                to.for_each(|to| self.goes_to(to, answered));
            }
            Paging::Window { bounds, number } => {
                let to = bounds.iter().chain(number.as_ref().map(|number| &number.to));
                to.for_each(|to| self.goes_to(to, answered));
            }
            Paging::Number { number, .. } => self.goes_to(&number.to, answered),
            Paging::Whole => {}
        }
    }

    /// The fields that a `where` or a `sort` names: `lastModifiedAt > "{stamp}"`, `lastModifiedAt asc`.
    fn fields_in(&mut self, parameter: &str, value: &Filled, record: &Form<'a>) {
        if !matches!(parameter, "where" | "sort") || record.is_unknown() {
            return;
        }
        match value {
            Filled::List(items) => items.iter().for_each(|item| self.fields_in(parameter, item, record)),
            Filled::Template(template) => {
                let mut quoted = false;
                for piece in &template.pieces {
                    let Piece::Text(text) = piece else { continue };
                    for (at, part) in text.split('"').enumerate() {
                        quoted ^= at > 0;
                        if quoted {
                            continue;
                        }
                        for word in part.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.')) {
                            let begins = word.starts_with(|c: char| c.is_alphabetic());
                            if begins
                                && !OPERATORS.contains(&word)
                                && let Ok(path) = Path::parse(word, template.span)
                            {
                                self.leads(record, &path);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// `query.page`, `body.size`, `arguments.after`, or in GraphQL a field of the answer and its argument: `data.after`.
    fn goes_to(&mut self, to: &Spanned<String>, answered: &Answered<'a>) {
        let (Some(operation), Some(api)) = (answered.operation, answered.api) else { return };
        let (root, rest) = to.node.split_once('.').unwrap_or(("", &to.node));
        let said = match root {
            "query" => operation.parameter(Place::Query, rest).map(|_| ()),
            "header" | "headers" => Ok(()),
            "arguments" => operation.parameter(Place::Argument, rest.split('.').next().unwrap_or(rest)).map(|_| ()),
            "body" => match &operation.body {
                Some(body) => api.walk(body.ty, rest).map(|_| ()),
                None => Ok(()),
            },
            _ if matches!(operation.method, Method::Query | Method::Mutation) => {
                let (holder, argument) = to.node.rsplit_once('.').unwrap_or(("", &to.node));
                if holder.is_empty() {
                    operation.parameter(Place::Argument, argument).map(|_| ())
                } else {
                    let Some(success) = operation.success() else { return };
                    let (above, field) = holder.rsplit_once('.').unwrap_or(("", holder));
                    api.walk(success, above).and_then(|found| {
                        let property = found.types.iter().find_map(|id| api.fields(*id)?.fields.get(field));
                        match property {
                            None => api.walk(success, holder).map(|_| ()),
                            Some(property) if property.arguments.iter().any(|known| known.name == argument) => Ok(()),
                            Some(property) => {
                                let known: Vec<String> = property.arguments.iter().map(|known| known.name.clone()).collect();
                                let nearest = crate::base::nearest(argument, known.iter().map(String::as_str)).map(str::to_owned);
                                Err(Unknown { what: "argument", name: argument.to_owned(), nearest, known, hint: None })
                            }
                        }
                    })
                }
            }
            // A parameter by its name alone.
            _ => operation.parameter(Place::Query, &to.node).map(|_| ()),
        };
        if let Err(unknown) = said {
            self.found.push(error::not_in_file(&unknown, to.span));
        }
    }

    /// Where an error's code, message and field stand, below a form.
    pub(super) fn errors_in(&mut self, errors: &Errors, whole: &Form<'a>) -> Form<'a> {
        let one = match &errors.each {
            Some(each) => self.leads(whole, each).element(),
            None => whole.clone(),
        };
        let field = match &errors.field {
            Some(FieldOf::At(path) | FieldOf::FirstName { of: path, .. }) => Some(path),
            None => None,
        };
        let paths = errors.code.iter().chain(field).chain(errors.more.iter().map(|(_, path)| path));
        for path in paths {
            self.leads(&one, path);
        }
        // The first that is there: one of them has to be.
        if let [message] = errors.message.as_slice() {
            self.leads(&one, message);
        }
        if let Some(otherwise) = &errors.otherwise {
            self.leads(whole, otherwise);
        }
        one
    }
}

/// A path with its values as empty braces.
fn written(path: &Template) -> String {
    path.pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Value { .. } => "{}",
        })
        .collect()
}

/// The parameters that paging gives.
fn asked_by(page: &Page) -> Vec<&str> {
    let query = |to: &'_ Spanned<String>| to.node.strip_prefix("query.").map(str::len);
    let all: Vec<&Spanned<String>> = match &page.paging {
        Paging::Keyset { asks, .. } => asks.iter().map(|(to, _)| to).collect(),
        Paging::Token { to, size, .. } => [Some(to), size.as_ref()].into_iter().flatten().collect(),
        Paging::ByStamp { bounds, number, .. } | Paging::Window { bounds, number } => {
            bounds.iter().chain(number.as_ref().map(|number| &number.to)).collect()
        }
        Paging::Number { number, .. } => vec![&number.to],
        Paging::Whole => Vec::new(),
    };
    all.into_iter().filter_map(|to| query(to).map(|length| &to.node[to.node.len() - length..])).collect()
}
