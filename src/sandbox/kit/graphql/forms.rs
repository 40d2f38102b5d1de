//! The vendor's schema, and the documents that are held against it.

use apollo_compiler::ast::Value;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::schema::{FieldDefinition, Type};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::Map;

use crate::value::Json;

/// A schema.
#[derive(Debug, Clone)]
pub struct Forms(Valid<Schema>);

/// A request's document, which passed all rules of the specification.
#[derive(Debug)]
pub struct Document(Valid<ExecutableDocument>);

/// Why a document is refused: a sentence, and the place that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    pub at: Option<(usize, usize)>,
}

impl Problem {
    /// As servers print it.
    pub fn printed(&self) -> Json {
        match self.at {
            Some((line, column)) => serde_json::json!({"message": self.message, "locations": [{"line": line, "column": column}]}),
            None => serde_json::json!({"message": self.message}),
        }
    }
}

impl Forms {
    /// Reads a schema and what extends it, each with its name for messages.
    ///
    /// # Errors
    /// Together they are no valid schema.
    pub fn read(texts: &[(&str, &str)]) -> Result<Forms, String> {
        let mut builder = Schema::builder();
        for (name, text) in texts {
            builder = builder.parse(*text, *name);
        }
        builder.build().and_then(Schema::validate).map(Forms).map_err(|errors| errors.errors.to_string())
    }

    /// Parses and validates a document.
    ///
    /// # Errors
    /// Each rule that it breaks.
    pub fn document(&self, text: &str) -> Result<Document, Vec<Problem>> {
        let problem = |(message, range): (String, Option<std::ops::Range<apollo_compiler::parser::LineColumn>>)| Problem {
            message,
            at: range.map(|range| (range.start.line, range.start.column)),
        };
        match ExecutableDocument::parse_and_validate(&self.0, text, "GraphQL request") {
            Ok(document) => match doubled(&document) {
                Some(name) => Err(vec![Problem { message: format!("There can be only one input field named \"{name}\"."), at: None }]),
                None => Ok(Document(document)),
            },
            Err(failed) => {
                let mut problems: Vec<Problem> =
                    failed.errors.iter().map(|error| problem((error.error.to_string(), error.line_column_range()))).collect();
                // Fields that are refused are left out, and what they were in seems empty then: that is no problem of the document's.
                let is_empty = |problem: &Problem| problem.message.contains("must have a subselection set");
                if problems.iter().any(|problem| !is_empty(problem)) {
                    problems.retain(|problem| !is_empty(problem));
                }
                Err(problems)
            }
        }
    }

    /// The variables of a request, held against what its operation defines.
    ///
    /// # Errors
    /// One that is missing or does not fit.
    pub fn variables(&self, operation: &Operation, given: &Map<String, Json>) -> Result<Map<String, Json>, Problem> {
        let given: JsonMap = given.iter().map(|(name, value)| (name.as_str().into(), theirs(value))).collect();
        match coerce_variable_values(&self.0, operation, &given) {
            Ok(read) => Ok(read.iter().map(|(name, value)| (name.as_str().to_owned(), ours(value))).collect()),
            Err(error) => Err(Problem { message: error.message().to_string(), at: None }),
        }
    }

    /// A field of an object or an interface.
    pub fn field(&self, of: &str, field: &str) -> Option<&FieldDefinition> {
        self.0.type_field(of, field).ok().map(|field| &***field)
    }

    pub fn is_composite(&self, of: &str) -> bool {
        self.0.types.get(of).is_some_and(|of| of.is_object() || of.is_interface() || of.is_union())
    }

    /// Whether an object is one of a type: itself, an interface that it implements, a union that it is in.
    pub fn is_a(&self, object: &str, of: &str) -> bool {
        object == of || self.0.is_subtype(of, object)
    }

    /// A literal that fits its type as the schema wants it: one item for a list is a list, defaults are filled in.
    pub(super) fn shaped(&self, of: &Type, value: Json) -> Json {
        match value {
            Json::Null => Json::Null,
            value if of.is_list() => {
                let item = of.item_type();
                match value {
                    Json::Array(items) => Json::Array(items.into_iter().map(|value| self.shaped(item, value)).collect()),
                    one => Json::Array(vec![self.shaped(item, one)]),
                }
            }
            Json::Object(mut fields) => {
                let Some(input) = self.0.get_input_object(of.inner_named_type()) else { return Json::Object(fields) };
                for (name, field) in &input.fields {
                    if let Some(value) = fields.get_mut(name.as_str()) {
                        *value = self.shaped(&field.ty, value.take());
                    } else if let Some(default) = &field.default_value {
                        fields.insert(name.to_string(), literal(default, &Map::new()));
                    }
                }
                Json::Object(fields)
            }
            Json::Number(number) if of.inner_named_type() == "ID" => Json::String(number.to_string()),
            value => value,
        }
    }
}

