//! Mistakes as edits of the templates: one message, with the right weight, on the right line, and a way out that works.
//!
//! `README.md` beside this file tells the form.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crossdock::base::Sources;
use crossdock::base::diag::{Code, Diagnostic, Edit};
use crossdock::eval::{Program, apply, queries};
use crossdock::project::{Compiled, Options, Planned, Texts, compile};
use crossdock::testkit::{Bench, cases, checked, runner};

type Files = BTreeMap<String, String>;

#[derive(Debug, Default, Clone)]
struct Case {
    /// The file of cases and the line, for a message.
    place: String,
    title: String,
    project: String,
    changes: Vec<Change>,
    /// Empty: no message is wanted.
    code: String,
    at: At,
    says: Vec<String>,
    mend: Mend,
}

#[derive(Debug, Default, Clone)]
struct Change {
    file: String,
    old: String,
    new: String,
}

#[derive(Debug, Default, Clone)]
enum At {
    #[default]
    Change,
    Below(u32),
    Line(Option<String>, u32),
    /// The line on which a text stands first.
    Text(Option<String>, String),
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Mend {
    #[default]
    Unsaid,
    Same,
    Otherwise,
    ByHand,
}

fn read(name: &str, text: &str) -> Vec<Case> {
    let mut all: Vec<Case> = Vec::new();
    let (mut project, mut file) = ("salesforce-shipstation".to_owned(), "orders.dock".to_owned());
    // A file that is named in a case holds to its end.
    let mut own: Option<String> = None;
    let mut adding = false;
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        let bad = || panic!("{place}: this line cannot be read: {line}");
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            own = None;
            adding = false;
            all.push(Case { place, title: title.to_owned(), project: project.clone(), ..Case::default() });
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let Some(case) = all.last_mut() else {
            match word {
                "project" => rest.clone_into(&mut project),
                "file" => rest.clone_into(&mut file),
                _ => bad(),
            }
            continue;
        };
        let here = own.clone().unwrap_or_else(|| file.clone());
        match word {
            "project" => {
                rest.clone_into(&mut project);
                rest.clone_into(&mut case.project);
            }
            "file" => own = Some(rest.to_owned()),
            "-" => {
                let follows = case.changes.last_mut().filter(|last| !adding && last.new.is_empty() && last.file == here);
                match follows {
                    Some(last) => last.old = format!("{}\n{rest}", last.old),
                    None => case.changes.push(Change { file: here, old: rest.to_owned(), new: String::new() }),
                }
                adding = false;
                continue;
            }
            "+" => match case.changes.last_mut().filter(|last| last.file == here && (adding || last.new.is_empty())) {
                Some(last) if adding => last.new = format!("{}\n{rest}", last.new),
                Some(last) => rest.clone_into(&mut last.new),
                None => case.changes.push(Change { file: here, old: String::new(), new: rest.to_owned() }),
            },
            "is" if rest == "nothing" => case.code.clear(),
            "is" => rest.clone_into(&mut case.code),
            "at" => {
                if let Some((file, text)) = rest.strip_suffix('`').and_then(|rest| rest.split_once('`')) {
                    case.at = At::Text(Some(file.trim().to_owned()).filter(|file| !file.is_empty()), text.to_owned());
                    adding = false;
                    continue;
                }
                let number = |text: &str| text.parse::<u32>().unwrap_or_else(|_| panic!("{place}: no line: {text}"));
                case.at = match (rest.strip_prefix('+'), rest.rsplit_once(':')) {
                    (Some(below), _) => At::Below(number(below)),
                    (None, Some((file, line))) => At::Line(Some(file.to_owned()), number(line)),
                    (None, None) => At::Line(None, number(rest)),
                };
            }
            "says" => case.says.push(rest.to_owned()),
            "mend" | "mend," => case.mend = if rest == "sent otherwise" { Mend::Otherwise } else { Mend::Same },
            "no" if rest == "mend" => case.mend = Mend::ByHand,
            _ => bad(),
        }
        adding = word == "+";
    }
    all
}

/// Where a text stands, white space in a row counted as one blank.
fn find(text: &str, wanted: &str) -> Vec<std::ops::Range<usize>> {
    let words: Vec<String> = wanted.split_whitespace().map(regex::escape).collect();
    let pattern = regex::Regex::new(&words.join(r"\s+")).unwrap();
    pattern.find_iter(text).map(|found| found.range()).collect()
}

