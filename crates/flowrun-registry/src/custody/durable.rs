//! Makes written files survive a power cut.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The files of a folder, held open from before they are written.
///
/// sled's `flush` calls `sync_file_range` on Linux, which waits for the pages but neither for the file's size and
/// place nor for the disk's own cache: after a power cut a flushed record may be gone. So every flush that matters is
/// followed by an fsync of sled's files and of their folders. The files are held from before the write because a
/// write-back error is reported only to descriptors that were open when it happened.
pub(super) struct Durable {
    folder: PathBuf,
    held: BTreeMap<PathBuf, File>,
}

impl Durable {
    /// Holds every file there is.
    pub(super) fn hold(folder: &Path) -> io::Result<Self> {
        let mut durable = Self { folder: folder.to_owned(), held: BTreeMap::new() };
        durable.hold_new(folder)?;
        Ok(durable)
    }

    /// Syncs every file, those that have come since too, and the folders.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.hold_new(&self.folder.clone())?;
        for file in self.held.values() {
            file.sync_all()?;
        }
        if let Some(parent) = self.folder.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    fn hold_new(&mut self, folder: &Path) -> io::Result<()> {
        self.hold_one(folder)?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.hold_new(&entry.path())?;
            } else {
                self.hold_one(&entry.path())?;
            }
        }
        Ok(())
    }

    fn hold_one(&mut self, path: &Path) -> io::Result<()> {
        if self.held.contains_key(path) {
            return Ok(());
        }
        match File::open(path) {
            Ok(file) => drop(self.held.insert(path.to_owned(), file)),
            // A snapshot that was replaced while we looked needs no sync.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
