//! `csv` in `crossdock.yaml`: the encoding and the separator of CSV files that are not in UTF-8 or have an unusual separator.

use super::config::Reader;
use super::error;
use super::records::Form;
use crate::base::diag::{Code, Diagnostic};
use crate::base::{Charset, Span};
use crate::check::Setting;
use crate::yaml::Node;

/// The settings of the files of one name.
#[derive(Debug, Clone)]
pub struct CsvFile {
    /// A path from the project's folder, or a name with `*`; without a folder it is that of a file anywhere.
    pub name: String,
    /// Where the name stands.
    pub at: Span,
    pub form: CsvForm,
}

/// The settings of one file. What is not set is detected from the file itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvForm {
    pub charset: Option<Charset>,
    /// What stands between cells.
    pub separator: Option<u8>,
}

const SETTINGS: &[&str] = &["encoding", "separator"];

/// Reads the block. What stands in an environment's file is laid over what is known: an entry of the same name sets what it says, and
/// between names that both match a file, the environment's takes precedence.
pub(super) fn read(node: &Node, known: Vec<CsvFile>, reader: &mut Reader<'_>) -> Vec<CsvFile> {
    let mut all: Vec<CsvFile> = Vec::new();
    for entry in reader.block(node, "csv") {
        let name = plain(&entry.key);
        let mut form = known.iter().find(|file| plain(&file.name) == name).map(|file| file.form).unwrap_or_default();
        let at = Span::new(reader.file, entry.start, entry.end);
        if Form::of(&entry.key) != Form::Csv {
            reader.found.push(error::no_csv(&entry.key, at));
        }
        for option in reader.block(&entry.value, &format!("csv.{}", entry.key)) {
            match option.key.as_str() {
                "encoding" => form.charset = reader.setting(&option.value, "encoding").and_then(|said| charset(&said, reader)).or(form.charset),
                "separator" => {
                    form.separator = reader.setting(&option.value, "separator").and_then(|said| separator(&said, reader)).or(form.separator)
                }
                key => {
                    let at = Span::new(reader.file, option.start, option.end);
                    reader.found.push(error::unknown_key(key, at, &format!("`csv.{}`", entry.key), SETTINGS));
                }
            }
        }
        all.push(CsvFile { name: entry.key.clone(), at, form });
    }
    let replaced: Vec<String> = all.iter().map(|file| plain(&file.name).to_owned()).collect();
    all.extend(known.into_iter().filter(|file| !replaced.iter().any(|name| name == plain(&file.name))));
    all
}

/// A name as it is compared with others.
fn plain(name: &str) -> &str {
    name.trim_start_matches("./")
}

/// Holds the names of paths against the files that are there: those of the project, and those that it names. A name that is near one of
/// them is reported and corrected, so that the rest is checked as it was meant. A name without a folder also matches files outside of
/// the project: it is doubted only if one is near.
pub(super) fn hold_against(all: &mut [CsvFile], files: &[String], found: &mut Vec<Diagnostic>) {
    let own: Vec<&str> = files.iter().map(|file| plain(file)).filter(|file| Form::of(file) == Form::Csv).collect();
    let names: Vec<String> = all.iter().map(|file| file.name.clone()).collect();
    for file in all {
        let name = plain(&file.name).to_owned();
        if Form::of(&name) != Form::Csv || name.starts_with("../") || name.starts_with('/') || own.iter().any(|path| fits(&name, path)) {
            continue;
        }
        // What has settings by its full name is not what was meant.
        let open = own.iter().copied().filter(|path| !names.iter().any(|name| !name.contains('*') && fits(name, path)));
        match near(&name, open) {
            Some(near) if name.contains('/') => {
                found.push(error::settings::no_such_csv(&file.name, file.at, Some(near), Code::BadProject));
                near.clone_into(&mut file.name);
            }
            Some(near) => found.push(error::settings::no_such_csv(&file.name, file.at, Some(near), Code::Unused)),
            None if name.contains('/') => found.push(error::settings::no_such_csv(&file.name, file.at, None, Code::Unused)),
            None => {}
        }
    }
}

