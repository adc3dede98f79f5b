//! The high-water mark: beside the key, the generation the database has reached (N9).
//!
//! A database behind its mark is an older copy. The mark is replaced with every write, so its file's times also tell
//! a running process, for the price of one system call, whether anything has changed (OA-40).

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::CustodyError;

/// The mark of one installation.
pub(super) struct HighWater {
    path: PathBuf,
}

/// A moment in the life of the records; another one after every write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stamp(Option<[u64; 4]>);

impl Stamp {
    /// A stamp of a place that counts its own writes.
    pub(super) fn counted(writes: u64) -> Self {
        Self(Some([writes, 0, 0, 0]))
    }
}

impl HighWater {
    /// The mark beside a key file; a key may serve several installations.
    pub(super) fn beside(key_file: &Path, installation: &str) -> Self {
        let mut name = key_file.file_name().map_or_else(OsString::new, OsString::from);
        name.push(format!(".{installation}.generation"));
        Self { path: key_file.with_file_name(name) }
    }

    /// The mark of another installation that the same key serves, if there is one.
    pub(super) fn of_others(key_file: &Path, installation: &str) -> Result<Option<PathBuf>, CustodyError> {
        let own = Self::beside(key_file, installation).path;
        let folder = own.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let failed = |source| CustodyError::File { what: "read", path: folder.to_owned(), source };
        let start = key_file.file_name().unwrap_or_default().to_string_lossy().into_owned() + ".";
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let middle = name.strip_prefix(&start).and_then(|rest| rest.strip_suffix(".generation"));
            if path != own && middle.is_some_and(|it| it.len() == installation.len()) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Says that an operator puts an older state back: it is not slipped in (R19).
    pub(super) fn declare_restored(&self) -> Result<(), CustodyError> {
        let path = self.restored();
        let made = File::create(&path).and_then(|file| file.sync_all()).and_then(|()| sync_folder(&path));
        made.map_err(|source| CustodyError::File { what: "write", path, source })
    }

    /// Whether somebody said so, and no session has taken note of it yet.
    pub(super) fn is_restored(&self) -> bool {
        self.restored().exists()
    }

    /// What was said has been taken note of, on disk.
    pub(super) fn accept_restored(&self) {
        // Where there is none nothing is to be done; one that stays is taken note of once more.
        let _ = std::fs::remove_file(self.restored());
    }

    fn restored(&self) -> PathBuf {
        self.path.with_extension("restored")
    }

    /// The mark, if there is one that can be understood.
    pub(super) fn read(&self) -> Result<Option<u64>, CustodyError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CustodyError::File { what: "read", path: self.path.clone(), source }),
        }
    }

    /// Replaces the mark, whole and durably.
    pub(super) fn write(&self, generation: u64) -> Result<(), CustodyError> {
        self.replace(generation).map_err(|source| CustodyError::File {
            what: "write",
            path: self.path.clone(),
            source,
        })
    }

    pub(super) fn stamp(&self) -> Stamp {
        let found = std::fs::metadata(&self.path).ok();
        Stamp(found.map(|found| {
            [found.ino(), found.mtime().cast_unsigned(), found.mtime_nsec().cast_unsigned(), found.len()]
        }))
    }

    fn replace(&self, generation: u64) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{generation}")?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        sync_folder(&self.path)
    }
}

/// Makes it outlast a power cut which names a folder lists.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
