//! The command line: arguments, one file a command, printing, exit codes.
//!
//! Most commands read their arguments, call a function of [`app`](crate::app) and print its view. To add one: a file with `Args` and `run`,
//! and a line in [`Command`] and [`Command::run`].

mod audit;
mod check;
mod checkpoint;
mod decision;
mod demo;
mod diff;
mod docs;
mod doctor;
mod erase;
mod exit;
mod explain;
mod fmt;
mod lines;
mod new;
mod out;
mod plan;
mod preview;
mod project;
mod queue;
mod rehearse;
mod replay;
mod run;
mod run_connected;
mod sandbox;
mod schema;
mod schema_sync;
mod serve;
mod status;
mod store;
mod system;
mod test;
mod trace;
mod unmapped;
mod when;

pub use exit::Exit;
pub use out::Out;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::Failure;

const EXAMPLES: &str = "\
Start here:
  crossdock new acme                     make a project from a template
  crossdock check                        check all mappings of this project
  crossdock explain E0202                explain a message, with an example
  crossdock plan --flow export_orders    show what a flow will do

Exit codes: 0 no problem, 1 the command found a problem, 2 the command was not understood, 3 a file could not be read or \
written. `docs/reference/exit-codes.md` has the details.";

/// Keeps commerce and fulfillment systems in step by mappings that are checked before they run.
#[derive(Debug, Parser)]
#[command(name = "crossdock", version, max_term_width = 80, after_help = EXAMPLES, subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Colors in the output: `auto` uses them on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: Colour,
    /// Allow the project to read and write below this path, outside of its folder; can be given several times
    #[arg(long, global = true, value_name = "PATH", env = "CROSSDOCK_ALLOW", value_delimiter = ':', hide_env_values = true)]
    allow: Vec<std::path::PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Check(check::Args),
    Test(test::Args),
    Preview(preview::Args),
    Diff(diff::Args),
    Docs(docs::Args),
    Run(run::Args),
    Serve(serve::Args),
    Status(status::Args),
    Trace(trace::Args),
    Queue(queue::Args),
    Replay(replay::Args),
    Checkpoint(checkpoint::Args),
    Audit(audit::Args),
    Erase(erase::Args),
    Doctor(doctor::Args),
    Store(store::Args),
    Demo(demo::Args),
    Sandbox(sandbox::Args),
    Fmt(fmt::Args),
    Explain(explain::Args),
    Plan(plan::Args),
    Schema(schema::Args),
    System(system::Args),
    Unmapped(unmapped::Args),
}

impl Command {
    fn run(self, out: &mut Out) -> Result<Exit, Failure> {
        match self {
            Command::New(args) => new::run(&args, out),
            Command::Check(args) => check::run(&args, out),
            Command::Test(args) => test::run(&args, out),
            Command::Preview(args) => preview::run(&args, out),
            Command::Diff(args) => diff::run(&args, out),
            Command::Docs(args) => docs::run(&args, out),
            Command::Run(args) => run::run(&args, out),
            Command::Serve(args) => serve::run(&args, out),
            Command::Status(args) => status::run(&args, out),
            Command::Trace(args) => trace::run(&args, out),
            Command::Queue(args) => queue::run(&args, out),
            Command::Replay(args) => replay::run(&args, out),
            Command::Checkpoint(args) => checkpoint::run(&args, out),
            Command::Audit(args) => audit::run(&args, out),
            Command::Erase(args) => erase::run(&args, out),
            Command::Doctor(args) => doctor::run(&args, out),
            Command::Store(args) => store::run(&args, out),
            Command::Demo(args) => demo::run(&args, out),
            Command::Sandbox(args) => sandbox::run(&args, out),
            Command::Fmt(args) => fmt::run(&args, out),
            Command::Schema(args) => schema::run(&args, out),
            Command::System(args) => system::run(&args, out),
            Command::Plan(args) => plan::run(&args, out),
            Command::Explain(args) => explain::run(&args, out),
            Command::Unmapped(args) => unmapped::run(&args, out),
        }
    }
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
}

/// Runs a command as it would be typed.
fn dispatch(arguments: &[&str], out: &mut Out) -> Result<Exit, Failure> {
    let cli = Cli::try_parse_from(arguments).map_err(|error| Failure::usage(error.to_string()))?;
    out.allowed = cli.allow;
    cli.command.run(out)
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and go to the standard output with exit code 0.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Fine };
            let _ = error.print();
            return code.into();
        }
    };
    let mut out = Out::new(match cli.color {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    });
    out.allowed = cli.allow;
    let ended = cli.command.run(&mut out).and_then(|exit| out.flush().map(|()| exit));
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out.failure(&failure);
            Exit::from(failure.kind).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    /// Every command, at any depth.
    fn commands(of: &clap::Command, found: &mut Vec<clap::Command>) {
        for command in of.get_subcommands().filter(|command| command.get_name() != "help") {
            found.push(command.clone());
            commands(command, found);
        }
    }

    #[test]
    fn every_argument_says_what_it_is() {
        use clap::CommandFactory as _;
        let mut found = Vec::new();
        commands(&Cli::command(), &mut found);
        let silent: Vec<String> = found
            .iter()
            .flat_map(|command| command.get_arguments().map(|argument| (command.get_name(), argument)))
            .filter(|(_, argument)| argument.get_help().is_none_or(|help| help.to_string().trim().is_empty()))
            .map(|(command, argument)| format!("{command} {}", argument.get_id()))
            .collect();
        assert!(silent.is_empty(), "{silent:?}");
    }

    /// Examples fit 80 columns, so that they are not wrapped; a paragraph is one line, so that it is wrapped to the terminal.
    #[test]
    fn the_text_below_the_options_fits_the_terminal() {
        use clap::CommandFactory as _;
        let mut found = vec![Cli::command()];
        commands(&Cli::command(), &mut found);
        let mut wrong = Vec::new();
        for command in found {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
                let example = line.starts_with(' ');
                if example && line.chars().count() > 80 {
                    wrong.push(format!("{}: wider than 80 columns: {line}", command.get_name()));
                }
                let prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
                if prose(line) && prose(next) && !line.ends_with(':') {
                    wrong.push(format!("{}: broken by hand: {line}", command.get_name()));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_command_teaches_by_an_example() {
        use clap::CommandFactory as _;
        for command in Cli::command().get_subcommands() {
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let nested = command.has_subcommands();
            assert!(nested || example.contains("crossdock "), "{} has no example", command.get_name());
            assert!(command.get_about().is_some(), "{} says nothing of itself", command.get_name());
        }
    }
}
