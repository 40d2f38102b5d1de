//! Credentials are settings, are secret, and stand under `auth` (D8).

use super::visit;
use crate::base::diag::Diagnostic;
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::model::{Described, Request, Setting, SignIn};
use crate::describe::text::{Filled, Step, Template};

/// Words in the names of headers and parameters that prove who asks.
const WORDS: [&str; 11] =
    ["authorization", "cookie", "apikey", "accesskey", "accesstoken", "authtoken", "authkey", "secret", "password", "subscriptionkey", "bearer"];

pub(super) fn credentials(described: &Described, found: &mut Vec<Diagnostic>) {
    for (name, sign_in) in &described.auth.sign_ins {
        let of = if name.is_empty() { "the credential".to_owned() } else { format!("the credential of `{name}`") };
        one_of(described, &of, &parts(sign_in), found);
        if let SignIn::Header(all) | SignIn::Query(all) = sign_in {
            for (name, template) in all.iter().filter(|(name, _)| all.len() > 1 && is_credential(&name.node)) {
                one_of(described, &format!("`{}`", name.node), &[template], found);
            }
        }
    }
    for (to, template) in described.auth.send.iter().filter(|(to, _)| is_credential(&to.node)) {
        if template.values().next().is_none() {
            found.push(error::written_out(&format!("`{}`", to.node), template.span));
        }
    }
    let mut see = |named: &[(Spanned<String>, Filled)]| {
        for (name, value) in named.iter().filter(|(name, _)| is_credential(&name.node)) {
            beside_auth(described, name, value, found);
        }
    };
    see(&described.headers);
    visit::asks(described, &mut |ask| {
        see(&ask.headers);
        if let Request::Rest { query, .. } = &ask.request {
            see(query);
        }
    });
}

/// At least one of the templates of a sign-in has a secret in it.
fn one_of(described: &Described, what: &str, templates: &[&Template], found: &mut Vec<Diagnostic>) {
    let values = || templates.iter().flat_map(|template| template.values()).flat_map(|value| &value.reads);
    let Some(first) = templates.first() else { return };
    if values().next().is_none() {
        found.push(error::written_out(what, first.span));
        return;
    }
    let settings: Vec<(&Setting, Span)> = values().filter_map(|path| Some((setting(described, path)?, path.span))).collect();
    // What a first call gives is no setting.
    let others = values().any(|path| path.root() != "setting");
    if let (Some((setting, span)), false) = (settings.last(), others || settings.iter().any(|(setting, _)| setting.secret)) {
        found.push(error::no_secret(&setting.name.node, *span));
    }
}

/// A credential among the headers or parameters of calls.
fn beside_auth(described: &Described, name: &Spanned<String>, value: &Filled, found: &mut Vec<Diagnostic>) {
    match value {
        Filled::Template(template) if template.plain().is_some_and(|text| !text.is_empty()) => {
            found.push(error::written_out(&format!("`{}`", name.node), template.span));
        }
        // A secret there is told as one.
        Filled::Template(template) => {
            let settings = template.values().flat_map(|value| &value.reads).filter_map(|path| setting(described, path));
            if settings.into_iter().any(|setting| !setting.secret) {
                found.push(error::credential_elsewhere(&name.node, name.span));
            }
        }
        Filled::Json(_) | Filled::List(_) | Filled::Map(_) => {}
    }
}

fn setting<'d>(described: &'d Described, path: &crate::describe::text::Path) -> Option<&'d Setting> {
    match (path.root(), path.steps.get(1)) {
        ("setting", Some(Step::Name(name))) => described.setting(name),
        _ => None,
    }
}

/// Whether a header or a parameter of this name proves who asks.
fn is_credential(name: &str) -> bool {
    let bare: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    WORDS.iter().any(|word| bare.contains(word))
}

/// What a sign-in proves by.
fn parts(sign_in: &SignIn) -> Vec<&Template> {
    match sign_in {
        SignIn::Basic { name, password } => vec![password, name],
        SignIn::Header(all) | SignIn::Query(all) => all.iter().map(|(_, template)| template).collect(),
        SignIn::OAuth { client_secret, refresh_token, .. } => std::iter::once(client_secret).chain(refresh_token).collect(),
        SignIn::Token { call, .. } => {
            let mut found = Vec::new();
            if let Request::Rest { query, body, .. } = &call.request {
                query.iter().map(|(_, value)| value).chain(body).for_each(|value| value.templates(&mut |template| found.push(template)));
            }
            found
        }
    }
}