/// The project with the mistake in it, and the first changed file with its line.
fn edited(case: &Case, base: &Files) -> Result<(Files, String, u32), String> {
    let mut files = base.clone();
    let mut first = None;
    for change in &case.changes {
        let text = files.entry(change.file.clone()).or_default();
        let at = if change.old.is_empty() {
            let at = text.len();
            text.push_str(&change.new);
            text.push('\n');
            at
        } else {
            let places = find(text, &change.old);
            let [place] = places.as_slice() else {
                return Err(format!("`{}` stands {} times in {}", change.old, places.len(), change.file));
            };
            text.replace_range(place.clone(), &change.new);
            place.start
        };
        let line = text[..at].matches('\n').count() as u32 + 1;
        first.get_or_insert((change.file.clone(), line));
    }
    let (file, line) = first.ok_or("the case changes nothing")?;
    Ok((files, file, line))
}

fn compiled(files: &Files, planned: Planned) -> Compiled {
    let texts = Texts::new(files.clone());
    let mut compiled = compile(&texts, &Options { planned, ..Options::default() });
    checked::check(&texts, &checked::read_all(&texts), &mut compiled);
    compiled
}

/// A template, and the warnings that it has by itself.
struct Base {
    files: Files,
    warnings: BTreeSet<(Code, String)>,
    /// Its cases that do not pass.
    failing: BTreeSet<String>,
}

impl Base {
    fn of(project: &str) -> Base {
        let files: Files = crate::common::files(&crate::common::root().join("mappings").join(project)).into_iter().collect();
        let found = compiled(&files, Planned::Nothing);
        assert!(!files.is_empty() && !found.diagnostics.iter().any(Diagnostic::is_error), "{project}: {}", told(&found.diagnostics, &found.sources));
        Base {
            failing: failing(&files).into_iter().collect(),
            warnings: found.diagnostics.into_iter().map(|found| (found.code, found.message)).collect(),
            files,
        }
    }

    /// What a check says of the template with an edit, and not without.
    fn news(&self, files: &Files) -> (Vec<Diagnostic>, Sources) {
        let mut found = compiled(files, Planned::Nothing);
        found.diagnostics.retain(|found| !self.warnings.contains(&(found.code, found.message.clone())));
        (found.diagnostics, found.sources)
    }
}

fn told(found: &[Diagnostic], sources: &Sources) -> String {
    let one = |d: &Diagnostic| {
        let helps: Vec<String> = d
            .help
            .iter()
            .map(|help| format!("{}{}", help.text, help.edit.as_ref().map_or(String::new(), |e| format!(" [{}]", e.replacement))))
            .collect();
        format!("\n      {} {} {} | {} | help: {}", sources.place(d.primary.span), d.code, d.message, d.primary.text, helps.join(" / "))
    };
    if found.is_empty() { " nothing".to_owned() } else { found.iter().map(one).collect() }
}

fn applied(files: &Files, edit: &Edit, sources: &Sources) -> Option<Files> {
    let source = sources.get(edit.span.file)?;
    let mut files = files.clone();
    let text = files.get_mut(&source.name)?;
    text.get(edit.span.start as usize..edit.span.end as usize)?;
    text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.replacement);
    Some(files)
}

/// The cases of the template that do not pass with this mapping.
fn failing(files: &Files) -> Vec<String> {
    let compiled = compiled(files, Planned::Whole);
    let Some(plan) = &compiled.plan else { return vec!["it has errors".to_owned()] };
    let program = Program::new(plan).unwrap();
    let bench = Bench {
        plan,
        map: &|flow, inputs| apply(&program, flow, inputs),
        find: &|flow, inputs, given| queries::find(&program, flow, inputs, given),
        records: &|path| {
            let text = files.get(path).ok_or_else(|| "not there".to_owned())?;
            crossdock::project::records::read(path, text).map_err(|fault| fault.to_string())
        },
        names: &compiled.names,
    };
    let all = files.iter().filter(|(name, _)| name.starts_with("cases/") && name.ends_with(".yaml"));
    let all = all.flat_map(|(name, text)| cases::read(name, text, &|path| files.contains_key(path)).unwrap());
    all.filter(|case| !runner::run(case, &bench).differences.is_empty()).map(|case| case.name).collect()
}

