//! Reading files that others wrote: regular files only, and only up to a size.
//!
//! Opening a named pipe could wait forever, and a device can have no end.

use std::fs::{File, FileType, Metadata};
use std::io::{self, BufRead, Read as _};
use std::path::Path;

use crate::base::Charset;

/// Opens a regular file to be read.
///
/// # Errors
/// It is not there, it cannot be opened, or it is a folder, a pipe, a device or a socket.
pub fn open(path: &Path) -> io::Result<File> {
    // Before it is opened: that alone would wait for the other end of a pipe.
    regular(&path.metadata()?)?;
    let file = File::open(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// Reads a regular file of at most so many bytes.
///
/// # Errors
/// As [`open`]; or it is longer.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let long = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {}", crate::base::bounds::Limit::Bytes(most)));
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    if file.metadata()?.len() > most {
        return Err(long());
    }
    let mut bytes = Vec::new();
    // Some files have no length before they are read.
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > most { Err(long()) } else { Ok(bytes) }
}

/// Reads the beginning of a regular file: so many bytes, or all of it where it has less.
///
/// # Errors
/// As [`open`].
pub fn beginning(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a text of at most so many bytes.
///
/// # Errors
/// As [`read`]; or it is no text in UTF-8, nor in UTF-16.
pub fn read_text(path: &Path, most: usize) -> io::Result<String> {
    decoded(read(path, most)?).map_err(|message| io::Error::new(io::ErrorKind::InvalidData, message))
}

/// As [`read_text`], of a file in another encoding.
///
/// # Errors
/// As [`read`]; or it is no text in this encoding.
pub fn read_text_in(path: &Path, most: usize, charset: Charset) -> io::Result<String> {
    charset.decode(&read(path, most)?).map_err(|line| wrong(&not_in(charset, line)))
}

/// What is said of a file that is not in the encoding that somebody said it is in.
pub fn not_in(charset: Charset, line: usize) -> String {
    format!("line {line} is not valid {}, which `csv` in crossdock.yaml says it is", charset.name())
}

/// How the text of a file that others wrote is encoded, as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Utf8,
    LittleEndian,
    BigEndian,
    Utf32,
}

impl Written {
    /// The encoding, and how many bytes its byte order mark takes. UTF-16 without a mark is told by its NUL bytes: a file of
    /// records begins with a sign of ASCII.
    fn of(first: &[u8]) -> (Written, usize) {
        match first {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => (Written::Utf32, 4),
            [0xff, 0xfe, ..] => (Written::LittleEndian, 2),
            [0xfe, 0xff, ..] => (Written::BigEndian, 2),
            [0xef, 0xbb, 0xbf, ..] => (Written::Utf8, 3),
            [1..=0x7f, 0, 0, 0, ..] | [0, 0, 0, 1..=0x7f, ..] => (Written::Utf32, 0),
            [1..=0x7f, 0, ..] => (Written::LittleEndian, 0),
            [0, 1..=0x7f, ..] => (Written::BigEndian, 0),
            _ => (Written::Utf8, 0),
        }
    }
}

const UTF_32: &str = "it is written in UTF-32: save it as UTF-8, or convert it: iconv -f UTF-32 -t UTF-8";
const NO_UTF_16: &str = "it begins as UTF-16 and is none, or it breaks off within a sign: save it as UTF-8";

fn wrong(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// A stream in UTF-8, whether it is written in UTF-8 or in UTF-16; a byte order mark is no part of it.
///
/// # Errors
/// Its beginning cannot be read, or it is in UTF-32. Reading on fails where what begins as UTF-16 is none.
pub fn in_utf8(mut input: Box<dyn BufRead + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut first = [0_u8; 4];
    let mut length = 0;
    while length < first.len() {
        match input.read(&mut first[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let (written, mark) = Written::of(&first[..length]);
    let rest = io::Cursor::new(first[mark..length].to_vec()).chain(input);
    match written {
        Written::Utf8 => Ok(Box::new(rest)),
        Written::Utf32 => Err(wrong(UTF_32)),
        Written::LittleEndian => Ok(Box::new(io::BufReader::new(Utf16::new(rest, u16::from_le_bytes)))),
        Written::BigEndian => Ok(Box::new(io::BufReader::new(Utf16::new(rest, u16::from_be_bytes)))),
    }
}

/// UTF-16 that is read as UTF-8.
struct Utf16<R> {
    input: R,
    unit: fn([u8; 2]) -> u16,
    /// Bytes that were read and not decoded: half a unit, or half a pair of them.
    rest: Vec<u8>,
    made: io::Cursor<Vec<u8>>,
}

impl<R: io::Read> Utf16<R> {
    fn new(input: R, unit: fn([u8; 2]) -> u16) -> Self {
        Utf16 { input, unit, rest: Vec::new(), made: io::Cursor::default() }
    }

    /// Decodes some more.
    fn more(&mut self) -> io::Result<()> {
        let mut bytes = [0_u8; 8 * 1024];
        let read = self.input.read(&mut bytes)?;
        self.rest.extend_from_slice(&bytes[..read]);
        let mut units: Vec<u16> = self.rest.chunks_exact(2).map(|two| (self.unit)([two[0], two[1]])).collect();
        // The second half of a pair may come with the next bytes.
        if read > 0 && units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            units.pop();
        }
        if read == 0 && self.rest.len() % 2 == 1 {
            return Err(wrong(NO_UTF_16));
        }
        self.rest.drain(..units.len() * 2);
        let text = String::from_utf16(&units).map_err(|_| wrong(NO_UTF_16))?;
        self.made = io::Cursor::new(text.into_bytes());
        Ok(())
    }
}

impl<R: io::Read> io::Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let given = self.made.read(into)?;
            if given > 0 {
                return Ok(given);
            }
            let before = self.rest.len();
            self.more()?;
            // Nothing was made, and nothing waits for more: the end.
            if self.made.get_ref().is_empty() && self.rest.len() == before {
                return Ok(0);
            }
        }
    }
}

/// The text of bytes: UTF-8 or UTF-16; a byte order mark is no part of it.
fn decoded(mut bytes: Vec<u8>) -> Result<String, String> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|two| unit([two[0], two[1]])).collect();
        let whole = rest.len().is_multiple_of(2);
        String::from_utf16(&units).ok().filter(|_| whole).ok_or_else(|| NO_UTF_16.to_owned())
    };
    let (written, mark) = Written::of(&bytes);
    match written {
        Written::LittleEndian => return utf16(&bytes[mark..], u16::from_le_bytes),
        Written::BigEndian => return utf16(&bytes[mark..], u16::from_be_bytes),
        Written::Utf32 => return Err(UTF_32.to_owned()),
        Written::Utf8 => bytes.drain(..mark),
    };
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        let byte = bytes.get(at).copied().unwrap_or_default();
        format!(
            "line {line} is no UTF-8 (byte 0x{byte:02X}): the file is in another encoding, such as Latin-1 or Windows-1252. Save it as UTF-8, \
             or convert it: iconv -f WINDOWS-1252 -t UTF-8. For a CSV file, `csv` in crossdock.yaml can name the encoding: encoding: windows-1252"
        )
    })
}

