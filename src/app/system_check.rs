//! What `crossdock system check` does: a description checked by the rules of descriptions, and compared with the vendor's own file.

use std::path::Path;

use super::folder::unreadable;
use super::system_import::{missing_corrections, origin_of, unnamed, vendor};
use super::system_new::TODO;
use super::{Failure, own_system};
use crate::apispec::{Origin, Style};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Source, Sources, Span, bounds};
use crate::describe::Known;
use crate::describe::against::{VendorFile, survey};
use crate::fault::file;
use crate::system;

/// What a check of a description found.
#[derive(Debug)]
pub struct Checked {
    pub found: Vec<Diagnostic>,
    pub sources: Sources,
    /// Objects that are described, and writes of them. None where nothing usable could be read.
    pub described: Option<(usize, usize)>,
    /// The vendor's file that it was compared with: where that comes from, and when it was fetched.
    pub against: Option<Origin>,
    /// The description is the one that comes with the program: the vendor's file does not.
    pub built_in: bool,
}

/// What a draft leaves open.
fn open_questions(file: FileId, text: &str) -> Vec<Diagnostic> {
    let mark = format!("# {TODO}");
    let mut found = Vec::new();
    for (at, _) in text.match_indices(&mark) {
        let said = text[at + mark.len()..].lines().next().unwrap_or_default().trim();
        let said = Diagnostic::new(Code::RestsOnAssumption, Span::new(file, at, at + mark.len()), format!("the draft leaves this open: {said}"));
        found.push(said.help("say it in the description as the vendor's docs do, and delete the comment"));
    }
    found
}

/// Checks a description, and compares it with the vendor's file beside it, if there is one. `name` is that of a system in `systems/`, or of a
/// described system that comes with the program: a project cannot have one of the same name.
///
/// # Errors
/// There is no description, or the vendor's file cannot be read.
pub fn check(root: &Path, name: &str) -> Result<Checked, Failure> {
    if let Some((_, text)) = system::descriptions().iter().find(|(known, _)| *known == name) {
        return Ok(built_in(name, text));
    }
    let own = own_system::read(root, name)?;
    let (mut found, folder) = (own.found(), &own.folder);
    let read = |path: &Path| file::read_text(path, bounds::WHOLE_FILE).map_err(|error| unreadable(path, &error));
    let Some(described) = own.known.described.as_ref() else {
        return Ok(Checked { found, sources: own.sources, described: None, against: None, built_in: false });
    };
    found.extend(open_questions(own.file, &own.text));
    found.extend(missing_corrections(described, folder));
    let files = [(Style::OpenApi, folder.join("spec.json")), (Style::GraphQl, folder.join("spec.graphql"))];
    let mut against = None;
    // With several files of a vendor it is not said which one the cut is of.
    let default = unnamed(described);
    let spec = described.specs.first().unwrap_or(&default);
    if let Some((style, path)) = files.iter().find(|(_, path)| path.is_file()).filter(|_| described.specs.len() < 2) {
        let text = read(path)?;
        let cut = vendor(*style, &text, &[]).map_err(|error| error.failure(path, &[]))?;
        found.extend(survey(described, &[VendorFile { spec, api: &cut.api, is_cut: true }]).found);
        against = Some(origin_of(*style, &text));
    }
    found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
    let writes = described.objects.iter().map(|object| object.writes.len()).sum();
    Ok(Checked { found, sources: own.sources, described: Some((described.objects.len(), writes)), against, built_in: false })
}

/// A description that comes with the program. Nothing stands beside it.
fn built_in(name: &str, text: &str) -> Checked {
    let mut sources = Sources::default();
    let file = sources.add(Source::new(format!("systems/{name}/system.yaml"), text));
    let known = Known::of_system(name, file, text);
    let mut found: Vec<Diagnostic> = known.errors.into_iter().chain(known.warnings).chain(open_questions(file, text)).collect();
    found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
    let counts = known.described.map(|described| (described.objects.len(), described.objects.iter().map(|object| object.writes.len()).sum()));
    Checked { found, sources, described: counts, against: None, built_in: true }
}
