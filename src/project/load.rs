//! Reads the project's files and finds what they name: `use`, `extends`.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, FILE};
use super::{Absence, Library, error};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Source, Sources, Span, each, each_light};
use crate::check::Unit;
use crate::syntax;
use crate::syntax::tree::ItemKind;

/// What is to be loaded.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Lays `crossdock.<env>.yaml` over `crossdock.yaml`.
    pub env: Option<String>,
    /// Only these files, from the project's folder, and what they bring in; otherwise all.
    pub only: Option<Vec<String>>,
    pub planned: Planned,
}

/// What is made of a mapping without an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Planned {
    /// Nothing: it is only checked.
    Nothing,
    /// A plan that maps records, without the objects that no flow touches.
    Touched,
    /// A plan that can run.
    #[default]
    Whole,
}

/// A project as read: ready to be checked.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub sources: Sources,
    pub units: Vec<Unit>,
    /// What is wrong with `crossdock.yaml`, with the texts, with what they bring in.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads everything that a check needs. It always gives what could be read.
pub fn load(library: &dyn Library, options: &Options) -> Loaded {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let mut config = Config::read(library, options.env.as_deref(), &mut sources, &mut diagnostics);
    config.hold_csv(library, &mut diagnostics);
    let roots = options.only.clone().unwrap_or_else(|| library.list(".dock"));
    // What is read in any case is read side by side. A single file brings others in one by one.
    let ahead = if options.only.is_none() { ahead(library, &roots, &mut sources) } else { BTreeMap::new() };
    let mut loader = Loader {
        library,
        sources,
        ahead,
        units: Vec::new(),
        names: Vec::new(),
        states: BTreeMap::new(),
        stack: Vec::new(),
        diagnostics,
        unreadable: false,
    };
    for root in &roots {
        let root = plain("", root).unwrap_or_else(|| root.clone());
        if let Err(absence) = loader.file(&root) {
            loader.absent(&root, &root, Span::default(), &absence, &[]);
        }
    }
    if options.only.is_none() {
        let items = || loader.units.iter().flat_map(|unit| &unit.tree.items).map(|item| &item.kind);
        let flow = |kind: &ItemKind| match kind {
            ItemKind::Flow(flow) => Some(flow.name.node.clone()),
            _ => None,
        };
        let parameter = |kind: &ItemKind| match kind {
            ItemKind::Parameter(parameter) => Some(parameter.name.node.clone()),
            _ => None,
        };
        let (flows, parameters): (Vec<String>, Vec<String>) = (items().filter_map(flow).collect(), items().filter_map(parameter).collect());
        // A statement that could not be read may be the one that is named.
        if !loader.units.iter().any(|unit| unit.tree.broken) && !loader.units.is_empty() && !loader.unreadable {
            let flows: Vec<&str> = flows.iter().map(String::as_str).collect();
            let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
            config.hold_against(&flows, &parameters, &mut loader.diagnostics);
        }
    }
    config.lacking |= loader.unreadable;
    // One message in place of one for each object that a mapping names.
    if config.connections.is_empty() && !config.assumed && !config.lacking && !loader.units.is_empty() {
        config.lacking = true;
        if let Some(file) = loader.sources.find(FILE) {
            loader.diagnostics.push(error::no_connections(FILE, Span::new(file, 0, 0)));
        }
    }
    let extended: BTreeSet<usize> = loader.units.iter().filter_map(|unit| unit.extends).collect();
    for (i, unit) in loader.units.iter_mut().enumerate() {
        unit.runs = !extended.contains(&i);
    }
    Loaded { config, sources: loader.sources, units: loader.units, diagnostics: loader.diagnostics }
}

/// A file's text as a tree, and what is wrong with it.
type Read = (FileId, syntax::tree::File, Vec<Diagnostic>);

/// Reads the files of a project. One that is not there is met again, where it is named.
fn ahead(library: &dyn Library, all: &[String], sources: &mut Sources) -> BTreeMap<String, Read> {
    let texts = each_light(library, all, |name| library.read(name).ok());
    let known: Vec<(FileId, &String, std::sync::Arc<str>)> =
        all.iter().zip(texts).filter_map(|(name, text)| text.map(|text| (sources.add(Source::new(name, text.clone())), name, text))).collect();
    let read = each(library, &known, |(file, _, text)| syntax::read(*file, text));
    known.into_iter().zip(read).map(|((file, name, _), (tree, found))| (name.clone(), (file, tree, found))).collect()
}