impl Document {
    /// The operation that a request means.
    ///
    /// # Errors
    /// There is none, or several and no name says which.
    pub fn operation(&self, name: Option<&str>) -> Result<&Operation, Problem> {
        let found = self.0.operations.get(name).map_err(|error| Problem { message: error.message().to_string(), at: None })?;
        Ok(found)
    }

    pub(super) fn fragment(&self, name: &str) -> Option<&apollo_compiler::executable::Fragment> {
        self.0.fragments.get(name).map(|fragment| &**fragment)
    }
}

/// The first name that an input object has twice: a rule of the specification that the library does not check.
fn doubled(document: &ExecutableDocument) -> Option<String> {
    fn in_value(value: &Value) -> Option<String> {
        match value {
            Value::List(items) => items.iter().find_map(|item| in_value(item)),
            Value::Object(fields) => {
                let twice = fields.iter().enumerate().find(|(at, (name, _))| fields[..*at].iter().any(|(other, _)| other == name));
                twice.map(|(_, (name, _))| name.to_string()).or_else(|| fields.iter().find_map(|(_, value)| in_value(value)))
            }
            _ => None,
        }
    }
    fn in_set(set: &SelectionSet) -> Option<String> {
        set.selections.iter().find_map(|item| match item {
            Selection::Field(field) => {
                let argument = field.arguments.iter().find_map(|argument| in_value(&argument.value));
                argument.or_else(|| in_set(&field.selection_set))
            }
            Selection::InlineFragment(fragment) => in_set(&fragment.selection_set),
            Selection::FragmentSpread(_) => None,
        })
    }
    let in_operation = |operation: &Operation| {
        let default = operation.variables.iter().find_map(|variable| variable.default_value.as_ref().and_then(|value| in_value(value)));
        default.or_else(|| in_set(&operation.selection_set))
    };
    let fragments = || document.fragments.values().find_map(|fragment| in_set(&fragment.selection_set));
    document.operations.iter().find_map(|operation| in_operation(operation)).or_else(fragments)
}

/// A literal with its variables filled in.
pub(super) fn literal(value: &Value, variables: &Map<String, Json>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or_default(),
        Value::Enum(name) => Json::String(name.to_string()),
        Value::String(text) => Json::String(text.clone()),
        Value::Float(number) => number.as_str().parse().map_or(Json::Null, Json::Number),
        Value::Int(number) => number.as_str().parse().map_or(Json::Null, Json::Number),
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::List(items) => Json::Array(items.iter().map(|item| literal(item, variables)).collect()),
        Value::Object(fields) => {
            // A variable that is not given leaves its field out.
            let given = |value: &Value| !matches!(value, Value::Variable(name) if !variables.contains_key(name.as_str()));
            Json::Object(fields.iter().filter(|(_, value)| given(value)).map(|(name, value)| (name.to_string(), literal(value, variables))).collect())
        }
    }
}

fn theirs(value: &Json) -> JsonValue {
    match value {
        Json::Null => JsonValue::Null,
        Json::Bool(truth) => JsonValue::Bool(*truth),
        Json::Number(number) => JsonValue::Number(number.clone()),
        Json::String(text) => JsonValue::String(text.as_str().into()),
        Json::Array(items) => JsonValue::Array(items.iter().map(theirs).collect()),
        Json::Object(fields) => JsonValue::Object(fields.iter().map(|(name, value)| (name.as_str().into(), theirs(value))).collect()),
    }
}

fn ours(value: &JsonValue) -> Json {
    match value {
        JsonValue::Null => Json::Null,
        JsonValue::Bool(truth) => Json::Bool(*truth),
        JsonValue::Number(number) => Json::Number(number.clone()),
        JsonValue::String(text) => Json::String(text.as_str().to_owned()),
        JsonValue::Array(items) => Json::Array(items.iter().map(ours).collect()),
        JsonValue::Object(fields) => Json::Object(fields.iter().map(|(name, value)| (name.as_str().to_owned(), ours(value))).collect()),
    }
}
