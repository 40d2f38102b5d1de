//! `crossdock new`: creates a project from a template.

use std::path::PathBuf;

use super::{Exit, Failure, Format, Out};
use crate::app::folder::write_file;
use crate::project::templates::TEMPLATES;

const EXAMPLES: &str = "\
Examples:
  crossdock new acme                             the usual template
  crossdock new acme --template crm-delivered    another template
  crossdock new acme --template blank            connections and no flow
  crossdock new --list                           lists the templates

Then: cd acme && crossdock check && crossdock test";

/// Begin a project from a template
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The folder to make
    #[arg(value_name = "FOLDER", required_unless_present = "list")]
    folder: Option<PathBuf>,
    /// The template to begin with; `--list` shows them
    #[arg(long, value_name = "NAME", default_value = "salesforce-shipstation")]
    template: String,
    /// List the templates
    #[arg(long)]
    list: bool,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let names: Vec<&str> = all().map(|(name, _)| name).collect();
    let json = args.format == Format::Json;
    if args.list {
        if json {
            out.json(&serde_json::json!({ "version": 1, "templates": names }))?;
            return Ok(Exit::Fine);
        }
        for (name, files) in all() {
            out.line(format!("{name:<24} {}", title(files)).trim_end())?;
        }
        return Ok(Exit::Fine);
    }
    let Some((_, files)) = all().find(|(name, _)| *name == args.template) else {
        return Err(Failure::usage(format!("there is no template `{}`", args.template)).hint(format!("there are {}", names.join(", "))));
    };
    let Some(folder) = &args.folder else { return Err(Failure::usage("name the folder to create")) };
    if folder.exists() && folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::usage(format!("{} exists already and is not empty", folder.display())).hint("name a new folder"));
    }
    for (path, bytes) in files {
        match std::str::from_utf8(bytes) {
            Ok(text) if path.ends_with(".md") => write_file(&folder.join(path), without_links_out(text).as_bytes())?,
            _ => write_file(&folder.join(path), bytes)?,
        }
    }
    // A template may bring its own; cargo's and git's tools would leave one out of `mappings/`.
    if !files.iter().any(|(path, _)| *path == GITIGNORE) {
        write_file(&folder.join(GITIGNORE), IGNORED.as_bytes())?;
    }
    if json {
        let written: Vec<&str> = files.iter().map(|(path, _)| *path).chain(std::iter::once(GITIGNORE)).collect();
        out.json(&serde_json::json!({ "version": 1, "folder": folder.display().to_string(), "files": written }))?;
        return Ok(Exit::Fine);
    }
    out.line(format!("{} files in {}", files.len() + 1, folder.display()))?;
    let next = if args.template == "blank" { "crossdock check, then flows.dock" } else { "crossdock check && crossdock test" };
    out.line(format!("next: cd {} && {next}", folder.display()))?;
    Ok(Exit::Fine)
}

/// A template: its name and its files.
type Template = (&'static str, &'static [(&'static str, &'static [u8])]);

/// The templates there are, the empty one last.
fn all() -> impl Iterator<Item = Template> {
    TEMPLATES.iter().copied().chain(std::iter::once(("blank", BLANK)))
}

/// What a template is for: the headline of its README.
fn title(files: &[(&str, &[u8])]) -> String {
    let readme = files.iter().find(|(path, _)| *path == "README.md").and_then(|(_, bytes)| std::str::from_utf8(bytes).ok());
    readme.and_then(|text| text.lines().next()).map(|line| line.trim_start_matches('#').trim().to_owned()).unwrap_or_default()
}

/// A text of a template as it stands in a project: a link that leads out of the template is said in words, for it leads nowhere there.
fn without_links_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found)) = rest.find("](../").and_then(|at| Some((rest.get(..at)?, rest.get(at + "](".len()..)?))) {
        let (Some(open), Some(close)) = (before.rfind('['), found.find(')')) else { break };
        let (path, levels) = (found[..close].trim_start_matches("../"), found[..close].matches("../").count());
        let path = path.split('#').next().unwrap_or(path);
        // One level up are the other templates.
        let folder = if levels == 1 { "mappings/" } else { "" };
        out.push_str(&before[..open]);
        out.push_str(&before[open + 1..]);
        out.push_str(&format!(" (`{folder}{path}` of Crossdock)"));
        rest = &found[close + 1..];
    }
    out + rest
}

const BLANK: &[(&str, &[u8])] = &[
    ("README.md", include_bytes!("blank/README.md")),
    ("cases/example.yaml", include_bytes!("blank/cases/example.yaml")),
    ("crossdock.sandbox.yaml", include_bytes!("blank/crossdock.sandbox.yaml")),
    ("crossdock.yaml", include_bytes!("blank/crossdock.yaml")),
    ("flows.dock", include_bytes!("blank/flows.dock")),
];

const GITIGNORE: &str = ".gitignore";

/// What a project makes while it runs, and what must not be published with it.
const IGNORED: &str = "\
# The store of each environment holds customers' data, sealed; its key opens it. Neither belongs in a repository.
*.db
*.db-wal
*.db-shm
*.db-journal
*.db.lock
*.db.key
*.key
*.pem
.env
.env.*
# What `crossdock run --out` and flows between files write.
/out/
";

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_out_of_a_template_are_said_in_words() {
        let text = "See [the first day](../../docs/first-day.md#labels) and [won orders](../crm-closed-won/README.md), or [cases](cases/a.yaml).\n";
        let plain = "See the first day (`docs/first-day.md` of Crossdock) and won orders (`mappings/crm-closed-won/README.md` of Crossdock), or [cases](cases/a.yaml).\n";
        assert_eq!(without_links_out(text), plain);
        assert_eq!(without_links_out("a [link](../open"), "a [link](../open");
        for (name, files) in all() {
            for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with(".md")) {
                assert!(!without_links_out(std::str::from_utf8(bytes).unwrap()).contains("](../"), "{name}/{path}");
            }
        }
    }
}
