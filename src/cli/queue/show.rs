//! `crossdock queue show`: one exception, with the payload that waits or was refused.

use super::list::decided;
use super::{Project, masking, named};
use crate::app::{Access, Context};
use crate::cli::lines::wrapped;
use crate::cli::status::time;
use crate::cli::when::{age, until};
use crate::cli::{Exit, Failure, Format, Out};
use crate::engine::mask;
use crate::engine::queue::to_edit;
use crate::store::{Entry, EntryState, Exception, Store};

const EXAMPLES: &str = "\
Examples:
  crossdock queue show 12                 reasons, payload and next step
  crossdock queue show 00000104           the open exceptions of a record
  crossdock queue show 12 --reveal        with personal values
  crossdock queue show 12 --payload --reveal > payload.json
                                          the payload, as `queue edit` takes it";

/// Show one exception: reasons, payload, next step, who decided
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The number of the exception, or the number, name or key of its record
    #[arg(value_name = "ID")]
    name: String,
    #[command(flatten)]
    project: Project,
    /// Print personal values
    #[arg(long)]
    reveal: bool,
    /// The payload alone, as JSON
    #[arg(long)]
    payload: bool,
    /// Which payload, where several wait: the write's name
    #[arg(long, value_name = "WRITE", requires = "payload")]
    write: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let store = context.open_store(Access::Read)?;
    let found = named(&*store, &args.name)?;
    if args.payload {
        let [one] = found.as_slice() else { return Err(several(&args.name, &found)) };
        return payload(&context, &*store, one, args, out);
    }
    let plan = context.project.plan()?;
    for (at, one) in found.iter().enumerate() {
        let entries = store.entries_of(&one.flow, &one.lane)?;
        let words = masking(&context, &*store, one)?;
        let said = |reason: &crate::store::Reason| if args.reveal { reason.message.clone() } else { words(&reason.message) };
        let shown = |entry: &Entry| {
            if args.reveal { entry.body.clone() } else { mask::Mask::of(plan, &entry.connection).json(Some(&entry.object), &entry.body) }
        };
        let key = |entry: &Entry| -> Option<String> {
            let mask = mask::Mask::of(plan, &entry.connection);
            let of_person = |key: &String| mask.is_of_person(Some(&entry.object), &entry.body, key);
            let shown = entry.key_field.as_ref().is_none_or(|field| mask.shows(&entry.object, std::slice::from_ref(field)))
                && !entry.key.as_ref().is_some_and(of_person);
            entry.key.as_deref().map(|key| if args.reveal { key.to_owned() } else { mask::key(key, shown) })
        };
        if args.format == Format::Json {
            let reasons: Vec<_> = one
                .reasons
                .iter()
                .map(|reason| serde_json::json!({"kind": reason.kind, "message": said(reason), "field": reason.field, "place": reason.place}))
                .collect();
            let payloads: Vec<_> = to_edit(&entries)
                .into_iter()
                .map(|entry| {
                    serde_json::json!({
                        "write": entry.write, "op": entry.op, "object": format!("{}.{}", entry.connection, entry.object), "key": key(entry),
                        "state": entry.state.word(), "body": shown(entry),
                    })
                })
                .collect();
            out.json(&serde_json::json!({
                "version": 1, "id": one.id, "cause": one.cause(), "code": one.code, "flow": one.flow, "key": one.lane, "label": one.label,
                "owner": one.owner, "opened": time(one.opened), "before": one.before.map(time), "closed": one.closed.map(time),
                "closed_by": one.closed_by, "decided": decided(one), "reasons": reasons, "payloads": payloads, "next": one.next,
            }))?;
            continue;
        }
        if at > 0 {
            out.line("")?;
        }
        person(one, &entries, &said, &key, &shown, out)?;
    }
    Ok(Exit::Fine)
}

fn several(name: &str, found: &[Exception]) -> Failure {
    let ids: Vec<String> = found.iter().map(|one| format!("{} ({} of {})", one.id, one.code, one.flow)).collect();
    Failure::usage(format!("several exceptions are open of {}", mask::key(name, true))).hint(format!("name one by its number: {}", ids.join(", ")))
}

/// The payload that waits, or was refused: as `queue edit` takes it.
fn payload(context: &Context, store: &dyn Store, one: &Exception, args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let entries = store.entries_of(&one.flow, &one.lane)?;
    let write = args.write.as_deref();
    let open = to_edit(&entries);
    let fits: Vec<&&Entry> = open.iter().filter(|entry| write.is_none_or(|write| entry.write == write)).collect();
    match fits.as_slice() {
        [entry] if args.reveal => out.json(&entry.body).map(|()| Exit::Fine),
        [entry] => {
            out.json(&mask::Mask::of(context.project.plan()?, &entry.connection).json(Some(&entry.object), &entry.body))?;
            out.note("personal values are masked; `--payload --reveal` prints the payload that `queue edit` takes");
            Ok(Exit::Fine)
        }
        [] if open.is_empty() => Err(Failure::usage("it has no payload that waits or was refused").hint(one.next.clone())),
        _ => {
            let writes: Vec<&str> = open.iter().map(|entry| entry.write.as_str()).collect();
            Err(Failure::usage("it has several payloads").hint(format!("name one: --write {}", writes.join(", --write "))))
        }
    }
}

fn person(
    one: &Exception,
    entries: &[Entry],
    said: &dyn Fn(&crate::store::Reason) -> String,
    key: &dyn Fn(&Entry) -> Option<String>,
    shown: &dyn Fn(&Entry) -> crate::value::Json,
    out: &mut Out,
) -> Result<(), Failure> {
    let width = out.columns();
    let now = jiff::Timestamp::now().as_millisecond();
    let told = |word: &str, text: &str, out: &mut Out| -> Result<(), Failure> {
        let mut word = word;
        for line in wrapped(text, 9, width) {
            out.line(format!("{word:<9}{}", line.trim_start()))?;
            word = "";
        }
        Ok(())
    };
    out.line(format!("{} {} of {} ({})", one.code, one.label.as_deref().unwrap_or(&one.lane), one.flow, one.lane))?;
    told("cause", &one.cause(), out)?;
    told("opened", &format!("{} ({})", time(one.opened), age(now - one.opened)), out)?;
    if let Some(before) = one.before {
        told("before", &format!("{} ({})", time(before), until(before, now)), out)?;
    }
    if let Some(owner) = &one.owner {
        told("owner", owner, out)?;
    }
    for reason in &one.reasons {
        let place = reason.place.as_ref().map(|place| format!("  ({place})")).unwrap_or_default();
        let field = reason.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
        told("reason", &format!("{field}{}{place}", said(reason)), out)?;
    }
    for entry in to_edit(entries) {
        let word = if entry.state == EntryState::Refused { "refused" } else { "payload" };
        told(word, &format!("{} {}.{} {}", entry.op, entry.connection, entry.object, key(entry).unwrap_or_default()), out)?;
        out.json(&shown(entry))?;
    }
    match (&one.closed, &one.closed_by) {
        (Some(closed), Some(what)) => {
            let by = one.decided.as_ref().and_then(|decided| decided.by.as_ref()).map(|by| format!(" by {by}")).unwrap_or_default();
            told("closed", &format!("{} {what}{by}", time(*closed)), out)?;
            if let Some(why) = one.decided.as_ref().and_then(|decided| decided.why.as_ref()) {
                told("why", why, out)?;
            }
            Ok(())
        }
        _ => told("next", &one.next, out),
    }
}
