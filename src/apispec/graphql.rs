//! A GraphQL schema (SDL) to the one model, and documents held against it.

use apollo_compiler::diagnostic::Diagnostic;
use apollo_compiler::schema::{ExtendedType, FieldDefinition, InputValueDefinition};
use apollo_compiler::validation::{DiagnosticData, DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Node, Schema};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use super::error::SpecError;
use super::model::{Answer, ApiSpec, Fields, Method, Operation, Parameter, Place, Property, Shape, Style, Type, TypeId};

/// Reads a schema: the vendor's text, and texts that correct it (`extend type Order { … }`), each with its name for messages.
///
/// # Errors
/// A text is no GraphQL, or together they are no valid schema.
pub(super) fn read(texts: &[(&str, &str)]) -> Result<ApiSpec, SpecError> {
    let mut builder = Schema::builder();
    for (name, text) in texts {
        builder = builder.parse(*text, *name);
    }
    // Built in since September 2025, and not yet with this crate.
    let (one_of, defined) = ("@oneOf", "directive @oneOf");
    if texts.iter().any(|(_, text)| text.contains(one_of)) && !texts.iter().any(|(_, text)| text.contains(defined)) {
        builder = builder.parse("directive @oneOf on INPUT_OBJECT", "built in");
    }
    let schema = builder.build().and_then(Schema::validate).map_err(|errors| first(&errors.errors, "the schema"))?;
    let mut reader = Reader { schema: &schema, api: ApiSpec::empty(Style::GraphQl), lists: FxHashMap::default() };
    // Every name first, so that types can contain each other.
    for (name, ty) in &schema.types {
        if ty.is_built_in() && !ty.is_scalar() {
            continue;
        }
        let id = reader.api.add(Type { name: Some(name.to_string()), ..Type::default() });
        reader.api.names.insert(name.to_string(), id);
    }
    for (name, ty) in &schema.types {
        let Some(id) = reader.api.names.get(name.as_str()).copied() else { continue };
        let known = reader.named(ty);
        reader.api.types[id.0 as usize] = known;
    }
    let roots = [(Method::Query, &schema.schema_definition.query), (Method::Mutation, &schema.schema_definition.mutation)];
    for (method, root) in roots {
        let Some(fields) = root.as_ref().and_then(|root| schema.get_object(root)) else { continue };
        for (name, field) in &fields.fields {
            let operation = reader.operation(method, name.as_str(), field);
            reader.api.operations.push(operation);
        }
    }
    let mut api = reader.api;
    api.documents = Some(Box::new(schema));
    Ok(api)
}

struct Reader<'s> {
    schema: &'s Valid<Schema>,
    api: ApiSpec,
    /// Lists of each type, made once.
    lists: FxHashMap<TypeId, TypeId>,
}

