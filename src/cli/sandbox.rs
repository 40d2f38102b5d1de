//! `crossdock sandbox`: starts the imitated systems, acts in them, and shows their logs.

mod needs;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use self::needs::objects_in;
use self::needs::{Needs, needs};
use super::{Exit, Failure, Out};
use crate::app::process::{clock, runtime, transport};
use crate::http::{Clock, Transport};
use crate::sandbox::faults::{FaultKit, Faults, Faulty};
use crate::sandbox::server::{Running, listen, serve};
use crate::sandbox::user_actions::Takes;
use crate::sandbox::{Act, System, commercetools, salesforce, shiphero, shipstation, user_actions};
use crate::system;
use crate::value::Json;

/// Where a sandbox answers unless told otherwise; none where there is no such sandbox.
pub(super) fn usual_port(system: &str) -> Option<u16> {
    system::manifest(system).and_then(|manifest| Some(manifest.sandbox?.port))
}

/// The name of a system that there is a sandbox of.
fn known(system: &str) -> Result<&'static str, Failure> {
    let all = imitated();
    all.iter().copied().find(|name| *name == system).ok_or_else(|| Failure::unknown("sandbox of", system, all))
}

/// The systems that there is a sandbox of.
fn imitated() -> Vec<&'static str> {
    let mut all: Vec<&str> = system::all().filter(|(_, manifest)| manifest.sandbox.is_some()).map(|(name, _)| name).collect();
    all.sort_unstable();
    all
}

/// Run imitations of Salesforce, ShipStation, ShipHero and commercetools on this machine
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Start(Start),
    Act(Acted),
    /// Show what was done in a running sandbox, in order
    Effects(Asked),
    /// Show how much was done in a running sandbox: calls, effects and records
    State(Asked),
    Faults(Fault),
}

const START: &str = "\
Examples:
  crossdock sandbox start                      what this project needs
  crossdock sandbox start salesforce shiphero  these systems
  crossdock sandbox start --orders 10000 --no-limits
  crossdock sandbox start --faults bad-day     lost answers, late requests
  crossdock sandbox start --autoship 5         orders ship after 5 minutes

It runs until Ctrl-C. Then, in another terminal: crossdock run --env sandbox";

/// Start imitations of the systems, on 127.0.0.1
#[derive(Debug, clap::Args)]
#[command(after_help = START)]
struct Start {
    /// The systems to start: salesforce, shipstation, shiphero, commercetools; by default those that the connections of the project in this folder name, and without a project salesforce and shipstation
    #[arg(value_name = "SYSTEM")]
    systems: Vec<String>,
    /// Another port for one of them
    #[arg(long = "port", value_name = "SYSTEM=PORT")]
    port: Vec<String>,
    /// The seed of the generated data: the same seed gives the same orders
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many orders there are at the start
    #[arg(long, default_value_t = 200)]
    orders: usize,
    /// The port of the Salesforce sandbox
    #[arg(long, value_name = "PORT")]
    salesforce: Option<u16>,
    /// The port of the ShipStation sandbox
    #[arg(long, value_name = "PORT")]
    shipstation: Option<u16>,
    /// Faults of the network: `none`, `bad-day`, or a list such as lost_reply=50,late=20 (of 1,000 requests)
    #[arg(long, value_name = "FAULTS", default_value = "none")]
    faults: String,
    /// Without rate limits
    #[arg(long)]
    no_limits: bool,
    /// Ship each order this many minutes after it was created
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(i64).range(0..=100_000))]
    autoship: Option<i64>,
}

const ACT: &str = "\
Examples, in Salesforce:
  crossdock sandbox act cancel 00000012
  crossdock sandbox act create --system salesforce
  crossdock sandbox act change 00000012 --set ShippingCity=Leeds \\
      --system salesforce
  crossdock sandbox act make Account --set Name=Ada
  crossdock sandbox act win ada@example.com
  crossdock sandbox act schema Order.Status --set value=Returned

