//! Goes through a description: all its calls, and all values that it reads outside of its sign-in and of what proves a webhook.

use crate::describe::model::{
    Actions, Answer, Ask, Described, Gone, HintBy, IdForm, Look, NamedOf, Object, Page, Paging, Pick, Request, Shaped, Stream, There, Wait, WithOf,
    Write,
};
use crate::describe::text::{Filled, Formula, Template};

/// The calls of a description; those of its sign-in are not among them.
pub(super) fn asks<'a>(described: &'a Described, see: &mut dyn FnMut(&'a Ask)) {
    for object in &described.objects {
        object.changes.iter().for_each(|stream| see(&stream.ask));
        object.get.iter().for_each(|get| calls(&get.look, see));
        for find in &object.find {
            calls(&find.look, see);
            find.several.iter().for_each(&mut *see);
        }
        for with in &object.with {
            if let WithOf::Ask(ask) = &with.of {
                see(ask);
            }
        }
        for write in &object.writes {
            write.ask.iter().for_each(&mut *see);
            steps(write, see);
        }
    }
    for named in &described.names {
        if let NamedOf::Ask(ask) = &named.of {
            see(ask);
        }
    }
    if let Some(webhooks) = &described.webhooks {
        for hint in &webhooks.hints {
            if let HintBy::Call(ask) = &hint.by {
                see(ask);
            }
        }
        if let Some(register) = &webhooks.register {
            register.make.iter().chain(&register.remove).chain(&register.list).for_each(&mut *see);
        }
    }
    described.hello.iter().for_each(|hello| see(&hello.ask));
}

/// The calls of a look-up.
fn calls<'a>(look: &'a Look, see: &mut dyn FnMut(&'a Ask)) {
    match look {
        Look::Ask { ask, .. } => see(ask),
        Look::Scan(scan) => see(&scan.ask),
        Look::All(all) => all.iter().for_each(|look| calls(look, see)),
        Look::Get | Look::Parts | Look::Listed | Look::Refused | Look::Hook(_) => {}
    }
}

/// The calls of a write's steps.
pub(super) fn steps<'a>(write: &'a Write, see: &mut dyn FnMut(&'a Ask)) {
    for step in &write.steps {
        step.ask.iter().chain(&step.change).chain(&step.remove).chain(step.add.iter().map(|(ask, _)| ask)).for_each(&mut *see);
    }
}

/// The templates of a call.
pub(super) fn templates<'a>(ask: &'a Ask, see: &mut dyn FnMut(&'a Template)) {
    match &ask.request {
        Request::Rest { path, query, body, .. } => {
            see(path);
            query.iter().for_each(|(_, value)| value.templates(see));
            body.iter().for_each(|body| body.templates(see));
        }
        Request::GraphQl { arguments, .. } => arguments.iter().for_each(|arguments| arguments.templates(see)),
    }
    ask.headers.iter().for_each(|(_, value): &(_, Filled)| value.templates(see));
}

/// The values that a call reads.
pub(super) fn values(ask: &Ask) -> Vec<&Formula> {
    let mut found = Vec::new();
    templates(ask, &mut |template| found.extend(template.values()));
    found
}

/// Whether a call reads a name, or something below it.
pub(super) fn mentions(ask: &Ask, root: &str) -> bool {
    values(ask).iter().any(|value| value.reads.iter().any(|path| path.root() == root))
}

/// All values that a description reads, but those of its sign-in and of what proves a webhook.
pub(super) fn formulas<'a>(described: &'a Described, see: &mut dyn FnMut(&'a Formula)) {
    asks(described, &mut |ask| templates(ask, &mut |template| template.values().for_each(&mut *see)));
    described.hosts.iter().chain([&described.base]).for_each(|template| template.values().for_each(&mut *see));
    described.headers.iter().for_each(|(_, value)| filled(value, see));
    described.answers.iter().for_each(|rule| answer(rule, see));
    described.auth.refresh.iter().for_each(|refresh| see(&refresh.when));
    described.objects.iter().for_each(|object| of_object(object, see));
    described.names.iter().filter_map(|named| named.page.as_ref()).for_each(|of| page(of, see));
    if let Some(webhooks) = &described.webhooks {
        webhooks.pointer.iter().filter_map(|pointer| pointer.hosts.as_ref()).for_each(|hosts| hosts.values().for_each(&mut *see));
        webhooks.challenge.iter().for_each(|challenge| filled(challenge, see));
        for hint in &webhooks.hints {
            gone(hint.gone.as_ref(), see);
            hint.skip.iter().for_each(&mut *see);
        }
    }
    described.hello.iter().for_each(|hello| hello.say.values().for_each(&mut *see));
}

