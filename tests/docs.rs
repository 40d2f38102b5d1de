//! The book says what is true: each whole mapping file in it passes the check, and each link leads somewhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use crossdock::project::{Options, Texts, compile};

/// The book's pages and the README, from the root.
fn pages() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = crate::common::files(&crate::common::root().join("docs"))
        .into_iter()
        .filter(|(name, _)| name.ends_with(".md"))
        .map(|(name, text)| (format!("docs/{name}"), text))
        .collect();
    for name in ["README.md", "CHANGELOG.md"] {
        pages.push((name.to_owned(), std::fs::read_to_string(crate::common::root().join(name)).unwrap()));
    }
    let templates = crate::common::files(&crate::common::root().join("mappings")).into_iter();
    pages.extend(templates.filter(|(name, _)| name.ends_with("/README.md")).map(|(name, text)| (format!("mappings/{name}"), text)));
    pages
}

/// The texts of blocks that begin with exactly this fence, with the line that they begin on.
fn blocks<'t>(page: &'t str, fence: &str) -> Vec<(usize, &'t str)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let mut at = 0;
    for (number, line) in page.split_inclusive('\n').enumerate() {
        match open {
            None if line.trim_end() == fence => open = Some((number + 2, at + line.len())),
            Some((first, start)) if line.trim_end() == "```" => {
                found.push((first, &page[start..at]));
                open = None;
            }
            _ => {}
        }
        at += line.len();
    }
    found
}

