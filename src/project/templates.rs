//! The templates that come with the program: the folders of `mappings/`, file by file.

use super::Texts;

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// A template's files, as a project held in memory.
pub fn project(name: &str) -> Option<Texts> {
    let (_, files) = TEMPLATES.iter().find(|(known, _)| *known == name)?;
    let text = |(path, bytes): &(&str, &[u8])| Some(((*path).to_owned(), std::str::from_utf8(bytes).ok()?.to_owned()));
    Some(Texts::new(files.iter().filter_map(text)))
}
