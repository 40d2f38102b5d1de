//! `crossdock system new`: a draft of a system's description. What is not said on the command line is asked, if a person is there.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use super::super::lines::counted;
use super::super::{Exit, Failure, Out};
use crate::apispec::Style;
use crate::app::folder::write_file;
use crate::app::own_system;
use crate::app::system_new::{self, SignIn, Source, Surveyed, Wanted};

const NEW: &str = "\
Examples:
  crossdock system new wms --openapi api.yaml
  crossdock system new wms --graphql api.graphql --base-url https://wms.example
  crossdock system new wms --sample Order=orders.json --sign-in bearer
  crossdock system new wms --openapi api.yaml --objects Order,Shipment

Writes systems/<NAME>/system.yaml, a draft: what it guessed is marked [K] with the reason, what it could not find stands behind TODO. \
`crossdock system check` lists both. Each question that it asks on a terminal has an option. Nothing is written over.";

/// Draft the description of a system, from the vendor's OpenAPI or GraphQL file or from sample records
#[derive(Debug, clap::Args)]
#[command(after_help = NEW)]
pub(super) struct New {
    /// The system: the name of its folder below systems/
    #[arg(value_name = "NAME")]
    name: String,
    /// The vendor's OpenAPI description (2.0, 3.0 or 3.1; JSON or YAML)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["graphql", "samples"])]
    openapi: Option<PathBuf>,
    /// The vendor's GraphQL schema
    #[arg(long, value_name = "FILE", conflicts_with = "samples")]
    graphql: Option<PathBuf>,
    /// Sample records of an object (JSON, JSONL or CSV), where the vendor has no file; several times for several objects
    #[arg(long = "sample", value_name = "OBJECT=FILE")]
    samples: Vec<String>,
    /// The system's name for people; by default the title of the vendor's file
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The address of the API; by default the first one of the vendor's file
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// How one signs in, if the vendor's file does not say it: bearer, basic, header:NAME, or oauth:URL of the token
    #[arg(long, value_name = "WAY")]
    sign_in: Option<String>,
    /// The objects to draft, separated by commas; by default those that shops and warehouses speak of
    #[arg(long, value_name = "OBJECTS", value_delimiter = ',')]
    objects: Vec<String>,
    /// The folder that holds systems/; by default the current one
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    project: PathBuf,
}

pub(super) fn run(args: &New, out: &mut Out) -> Result<Exit, Failure> {
    let root = own_system::root(&args.project);
    system_new::is_free(&root, &args.name)?;
    let mut asks = Asks { person: std::io::stdin().is_terminal() && std::io::stdout().is_terminal() };
    let surveyed = system_new::survey(source(args, &mut asks)?)?;
    let wanted = wanted(args, &surveyed, &mut asks, out)?;
    let draft = system_new::draft(&surveyed, &wanted)?;
    // Nothing is written before it is known that all can be.
    let paths: Vec<PathBuf> = draft.files.iter().map(|(name, _)| root.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        return Err(Failure::usage(format!("there is a `{}` already", path.display())).hint("nothing is written over it: move it away first"));
    }
    for (path, (name, text)) in paths.iter().zip(&draft.files) {
        write_file(path, text.as_bytes())?;
        out.line(format!("wrote {}", name.display()))?;
    }
    out.line(format!("{}: {}", counted(draft.objects.len(), "object"), draft.objects.join(", ")))?;
    if !draft.others.is_empty() {
        let some: Vec<&str> = draft.others.iter().take(12).map(String::as_str).collect();
        let more = draft.others.len() - some.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.line(format!("not drafted: {}{more} (`--objects` chooses)", some.join(", ")))?;
    }
    let noun = if draft.guesses == 1 { "guess" } else { "guesses" };
    out.line(format!("{} {noun} to confirm, {} left open: crossdock system check {}", draft.guesses, draft.open, args.name))?;
    Ok(Exit::Fine)
}

/// Asks a person, if one is there.
struct Asks {
    person: bool,
}

