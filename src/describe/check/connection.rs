//! What holds for the connection: answers are called no better than they may be (D2); secrets and hosts stand where they may (D8).

use super::visit;
use crate::base::diag::Diagnostic;
use crate::base::{Span, Spanned};
use crate::describe::model::{AnswerClass, Described, HintBy, Request, SignIn, Verify};
use crate::describe::text::{Path, Step, Template};
use crate::describe::{error, unsupported};
use crate::syntax::tree::{BinaryOp, Expr, ExprKind};

/// D2: a rule may make an outcome worse by itself, and better only with the vendor's words that nothing was done.
pub(super) fn answers(described: &Described, found: &mut Vec<Diagnostic>) {
    for rule in &described.answers {
        if rule.nothing_done.is_some() {
            continue;
        }
        let statuses = crate::syntax::read_expr(rule.span.file, &rule.when.text).map_or(Statuses::Any, |expr| statuses(&expr));
        let may_be = |range: std::ops::Range<u16>| match &statuses {
            Statuses::Any => true,
            Statuses::None => false,
            Statuses::Of(known) => known.iter().any(|status| range.contains(status)),
        };
        let named = |range: std::ops::Range<u16>| matches!(&statuses, Statuses::Of(known) if known.iter().any(|status| range.contains(status)));
        let better = match rule.is {
            AnswerClass::Throttled | AnswerClass::Transient => may_be(200..300) || may_be(500..600),
            AnswerClass::Rejected | AnswerClass::Absent | AnswerClass::Exists | AnswerClass::Conflict => named(500..600),
            _ => false,
        };
        if better {
            found.push(error::claims_more(rule.is.word(), rule.when.span));
        }
    }
}

/// The statuses under which a condition can hold for a write.
enum Statuses {
    Any,
    None,
    Of(Vec<u16>),
}

fn statuses(expr: &Expr) -> Statuses {
    let is = |expr: &Expr, name: &str| matches!(expr.kind.as_ref(), ExprKind::Name(known) if known == name);
    let number = |expr: &Expr| match expr.kind.as_ref() {
        ExprKind::Number(number) => number.to_string().parse::<u16>().ok(),
        _ => None,
    };
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => statuses(inner),
        ExprKind::In { value, list, negated: false } if is(value, "status") => Statuses::Of(list.iter().filter_map(number).collect()),
        ExprKind::Binary { op, left, right } => match op.node {
            BinaryOp::Equal if is(left, "status") => number(right).map_or(Statuses::Any, |status| Statuses::Of(vec![status])),
            BinaryOp::Equal if is(left, "asked") && is(right, "read") => Statuses::None,
            BinaryOp::And => match (statuses(left), statuses(right)) {
                (Statuses::None, _) | (_, Statuses::None) => Statuses::None,
                (Statuses::Of(left), Statuses::Of(right)) => Statuses::Of(left.into_iter().filter(|status| right.contains(status)).collect()),
                (Statuses::Any, one) | (one, Statuses::Any) => one,
            },
            BinaryOp::Or => match (statuses(left), statuses(right)) {
                (Statuses::Any, _) | (_, Statuses::Any) => Statuses::Any,
                (Statuses::None, one) | (one, Statuses::None) => one,
                (Statuses::Of(left), Statuses::Of(right)) => Statuses::Of(left.into_iter().chain(right).collect()),
            },
            _ => Statuses::Any,
        },
        _ => Statuses::Any,
    }
}

/// A sign-in that is named is there, and where there are several one is the usual.
pub(super) fn sign_ins(described: &Described, found: &mut Vec<Diagnostic>) {
    let auth = &described.auth;
    let names: Vec<&str> = auth.sign_ins.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect();
    let mut named = |name: &Spanned<String>| {
        if !names.contains(&name.node.as_str()) {
            found.push(error::no_sign_in(&name.node, name.span, &names));
        }
    };
    auth.usual.iter().for_each(&mut named);
    let streams = |name: &str| described.objects.iter().flat_map(|object| &object.changes).any(|stream| stream.name.node == name);
    let mut of_streams = Vec::new();
    visit::asks(described, &mut |ask| {
        if let Some(by) = &ask.by {
            // The name of a stream says in which form its records are.
            if !names.contains(&by.node.as_str()) && streams(&by.node) { of_streams.push(by.span) } else { named(by) }
        }
    });
    found.extend(of_streams.into_iter().filter_map(|span| Some(error::unsupported("as", span, unsupported::row("a call", "as")?))));
    if names.len() > 1 && auth.usual.is_none() {
        found.push(error::no_usual_sign_in(auth.span, &names));
    }
}

