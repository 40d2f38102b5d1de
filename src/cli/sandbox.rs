//! `crossdock sandbox`: starts the imitated systems, acts in them, and shows their logs.

use std::sync::Arc;

use super::{Exit, Failure, Out};
use crate::app::process::{clock, runtime, transport};
use crate::http::{Clock, Transport};
use crate::sandbox::faults::{FaultKit, Faults, Faulty};
use crate::sandbox::server::{Running, listen, serve};
use crate::sandbox::{Act, System, commercetools, salesforce, shiphero, shipstation, user_actions};
use crate::system;
use crate::value::Json;

/// Where a sandbox answers unless told otherwise; none where there is no such sandbox.
pub(super) fn usual_port(system: &str) -> Option<u16> {
    system::manifest(system).and_then(|manifest| Some(manifest.sandbox?.port))
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
  crossdock sandbox start                      200 orders
  crossdock sandbox start salesforce shiphero  these systems
  crossdock sandbox start --orders 10000 --no-limits
  crossdock sandbox start --faults bad-day     lost answers, late requests
  crossdock sandbox start --autoship 5         orders ship after 5 minutes

It runs until Ctrl-C. Then, in another terminal: crossdock run --env sandbox";

/// Start imitations of the systems, on 127.0.0.1
#[derive(Debug, clap::Args)]
#[command(after_help = START)]
struct Start {
    /// The systems to start: salesforce, shipstation, shiphero, commercetools; by default salesforce, shipstation and what else the project in this folder needs
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
    #[arg(long, value_name = "PORT", default_value_t = usual_port("salesforce").unwrap_or(0))]
    salesforce: u16,
    /// The port of the ShipStation sandbox
    #[arg(long, value_name = "PORT", default_value_t = usual_port("shipstation").unwrap_or(0))]
    shipstation: u16,
    /// Faults of the network: `none`, `bad-day`, or a list such as lost_reply=50,late=20 (of 1,000 requests)
    #[arg(long, value_name = "FAULTS", default_value = "none")]
    faults: String,
    /// Without rate limits
    #[arg(long)]
    no_limits: bool,
    /// Ship each order this many minutes after it was created
    #[arg(long, value_name = "MINUTES")]
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
    /// A field and its value; a value in JSON is read as JSON
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// salesforce, shipstation, shiphero or commercetools; by default the one that has this verb
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

/// The connections of a project, as far as they say which systems it needs.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Needs {
    connections: std::collections::BTreeMap<String, Need>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Need {
    system: Option<String>,
}

/// The connections of the project in this folder, if there is one.
fn needs() -> Result<Needs, Failure> {
    let file = crate::project::config::FILE;
    match std::fs::read_to_string(file) {
        // A file that cannot be read is the matter of `crossdock check`.
        Ok(text) => Ok(serde_yaml::from_str(&text).unwrap_or_default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Needs::default()),
        Err(error) => Err(Failure::io(format!("{file}: {error}"))),
    }
}

impl Needs {
    /// Each connection with its system.
    fn systems(&self) -> impl Iterator<Item = (&str, String)> {
        self.connections.iter().map(|(name, need)| {
            let usual =
                || system::all().find(|(_, manifest)| manifest.connections.contains(name)).map_or(name.clone(), |(system, _)| system.to_owned());
            (name.as_str(), need.system.clone().unwrap_or_else(usual))
        })
    }
}

/// The snapshots of the project's Salesforce org: the sandbox has its objects, fields, picklists and relations.
fn objects_of(needs: &Needs) -> Result<Vec<crate::schema::Object>, Failure> {
    let mut objects = Vec::new();
    for (connection, _) in needs.systems().filter(|(_, system)| system == "salesforce") {
        objects.extend(objects_in(&std::path::Path::new("schemas").join(connection), connection)?);
    }
    Ok(objects)
}

/// The snapshots of a folder.
pub(super) fn objects_in(folder: &std::path::Path, connection: &str) -> Result<Vec<crate::schema::Object>, Failure> {
    let mut objects = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json")).unwrap_or_default();
        // Overlays and names stand beside the snapshots.
        if name.is_empty() || name == "names" || name.contains('.') {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::io(format!("{}: {error}", path.display())))?;
        let object = crate::schema::read(&text, "salesforce", name, connection);
        let wrong = |error| Failure::usage(format!("{} is no snapshot of an object: {error}", path.display())).hint("crossdock check says where");
        objects.push(object.map_err(wrong)?);
    }
    Ok(objects)
}

/// What the project's ShipStation account has: the names that its snapshots list.
fn lists_of(needs: &Needs) -> Result<shipstation::Lists, Failure> {
    let mut all = std::collections::BTreeMap::<String, Vec<crate::schema::Named>>::new();
    for (connection, _) in needs.systems().filter(|(_, system)| system.starts_with("shipstation")) {
        let path = std::path::Path::new("schemas").join(connection).join("names.json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::io(format!("{}: {error}", path.display()))),
        };
        let wrong = |error: serde_json::Error| Failure::usage(format!("{}: {error}", path.display())).hint("crossdock check says where");
        let kinds: std::collections::BTreeMap<String, Json> = serde_json::from_str(&text).map_err(wrong)?;
        for (kind, listed) in kinds.into_iter().filter(|(kind, _)| kind != "pulled") {
            all.entry(kind).or_default().extend(serde_json::from_value::<Vec<crate::schema::Named>>(listed).map_err(wrong)?);
        }
    }
    Ok(shipstation::Lists::of(&all))
}

/// The systems to start: those that are named, or the usual two with what else the project in this folder needs.
fn wanted(named: &[String]) -> Result<Vec<&'static str>, Failure> {
    let known = imitated();
    let find = |system: &str| known.iter().copied().find(|name| *name == system);
    if !named.is_empty() {
        let unknown = |system: &String| Failure::usage(format!("there is no sandbox of `{system}`: {}", known.join(", ")));
        let mut all = Vec::new();
        for system in named {
            let system = find(system).ok_or_else(|| unknown(system))?;
            if !all.contains(&system) {
                all.push(system);
            }
        }
        return Ok(all);
    }
    let mut all = vec!["salesforce", "shipstation"];
    for system in needs()?.systems().filter_map(|(_, system)| find(&system)) {
        if !all.contains(&system) {
            all.push(system);
        }
    }
    Ok(all)
}

