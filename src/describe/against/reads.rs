//! What is read of an object: its lists, its look-ups, and the names in them.

use super::form::Form;
use super::formula::Names;
use super::object::ObjectForms;
use super::{Surveyor, error};
use crate::describe::model::{Ask, IdForm, Look, Object, Receipt, Request, Results, Scan, Shaped, WithOf};

impl<'a> Surveyor<'a> {
    pub(super) fn read_form(&mut self, object: &Object) -> Form<'a> {
        let mut form = Form::default();
        for stream in &object.changes {
            form.add(&self.read(&stream.ask, None, &Names::default()).record);
        }
        for look in object.get.iter().map(|get| &get.look).chain(object.find.iter().map(|find| &find.look)) {
            form.add(&self.look_form(look));
        }
        for ask in object.find.iter().filter_map(|find| find.several.as_ref()) {
            form.add(&self.read(ask, None, &Names::default()).record);
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

    pub(super) fn part_form(&mut self, object: &Object) -> Form<'a> {
        let Some(part) = &object.part_of else { return Form::default() };
        let whole = self.named(&part.object);
        let mut form = Form::default();
        for at in &part.at {
            form.add(&self.leads(&whole, at).element());
        }
        form
    }

    pub(super) fn object(&mut self, object: &'a Object) -> ObjectForms<'a> {
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
            if let Look::Ask { ask, .. } = &get.look {
                self.is_record(object, ask, &found);
            }
            if let Some(ended) = &get.ended {
                self.formula(ended, &names.clone().with("record", &found));
            }
        }
        for find in &object.find {
            let mut found = vec![self.look(&find.look, &names)];
            if let Look::Ask { ask, .. } = &find.look {
                self.is_record(object, ask, &found[0]);
            }
            if let Some(ask) = &find.several {
                let form = self.read(ask, None, &names).record;
                self.is_record(object, ask, &form);
                found.push(form);
            }
            let Some(field) = find.field.as_ref().filter(|field| !self.is_put(object, &field.node)) else { continue };
            for found in &found {
                // A field by which something is found may be one of it as it is read otherwise.
                let is_there = !found.is_unknown() && found.step(field.node.split('.').next().unwrap_or("")).is_ok();
                self.dotted(field, if is_there { found } else { &read }, &names);
            }
        }
        let writes = object.writes.iter().map(|write| self.write(object, write, &read)).collect();
        ObjectForms { object, read, writes }
    }

    /// An answer that is taken for a record has to be one: not an object that holds a list of them.
    fn is_record(&mut self, object: &Object, ask: &Ask, form: &Form<'a>) {
        let IdForm::At(id) = &object.id.form else { return };
        if ask.records.is_some() || ask.record.is_some() || form.is_unknown() || form.walk(id).is_ok() || self.is_put(object, id.root()) {
            return;
        }
        let lists = form.names().into_iter().filter(|name| form.step(name).is_ok_and(|list| list.is_list() && list.element().walk(id).is_ok()));
        if let Some(list) = lists.into_iter().next() {
            let span = match &ask.request {
                Request::Rest { path, .. } => path.span,
                Request::GraphQl { field, .. } => field.span,
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
}
