//! A project in a folder of this machine.

use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::Failure;
use crate::base::diag::render::View;
use crate::base::{Charset, Spread, bounds};
use crate::fault::file;
use crate::project::records::Form;
use crate::project::{Absence, Compiled, Library, NotText, config};

/// Deeper or wider than this is no project, but a disk.
const DEPTH: usize = 24;
const FILES: usize = 20_000;
/// Bytes of stack for a thread that reads mappings: as deep as one may be nested.
const STACK: usize = 8 * 1024 * 1024;
/// Folders that hold no mapping of ours.
const SKIPPED: &[&str] = &["target", "node_modules"];

/// Reads nothing outside its root, neither by `..` nor through a symbolic link.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// Whether the project's file is there. Without it nothing below the folder is searched.
    project: bool,
    /// Outside the root: what the command line allows the project to name.
    allowed: Vec<PathBuf>,
}

/// A project, and which of its files are selected.
#[derive(Debug, Clone)]
pub struct Selection {
    pub folder: Folder,
    /// What stands before a name from the root so that it is right in the current folder.
    pub prefix: String,
    /// The selected files, by their names from the root; `None` for the whole project.
    pub only: Option<Vec<String>>,
}

impl Selection {
    /// How a diagnostic of the project is shown: its files as the current folder sees them.
    pub fn view<'a>(&'a self, compiled: &'a Compiled) -> View<'a> {
        View { sources: &compiled.sources, prefix: &self.prefix }
    }
}

impl Folder {
    /// # Errors
    /// There is no such folder.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        let root = root.canonicalize().map_err(|error| unreadable(root, &error))?;
        let project = root.join(config::FILE).exists();
        Ok(Folder { root, project, allowed: Vec::new() })
    }

    /// The same where the project may also read and write below these paths, which are named on the command line.
    #[must_use]
    pub fn allowing(mut self, paths: &[PathBuf]) -> Self {
        self.allowed = paths.iter().map(|path| real(path).unwrap_or_else(|_| path.clone())).collect();
        self
    }

    /// The real place of a file that the project names, to be read or written, whether it is there or not: in the project,
    /// or below a path that the command line allows.
    ///
    /// # Errors
    /// It lies outside: by `..`, by an absolute path or through a symbolic link.
    pub fn reach(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.root.join(name);
        let place = real(&path).map_err(|error| unreadable(&path, &error))?;
        if place.starts_with(&self.root) || self.allowed.iter().any(|allowed| place.starts_with(allowed)) {
            return Ok(place);
        }
        let folder = place.parent().unwrap_or(&place);
        Err(Failure::usage(format!("the project names `{name}`, which is outside its folder: {}", place.display())).hint(format!(
            "a project may read and write outside only where you allow it: --allow {}, or CROSSDOCK_ALLOW in the environment",
            folder.display()
        )))
    }

    /// Whether the folder is a project: its file is there, of whatever kind.
    pub fn is_project(&self) -> bool {
        self.project
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a file of the project, if it stays in it.
    ///
    /// # Errors
    /// As [`Library::read`].
    pub fn path(&self, name: &str) -> Result<PathBuf, Absence> {
        let path = Path::new(name);
        if path.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(Absence::Outside);
        }
        let absent = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Absence::NotFound,
            _ => Absence::Unreadable(error.to_string()),
        };
        // The root is a path without links. Where none is below it either, nothing leads elsewhere.
        let mut real = self.root.clone();
        let mut linked = false;
        for part in path.components().filter(|part| matches!(part, Component::Normal(_))) {
            real.push(part);
            linked |= real.symlink_metadata().map_err(absent)?.file_type().is_symlink();
        }
        if linked {
            real = real.canonicalize().map_err(absent)?;
        }
        if real.starts_with(&self.root) { Ok(real) } else { Err(Absence::Outside) }
    }

    /// The place of a program that the project names: a path from the project's folder, or a name that the machine finds (`PATH`).
    ///
    /// # Errors
    /// There is none, or it cannot be executed.
    pub fn program(&self, program: &str) -> Result<PathBuf, Failure> {
        let none = |why: &str| Failure::usage(format!("the project names a command for its alerts that {why}: `{program}`"));
        let absent = || {
            let failure = none("is not there");
            match program.split_once(char::is_whitespace) {
                Some((name, arguments)) => {
                    failure.hint(format!("write the program and each of its arguments by itself: [{name}, {}]", arguments.trim()))
                }
                None => failure,
            }
        };
        let place = if program.contains('/') {
            self.root.join(program)
        } else {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).map(|folder| folder.join(program)).find(|place| place.is_file()).ok_or_else(absent)?
        };
        let known = place.metadata().map_err(|_| absent())?;
        if !known.is_file() {
            return Err(none("is no program"));
        }
        if !is_executable(&known) {
            return Err(none("cannot be executed").hint(format!("chmod +x {program}")));
        }
        Ok(place)
    }

    /// The same of a program that may be started: one that the command line allows, wherever it lies.
    ///
    /// # Errors
    /// It may not, or as [`Folder::program`].
    pub fn may_start(&self, program: &str) -> Result<PathBuf, Failure> {
        let named = self.program(program)?;
        let place = real(&named).map_err(|error| unreadable(&named, &error))?;
        if self.allowed.iter().any(|allowed| place.starts_with(allowed)) {
            return Ok(named);
        }
        Err(Failure::usage(format!("the project names a command for its alerts: `{program}`")).hint(format!(
            "a project may start programs only where you allow it: --allow {}, or CROSSDOCK_ALLOW in the environment",
            place.display()
        )))
    }

    fn walk(&self, folder: &Path, ending: &str, depth: usize, found: &mut Vec<String>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            // A link's own kind: a linked folder is not walked, so no walk goes in a circle.
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_dir() {
                let other = path.join(config::FILE).exists();
                if self.project && depth < DEPTH && !other && !name.starts_with('.') && !SKIPPED.contains(&name) {
                    self.walk(&path, ending, depth + 1, found);
                }
            } else if name.ends_with(ending) && found.len() < FILES {
                found.extend(self.name(&path).filter(|name| kind.is_file() || self.path(name) != Err(Absence::NotFound)));
            }
        }
    }

    /// The name of a path from the root, with `/`.
    pub fn name(&self, path: &Path) -> Option<String> {
        let parts: Option<Vec<&str>> = path.strip_prefix(&self.root).ok()?.iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    }
}

