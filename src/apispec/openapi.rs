//! OpenAPI 2.0, 3.0 and 3.1 to the one model.

use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use super::error::SpecError;
use super::model::{Answer, ApiSpec, Body, Method, Operation, Parameter, Place, Property, Shape, Style, Type, TypeId};
use super::pointer;
use crate::value::Json;

/// What is read, and what has been read of it. Named schemas get their ids when they are first met, and are read afterwards:
/// so they may contain themselves.
pub(super) struct Reader<'d> {
    pub(super) document: &'d Json,
    pub(super) api: ApiSpec,
    /// By reference: the id that it has.
    ids: FxHashMap<String, TypeId>,
    /// Met and not yet read.
    waiting: Vec<(TypeId, String)>,
}

/// Reads an OpenAPI document.
///
/// # Errors
/// It is no OpenAPI document of version 2 or 3, or a reference in it leads nowhere.
pub(super) fn read(document: &Json) -> Result<ApiSpec, SpecError> {
    let two = match (text(document, "swagger"), text(document, "openapi")) {
        (Some(version), _) if version.starts_with("2.") => true,
        (_, Some(version)) if version.starts_with("3.") => false,
        (Some(version), _) | (_, Some(version)) => {
            return Err(SpecError::new("/", format!("this is OpenAPI {version}")).help("versions 2.0, 3.0 and 3.1 can be read"));
        }
        // YAML writes `openapi: 3.1` as a number.
        (None, None) if document.get("openapi").is_some_and(Json::is_number) => false,
        (None, None) if document.get("swagger").is_some_and(Json::is_number) => true,
        (None, None) => {
            return Err(SpecError::new("/", "this is no OpenAPI description: it has neither `openapi` nor `swagger` with a version")
                .help("pass the vendor's OpenAPI file (JSON or YAML); a GraphQL schema is passed with `--graphql`"));
        }
    };
    let mut api = ApiSpec::empty(Style::OpenApi);
    let info = document.get("info").unwrap_or(&Json::Null);
    api.title = text(info, "title").unwrap_or_default().to_owned();
    api.version = text(info, "version").unwrap_or_default().to_owned();
    api.base_path = base_path(document, two);
    let mut reader = Reader { document, api, ids: FxHashMap::default(), waiting: Vec::new() };
    let prefix = if two { "#/definitions/" } else { "#/components/schemas/" };
    let named = if two { document.get("definitions") } else { document.get("components").and_then(|parts| parts.get("schemas")) };
    for name in named.and_then(Json::as_object).into_iter().flat_map(serde_json::Map::keys) {
        reader.reference(&format!("{prefix}{}", pointer::escaped(name)), "/")?;
    }
    let Some(paths) = document.get("paths").and_then(Json::as_object) else {
        return Err(SpecError::new("/", "it has no `paths`").help("the description of an API lists its calls below `paths`"));
    };
    for (path, item) in paths {
        if path.starts_with("x-") {
            continue;
        }
        let at = format!("/paths/{}", pointer::escaped(path));
        let item = reader.resolved(item, &at)?;
        reader.path_item(path, item, two, &at)?;
    }
    while let Some((id, reference)) = reader.waiting.pop() {
        let node = pointer::get(document, &reference).ok_or_else(|| nowhere(&reference, &reference))?;
        let mut ty = reader.schema(node, reference.trim_start_matches('#'))?;
        ty.name = reader.api.ty(id).name.clone();
        reader.api.types[id.0 as usize] = ty;
    }
    Ok(reader.api)
}

fn base_path(document: &Json, two: bool) -> String {
    let path = if two {
        text(document, "basePath").unwrap_or_default().to_owned()
    } else {
        let server = document.get("servers").and_then(|servers| servers.get(0));
        let mut url = server.and_then(|server| text(server, "url")).unwrap_or_default().to_owned();
        for (name, variable) in server.and_then(|server| server.get("variables")).and_then(Json::as_object).into_iter().flatten() {
            if let Some(usual) = text(variable, "default") {
                url = url.replace(&format!("{{{name}}}"), usual);
            }
        }
        match url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or(String::new(), |at| rest[at..].to_owned()),
            None => url,
        }
    };
    let path = path.trim_end_matches('/');
    if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