impl Reader<'_> {
    fn named(&mut self, ty: &ExtendedType) -> Type {
        let mut known = Type {
            name: Some(ty.name().to_string()),
            description: ty.description().map(|said| said.trim().to_owned()).unwrap_or_default(),
            ..Type::default()
        };
        known.shape = match ty {
            ExtendedType::Scalar(scalar) => match scalar.name.as_str() {
                "Int" => Shape::Integer,
                "Float" => Shape::Number,
                "Boolean" => Shape::Boolean,
                "String" | "ID" => Shape::Text,
                other => {
                    known.format = Some(other.to_owned());
                    scalar_shape(other)
                }
            },
            ExtendedType::Enum(values) => {
                known.values = values.values.keys().map(ToString::to_string).collect();
                Shape::Text
            }
            ExtendedType::Object(object) => Shape::Object(self.fields(&object.fields)),
            ExtendedType::Interface(interface) => {
                let mut fields = self.fields(&interface.fields);
                let implementers = self.schema.implementers_map();
                let objects = implementers.get(&interface.name).map(|found| found.objects.iter()).into_iter().flatten();
                fields.variants = objects.filter_map(|name| self.api.names.get(name.as_str()).copied()).collect();
                Shape::Object(fields)
            }
            ExtendedType::Union(union) => Shape::OneOf(union.members.iter().filter_map(|name| self.api.names.get(name.as_str()).copied()).collect()),
            ExtendedType::InputObject(input) => {
                let mut fields = Fields { others: super::model::Others::Closed, ..Fields::default() };
                for (name, field) in &input.fields {
                    fields.fields.insert(name.to_string(), self.input(field));
                }
                Shape::Object(fields)
            }
        };
        known
    }

    fn fields(
        &mut self,
        given: &apollo_compiler::collections::IndexMap<apollo_compiler::Name, apollo_compiler::schema::Component<FieldDefinition>>,
    ) -> Fields {
        let mut fields = Fields { others: super::model::Others::Closed, ..Fields::default() };
        for (name, field) in given {
            let property = Property {
                required: true,
                nullable: !field.ty.is_non_null(),
                arguments: field.arguments.iter().map(|argument| self.argument(argument)).collect(),
                description: said(field.description.as_ref()),
                ..Property::of(self.reference(&field.ty))
            };
            fields.fields.insert(name.to_string(), property);
        }
        fields
    }

    fn input(&mut self, field: &InputValueDefinition) -> Property {
        Property {
            required: field.is_required(),
            nullable: !field.ty.is_non_null(),
            description: said(field.description.as_ref()),
            ..Property::of(self.reference(&field.ty))
        }
    }

    fn argument(&mut self, argument: &InputValueDefinition) -> Parameter {
        Parameter {
            name: argument.name.to_string(),
            place: Place::Argument,
            required: argument.is_required(),
            ty: self.reference(&argument.ty),
            description: said(argument.description.as_ref()),
        }
    }

    fn reference(&mut self, ty: &apollo_compiler::ast::Type) -> TypeId {
        if ty.is_list() {
            let item = self.reference(ty.item_type());
            if let Some(list) = self.lists.get(&item) {
                return *list;
            }
            let list = self.api.add(Type { shape: Shape::List(item), ..Type::default() });
            self.lists.insert(item, list);
            return list;
        }
        // A validated schema defines each name that it uses.
        self.api.names.get(ty.inner_named_type().as_str()).copied().unwrap_or(TypeId(0))
    }

    fn operation(&mut self, method: Method, name: &str, field: &FieldDefinition) -> Operation {
        let answer = Answer { body: Some(self.reference(&field.ty)), headers: IndexMap::new() };
        Operation {
            name: name.to_owned(),
            method,
            path: String::new(),
            parameters: field.arguments.iter().map(|argument| self.argument(argument)).collect(),
            body: None,
            answers: IndexMap::from([("200".to_owned(), answer)]),
            description: said(field.description.as_ref()),
        }
    }
}

/// What the usual custom scalars are in JSON.
fn scalar_shape(name: &str) -> Shape {
    let lower = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["date", "time", "uuid", "url", "html", "email", "locale", "currency", "country"]) {
        Shape::Text
    } else if has(&["long", "bigint"]) {
        Shape::Integer
    } else {
        Shape::Any
    }
}

fn said(text: Option<&Node<str>>) -> String {
    text.map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// The first of a list of faults, with its line and column.
fn first(errors: &DiagnosticList, what: &str) -> SpecError {
    let Some(error) = errors.iter().next() else { return SpecError::new(what, "it is not valid GraphQL") };
    at_place(&error, what)
}

fn at_place(error: &Diagnostic<'_, DiagnosticData>, what: &str) -> SpecError {
    let at = match error.line_column_range() {
        Some(range) => format!("line {}, column {}", range.start.line, range.start.column),
        None => what.to_owned(),
    };
    SpecError::new(at, error.error.to_string())
}

/// What is wrong with a document (queries, mutations, fragments), by all rules of the GraphQL specification.
pub(super) fn faults(schema: &Valid<Schema>, document: &str) -> Vec<SpecError> {
    match ExecutableDocument::parse_and_validate(schema, document, "document.graphql") {
        Ok(_) => Vec::new(),
        Err(failed) => failed.errors.iter().map(|error| at_place(&error, "the document")).collect(),
    }
}
