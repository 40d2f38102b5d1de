//! Named things of a connection: what a mapping calls by name and sends by id.

use std::collections::{BTreeMap, BTreeSet};

use super::open::Link;
use super::view;
use crate::describe::model::{Named as Described, NamedOf, Paging};
use crate::fault::Fault;
use crate::http::Call;
use crate::schema::Named;
use crate::value::Json;

impl Link {
    /// The things of the kinds asked for; all that there are where none is named.
    ///
    /// # Errors
    /// What a call's answer means, where it is not what was asked for.
    pub(super) async fn named(&self, call: &Call, kinds: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault> {
        let mut found = BTreeMap::new();
        for described in self.of.names.iter().filter(|described| kinds.is_empty() || kinds.contains(&described.kind.node)) {
            // A table beside the description is no matter of the system's.
            if let NamedOf::Ask(ask) = &described.of {
                let is_whole = described.page.as_ref().is_none_or(|page| page.paging == Paging::Whole);
                if !is_whole || described.each.is_some() {
                    let why = format!("the list of names `{}` is described in a way that is not supported yet", described.kind.node);
                    return Err(Fault::rejected("names", why, None));
                }
                let mut ask = ask.clone();
                // Of GraphQL the names and ids are asked for.
                let records = ask.records.clone();
                for path in described.name.iter().chain(&described.id).chain(&described.apart) {
                    let steps = records.iter().flat_map(|records| &records.steps).chain(&path.steps).cloned().collect();
                    ask.select.push(crate::describe::Path { steps, span: path.span });
                }
                let parts = self.parts(&ask, &self.scope())?;
                let answer = self.read_parts(call, "", &ask, &parts).await?.ok_or_else(|| self.no_list(&ask, &parts))?;
                let things = self.records(&ask, &parts, &answer)?;
                found.insert(described.kind.node.clone(), named(described, &things));
            }
        }
        Ok(found)
    }
}

/// Each name once: where a second thing has the same, it is called with what tells it apart, or its id.
fn named(of: &Described, things: &[&str]) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for thing in things {
        let (Some(name), Some(id)) = (&of.name, &of.id) else { continue };
        let (Some(name), Some(id)) = (view::text_at(thing, name), view::json_at(thing, id).filter(|id| id.is_string() || id.is_number())) else {
            continue;
        };
        if found.iter().any(|known| known.name == name && known.id == id) {
            continue;
        }
        let name = if found.iter().any(|known| known.name == name) {
            let apart = of.apart.as_ref().and_then(|apart| view::text_at(thing, apart)).unwrap_or_else(|| printed(&id));
            format!("{name} ({apart})")
        } else {
            name
        };
        found.push(Named { name, id });
    }
    found
}

fn printed(id: &Json) -> String {
    crate::describe::printed(id)
}
