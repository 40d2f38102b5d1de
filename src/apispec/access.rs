//! Where an API is, and how it is signed in to, as an OpenAPI document says it.

use indexmap::IndexMap;

use super::openapi::text;
use super::pointer;
use crate::value::Json;

/// An address of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// As the file writes it, with variables in braces: `https://api.{region}.example.com/v1`. No slash at its end.
    pub url: String,
    /// The variables with their usual values.
    pub variables: IndexMap<String, String>,
}

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Its name in the file.
    pub name: String,
    pub kind: SchemeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemeKind {
    /// RFC 7617.
    Basic,
    /// RFC 6750.
    Bearer,
    /// A key in a header, by the header's name.
    Header(String),
    /// A key in the query, by the parameter's name.
    Query(String),
    /// OAuth 2.0 with the client's own credentials: where the token is asked for, and the scopes.
    ClientCredentials { token: String, scopes: Vec<String> },
    /// OAuth 2.0 in a way in which a person takes part: where the token is asked for.
    OfPerson { token: Option<String> },
    /// Another one, by its word: `mutualTLS`.
    Other(String),
}

/// The addresses of an API that can be reached: none of a path alone.
pub fn servers(document: &Json) -> Vec<Server> {
    if document.get("swagger").is_some() {
        let Some(host) = text(document, "host") else { return Vec::new() };
        let scheme = document.get("schemes").and_then(|all| all.get(0)).and_then(Json::as_str).unwrap_or("https");
        let base = text(document, "basePath").unwrap_or_default().trim_end_matches('/');
        return vec![Server { url: format!("{scheme}://{host}{base}"), variables: IndexMap::new() }];
    }
    let server = |node: &Json| {
        let url = text(node, "url")?.trim_end_matches('/').to_owned();
        let variables = node.get("variables").and_then(Json::as_object).into_iter().flatten();
        let variables = variables.map(|(name, said)| (name.clone(), text(said, "default").unwrap_or_default().to_owned()));
        url.contains("://").then(|| Server { url, variables: variables.collect() })
    };
    document.get("servers").and_then(Json::as_array).into_iter().flatten().filter_map(server).collect()
}

/// The ways to sign in that the document names: first those that it demands of all calls.
pub fn schemes(document: &Json) -> Vec<Scheme> {
    let defined = document.get("securityDefinitions").or_else(|| document.get("components")?.get("securitySchemes"));
    let resolve = |node: &'_ Json| match text(node, "$ref") {
        Some(reference) => pointer::get(document, reference.trim()).cloned().unwrap_or_default(),
        None => node.clone(),
    };
    let scheme = |(name, node): (&String, &Json)| Some(Scheme { name: name.clone(), kind: kind(&resolve(node))? });
    let mut all: Vec<Scheme> = defined.and_then(Json::as_object).into_iter().flatten().filter_map(scheme).collect();
    let demanded = document.get("security").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object);
    let demanded: Vec<&String> = demanded.flat_map(serde_json::Map::keys).collect();
    all.sort_by_key(|scheme| demanded.iter().position(|name| **name == scheme.name).unwrap_or(usize::MAX));
    all
}

fn kind(node: &Json) -> Option<SchemeKind> {
    let word = text(node, "type")?;
    let owned = |name: &str| text(node, name).unwrap_or_default().to_owned();
    Some(match word {
        "basic" => SchemeKind::Basic,
        "http" => match text(node, "scheme").map(str::to_ascii_lowercase).as_deref() {
            Some("basic") => SchemeKind::Basic,
            Some("bearer") => SchemeKind::Bearer,
            other => SchemeKind::Other(other.unwrap_or("http").to_owned()),
        },
        "apiKey" => match text(node, "in") {
            Some("query") => SchemeKind::Query(owned("name")),
            Some("header") => SchemeKind::Header(owned("name")),
            other => SchemeKind::Other(format!("apiKey in {}", other.unwrap_or("nothing"))),
        },
        "oauth2" => oauth(node),
        other => SchemeKind::Other(other.to_owned()),
    })
}

fn oauth(node: &Json) -> SchemeKind {
    let scopes = |of: &Json| of.get("scopes").and_then(Json::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let token = |of: &Json| text(of, "tokenUrl").map(str::to_owned);
    if let Some(flows) = node.get("flows").and_then(Json::as_object) {
        return match flows.get("clientCredentials") {
            Some(flow) => SchemeKind::ClientCredentials { token: token(flow).unwrap_or_default(), scopes: scopes(flow) },
            None => SchemeKind::OfPerson { token: flows.values().find_map(token) },
        };
    }
    match text(node, "flow") {
        Some("application") => SchemeKind::ClientCredentials { token: token(node).unwrap_or_default(), scopes: scopes(node) },
        _ => SchemeKind::OfPerson { token: token(node) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_and_sign_ins_of_both_versions_are_read() {
        let three = json!({
            "openapi": "3.0.3", "security": [{"key": []}],
            "servers": [{"url": "/v1"}, {"url": "https://api.{region}.x.example/", "variables": {"region": {"default": "eu"}}}],
            "components": {"securitySchemes": {
                "who": {"type": "http", "scheme": "Bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "API-Key"},
                "own": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://x.example/token", "scopes": {"read": ""}}}},
                "person": {"type": "oauth2", "flows": {"authorizationCode": {"tokenUrl": "https://x.example/t"}}},
            }},
        });
        let server = Server { url: "https://api.{region}.x.example".into(), variables: IndexMap::from([("region".into(), "eu".into())]) };
        assert_eq!(servers(&three), [server]);
        let kinds: Vec<SchemeKind> = schemes(&three).into_iter().map(|scheme| scheme.kind).collect();
        let expected = [
            SchemeKind::Header("API-Key".into()),
            SchemeKind::Bearer,
            SchemeKind::ClientCredentials { token: "https://x.example/token".into(), scopes: vec!["read".into()] },
            SchemeKind::OfPerson { token: Some("https://x.example/t".into()) },
        ];
        assert_eq!(kinds, expected);
        let two = json!({
            "swagger": "2.0", "host": "x.example", "basePath": "/v2/", "schemes": ["https"],
            "securityDefinitions": {"a": {"type": "basic"}, "b": {"type": "apiKey", "in": "query", "name": "k"}},
        });
        assert_eq!(servers(&two)[0].url, "https://x.example/v2");
        let kinds: Vec<SchemeKind> = schemes(&two).into_iter().map(|scheme| scheme.kind).collect();
        assert_eq!(kinds, [SchemeKind::Basic, SchemeKind::Query("k".into())]);
        assert_eq!((servers(&json!({"openapi": "3.1.0"})), schemes(&json!({}))), (vec![], vec![]));
    }
}