/// `../base/orders` beside `clients/acme/orders.dock` is `clients/base/orders`; `None` if it
/// leaves the project.
pub(super) fn plain(beside: &str, written: &str) -> Option<String> {
    let folder = beside.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    if written.starts_with('/') || written.contains('\\') {
        return None;
    }
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `shared/address` for `shared/address.dock`, as `orders.dock` would write it.
fn written_from(beside: &str, name: &str) -> String {
    let folder = |name: &str| -> Vec<String> {
        let parts: Vec<String> = name.split('/').map(str::to_owned).collect();
        parts[..parts.len() - 1].to_vec()
    };
    let (from, to) = (folder(beside), folder(name));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts: Vec<String> = vec!["..".to_owned(); from.len() - shared];
    parts.extend(to[shared..].iter().cloned());
    let file = name.rsplit('/').next().unwrap_or(name);
    parts.push(file.strip_suffix(".dock").unwrap_or(file).to_owned());
    parts.join("/")
}

struct Loader<'a> {
    library: &'a dyn Library,
    sources: Sources,
    /// Files that were read before they were named.
    ahead: BTreeMap<String, Read>,
    units: Vec<Unit>,
    /// By unit.
    names: Vec<String>,
    states: BTreeMap<String, State>,
    /// The files that are being read, each with the place of the statement that is followed.
    stack: Vec<(String, Span)>,
    diagnostics: Vec<Diagnostic>,
    /// A mapping file is no text: what it would have given is not known.
    unreadable: bool,
}

#[derive(Clone, Copy)]
enum State {
    Reading,
    Read(usize),
}

impl Loader<'_> {
    /// Reads a file and what it brings in, and gives its unit.
    fn file(&mut self, name: &str) -> Result<usize, Absence> {
        if let Some(State::Read(unit)) = self.states.get(name) {
            return Ok(*unit);
        }
        let (file, tree, found) = match self.ahead.remove(name) {
            Some(read) => read,
            None => {
                let text = self.library.read(name)?;
                let file = self.sources.add(Source::new(name, text.clone()));
                let (tree, found) = syntax::read(file, &text);
                (file, tree, found)
            }
        };
        self.states.insert(name.to_owned(), State::Reading);
        self.diagnostics.extend(found);
        match &tree.edition {
            Some(edition) if !(1..=syntax::EDITION).contains(&edition.node) => {
                self.diagnostics.push(error::unknown_edition(edition.node, edition.span));
            }
            None if !tree.broken => self.diagnostics.push(error::no_edition(Span::new(file, 0, 0))),
            _ => {}
        }
        self.stack.push((name.to_owned(), Span::default()));
        let uses = tree.uses.iter().map(|u| self.brought(name, &u.path.node, u.path.span)).collect();
        let extends = tree.extends.as_ref().and_then(|path| self.brought(name, &path.node, path.span));
        self.stack.pop();
        self.units.push(Unit { file, tree, uses, extends, runs: true });
        self.names.push(name.to_owned());
        let unit = self.units.len() - 1;
        self.states.insert(name.to_owned(), State::Read(unit));
        Ok(unit)
    }

    /// The unit that `written` names in the file `from`; what is wrong is reported.
    fn brought(&mut self, from: &str, written: &str, at: Span) -> Option<usize> {
        let absence = match plain(from, written) {
            None => Absence::Outside,
            Some(name) => {
                let name = if name.ends_with(".dock") { name } else { format!("{name}.dock") };
                if let Some(State::Reading) = self.states.get(&name) {
                    self.circle(&name, at);
                    return None;
                }
                if let Some(last) = self.stack.last_mut() {
                    last.1 = at;
                }
                match self.file(&name) {
                    Ok(unit) => return Some(unit),
                    Err(absence) => absence,
                }
            }
        };
        let path = plain(from, written).map_or_else(|| written.to_owned(), |name| format!("{}.dock", name.trim_end_matches(".dock")));
        let all = self.library.list(".dock");
        let known: Vec<(String, String)> = all.into_iter().filter(|name| name != from).map(|name| (written_from(from, &name), name)).collect();
        self.absent(written, &path, at, &absence, &known);
        None
    }

    /// Says that a file cannot be had. One in another encoding is told in itself, once.
    fn absent(&mut self, written: &str, path: &str, at: Span, absence: &Absence, known: &[(String, String)]) {
        if let Absence::NotText(not) = absence {
            if self.sources.find(path).is_none() {
                let file = self.sources.add(Source::new(path, not.text.clone()));
                self.diagnostics.push(error::not_text(Code::Unreadable, path, file, not));
            }
            self.unreadable = true;
            return;
        }
        self.diagnostics.push(error::no_file(written, path, at, absence, known));
    }

    fn circle(&mut self, name: &str, at: Span) {
        let begin = self.stack.iter().position(|(n, _)| n == name).unwrap_or(0);
        let mut chain = self.stack[begin..].to_vec();
        if let Some(last) = chain.last_mut() {
            last.1 = at;
        }
        self.diagnostics.push(error::cycle(&chain));
    }
}

