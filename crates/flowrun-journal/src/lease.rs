//! Which process drives a run: the one that holds its lock, which a killed one cannot keep.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flowrun_step::RunId;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Makes a folder that only its owner can enter.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Takes a run; nothing if another process has it.
pub(crate) fn try_hold(locks: &Path, run: &RunId) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path(locks, run))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes the lock file of a run that is over; nobody takes one up that is.
pub(crate) fn forget(locks: &Path, run: &RunId) {
    // A file that stays is only a file.
    let _ = std::fs::remove_file(path(locks, run));
}

fn path(locks: &Path, run: &RunId) -> PathBuf {
    // A run id has no separator in it; a dot in front would hide the file, or be the folder itself.
    locks.join(format!("{run}.lock"))
}
