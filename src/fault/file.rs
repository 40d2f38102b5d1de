//! Files that others wrote: regular ones only, and only so long.
//!
//! A named pipe would be waited for without end, a device gives bytes without end.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

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
/// As [`read`]; or it is no text in UTF-8, nor in UTF-16 with a byte order mark.
pub fn read_text(path: &Path, most: usize) -> io::Result<String> {
    decoded(read(path, most)?).map_err(|message| io::Error::new(io::ErrorKind::InvalidData, message))
}

/// The text of bytes: UTF-8, or UTF-16 by its byte order mark.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks(2).map(|two| if let [a, b] = *two { unit([a, b]) } else { 0xfffd });
        char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| "it begins as UTF-16 and is none: save it as UTF-8".to_owned())
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        let byte = bytes.get(at).copied().unwrap_or_default();
        format!(
            "line {line} is no UTF-8 (byte 0x{byte:02X}): the file is in another encoding, such as Latin-1 or Windows-1252. Save it as UTF-8, \
             or convert it: iconv -f WINDOWS-1252 -t UTF-8"
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
    use super::decoded;

    #[test]
    fn what_is_no_utf_8_is_told_by_its_line() {
        assert_eq!(decoded("a\nZoë".into()).as_deref(), Ok("a\nZoë"));
        for (mark, bytes) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)] {
            let all: Vec<u8> = mark.into_iter().chain("zip,Zoë 東\n".encode_utf16().flat_map(bytes)).collect();
            assert_eq!(decoded(all).as_deref(), Ok("zip,Zoë 東\n"));
        }
        let latin = decoded(b"name\nAda\nZo\xeb\n".to_vec()).unwrap_err();
        assert!(latin.starts_with("line 3 is no UTF-8 (byte 0xEB)") && latin.contains("Save it as UTF-8"), "{latin}");
        assert!(decoded(vec![0xff, 0xfe, 0x00, 0xd8]).is_err());
    }
}
