//! What is written to an object: its calls, its actions, and what they answer.

use super::ask::Answered;
use super::form::Form;
use super::formula::Names;
use super::object::{Sink, WriteForms};
use super::sent::To;
use super::{Surveyor, error};
use crate::base::Spanned;
use crate::describe::model::{Action, Actions, Ask, Matching, Object, Receipt, Request, Results, There, Write};
use crate::describe::text::{Filled, Path, Piece, Step};

impl<'a> Surveyor<'a> {
    pub(super) fn write(&mut self, object: &'a Object, write: &'a Write, read: &Form<'a>) -> WriteForms<'a> {
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
        for key in write.key.iter().filter(|key| is_read_only(&key.node, &sinks)) {
            self.found.push(error::key_is_read_only(&key.node, key.span));
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
        for name in &write.together {
            self.dotted(name, read, &names);
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
        let Request::Rest { body: Some(body), .. } = &ask.request else { return };
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
                    let value = self.leads(read, path);
                    let names = &names.clone().with("value", &value);
                    let mut own = Vec::new();
                    self.sent(action, To { form: &taken, name: None, span: path.span, required: false, object: read }, names, &mut own);
                    for sink in &mut own {
                        if sink.root == "value" {
                            sink.path = path
                                .steps
                                .iter()
                                .map(|step| match step {
                                    Step::Name(name) => name.clone(),
                                    Step::At(at) => at.to_string(),
                                    Step::Each => "*".to_owned(),
                                })
                                .collect();
                        }
                    }
                    sinks.extend(own);
                }
            }
            Actions::List(list) => {
                for action in list {
                    self.sent(action, To { form: &taken, name: None, span: write.name.span, required: true, object: read }, names, sinks);
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
        let Request::Rest { body: Some(Filled::Map(fields)), .. } = &ask.request else { return Form::default() };
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
}

/// Whether all that takes a field of an item has it as one that only the system sets.
fn is_read_only(field: &str, sinks: &[Sink<'_>]) -> bool {
    let first = field.split('.').next().unwrap_or(field);
    let of_item = sinks.iter().filter(|sink| sink.root == "item");
    // What the call puts somewhere by name is sent as it is.
    if of_item.clone().any(|sink| sink.path.first().is_some_and(|name| name == first)) {
        return false;
    }
    let whole = of_item.filter(|sink| sink.path.is_empty() && !sink.except.iter().any(|name| name == first));
    let mut known = whole.flat_map(|sink| &sink.form.types).filter_map(|(api, id)| {
        let property = api.fields(*id)?.fields.get(first)?;
        Some(property.read_only || api.ty(property.ty).read_only)
    });
    let mut any = false;
    known.all(|read_only| {
        any = true;
        read_only
    }) && any
}
