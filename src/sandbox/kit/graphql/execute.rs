//! Carrying out what a document asks for: the fields that it selects, of what the system holds.

use apollo_compiler::ast::DirectiveList;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::schema::Type;
use serde_json::Map;

use super::forms::{Document, Forms, literal};
use crate::value::Json;

/// What the system holds, by what a document asks for.
pub trait Resolver {
    /// A field of an object. `body` is what the object was answered as; most fields stand in it.
    ///
    /// # Errors
    /// Why it cannot be answered.
    fn field(&self, of: &str, body: &Json, field: &str, arguments: &Map<String, Json>) -> Result<Json, String>;
}

/// One field that is asked for, with everything that is asked of it.
pub struct Call<'d> {
    /// Under which name it is answered.
    pub key: &'d str,
    pub field: &'d str,
    pub arguments: Map<String, Json>,
    /// The type of its value.
    pub of: &'d Type,
    sets: Vec<&'d SelectionSet>,
}

/// A request while it is carried out.
pub struct Execution<'d> {
    pub forms: &'d Forms,
    document: &'d Document,
    variables: Map<String, Json>,
}

impl<'d> Execution<'d> {
    /// `variables` are those that [`Forms::variables`] gives.
    pub fn new(forms: &'d Forms, document: &'d Document, variables: Map<String, Json>) -> Self {
        Execution { forms, document, variables }
    }

    /// The fields at the root of an operation, in the order of the document.
    pub fn calls(&self, operation: &'d Operation) -> Vec<Call<'d>> {
        self.collected(operation.object_type(), &[&operation.selection_set])
    }

    /// The fields below a field.
    pub fn below(&self, call: &Call<'d>) -> Vec<Call<'d>> {
        self.collected(call.of.inner_named_type(), &call.sets)
    }

    fn collected(&self, of: &str, sets: &[&'d SelectionSet]) -> Vec<Call<'d>> {
        let mut calls = Vec::new();
        for set in sets {
            self.collect(of, set, &mut Vec::new(), &mut calls);
        }
        calls
    }

    fn collect(&self, of: &str, set: &'d SelectionSet, seen: &mut Vec<&'d str>, out: &mut Vec<Call<'d>>) {
        for item in &set.selections {
            if !self.is_wanted(item.directives()) {
                continue;
            }
            match item {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    if let Some(known) = out.iter_mut().find(|known| known.key == key) {
                        known.sets.push(&field.selection_set);
                        continue;
                    }
                    let mut arguments = Map::new();
                    for input in &field.definition.arguments {
                        let given = field.arguments.iter().find(|argument| argument.name == input.name).map(|argument| &*argument.value);
                        // A variable that is not given is an argument that is not given.
                        let given = given.filter(|value| value.as_variable().is_none_or(|name| self.variables.contains_key(name.as_str())));
                        let value = given.or(input.default_value.as_deref()).map(|value| literal(value, &self.variables));
                        if let Some(value) = value {
                            arguments.insert(input.name.to_string(), self.forms.shaped(&input.ty, value));
                        }
                    }
                    out.push(Call { key, field: field.name.as_str(), arguments, of: &field.definition.ty, sets: vec![&field.selection_set] });
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragment(&spread.fragment_name) else { continue };
                    if !seen.contains(&spread.fragment_name.as_str()) && self.forms.is_a(of, fragment.type_condition()) {
                        seen.push(spread.fragment_name.as_str());
                        self.collect(of, &fragment.selection_set, seen, out);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    if fragment.type_condition.as_ref().is_none_or(|on| self.forms.is_a(of, on)) {
                        self.collect(of, &fragment.selection_set, seen, out);
                    }
                }
            }
        }
    }

    /// What `@skip` and `@include` say.
    fn is_wanted(&self, directives: &DirectiveList) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.arguments.iter().find(|argument| argument.name == "if");
            let holds = condition.is_some_and(|argument| literal(&argument.value, &self.variables) == Json::Bool(true));
            holds == (directive.name == "include")
        })
    }

    /// Answers a field whose value is `body`. `items` counts the nodes of connections that are answered.
    ///
    /// # Errors
    /// What a field below cannot be answered for.
    pub fn answer(&self, body: &Json, call: &Call<'d>, from: &dyn Resolver, items: &mut u64) -> Result<Json, String> {
        self.value(call.of, body, &call.sets, from, items)
    }

    fn value(&self, of: &Type, body: &Json, sets: &[&'d SelectionSet], from: &dyn Resolver, items: &mut u64) -> Result<Json, String> {
        if body.is_null() {
            return Ok(Json::Null);
        }
        if of.is_list() {
            let Json::Array(all) = body else { return Ok(Json::Null) };
            if of.inner_named_type().ends_with("Edge") {
                *items += all.len() as u64;
            }
            return all.iter().map(|one| self.value(of.item_type(), one, sets, from, items)).collect::<Result<_, _>>().map(Json::Array);
        }
        let of = of.inner_named_type();
        if !self.forms.is_composite(of) {
            return Ok(body.clone());
        }
        let mut out = Map::new();
        for call in self.collected(of, sets) {
            let value = match call.field {
                "__typename" => Json::from(of.as_str()),
                field => {
                    let value = from.field(of, body, field, &call.arguments)?;
                    self.value(call.of, &value, &call.sets, from, items)?
                }
            };
            out.insert(call.key.to_owned(), value);
        }
        Ok(Json::Object(out))
    }
}