#[test]
fn whole_files_in_the_book_pass_the_check() {
    let mut project = crate::common::files(&crate::common::template());
    project.retain(|(name, _)| name.starts_with("schemas/") || name.starts_with("tables/") || name == "crossdock.yaml");
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in pages() {
        for (line, block) in blocks(&text, "```dock") {
            count += 1;
            let mut files = project.clone();
            files.push(("block.dock".to_owned(), block.to_owned()));
            let compiled = compile(&Texts::new(files), &Options::default());
            for error in compiled.diagnostics.iter().filter(|found| found.is_error()) {
                wrong.push(format!("{page}:{line}: {} {} {}", compiled.sources.place(error.primary.span), error.code, error.message));
            }
        }
    }
    assert!(count >= 4, "{count} whole files");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A fragment need not name what it reads, but it can be read: on the top of a file or inside of a flow.
#[test]
fn fragments_in_the_book_can_be_read() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in pages() {
        for (line, block) in blocks(&text, "```dock fragment") {
            count += 1;
            let wraps = [
                block.to_owned(),
                format!("edition 1\n{block}"),
                format!("edition 1\nflow f {{\n{block}\n}}\n"),
                format!("edition 1\nflow f {{\nroute a, b {{\n{block}\n}}\n}}\n"),
                format!("edition 1\nflow f {{\nupsert wms.Order key orderKey = \"k\" {{\n{block}\n}}\n}}\n"),
            ];
            if wraps.iter().all(|file| crossdock::syntax::format(file).is_err()) {
                wrong.push(format!("{page}:{line}"));
            }
        }
    }
    assert!(count >= 10, "{count} fragments");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a link to a heading of a page is called: small letters, a hyphen for each space, no other signs.
fn anchors(page: &str) -> std::collections::BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let sign = |c: char| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    };
    headings.map(|heading| heading.to_lowercase().chars().filter_map(sign).collect()).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let (mut wrong, mut to_headings) = (Vec::new(), 0);
    for (page, text) in pages() {
        let folder = crate::common::root().join(&page).parent().unwrap().to_path_buf();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { crate::common::root().join(&page) } else { folder.join(file) };
            if !target.exists() {
                wrong.push(format!("{page}: {link}"));
            } else if !anchor.is_empty() {
                to_headings += 1;
                if !anchors(&std::fs::read_to_string(target).unwrap()).contains(anchor) {
                    wrong.push(format!("{page}: {link}: no such heading"));
                }
            }
        }
    }
    assert!(to_headings > 20, "{to_headings}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The README shows the mistake of the tutorial, whose output is held below.
#[test]
fn the_readme_shows_a_mistake_as_it_is_printed() {
    let read = |name: &str| std::fs::read_to_string(crate::common::root().join(name)).unwrap();
    let readme = read("README.md");
    let shown = blocks(&readme, "```text").into_iter().map(|(_, text)| text).find(|text| text.starts_with("error ")).unwrap();
    assert!(shown.lines().count() > 5 && read("docs/tutorial.md").contains(shown), "not in the tutorial:\n{shown}");
}

/// The table of the queue's codes names each code, and no other.
#[test]
fn the_codes_of_exceptions_are_all_in_the_book() {
    let page = std::fs::read_to_string(crate::common::root().join("docs/operations.md")).unwrap();
    let (_, table) = page.split_once("| code | what happened | what to do |\n| --- | --- | --- |\n").unwrap();
    let mut told: Vec<&str> = table.lines().map_while(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
    let mut codes = crossdock::store::CODES.to_vec();
    told.sort_unstable();
    codes.sort_unstable();
    assert_eq!(told, codes);
}

/// What the tutorial's reader changes, by the section that says it: file, what stands there, what to write.
const CHANGES: [(&str, &str, &str, &str); 4] = [
    ("## 3.", "orders.dock", "= order.EffectiveDate | start_of_day", "= order.PoDate | start_of_day"),
    ("## 4.", "orders.dock", "= order.PoDate | start_of_day", "= (order.PoDate ?? order.EffectiveDate) | start_of_day"),
    ("## 6.", "orders.dock", "    when order.Region__c in (", "{dock}    when order.Region__c in ("),
    ("## 6.", "cases/routes.yaml", "", "{yaml}"),
];

/// The tutorial is walked as its reader walks it: each command is run, and prints each line that the page shows.
#[test]
fn the_tutorial_prints_what_it_says() {
    let page = std::fs::read_to_string(crate::common::root().join("docs/tutorial.md")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let acme = home.path().join("acme");
    let (mut wrong, mut commands) = (Vec::new(), 0);
    for section in page.split("\n## ").skip(1) {
        let section = format!("## {section}");
        let block = |fence| blocks(&section, fence).first().map_or_else(String::new, |(_, text)| (*text).to_owned());
        for (_, file, from, to) in CHANGES.iter().filter(|change| section.starts_with(change.0)) {
            let text = std::fs::read_to_string(acme.join(file)).unwrap();
            let to = to.replace("{dock}", &block("```dock fragment")).replace("{yaml}", &block("```yaml"));
            let changed = if from.is_empty() { format!("{text}{to}") } else { text.replacen(from, &to, 1) };
            assert_ne!(text, changed, "{file} has no `{from}`");
            std::fs::write(acme.join(file), changed).unwrap();
        }
        let mut printed = String::new();
        for line in blocks(&section, "```console").iter().flat_map(|(_, text)| text.lines()) {
            if let Some(arguments) = line.strip_prefix("$ crossdock ") {
                let folder = if acme.exists() { acme.as_path() } else { home.path() };
                let run = std::process::Command::new(env!("CARGO_BIN_EXE_crossdock"))
                    .current_dir(folder)
                    .args(arguments.split_whitespace())
                    .output()
                    .unwrap();
                printed = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
                commands += 1;
            } else if !line.is_empty() && line != "…" && !line.starts_with("$ cd") && !printed.lines().any(|found| found == line) {
                wrong.push(format!("not printed: {line}"));
            }
        }
        // What the page says of the last command's output.
        let told = blocks(&section, "```text");
        let missing = told.iter().flat_map(|(_, text)| text.lines()).filter(|line| !printed.lines().any(|found| found == *line));
        wrong.extend(missing.map(|line| format!("not printed: {line}")));
    }
    assert!(commands >= 10, "{commands} commands");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The table of connections' options names each option of each system's manifest, with its default, and no other.
#[test]
fn the_options_of_connections_are_all_in_the_book() {
    let page = std::fs::read_to_string(crate::common::root().join("docs/reference/project-file.md")).unwrap();
    let (_, table) = page.split_once("| system | option | needed | meaning | default |\n| --- | --- | --- | --- | --- |\n").unwrap();
    let plain = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let told: std::collections::BTreeSet<(String, String, String)> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            (plain(cells[0]), plain(cells[1]), plain(cells[4]))
        })
        .collect();
    let known: std::collections::BTreeSet<(String, String, String)> = crossdock::system::all()
        .flat_map(|(system, manifest)| {
            manifest.settings.iter().map(move |(name, setting)| (system.to_owned(), name.clone(), setting.default.clone().unwrap_or_default()))
        })
        .collect();
    assert!(known.len() >= 16, "{known:?}");
    assert_eq!(told, known);
}

/// The example of a described system is imported and checked just as the page says.
#[test]
fn the_example_of_a_description_is_clean() {
    let page = std::fs::read_to_string(crate::common::root().join("docs/reference/descriptions.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["api.yaml", "systems/northbay/system.yaml"] {
        let found = blocks(&page, &format!("```yaml {name}"));
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, found[0].1).unwrap();
    }
    let console = blocks(&page, "```console")[0].1;
    let mut said = String::new();
    for command in console.lines().filter_map(|line| line.strip_prefix("$ crossdock ")) {
        let arguments: Vec<&str> = command.split(' ').collect();
        let (code, out) = crate::common::crossdock(folder.path(), &arguments);
        assert_eq!(code, Some(0), "{command}: {out}");
        said.push_str(&format!("$ crossdock {command}\n{out}"));
    }
    // The day on which the file was read.
    let told: String = said.lines().map(|line| format!("{}\n", line.split(" (").next().unwrap_or(line))).collect();
    assert_eq!(told, console);
    let order = std::fs::read_to_string(folder.path().join("schemas/northbay/Order.json")).unwrap();
    assert!(order.contains("\"x-class\": 0") && order.contains("\"x-id\""), "{order}");
    // A project connects it as any other system.
    std::fs::write(folder.path().join("crossdock.yaml"), "connections:\n  wms: { system: northbay, token: \"${TOKEN}\" }\n").unwrap();
    let (code, out) = crate::common::crossdock(folder.path(), &["schema", "show", "wms.Order.status"]);
    assert!(code == Some(0) && out.contains("shipped"), "{code:?} {out}");
}
