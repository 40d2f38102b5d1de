//! Every bound that protects this process from data of others: sizes, times, counts, depths.
//!
//! One register: the constants that the code uses, the table of `docs/reference/bounds.md`, and the test that fails without each bound.

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
            "the call has failed; the connection pauses, retries, and raises an alert",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        READ_ANSWER: Bytes = 16 << 20,
            "one answer to a read: a page of records, a description of an object",
            "the page is requested again with fewer records, where the system allows it; otherwise the call has failed",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        WRITE_ANSWER: Bytes = 16 << 20,
            "the answer to a write",
            "the write is in doubt, as after any lost answer",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        ECHO_ANSWER: Bytes = 4 << 20,
            "the results of a bulk job: three times the size of what was sent, and this much more",
            "the outcome of its rows is not known",
            "net::an_endless_answer_ends_at_the_size_of_its_kind";
        REFUSAL_ANSWER: Bytes = 64 << 10,
            "the body of an error answer",
            "the rest is not read; the status of the answer counts",
            "net::a_refusal_keeps_its_status_however_long_its_words";
        CALL_ANSWERS: Bytes = 256 << 20,
            "all answers to one call of a connector together (a long list has many pages)",
            "the call has failed",
            "client::the_answers_of_one_call_are_bounded_together";
        NOTED: Bytes = 16 << 20,
            "bodies of one call that are kept in memory for the audit trail until the call ends",
            "later requests of that call are recorded without their bodies",
            "client::a_long_call_does_not_hold_its_bodies";
        ANSWER_IDLE: Time = Duration::from_secs(20),
            "time without a byte in the middle of an answer",
            "the answer is lost",
            "net::an_answer_that_stops_or_drips_is_ended";
        CALL_TIME: Time = Duration::from_secs(60),
            "one request and its complete answer",
            "the answer is lost",
            "net::an_answer_that_stops_or_drips_is_ended";
        SIGN_IN_TIME: Time = Duration::from_secs(30),
            "a sign-in and its complete answer",
            "the call has failed; the connection pauses, retries, and raises an alert",
            "net::a_sign_in_has_less_time";
        BULK_TIME: Time = Duration::from_secs(600),
            "the upload or download of a bulk job",
            "the answer is lost",
            "net::a_sign_in_has_less_time";
        CHAIN_ANSWERS: Count = 500,
            "pages of one query (`nextRecordsUrl`)",
            "the call has failed",
            "salesforce::a_chain_of_answers_ends";
        CHAIN_BYTES: Bytes = 48 << 20,
            "rows of one query that are kept in memory",
            "as for an answer to a read that is too long",
            "salesforce::a_chain_of_answers_ends";
        CHAIN_TIME: Time = Duration::from_secs(600),
            "time that one query takes, over all its pages",
            "the call has failed",
            "salesforce::a_chain_of_answers_ends";
        SAME_PAGES: Count = 5,
            "how often one poll may receive the same page",
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
            "nested brackets",
            "E0003",
            "check::deep_and_many_calls_end";
        EXPRESSION_DEPTH: Count = 100,
            "nested expressions, including those of called functions",
            "E0003",
            "check::deep_and_many_calls_end";
        CALL_DEPTH: Count = 32,
            "nested calls of functions",
            "E0113",
            "check::deep_and_many_calls_end";
        CALLS: Count = 5_000,
            "calls of the project's functions in one flow; calls inside a function count each time that it is called",
            "E0113",
            "check::deep_and_many_calls_end";
        EXPRESSIONS: Count = 1_000_000,
            "expressions in one flow; those inside a function count each time that it is called",
            "E0119",
            "check::names_that_multiply_are_told";
        NAME_WEIGHT: Count = 10_000,
            "parts of the condition under which a name (`let`, `match`, …) has a value",
            "E0119",
            "check::names_that_multiply_are_told";
        HELD_WEIGHT: Count = 500_000,
            "parts of such conditions, for all names of a flow together",
            "E0119",
            "check::names_that_multiply_are_told";
        READ_WEIGHT: Count = 10_000_000,
            "the same, counted each time that a name is read",
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
            "elements that all lists of the mapping process together",
            "the record is rejected (`limit`)",
            "hostile::a_record_has_bounds";
        LONG_TEXT: Bytes = 4 << 10,
            "a text that the mapping produces, without counting as long",
            "it counts as long, and into the next bound",
            "hostile::a_record_has_bounds";
        RECORD_TEXTS: Bytes = 64 << 20,
            "all long texts that the mapping produces for one record; and all its payloads",
            "the record is rejected (`limit`, or with the field that is too large)",
            "hostile::a_record_has_bounds";
        LINE: Bytes = 16 << 20,
            "one line of JSONL",
            "the line cannot be read; the next lines are read",
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
            "the rest of the file is not used",
            "folder::a_schema_is_inferred_from_the_beginning";
        SECRET_FILE: Bytes = 64 << 10,
            "a file with a secret",
            "the command ends with a message",
            "hostile::files_that_never_end_are_refused";
    }
    "The store" {
        STORE_LOCK: Time = Duration::from_secs(600),
            "time that `run` and `serve` wait for a lock that another program holds on the store; the log reports it every 10 seconds",
            "the run ends with a message; nothing is lost",
            "hostile::a_foreign_lock_on_the_store_is_waited_for";
        STORE_READ_LOCK: Time = Duration::from_secs(10),
            "the same for commands that only read the store",
            "the command ends with a message",
            "hostile::a_command_does_not_wait_long_for_a_locked_store";
    }
    "The server (`serve`)" {
        DOOR_CONNECTIONS: Count = 256,
            "open connections to `serve`; a quarter of the file descriptors if that is less",
            "the connection that has been idle longest is closed; if none is idle: HTTP 503",
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
            "lifetime of one connection, even if it is busy",
            "the connection is closed after the current answer",
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
        "# Bounds\n\nThese bounds keep data from other systems, files and mappings from using unlimited memory or time. Each bound has a test\n\
         that fails without it. The bounds are fixed. If a system has narrower limits of its own, those apply.\n\n\
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
