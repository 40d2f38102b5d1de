//! Whole projects without a mistake, a file each: the check finds nothing in them, and their cases pass.

use std::path::Path;

use crossdock::app::cases::judge_all;
use crossdock::app::check::check;
use crossdock::app::{LoadedProject, ProjectAt};

/// Writes the files of a project's text: each begins with a line `=== path`. What stands before the first is a remark.
fn unpack(text: &str, folder: &Path) {
    for part in text.split("\n=== ").skip(1) {
        let (name, body) = part.split_once('\n').unwrap_or((part, ""));
        let path = folder.join(name.trim());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // The line break before the next file's line was cut off.
        std::fs::write(path, format!("{}\n", body.trim_end_matches('\n'))).unwrap();
    }
}

#[test]
fn nothing_is_found_in_projects_without_a_mistake() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/projects");
    let mut projects: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    projects.sort();
    assert!(projects.len() >= 20, "{}", projects.len());
    for project in projects {
        let name = project.file_stem().unwrap().to_string_lossy().into_owned();
        let unpacked = tempfile::tempdir().unwrap();
        unpack(&std::fs::read_to_string(&project).unwrap(), unpacked.path());
        let checked = check(&[unpacked.path().to_owned()], None).unwrap();
        let found: Vec<String> = checked[0].compiled.diagnostics.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
        assert!(found.is_empty() && checked[0].notes.is_empty(), "{name}: {found:#?} {:?}", checked[0].notes);
        let loaded = LoadedProject::open(&ProjectAt { path: Some(unpacked.path()), ..ProjectAt::default() }).unwrap();
        let judged = judge_all(&loaded, None).unwrap();
        for (case, ran) in &judged.results {
            assert!(ran.differences.is_empty(), "{name}: {}: {:#?}", case.name, ran.differences);
        }
    }
}
