//! Character encodings of files that other programs wrote: an export in Windows-1252, a spreadsheet in UTF-16.

use encoding_rs::Encoding;

/// An encoding by one of its names in the [Encoding Standard](https://encoding.spec.whatwg.org/#names-and-labels). By it, `latin1` and
/// `iso-8859-1` are Windows-1252, which has signs where they have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

/// Those that people name most, for messages.
pub const CHARSETS: &[&str] = &[
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "windows-1250",
    "windows-1251",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "macintosh",
    "shift_jis",
    "euc-jp",
    "gbk",
    "gb18030",
    "big5",
    "euc-kr",
];

impl Charset {
    /// The encoding of this name; none where the standard has no such name.
    pub fn of(name: &str) -> Option<Charset> {
        let name = name.trim();
        // As programs of other vendors write them.
        let short = name.to_ascii_lowercase().replace(['_', ' '], "-");
        let number = short.strip_prefix("cp").or_else(|| short.strip_prefix("windows")).map(|rest| rest.trim_start_matches('-'));
        let known = Encoding::for_label(name.as_bytes()).or_else(|| Encoding::for_label(short.as_bytes()));
        let known = known.or_else(|| Encoding::for_label(format!("windows-{}", number?).as_bytes()));
        // What stands for bytes that no text should have.
        known.filter(|encoding| *encoding != encoding_rs::REPLACEMENT && *encoding != encoding_rs::X_USER_DEFINED).map(Charset)
    }

    /// As the standard writes it.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The text of bytes. A byte order mark is no part of it, and says which UTF it is, whatever is said here.
    ///
    /// # Errors
    /// The line, from 1, on which bytes stand that are none of this encoding.
    pub fn decode(self, bytes: &[u8]) -> Result<String, usize> {
        let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((self.0, 0));
        let body = bytes.get(mark..).unwrap_or_default();
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(body) {
            return Ok(text.into_owned());
        }
        let (text, _) = encoding.decode_without_bom_handling(body);
        let before = text.split('\u{fffd}').next().unwrap_or_default();
        Err(before.matches('\n').count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standard_and_of_other_programs() {
        for (name, known) in [
            ("windows-1252", Some("windows-1252")),
            ("CP1252", Some("windows-1252")),
            ("Windows 1252", Some("windows-1252")),
            ("latin1", Some("windows-1252")),
            ("ISO-8859-1", Some("windows-1252")),
            ("iso_8859-15", Some("ISO-8859-15")),
            ("latin-9", None),
            ("utf8", Some("UTF-8")),
            ("UTF-16", Some("UTF-16LE")),
            ("utf-16be", Some("UTF-16BE")),
            ("macintosh", Some("macintosh")),
            ("Shift_JIS", Some("Shift_JIS")),
            ("utf-7", None),
            ("replacement", None),
            ("", None),
            ("ansi", None),
        ] {
            assert_eq!(Charset::of(name).map(Charset::name), known, "{name}");
        }
        assert!(CHARSETS.iter().all(|name| Charset::of(name).is_some()));
    }

    #[test]
    fn bytes_become_the_text_that_was_written() {
        let decode = |name: &str, bytes: &[u8]| Charset::of(name).and_then(|charset| charset.decode(bytes).ok());
        assert_eq!(decode("windows-1252", b"Gro\xdf \x80 5").as_deref(), Some("Groß € 5"));
        assert_eq!(decode("iso-8859-15", b"Gro\xdf \xa4 5").as_deref(), Some("Groß € 5"));
        assert_eq!(decode("iso-8859-2", b"\xa3\xf3d\xbc").as_deref(), Some("Łódź"));
        assert_eq!(decode("utf-16", b"\xff\xfeG\0\xdf\0").as_deref(), Some("Gß"));
        assert_eq!(decode("utf-16", b"\xfe\xff\0G\0\xdf").as_deref(), Some("Gß"), "the mark says which way round");
        assert_eq!(decode("utf-16be", b"\0G\0\xdf").as_deref(), Some("Gß"));
        assert_eq!(decode("windows-1252", b"\xef\xbb\xbfGro\xc3\x9f").as_deref(), Some("Groß"), "the mark says that it is UTF-8");
        assert_eq!(decode("shift_jis", b"\x93\x8c\x8b\x9e").as_deref(), Some("東京"));
    }

    #[test]
    fn what_is_none_of_the_encoding_is_told_by_its_line() {
        assert_eq!(Charset::of("utf-8").map(|charset| charset.decode(b"a\nb\xff\n")), Some(Err(2)));
        assert_eq!(Charset::of("utf-16le").map(|charset| charset.decode(b"a\0\n\0\0\xd8")), Some(Err(2)));
    }
}
