//! Every bound that protects this process from what others send or write: sizes, times, counts, depths.
//!
//! One register: the constants that the code uses, the table of `docs/reference/bounds.md`, and the test that
//! fails without each of them.

use std::fmt;
use std::time::Duration;

/// One bound, as the reference prints it.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// The heading that it stands under.
    pub area: &'static str,
    /// The constant's name.
    pub name: &'static str,
    pub limit: Limit,
    /// What is bounded.
    pub of: &'static str,
    /// What happens beyond it.
    pub beyond: &'static str,
    /// The test that fails without it: `module::function`.
    pub held_by: &'static str,
}

/// How much, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Bytes(usize),
    Count(usize),
    Time(Duration),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Bytes(n) if n % (1 << 20) == 0 => write!(f, "{} MB", n >> 20),
            Limit::Bytes(n) if n % (1 << 10) == 0 => write!(f, "{} KB", n >> 10),
            Limit::Bytes(n) => write!(f, "{n} bytes"),
            Limit::Count(n) => f.write_str(&grouped(*n)),
            Limit::Time(time) if time.as_secs() % 60 == 0 => write!(f, "{} min", time.as_secs() / 60),
            Limit::Time(time) if time.subsec_millis() == 0 => write!(f, "{} s", time.as_secs()),
            Limit::Time(time) => write!(f, "{} ms", time.as_millis()),
        }
    }
}

/// `1,000,000`
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

macro_rules! bounds {
    ($($area:literal { $($name:ident: $kind:ident = $value:expr, $of:literal, $beyond:literal, $test:literal;)* })*) => {
        $($(
            #[doc = $of]
            pub const $name: bounds!(@type $kind) = $value;
        )*)*

        /// All bounds, in the order of the reference.
        pub const ALL: &[Bound] = &[
            $($(Bound {
                area: $area,
                name: stringify!($name),
                limit: Limit::$kind($value),
                of: $of,
                beyond: $beyond,
                held_by: $test,
            },)*)*
        ];
    };
    (@type Time) => { Duration };
    (@type $other:ident) => { usize };
}

