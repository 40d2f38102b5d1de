//! The sign-off document: what a client signs, and what has changed since the last time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::cases::all;
use super::folder::unreadable;
use super::{Failure, LoadedProject};
use crate::base::bounds;
use crate::eval::{Inputs, apply, queries};
use crate::fault::file;
use crate::testkit::signoff::{self, About, Change, Document, Example};
use crate::testkit::{Bench, runner};

/// The name under which a signed state is kept.
const SIGNED: &str = "signed.json";
/// Records that are gone through for examples.
const MOST: usize = 1_000;

/// What the document is made of.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The environment's name, for the document.
    pub env: Option<&'a str>,
    /// Where it is written; `signoff` in the project's folder if not said.
    pub folder: Option<&'a Path>,
    /// Records to take examples from: `FLOW=FILE`.
    pub records: &'a [String],
    /// The day on the document.
    pub date: jiff::civil::Date,
}

/// The document, and what has changed since the signed one.
#[derive(Debug, Clone, Serialize)]
pub struct SignOff {
    pub document: Document,
    /// The state that was signed last.
    pub signed: Option<Document>,
    /// What has changed since; none where nothing is signed yet.
    pub changes: Option<Vec<Change>>,
    /// Where it is written.
    pub folder: PathBuf,
}

/// Makes the document of a project as it is now. Its folder is made, and nothing else is written.
///
/// # Errors
/// A record or a case cannot be read, or the signed state is none.
pub fn sign_off(project: &LoadedProject, request: &Request<'_>) -> Result<SignOff, Failure> {
    let name = project.folder().root().file_name().map_or_else(|| "mapping".to_owned(), |name| name.to_string_lossy().into_owned());
    let about = About { project: &name, environment: request.env, made: request.date };
    let document = signoff::document(about, project.plan()?, &project.mappings()?, &examples(project, request.records)?);
    let folder = match request.folder {
        Some(folder) => folder.to_owned(),
        None => project.folder().reach("signoff")?,
    };
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io(format!("{} cannot be made: {error}", folder.display())))?;
    let kept = folder.join(SIGNED);
    let signed: Option<Document> = match file::read_text(&kept, bounds::WHOLE_FILE) {
        Ok(text) => Some(serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{} is not a signed state: {error}", kept.display()))
                .hint("restore it from version control; or remove it, and sign the current state with `crossdock docs --sign`")
        })?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable(&kept, &error)),
    };
    let changes = signed.as_ref().map(|old| signoff::changes(old, &document));
    Ok(SignOff { document, signed, changes, folder })
}

impl SignOff {
    /// The document as a page and as a workbook: the names of the files, and what is in them.
    ///
    /// # Errors
    /// No workbook can hold it.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
        let since = self.signed.as_ref().zip(self.changes.as_deref());
        let workbook = signoff::xlsx(&self.document, since).map_err(|error| Failure::usage(format!("it does not fit into a workbook: {error}")))?;
        Ok(vec![("mapping.html", signoff::html(&self.document, since).into_bytes()), ("mapping.xlsx", workbook)])
    }

    /// Writes one of the files into the folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| Failure::io(format!("{} cannot be written: {error}", path.display())))?;
        Ok(path)
    }

    /// Keeps this state as the one that was signed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn sign(&self) -> Result<PathBuf, Failure> {
        let json = serde_json::to_string_pretty(&self.document).map_err(|error| Failure::io(error.to_string()))? + "\n";
        self.write(SIGNED, json.as_bytes())
    }

    /// Nothing that people read has changed, and the plan's hash is another one all the same.
    pub fn only_hash_differs(&self) -> bool {
        self.changes.as_ref().is_some_and(Vec::is_empty) && self.signed.as_ref().is_some_and(|old| old.plan != self.document.plan)
    }
}

/// What the project's cases, or the records that are named, give.
fn examples(project: &LoadedProject, given: &[String]) -> Result<Vec<Example>, Failure> {
    let program = project.program()?;
    let mut examples = Vec::new();
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for pair in given {
        let wrong = || Failure::usage(format!("`{pair}` names no flow and file")).hint("write --records export_orders=orders.jsonl");
        let (name, path) = pair.split_once('=').ok_or_else(wrong)?;
        let flow = project.flow(Some(name))?;
        let records = project.records(path)?;
        // Of a flow that groups, the file is one group.
        let most = if flow.group.is_some() { 1 } else { MOST };
        for (at, record) in records.iter().take(most).enumerate() {
            let group: &[_] = if flow.group.is_some() { &records } else { &[] };
            let inputs = Inputs { group, trace: true, ..Inputs::of(record, jiff::Timestamp::now(), &project.compiled.names) };
            examples.push(Example { flow: name.to_owned(), record: format!("{path}, record {}", at + 1), outcome: apply(&program, flow, &inputs) });
        }
        shown.insert(name.to_owned());
    }
    let bench = Bench {
        plan: project.plan()?,
        map: &|flow, inputs| apply(&program, flow, &Inputs { trace: true, ..*inputs }),
        find: &|flow, inputs, given| queries::find(&program, flow, inputs, given),
        records: &|path| project.fixture(path),
        names: &project.compiled.names,
    };
    for case in all(project)?.into_iter().filter(|case| !shown.contains(&case.flow)) {
        if let Some(outcome) = runner::run(&case, &bench).outcome {
            examples.push(Example { flow: case.flow.clone(), record: format!("case: {}", case.name), outcome });
        }
    }
    Ok(examples)
}
