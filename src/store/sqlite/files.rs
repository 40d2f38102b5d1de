//! The store's files: their permissions, the lock, and the key beside the store.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::Mode;
use crate::http::Secret;
use crate::store::seal::new_key;
use crate::store::{StoreFault, StoreResult};

/// A file whose name is the store's with an ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Options of a new file that its owner alone may read.
pub(super) fn private() -> std::fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes from others what an older version let them have: the store's files are its owner's alone.
pub(super) fn keep_private(path: &Path) {
    #[cfg(unix)]
    for ending in ["", "-wal", "-shm", ".key", ".lock"] {
        use std::os::unix::fs::PermissionsExt as _;
        let name = beside(path, ending);
        if std::fs::metadata(&name).is_ok_and(|known| known.permissions().mode() & 0o077 != 0) {
            // Where it is somebody else's file, its owner has decided.
            let _ = std::fs::set_permissions(&name, std::fs::Permissions::from_mode(0o600));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Which file was opened under a name.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    id: Option<(u64, u64)>,
}

impl Opened {
    pub(super) fn at(path: &Path) -> Self {
        Opened { path: path.to_owned(), id: id_of(path) }
    }

    /// Whether it still has its name.
    pub(super) fn is_in_place(&self) -> StoreResult<()> {
        let what = match id_of(&self.path) {
            id if id == self.id => return Ok(()),
            // A folder that cannot be looked at for a moment says nothing.
            None if !matches!(self.path.try_exists(), Ok(false)) => return Ok(()),
            None => "was deleted",
            Some(_) => "was replaced by another file",
        };
        Err(StoreFault::Removed { path: self.path.display().to_string(), what })
    }
}

/// What tells a file from others that had its name.
fn id_of(path: &Path) -> Option<(u64, u64)> {
    let known = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Some((known.dev(), known.ino()))
    }
    #[cfg(not(unix))]
    {
        // A file that is open cannot be replaced there.
        let _ = known;
        Some((0, 0))
    }
}

/// Makes what was done to a folder's names durable.
pub(super) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Not every system lets a folder be opened; the files themselves are synced.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// What to do where this user may not write.
pub(super) fn not_writable(said: impl std::fmt::Display) -> String {
    format!("{said}: the user that runs Crossdock needs the right to write the store's file, the files beside it, and their folder")
}

pub(super) fn wrong<'a>(name: &'a Path) -> impl Fn(std::io::Error) -> StoreFault + 'a {
    |error| match error.kind() {
        std::io::ErrorKind::StorageFull => StoreFault::Full,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreFault::Io(not_writable(format!("{}: {error}", name.display())))
        }
        _ => StoreFault::Io(format!("{}: {error}", name.display())),
    }
}

/// Takes the lock, and leaves in it who has it.
pub(super) fn lock(path: &Path) -> StoreResult<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| StoreFault::Io(format!("{}: {error}", folder.display())))?;
    }
    let name = beside(path, ".lock");
    let wrong = wrong(&name);
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&name).map_err(&wrong)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut by = String::new();
            // Who holds it is a courtesy: what cannot be read is left out.
            let _ = file.read_to_string(&mut by);
            let by = if by.trim().is_empty() { String::new() } else { format!(" ({})", by.trim()) };
            return Err(StoreFault::InUse { path: path.display().to_string(), by });
        }
        Err(TryLockError::Error(error)) => return Err(wrong(error)),
    }
    // The number in it is a courtesy too: a full disk is told by what needs the room.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "process {}", std::process::id()));
    Ok(file)
}

/// A key of the configuration: 32 bytes in hex or Base64, or any longer passphrase, hashed.
pub(super) fn key_of(key: &Secret) -> StoreResult<[u8; 32]> {
    use sha2::Digest as _;
    let text = key.reveal().trim();
    if text.len() < 16 {
        return Err(StoreFault::Io("the store's key is shorter than 16 characters".into()));
    }
    Ok(sha2::Sha256::digest(text.as_bytes()).into())
}

/// The key that lies beside the store.
pub(super) fn key_file(path: &Path, mode: Mode) -> StoreResult<[u8; 32]> {
    let name = beside(path, ".key");
    let found = match std::fs::read(&name) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(wrong(&name)(error)),
    };
    let length = found.as_ref().map(Vec::len);
    if let Some(key) = found.and_then(|bytes| bytes.try_into().ok()) {
        return Ok(key);
    }
    match length {
        // A first start that could not go on, as on a full disk, left it: nothing was sealed with it.
        _ if mode == Mode::Write && super::first_start::is_empty(path) && length.is_none_or(|length| length < 32) => make_key(&name),
        None => Err(StoreFault::Io(format!(
            "{} is not there, and the store cannot be opened without it: bring it back from where it is kept, or set CROSSDOCK_STORE_KEY if the \
             store was made with that",
            name.display()
        ))),
        Some(length) => Err(StoreFault::Io(format!(
            "{} has {length} bytes, and a key has 32: restore it from where it is kept; the store cannot be opened without it",
            name.display()
        ))),
    }
}

/// Writes a new key whole or not at all.
fn make_key(name: &Path) -> StoreResult<[u8; 32]> {
    let wrong = wrong(name);
    let key = new_key()?;
    let new = beside(name, ".new");
    // What a start that died in the midst has left.
    let _ = std::fs::remove_file(&new);
    let written = private().open(&new).and_then(|mut file| {
        file.write_all(&key)?;
        file.sync_all()?;
        std::fs::rename(&new, name)
    });
    if let Err(error) = written {
        let _ = std::fs::remove_file(&new);
        return Err(wrong(error));
    }
    sync_folder(name);
    Ok(key)
}
