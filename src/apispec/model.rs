//! One API, whatever form its vendor describes it in: its operations and the types that they take and give.

use indexmap::IndexMap;

/// An API as its vendor describes it.
#[derive(Debug)]
pub struct ApiSpec {
    pub title: String,
    pub version: String,
    pub style: Style,
    /// What the description's own address puts before each path (`basePath`, the path of `servers`): empty, or with a `/` at the
    /// beginning and none at the end.
    pub base_path: String,
    pub operations: Vec<Operation>,
    pub(super) types: Vec<Type>,
    /// Named types: components, definitions, GraphQL types.
    pub(super) names: IndexMap<String, TypeId>,
    /// What GraphQL documents are validated against.
    pub(super) documents: Option<Box<apollo_compiler::validation::Valid<apollo_compiler::Schema>>>,
}

/// The kind of file that an API was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    OpenApi,
    GraphQl,
}

/// A call: a method on a path, or a field of GraphQL's `Query` or `Mutation`.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// `operationId`, or the name of the GraphQL field; empty where the file gives none.
    pub name: String,
    pub method: Method,
    /// The path template as the file writes it, without the base path: `/orders/{id}`. Empty for GraphQL.
    pub path: String,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    /// By status as the file writes it: `200`, `2XX`, `default`. A GraphQL field has one answer, `200`.
    pub answers: IndexMap<String, Answer>,
    pub description: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Put,
    Post,
    Delete,
    Options,
    Head,
    Patch,
    Trace,
    Query,
    Mutation,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub place: Place,
    pub required: bool,
    pub ty: TypeId,
    pub description: String,
}

/// Where a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Path,
    Query,
    Header,
    Cookie,
    /// An argument of a GraphQL field.
    Argument,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// `application/json`, if the operation takes it.
    pub media: String,
    pub required: bool,
    pub ty: TypeId,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// What the JSON body is; none where the file says nothing of a body.
    pub body: Option<TypeId>,
    pub headers: IndexMap<String, TypeId>,
}

/// A type of an [`ApiSpec`]. Types may contain themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub(super) u32);

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Type {
    /// Its name in the file, if it has one.
    pub name: Option<String>,
    pub shape: Shape,
    /// `null` is one of its values.
    pub nullable: bool,
    /// JSON Schema's `format`, or the name of a GraphQL scalar that is not one of the five built in.
    pub format: Option<String>,
    /// The only values; empty where any is allowed.
    pub values: Vec<String>,
    pub limits: Limits,
    pub read_only: bool,
    pub write_only: bool,
    pub deprecated: bool,
    pub description: String,
}

/// Bounds as the file writes them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    pub pattern: Option<String>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub minimum: Option<String>,
    pub maximum: Option<String>,
    pub max_items: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Shape {
    /// The file does not say what it is.
    #[default]
    Any,
    Text,
    Integer,
    Number,
    Boolean,
    List(TypeId),
    Object(Fields),
    /// One of several that share nothing (`oneOf`, `anyOf`, a GraphQL union).
    OneOf(Vec<TypeId>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields {
    /// In the order of the file; those of `allOf` are among them.
    pub fields: IndexMap<String, Property>,
    pub others: Others,
    /// Forms with further fields: `oneOf` beside `properties`, a discriminator's mapping, the implementations of an interface.
    pub variants: Vec<TypeId>,
    pub discriminator: Option<Discriminator>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    pub ty: TypeId,
    /// Always present in an answer, and demanded of a request.
    pub required: bool,
    /// It may be `null`.
    pub nullable: bool,
    pub read_only: bool,
    pub write_only: bool,
    /// Arguments that a GraphQL field takes.
    pub arguments: Vec<Parameter>,
    pub description: String,
}

/// What an object may hold beside its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Others {
    /// The file does not say: it is held to its fields.
    #[default]
    Unstated,
    /// Nothing else.
    Closed,
    /// Any name, with values of this type.
    Of(TypeId),
}

/// Which of an object's forms a record has: by the value of a field.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Discriminator {
    pub field: String,
    pub forms: IndexMap<String, TypeId>,
}

impl Method {
    pub const ALL: [Method; 10] = [
        Method::Get,
        Method::Put,
        Method::Post,
        Method::Delete,
        Method::Options,
        Method::Head,
        Method::Patch,
        Method::Trace,
        Method::Query,
        Method::Mutation,
    ];

    /// As HTTP writes it; `QUERY` and `MUTATION` for GraphQL.
    pub fn word(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Head => "HEAD",
            Method::Patch => "PATCH",
            Method::Trace => "TRACE",
            Method::Query => "QUERY",
            Method::Mutation => "MUTATION",
        }
    }

    pub fn parse(word: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.word().eq_ignore_ascii_case(word))
    }
}

impl Place {
    /// As OpenAPI writes it in `in`.
    pub fn word(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
            Place::Argument => "argument",
        }
    }
}

impl Property {
    pub(super) fn of(ty: TypeId) -> Self {
        Property { ty, required: false, nullable: false, read_only: false, write_only: false, arguments: Vec::new(), description: String::new() }
    }
}

impl ApiSpec {
    pub(super) fn empty(style: Style) -> Self {
        ApiSpec {
            title: String::new(),
            version: String::new(),
            style,
            base_path: String::new(),
            operations: Vec::new(),
            types: Vec::new(),
            names: IndexMap::new(),
            documents: None,
        }
    }

    pub(super) fn add(&mut self, ty: Type) -> TypeId {
        // A description with four thousand million types is not one.
        let id = TypeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX));
        self.types.push(ty);
        id
    }

    /// What a type is.
    pub fn ty(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// The named types, in the order of the file.
    pub fn named(&self) -> impl Iterator<Item = (&str, TypeId)> {
        self.names.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// The type of a name.
    pub fn named_type(&self, name: &str) -> Option<TypeId> {
        self.names.get(name).copied()
    }

    /// The fields of an object; of a list those of its elements are not meant.
    pub fn fields(&self, id: TypeId) -> Option<&Fields> {
        match &self.ty(id).shape {
            Shape::Object(fields) => Some(fields),
            _ => None,
        }
    }
}
