//! What is said of a connection as a whole: names, the first call, answers, webhooks.

use super::Surveyor;
use super::form::Form;
use super::formula::Names;
use crate::describe::model::{HintBy, NamedOf};

/// The type in which the corrections of a GraphQL schema say what an answer has beside `data`: `errors` and `extensions`, as they were
/// recorded.
pub const BESIDE_DATA: &str = "AnswerBesideData";

impl<'a> Surveyor<'a> {
    /// The lists of named things.
    pub(super) fn names(&mut self) {
        let described = self.described;
        for named in &described.names {
            if let NamedOf::Ask(ask) = &named.of {
                let answered = self.read(ask, named.page.as_ref(), &Names::default());
                for path in [&named.name, &named.id, &named.apart].into_iter().flatten() {
                    self.leads(&answered.record, path);
                }
            }
        }
    }

    pub(super) fn hello(&mut self) {
        let described = self.described;
        if let Some(hello) = &described.hello {
            let answered = self.read(&hello.ask, None, &Names::default());
            let names = Names::default().with("body", &answered.whole).with("data", &answered.whole.step("data").unwrap_or_default());
            self.template(&hello.say, &names);
        }
    }

    pub(super) fn answers(&mut self) {
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

    pub(super) fn webhooks(&mut self) {
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
