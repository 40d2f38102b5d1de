//! `crossdock check`: checks mappings and prints what it found.

use std::path::PathBuf;

use super::{Exit, Failure, Out};
use crate::app::folder::{Selection, select};
use crate::base::diag::render::{self, View};
use crate::base::diag::{Diagnostic, Severity};
use crate::base::each_light;
use crate::project::{Compiled, Options, Planned, compile};
use crate::spec::checked;

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
    let mut all = Vec::new();
    for opened in select(&args.paths)? {
        let options = Options { env: args.env.clone(), only: opened.only.clone(), planned: Planned::Nothing };
        // The cases are read beside the mappings. A check of single files leaves them alone.
        let whole = opened.only.is_none();
        let (cases, mut compiled) = std::thread::scope(|scope| {
            let cases = scope.spawn(|| if whole { checked::read_all(&opened.folder) } else { Vec::new() });
            let compiled = compile(&opened.folder, &options);
            (cases.join().unwrap_or_default(), compiled)
        });
        checked::check(&opened.folder, &cases, &mut compiled);
        if compiled.units.is_empty() && compiled.diagnostics.is_empty() {
            let folder = opened.folder.root().display().to_string();
            return Err(
                Failure::usage(format!("there is no mapping file in {folder}")).hint("mapping files end in .dock; `crossdock new` creates a project")
            );
        }
        all.push((opened, compiled));
    }
    let found: Vec<&Diagnostic> = all.iter().flat_map(|(_, c)| &c.diagnostics).collect();
    let bad = found.iter().any(|d| args.strict || d.severity == Severity::Error);
    match args.format {
        Form::Human => human(&all, out)?,
        Form::Json => {
            let mut document = merged(&all, render::json, "diagnostics");
            document["allowed"] =
                all.iter().flat_map(|(opened, compiled)| compiled.allowed.iter().map(|one| allowed(opened, compiled, one))).collect();
            out.json(&document)?;
        }
        Form::Sarif => out.json(&merged(&all, render::sarif, "runs"))?,
        Form::Github => {
            for (opened, compiled) in &all {
                out.print(render::github(&compiled.diagnostics, view(opened, compiled)))?;
            }
        }
    }
    // The process ends here: the system takes back what all trees take faster than they would be taken apart.
    std::mem::forget(all);
    Ok(if bad { Exit::Findings } else { Exit::Fine })
}

pub(super) fn view<'a>(opened: &'a Selection, compiled: &'a Compiled) -> View<'a> {
    View { sources: &compiled.sources, prefix: &opened.prefix }
}

fn human(all: &[(Selection, Compiled)], out: &mut Out) -> Result<(), Failure> {
    for (opened, compiled) in all {
        show(opened, compiled, out)?;
        for allowed in &compiled.allowed {
            let place = compiled.sources.place(allowed.diagnostic.primary.span);
            let one = format!("allowed {} {}{place}: {} ({})", allowed.diagnostic.code, opened.prefix, allowed.diagnostic.message, allowed.reason);
            out.line(out.dim(&one))?;
        }
        if compiled.config.assumed {
            out.note(out.dim(&format!("no crossdock.yaml here: connections are assumed ({})", assumed(compiled))));
        }
    }
    let told: usize = all.iter().map(|(_, compiled)| compiled.allowed.len()).sum();
    let (files, flows) = all.iter().fold((0, 0), |(a, b), (_, c)| (a + c.units.len(), b + c.flows()));
    let found: Vec<Diagnostic> = all.iter().flat_map(|(_, c)| c.diagnostics.iter().cloned()).collect();
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
    let shown = each_light(&opened.folder, &compiled.diagnostics, |diagnostic| render::terminal(diagnostic, view(opened, compiled), look));
    shown.into_iter().try_for_each(|text| out.line(text))
}

fn allowed(opened: &Selection, compiled: &Compiled, one: &crate::project::allow::Allowed) -> serde_json::Value {
    let span = one.diagnostic.primary.span;
    let source = compiled.sources.get(span.file);
    serde_json::json!({
        "code": one.diagnostic.code.number(),
        "message": one.diagnostic.message,
        "file": source.map(|source| format!("{}{}", opened.prefix, source.name)),
        "line": source.map(|source| source.position(span.start).line),
        "reason": one.reason,
    })
}

fn assumed(compiled: &Compiled) -> String {
    let said = |(name, c): (&String, &crate::project::config::Connection)| format!("{name} is {}", c.system);
    compiled.config.connections.iter().filter(|(name, c)| **name != c.system).map(said).collect::<Vec<_>>().join(", ")
}

fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// One document for several projects: the lists under `list` follow each other, counts are added.
fn merged(all: &[(Selection, Compiled)], form: fn(&[Diagnostic], View<'_>) -> serde_json::Value, list: &str) -> serde_json::Value {
    let mut documents = all.iter().map(|(opened, compiled)| form(&compiled.diagnostics, view(opened, compiled)));
    let mut whole = documents.next().unwrap_or_else(|| form(&[], View::new(&crate::base::Sources::default())));
    for document in documents {
        for count in ["errors", "warnings"] {
            if let (Some(a), Some(b)) = (whole[count].as_u64(), document[count].as_u64()) {
                whole[count] = (a + b).into();
            }
        }
        if let (Some(into), Some(from)) = (whole[list].as_array_mut(), document[list].as_array()) {
            into.extend(from.iter().cloned());
        }
    }
    if whole.get("version").is_some_and(serde_json::Value::is_number) {
        whole["files"] = all.iter().map(|(_, c)| c.units.len()).sum::<usize>().into();
        whole["flows"] = all.iter().map(|(_, c)| c.flows()).sum::<usize>().into();
    }
    whole
}
