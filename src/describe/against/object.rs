//! Objects: what is read of them, what is written to them, and that the names of both are there.

use super::ask::Answered;
use super::form::Form;
use super::formula::Names;
use super::sent::To;
use super::{Surveyor, error};
use crate::base::{Spanned, nearest};
use crate::describe::model::{
    Action, Actions, Ask, HintBy, IdForm, Look, Matching, NamedOf, Object, Receipt, Results, Scan, Shaped, There, WithOf, Write,
};
use crate::describe::text::{Filled, Path, Piece};

/// The type in which the corrections of a GraphQL schema say what an answer has beside `data`: `errors` and `extensions`, as they were
/// recorded.
pub const BESIDE_DATA: &str = "AnswerBesideData";

/// What is read and written of an object.
#[derive(Debug, Clone)]
pub struct ObjectForms<'a> {
    pub object: &'a Object,
    /// A record as it is read.
    pub read: Form<'a>,
    pub writes: Vec<WriteForms<'a>>,
}

/// What one write takes.
#[derive(Debug, Clone)]
pub struct WriteForms<'a> {
    pub write: &'a Write,
    pub sinks: Vec<Sink<'a>>,
}

/// A value of the item, and what takes it.
#[derive(Debug, Clone)]
pub struct Sink<'a> {
    /// `item`, or `value` of a field that becomes an action, or `lines` of a step (then the path is the field's).
    pub root: &'static str,
    /// The field; empty: the whole item.
    pub path: Vec<String>,
    pub form: Form<'a>,
    /// The call cannot be made without it.
    pub required: bool,
    /// Of the whole item: fields that the call gives otherwise.
    pub except: Vec<String>,
}