fn filled<'a>(value: &'a Filled, see: &mut dyn FnMut(&'a Formula)) {
    value.templates(&mut |template| template.values().for_each(&mut *see));
}

fn answer<'a>(rule: &'a Answer, see: &mut dyn FnMut(&'a Formula)) {
    see(&rule.when);
    rule.by.iter().for_each(&mut *see);
    if let Some(Wait::Seconds(wait) | Wait::Until(wait)) = &rule.wait {
        see(wait);
    }
}

fn gone<'a>(gone: Option<&'a Gone>, see: &mut dyn FnMut(&'a Formula)) {
    gone.and_then(|gone| gone.when.as_ref()).into_iter().for_each(see);
}

fn pick<'a>(pick: Option<&'a Pick>, see: &mut dyn FnMut(&'a Formula)) {
    if let Some(Pick::Formula(formula)) = pick {
        see(formula);
    }
}

fn page<'a>(page: &'a Page, see: &mut dyn FnMut(&'a Formula)) {
    pick(page.more.as_ref(), see);
    if let Paging::Keyset { asks, .. } = &page.paging {
        asks.iter().for_each(|(_, value)| filled(value, see));
    }
}

fn of_object<'a>(object: &'a Object, see: &mut dyn FnMut(&'a Formula)) {
    if let IdForm::Of(template) = &object.id.form {
        template.values().for_each(&mut *see);
    }
    object.selection.iter().for_each(|(_, value)| filled(value, see));
    object.changes.iter().for_each(|stream| of_stream(stream, see));
    gone(object.gone.as_ref(), see);
    object.derive.iter().for_each(|(_, formula)| see(formula));
    for get in &object.get {
        get.ended.iter().for_each(&mut *see);
        look(&get.look, see);
    }
    object.find.iter().for_each(|find| look(&find.look, see));
    for with in &object.with {
        if let WithOf::Find { value, .. } = &with.of {
            see(value);
        }
    }
    object.writes.iter().for_each(|write| of_write(write, see));
}

fn of_stream<'a>(stream: &'a Stream, see: &mut dyn FnMut(&'a Formula)) {
    stream.page.iter().for_each(|of| page(of, see));
    gone(stream.gone.as_ref(), see);
    stream.skip.iter().for_each(&mut *see);
    for (_, shaped) in &stream.shaped {
        match shaped {
            Shaped::Template(template) => template.values().for_each(&mut *see),
            Shaped::Formula(formula) => see(formula),
        }
    }
    if let Some(listed) = &stream.listed {
        listed.days.values().for_each(&mut *see);
        listed.ended.iter().for_each(&mut *see);
    }
}

fn look<'a>(of: &'a Look, see: &mut dyn FnMut(&'a Formula)) {
    match of {
        Look::Ask { put, only, absent, .. } => {
            put.iter().for_each(|(_, template)| template.values().for_each(&mut *see));
            only.iter().chain(absent).for_each(&mut *see);
        }
        Look::All(all) => all.iter().for_each(|of| look(of, see)),
        _ => {}
    }
}

fn of_write<'a>(write: &'a Write, see: &mut dyn FnMut(&'a Formula)) {
    match &write.actions {
        Some(Actions::Fields(fields)) => fields.iter().for_each(|action| filled(&action.action, see)),
        Some(Actions::List(list)) => list.iter().for_each(|action| filled(action, see)),
        None => {}
    }
    match &write.there {
        Some(There::When(when) | There::Find { when, .. }) => see(when),
        None => {}
    }
    write.steps.iter().filter_map(|step| step.add.as_ref()?.1.as_ref()).for_each(&mut *see);
    write.guarantee.iter().filter_map(|guarantee| guarantee.same.as_ref()).for_each(&mut *see);
    if let Some(receipt) = &write.receipt {
        receipt.ok.iter().chain(&receipt.refused).for_each(&mut *see);
        pick(receipt.id.as_ref(), see);
    }
}