#[cfg(unix)]
fn is_executable(known: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    known.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

impl Spread for Folder {
    fn spread(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        // Asked once: the answer is looked up in several files.
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return;
                }
                job(at);
            }
        };
        std::thread::scope(|scope| {
            // This thread works too.
            for _ in 1..cores.min(count) {
                std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok();
            }
            work();
        });
    }
}

impl Library for Folder {
    fn read(&self, path: &str) -> Result<Arc<str>, Absence> {
        text(file::read(&self.path(path)?, bounds::PROJECT_FILE).map_err(absence)?)
    }

    fn read_in(&self, path: &str, charset: Charset) -> Result<Arc<str>, Absence> {
        text_in(&file::read(&self.path(path)?, bounds::PROJECT_FILE).map_err(absence)?, charset)
    }

    fn sample_in(&self, path: &str, charset: Charset) -> Result<Arc<str>, Absence> {
        let bytes = file::beginning(&self.path(path)?, bounds::SAMPLE).map_err(absence)?;
        let cut = bytes.len() == bounds::SAMPLE;
        // The last sign of it may be cut in half, and the last line may be cut off.
        let whole = (0..4).filter(|_| cut).find_map(|less| text_in(bytes.get(..bytes.len() - less)?, charset).ok());
        match whole {
            Some(text) => Ok(text.rfind('\n').and_then(|end| text.get(..end)).map_or(text.clone(), Into::into)),
            None => text_in(&bytes, charset),
        }
    }

    fn sample(&self, path: &str) -> Result<Arc<str>, Absence> {
        if Form::of(path) == Form::Json {
            return self.read(path);
        }
        let mut bytes = file::beginning(&self.path(path)?, bounds::SAMPLE).map_err(absence)?;
        if bytes.len() == bounds::SAMPLE {
            // The last line may be cut off.
            let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(bytes.len());
            bytes.truncate(end);
        }
        text(bytes)
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path) != Err(Absence::NotFound)
    }

    fn variable(&self, name: &str) -> Option<String> {
        super::process::variable(name)
    }

    fn list(&self, ending: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(&self.root, ending, 0, &mut found);
        found.sort();
        found
    }
}

