//! The beginning of a draft: addresses, sign-in, limits, errors.

use super::found::{answer, fields};
use super::page::Text;
use super::rest::place;
use super::words::{self, is};
use super::{SignIn, Wanted};
use crate::apispec::{ApiSpec, SchemeKind, Server, Shape, TypeId};
use crate::yaml::{in_quotes, quoted};

/// What the file says of how the system is reached.
pub(super) struct Access {
    pub(super) servers: Vec<Server>,
    pub(super) schemes: Vec<SchemeKind>,
}

/// A setting of the connection.
struct Setting {
    name: String,
    said: String,
}

/// What the beginning of a description says.
pub(super) struct Head<'a> {
    pub(super) title: &'a str,
    /// The vendor's file, as `specs` has it.
    pub(super) spec: Option<&'a str>,
    /// What all paths of the file begin with.
    pub(super) prefix: &'a str,
    pub(super) graphql: bool,
}

/// The part of a description above its objects.
pub(super) fn write(wanted: &Wanted, api: Option<&ApiSpec>, access: &Access, head: &Head<'_>, out: &mut Text) {
    let Head { title, spec, prefix, graphql } = *head;
    out.comment(0, "A draft by `crossdock system new`. What it guessed is marked [K] with the reason; what it could not find stands behind TODO.");
    out.comment(0, "Confirm each by the vendor's docs, and take its mark away: `crossdock system check` lists what is left.");
    out.line(0, &format!("system: {}", wanted.name));
    out.line(0, &format!("title: {}", quoted(title)));
    out.line(0, "edition: 1");
    if let Some(spec) = spec {
        out.line(0, &format!("specs: [{spec}]"));
    }
    let (base, server) = address(wanted, access);
    let mut settings: Vec<Setting> = Vec::new();
    let mut url = base.to_owned();
    for (name, usual) in server.into_iter().flat_map(|server| &server.variables) {
        let setting = words::snake(name);
        url = url.replace(&format!("{{{name}}}"), &format!("{{setting.{setting}}}"));
        let said = if usual.is_empty() {
            "{ pattern: '[A-Za-z0-9.-]+' }".to_owned()
        } else {
            format!("{{ pattern: '[A-Za-z0-9.-]+', example: {} }}", quoted(usual))
        };
        settings.push(Setting { name: setting, said });
    }
    let mut path = String::new();
    for part in prefix.split('/').filter(|part| !part.is_empty()) {
        let name = part.trim_matches(['{', '}']);
        let setting = words::snake(name);
        path.push_str(&format!("/{{setting.{setting}}}"));
        settings.push(Setting { name: setting, said: "{ pattern: '[A-Za-z0-9_-]+' }".to_owned() });
    }
    let sign = sign_in(wanted, access, &url);
    settings.extend(sign.settings);
    out.line(0, "settings:");
    for Setting { name, said } in &settings {
        out.line(2, &format!("{}: {said}", quoted(name)));
    }
    let mut hosts = vec![host(&url)];
    hosts.extend(sign.token.iter().map(|token| host(token)).filter(|other| !other.is_empty() && !hosts.contains(other)).collect::<Vec<_>>());
    let hosts: Vec<String> = hosts.iter().map(|host| in_quotes(host)).collect();
    out.line(0, &format!("hosts: [{}]", hosts.join(", ")));
    out.line(0, &format!("base: {}", in_quotes(&format!("{url}{path}"))));
    if let Some(other) = access.servers.iter().map(|server| &server.url).find(|url| **url != base) {
        out.comment(0, &format!("The file names other addresses, too: {other}"));
    }
    if graphql {
        out.guess(0, "graphql: /graphql", "the usual path");
    }
    match &sign.why {
        Some(why) => out.guess(0, &format!("auth: {}", sign.said), why),
        None => out.line(0, &format!("auth: {}", sign.said)),
    }
    sign.todo.iter().for_each(|todo| out.todo(0, todo));
    out.line(0, "limits: [{ blind: true }]");
    out.todo(0, "limits: how many calls may be made, in which time? Look for \"rate limit\": `window: { calls: 100, length: 1 minute }`.");
    if graphql {
        out.guess(0, "error: { each: errors, message: message }", "each GraphQL error has a `message`");
        out.todo(0, "error: where does an error say its code? `extensions.code` in many systems, `code` in some.");
    } else {
        match api.and_then(error_form) {
            Some(error) => out.guess(0, &format!("error: {error}"), "the form of its refusals"),
            None => {
                out.todo(0, "error: where does a refusal say its code and its words? `error: { code: error.code, message: error.message }`");
            }
        }
    }
    out.todo(0, "webhooks: does it send some? The key `webhooks` says how they are proved, and which records they name.");
    out.empty();
}

/// The host of an address, in which names may stand in braces.
fn host(url: &str) -> String {
    url.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

/// The address of the call for a token, which may be one below the API's host.
fn token_address(token: &str, base: &str) -> String {
    if token.contains("://") || token.is_empty() {
        return token.to_owned();
    }
    let scheme = base.split("://").next().unwrap_or("https");
    format!("{scheme}://{}/{}", host(base), token.trim_start_matches('/'))
}

/// The address that is used, and the server of the file that it is.
fn address<'a>(wanted: &'a Wanted, access: &'a Access) -> (&'a str, Option<&'a Server>) {
    if let Some(base) = &wanted.base {
        return (base.trim_end_matches('/'), None);
    }
    let server = access.servers.iter().find(|server| server.url.starts_with("https://")).or(access.servers.first());
    (server.map_or("", |server| server.url.as_str()), server)
}

struct Signs {
    said: String,
    settings: Vec<Setting>,
    /// The address of the call for a token.
    token: Option<String>,
    why: Option<String>,
    todo: Vec<String>,
}