Examples, in ShipStation:
  crossdock sandbox act ship 00000012
  crossdock sandbox act parcel 00000012
  crossdock sandbox act combine 00000012 --set with=00000013
  crossdock sandbox act cancel 00000012 --system shipstation
  crossdock sandbox act create W-17 --system shipstation
  crossdock sandbox act deliver 00000012
  crossdock sandbox act delay 00000012 --set city=RENO";

/// The examples, and all verbs.
fn act_help() -> String {
    format!(
        "{ACT}\n\nVerbs of ShipStation and its carriers: {}.\n\nVerbs of ShipHero: {}.\n\nVerbs of commercetools: {}.\n\nVerbs of Salesforce: {}.\n\ndocs/reference/sandbox-acts.md describes each verb.",
        user_actions::verbs(&user_actions::SHIPSTATION),
        user_actions::verbs(&user_actions::SHIPHERO),
        user_actions::verbs(&user_actions::COMMERCETOOLS),
        user_actions::verbs(&user_actions::SALESFORCE)
    )
}

/// Do what a person or a carrier would do at one of the systems
#[derive(Debug, clap::Args)]
#[command(after_help = act_help())]
struct Acted {
    /// What to do, such as `ship` or `cancel`; the verbs are listed below
    verb: String,
    /// The order's number, key or id
    #[arg(default_value = "")]
    order: String,
    /// A setting of the verb and its value; a field's value in JSON is read as JSON
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// salesforce, shipstation, shiphero or commercetools; by default the one that runs and has this verb
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// The system's port, if it is not the usual one
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
}

const ASKED: &str = "\
Examples:
  crossdock sandbox effects shipstation    what was done there, in order
  crossdock sandbox state salesforce       how many calls and effects";

/// Show what was done in a running sandbox, or its counts
#[derive(Debug, clap::Args)]
#[command(after_help = ASKED)]
struct Asked {
    /// salesforce, shipstation, shiphero or commercetools
    system: String,
    /// The system's port, if it is not the usual one
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
}

const FAULT: &str = "\
Examples:
  crossdock sandbox faults shipstation lost_reply=50,late=20
  crossdock sandbox faults salesforce none";

/// Switch faults of the network on or off in a running sandbox
#[derive(Debug, clap::Args)]
#[command(after_help = FAULT)]
struct Fault {
    /// salesforce, shipstation, shiphero or commercetools
    system: String,
    /// `none`, `bad-day`, or a list such as lost_reply=50,late=20 (of 1,000 requests)
    faults: String,
    /// The system's port, if it is not the usual one
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
}

/// How systems are started.
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) orders: usize,
    pub(super) faults: Faults,
    pub(super) limits: bool,
    pub(super) autoship: Option<i64>,
    /// The objects of the project's Salesforce org.
    pub(super) objects: Vec<crate::schema::Object>,
    /// What the project's ShipStation account has.
    pub(super) lists: shipstation::Lists,
}

/// Starts one system; it runs as long as what is given back.
pub(super) async fn start_one(
    system: &str,
    port: u16,
    plan: &Plan,
    clock: &Arc<dyn Clock>,
    transport: &Arc<dyn Transport>,
) -> Result<Running, Failure> {
    let taken = |error: std::io::Error| {
        Failure::io(format!("the port {port} of {system} cannot be used: {error}")).hint(format!("name another: --port {system}=PORT"))
    };
    let (listener, url) = listen(port).await.map_err(taken)?;
    let autoship = plan.autoship.map(jiff::SignedDuration::from_mins);
    let (imitation, seed): (Box<dyn System>, u64) = match system {
        "salesforce" => {
            let options = salesforce::Options {
                base_url: url.clone(),
                orders: plan.orders,
                seed: plan.seed,
                start: clock.now(),
                daily_calls: plan.limits.then_some(100_000),
                objects: plan.objects.clone(),
                ..salesforce::Options::default()
            };
            (Box::new(salesforce::Salesforce::new(options)), plan.seed)
        }
        "shiphero" => {
            let goods = salesforce::products().map(|(sku, name, grams)| shiphero::Goods::new(sku, name, grams, 1_000)).collect();
            let (start, no_limits) = (clock.now(), !plan.limits);
            let options = shiphero::Options { goods, seed: plan.seed, start, no_limits, autoship, ..shiphero::Options::default() };
            (Box::new(shiphero::ShipHero::new(options)), plan.seed ^ 2)
        }
        "commercetools" => {
            let goods = salesforce::products().map(|(sku, name, grams)| (sku.to_owned(), name.to_owned(), grams)).collect();
            let options =
                commercetools::Options { goods, orders: plan.orders, seed: plan.seed, start: clock.now(), ..commercetools::Options::default() };
            (Box::new(commercetools::Commercetools::new(options)), plan.seed ^ 3)
        }
        _ => {
            let options = shipstation::Options {
                base_url: url.clone(),
                v2_url: url.clone(),
                per_minute: plan.limits.then_some(40),
                v2_per_minute: plan.limits.then_some(200),
                autoship,
                seed: plan.seed,
                lists: plan.lists.clone(),
                ..shipstation::Options::default()
            };
            (Box::new(shipstation::ShipStation::new(options)), plan.seed ^ 1)
        }
    };
    let faulty = Faulty::new(imitation, FaultKit::new(seed, plan.faults));
    Ok(serve(listener, url, faulty, Arc::clone(clock), Arc::clone(transport)))
}