/// What is wrong with how a case goes; empty if nothing is.
fn judged(case: &Case, base: &Base) -> Vec<String> {
    let (files, file, line) = match edited(case, &base.files) {
        Ok(edited) => edited,
        Err(wrong) => return vec![wrong],
    };
    let (found, sources) = &base.news(&files);
    let mut wrong = Vec::new();
    if case.code.is_empty() {
        if !found.is_empty() {
            wrong.push(format!("no message was wanted, and there came{}", told(found, sources)));
        }
        return wrong;
    }
    let [one] = found.as_slice() else {
        return vec![format!("one {} was wanted, and there came{}", case.code, told(found, sources))];
    };
    if one.code.number() != case.code {
        wrong.push(format!("{} was wanted, and there came{}", case.code, told(found, sources)));
    }
    let wanted = match &case.at {
        At::Change => (file, line),
        At::Below(below) => (file, line + below),
        At::Line(other, line) => (other.clone().unwrap_or(file), *line),
        At::Text(other, text) => {
            let file = other.clone().unwrap_or(file);
            let whole = files.get(&file).map_or("", String::as_str);
            match find(whole, text).first() {
                Some(place) => (file.clone(), whole[..place.start].matches('\n').count() as u32 + 1),
                None => return vec![format!("`{text}` does not stand in {file}")],
            }
        }
    };
    let place = sources.place(one.primary.span);
    if place != format!("{}:{}", wanted.0, wanted.1) {
        wrong.push(format!("{}:{} was wanted, and there came{}", wanted.0, wanted.1, told(found, sources)));
    }
    let helps = one.help.iter().map(|help| format!("{} {}", help.text, help.edit.as_ref().map_or("", |edit| edit.replacement.as_str())));
    let text = helps.chain([one.message.clone(), one.primary.text.clone(), one.why.clone().unwrap_or_default()]).collect::<Vec<_>>().join("\n");
    for says in case.says.iter().filter(|says| !text.contains(says.as_str())) {
        wrong.push(format!("it does not say `{says}`:{}", told(found, sources)));
    }
    let edits: Vec<&Edit> = one.help.iter().filter_map(|help| help.edit.as_ref()).collect();
    match case.mend {
        Mend::Same | Mend::Otherwise if edits.is_empty() => wrong.push(format!("no help carries an edit:{}", told(found, sources))),
        Mend::ByHand if !edits.is_empty() => wrong.push("a help carries an edit: say `mend`".to_owned()),
        Mend::ByHand | Mend::Unsaid if case.says.is_empty() => wrong.push("without `mend`, a `says` has to tell what leads on".to_owned()),
        _ => {}
    }
    for (number, edit) in edits.iter().enumerate() {
        let Some(mended) = applied(&files, edit, sources) else {
            wrong.push(format!("the edit `{}` cannot be applied", edit.replacement));
            continue;
        };
        let (after, sources) = base.news(&mended);
        if !after.is_empty() {
            wrong.push(format!("the edit `{}` leaves{}", edit.replacement, told(&after, &sources)));
        } else if number == 0 && case.mend == Mend::Same && mended != base.files {
            let failing: Vec<String> = failing(&mended).into_iter().filter(|case| !base.failing.contains(case)).collect();
            if !failing.is_empty() {
                wrong.push(format!("with the edit `{}` other things are sent: {failing:?}", edit.replacement));
            }
        }
    }
    wrong
}

/// All files of edits with their cases.
fn all() -> Vec<Case> {
    let files = crate::common::files(&crate::common::root().join("tests/corpus/edits"));
    files.iter().filter(|(name, _)| name.ends_with(".txt")).flat_map(|(name, text)| read(name, text)).collect()
}

#[test]
fn each_edit_gets_one_message_on_its_line_and_a_way_out_that_works() {
    let only = std::env::var("ONLY").ok();
    let cases: Vec<Case> = all().into_iter().filter(|case| only.as_ref().is_none_or(|only| case.place.contains(only.as_str()))).collect();
    let mut bases: BTreeMap<String, Base> = BTreeMap::new();
    for case in &cases {
        bases.entry(case.project.clone()).or_insert_with(|| Base::of(&case.project));
    }
    let (wrong, next) = (Mutex::new(Vec::new()), std::sync::atomic::AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let worker = std::thread::Builder::new().stack_size(16 * 1024 * 1024);
            let work = || {
                while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let found = judged(case, &bases[&case.project]);
                    if !found.is_empty() {
                        wrong.lock().unwrap().push(format!("{} {}\n    {}", case.place, case.title, found.join("\n    ")));
                    }
                }
            };
            worker.spawn_scoped(scope, work).unwrap();
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