/// The path that a name may be meant for. Folder and name are compared by themselves: paths of one folder are alike.
fn near<'p>(name: &str, paths: impl Iterator<Item = &'p str>) -> Option<&'p str> {
    let parts = |path: &str| -> (Option<String>, String) {
        let (folder, base) = path.rsplit_once('/').map_or((None, path), |(folder, base)| (Some(folder.to_owned()), base));
        (folder, base.rsplit_once('.').map_or(base, |(stem, _)| stem).to_owned())
    };
    let (folder, stem) = parts(name);
    let paths: Vec<(&str, (Option<String>, String))> = paths.map(|path| (path, parts(path))).collect();
    if stem.contains('*') || folder.is_none() && stem.chars().count() < 4 {
        return None;
    }
    let beside = || paths.iter().filter(|(_, (other, _))| folder.is_none() || *other == folder);
    if let Some(found) = crate::base::nearest(&stem, beside().map(|(_, (_, stem))| stem.as_str())) {
        let path = beside().find(|(_, (_, stem))| stem == found).map(|(path, _)| *path)?;
        return Some(if folder.is_none() { path.rsplit('/').next().unwrap_or(path) } else { path });
    }
    let folder = folder?;
    let same = || paths.iter().filter(|(_, (_, other))| *other == stem);
    let found = crate::base::nearest(&folder, same().filter_map(|(_, (folder, _))| folder.as_deref()))?;
    same().find(|(_, (folder, _))| folder.as_deref() == Some(found)).map(|(path, _)| *path)
}

fn charset(said: &Setting, reader: &mut Reader<'_>) -> Option<Charset> {
    let known = Charset::of(&said.text);
    if known.is_none() {
        reader.found.push(error::unknown_charset(&said.text, said.span));
    }
    known
}

fn separator(said: &Setting, reader: &mut Reader<'_>) -> Option<u8> {
    let sign = match said.text.as_str() {
        "tab" | "\\t" | "\t" => Some(b'\t'),
        text => match text.as_bytes() {
            [sign] if sign.is_ascii_punctuation() && *sign != b'"' => Some(*sign),
            _ => None,
        },
    };
    if sign.is_none() {
        reader.found.push(error::bad_separator(&said.text, said.span));
    }
    sign
}

/// The settings that apply to a path. A full name takes precedence over one with `*`.
pub(super) fn of(all: &[CsvFile], path: &str) -> CsvForm {
    let path = path.replace('\\', "/");
    let fits = |file: &&CsvFile| fits(&file.name, &path);
    let written = all.iter().filter(fits).find(|file| !file.name.contains('*'));
    written.or_else(|| all.iter().find(fits)).map(|file| file.form).unwrap_or_default()
}

/// Whether a name is that of a path.
fn fits(name: &str, path: &str) -> bool {
    let (name, path) = (plain(name), plain(path));
    if name.contains('/') { matches(name, path) } else { matches(name, path.rsplit('/').next().unwrap_or_default()) }
}