impl<'d> Reader<'d> {
    /// The type behind a reference, read or to be read.
    pub(super) fn reference(&mut self, reference: &str, at: &str) -> Result<TypeId, SpecError> {
        let reference = reference.trim();
        if let Some(id) = self.ids.get(reference) {
            return Ok(*id);
        }
        if pointer::get(self.document, reference).is_none() {
            // ShipEngine's file names components by the files that they came from.
            if let Some(short) = reference.strip_suffix(".yaml").or_else(|| reference.strip_suffix(".json"))
                && reference.starts_with('#')
                && pointer::get(self.document, short).is_some()
            {
                return self.reference(short, at);
            }
            return Err(nowhere(reference, at));
        }
        let last = reference.rsplit('/').next().map(pointer::plain).unwrap_or_default();
        let id = self.api.add(Type { name: Some(last.clone()), ..Type::default() });
        self.ids.insert(reference.to_owned(), id);
        let component =
            ["#/components/schemas/", "#/definitions/"].iter().any(|prefix| reference.strip_prefix(prefix).is_some_and(|rest| !rest.contains('/')));
        if component {
            self.api.names.insert(last, id);
        }
        self.waiting.push((id, reference.to_owned()));
        Ok(id)
    }

    /// What a node is, behind any number of references.
    pub(super) fn resolved(&self, node: &'d Json, at: &str) -> Result<&'d Json, SpecError> {
        let mut node = node;
        for _ in 0..64 {
            let Some(reference) = text(node, "$ref") else { return Ok(node) };
            node = pointer::get(self.document, reference.trim()).ok_or_else(|| nowhere(reference, at))?;
        }
        Err(SpecError::new(at, "this reference leads back to itself"))
    }

    fn path_item(&mut self, path: &str, item: &'d Json, two: bool, at: &str) -> Result<(), SpecError> {
        for (word, node) in item.as_object().into_iter().flatten() {
            let Some(method) = Method::parse(word) else { continue };
            let at = format!("{at}/{word}");
            let mut operation = Operation {
                name: text(node, "operationId").unwrap_or_default().to_owned(),
                method,
                path: path.to_owned(),
                parameters: Vec::new(),
                body: None,
                answers: IndexMap::new(),
                description: text(node, "description").or_else(|| text(node, "summary")).unwrap_or_default().trim().to_owned(),
            };
            let mut form = Type { shape: Shape::Object(super::model::Fields::default()), ..Type::default() };
            for list in [item.get("parameters"), node.get("parameters")] {
                for parameter in list.and_then(Json::as_array).into_iter().flatten() {
                    let at = format!("{at}/parameters");
                    let parameter = self.resolved(parameter, &at)?;
                    self.parameter(parameter, &mut operation, &mut form, &at)?;
                }
            }
            if let Shape::Object(fields) = &form.shape
                && !fields.fields.is_empty()
            {
                let required = fields.fields.values().any(|field| field.required);
                let ty = self.api.add(form);
                operation.body = Some(Body { media: "application/x-www-form-urlencoded".to_owned(), required, ty });
            }
            if let Some(body) = node.get("requestBody") {
                let at = format!("{at}/requestBody");
                let body = self.resolved(body, &at)?;
                if let Some((media, ty)) = self.content(body, &at)? {
                    operation.body = Some(Body { media, required: truth(body, "required"), ty });
                }
            }
            for (status, answer) in node.get("responses").and_then(Json::as_object).into_iter().flatten() {
                if status.starts_with("x-") {
                    continue;
                }
                let at = format!("{at}/responses/{status}");
                let answer = self.resolved(answer, &at)?;
                let body = if two {
                    answer.get("schema").map(|schema| self.type_of(schema, &at)).transpose()?
                } else {
                    self.content(answer, &at)?.map(|(_, ty)| ty)
                };
                let mut headers = IndexMap::new();
                for (name, header) in answer.get("headers").and_then(Json::as_object).into_iter().flatten() {
                    let header = self.resolved(header, &at)?;
                    let ty = self.type_of(header.get("schema").unwrap_or(header), &at)?;
                    headers.insert(name.clone(), ty);
                }
                operation.answers.insert(status.clone(), Answer { body, headers });
            }
            self.api.operations.push(operation);
        }
        Ok(())
    }

    fn parameter(&mut self, node: &'d Json, operation: &mut Operation, form: &mut Type, at: &str) -> Result<(), SpecError> {
        let name = text(node, "name").unwrap_or_default().to_owned();
        let required = truth(node, "required");
        let place = match text(node, "in") {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") => Place::Header,
            Some("cookie") => Place::Cookie,
            Some("body") => {
                let ty = self.type_of(node.get("schema").unwrap_or(&Json::Null), at)?;
                operation.body = Some(Body { media: "application/json".to_owned(), required, ty });
                return Ok(());
            }
            Some("formData") => {
                let ty = self.type_of(node, at)?;
                if let Shape::Object(fields) = &mut form.shape {
                    fields.fields.insert(name, Property { required, ..Property::of(ty) });
                }
                return Ok(());
            }
            other => {
                let said = other.unwrap_or("nothing");
                return Err(
                    SpecError::new(at, format!("`in` of the parameter `{name}` is `{said}`")).help("it is `path`, `query`, `header` or `cookie`")
                );
            }
        };
        let schema = match (node.get("schema"), node.get("content")) {
            (Some(schema), _) => schema,
            (None, Some(content)) => {
                content.as_object().and_then(|all| all.values().next()).and_then(|media| media.get("schema")).unwrap_or(&Json::Null)
            }
            // Version 2 writes the type into the parameter itself.
            (None, None) => node,
        };
        let ty = self.type_of(schema, at)?;
        let description = text(node, "description").unwrap_or_default().trim().to_owned();
        let parameter = Parameter { required: required || place == Place::Path, name, place, ty, description };
        // What the operation says of a parameter stands over what its path says.
        match operation.parameters.iter_mut().find(|known| known.place == place && known.name == parameter.name) {
            Some(known) => *known = parameter,
            None => operation.parameters.push(parameter),
        }
        Ok(())
    }

    /// The body of a request or an answer: JSON if it can be, else the first.
    fn content(&mut self, node: &'d Json, at: &str) -> Result<Option<(String, TypeId)>, SpecError> {
        let Some(content) = node.get("content").and_then(Json::as_object) else { return Ok(None) };
        let json = |media: &&String| media.starts_with("application/json") || media.contains("+json");
        let Some(media) = content.keys().find(json).or_else(|| content.keys().next()) else { return Ok(None) };
        let Some(schema) = content.get(media).and_then(|media| media.get("schema")) else { return Ok(None) };
        Ok(Some((media.clone(), self.type_of(schema, at)?)))
    }
}

pub(super) fn text<'n>(node: &'n Json, name: &str) -> Option<&'n str> {
    node.get(name).and_then(Json::as_str)
}

pub(super) fn truth(node: &Json, name: &str) -> bool {
    node.get(name).and_then(Json::as_bool).unwrap_or(false)
}

pub(super) fn nowhere(reference: &str, at: &str) -> SpecError {
    let error = SpecError::new(at, format!("the reference `{}` leads nowhere", reference.trim()));
    if reference.trim().starts_with('#') {
        error.help("correct it with an overlay, or ask the vendor for the whole file")
    } else {
        error.help("references to other files are not followed: bundle the description into one file first")
    }
}
