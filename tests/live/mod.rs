//! Both systems on loopback and a project made of the template: what tests of the real binary need.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossdock::http::net::Net;
use crossdock::http::{Clock, SystemClock, Transport};
use crossdock::project::templates::TEMPLATES;
use crossdock::sandbox::faults::{FaultKit, Faults, Faulty};
use crossdock::sandbox::server::{Running, listen, serve};
use crossdock::sandbox::{Act, Effect, System, commercetools, salesforce, shiphero, shipstation};
use crossdock::store::sqlite::{Mode, Sqlite};
use crossdock::store::{RecordStage, Store as _};
use serde_json::Value as Json;

pub(crate) const SECRET: &str = "a-hook-path-that-nobody-guesses-0001";
pub(crate) const PLANTED_SECRET: &str = "planted-api-secret-4711-xyzzy";

pub(crate) struct World {
    pub(crate) crm: Running,
    pub(crate) wms: Running,
    pub(crate) folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    /// Where `serve` listens.
    pub(crate) port: u16,
}

const SHIPHERO: &str = "system: shiphero";

/// Where a template's orders come from.
fn shop(config: &str, url: &str, files: &[(&str, &[u8])], orders: usize, start: jiff::Timestamp) -> Box<dyn System> {
    if config.contains("system: commercetools") {
        let client_secret = PLANTED_SECRET.to_owned();
        return Box::new(commercetools::Commercetools::new(commercetools::Options { orders, start, client_secret, ..Default::default() }));
    }
    // The template for ShipHero has objects of its own.
    let snapshots = files.iter().filter(|_| config.contains(SHIPHERO)).filter_map(|(path, bytes)| {
        let name = path.strip_prefix("schemas/crm/")?.strip_suffix(".json").filter(|name| !name.contains('.'))?;
        Some(crossdock::schema::read(std::str::from_utf8(bytes).unwrap(), "salesforce", name, "crm").unwrap())
    });
    Box::new(salesforce::Salesforce::new(salesforce::Options {
        base_url: url.to_owned(),
        orders,
        start,
        client_secret: Some(PLANTED_SECRET.to_owned()),
        objects: snapshots.collect(),
        ..salesforce::Options::default()
    }))
}

/// What packs a template's orders.
fn warehouse(config: &str, url: &str, start: jiff::Timestamp) -> Box<dyn System> {
    if config.contains(SHIPHERO) {
        let goods = salesforce::products().map(|(sku, name, grams)| shiphero::Goods::new(sku, name, grams, 1_000)).collect();
        let password = PLANTED_SECRET.to_owned();
        return Box::new(shiphero::ShipHero::new(shiphero::Options { goods, start, password, no_limits: true, ..Default::default() }));
    }
    Box::new(shipstation::ShipStation::new(shipstation::Options {
        base_url: url.to_owned(),
        v2_url: url.to_owned(),
        per_minute: None,
        v2_per_minute: None,
        api_secret: PLANTED_SECRET.to_owned(),
        ..shipstation::Options::default()
    }))
}

impl World {
    pub(crate) fn start(orders: usize, faults: Faults) -> Self {
        Self::start_with(orders, faults, "2 seconds")
    }

    /// With every flow polled so often.
    pub(crate) fn start_with(orders: usize, faults: Faults, every: &str) -> Self {
        Self::of("salesforce-shipstation", orders, faults, every)
    }

    /// With another template.
    pub(crate) fn of(template: &str, orders: usize, faults: Faults, every: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let transport: Arc<dyn Transport> = Arc::new(Net::new(Duration::from_secs(20)).unwrap());
        let (_, files) = TEMPLATES.iter().find(|(name, _)| *name == template).unwrap();
        let config = files.iter().find(|(path, _)| *path == "crossdock.yaml").map(|(_, bytes)| std::str::from_utf8(bytes).unwrap()).unwrap();
        let (crm, wms) = runtime.block_on(async {
            let (crm_listener, crm_url) = listen(0).await.unwrap();
            let (wms_listener, wms_url) = listen(0).await.unwrap();
            let crm = Faulty::new(shop(config, &crm_url, files, orders, clock.now()), FaultKit::new(1, faults));
            let wms = Faulty::new(warehouse(config, &wms_url, clock.now()), FaultKit::new(2, faults));
            (serve(crm_listener, crm_url, crm, clock.clone(), transport.clone()), serve(wms_listener, wms_url, wms, clock, transport))
        });
        let folder = tempfile::tempdir().unwrap();
        let flows: Vec<String> = files
            .iter()
            .filter(|(path, _)| path.ends_with(".dock"))
            .flat_map(|(_, bytes)| std::str::from_utf8(bytes).unwrap().lines())
            .filter_map(|line| line.strip_prefix("flow ")?.strip_suffix(" {"))
            .map(|flow| format!("{flow}: {every}"))
            .collect();
        let schedules = flows.join(", ");
        crate::common::put(folder.path(), files.iter().copied());
        let mut connections = String::new();
        let mut connection = |name: &str, settings: String| {
            if config.contains(&format!("\n  {name}:")) {
                connections += &format!("  {name}: {{ {settings} }}\n");
            }
        };
        connection("crm", format!("login: \"{}\", client_id: sandbox, client_secret: \"${{PLANTED}}\"", crm.url));
        let project = "region: europe-west1.gcp, project: sandbox";
        connection("shop", format!("url: \"{}/sandbox\", {project}, client_id: sandbox, client_secret: \"${{PLANTED}}\"", crm.url));
        connection("tracking", format!("url: \"{}\", api_key: sandbox", wms.url));
        let sign_in = if config.contains(SHIPHERO) { "username: sandbox@example.com, password" } else { "api_key: sandbox, api_secret" };
        connection("wms", format!("url: \"{}\", {sign_in}: \"${{PLANTED}}\"", wms.url));
        let parameters = if config.contains("print_labels") { "parameters: { print_labels: true }\n" } else { "" };
        let environment = format!("connections:\n{connections}store: sqlite:live.db\n{parameters}schedules: {{ {schedules} }}\n");
        std::fs::write(folder.path().join("crossdock.live.yaml"), environment).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        World { crm, wms, folder, runtime, port }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("live.db")
    }