fn regular(about: &Metadata) -> io::Result<()> {
    if about.is_file() {
        return Ok(());
    }
    let kind = if about.is_dir() { "a folder" } else { other(about.file_type()) };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {kind}, and no regular file")))
}

#[cfg(unix)]
fn other(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        _ => "of another kind",
    }
}

#[cfg(not(unix))]
fn other(_: FileType) -> &'static str {
    "of another kind"
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn only_regular_files_are_read_and_only_so_long() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("text"), "twelve bytes").unwrap();
        assert_eq!(read_text(&at("text"), 12).unwrap(), "twelve bytes");
        assert_eq!(beginning(&at("text"), 6).unwrap(), b"twelve");
        assert_eq!(read(&at("text"), 11).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _listener = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("link")).unwrap();
        let why = |name: &str| read(&at(name), 1 << 20).unwrap_err().to_string();
        assert!(why("pipe").contains("a named pipe"), "{}", why("pipe"));
        assert!(why("socket").contains("a socket"));
        assert!(why("link").contains("a device"));
        assert!(why(".").contains("a folder"));
        assert_eq!(open(&at("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

#[cfg(test)]
mod encodings {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use std::io::Read as _;

    use super::{decoded, in_utf8};

    fn streamed(bytes: &[u8]) -> Result<String, String> {
        let mut text = String::new();
        let mut input = in_utf8(Box::new(std::io::Cursor::new(bytes.to_vec()))).map_err(|error| error.to_string())?;
        input.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    /// Whole files and streams are read alike, with a byte order mark and without one.
    #[test]
    fn utf_8_and_utf_16_are_read_with_their_mark_and_without() {
        // Long enough that a pair of units stands across two reads.
        let long = format!("[{}]", "é東\u{1f600}".repeat(5_000));
        for text in ["zip,Zoë 東\n", "{\"Name\":\"Zoë \u{1f600}\"}\n{}\n", &long, "", "{}"] {
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for (mark, bytes) in [(&[0xef, 0xbb, 0xbf][..], text.as_bytes()), (&[0xff, 0xfe], &little), (&[0xfe, 0xff], &big)] {
                for all in [[mark, bytes].concat(), bytes.to_vec()] {
                    assert_eq!(decoded(all.clone()).as_deref(), Ok(text));
                    assert_eq!(streamed(&all).as_deref(), Ok(text));
                }
            }
        }
    }

    #[test]
    fn what_is_no_utf_8_is_told_by_its_line() {
        assert_eq!(decoded("a\nZoë".into()).as_deref(), Ok("a\nZoë"));
        let latin = decoded(b"name\nAda\nZo\xeb\n".to_vec()).unwrap_err();
        assert!(latin.starts_with("line 3 is no UTF-8 (byte 0xEB)") && latin.contains("Save it as UTF-8"), "{latin}");
        for broken in [&[0xff, 0xfe, 0x00, 0xd8][..], &[0xff, 0xfe, b'{', 0, b'}'], &[0xff, 0xfe, 0x00, 0xdc, b'{', 0]] {
            assert!(decoded(broken.to_vec()).unwrap_err().contains("UTF-16"));
            assert!(streamed(broken).unwrap_err().contains("UTF-16"));
        }
        for wide in [&[0xff, 0xfe, 0, 0, b'{', 0, 0, 0][..], &[b'{', 0, 0, 0]] {
            assert!(decoded(wide.to_vec()).unwrap_err().contains("iconv -f UTF-32"));
            assert!(streamed(wide).unwrap_err().contains("iconv -f UTF-32"));
        }
    }
}
