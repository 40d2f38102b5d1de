//! `crossdock doctor`: checks connections, credentials, names, the store and the clock.

use std::path::PathBuf;

use super::project::context;
use super::{Exit, Failure, Out};
use crate::app::Context;
use crate::app::backup::StoreCheck;
use crate::app::process::{clock, runtime, transport};
use crate::app::stores::{Access, Checked};
use crate::engine::Alive;
use crate::http::Call;
use crate::project::retention;
use crate::run::connections;

const EXAMPLES: &str = "\
Examples:
  crossdock doctor
  crossdock doctor --env sandbox
  crossdock doctor --deep      also checks every row and every encrypted value

Exit code 1 if something is wrong.";

/// Milliseconds.
const A_MINUTE: i64 = 60_000;

/// Check connections, credentials, names, the store and the clock
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Check every row and every encrypted value of the store, however large it is
    #[arg(long)]
    deep: bool,
}

/// A store up to this size, in bytes, is checked wholly at any time: that takes a second or two.
const SMALL: u64 = 64 << 20;

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = context(args.path.as_ref(), args.env.as_deref(), out)?;
    let plan = context.project.plan()?;
    let mut bad = 0;
    let mut say = |fine: bool, what: &str, out: &mut Out| {
        bad += u32::from(!fine);
        out.line(format!("{}  {what}", if fine { "ok " } else { "BAD" }))
    };
    say(true, &format!("the mapping passes check: plan {}", plan.hash().chars().take(12).collect::<String>()), out)?;
    if context.store.exists() {
        let wholly = args.deep || context.store.size().is_some_and(|size| size <= SMALL);
        store(&context, wholly, &mut say, out)?;
        // A store that cannot be opened was told just now.
        let alive = context.open_store(Access::Read).ok().and_then(|store| Alive::kept(&*store).ok()).flatten();
        if let Some(alive) = alive {
            let ahead = alive.at - jiff::Timestamp::now().as_millisecond();
            if ahead > A_MINUTE {
                say(false, &format!("the clock is {} minutes behind what it was when crossdock last ran", ahead / A_MINUTE), out)?;
            }
            for trouble in &alive.troubles {
                say(false, &format!("the last process reported: {trouble}"), out)?;
            }
        }
    } else {
        say(true, &format!("the store {} does not exist yet: the first run creates it", context.store), out)?;
    }
    for (name, connection) in &context.project.compiled.config.connections {
        // Files are read and written, and nothing is kept of them.
        if connection.system != "files" {
            let days = retention::of_connection(&context.project.compiled.config, name);
            say(true, &format!("{name}: data is kept for this many days: {}", retention::told(&days)), out)?;
        }
    }
    let (transport, clock) = (transport()?, clock());
    let runtime = runtime()?;
    let connectors = match context.connectors(&[], &transport, &clock) {
        Ok(connectors) => connectors,
        Err(failure) => {
            say(false, &failure.message, out)?;
            if let Some(hint) = failure.hint {
                out.line(format!("     {hint}"))?;
            }
            return Ok(Exit::Findings);
        }
    };
    for (name, connector) in &connectors {
        let call = Call::default();
        let began = jiff::Timestamp::now();
        let hello = runtime.block_on(connector.hello(&call));
        match hello {
            Ok(hello) => say(true, &format!("{name}: {hello}"), out)?,
            Err(fault) => say(false, &format!("{name}: {fault}"), out)?,
        }
        let took = jiff::Timestamp::now().duration_since(began);
        if took.as_secs() > 5 {
            say(false, &format!("{name} took {} seconds to answer", took.as_secs()), out)?;
        }
    }
    let mut names = context.project.compiled.names.clone();
    let before = names.clone();
    let mut unread = std::collections::BTreeSet::new();
    for (connection, fault) in runtime.block_on(connections::refresh_names(plan, &connectors, &mut names)) {
        say(false, &format!("the names of {connection} cannot be fetched: {fault}"), out)?;
        unread.insert(connection);
    }
    // What could not be fetched was not compared: nothing is said of it.
    for of in connections::named(plan).into_iter().filter(|of| !unread.contains(&of.connection)) {
        let known = |names: &std::collections::BTreeMap<_, std::sync::Arc<crate::schema::Names>>| {
            names
                .get(&of)
                .map(|names| names.names.iter().map(|named| (named.name.clone(), named.id.to_string())).collect::<Vec<_>>())
                .unwrap_or_default()
        };
        let (old, new) = (known(&before), known(&names));
        let gone: Vec<&str> = old.iter().filter(|known| !new.contains(known)).map(|(name, _)| name.as_str()).collect();
        if gone.is_empty() {
            say(true, &format!("{of}: {} names as in the snapshot", new.len()), out)?;
        } else {
            say(false, &format!("{of}: removed, or with another id than in the snapshot: {}", gone.join(", ")), out)?;
        }
    }
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    say((2024..2100).contains(&year), &format!("the clock says {}", jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ")), out)?;
    Ok(if bad == 0 { Exit::Fine } else { Exit::Findings })
}

/// Whether the store is as it was written; `wholly`: with every row and sealed value.
fn store(context: &Context, wholly: bool, say: &mut dyn FnMut(bool, &str, &mut Out) -> Result<(), Failure>, out: &mut Out) -> Result<(), Failure> {
    let path = &context.store;
    let opened = path.open(Access::Read).and_then(|store| {
        let known = store.exceptions(true, usize::MAX)?.iter().filter(|one| one.code == "damaged").count();
        let checked = if wholly { store.verify()? } else { store.verify_pages().map(|()| Checked::default())? };
        Ok((known, checked))
    });
    let (known, checked) = match opened {
        Ok(found) => found,
        Err(fault) => {
            let failure = Failure::from(fault);
            say(false, &failure.message, out)?;
            return failure.hint.map_or(Ok(()), |hint| out.line(format!("     {hint}")));
        }
    };
    if !checked.damages.is_empty() {
        say(false, &format!("the store {path} is damaged in {} places", checked.damages.len()), out)?;
        super::store::damages(&StoreCheck::of(&context.store, &checked), out)?;
    } else if wholly {
        say(true, &format!("the store {path} is not damaged: {} rows, their encrypted values, and all pages were checked", checked.rows), out)?;
    } else {
        say(true, &format!("the pages of the store {path} are not damaged; `doctor --deep` also checks every row and encrypted value"), out)?;
    }
    if known > 0 {
        say(false, &format!("{known} records were set aside because their rows were damaged: crossdock queue list --code damaged"), out)?;
    }
    Ok(())
}
