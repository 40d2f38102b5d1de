//! `crossdock demo`: the whole process of a template against sandboxes, in a few seconds. What is done with each template is a file of its own.

mod commercetools;
mod shiphero;
mod shipstation;
mod stage;

use self::stage::{Halt, Stage};
use super::{Exit, Failure, Out};
use crate::sandbox::faults::Faults;

const EXAMPLES: &str = "\
Examples:
  crossdock demo                           40 orders
  crossdock demo --orders 500 --keep       keeps the project and its store
  crossdock demo --faults lost_reply=30    some answers are lost on the way
  crossdock demo --template salesforce-shiphero
  crossdock demo --template commercetools-shipstation

With --keep, look at the result with `crossdock status`, `trace` and `queue`.";

/// Run the whole process of a template in a sandbox: orders out, labels, tracking back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The template
    #[arg(long, value_name = "NAME", default_value = "salesforce-shipstation", value_parser = ["salesforce-shipstation", "salesforce-shiphero", "commercetools-shipstation"])]
    template: String,
    /// How many orders there are
    #[arg(long, default_value_t = 40)]
    orders: usize,
    /// The seed of the generated data: the same seed gives the same orders
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Faults of the network: `none`, `bad-day`, or a list such as lost_reply=30 (of 1,000 requests)
    #[arg(long, default_value = "none")]
    faults: String,
    /// Keep the project and its store afterwards
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let faults = Faults::parse(&args.faults).map_err(Failure::usage)?;
    let folder = std::env::temp_dir().join(format!("crossdock-demo-{}", std::process::id()));
    let script = match args.template.as_str() {
        "commercetools-shipstation" => commercetools::SCRIPT,
        "salesforce-shiphero" => shiphero::SCRIPT,
        _ => shipstation::SCRIPT,
    };
    let told = Stage::set(args, script.systems, faults, &folder, out).and_then(|mut stage| told(&script, &mut stage));
    if args.keep {
        out.note(format!("its project and store: {}", folder.display()));
    } else {
        // A folder that cannot be removed holds nothing but invented data.
        let _ = std::fs::remove_dir_all(&folder);
    }
    told
}

/// The demo of one template.
struct Script {
    /// The shop and the warehouse.
    systems: [&'static str; 2],
    /// The steps until all flows have run; gives the order whose history is shown.
    play: fn(&mut Stage<'_>) -> Result<Option<String>, Halt>,
    /// Tells what the systems themselves say was done; false where something is amiss. The number is of the records that are not at
    /// their end.
    held: fn(&mut Stage<'_>, u64) -> Result<bool, Failure>,
}

/// All steps. Where one fails, or somebody stops the demo, it ends with what was done until then.
fn told(script: &Script, stage: &mut Stage<'_>) -> Result<Exit, Failure> {
    let halt = (script.play)(stage).and_then(|number| stage.looked_at(number.as_deref())).err();
    match &halt {
        None => stage.heading("compared with the sandboxes' own logs", "they do not depend on what Crossdock says about itself")?,
        Some(halt) => stage.heading("the demo ends here", &format!("{}; what was done until then, from the sandboxes' own logs", stage.why(halt)))?,
    }
    let under_way = stage.under_way();
    let fine = (script.held)(stage, under_way.as_ref().copied().unwrap_or_default())?;
    match halt {
        Some(Halt::Failed(failure)) => Err(failure),
        Some(Halt::Stopped) => Ok(Exit::Findings),
        None => under_way.map(|_| if fine { Exit::Fine } else { Exit::Findings }),
    }
}
