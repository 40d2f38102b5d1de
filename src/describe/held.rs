//! What the writes of a description are held to. The class and all else follow in `system`, for the manifest as for what is carried out.

use super::model::{Actions, Ask, Batch, Described, Object, Request, Write};
use super::text::{Filled, Piece, Step as PathStep, Template};
use crate::system::{Asked, DescribedWrite, Means, Operation, WriteRule};

impl Described {
    /// A write as the description says it.
    pub fn said(&self, object: &Object, write: &Write) -> DescribedWrite {
        // A part is written by the update of what it is part of, and held to what that one is.
        let whole = object.part_of.as_ref().map(|part| {
            let of = self.object(&part.object.node);
            of.and_then(|of| of.writes.iter().find(|write| write.name.node == "update"))
        });
        let guarantee = write.guarantee.as_ref().or_else(|| whole.flatten()?.guarantee.as_ref());
        let rest = write.steps.iter().find(|step| step.covers.is_empty());
        let asks = write.ask.iter().chain(rest.into_iter().chain(&write.steps).filter_map(|step| step.ask.as_ref()));
        let call = asks.map(call).next().or_else(|| whole.flatten()?.ask.as_ref().map(call));
        DescribedWrite {
            object: object.name.node.clone(),
            name: write.name.node.clone(),
            means: guarantee.map_or(Means::None, |guarantee| guarantee.by.node),
            key: write.key.iter().map(|key| key.node.clone()).collect(),
            field: guarantee.and_then(|guarantee| guarantee.field.as_ref()).map(|field| field.node.clone()),
            settle: guarantee.and_then(|guarantee| guarantee.settle),
            call,
            batch: match &write.batch {
                Batch::Together(most) | Batch::Aliases(most) => *most,
                Batch::Groups { in_group, .. } => *in_group,
            },
            replaces: write.replaces.is_some(),
            together: write.together.iter().map(|field| field.node.clone()).collect(),
            part: whole.map(|_| part_fields(write)),
        }
    }

    /// The first write of an object that is for an operation, and for the field that a flow's key goes to: the one that the manifest's
    /// rule is of.
    pub fn write_for<'o>(&self, object: &'o Object, operation: Operation, key_field: Option<&str>) -> Option<&'o Write> {
        let asked = Asked { object: &object.name.node, operation, key_field, keys: &[], searchable: &[] };
        let fits = |rule: &WriteRule| rule.fits(&asked);
        object.writes.iter().find(|write| self.said(object, write).rule().as_ref().is_some_and(fits))
    }
}

/// The call, for people: `POST /orders`, `mutation order_create`.
fn call(ask: &Ask) -> String {
    match &ask.request {
        Request::Rest { method, path, .. } => format!("{method} {}", written(path)),
        Request::GraphQl { field, .. } => format!("mutation {}", field.node),
    }
}

fn written(template: &Template) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value { value, optional, .. } => format!("{{{}{}}}", value.text, if *optional { "?" } else { "" }),
    };
    template.pieces.iter().map(piece).collect()
}

/// The fields of an item that the actions of a write read.
fn part_fields(write: &Write) -> Vec<String> {
    let actions: Vec<&Filled> = match &write.actions {
        Some(Actions::Fields(fields)) => fields.iter().map(|field| &field.action).collect(),
        Some(Actions::List(list)) => list.iter().collect(),
        None => Vec::new(),
    };
    let mut fields = Vec::new();
    let mut see = |template: &Template| {
        let reads = template.values().flat_map(|value| &value.reads).filter(|path| path.root() == "item");
        fields.extend(reads.filter_map(|path| if let Some(PathStep::Name(name)) = path.steps.get(1) { Some(name.clone()) } else { None }));
    };
    actions.into_iter().for_each(|action| action.templates(&mut see));
    fields.sort();
    fields.dedup();
    fields
}
