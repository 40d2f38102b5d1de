//! Whether everything can be reached, and is as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::backup::StoreCheck;
use super::process::{clock, runtime, transport};
use super::run_connected::{alerts, schedules};
use super::stores::Checked;
use super::{Access, Context, Failure, VERSION, schema_watch};
use crate::engine::Alive;
use crate::fault::Fault;
use crate::http::Call;
use crate::project::config::Connection;
use crate::project::retention;
use crate::run::connections;
use crate::schema::Names;
use crate::store::Wanted;
use crate::value::ObjectRef;

/// Milliseconds.
const A_MINUTE: i64 = 60_000;
/// A store up to this size, in bytes, is checked wholly at any time: that takes a second or two.
const SMALL: u64 = 64 << 20;
/// Seconds that a system may take to answer.
const SLOW: i64 = 5;

/// All that was asked, and what was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    pub version: u32,
    pub answers: Vec<Answer>,
}

impl Health {
    /// Nothing is wrong.
    pub fn is_fine(&self) -> bool {
        self.answers.iter().all(|answer| answer.fine)
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    pub fine: bool,
    /// What was found, in one sentence.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What is damaged in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damages: Option<StoreCheck>,
}

/// Where each answer goes as soon as it is known.
pub type Told<'a> = &'a mut dyn FnMut(&Answer) -> Result<(), Failure>;

struct Doctor<'a, 't> {
    context: &'a Context,
    told: Told<'t>,
    answers: Vec<Answer>,
}

/// Looks at the mapping, the store, the connections with their credentials and names, and the clock. `deep`: at every row
/// and sealed value of the store, however large it is.
///
/// # Errors
/// The machine gives no threads or no network, or `told` fails. What is wrong with the project is an answer.
pub fn examine(context: &Context, deep: bool, told: Told<'_>) -> Result<Health, Failure> {
    let mut doctor = Doctor { context, told, answers: Vec::new() };
    doctor.mapping()?;
    doctor.store(deep)?;
    doctor.retention()?;
    doctor.schedules()?;
    doctor.alerts()?;
    doctor.unseen()?;
    if doctor.connections()? {
        doctor.clock()?;
    }
    Ok(Health { version: VERSION, answers: doctor.answers })
}

impl Doctor<'_, '_> {
    fn say(&mut self, fine: bool, text: String) -> Result<(), Failure> {
        self.answer(Answer { fine, text, hint: None, damages: None })
    }

    fn wrong(&mut self, failure: Failure) -> Result<(), Failure> {
        self.answer(Answer { fine: false, text: failure.message, hint: failure.hint, damages: None })
    }

    fn answer(&mut self, answer: Answer) -> Result<(), Failure> {
        (self.told)(&answer)?;
        self.answers.push(answer);
        Ok(())
    }

    fn mapping(&mut self) -> Result<(), Failure> {
        let hash = self.context.project.plan()?.short_hash();
        self.say(true, format!("the mapping passes check: plan {hash}"))
    }

    fn store(&mut self, deep: bool) -> Result<(), Failure> {
        let location = &self.context.store;
        if location.is_lost() {
            return self.stored(false);
        }
        if !location.exists() {
            return self.say(true, format!("the store {location} does not exist yet: the first run creates it"));
        }
        self.stored(deep || location.size().is_some_and(|size| size <= SMALL))?;
        // A store that cannot be opened was told just now.
        let alive = self.context.open_store(Access::Read).ok().and_then(|store| Alive::kept(&*store).ok()).flatten();
        let Some(alive) = alive else { return Ok(()) };
        let ahead = alive.at - jiff::Timestamp::now().as_millisecond();
        if ahead > A_MINUTE {
            self.say(false, format!("the clock is {} minutes behind what it was when crossdock last ran", ahead / A_MINUTE))?;
        }
        alive.troubles.iter().try_for_each(|trouble| self.say(false, format!("the last process reported: {trouble}")))
    }

    /// Whether the store is as it was written; `wholly`: with every row and sealed value.
    fn stored(&mut self, wholly: bool) -> Result<(), Failure> {
        let location = &self.context.store;
        let opened = location.open(Access::Read).and_then(|store| {
            let damaged = Wanted { code: Some("damaged".to_owned()), ..Wanted::default() };
            let known = store.wanted(&damaged, false, usize::MAX)?.len();
            let checked = if wholly { store.verify()? } else { store.verify_pages().map(|()| Checked::default())? };
            Ok((known, checked))
        });
        let (known, checked) = match opened {
            Ok(found) => found,
            Err(fault) => return self.wrong(fault.into()),
        };
        if !checked.damages.is_empty() {
            let text = format!("the store {location} is damaged in {} places", checked.damages.len());
            let damages = Some(StoreCheck::of(location, &checked));
            self.answer(Answer { fine: false, text, hint: None, damages })?;
        } else if wholly {
            self.say(
                true,
                format!("the store {location} is not damaged: {} rows, their encrypted values, and all pages were checked", checked.rows),
            )?;
        } else {
            self.say(true, format!("the pages of the store {location} are not damaged; `doctor --deep` also checks every row and encrypted value"))?;
        }
        if known > 0 {
            self.say(false, format!("{known} records were set aside because their rows were damaged: crossdock queue list --code damaged"))?;
        }
        Ok(())
    }

