//! What the connector itself reads of a record, whatever a mapping reads: ids and stamps, what pages go on from, and each condition of the
//! description. Of GraphQL it is asked for in each document, and what stands beside a record is read where a condition needs it.

use crate::describe::model::{Actions, Described, Hint, IdForm, Look, Object, Paging, Request, There, Write};
use crate::describe::{Filled, Formula, Path, PathStep};

/// The fields that are read of each record of an object.
pub(super) fn of_record(object: &Object) -> Vec<Path> {
    let mut paths: Vec<Path> = object.stamp.iter().chain(&object.version).cloned().collect();
    match &object.id.form {
        IdForm::At(id) => paths.push(id.clone()),
        // Its names are fields of the record.
        IdForm::Of(template) => paths.extend(template.values().flat_map(|value| &value.reads).cloned()),
    }
    for stream in &object.changes {
        paths.extend(stream.stamp.clone());
        match stream.page.as_ref().map(|page| &page.paging) {
            Some(Paging::Keyset { fields, .. }) => paths.extend(fields.iter().cloned()),
            Some(Paging::ByStamp { stamp, .. } | Paging::Token { by_stamp: Some(stamp), .. }) => paths.push(stamp.clone()),
            _ => {}
        }
    }
    paths.extend(object.changes.iter().filter_map(|stream| stream.gone.as_ref()).chain(&object.gone).filter_map(|gone| gone.stamp.clone()));
    paths.extend(conditions(object).into_iter().flat_map(|condition| condition.asks("record")));
    paths
}

/// The conditions that are asked of each record of an object.
fn conditions(object: &Object) -> Vec<&Formula> {
    let streams = &object.changes;
    let gone = streams.iter().filter_map(|stream| stream.gone.as_ref()).chain(&object.gone).filter_map(|gone| gone.when.as_ref());
    let skipped = streams.iter().filter_map(|stream| stream.skip.as_ref());
    let ended = streams.iter().filter_map(|stream| stream.listed.as_ref()?.ended.as_ref());
    let ended = ended.chain(object.get.iter().filter_map(|get| get.ended.as_ref()));
    let only = object.get.iter().map(|get| &get.look).chain(object.find.iter().map(|find| &find.look));
    let only = only.filter_map(|look| if let Look::Ask { only, .. } = look { only.as_ref() } else { None });
    gone.chain(skipped).chain(ended).chain(only).collect()
}

/// Whether a condition reads what a call more brings beside the record, by its name.
pub(super) fn reads_beside(object: &Object, name: &str) -> bool {
    conditions(object).into_iter().flat_map(|condition| &condition.reads).any(|path| {
        let of_record = path.root() == "record" && matches!(path.steps.get(1), Some(PathStep::Name(field)) if field == name);
        of_record || path.root() == name
    })
}

/// What webhooks ask of what is read first, by its name.
pub(super) fn of_hints<'h>(hints: impl Iterator<Item = &'h Hint>, name: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for hint in hints {
        let when = hint.gone.iter().filter_map(|gone| gone.when.as_ref()).chain(&hint.skip);
        found.extend(when.flat_map(|when| when.asks("record").into_iter().chain(when.asks(name))));
        found.extend(hint.gone.iter().filter_map(|gone| gone.stamp.clone()));
    }
    found
}

/// What is read of a record that is looked at before it is written: what calls and actions take of it, and what is asked of its parts.
pub(super) fn of_target(described: &Described, object: &Object) -> Vec<Path> {
    let mut found = Vec::new();
    for write in &object.writes {
        of_write(write, &mut |formula| found.extend(formula.asks("target")));
    }
    for part in &described.objects {
        let Some(of) = part.part_of.as_ref().filter(|of| of.object.node == object.name.node) else { continue };
        for write in &part.writes {
            of_write(write, &mut |formula| {
                found.extend(formula.asks("target"));
                found.extend(formula.asks("parent"));
            });
            if let Some(There::When(when)) = &write.there {
                let below = |at: &Path, path: Path| Path { steps: at.steps.iter().cloned().chain(path.steps).collect(), span: at.span };
                found.extend(of.at.iter().flat_map(|at| when.asks("parts").into_iter().map(|path| below(at, path))));
            }
        }
    }
    found
}

/// The values that a write reads.
fn of_write<'w>(write: &'w Write, see: &mut dyn FnMut(&'w Formula)) {
    let of_steps = write.steps.iter().flat_map(|step| {
        let add = step.add.iter().map(|(ask, _)| ask);
        step.ask.iter().chain(&step.change).chain(&step.remove).chain(add)
    });
    for ask in write.ask.iter().chain(of_steps) {
        match &ask.request {
            Request::Rest { path, query, body, .. } => {
                path.values().for_each(&mut *see);
                query.iter().map(|(_, value)| value).chain(body).for_each(|value| values(value, see));
            }
            Request::GraphQl { arguments, .. } => arguments.iter().for_each(|value| values(value, see)),
        }
        ask.headers.iter().for_each(|(_, value)| values(value, see));
    }
    write.steps.iter().filter_map(|step| step.add.as_ref()?.1.as_ref()).for_each(&mut *see);
    match &write.actions {
        Some(Actions::Fields(fields)) => fields.iter().for_each(|action| values(&action.action, see)),
        Some(Actions::List(list)) => list.iter().for_each(|action| values(action, see)),
        None => {}
    }
}

fn values<'f>(of: &'f Filled, see: &mut dyn FnMut(&'f Formula)) {
    of.templates(&mut |template| template.values().for_each(&mut *see));
}