fn absence(error: std::io::Error) -> Absence {
    match error.kind() {
        std::io::ErrorKind::NotFound => Absence::NotFound,
        _ => Absence::Unreadable(error.to_string()),
    }
}

fn text_in(bytes: &[u8], charset: Charset) -> Result<Arc<str>, Absence> {
    let text = charset.decode(bytes).map_err(|line| Absence::Unreadable(file::not_in(charset, line)))?;
    text_of_lines(&text)
}

fn text(bytes: Vec<u8>) -> Result<Arc<str>, Absence> {
    let text = match String::from_utf8(bytes) {
        // UTF-16 without its mark can be UTF-8 by its bytes.
        Ok(text) if text.as_bytes().contains(&0) => return Err(Absence::NotText(NotText::of(text.as_bytes()))),
        Ok(text) => text,
        Err(wrong) => return Err(Absence::NotText(NotText::of(wrong.as_bytes()))),
    };
    text_of_lines(&text)
}

fn text_of_lines(text: &str) -> Result<Arc<str>, Absence> {
    // Lines that end with a carriage return alone, as some spreadsheets and old editors write them.
    let text = if text.contains('\r') && !text.contains('\n') { text.replace('\r', "\n") } else { text.to_owned() };
    // A mark that some editors put at the beginning is no part of the text.
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.as_str().into(), Into::into))
}

/// The projects that the named paths belong to: each the nearest folder upwards with a `crossdock.yaml`. No path means the
/// folder at hand. A mapping file that is named may stand outside of any project; its folder is not searched for others.
///
/// # Errors
/// A path is not there, belongs to no project, or names a file that is no mapping.
pub fn select(paths: &[PathBuf]) -> Result<Vec<Selection>, Failure> {
    let here = here()?;
    if paths.is_empty() {
        let root = project_of(&here).ok_or_else(|| no_project(&here))?;
        return Ok(vec![selection(Folder::open(&root)?, &here, None)]);
    }
    let mut all: Vec<Selection> = Vec::new();
    for path in paths {
        let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
        if real.is_dir() {
            let folder = Folder::open(&project_of(&real).ok_or_else(|| no_project(path))?)?;
            // A folder inside a project means the mappings in it.
            let only = folder
                .name(&real)
                .filter(|inside| !inside.is_empty())
                .map(|inside| folder.list(".dock").into_iter().filter(|f| f.starts_with(&format!("{inside}/"))).collect());
            all.push(selection(folder, &here, only));
            continue;
        }
        if real.extension().is_none_or(|e| e != "dock") {
            return Err(Failure::usage(format!("`{}` is not a mapping file", path.display()))
                .hint("mapping files end in .dock; to check a project, name its folder"));
        }
        let parent = real.parent().unwrap_or(&here).to_path_buf();
        let root = project_of(&parent).unwrap_or_else(|| if real.starts_with(&here) { here.clone() } else { parent });
        let folder = Folder::open(&root)?;
        let Some(name) = folder.name(&real) else { continue };
        match all.iter_mut().find(|o| o.folder.root == folder.root) {
            Some(Selection { only: Some(only), .. }) => only.push(name),
            Some(_) => {}
            None => all.push(selection(folder, &here, Some(vec![name]))),
        }
    }
    Ok(all)
}

/// The same for what can also be told without a project: the folder at hand, where no path is named and none is around it.
///
/// # Errors
/// As [`select`].
pub fn select_if_any(paths: &[PathBuf]) -> Result<Vec<Selection>, Failure> {
    let here = here()?;
    if paths.is_empty() && project_of(&here).is_none() {
        return Ok(vec![selection(Folder::open(&here)?, &here, None)]);
    }
    select(paths)
}

fn here() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(|error| Failure::io(format!("the current folder does not exist any more: {error}")))?;
    Ok(here.canonicalize().unwrap_or(here))
}

fn no_project(folder: &Path) -> Failure {
    Failure::usage(format!("there is no project here: neither {} nor a folder above it has a {}", folder.display(), config::FILE))
        .hint("run the command in the project's folder, or name that folder; `crossdock new FOLDER` begins a project")
}

/// A selection in which there is nothing to do.
pub fn no_mapping(selection: &Selection) -> Failure {
    let place = if selection.only.is_some() { "the folder that was named".to_owned() } else { selection.folder.root().display().to_string() };
    Failure::usage(format!("there is no mapping file in {place}"))
        .hint("mapping files end in .dock; `crossdock new FOLDER` writes a project to begin with, which has some")
}