impl<'a> Surveyor<'a> {
    pub(super) fn whole(&mut self) -> Vec<ObjectForms<'a>> {
        let described = self.described;
        // What is read first: objects are parts of others, and are looked up in others.
        for object in &described.objects {
            let before = self.found.len();
            let read = self.read_form(object);
            self.found.truncate(before);
            self.records.push((&object.name.node, read));
        }
        for object in described.objects.iter().filter(|object| object.part_of.is_some()) {
            let read = self.part_form(object);
            if let Some((_, known)) = self.records.iter_mut().find(|(name, _)| *name == object.name.node) {
                *known = read;
            }
        }
        let objects: Vec<ObjectForms<'a>> = described.objects.iter().map(|object| self.object(object)).collect();
        for named in &described.names {
            if let NamedOf::Ask(ask) = &named.of {
                let answered = self.read(ask, named.page.as_ref(), &Names::default());
                for path in [&named.name, &named.id, &named.apart].into_iter().flatten() {
                    self.leads(&answered.record, path);
                }
            }
        }
        if let Some(hello) = &described.hello {
            let answered = self.read(&hello.ask, None, &Names::default());
            let names = Names::default().with("body", &answered.whole).with("data", &answered.whole.step("data").unwrap_or_default());
            self.template(&hello.say, &names);
        }
        self.webhooks();
        self.answers();
        objects
    }

    fn record(&self, name: &str) -> Form<'a> {
        self.records.iter().find(|(known, _)| *known == name).map(|(_, form)| form.clone()).unwrap_or_default()
    }

    /// An object of the description, by a name that stands in it.
    fn named(&mut self, name: &Spanned<String>) -> Form<'a> {
        if !self.records.iter().any(|(known, _)| *known == name.node) {
            let near = nearest(&name.node, self.records.iter().map(|(known, _)| *known));
            self.found.push(error::no_object(&name.node, near, name.span));
        }
        self.record(&name.node)
    }

    fn read(&mut self, ask: &Ask, page: Option<&crate::describe::model::Page>, names: &Names<'a>) -> Answered<'a> {
        self.ask(ask, page, &Form::default(), names, &mut Vec::new())
    }

    fn read_form(&mut self, object: &Object) -> Form<'a> {
        let mut form = Form::default();
        for stream in &object.changes {
            form.add(&self.read(&stream.ask, None, &Names::default()).record);
        }
        for look in object.get.iter().map(|get| &get.look).chain(object.find.iter().map(|find| &find.look)) {
            form.add(&self.look_form(look));
        }
        if form.is_unknown() {
            // What is only written is what its write answers.
            for receipt in object.writes.iter().filter(|write| object.part_of.is_none() && write.ask.is_some()) {
                if let Some(ask) = &receipt.ask {
                    let answered = self.read(ask, None, &Names::default());
                    if let Some(Receipt { results: Results::One(Some(at)), .. }) = &receipt.receipt {
                        form.add(&answered.whole.walk(at).unwrap_or_default());
                    }
                }
            }
        }
        form
    }

    fn look_form(&mut self, look: &Look) -> Form<'a> {
        match look {
            Look::Ask { ask, .. } | Look::Scan(Scan { ask, .. }) => self.read(ask, None, &Names::default()).record,
            Look::All(all) => {
                let mut form = Form::default();
                for look in all {
                    form.add(&self.look_form(look));
                }
                form
            }
            _ => Form::default(),
        }
    }

    fn part_form(&mut self, object: &Object) -> Form<'a> {
        let Some(part) = &object.part_of else { return Form::default() };
        let whole = self.named(&part.object);
        let mut form = Form::default();
        for at in &part.at {
            form.add(&self.leads(&whole, at).element());
        }
        form
    }

    fn object(&mut self, object: &'a Object) -> ObjectForms<'a> {
        let read = self.record(&object.name.node);
        let mut names = Names::default().with("record", &read);
        names.also = object.derive.iter().map(|(name, _)| name.node.clone()).chain(object.with.iter().map(|with| with.name.node.clone())).collect();
        match &object.id.form {
            // What the answer lacks is put in.
            IdForm::At(path) if self.is_put(object, path.root()) => {}
            // Nothing is said of it, and a part need not have one.
            IdForm::At(path) if object.part_of.is_some() && path.span == object.name.span => {}
            IdForm::At(path) => {
                self.leads(&read, path);
            }
            IdForm::Of(template) => {
                for value in template.values() {
                    value.reads.iter().for_each(|path| {
                        self.leads(&read, path);
                    });
                }
            }
        }
        for path in [&object.stamp, &object.version].into_iter().flatten() {
            self.leads(&read, path);
        }
        for (name, _) in &object.selection {
            self.dotted(name, &read, &names);
        }
        for (_, formula) in &object.derive {
            self.formula(formula, &names);
        }
        for with in &object.with {
            match &with.of {
                WithOf::Ask(ask) => {
                    self.read(ask, None, &names);
                }
                WithOf::Find { object, value, .. } => {
                    self.named(object);
                    self.formula(value, &names);
                }
                WithOf::Hook(_) => {}
            }
        }
        for stream in &object.changes {
            let answered = self.read(&stream.ask, stream.page.as_ref(), &names);
            let own = names.clone().with("record", &answered.record);
            let conditions = [
                stream.gone.as_ref().and_then(|gone| gone.when.as_ref()),
                stream.skip.as_ref(),
                stream.listed.as_ref().and_then(|listed| listed.ended.as_ref()),
            ];
            for formula in conditions.into_iter().flatten() {
                self.formula(formula, &own);
            }
            for (_, shaped) in &stream.shaped {
                match shaped {
                    Shaped::Template(template) => self.template(template, &own),
                    Shaped::Formula(formula) => self.formula(formula, &own),
                }
            }
            let stamps = [stream.stamp.as_ref(), stream.gone.as_ref().and_then(|gone| gone.stamp.as_ref())];
            for path in stamps.into_iter().flatten() {
                self.leads(&answered.record, path);
            }
        }
        if let Some(formula) = object.gone.as_ref().and_then(|gone| gone.when.as_ref()) {
            self.formula(formula, &names);
        }
        for get in &object.get {
            let found = self.look(&get.look, &names);
            self.is_record(object, &get.look, &found);
            if let Some(ended) = &get.ended {
                self.formula(ended, &names.clone().with("record", &found));
            }
        }
        for find in &object.find {
            let found = self.look(&find.look, &names);
            self.is_record(object, &find.look, &found);
            let form = if found.is_unknown() { &read } else { &found };
            if let Some(field) = find.field.as_ref().filter(|field| !self.is_put(object, &field.node)) {
                // A field by which something is found may be one of it as it is read otherwise.
                if form.step(field.node.split('.').next().unwrap_or("")).is_err() {
                    self.dotted(field, &read, &names);
                } else {
                    self.dotted(field, form, &names);
                }
            }
        }
        let writes = object.writes.iter().map(|write| self.write(object, write, &read)).collect();
        ObjectForms { object, read, writes }
    }

    /// An answer that is taken for a record has to be one: not an object that holds a list of them.
    fn is_record(&mut self, object: &Object, look: &Look, form: &Form<'a>) {
        let (Look::Ask { ask, .. }, IdForm::At(id)) = (look, &object.id.form) else { return };
        if ask.records.is_some() || ask.record.is_some() || form.is_unknown() || form.walk(id).is_ok() || self.is_put(object, id.root()) {
            return;
        }
        let lists = form.names().into_iter().filter(|name| form.step(name).is_ok_and(|list| list.is_list() && list.element().walk(id).is_ok()));
        if let Some(list) = lists.into_iter().next() {
            let span = match &ask.request {
                crate::describe::model::Request::Rest { path, .. } => path.span,
                crate::describe::model::Request::GraphQl { field, .. } => field.span,
            };
            self.found.push(error::needs_records(&object.name.node, list, span));
        }
    }

    fn is_put(&self, object: &Object, name: &str) -> bool {
        let put = |look: &Look| matches!(look, Look::Ask { put, .. } if put.iter().any(|(known, _)| known.node == name));
        let shaped = object.changes.iter().any(|stream| stream.shaped.iter().any(|(known, _)| known.node == name));
        shaped || object.derive.iter().any(|(known, _)| known.node == name) || object.find.iter().any(|find| put(&find.look))
    }

    fn look(&mut self, look: &Look, names: &Names<'a>) -> Form<'a> {
        match look {
            Look::Ask { ask, only, absent, .. } => {
                let answered = self.read(ask, None, names);
                if let Some(only) = only {
                    self.formula(only, &names.clone().with("record", &answered.record));
                }
                if let Some(absent) = absent {
                    self.formula(absent, &Names::default());
                }
                answered.record
            }
            Look::Scan(Scan { ask, .. }) => self.read(ask, None, names).record,
            Look::All(all) => {
                let mut form = Form::default();
                for look in all {
                    form.add(&self.look(look, names));
                }
                form
            }
            _ => Form::default(),
        }
    }

    /// A field by a text, with dots.
    fn dotted(&mut self, name: &Spanned<String>, form: &Form<'a>, names: &Names<'a>) {
        if names.also.iter().any(|also| name.node.split('.').next() == Some(also)) {
            return;
        }
        if let Ok(path) = Path::parse(&name.node, name.span) {
            self.leads(form, &path);
        }
    }

    fn write(&mut self, object: &'a Object, write: &'a Write, read: &Form<'a>) -> WriteForms<'a> {
        let mut sinks = Vec::new();
        let parent = object.part_of.as_ref().map(|part| self.record(&part.object.node)).unwrap_or_default();
        // What is no list is its own element, so `parts` can be gone through.
        let mut names = Names::default().with("target", read).with("parent", &parent).with("found", read).with("parts", read).with("after", read);
        names.also = write.key.iter().chain(&write.needs).map(|name| name.node.clone()).collect();
        let mut answered = Answered::default();
        if let Some(ask) = &write.ask {
            answered = self.ask(ask, None, read, &names, &mut sinks);
            self.batch_fits(write, ask);
        }
        self.actions(object, write, read, &names, &mut sinks);
        // Of which record it is part is said by the item. It is that record's id.
        if let Some(by) = object.part_of.as_ref().and_then(|part| part.by.as_ref()) {
            let form = parent.step("id").unwrap_or_default();
            let path = vec![by.node.clone()];
            sinks.push(Sink { root: "item", path, form, required: write.name.node != "update", except: Vec::new() });
        }
        for step in &write.steps {
            let calls = [step.ask.as_ref(), step.add.as_ref().map(|(ask, _)| ask), step.change.as_ref(), step.remove.as_ref()];
            let before = sinks.len();
            for ask in calls.into_iter().flatten() {
                let own = self.ask(ask, None, read, &names, &mut sinks);
                if answered.whole.is_unknown() {
                    answered = own;
                } else {
                    answered.whole.add(&own.whole);
                }
            }
            // What is added and changed is the field that the step writes; of what is removed only the id is sent.
            for sink in sinks[before..].iter_mut().filter(|sink| sink.root == "lines" && !sink.form.element().names().is_empty()) {
                sink.path.extend(step.covers.first().map(|name| name.node.clone()));
            }
            let line = step.covers.first().map(|name| read.step(&name.node).unwrap_or_default().element()).unwrap_or_default();
            if let Some((_, Some(once))) = &step.add {
                self.formula(once, &names.clone().with("line", &line));
            }
            if let Some(lines) = &step.lines {
                for name in [&lines.id, &lines.key].into_iter().flatten() {
                    self.dotted(name, &line, &Names::default());
                }
                if let Some(list) = &lines.list {
                    self.dotted(list, read, &names);
                }
            }
            for name in step.covers.iter().filter(|name| name.node != "rest") {
                self.field_of(name, read, &sinks, &names);
            }
        }
        for name in write.key.iter().chain(&write.needs) {
            self.field_of(name, read, &sinks, &Names::default());
        }
        let item = Form::item_of(&sinks);
        let mut whole = read.clone();
        whole.add(&item);
        // An item has the fields of its object, and those that its calls take.
        let mut names = names.with("sent", if item.is_unknown() { &whole } else { &item }).with("item", &whole);
        names.also.extend(sinks.iter().filter(|sink| sink.root == "item").filter_map(|sink| sink.path.first().cloned()));
        match &write.there {
            Some(There::When(formula)) => self.formula(formula, &names),
            Some(There::Find { object, by, when }) => {
                let form = self.named(object);
                self.dotted(by, &form, &Names::default());
                self.formula(when, &names.clone().with("record", &form));
            }
            None => {}
        }
        if let Some(guarantee) = &write.guarantee {
            if let Some(field) = &guarantee.field {
                self.field_of(field, read, &sinks, &names);
            }
            if let Some(same) = &guarantee.same {
                self.formula(same, &names);
            }
            if let (Some(refused), Some(code)) = (&guarantee.refused, &self.described.error.code) {
                self.refused(refused, code);
            }
        }
        if let Some(replaces) = &write.replaces {
            for name in &replaces.keep {
                self.dotted(name, read, &names);
            }
            for lines in &replaces.lines {
                let line = lines.list.as_ref().map(|list| read.step(&list.node).unwrap_or_default().element()).unwrap_or_default();
                if let Some(list) = &lines.list {
                    self.dotted(list, read, &names);
                }
                for name in [&lines.id, &lines.key].into_iter().flatten().chain(&lines.same) {
                    self.dotted(name, &line, &Names::default());
                }
            }
        }
        if let Some(receipt) = &write.receipt {
            self.receipt(receipt, &answered, &names, &item);
        }
        WriteForms { write, sinks }
    }

    /// As many items as the list takes that they go into.
    fn batch_fits(&mut self, write: &Write, ask: &Ask) {
        let crate::describe::model::Request::Rest { body: Some(body), .. } = &ask.request else { return };
        let before = self.found.len();
        let form = self.body_of(&ask.request);
        self.found.truncate(before);
        let mut lists = vec![(body, form)];
        while let Some((filled, form)) = lists.pop() {
            match filled {
                Filled::Map(fields) => lists.extend(fields.iter().map(|(name, value)| (value, form.step(&name.node).unwrap_or_default()))),
                Filled::Template(template) if matches!(template.pieces.as_slice(), [Piece::Value { value, .. }] if value.text == "items") => {
                    let most = form.types.iter().filter_map(|(api, id)| api.ty(*id).limits.max_items).min();
                    self.within(write.batch.most(), most, "`batch`", write.name.span);
                }
                _ => {}
            }
        }
    }

    /// A field that is read, or that the call takes of the item.
    fn field_of(&mut self, name: &Spanned<String>, read: &Form<'a>, sinks: &[Sink<'a>], names: &Names<'a>) {
        let first = name.node.split('.').next().unwrap_or("");
        let item = Form::item_of(sinks);
        let taken = sinks.iter().any(|sink| sink.root == "item" && sink.path.first().is_some_and(|known| known == first))
            || item.step(first).is_ok_and(|found| !found.is_unknown());
        if !taken {
            self.dotted(name, read, names);
        }
    }

    /// A code among those of the errors.
    fn refused(&mut self, word: &Spanned<String>, code: &Path) {
        let one = match &self.described.error.each {
            Some(each) => self.errors.walk(each).unwrap_or_default().element(),
            None => self.errors.clone(),
        };
        let told = code.only().map_or(Ok(()), |field| one.tells(field, &word.node));
        match one.walk(code).unwrap_or_default().accepts(&word.node).and(told) {
            Ok(()) => code.only().into_iter().for_each(|field| self.use_forms(&one, field, &word.node)),
            Err(unknown) => self.found.push(error::not_in_file(&unknown, word.span)),
        }
    }

    fn actions(&mut self, object: &'a Object, write: &'a Write, read: &Form<'a>, names: &Names<'a>, sinks: &mut Vec<Sink<'a>>) {
        let Some(actions) = &write.actions else { return };
        let taken = self.action_form(object, write);
        match actions {
            Actions::Fields(fields) => {
                for Action { path, action } in fields {
                    self.leads(read, path);
                    let mut own = Vec::new();
                    self.sent(action, To { form: &taken, name: None, required: false, object: read }, names, &mut own);
                    for sink in &mut own {
                        if sink.root == "value" {
                            sink.path = path
                                .steps
                                .iter()
                                .map(|step| match step {
                                    crate::describe::text::Step::Name(name) => name.clone(),
                                    crate::describe::text::Step::At(at) => at.to_string(),
                                    crate::describe::text::Step::Each => "*".to_owned(),
                                })
                                .collect();
                        }
                    }
                    sinks.extend(own);
                }
            }
            Actions::List(list) => {
                for action in list {
                    self.sent(action, To { form: &taken, name: None, required: true, object: read }, names, sinks);
                }
            }
        }
    }

    /// What takes the actions of a write: where its update, or that of the object that it is part of, puts `{actions}`.
    fn action_form(&mut self, object: &'a Object, write: &'a Write) -> Form<'a> {
        let described = self.described;
        let holder =
            object.part_of.as_ref().and_then(|part| described.objects.iter().find(|known| known.name.node == part.object.node)).unwrap_or(object);
        let update =
            write.ask.as_ref().or_else(|| holder.writes.iter().filter(|write| write.name.node == "update").find_map(|write| write.ask.as_ref()));
        let Some(ask) = update else { return Form::default() };
        let crate::describe::model::Request::Rest { body: Some(Filled::Map(fields)), .. } = &ask.request else { return Form::default() };
        let is = |value: &Filled| matches!(value, Filled::Template(template) if matches!(template.pieces.as_slice(), [Piece::Value { value, .. }] if value.text == "actions"));
        let Some((name, _)) = fields.iter().find(|(_, value)| is(value)) else { return Form::default() };
        let before = self.found.len();
        let body = self.body_of(&ask.request);
        self.found.truncate(before);
        body.step(&name.node).unwrap_or_default().element()
    }

    fn receipt(&mut self, receipt: &Receipt, answered: &Answered<'a>, names: &Names<'a>, item: &Form<'a>) {
        let result = match &receipt.results {
            Results::One(Some(path)) => self.leads(&answered.whole, path),
            Results::One(None) => answered.whole.clone(),
            Results::Items(path) | Results::Failures { at: path, .. } => {
                let list = self.leads(&answered.whole, path);
                list.element()
            }
            Results::Empty(_) => Form::default(),
        };
        let names = names.clone().with("item", &result).with("body", &answered.whole).with("found", item);
        for formula in [&receipt.ok, &receipt.refused].into_iter().flatten() {
            self.formula(formula, &names);
        }
        if let Some(id) = &receipt.id {
            self.pick(id, &result, &names);
        }
        for name in receipt.keep.iter().chain(&receipt.drop) {
            self.dotted(name, &result, &Names::default());
        }
        if let Some(warning) = &receipt.warning {
            self.leads(&result, warning);
        }
        match &receipt.matching {
            Matching::By(fields) => {
                for name in fields.iter().filter(|name| !matches!(name.node.as_str(), "place" | "alias")) {
                    self.dotted(name, &result, &Names::default());
                }
            }
            Matching::Fields(fields) => {
                for (path, _) in fields {
                    self.leads(&result, path);
                }
            }
            Matching::One => {}
        }
        if let Some(errors) = &receipt.error {
            self.errors_in(errors, &result);
        }
    }

    fn answers(&mut self) {
        let described = self.described;
        // GraphQL's schema does not say what stands beside `data`: a type of this name in the corrections does.
        let beside: Vec<(usize, crate::apispec::TypeId)> =
            (self.files.iter().enumerate()).filter_map(|(number, file)| Some((number, file.api.named_type(BESIDE_DATA)?))).collect();
        for (number, id) in beside {
            self.used[number].types.insert(BESIDE_DATA.to_owned());
            self.errors.add(&Form::of(self.files[number].api, id));
        }
        let whole = self.errors.clone();
        let error = self.errors_in(&described.error, &whole);
        let mut names = Names::default().with("error", &error).with("body", &whole);
        for (name, path) in &described.lets {
            let form = self.leads(&whole, path);
            names = names.with(&name.node, &form);
        }
        for answer in &described.answers {
            self.formula(&answer.when, &names);
            if let Some(by) = &answer.by {
                self.formula(by, &names);
            }
        }
    }

    fn webhooks(&mut self) {
        let Some(webhooks) = &self.described.webhooks else { return };
        for hint in &webhooks.hints {
            let form = self.named(&hint.object);
            match &hint.by {
                HintBy::Find { field, .. } => self.dotted(field, &form, &Names::default()),
                HintBy::Call(ask) => {
                    self.read(ask, None, &Names::default());
                }
                HintBy::Id(_) => {}
            }
            if let Some(skip) = &hint.skip {
                self.formula(skip, &Names::default().with("record", &form));
            }
        }
        if let Some(register) = &webhooks.register {
            for ask in [&register.make, &register.remove, &register.list].into_iter().flatten() {
                self.read(ask, None, &Names::default());
            }
        }
    }
}
