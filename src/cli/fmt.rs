//! `crossdock fmt`: writes mapping files in the standard form.

use std::io::Read as _;
use std::path::PathBuf;

use similar::{ChangeTag, TextDiff};

use super::lines::counted;
use super::{Exit, Failure, Format, Out};
use crate::app::folder::{no_mapping, select};
use crate::base::diag::render::{self, View};
use crate::base::{Source, Sources};
use crate::project::Library;
use crate::syntax;

const EXAMPLES: &str = "\
Examples:
  crossdock fmt                    every mapping file of the project
  crossdock fmt orders.dock        one file
  crossdock fmt --check            changes nothing, and shows what would change
  crossdock fmt - < orders.dock    standard input to standard output

A file with a syntax error is left as it is. With --check, exit code 1 if a file would change.";

/// Write mapping files in the standard form; comments stay
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Project folders or mapping files; `-` for the standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change nothing; show the difference
    #[arg(long)]
    check: bool,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    if args.paths.iter().any(|p| p.as_os_str() == "-") {
        return stream(args, out);
    }
    let (mut changed, mut same, mut broken) = (Vec::new(), 0, Vec::new());
    for opened in select(&args.paths)? {
        let names = opened.only.clone().unwrap_or_else(|| opened.folder.list(".dock"));
        if names.is_empty() {
            return Err(no_mapping(&opened));
        }
        for name in names {
            let shown = format!("{}{name}", opened.prefix);
            let text = opened.folder.read(&name).map_err(|absence| Failure::io(format!("`{shown}`: {absence}")))?;
            match formatted(&shown, &text, out) {
                None => broken.push(shown),
                Some(new) if *new == *text => same += 1,
                Some(new) => {
                    if args.check && args.format == Format::Human {
                        difference(&shown, &text, &new, out)?;
                    } else if !args.check {
                        let path = opened.folder.reach(&name)?;
                        std::fs::write(path, new).map_err(|e| Failure::io(format!("`{shown}` cannot be written: {e}")))?;
                    }
                    changed.push(shown);
                }
            }
        }
    }
    if args.format == Format::Json {
        out.json(&serde_json::json!({ "version": 1, "changed": changed, "unchanged": same, "unreadable": broken }))?;
    } else {
        let files = |n: usize| counted(n, "file");
        let did = if args.check { "would change" } else { "changed" };
        if !args.check {
            for name in &changed {
                out.line(format!("{did} {name}"))?;
            }
        }
        out.line(match changed.len() {
            0 => out.green(&format!("{} in the standard form", files(same))),
            n => format!("{} {did}, {same} already in the standard form", files(n)),
        })?;
    }
    let findings = !broken.is_empty() || (args.check && !changed.is_empty());
    Ok(if findings { Exit::Findings } else { Exit::Fine })
}

fn stream(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::io(format!("the standard input cannot be read: {error}")))?;
    let Some(new) = formatted("(standard input)", &text, out) else { return Ok(Exit::Findings) };
    if args.check {
        difference("(standard input)", &text, &new, out)?;
        return Ok(if new == text { Exit::Fine } else { Exit::Findings });
    }
    out.exact(&new)?;
    Ok(Exit::Fine)
}

/// The text in the standard form; `None` if it cannot be read, which is then said.
fn formatted(name: &str, text: &str, out: &mut Out) -> Option<String> {
    match syntax::format(text) {
        Ok(new) => Some(new),
        Err(found) => {
            let mut sources = Sources::default();
            sources.add(Source::new(name, text));
            for diagnostic in &found {
                out.note_framed(&render::terminal(diagnostic, View::new(&sources), out.look));
            }
            None
        }
    }
}

fn difference(name: &str, old: &str, new: &str, out: &mut Out) -> Result<(), Failure> {
    let diff = TextDiff::from_lines(old, new);
    out.line(out.bold(name))?;
    for (n, group) in diff.grouped_ops(2).iter().enumerate() {
        if n > 0 {
            out.line(out.dim("   …"))?;
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let number = change.old_index().or(change.new_index()).map_or(0, |i| i + 1);
            let text = change.value().trim_end_matches('\n');
            out.whole(match change.tag() {
                ChangeTag::Equal => out.dim(&format!("{number:>4}   {text}")),
                ChangeTag::Delete => out.red(&format!("{number:>4} - {text}")),
                ChangeTag::Insert => out.green(&format!("{number:>4} + {text}")),
            })?;
        }
    }
    out.line("")
}