fn secret(name: &str) -> Setting {
    Setting { name: name.to_owned(), said: "{ secret: true }".to_owned() }
}

fn sign_in(wanted: &Wanted, access: &Access, base: &str) -> Signs {
    let known = access.schemes.iter().find(|kind| !matches!(kind, SchemeKind::Other(_)));
    let (kind, why) = match (&wanted.sign_in, known) {
        (Some(SignIn::Bearer), _) => (SchemeKind::Bearer, None),
        (Some(SignIn::Basic), _) => (SchemeKind::Basic, None),
        (Some(SignIn::Header(name)), _) => (SchemeKind::Header(name.clone()), None),
        (Some(SignIn::ClientCredentials(token)), _) => (SchemeKind::ClientCredentials { token: token.clone(), scopes: Vec::new() }, None),
        (None, Some(kind)) => (kind.clone(), None),
        (None, None) => (SchemeKind::Bearer, Some("the file does not say how one signs in; most take a bearer token".to_owned())),
    };
    let mut signs = Signs { said: String::new(), settings: Vec::new(), token: None, why, todo: Vec::new() };
    match kind {
        SchemeKind::Basic => {
            signs.said = "{ basic: { name: \"{setting.username}\", password: \"{setting.password}\" } }".to_owned();
            signs.settings = vec![secret("username"), secret("password")];
        }
        SchemeKind::Header(name) if is(&name, &["authorization"]) => {
            signs.said = format!("{{ header: {{ {}: \"Bearer {{setting.token}}\" }} }}", quoted(&name));
            signs.settings = vec![secret("token")];
            signs.why = Some("the file names the header `Authorization`, and not what stands in it".to_owned());
        }
        SchemeKind::Header(name) => {
            signs.said = format!("{{ header: {{ {}: \"{{setting.api_key}}\" }} }}", quoted(&name));
            signs.settings = vec![secret("api_key")];
        }
        SchemeKind::Query(name) => {
            signs.said = format!("{{ query: {{ {}: \"{{setting.api_key}}\" }} }}", quoted(&name));
            signs.settings = vec![secret("api_key")];
        }
        SchemeKind::ClientCredentials { token, scopes } => {
            let token = token_address(&token, base);
            signs.said = format!("{{ oauth: client_credentials, token: {}, client: basic }}", in_quotes(&token));
            signs.settings = vec![secret("client_id"), secret("client_secret")];
            if !scopes.is_empty() {
                let some: Vec<&str> = scopes.iter().take(8).map(String::as_str).collect();
                signs.todo.push(format!("auth: which scopes are needed? `scope: \"…\"`; the file has {}", some.join(", ")));
            }
            signs.token = Some(token);
        }
        SchemeKind::OfPerson { token } => {
            let token = token_address(&token.unwrap_or_default(), base);
            let address = in_quotes(&token);
            signs.said = format!("{{ oauth: refresh_token, token: {address}, client: basic, refresh_token: \"{{setting.refresh_token}}\" }}");
            signs.settings = vec![secret("client_id"), secret("client_secret"), secret("refresh_token")];
            signs.todo.push("auth: a person allows the access once, which gives a refresh token: how, says the vendor's page on OAuth.".to_owned());
            signs.token = Some(token).filter(|token| !token.is_empty());
        }
        SchemeKind::Bearer | SchemeKind::Other(_) => {
            signs.said = "{ header: { Authorization: \"Bearer {setting.token}\" } }".to_owned();
            signs.settings = vec![secret("token")];
        }
    }
    signs
}

/// How refusals look: by the first answer to a mistake that has a form.
fn error_form(api: &ApiSpec) -> Option<String> {
    let bodies = api
        .operations
        .iter()
        .flat_map(|operation| ["400", "422", "4XX", "404", "default"].iter().filter_map(|status| operation.answers.get(*status)?.body));
    bodies.into_iter().find_map(|body| {
        let list = fields(api, body).find_map(|(name, field)| match api.ty(field.ty).shape {
            Shape::List(item) if is(name, &["errors", "error", "messages"]) => Some((name.clone(), item)),
            _ => None,
        });
        if let Some((each, item)) = list {
            let own = error_of(api, item)?;
            return Some(format!("{{ each: {each}, {}", own.trim_start_matches("{ ")));
        }
        error_of(api, body)
    })
}

/// Where code and words of an error stand.
pub(super) fn error_of(api: &ApiSpec, body: TypeId) -> Option<String> {
    let code = place(api, body, &["code", "errorcode", "errorid", "errortype", "type"]);
    let message = place(api, body, &["message", "errormessage", "detail", "details", "description", "longmessage", "error", "msg", "title"]);
    match (code, message) {
        (Some(code), Some(message)) => Some(format!("{{ code: {code}, message: {message} }}")),
        (None, Some(message)) => Some(format!("{{ message: {message} }}")),
        _ => None,
    }
}

/// The first list, asked for with one record: what `doctor` calls.
pub(super) fn hello(call: &str, query: Option<(&str, &str)>, title: &str, out: &mut Text) {
    let query = query.map_or_else(String::new, |(name, value)| format!(", query: {{ {}: {value} }}", quoted(name)));
    // What stands in braces would be a value.
    let say = in_quotes(&format!("{} at {{host}} answers", title.replace(['{', '}'], "")));
    out.guess(0, &format!("hello: {{ call: {call}{query}, say: {say} }}"), "a call that changes nothing");
}

/// Whether any success of the API has a body at all.
pub(super) fn has_answers(api: &ApiSpec) -> bool {
    api.operations.iter().any(|operation| answer(operation).is_some())
}
