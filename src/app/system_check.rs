//! What `crossdock system check` does: a description held to the rules of descriptions, and against the vendor's own file.

use std::path::Path;

use super::folder::unreadable;
use super::system_import::{missing_corrections, origin_of, unnamed, vendor};
use super::system_new::TODO;
use super::{Failure, own_system};
use crate::apispec::{Origin, Style};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Sources, Span, bounds};
use crate::describe::against::{VendorFile, survey};
use crate::fault::file;

/// What a check of a description found.
#[derive(Debug)]
pub struct Checked {
    pub found: Vec<Diagnostic>,
    pub sources: Sources,
    /// Objects that are described, and writes of them. None where nothing usable could be read.
    pub described: Option<(usize, usize)>,
    /// The vendor's file that it was held against: where that comes from, and when it was fetched.
    pub against: Option<Origin>,
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

/// Checks `systems/NAME/system.yaml`, and holds it against the vendor's file beside it, if there is one.
///
/// # Errors
/// There is no description, or the vendor's file cannot be read.
pub fn check(root: &Path, name: &str) -> Result<Checked, Failure> {
    let own = own_system::read(root, name)?;
    let (mut found, folder) = (own.found(), &own.folder);
    let read = |path: &Path| file::read_text(path, bounds::WHOLE_FILE).map_err(|error| unreadable(path, &error));
    let Some(described) = own.known.described.as_ref() else { return Ok(Checked { found, sources: own.sources, described: None, against: None }) };
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
    Ok(Checked { found, sources: own.sources, described: Some((described.objects.len(), writes)), against })
}
