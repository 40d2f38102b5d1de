//! What the demo of every template does: two sandboxes and a project that knows them, commands as one would type them, and what is told of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Args;
use crate::app::folder::write_file;
use crate::app::process::{StopRequests, runtime, transport};
use crate::cli::lines::wrapped;
use crate::cli::sandbox::{Plan, objects_in, start_one, usual_port};
use crate::cli::{Exit, Failure, Out};
use crate::http::{Clock, Moment, SystemClock};
use crate::project::templates::TEMPLATES;
use crate::sandbox::faults::Faults;
use crate::sandbox::server::Running;
use crate::sandbox::{Act, Effect, shipstation};
use crate::system;
use crate::value::Json;

/// How far the sandboxes' clocks are behind: ShipHero's lists are read up to one second before now, and what people do here is to be read
/// at once. Each flow reads some minutes back, so that clocks may differ.
const BEHIND: SignedDuration = SignedDuration::from_secs(2);

/// Why a demo ends before its last step.
pub(super) enum Halt {
    /// Somebody stopped it.
    Stopped,
    /// A step failed.
    Failed(Failure),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Halt::Failed(failure)
    }
}

/// The clock of the sandboxes.
struct Behind;

#[async_trait]
impl Clock for Behind {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_sub(BEHIND).unwrap_or_default()
    }

    fn moment(&self) -> Moment {
        let moment = SystemClock.moment();
        Moment { wall: self.now(), ..moment }
    }

    async fn sleep(&self, time: Duration) {
        SystemClock.sleep(time).await;
    }
}

pub(super) struct Stage<'a> {
    /// Where orders come from.
    pub(super) shop: Running,
    pub(super) wms: Running,
    /// How many orders the shop has.
    pub(super) orders: usize,
    project: String,
    /// The names of both systems, as their vendors write them.
    titles: [&'static str; 2],
    /// The step that was begun last.
    step: u32,
    /// Whether faults are asked for.
    has_faults: bool,
    /// Whether somebody has stopped the demo.
    stopped: Arc<AtomicBool>,
    out: &'a mut Out,
    /// The sandboxes run on it: it is dropped after them.
    _runtime: tokio::runtime::Runtime,
}

impl<'a> Stage<'a> {
    /// Makes the project and starts the two systems of a template.
    pub(super) fn set(args: &Args, systems: [&str; 2], faults: Faults, folder: &Path, out: &'a mut Out) -> Result<Self, Failure> {
        let (clock, transport): (Arc<dyn Clock>, _) = (Arc::new(Behind), transport()?);
        let runtime = runtime()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (mut stops, noted) = (StopRequests::receive(&runtime)?, Arc::clone(&stopped));
        runtime.spawn(async move {
            while stops.next().await {
                noted.store(true, Ordering::SeqCst);
            }
        });
        let (_, files) = TEMPLATES.iter().find(|(name, _)| *name == args.template).ok_or_else(|| Failure::usage("the template is not there"))?;
        files.iter().try_for_each(|(path, bytes)| write_file(&folder.join(path), bytes))?;
        let plan = Plan {
            seed: args.seed,
            orders: args.orders,
            faults,
            limits: false,
            autoship: None,
            objects: objects_in(&folder.join("schemas/crm"), "crm")?,
            lists: shipstation::Lists::default(),
        };
        let (shop, wms) = runtime.block_on(async {
            let shop = start_one(systems[0], 0, &plan, &clock, &transport).await?;
            Ok::<_, Failure>((shop, start_one(systems[1], 0, &plan, &clock, &transport).await?))
        })?;
        // The template's own environment for sandboxes, with the ports of these.
        let sandbox = folder.join("crossdock.sandbox.yaml");
        let mut environment = std::fs::read_to_string(&sandbox).map_err(|error| Failure::io(format!("{}: {error}", sandbox.display())))?;
        for (system, running) in systems.iter().zip([&shop, &wms]) {
            let usual = format!("http://127.0.0.1:{}", usual_port(system).unwrap_or_default());
            environment = environment.replace(&usual, &running.url);
        }
        write_file(&folder.join("crossdock.demo.yaml"), environment.replace("sqlite:sandbox.db", "sqlite:demo.db").as_bytes())?;

        let titles = systems.map(|name| system::manifest(name).map_or("", |manifest| manifest.title.as_str()));
        let project = folder.display().to_string();
        let has_faults = faults != Faults::default();
        let mut stage = Stage { shop, wms, orders: args.orders, project, titles, step: 0, has_faults, stopped, out, _runtime: runtime };
        let what = format!("imitations of {} and {}, with the HTTP interfaces of the vendors", titles[0], titles[1]);
        stage.heading("two systems on this machine", &what)?;
        let wide = titles[0].len().max(titles[1].len());
        stage.line(format!("{:wide$}   {}   {} orders wait", titles[0], stage.shop.url, args.orders))?;
        stage.line(format!("{:wide$}   {}   0 orders", titles[1], stage.wms.url))?;
        Ok(stage)
    }