/// The port of a system: one that is named, or the usual one.
fn port_of(system: &str, args: &Start) -> Result<u16, Failure> {
    for pair in &args.port {
        let (name, port) = pair.split_once('=').ok_or_else(|| Failure::usage(format!("`{pair}` is no SYSTEM=PORT")))?;
        if !imitated().contains(&name) {
            return Err(Failure::usage(format!("there is no sandbox of `{name}`: {}", imitated().join(", "))));
        }
        if name == system {
            return port.parse().map_err(|_| Failure::usage(format!("`{port}` is no port: write a number up to 65535")));
        }
    }
    Ok(match system {
        "salesforce" => args.salesforce,
        "shipstation" => args.shipstation,
        other => usual_port(other).unwrap_or(0),
    })
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::Start(args) => up(args, out),
        What::Act(args) => {
            let mut settings = serde_json::Map::new();
            for pair in &args.set {
                let (name, value) = pair.split_once('=').ok_or_else(|| Failure::usage(format!("`{pair}` is no field=value")))?;
                settings.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Json::String(value.to_owned())));
            }
            let act = Act { verb: args.verb.clone(), subject: args.order.clone(), settings: Json::Object(settings) };
            let system = args.system.clone().unwrap_or_else(|| user_actions::system(&args.verb).to_owned());
            let body = serde_json::to_vec(&act).map_err(|error| Failure::usage(error.to_string()))?;
            out.json(&control(&system, args.port, "act", Some(body))?)?;
            Ok(Exit::Fine)
        }
        What::Effects(args) => tell(&args.system, args.port, "effects", out),
        What::State(args) => tell(&args.system, args.port, "state", out),
        What::Faults(args) => {
            let faults = Faults::parse(&args.faults).map_err(Failure::usage)?;
            let body = serde_json::to_vec(&faults).map_err(|error| Failure::usage(error.to_string()))?;
            out.json(&control(&args.system, args.port, "faults", Some(body))?)?;
            Ok(Exit::Fine)
        }
    }
}

fn tell(system: &str, port: Option<u16>, what: &str, out: &mut Out) -> Result<Exit, Failure> {
    out.json(&control(system, port, what, None)?)?;
    Ok(Exit::Fine)
}

fn control(system: &str, port: Option<u16>, what: &str, body: Option<Vec<u8>>) -> Result<Json, Failure> {
    let port =
        port.or_else(|| usual_port(system)).ok_or_else(|| Failure::usage(format!("there is no sandbox of `{system}`: {}", imitated().join(", "))))?;
    let url = format!("http://127.0.0.1:{port}/__sandbox/{what}");
    let request = if body.is_some() { http::Request::post(&url) } else { http::Request::get(&url) };
    let request = request.body(bytes::Bytes::from(body.unwrap_or_default())).map_err(|error| Failure::usage(error.to_string()))?;
    let transport = transport()?;
    let response = runtime()?
        .block_on(async move { transport.send(request).await })
        .map_err(|broken| Failure::io(format!("no sandbox answers on port {port}: {broken}")).hint("crossdock sandbox start"))?;
    let json: Json = serde_json::from_slice(response.body()).map_err(|_| Failure::io("the sandbox's answer is no JSON"))?;
    if response.status().is_success() {
        Ok(json)
    } else {
        Err(Failure::usage(json.get("message").and_then(Json::as_str).unwrap_or("it cannot be done").to_owned()))
    }
}

fn up(args: &Start, out: &mut Out) -> Result<Exit, Failure> {
    let faults = Faults::parse(&args.faults).map_err(Failure::usage)?;
    let plan = Plan {
        seed: args.seed,
        orders: args.orders,
        faults,
        limits: !args.no_limits,
        autoship: args.autoship,
        objects: objects_of(&needs()?)?,
        lists: lists_of(&needs()?)?,
    };
    let (clock, transport) = (clock(), transport()?);
    let runtime = runtime()?;
    let mut running = Vec::new();
    for system in wanted(&args.systems)? {
        let started = runtime.block_on(start_one(system, port_of(system, args)?, &plan, &clock, &transport))?;
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
    out.line("next: crossdock run --env sandbox      (Ctrl-C ends the sandbox)")?;
    out.flush()?;
    runtime.block_on(async {
        // Whatever ends it, it ends.
        let _ = tokio::signal::ctrl_c().await;
    });
    Ok(Exit::Fine)
}
