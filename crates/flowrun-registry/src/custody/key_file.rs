//! The key file: 32 bytes that only their owner can have written and read (N9).

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flowrun_step::Entropy;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::disk::make_folder;
use crate::CustodyError;

pub(super) type Key = Zeroizing<[u8; 32]>;

/// Reads the key, if the file is there and safe.
pub(super) fn read(path: &Path) -> Result<Option<Key>, CustodyError> {
    // The checks are made on what was opened, so that nothing can be put in its place in between.
    let mut file = match OpenOptions::new().read(true).custom_flags(no_follow()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(CustodyError::KeyUnsafe {
                path: path.to_owned(),
                wrong: "is a symbolic link",
                fix: "name the file itself".to_owned(),
            });
        }
        Err(source) => return Err(CustodyError::File { what: "read", path: path.to_owned(), source }),
    };
    check(path, &file)?;
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(key.as_mut()).map_err(|source| CustodyError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(key))
}

/// Makes a key, where there is none.
pub(super) fn create(path: &Path, entropy: &dyn Entropy) -> Result<Key, CustodyError> {
    let key = random(entropy);
    write(path, &key, entropy)?;
    Ok(key)
}

/// A key that nobody has had.
pub(super) fn random(entropy: &dyn Entropy) -> Key {
    let mut key = Zeroizing::new([0; 32]);
    entropy.fill(key.as_mut());
    key
}

/// Writes a key where there is no file, durably.
pub(super) fn write(path: &Path, key: &Key, entropy: &dyn Entropy) -> Result<(), CustodyError> {
    let failed = |source| CustodyError::File { what: "create", path: path.to_owned(), source };
    let folder = folder(path);
    make_folder(folder)?;
    put(path, key, entropy).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// The file beside the key in which its successor waits while it is rotated.
pub(super) fn successor(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".next");
    path.with_file_name(name)
}

/// Puts the successor in the key's place: at once and durably, so that there is always exactly one.
pub(super) fn succeed(path: &Path) -> Result<(), CustodyError> {
    let renamed = std::fs::rename(successor(path), path);
    let synced = renamed.and_then(|()| File::open(folder(path))?.sync_all());
    synced.map_err(|source| CustodyError::File { what: "replace", path: path.to_owned(), source })
}

/// Removes what an interrupted rotation left, which nothing is sealed with.
pub(super) fn discard_successor(path: &Path) -> Result<(), CustodyError> {
    let path = successor(path);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(CustodyError::File { what: "remove", path, source })
        }
        _ => Ok(()),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts a key where there is no file, whole: a process that is killed here leaves no half a key behind, which would
/// be one that opens nothing and that nothing replaces.
fn put(path: &Path, key: &Key, entropy: &dyn Entropy) -> std::io::Result<()> {
    let mut word = [0; 8];
    entropy.fill(&mut word);
    let fresh = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(word)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    let linked = file
        .write_all(key.as_ref())
        .and_then(|()| file.sync_all())
        // Unlike a rename, a link never takes the place of a key that somebody else made meanwhile.
        .and_then(|()| std::fs::hard_link(&fresh, path));
    std::fs::remove_file(&fresh)?;
    linked
}

fn check(path: &Path, file: &File) -> Result<(), CustodyError> {
    let found = file.metadata().map_err(|source| CustodyError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    let shown = path.display();
    let (wrong, fix) = if !found.is_file() {
        ("is no plain file", "name a file of 32 random bytes".to_owned())
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        ("belongs to another user", format!("chown it to the user that runs flowrun: {shown}"))
    } else if found.mode() & 0o077 != 0 {
        ("can be read or written by others", format!("chmod 600 {shown}"))
    } else if found.len() != 32 {
        ("does not have 32 bytes", "use the key file this registry was made with".to_owned())
    } else {
        return Ok(());
    };
    Err(CustodyError::KeyUnsafe { path: path.to_owned(), wrong, fix })
}

fn no_follow() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}
