//! `crossdock check`: checks mappings and prints what it found.

use std::path::PathBuf;

use super::lines::counted;
use super::{Exit, Failure, Out};
use crate::app::check::{self, Checked};
use crate::app::folder::Selection;
use crate::base::diag::{Diagnostic, Severity, render};
use crate::base::each_light;
use crate::project::Compiled;

const EXAMPLES: &str = "\
Examples:
  crossdock check                     the project of the current folder
  crossdock check clients/acme        another project
  crossdock check orders.dock         one file, and the files that it uses
  crossdock check --env staging       with crossdock.staging.yaml
  crossdock check --format github     annotations on a pull request
  crossdock check --format sarif      for code scanning

Exit code 1 if there is an error (with --strict also if there is a warning). `crossdock explain E0202` explains a code.";

/// Check mappings against the schemas of both their ends
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Project folders or mapping files; by default the project of the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Count warnings as findings: exit code 1
    #[arg(long)]
    strict: bool,
    /// The form of the output: for people, JSON, SARIF, or annotations for GitHub
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Human,
    Json,
    Sarif,
    Github,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let all = check::check(&args.paths, args.env.as_deref())?;
    let bad = check::is_bad(&all, args.strict);
    match args.format {
        Form::Human => human(&all, out)?,
        Form::Json => out.json(&check::document(&all))?,
        Form::Sarif => out.json(&check::sarif(&all))?,
        Form::Github => {
            for one in &all {
                out.print(render::github(&one.compiled.diagnostics, one.view()))?;
            }
        }
    }
    // The process ends here: the system takes back what all trees take faster than they would be taken apart.
    std::mem::forget(all);
    Ok(if bad { Exit::Findings } else { Exit::Fine })
}

fn human(all: &[Checked], out: &mut Out) -> Result<(), Failure> {
    for Checked { selection, compiled, notes } in all {
        show(selection, compiled, out)?;
        for allowed in &compiled.allowed {
            let place = compiled.sources.place(allowed.diagnostic.primary.span);
            let one = format!("allowed {} {}{place}: {} ({})", allowed.diagnostic.code, selection.prefix, allowed.diagnostic.message, allowed.reason);
            out.line(out.dim(&one))?;
        }
        for note in notes {
            out.note(out.dim(note));
        }
        if compiled.config.assumed {
            out.note(out.dim(&format!("no crossdock.yaml here: connections are assumed ({})", assumed(compiled))));
        }
    }
    let told: usize = all.iter().map(|one| one.compiled.allowed.len()).sum();
    let (files, flows) = all.iter().fold((0, 0), |(a, b), one| (a + one.compiled.units.len(), b + one.compiled.flows()));
    let found: Vec<Diagnostic> = all.iter().flat_map(|one| one.compiled.diagnostics.iter().cloned()).collect();
    let allowed = if told > 0 { format!(", {told} allowed") } else { String::new() };
    let errors = render::count(&found, Severity::Error);
    // Warnings are looked for when nothing is wrong: none beside an error says nothing.
    let result = match errors {
        0 => render::summary(&found),
        errors => format!("{}; warnings are shown when there are no errors", counted(errors, "error")),
    };
    let summary = format!("checked {}, {}: {result}{allowed}", counted(files, "file"), counted(flows, "flow"));
    out.line(if errors > 0 { out.red(&summary) } else { out.green(&summary) })
}

/// Prints a project's diagnostics, each with a free line behind it.
pub(super) fn show(opened: &Selection, compiled: &Compiled, out: &mut Out) -> Result<(), Failure> {
    let look = out.look;
    let shown = each_light(&opened.folder, &compiled.diagnostics, |diagnostic| render::terminal(diagnostic, opened.view(compiled), look));
    shown.into_iter().try_for_each(|text| out.whole(text))
}

fn assumed(compiled: &Compiled) -> String {
    let said = |(name, c): (&String, &crate::project::config::Connection)| format!("{name} is {}", c.system);
    compiled.config.connections.iter().filter(|(name, c)| c.system != name.as_str()).map(said).collect::<Vec<_>>().join(", ")
}