    /// The next step.
    pub(super) fn heading(&mut self, title: &str, what: &str) -> Result<(), Failure> {
        self.step += 1;
        self.out.line("")?;
        let lines = wrapped(&format!("── {}. {title} ── {what}", self.step), 0, self.out.columns().saturating_sub(3));
        for (at, line) in lines.into_iter().enumerate() {
            self.out.line(if at == 0 { line } else { format!("   {line}") })?;
        }
        // What is done next takes a while.
        self.out.flush()
    }

    pub(super) fn line(&mut self, told: impl std::fmt::Display) -> Result<(), Failure> {
        self.out.line(format!("   {told}"))?;
        self.out.flush()
    }

    /// Why the demo ended in the step that was begun last.
    pub(super) fn why(&self, halt: &Halt) -> String {
        match halt {
            Halt::Stopped => format!("it was stopped in step {}", self.step),
            Halt::Failed(failure) => format!("step {} failed: {}", self.step, failure.message),
        }
    }

    /// What a step came to, unless somebody has stopped the demo: then its failure is a consequence.
    fn unless_stopped<T>(&self, done: Result<T, Failure>) -> Result<T, Halt> {
        if self.stopped.load(Ordering::SeqCst) { Err(Halt::Stopped) } else { done.map_err(Halt::Failed) }
    }

    /// A command as one would type it, with the project's folder behind its name or by `--project`.
    fn say(&mut self, command: &[&str]) -> Result<Exit, Halt> {
        self.unless_stopped(Ok(()))?;
        let typed: Vec<&str> = ["crossdock"].iter().chain(command).copied().chain(["--env", "demo"]).collect();
        let done = crate::cli::dispatch(&typed, self.out).and_then(|exit| self.out.flush().map(|()| exit));
        self.unless_stopped(done)
    }