/// The port of each system: one that is named, or the usual one.
fn ports(args: &Start, systems: &[&'static str]) -> Result<BTreeMap<&'static str, u16>, Failure> {
    let mut named: BTreeMap<&str, u16> = BTreeMap::new();
    let own = [("salesforce", args.salesforce), ("shipstation", args.shipstation)];
    let mut given: Vec<(&str, u16)> = own.into_iter().filter_map(|(system, port)| Some((system, port?))).collect();
    for pair in &args.port {
        let (system, port) = pair.split_once('=').ok_or_else(|| Failure::usage(format!("`{pair}` is no SYSTEM=PORT")))?;
        given.push((system, port.parse().map_err(|_| Failure::usage(format!("`{port}` is no port: write a number up to 65535")))?));
    }
    for (system, port) in given {
        known(system)?;
        if !systems.contains(&system) {
            return Err(
                Failure::usage(format!("{system} is not started, and a port is named for it")).hint(format!("there are: {}", systems.join(", ")))
            );
        }
        if named.insert(system, port).is_some() {
            return Err(Failure::usage(format!("the port of {system} is named twice")));
        }
    }
    Ok(systems.iter().map(|system| (*system, named.get(system).copied().or_else(|| usual_port(system)).unwrap_or(0))).collect())
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::Start(args) => up(args, out),
        What::Act(args) => {
            let (system, port) = meant(args)?;
            let mut settings = serde_json::Map::new();
            for pair in &args.set {
                let named = pair.split_once('=').filter(|(name, _)| !name.trim().is_empty());
                let (name, value) = named.ok_or_else(|| Failure::usage(format!("`{pair}` is no field=value")))?;
                let typed = Json::String(value.to_owned());
                let value = match user_actions::find(system, &args.verb).map(|known| known.takes) {
                    // The act reads what was typed: `00000013` is a number, and `0012` a tracking number.
                    Some(Takes::Settings(_)) => typed,
                    _ => serde_json::from_str(value).unwrap_or(typed),
                };
                if settings.insert(name.to_owned(), value).is_some() {
                    return Err(Failure::usage(format!("`{name}` is set twice")));
                }
            }
            let act = Act { verb: args.verb.clone(), subject: args.order.clone(), settings: Json::Object(settings) };
            let body = serde_json::to_vec(&act).map_err(|error| Failure::usage(error.to_string()))?;
            out.json(&control(port, "act", Some(body))?)?;
            Ok(Exit::Fine)
        }
        What::Effects(args) => tell(&args.system, args.port, "effects", out),
        What::State(args) => tell(&args.system, args.port, "state", out),
        What::Faults(args) => {
            let faults = Faults::parse(&args.faults).map_err(Failure::usage)?;
            let body = serde_json::to_vec(&faults).map_err(|error| Failure::usage(error.to_string()))?;
            out.json(&control(reached(&args.system, args.port)?, "faults", Some(body))?)?;
            Ok(Exit::Fine)
        }
    }
}

fn tell(system: &str, port: Option<u16>, what: &str, out: &mut Out) -> Result<Exit, Failure> {
    out.json(&control(reached(system, port)?, what, None)?)?;
    Ok(Exit::Fine)
}

/// The system and the port that an act is for.
fn meant(args: &Acted) -> Result<(&'static str, u16), Failure> {
    let having = user_actions::systems(&args.verb);
    if having.is_empty() {
        let all = user_actions::SYSTEMS.iter().flat_map(|(.., of)| of.iter().map(|known| known.verb));
        return Err(Failure::unknown("act", &args.verb, all).hint("crossdock sandbox act --help lists the verbs of each system"));
    }
    let has = |system: &str| match having.contains(&system) {
        true => Ok(()),
        false => Err(Failure::usage(format!("{system} has no act `{}`", args.verb)).hint(format!("it is one of {}", having.join(" and ")))),
    };
    match (&args.system, args.port) {
        (Some(system), port) => {
            let system = known(system)?;
            has(system)?;
            Ok((system, reached(system, port)?))
        }
        (None, Some(port)) => {
            let system = answering(port)?.ok_or_else(|| no_sandbox(port))?;
            let system = known(&system)?;
            has(system)?;
            Ok((system, port))
        }
        // The first of those that have the verb and run.
        (None, None) => {
            for system in &having {
                let Some(port) = usual_port(system) else { continue };
                if answering(port).is_ok_and(|found| found.as_deref() == Some(system)) {
                    return Ok((system, port));
                }
            }
            let ports: Vec<String> = having.iter().filter_map(|system| Some(format!("{system} ({})", usual_port(system)?))).collect();
            let said = format!("no sandbox that has the act `{}` answers on its usual port: {}", args.verb, ports.join(", "));
            Err(Failure::io(said).hint("crossdock sandbox start, or name the port by --port"))
        }
    }
}

/// The port on which a system's sandbox answers; what answers there has to be that system.
fn reached(system: &str, port: Option<u16>) -> Result<u16, Failure> {
    let system = known(system)?;
    let port = port.or_else(|| usual_port(system)).unwrap_or(0);
    match answering(port)? {
        Some(found) if found == system => Ok(port),
        Some(found) => Err(Failure::usage(format!("{found} answers on port {port}, and not {system}")).hint("name the system's own port by --port")),
        None => Err(no_sandbox(port)),
    }
}

fn no_sandbox(port: u16) -> Failure {
    Failure::io(format!("no sandbox answers on port {port}")).hint("crossdock sandbox start")
}

/// The system whose sandbox answers on a port, if one does.
fn answering(port: u16) -> Result<Option<String>, Failure> {
    let Some((_, state)) = asked(port, "state", None)? else { return Ok(None) };
    let named = state.get("system").and_then(Json::as_str).map(str::to_owned);
    named.map(Some).ok_or_else(|| Failure::io(format!("what answers on port {port} is no sandbox of crossdock")))
}

fn control(port: u16, what: &str, body: Option<Vec<u8>>) -> Result<Json, Failure> {
    match asked(port, what, body)? {
        Some((true, json)) => Ok(json),
        Some((false, json)) => Err(Failure::usage(json.get("message").and_then(Json::as_str).unwrap_or("it cannot be done").to_owned())),
        None => Err(no_sandbox(port)),
    }
}

/// Whether the control API of a port has done something, and its answer; none where nothing answers.
fn asked(port: u16, what: &str, body: Option<Vec<u8>>) -> Result<Option<(bool, Json)>, Failure> {
    let url = format!("http://127.0.0.1:{port}/__sandbox/{what}");
    let request = if body.is_some() { http::Request::post(&url) } else { http::Request::get(&url) };
    let request = request.body(bytes::Bytes::from(body.unwrap_or_default())).map_err(|error| Failure::usage(error.to_string()))?;
    let transport = transport()?;
    let Ok(response) = runtime()?.block_on(async move { transport.send(request).await }) else { return Ok(None) };
    let no_json = |_| Failure::io(format!("what answers on port {port} is no sandbox of crossdock"));
    Ok(Some((response.status().is_success(), serde_json::from_slice(response.body()).map_err(no_json)?)))
}

/// The systems to start: those that are named, or those that the project's connections name.
fn wanted(named: &[String], project: Option<&Needs>, out: &mut Out) -> Result<Vec<&'static str>, Failure> {
    let mut all = Vec::new();
    let mut add = |system: &'static str| {
        if !all.contains(&system) {
            all.push(system);
        }
    };
    let Some(project) = project.filter(|_| named.is_empty()) else {
        let usual = ["salesforce".to_owned(), "shipstation".to_owned()];
        for system in if named.is_empty() { &usual[..] } else { named } {
            add(known(system)?);
        }
        return Ok(all);
    };
    let mut lacking = Vec::new();
    for (connection, system) in project.systems() {
        match needs::sandbox_of(&system, &imitated()) {
            Some(system) => add(system),
            // Files need nothing that runs.
            None if system == "files" => {}
            None => lacking.push(format!("{connection} ({system})")),
        }
    }
    let lacking = lacking.join(", ");
    if all.is_empty() {
        let said =
            if lacking.is_empty() { "this project has no connection to a system".to_owned() } else { format!("there is no sandbox for {lacking}") };
        return Err(Failure::usage(said).hint(format!("start others by their names: {}", imitated().join(", "))));
    }
    if !lacking.is_empty() {
        out.note(format!("there is no sandbox for {lacking}: runs reach the system itself, or what its settings name"));
    }
    Ok(all)
}