/// D8: a secret stands in `auth` and in what proves a webhook only.
pub(super) fn secrets(described: &Described, found: &mut Vec<Diagnostic>) {
    let is_secret = |path: &Path| {
        path.root() == "setting"
            && matches!(path.steps.get(1), Some(Step::Name(name)) if described.setting(name).is_some_and(|setting| setting.secret))
    };
    visit::formulas(described, &mut |formula| {
        found.extend(formula.reads.iter().filter(|path| is_secret(path)).map(|path| error::secret_elsewhere(&path.to_string(), path.span)));
    });
    let owners = described.webhooks.iter().flat_map(|webhooks| &webhooks.owner).map(|(_, setting)| setting);
    found.extend(owners.filter(|path| is_secret(path)).map(|path| error::secret_elsewhere(&path.to_string(), path.span)));
}

/// D8: every address is below `hosts`.
pub(super) fn hosts(described: &Described, found: &mut Vec<Diagnostic>) {
    let hosts: Vec<String> = described.hosts.iter().map(written).collect();
    for (host, template) in hosts.iter().zip(&described.hosts) {
        if host.contains("://") || host.contains('/') || host.contains(':') {
            found.push(error::no_bare_host(host, template.span));
        }
    }
    let mut see = |address: &str, span: Span, must: bool| {
        let Some(rest) = address.strip_prefix("https://") else {
            // A path is below the base.
            if must || !address.starts_with('/') {
                found.push(error::no_https(address, span));
            }
            return;
        };
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let host = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(host, |(host, _)| host);
        if !hosts.iter().any(|known| known == host) {
            found.push(error::no_host(host, span, &hosts));
        }
    };
    see(&written(&described.base), described.base.span, true);
    if let Some(graphql) = &described.graphql {
        see(&graphql.node, graphql.span, false);
    }
    let path_of = |request: &Request| match request {
        Request::Rest { path, .. } => Some((written(path), path.span)),
        Request::GraphQl { .. } => None,
    };
    for (_, sign_in) in &described.auth.sign_ins {
        match sign_in {
            SignIn::OAuth { token, .. } => see(&written(token), token.span, false),
            SignIn::Token { call, again, .. } => {
                for (path, span) in std::iter::once(call).chain(again).filter_map(|call| path_of(&call.request)) {
                    see(&path, span, false);
                }
            }
            SignIn::Basic { .. } | SignIn::Header(_) | SignIn::Query(_) => {}
        }
    }
    let mut paths = Vec::new();
    visit::asks(described, &mut |ask| paths.extend(path_of(&ask.request)));
    paths.into_iter().for_each(|(path, span)| see(&path, span, false));
}

/// A template as it is written.
fn written(template: &Template) -> String {
    let piece = |piece: &crate::describe::text::Piece| match piece {
        crate::describe::text::Piece::Text(text) => text.clone(),
        crate::describe::text::Piece::Value { value, .. } => format!("{{{}}}", value.text),
    };
    template.pieces.iter().map(piece).collect()
}

/// D8: a webhook that nothing proves gives only ids of a known form.
pub(super) fn webhooks(described: &Described, found: &mut Vec<Diagnostic>) {
    let Some(webhooks) = &described.webhooks else { return };
    let is_proved = !matches!(webhooks.verify, Verify::None | Verify::FetchedKey);
    for hint in &webhooks.hints {
        let Some(object) = described.object(&hint.object.node) else {
            let names: Vec<&str> = described.objects.iter().map(|object| object.name.node.as_str()).collect();
            found.push(error::unknown_object(&hint.object.node, hint.object.span, &names));
            continue;
        };
        if matches!(hint.by, HintBy::Id(_)) && !is_proved && object.id.pattern.is_none() {
            found.push(error::id_without_pattern(&object.name.node, hint.event.span));
        }
    }
}