bounds! {
    "Answers of systems" {
        SIGN_IN_ANSWER: Bytes = 64 << 10,
            "the answer to a sign-in",
            "the call has failed; the connection pauses, tries again, and alerts",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        READ_ANSWER: Bytes = 16 << 20,
            "one answer to a read: a page of records, a description",
            "the page is asked for with fewer records where the system allows it; else the call has failed",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        WRITE_ANSWER: Bytes = 16 << 20,
            "the answer to a write",
            "the write is in doubt, as after any lost answer",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        ECHO_ANSWER: Bytes = 4 << 20,
            "the results of a job in bulk, beside three times what was sent",
            "the outcome of its rows is not known",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        REFUSAL_ANSWER: Bytes = 64 << 10,
            "the body of an answer that is no success",
            "the rest is left unread; the status counts",
            "net::a_refusal_keeps_its_status_however_long_its_words";
        CALL_ANSWERS: Bytes = 256 << 20,
            "all answers of one call of a connector together (a long list is many pages)",
            "the call has failed",
            "client::the_answers_of_one_call_are_bounded_together";
        NOTED: Bytes = 16 << 20,
            "bodies of one call that are held for the audit trail until it ends",
            "later exchanges of that call are noted without their bodies",
            "client::a_long_call_does_not_hold_its_bodies";
        ANSWER_IDLE: Time = Duration::from_secs(20),
            "time without a byte in the midst of an answer",
            "the answer is lost",
            "net::an_answer_that_stops_or_drips_is_ended";
        CALL_TIME: Time = Duration::from_secs(60),
            "one request with its whole answer",
            "the answer is lost",
            "net::an_answer_that_stops_or_drips_is_ended";
        SIGN_IN_TIME: Time = Duration::from_secs(30),
            "a sign-in with its whole answer",
            "the call has failed; the connection pauses, tries again, and alerts",
            "net::a_sign_in_has_less_time";
        BULK_TIME: Time = Duration::from_secs(600),
            "an upload or a download in bulk",
            "the answer is lost",
            "net::a_sign_in_has_less_time";
        CHAIN_ANSWERS: Count = 500,
            "answers that one query goes on over (`nextRecordsUrl`)",
            "the call has failed",
            "salesforce::a_chain_of_answers_ends";
        CHAIN_BYTES: Bytes = 48 << 20,
            "the rows that one query holds in memory",
            "as for one answer that is too long",
            "salesforce::a_chain_of_answers_ends";
        CHAIN_TIME: Time = Duration::from_secs(600),
            "time that one query goes on",
            "the call has failed",
            "salesforce::a_chain_of_answers_ends";
        SAME_PAGES: Count = 5,
            "how often one poll may be given the very same page",
            "the poll fails, and the log says why; the next one begins after 5 minutes",
            "hostile::pages_without_end_are_ended_and_told";
        POLL_PAGES: Count = 100_000,
            "pages of one poll",
            "the poll fails, and the log says why; the next one begins after 5 minutes",
            "poll::a_poll_has_an_end";
    }
    "Mappings" {
        MAPPING: Bytes = 1 << 20,
            "a mapping file",
            "E0009",
            "read::a_file_that_is_too_large_is_refused";
        NESTING: Count = 128,
            "brackets inside brackets",
            "E0003",
            "check::deep_and_many_calls_end";
        EXPRESSION_DEPTH: Count = 100,
            "expressions inside expressions, those of called functions counted in",
            "E0003",
            "check::deep_and_many_calls_end";
        CALL_DEPTH: Count = 32,
            "functions that call functions",
            "E0113",
            "check::deep_and_many_calls_end";
        CALLS: Count = 5_000,
            "calls of the project's functions in one flow, those inside of called functions counted at each call",
            "E0113",
            "check::deep_and_many_calls_end";
        EXPRESSIONS: Count = 1_000_000,
            "expressions in one flow, those of called functions counted at each call",
            "E0119",
            "check::names_that_multiply_are_told";
        NAME_WEIGHT: Count = 10_000,
            "parts of the condition under which a name has a value",
            "E0119",
            "check::names_that_multiply_are_told";
        HELD_WEIGHT: Count = 500_000,
            "the same of all names of a flow",
            "E0119",
            "check::names_that_multiply_are_told";
        READ_WEIGHT: Count = 10_000_000,
            "the same of all names of a flow, each time that they are read",
            "E0119",
            "check::names_that_multiply_are_told";
    }
    "One record" {
        TEXT: Bytes = 1 << 20,
            "one text",
            "the record is rejected (`limit`)",
            "hostile::a_record_has_bounds";
        ITEMS: Count = 10_000,
            "elements of a list",
            "the record is rejected (`limit`)",
            "hostile::a_record_has_bounds";
        DEPTH: Count = 128,
            "levels of objects and lists",
            "the record is rejected, or its line cannot be read",
            "hostile::a_record_has_bounds";
        STEPS: Count = 1_000_000,
            "elements that all lists of the mapping go through",
            "the record is rejected (`limit`)",
            "hostile::a_record_has_bounds";
        LONG_TEXT: Bytes = 4 << 10,
            "a text that is made, above which it counts as long",
            "it counts into the next bound",
            "hostile::a_record_has_bounds";
        RECORD_TEXTS: Bytes = 64 << 20,
            "long texts that are made for one record together; and its payloads",
            "the record is rejected (`limit`, or by the field that goes beyond)",
            "hostile::a_record_has_bounds";
        LINE: Bytes = 16 << 20,
            "one line of JSONL",
            "it cannot be read; the next lines are",
            "files::an_overlong_line_is_refused_and_the_next_is_read";
    }
    "Files" {
        PROJECT_FILE: Bytes = 32 << 20,
            "a file of a project: tables, schemas, snapshots, cases, `crossdock.yaml` (regular files only)",
            "the file is refused with a message",
            "hostile::files_that_never_end_are_refused";
        WHOLE_FILE: Bytes = 256 << 20,
            "a file of records in JSON or CSV, which is read whole (JSONL has no bound: it is read line by line)",
            "the command ends with a message",
            "hostile::files_that_never_end_are_refused";
        SAMPLE: Bytes = 8 << 20,
            "the beginning of a JSONL or CSV file that a schema is inferred from",
            "what stands behind it is not looked at",
            "folder::a_schema_is_inferred_from_the_beginning";
        SECRET_FILE: Bytes = 64 << 10,
            "a file that holds a secret",
            "the command ends with a message",
            "hostile::files_that_never_end_are_refused";
    }
    "The store" {
        STORE_LOCK: Time = Duration::from_secs(600),
            "time that `run` and `serve` wait for a lock that another program holds on the store; told every 10 seconds",
            "the run ends with a message; nothing is lost",
            "hostile::a_foreign_lock_on_the_store_is_waited_for";
        STORE_READ_LOCK: Time = Duration::from_secs(10),
            "the same for commands that look into a store",
            "the command ends with a message",
            "hostile::a_command_does_not_wait_long_for_a_locked_store";
    }
    "What listens" {
        DOOR_CONNECTIONS: Count = 256,
            "connections to `serve` at once; a quarter of the file descriptors where that is less",
            "the one that has waited longest without a request is closed; where all are being answered: HTTP 503",
            "hostile::idle_connections_are_closed_and_health_answers";
        DOOR_HEAD_TIME: Time = Duration::from_secs(10),
            "time until a request's header has arrived; also how long a connection may be idle",
            "the connection is closed",
            "hostile::idle_connections_are_closed_and_health_answers";
        DOOR_BODY_TIME: Time = Duration::from_secs(10),
            "time until a webhook's body has arrived",
            "HTTP 408",
            "hostile::a_slow_webhook_is_ended";
        DOOR_LIFE: Time = Duration::from_secs(300),
            "life of one connection, however busy",
            "the connection is closed after the answer under way",
            "server::a_connection_does_not_live_for_ever";
        DOOR_HEAD: Bytes = 32 << 10,
            "a request's header",
            "HTTP 431",
            "hostile::a_large_header_is_refused";
        DOOR_HEADERS: Count = 64,
            "fields of a request's header",
            "HTTP 431",
            "hostile::a_large_header_is_refused";
        DOOR_BODY: Bytes = 512 << 10,
            "a webhook's body",
            "HTTP 413",
            "webhooks::a_stranger_changes_nothing";
    }
}

/// The page of the reference.
pub fn reference() -> String {
    let mut out = String::from(
        "# Bounds\n\nWhat others send or write cannot make Crossdock use unlimited memory or time. Each bound below has a test that fails\n\
         without it. The bounds are fixed; a system whose own limits are narrower is held to its own.\n\n\
         <!-- Written by the program from `src/base/bounds.rs`: `CROSSDOCK_ACCEPT=1 cargo nextest run --test all reference::` -->\n",
    );
    let mut area = "";
    for bound in ALL {
        if bound.area != area {
            area = bound.area;
            out += &format!("\n## {area}\n\n| what | at most | beyond it |\n| --- | --: | --- |\n");
        }
        out += &format!("| {} | {} | {} |\n", bound.of, bound.limit, bound.beyond);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_print_with_their_unit() {
        assert_eq!(Limit::Bytes(16 << 20).to_string(), "16 MB");
        assert_eq!(Limit::Bytes(512 << 10).to_string(), "512 KB");
        assert_eq!(Limit::Count(1_000_000).to_string(), "1,000,000");
        assert_eq!(Limit::Time(Duration::from_secs(300)).to_string(), "5 min");
        assert_eq!(Limit::Time(Duration::from_secs(10)).to_string(), "10 s");
    }
}