/// What a person does next: runs between these systems need an environment that names their addresses.
fn next(folder: &std::path::Path) -> &'static str {
    if folder.join(crate::project::config::FILE).is_file() && !folder.join("crossdock.sandbox.yaml").is_file() {
        return "next: write these addresses and credentials into crossdock.sandbox.yaml, below `connections:`; then, in another terminal: \
                crossdock run --env sandbox      (Ctrl-C ends the sandbox)";
    }
    "next, in another terminal: crossdock run --env sandbox      (Ctrl-C ends the sandbox)"
}

fn up(args: &Start, out: &mut Out) -> Result<Exit, Failure> {
    let faults = Faults::parse(&args.faults).map_err(Failure::usage)?;
    let project = needs()?;
    let systems = wanted(&args.systems, project.as_ref(), out)?;
    let ports = ports(args, &systems)?;
    let ships = ["shipstation", "shiphero"];
    if args.autoship.is_some() && !systems.iter().any(|system| ships.contains(system)) {
        return Err(Failure::usage("nothing that is started ships orders, and --autoship is given").hint(format!("{} do", ships.join(" and "))));
    }
    let project = project.unwrap_or_default();
    let (objects, lists) = (project.objects()?, project.lists()?);
    let plan = Plan { seed: args.seed, orders: args.orders, faults, limits: !args.no_limits, autoship: args.autoship, objects, lists };
    let (clock, transport) = (clock(), transport()?);
    let runtime = runtime()?;
    let mut running = Vec::new();
    for system in systems {
        let started = runtime.block_on(start_one(system, ports[system], &plan, &clock, &transport))?;
        out.line(match system {
            "salesforce" => format!("Salesforce   {}   client_id sandbox, client_secret sandbox, {} orders", started.url, args.orders),
            "commercetools" => {
                let (url, orders) = (&started.url, args.orders);
                format!("commercetools {url}/sandbox   project sandbox, client_id sandbox, client_secret sandbox, {orders} orders")
            }
            "shiphero" => format!("ShipHero     {}   username sandbox@example.com, password sandbox, refresh_token sandbox", started.url),
            _ => format!("ShipStation  {}   api_key sandbox, api_secret sandbox; the same key for V2", started.url),
        })?;
        running.push(started);
    }
    out.line(next(std::path::Path::new(".")))?;
    out.flush()?;
    runtime.block_on(async {
        // Whatever ends it, it ends.
        let _ = tokio::signal::ctrl_c().await;
    });
    Ok(Exit::Fine)
}
