//! `crossdock explain`: prints the page of a diagnostic code.

use super::lines::wrapped;
use super::{Exit, Failure, Format, Out};
use crate::base::diag::Code;
use crate::base::nearest;

const EXAMPLES: &str = "\
Examples:
  crossdock explain E0202    what the message means, with an example
  crossdock explain          lists all codes";

/// Explain a code that `check` has printed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The code, such as E0202; without a code, all are listed
    code: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let Some(written) = &args.code else {
        list(args.format, out)?;
        return Ok(Exit::Fine);
    };
    let code = Code::parse(written).ok_or_else(|| unknown(written))?;
    match args.format {
        Format::Human => page(code.page(), out)?,
        Format::Json => out.json(&entry(code, true))?,
    }
    Ok(Exit::Fine)
}

fn unknown(written: &str) -> Failure {
    let failure = Failure::usage(format!("there is no code `{written}`"));
    match nearest(written, Code::ALL.iter().map(|code| code.number())) {
        Some(near) => failure.hint(format!("did you mean `{near}`? `crossdock explain` lists all codes")),
        None => failure.hint("a code is a letter and four digits, such as E0202; `crossdock explain` lists all"),
    }
}

fn list(format: Format, out: &mut Out) -> Result<(), Failure> {
    if format == Format::Json {
        return out.json(&Code::ALL.iter().map(|code| entry(*code, false)).collect::<Vec<_>>());
    }
    let mut family = "";
    for code in Code::ALL {
        if &code.number()[..3] != family {
            family = &code.number()[..3];
            let space = if *code == Code::ALL[0] { "" } else { "\n" };
            out.line(format!("{space}{}", out.bold(headline(family))))?;
        }
        out.line(format!("  {}  {}", out.cyan(code.number()), code.title()))?;
    }
    Ok(())
}

fn headline(family: &str) -> &'static str {
    match family {
        "E00" => "Text",
        "E01" => "Names, items and files",
        "E02" => "Types and values",
        "E03" => "Flows",
        "E04" => "Project",
        "E06" => "Descriptions of systems",
        _ => "Doubts (warnings)",
    }
}

fn entry(code: Code, whole: bool) -> serde_json::Value {
    let mut entry = serde_json::json!({ "code": code.number(), "title": code.title() });
    if whole {
        entry["page"] = code.page().into();
    }
    entry
}

/// Markdown for eyes: the heading bold, paragraphs set to the width, examples set in and named by what they are.
fn page(text: &str, out: &mut Out) -> Result<(), Failure> {
    let mut code = false;
    let mut paragraph = String::new();
    for line in text.lines() {
        if !code && goes_on(line) && !paragraph.is_empty() {
            paragraph = format!("{paragraph} {}", line.trim_start());
            continue;
        }
        set(&std::mem::take(&mut paragraph), out)?;
        if let Some(fence) = line.strip_prefix("```") {
            code = !code && !fence.is_empty();
            let name = match fence.trim() {
                "dock fails" | "yaml description fails" => "With the mistake:",
                "dock mended" | "yaml description mended" => "Corrected:",
                other => other.split_once(' ').map_or("", |(_, file)| file),
            };
            if code && !name.is_empty() {
                out.line(out.cyan(name))?;
            }
        } else if code {
            // People copy examples.
            out.whole(if line.is_empty() { String::new() } else { format!("    {line}") })?;
        } else if let Some(heading) = line.strip_prefix('#') {
            out.line(out.bold(heading.trim_start_matches('#').trim_start()))?;
        } else if line.is_empty() {
            out.line("")?;
        } else {
            line.clone_into(&mut paragraph);
        }
    }
    set(&paragraph, out)
}

/// A paragraph begins each line at the margin; an item goes on under its own text.
fn set(paragraph: &str, out: &mut Out) -> Result<(), Failure> {
    if paragraph.starts_with("- ") {
        return out.line(paragraph);
    }
    wrapped(paragraph, 0, out.columns()).into_iter().try_for_each(|line| out.line(line))
}

/// Whether a line of Markdown belongs to the paragraph or the item above it.
fn goes_on(line: &str) -> bool {
    !line.is_empty() && !["```", "#", "- ", "|", "* "].iter().any(|sign| line.starts_with(sign))
}