fn selection(folder: Folder, here: &Path, only: Option<Vec<String>>) -> Selection {
    let prefix = match folder.root.strip_prefix(here) {
        Ok(inside) if inside.as_os_str().is_empty() => String::new(),
        Ok(inside) => format!("{}/", inside.display()),
        // Above or beside: as many steps up as it takes, while that stays readable.
        Err(_) => match here.strip_prefix(&folder.root) {
            Ok(below) => "../".repeat(below.components().count()),
            Err(_) => format!("{}/", folder.root.display()),
        },
    };
    Selection { folder, prefix, only }
}

fn project_of(folder: &Path) -> Option<PathBuf> {
    // Of whatever kind: one that cannot be read is told, not passed over.
    folder.ancestors().find(|f| f.join(config::FILE).exists()).map(Path::to_path_buf)
}

/// The project's folder that a folder is or lies in, as it is named from where the command was typed.
pub fn project_around(named: &Path) -> Option<PathBuf> {
    let real = named.canonicalize().ok()?;
    let root = project_of(&real)?;
    let above = real.strip_prefix(&root).ok()?.components().count();
    Some((0..above).fold(named.to_path_buf(), |path, _| path.join("..")))
}

/// Where a path leads, all links followed. Of what is not there yet: its nearest folder that is.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        done => return done,
    }
    // A link that leads nowhere would be followed when it is written to.
    if let Ok(target) = path.read_link() {
        let beside = path.parent().unwrap_or(Path::new("."));
        return real(&beside.join(target));
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(real(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?.join(name)),
        // `a/..` where there is no `a`.
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    }
}

/// Writes a file, and makes the folder that it lies in.
///
/// # Errors
/// One of them cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::io(format!("{} cannot be written: {error}", path.display()));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(cannot)?;
    }
    std::fs::write(path, bytes).map_err(cannot)
}

