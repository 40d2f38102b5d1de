//! `csv` in `crossdock.yaml`: the encoding and the separator of CSV files that are not in UTF-8 or have an unusual separator.

use super::config::Reader;
use super::error;
use super::records::Form;
use super::yaml::Node;
use crate::base::{Charset, Span};
use crate::check::Setting;

/// The settings of the files of one name.
#[derive(Debug, Clone)]
pub struct CsvFile {
    /// A path from the project's folder, or a name with `*`; without a folder it is that of a file anywhere.
    pub name: String,
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

pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Vec<CsvFile> {
    let mut all = Vec::new();
    for entry in reader.block(node, "csv") {
        let mut form = CsvForm::default();
        let at = Span::new(reader.file, entry.start, entry.end);
        if Form::of(&entry.key) != Form::Csv {
            reader.found.push(error::no_csv(&entry.key, at));
        }
        for option in reader.block(&entry.value, &format!("csv.{}", entry.key)) {
            match option.key.as_str() {
                "encoding" => form.charset = reader.setting(&option.value, "encoding").and_then(|said| charset(&said, reader)),
                "separator" => form.separator = reader.setting(&option.value, "separator").and_then(|said| separator(&said, reader)),
                key => {
                    let at = Span::new(reader.file, option.start, option.end);
                    reader.found.push(error::unknown_key(key, at, &format!("`csv.{}`", entry.key), SETTINGS));
                }
            }
        }
        all.push(CsvFile { name: entry.key.clone(), form });
    }
    all
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
    let path = path.trim_start_matches("./");
    let base = path.rsplit('/').next().unwrap_or_default();
    let fits = |file: &&CsvFile| {
        let name = file.name.trim_start_matches("./");
        if name.contains('/') { matches(name, path) } else { matches(name, base) }
    };
    let written = all.iter().filter(fits).find(|file| !file.name.contains('*'));
    written.or_else(|| all.iter().find(fits)).map(|file| file.form).unwrap_or_default()
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
    use crate::base::diag::Code;
    use crate::project::{Options, Texts, compile};

    fn file(name: &str, charset: &str) -> CsvFile {
        CsvFile { name: name.into(), form: CsvForm { charset: Charset::of(charset), separator: None } }
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