impl Asks {
    /// The answer; none where nobody is there, or nothing was answered.
    fn ask(&mut self, question: &str) -> Result<Option<String>, Failure> {
        if !self.person {
            return Ok(None);
        }
        let failed = |error: std::io::Error| Failure::io(format!("the answer cannot be read: {error}"));
        let mut stdout = std::io::stdout();
        write!(stdout, "{question} ").and_then(|()| stdout.flush()).map_err(failed)?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map_err(failed)?;
        let answer = answer.trim().to_owned();
        Ok((!answer.is_empty()).then_some(answer))
    }
}

fn source(args: &New, asks: &mut Asks) -> Result<Source, Failure> {
    let sample = |text: &String| {
        let (object, path) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`--sample {text}` does not name its object")).hint("write the object before the file: --sample Order=orders.json")
        })?;
        Ok((object.trim().to_owned(), PathBuf::from(path.trim())))
    };
    match (&args.openapi, &args.graphql) {
        (Some(path), _) => return Ok(Source::Api(Style::OpenApi, path.clone())),
        (None, Some(path)) => return Ok(Source::Api(Style::GraphQl, path.clone())),
        (None, None) if !args.samples.is_empty() => return args.samples.iter().map(sample).collect::<Result<_, Failure>>().map(Source::Samples),
        (None, None) => {}
    }
    if let Some(file) = asks.ask("The vendor's OpenAPI or GraphQL file (leave it empty if there is none):")? {
        let style =
            if [".graphql", ".graphqls", ".gql", ".sdl"].iter().any(|ending| file.ends_with(ending)) { Style::GraphQl } else { Style::OpenApi };
        return Ok(Source::Api(style, PathBuf::from(file)));
    }
    if let Some(object) = asks.ask("What are its records called, for example Order:")?
        && let Some(file) = asks.ask("A file with sample records of it (JSON, JSONL or CSV):")?
    {
        return Ok(Source::Samples(vec![(object, PathBuf::from(file))]));
    }
    Err(Failure::usage("nothing says what the system is like")
        .hint("pass the vendor's file: `--openapi FILE` or `--graphql FILE`; or sample records: `--sample Order=orders.json`"))
}

fn wanted(args: &New, surveyed: &Surveyed, asks: &mut Asks, out: &mut Out) -> Result<Wanted, Failure> {
    let base = match &args.base_url {
        Some(url) => Some(url.clone()),
        None if surveyed.has_address() => None,
        None => asks.ask("The address of the API (https://api.example.com/v1):")?,
    };
    base.as_deref().map_or(Ok(()), system_new::address)?;
    let said = match &args.sign_in {
        Some(said) => Some(said.clone()),
        None if surveyed.has_sign_in() => None,
        None => asks.ask("How does one sign in (bearer, basic, header:NAME, oauth:URL):")?,
    };
    let mut objects = args.objects.clone();
    let all = surveyed.objects();
    if objects.is_empty() && asks.person && all.len() > 1 {
        out.line(format!("the file has lists of: {}", all.join(", ")))?;
        let usual = surveyed.usual().join(",");
        let chosen = asks.ask(&format!("Which of them, separated by commas [{usual}]:"))?;
        objects = chosen.iter().flat_map(|chosen| chosen.split(',')).map(|name| name.trim().to_owned()).collect();
    }
    Ok(Wanted { name: args.name.clone(), title: args.title.clone(), base, sign_in: said.as_deref().map(sign_in).transpose()?, objects })
}

fn sign_in(said: &str) -> Result<SignIn, Failure> {
    let wrong = || {
        Failure::usage(format!("`{said}` is no way to sign in"))
            .hint("bearer, basic, header:NAME (a key in that header), or oauth:URL (of the token)")
    };
    match said.split_once(':') {
        None if said == "bearer" => Ok(SignIn::Bearer),
        None if said == "basic" => Ok(SignIn::Basic),
        Some(("header", name)) if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') => {
            Ok(SignIn::Header(name.to_owned()))
        }
        Some(("oauth", url)) => system_new::address(url).map(|()| SignIn::ClientCredentials(url.to_owned())),
        _ => Err(wrong()),
    }
}