/// A file that cannot be read.
pub fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::NotFound => Failure::io(format!("there is no `{}`", path.display())),
        _ => Failure::io(format!("`{}` cannot be read: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("crossdock.yaml", ""),
            ("orders.dock", "edition 1\n"),
            ("shared/address.dock", "edition 1\n"),
            (".git/x.dock", ""),
            ("other/crossdock.yaml", ""),
            ("other/x.dock", ""),
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let folder = Folder::open(dir.path()).unwrap();
        (dir, folder)
    }

    #[test]
    fn lists_the_projects_own_mappings_sorted() {
        let (_dir, folder) = project();
        assert_eq!(folder.list(".dock"), ["orders.dock", "shared/address.dock"]);
    }

    #[test]
    fn what_is_no_project_is_not_searched() {
        let (dir, _) = project();
        std::fs::remove_file(dir.path().join("crossdock.yaml")).unwrap();
        assert_eq!(Folder::open(dir.path()).unwrap().list(".dock"), ["orders.dock"]);
        let failure = select(&[dir.path().to_path_buf()]).map(|_| ()).unwrap_err();
        assert!(failure.message.contains("there is no project here") && failure.hint.is_some(), "{failure:?}");
        assert!(select(&[dir.path().join("shared/address.dock")]).is_ok_and(|all| all[0].only.as_deref() == Some(&["address.dock".to_owned()])));
    }

    #[test]
    fn nothing_outside_is_read() {
        let (dir, folder) = project();
        std::fs::write(dir.path().parent().unwrap().join("crossdock-outside.txt"), "x").unwrap();
        assert_eq!(folder.read("../crossdock-outside.txt"), Err(Absence::Outside));
        assert_eq!(folder.read("/etc/hostname"), Err(Absence::Outside));
        assert_eq!(folder.read("none.dock"), Err(Absence::NotFound));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc", dir.path().join("link")).unwrap();
            assert_eq!(folder.read("link/hostname"), Err(Absence::Outside));
            assert!(folder.list("hostname").is_empty());
        }
        std::fs::remove_file(dir.path().parent().unwrap().join("crossdock-outside.txt")).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_a_file_that_can_be_executed() {
        use std::os::unix::fs::PermissionsExt as _;
        let (dir, folder) = project();
        let refused = |program: &str| folder.program(program).map_err(|failure| format!("{} {}", failure.message, failure.hint.unwrap_or_default()));
        std::fs::write(dir.path().join("tell"), "#!/bin/sh\n").unwrap();
        assert!(refused("./tell").unwrap_err().contains("cannot be executed: `./tell` chmod +x ./tell"));
        std::fs::set_permissions(dir.path().join("tell"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(refused("./tell"), Ok(folder.root().join("./tell")));
        assert!(refused("sh").is_ok_and(|place| place.is_absolute()));
        assert!(refused("./shared").unwrap_err().contains("is no program"));
        assert!(refused("./tell -v").unwrap_err().contains("[./tell, -v]"));
        for absent in ["./none", "/no/such/program", "no-such-program"] {
            assert!(refused(absent).unwrap_err().contains("is not there"), "{absent}");
        }
        assert!(folder.may_start("./tell").is_err() && folder.clone().allowing(&[dir.path().to_owned()]).may_start("./tell").is_ok());
    }

    #[test]
    fn what_a_project_names_stays_in_it_or_where_it_is_allowed() {
        let (dir, folder) = project();
        let other = tempfile::tempdir().unwrap();
        let outside = other.path().canonicalize().unwrap();
        for name in ["out/new.jsonl", "orders.dock", "shared/../new", "./x"] {
            assert!(folder.reach(name).is_ok_and(|place| place.starts_with(folder.root())), "{name}");
        }
        let absolute = outside.join("x.jsonl").display().to_string();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&outside, dir.path().join("away")).unwrap();
            // It leads to what is not there yet, and would be made by a write.
            std::os::unix::fs::symlink(outside.join("made"), dir.path().join("dangling")).unwrap();
        }
        let names = ["../x", "shared/../../x", "/etc/hostname", "away/x.jsonl", "away", "dangling", &absolute];
        for name in names {
            let failure = folder.reach(name).map_err(|failure| (failure.message, failure.hint.unwrap_or_default()));
            assert!(failure.as_ref().is_err_and(|(message, hint)| message.contains("outside") && hint.contains("--allow")), "{name}: {failure:?}");
        }
        let allowed = folder.allowing(std::slice::from_ref(&outside));
        assert!(allowed.reach("away/x.jsonl").is_ok() && allowed.reach(&absolute).is_ok() && allowed.reach("dangling").is_ok());
        assert!(allowed.reach("/etc/hostname").is_err());
    }

    #[test]
    fn a_schema_is_inferred_from_the_beginning() {
        let (dir, folder) = project();
        let line = format!("{{\"name\":\"{}\"}}\n", "x".repeat(989));
        std::fs::write(dir.path().join("long.jsonl"), line.repeat(bounds::SAMPLE / 1_000 + 1_000)).unwrap();
        let text = folder.sample("long.jsonl").unwrap();
        assert!(text.len() <= bounds::SAMPLE && text.ends_with("\"}") && text.len() > bounds::SAMPLE - 2_000);
        std::fs::write(dir.path().join("short.jsonl"), &line).unwrap();
        assert_eq!(&*folder.sample("short.jsonl").unwrap(), line);
    }

    #[test]
    fn a_file_that_is_no_text_is_said_to_be_none() {
        let (dir, folder) = project();
        std::fs::write(dir.path().join("a.dock"), [0xff, 0xfe]).unwrap();
        assert!(matches!(folder.read("a.dock"), Err(Absence::NotText(not)) if not.help().contains("UTF-8")));
        std::fs::write(dir.path().join("b.dock"), format!("edition 1\n{}\0 b", "# a comment\n".repeat(40))).unwrap();
        assert!(matches!(folder.read("b.dock"), Err(Absence::NotText(not)) if not.at == 490 && not.help().contains("take it out")));
    }

    #[test]
    fn lines_may_end_with_a_carriage_return_alone() {
        let (dir, folder) = project();
        std::fs::write(dir.path().join("a.dock"), "edition 1\r# a\r").unwrap();
        assert_eq!(&*folder.read("a.dock").unwrap(), "edition 1\n# a\n");
        std::fs::write(dir.path().join("a.dock"), "edition 1\r\n# a\r\n").unwrap();
        assert_eq!(&*folder.read("a.dock").unwrap(), "edition 1\r\n# a\r\n");
    }
}