/// `tables/*.csv`: a star stands for any signs but `/`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            let end = rest.find('/').unwrap_or(rest.len());
            (0..=end).filter(|at| rest.is_char_boundary(*at)).any(|at| matches(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Options, Texts, compile};

    fn file(name: &str, charset: &str) -> CsvFile {
        CsvFile { name: name.into(), at: Span::default(), form: CsvForm { charset: Charset::of(charset), separator: None } }
    }

    #[test]
    fn a_file_is_known_by_its_path_its_name_or_a_star() {
        let all =
            [file("*.csv", "utf-16"), file("tables/*.csv", "iso-8859-2"), file("tables/skus.csv", "windows-1252"), file("old.csv", "macintosh")];
        let name = |path: &str| of(&all, path).charset.map(Charset::name);
        for (path, charset) in [
            ("tables/skus.csv", "windows-1252"),
            ("./tables/skus.csv", "windows-1252"),
            ("data/a.csv", "UTF-16LE"),
            ("../exports/old.csv", "macintosh"),
            ("old.csv", "macintosh"),
        ] {
            assert_eq!(name(path), Some(charset), "{path}");
        }
        assert_eq!(name("a.jsonl"), None);
        assert_eq!(of(&all[1..], "tables/kits.csv").charset.map(Charset::name), Some("ISO-8859-2"));
        assert_eq!(of(&all[1..], "tables/old/kits.csv").charset, None);
    }

    #[test]
    fn an_environment_says_only_what_differs() {
        let base = "connections:\n  crm: { system: salesforce }\ncsv:\n  a.csv: { encoding: windows-1252, separator: \";\" }\n  \"*.csv\": { separator: \"|\" }\n";
        let staging = "csv:\n  ./a.csv: { encoding: iso-8859-15 }\n  \"data/*.csv\": { separator: \"^\" }\n";
        let texts = Texts::new([("crossdock.yaml", base), ("crossdock.staging.yaml", staging), ("data/b.csv", "b\n")]);
        let read = |env: Option<&str>, path: &str| {
            let compiled = compile(&texts, &Options { env: env.map(str::to_owned), ..Options::default() });
            assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
            let form = compiled.config.csv(path);
            (form.charset.map(Charset::name), form.separator.map(char::from))
        };
        assert_eq!(read(None, "a.csv"), (Some("windows-1252"), Some(';')));
        assert_eq!(read(Some("staging"), "a.csv"), (Some("ISO-8859-15"), Some(';')));
        assert_eq!(read(None, "data/b.csv"), (None, Some('|')));
        assert_eq!(read(Some("staging"), "data/b.csv"), (None, Some('^')));
        assert_eq!(read(Some("staging"), "b.csv"), (None, Some('|')));
    }

    #[test]
    fn a_name_of_no_file_is_told_and_a_near_one_is_taken() {
        let files = ["tables/skus.csv", "tables/kits.csv", "data/feed.csv", "crossdock.yaml"];
        let read = |name: &str| {
            let config = format!(
                "connections:\n  crm: {{ system: salesforce }}\n  shop: {{ system: files, object: Sku, path: data/later.csv }}\ncsv:\n  \"{name}\": {{ encoding: windows-1252 }}\n"
            );
            let texts = files.map(|file| (file.to_owned(), if file == "crossdock.yaml" { config.clone() } else { "a\n".to_owned() }));
            let compiled = compile(&Texts::new(texts), &Options::default());
            let told = compiled.diagnostics.iter().map(|d| (d.code, d.help.iter().find_map(|help| help.edit.clone()).map(|edit| edit.replacement)));
            (told.collect::<Vec<_>>(), files.iter().find(|file| compiled.config.csv(file).charset.is_some()).copied())
        };
        let near = |path: &str| vec![(Code::BadProject, Some(path.to_owned()))];
        assert_eq!(read("tables/skuz.csv"), (near("tables/skus.csv"), Some("tables/skus.csv")));
        assert_eq!(read("table/skus.csv"), (near("tables/skus.csv"), Some("tables/skus.csv")));
        assert_eq!(read("tables/skus.tsv"), (near("tables/skus.csv"), Some("tables/skus.csv")));
        assert_eq!(read("skuz.csv"), (vec![(Code::Unused, Some("skus.csv".to_owned()))], None));
        for (name, told) in [
            // Its file is gone: another of the folder is no misspelling of it.
            ("tables/rates.csv", vec![(Code::Unused, None)]),
            ("exports/*.csv", vec![(Code::Unused, None)]),
            // They can be outside of the project, or come later.
            ("export.csv", vec![]),
            ("old*.csv", vec![]),
            ("../exports/skus.csv", vec![]),
            ("data/later.csv", vec![]),
        ] {
            assert_eq!(read(name), (told, None), "{name}");
        }
        assert_eq!(read("*/skus.csv"), (vec![], Some("tables/skus.csv")));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        for (csv, words) in [
            ("  a.csv: { encoding: windows-1253x }\n", "windows-1253x"),
            ("  a.csv: { encoding: ansi }\n", "ansi"),
            ("  a.csv: { seperator: \";\" }\n", "seperator"),
            ("  a.csv: { separator: \", \" }\n", "separator"),
            ("  a.csv: { separator: x }\n", "separator"),
            ("  a.jsonl: { encoding: utf-16 }\n", "a.jsonl"),
            ("  a.csv: windows-1252\n", "csv.a.csv"),
        ] {
            let config = format!("connections:\n  crm: {{ system: salesforce }}\ncsv:\n{csv}");
            let found = compile(&Texts::new([("crossdock.yaml", config.as_str())]), &Options::default()).diagnostics;
            assert!(found.len() == 1 && found[0].code == Code::BadProject && found[0].message.contains(words), "{csv}: {found:#?}");
            assert!(!found[0].help.is_empty() || words == "csv.a.csv", "{csv}: {found:#?}");
        }
    }
}