/// Codes of findings that an unreadable schema or file would only repeat.
pub(super) fn echoes(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownSourceField
            | Code::UnknownObject
            | Code::UnknownTargetField
            | Code::UnknownReference
            | Code::RequiredFieldUnset
            | Code::UnknownSourceValue
            | Code::UnknownTargetValue
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Texts;

    fn loaded(texts: &[(&str, &str)]) -> Loaded {
        load(&Texts::new(texts.iter().copied()), &Options::default())
    }

    #[test]
    fn paths_begin_at_the_file_that_names_them() {
        let all = loaded(&[
            ("a/orders.dock", "edition 1\nuse \"../shared/address\"\n"),
            ("shared/address.dock", "edition 1\nuse \"lines.dock\" as l\n"),
            ("shared/lines.dock", "edition 1\n"),
        ]);
        assert!(all.diagnostics.is_empty(), "{:?}", all.diagnostics);
        let unit = |name: &str| {
            let file = all.sources.find(name).unwrap();
            all.units.iter().position(|u| u.file == file).unwrap()
        };
        assert_eq!(all.units[unit("a/orders.dock")].uses, [Some(unit("shared/address.dock"))]);
        assert_eq!(all.units[unit("shared/address.dock")].uses, [Some(unit("shared/lines.dock"))]);
        assert_eq!(all.units.len(), 3);
    }

    #[test]
    fn a_base_that_is_extended_does_not_run_by_itself() {
        let all = loaded(&[("base.dock", "edition 1\n"), ("client.dock", "edition 1\nextends \"base\"\n")]);
        let runs: Vec<bool> = all.units.iter().map(|u| u.runs).collect();
        assert_eq!(runs, [false, true]);
    }

    #[test]
    fn a_file_that_is_not_there_finds_the_nearest() {
        let all = loaded(&[("orders.dock", "edition 1\nuse \"shared/adress\"\n"), ("shared/address.dock", "edition 1\n")]);
        assert_eq!(all.diagnostics.len(), 1);
        assert_eq!(all.diagnostics[0].code, Code::FileNotFound);
        assert_eq!(all.diagnostics[0].help[0].text, "did you mean `shared/address`?");
        let moved = loaded(&[("a/orders.dock", "edition 1\nuse \"address\"\n"), ("shared/address.dock", "edition 1\n")]);
        assert_eq!(moved.diagnostics[0].help[0].text, "did you mean `../shared/address`?");
    }

    #[test]
    fn a_file_says_its_edition() {
        let codes = |text: &str| loaded(&[("a.dock", text)]).diagnostics.iter().map(|d| d.code).collect::<Vec<_>>();
        assert_eq!(codes("edition 2\n"), [Code::Edition]);
        assert_eq!(codes("# nothing\n"), [Code::Edition]);
        assert_eq!(codes("edition 1\n"), []);
    }

    #[test]
    fn a_file_outside_is_refused() {
        let all = loaded(&[("orders.dock", "edition 1\nuse \"../secret\"\n")]);
        assert_eq!(all.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::OutsideProject]);
    }

    #[test]
    fn a_circle_is_one_error_that_names_its_files() {
        let all = loaded(&[
            ("a.dock", "edition 1\nuse \"b\"\n"),
            ("b.dock", "edition 1\nuse \"c\"\n"),
            ("c.dock", "edition 1\nuse \"a\"\n"),
            ("self.dock", "edition 1\nuse \"self\"\n"),
        ]);
        let circles: Vec<&Diagnostic> = all.diagnostics.iter().filter(|d| d.code == Code::ImportCycle).collect();
        assert_eq!(circles.len(), 2, "{:?}", all.diagnostics);
        assert_eq!(circles[0].others.len(), 2);
        assert_eq!(circles[1].others.len(), 0);
    }
}
