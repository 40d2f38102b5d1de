//! What holds for the connection: answers are called no better than they may be (D2); secrets and hosts stand where they may (D8).

use super::visit;
use crate::base::diag::Diagnostic;
use crate::base::{Span, Spanned};
use crate::describe::model::{AnswerClass, Described, HintBy, Request, SignIn, Verify};
use crate::describe::text::{Formula, Path, Step, Template};
use crate::describe::{error, unsupported};
use crate::syntax::tree::{BinaryOp, Expr, ExprKind};

/// D2: a rule may make an outcome worse by itself, and better only with the vendor's words that nothing was done. What is called success
/// was answered with success.
pub(super) fn answers(described: &Described, found: &mut Vec<Diagnostic>) {
    for rule in &described.answers {
        let is = Statuses::of(&rule.when);
        let may_be_done = || is.may_be(200..300) || is.may_be_failure();
        match rule.is {
            AnswerClass::Ok if is.may_be(100..200) || is.may_be(300..600) => found.push(error::claims_success(rule.when.span)),
            AnswerClass::Ok | AnswerClass::Ambiguous => {}
            _ if rule.nothing_done.is_some() => {}
            // A refusal says by its words that it is one: only a status of failure belies it.
            AnswerClass::Rejected | AnswerClass::Absent | AnswerClass::Exists => {
                if is.are_named && is.may_be_failure() {
                    found.push(error::claims_more(rule.is.word(), rule.when.span));
                }
            }
            AnswerClass::Throttled | AnswerClass::Transient | AnswerClass::Conflict | AnswerClass::Denied | AnswerClass::Expired => {
                if may_be_done() {
                    found.push(error::claims_more(rule.is.word(), rule.when.span));
                }
            }
        }
    }
    if let Some(refresh) = &described.auth.refresh {
        let is = Statuses::of(&refresh.when);
        if is.may_be(200..300) || is.may_be_failure() {
            found.push(error::renews_after_done(refresh.when.span));
        }
    }
}

/// The statuses under which a condition can hold for a write.
struct Statuses {
    /// From 100 to 599.
    may_be: Vec<bool>,
    /// The condition is not of all statuses.
    are_named: bool,
}

impl Statuses {
    fn of(when: &Formula) -> Self {
        let expr = crate::syntax::read_expr(when.span.file, &when.text).ok();
        let may_be: Vec<bool> = (100..600).map(|status| expr.as_ref().is_none_or(|expr| holds(expr, status) != Some(false))).collect();
        Statuses { are_named: may_be.iter().any(|may_be| !may_be), may_be }
    }

    fn may_be(&self, range: std::ops::Range<usize>) -> bool {
        range.into_iter().any(|status| self.may_be.get(status - 100).is_some_and(|may_be| *may_be))
    }

    /// A failure of the system, or a redirect: some systems redirect after they have done a write (RFC 9110, 15.4.4).
    fn may_be_failure(&self) -> bool {
        self.may_be(300..400) || self.may_be(408..409) || self.may_be(500..600)
    }
}

/// Whether a condition holds for a write that is answered with a status; none where that alone does not tell.
fn holds(expr: &Expr, status: u16) -> Option<bool> {
    let is = |expr: &Expr, name: &str| matches!(expr.kind.as_ref(), ExprKind::Name(known) if known == name);
    let number = |expr: &Expr| match expr.kind.as_ref() {
        ExprKind::Number(number) => number.to_string().parse::<f64>().ok(),
        _ => None,
    };
    let word = |expr: &Expr| match expr.kind.as_ref() {
        ExprKind::Name(word) => Some(word.clone()),
        ExprKind::Text(text) => text.plain(),
        _ => None,
    };
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => holds(inner, status),
        ExprKind::Not(inner) => holds(inner, status).map(|holds| !holds),
        ExprKind::Boolean(truth) => Some(*truth),
        ExprKind::In { value, list, negated } if is(value, "status") => {
            let numbers: Option<Vec<f64>> = list.iter().map(number).collect();
            numbers.map(|numbers| numbers.contains(&f64::from(status)) != *negated)
        }
        ExprKind::Binary { op, left, right } => match op.node {
            BinaryOp::And => match (holds(left, status), holds(right, status)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            BinaryOp::Or => match (holds(left, status), holds(right, status)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            BinaryOp::Equal if is(left, "asked") => word(right).map(|word| word == "write"),
            BinaryOp::NotEqual if is(left, "asked") => word(right).map(|word| word != "write"),
            op => {
                let status = f64::from(status);
                let (left, right) = match (is(left, "status"), is(right, "status")) {
                    (true, false) => (status, number(right)?),
                    (false, true) => (number(left)?, status),
                    _ => return None,
                };
                match op {
                    BinaryOp::Equal => Some(left == right),
                    BinaryOp::NotEqual => Some(left != right),
                    BinaryOp::Less => Some(left < right),
                    BinaryOp::LessOrEqual => Some(left <= right),
                    BinaryOp::Greater => Some(left > right),
                    BinaryOp::GreaterOrEqual => Some(left >= right),
                    _ => None,
                }
            }
        },
        _ => None,
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
        // Without hosts that could be read, that has been told.
        if !hosts.is_empty() && !hosts.iter().any(|known| known == host) {
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
    if let Some(hint) = webhooks.hints.first().filter(|_| webhooks.event.is_none()) {
        found.push(error::needs_key("event", hint.event.span, "`webhooks`", "nothing says where the name of the event stands"));
    }
    let is_proved = !matches!(webhooks.verify, Verify::None | Verify::FetchedKey);
    for hint in &webhooks.hints {
        let Some(object) = described.object(&hint.object.node) else {
            let names: Vec<&str> = described.objects.iter().map(|object| object.name.node.as_str()).collect();
            found.push(error::unknown_object(&hint.object.node, hint.object.span, &names));
            continue;
        };
        if let Some(first) = hint.first.as_ref().filter(|first| !object.with.iter().any(|with| with.name.node == first.node)) {
            let known: Vec<&str> = object.with.iter().map(|with| with.name.node.as_str()).collect();
            found.push(error::no_with(&first.node, first.span, &known));
        }
        if matches!(hint.by, HintBy::Id(_)) && !is_proved && object.id.pattern.is_none() {
            found.push(error::id_without_pattern(&object.name.node, hint.event.span));
        }
    }
}