    fn retention(&mut self) -> Result<(), Failure> {
        let config = &self.context.project.compiled.config;
        for (name, connection) in &config.connections {
            // Files are read and written, and nothing is kept of them.
            if connection.system != "files" {
                let days = retention::of_connection(config, name);
                self.say(true, format!("{name}: data is kept for this many days: {}", retention::told(&days)))?;
            }
        }
        Ok(())
    }

    /// The schedules of `crossdock.yaml`, by the rules of `serve`.
    fn schedules(&mut self) -> Result<(), Failure> {
        for found in [schedules(&self.context.project).map(|_| ()), schema_watch::schedule_of(&self.context.project).map(|_| ())] {
            found.or_else(|failure| self.wrong(failure))?;
        }
        Ok(())
    }

    /// The channels of alerts, by the rules of `serve`: nothing is sent.
    fn alerts(&mut self) -> Result<(), Failure> {
        match alerts(self.context, &transport()?) {
            Ok(alerts) if alerts.channels() > 0 => self.say(true, format!("alerts: the settings of {} can be used", counted(alerts.channels()))),
            Ok(_) => Ok(()),
            Err(failure) => self.wrong(failure),
        }
    }

    /// Writes of which a description says more than a probe has seen at the connection's host: nothing is wrong, and a person may
    /// count on something else.
    fn unseen(&mut self) -> Result<(), Failure> {
        let mut told = BTreeSet::new();
        let plan = self.context.project.plan()?;
        for write in plan.mapping.flows.iter().flat_map(|flow| flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes))) {
            let Some(object) = plan.objects.get(&write.object.to_string()) else { continue };
            let rule = object.write_rule(write.op, write.key.as_ref().and_then(|key| key.field.as_deref()));
            let Some(claims) = rule.and_then(|rule| rule.claims.as_ref()) else { continue };
            let word = write.op.word();
            let seen = claims.seen();
            let guarantee = claims.guarantee;
            let text = format!("{}: {word} is {} and is {guarantee} by its description, which {seen}", write.object, write.guarantee);
            if told.insert(text.clone()) {
                let hint = Some(format!("crossdock system probe {} --connection {} --writes", object.system, write.object.connection));
                self.answer(Answer { fine: true, text, hint, damages: None })?;
            }
        }
        Ok(())
    }

    /// Gives whether the connections could be opened.
    fn connections(&mut self) -> Result<bool, Failure> {
        let (transport, clock) = (transport()?, clock());
        let runtime = runtime()?;
        let connectors = match self.context.project.connectors(&[], &transport, &clock) {
            Ok(connectors) => connectors,
            Err(failure) => {
                self.wrong(failure)?;
                return Ok(false);
            }
        };
        for (name, connector) in &connectors {
            let call = Call::default();
            let began = jiff::Timestamp::now();
            match runtime.block_on(connector.check_connection(&call)) {
                Ok(hello) => self.say(true, format!("{name}: {hello}"))?,
                Err(fault) => {
                    let unsent = matches!(fault, Fault::Transient { unsent: true, .. });
                    let hint = unsent.then(|| unreached(self.context.project.compiled.config.connections.get(name)).to_owned());
                    self.answer(Answer { fine: false, text: format!("{name}: {fault}"), hint, damages: None })?;
                }
            }
            let took = jiff::Timestamp::now().duration_since(began).as_secs();
            if took > SLOW {
                self.say(false, format!("{name} took {took} seconds to answer"))?;
            }
        }
        let plan = self.context.project.plan()?;
        let before = &self.context.project.compiled.names;
        let mut names = before.clone();
        let mut unread = BTreeSet::new();
        for (connection, fault) in runtime.block_on(connections::refresh_names(plan, &connectors, &mut names)) {
            self.say(false, format!("the names of {connection} cannot be fetched: {fault}"))?;
            unread.insert(connection);
        }
        // What could not be fetched was not compared: nothing is said of it.
        for of in connections::named(plan).into_iter().filter(|of| !unread.contains(&of.connection)) {
            let (old, new) = (ids(before, &of), ids(&names, &of));
            let gone: Vec<&str> = old.iter().filter(|known| !new.contains(known)).map(|(name, _)| name.as_str()).collect();
            if gone.is_empty() {
                self.say(true, format!("{of}: {} names as in the snapshot", new.len()))?;
            } else {
                self.say(false, format!("{of}: removed, or with another id than in the snapshot: {}", gone.join(", ")))?;
            }
        }
        Ok(true)
    }

    fn clock(&mut self) -> Result<(), Failure> {
        let now = jiff::Timestamp::now();
        let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
        self.say((2024..2100).contains(&year), format!("the clock says {}", now.strftime("%Y-%m-%d %H:%M:%SZ")))
    }
}

fn counted(channels: usize) -> String {
    if channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") }
}

/// What to do about a system that no request reaches.
fn unreached(connection: Option<&Connection>) -> &'static str {
    let mut texts = connection.into_iter().flat_map(|connection| connection.options.values()).filter_map(|node| node.text());
    if texts.any(|text| ["127.0.0.1", "localhost", "[::1]"].iter().any(|here| text.contains(here))) {
        "its address is on this machine: is the sandbox running? `crossdock sandbox start` starts it"
    } else {
        "is its address right (`login` or `url` of the connection), and can this machine reach it (network, proxy, firewall)?"
    }
}

/// The names of a kind of things, each with its id.
fn ids(names: &BTreeMap<ObjectRef, Arc<Names>>, of: &ObjectRef) -> Vec<(String, String)> {
    names.get(of).map(|names| names.names.iter().map(|named| (named.name.clone(), named.id.to_string())).collect()).unwrap_or_default()
}