    /// A command for its JSON.
    fn quiet(&self, command: &[&str]) -> Result<Json, Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::io(error.to_string()))?;
        let output = std::process::Command::new(program).args(command).args(["--env", "demo", "--format", "json"]).output();
        let output = output.map_err(|error| Failure::io(error.to_string()))?;
        serde_json::from_slice(&output.stdout).map_err(|_| Failure::io(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// What would be sent; the first write of an order that is `shown` is told with its fields.
    pub(super) fn plan(&mut self, shown: impl Fn(&Json) -> bool) -> Result<(), Halt> {
        self.heading("what would happen", "crossdock run --dry-run: live reads, nothing is sent")?;
        let planned = self.unless_stopped(self.quiet(&["run", &self.project, "--flow", "export_orders", "--dry-run"]))?;
        if let Some(why) = planned["failures"].as_array().and_then(|all| all.first()) {
            return Err(Failure::findings(format!("not read: {}", text(why))).into());
        }
        let sends = planned["planned"].as_array().map_or(0, Vec::len);
        self.line(format!("{sends} writes in {} calls; first of them:", planned["calls"]["writes"]))?;
        let orders = planned["planned"].as_array().into_iter().flatten().filter(|one| one["object"] == "wms.Order");
        let Some(first) = orders.into_iter().find(|one| shown(one)) else { return Ok(()) };
        self.line(format!("{} {} {}", text(&first["op"]), text(&first["object"]), text(&first["key"])))?;
        for field in first["fields"].as_array().into_iter().flatten().take(4) {
            self.line(format!("   {}: {}", text(&field["field"]), field["then"]))?;
        }
        Ok(())
    }

    /// One run of all flows. Where faults are asked for, the next run goes on with what one could not read.
    pub(super) fn pass(&mut self) -> Result<(), Halt> {
        let project = self.project.clone();
        let unfinished = self.say(&["run", &project])? != Exit::Fine;
        if unfinished && (!self.has_faults || created(&self.wms).is_empty()) {
            return Err(Failure::findings("crossdock run could not do its work: it says above why").into());
        }
        Ok(())
    }

    /// What waits for a person, and the history of one order.
    pub(super) fn looked_at(&mut self, history_of: Option<&str>) -> Result<(), Halt> {
        let project = self.project.clone();
        self.heading("what a person has to decide", "crossdock queue list")?;
        self.say(&["queue", "list", "--project", &project])?;
        if let Some(number) = history_of {
            self.heading("the history of one order", &format!("crossdock trace {number}"))?;
            self.say(&["trace", number, "--project", &project])?;
        }
        Ok(())
    }

    /// How many records are not at their end, as `crossdock status` says.
    pub(super) fn under_way(&self) -> Result<u64, Failure> {
        let status = self.quiet(&["status", &self.project])?;
        // One waits until an earlier request can no longer take effect, and `run` ends before.
        let open = |one: &&Json| one["state"] == "sending" || one["state"] == "waiting";
        Ok(status["records"].as_array().into_iter().flatten().filter(open).filter_map(|one| one["records"].as_u64()).sum())
    }

    /// Tells how many orders were created; false where one was created twice.
    pub(super) fn created_once(&mut self) -> Result<bool, Failure> {
        let keys: Vec<String> = created(&self.wms).into_iter().filter_map(|effect| effect.key).collect();
        let once: BTreeSet<&String> = keys.iter().collect();
        let twice = keys.len() - once.len();
        self.line(format!("{} orders created in {}, {twice} of them twice", keys.len(), self.titles[1]))?;
        Ok(twice == 0)
    }

    /// What is still to be done, and what it cost.
    pub(super) fn ended(&mut self, under_way: u64) -> Result<(), Failure> {
        if under_way > 0 {
            self.line(format!("still to be done by the next run: {under_way}, when an earlier request can no longer take effect"))?;
        }
        let (shop, wms) = (self.shop.locked().system.calls(), self.wms.locked().system.calls());
        self.line(format!("{shop} calls to {}, {wms} to {}", self.titles[0], self.titles[1]))
    }
}

pub(super) fn act(system: &Running, verb: &str, subject: &str, settings: Json) -> Result<Json, Failure> {
    let act = Act { verb: verb.to_owned(), subject: subject.to_owned(), settings };
    system.locked().system.act(&act, Behind.now()).map_err(Failure::usage)
}

pub(super) fn effects(system: &Running) -> Vec<Effect> {
    system.locked().system.effects().to_vec()
}

/// The orders that were created in the warehouse.
pub(super) fn created(wms: &Running) -> Vec<Effect> {
    effects(wms).into_iter().filter(|effect| effect.kind == "created" && effect.object == "Order").collect()
}

/// A text of what was created: what people call the order.
pub(super) fn field(effect: &Effect, name: &str) -> Option<String> {
    effect.fields.get(name).and_then(Json::as_str).map(str::to_owned)
}

/// Empties the street of an order in Salesforce that would go out; gives its number.
pub(super) fn mistake(crm: &Running, orders: usize) -> Result<Option<String>, Failure> {
    for number in (1..=orders).map(|number| format!("{number:08}")) {
        let order = act(crm, "show", &number, Json::Null)?;
        if order["Status"] == "Activated" && order["ShippingStreet"].is_string() && order["Shipping_Service__c"].is_string() {
            act(crm, "change", &number, serde_json::json!({"ShippingStreet": null}))?;
            return Ok(Some(number));
        }
    }
    Ok(None)
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or("-")
}