    pub(crate) fn crossdock(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crossdock"));
        command
            .current_dir(self.folder.path())
            .env("PLANTED", PLANTED_SECRET)
            .env("CROSSDOCK_HOOK_WMS", SECRET)
            .env("NO_COLOR", "1")
            .envs([crate::common::WIDE]);
        // Alerts of some tests go to a shell.
        command.env("CROSSDOCK_ALLOW", "/bin/sh");
        command
    }

    /// A command in the project, with the systems' addresses.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        self.crossdock().args(arguments).args(["--env", "live"]).output().unwrap()
    }

    /// Starts `serve`; what it logs goes to `serve.log` in the project.
    pub(crate) fn serve(&self) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("serve.log")).unwrap();
        self.crossdock()
            .args(["serve", "--env", "live", "--listen", &format!("127.0.0.1:{}", self.port)])
            .env("CROSSDOCK_LOG", "trace")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("serve.log")).unwrap_or_default()
    }

    /// Waits until `serve` answers.
    pub(crate) fn listening(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("serve does not listen: {}", self.log());
    }

    /// Asks a process to end, and holds it to that.
    pub(crate) fn terminate(&self, child: &mut Child) {
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let until = Instant::now() + Duration::from_secs(35);
        while Instant::now() < until {
            if let Some(status) = child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0), "{}", self.log());
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = child.kill();
        panic!("it did not end by itself");
    }

    fn act(system: &Running, verb: &str, subject: &str, settings: Json) -> Result<Json, String> {
        let act = Act { verb: verb.to_owned(), subject: subject.to_owned(), settings };
        system.locked().system.act(&act, jiff::Timestamp::now())
    }

    pub(crate) fn crm_act(&self, verb: &str, subject: &str, settings: Json) -> Result<Json, String> {
        Self::act(&self.crm, verb, subject, settings)
    }

    pub(crate) fn wms_act(&self, verb: &str, subject: &str) -> Result<Json, String> {
        Self::act(&self.wms, verb, subject, Json::Null)
    }

    pub(crate) fn wms_act_with(&self, verb: &str, subject: &str, settings: Json) -> Result<Json, String> {
        Self::act(&self.wms, verb, subject, settings)
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.crm.locked().kit.set(faults);
        self.wms.locked().kit.set(faults);
    }

    pub(crate) fn wms_effects(&self) -> Vec<Effect> {
        self.wms.locked().system.effects().to_vec()
    }

    pub(crate) fn crm_effects(&self) -> Vec<Effect> {
        self.crm.locked().system.effects().to_vec()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.crm.locked().system.calls() + self.wms.locked().system.calls()
    }

    /// Every record has ended, and every label's number is back.
    pub(crate) fn at_rest(&self) -> bool {
        let Ok(store) = Sqlite::open(&self.store(), None, Mode::Read) else { return false };
        // What is only read again to see whether it changed has ended; a label in doubt waits longer than a test.
        let moving = [RecordStage::Waiting, RecordStage::Sending, RecordStage::Fetch].into_iter().any(|state| {
            store.in_state(None, state, 1_000).is_ok_and(|lanes| lanes.iter().any(|lane| lane.was.is_none() && lane.flow != "print_labels"))
        });
        let settled = !moving && store.counts().is_ok_and(|counts| !counts.is_empty());
        let labels = self.wms_effects().iter().filter(|effect| effect.kind == "label").count();
        let back = self
            .crm_effects()
            .iter()
            .filter(|effect| {
                effect.by_api && effect.fields.get("Tracking_Number__c").is_some_and(|number| !number.is_null()) && effect.object == "Order"
            })
            .count();
        settled && back >= labels
    }

    /// Asks `serve` by HTTP: status and body.
    pub(crate) fn ask(&self, request: http::Request<bytes::Bytes>) -> Result<(u16, String), String> {
        let net = Net::new(Duration::from_secs(20)).unwrap();
        let answer = self.runtime.block_on(async move { net.send(request).await }).map_err(|broken| broken.to_string())?;
        Ok((answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned()))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}
