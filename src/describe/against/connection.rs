//! What is said of a connection as a whole: names, the first call, answers, webhooks.

use super::form::Form;
use super::formula::Names;
use super::{Surveyor, VendorFile};
use crate::base::Spanned;
use crate::describe::error::no_field_of_names;
use crate::describe::model::{HintBy, NamedOf, SpecForm, Wait};

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
            for field in &named.fields {
                self.named_field(field);
            }
        }
    }

    /// `LineItem.warehouse_id`: the schemas of GraphQL are its types, with the fields of what is sent, which has types of its own.
    fn named_field(&mut self, field: &Spanned<String>) {
        let Some((object, name)) = field.node.split_once('.') else { return };
        if self.files.iter().any(|file| file.spec.form != SpecForm::GraphQl) {
            return;
        }
        let is_object = self.described.objects.iter().any(|known| known.schema == object);
        if !is_object && !self.files.iter().any(|file| file.api.named_type(object).is_some()) {
            self.named(&Spanned::new(object.to_owned(), field.span));
        }
        let has = |file: &VendorFile<'_>| file.api.named().any(|(_, id)| file.api.fields(id).is_some_and(|of| of.fields.contains_key(name)));
        if !self.files.iter().any(has) {
            self.found.push(no_field_of_names(&field.node, field.span));
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
            let wait = answer.wait.as_ref().and_then(|wait| match wait {
                Wait::Seconds(wait) | Wait::Until(wait) => Some(wait),
                Wait::Limit => None,
            });
            for formula in answer.by.iter().chain(wait) {
                self.formula(formula, &names);
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
