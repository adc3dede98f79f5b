//! Which process drives a run: the one that holds its lock, which a killed one cannot keep.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flowrun_engine::journal::RunKey;
use flowrun_step::Tenant;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Makes a folder that only its owner can enter.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Takes a run; nothing if another process has it.
pub(crate) fn try_hold(locks: &Path, run: &RunKey) -> io::Result<Option<File>> {
    let path = path(locks, run);
    loop {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) if is_there(&path, &file) => return Ok(Some(file)),
            // Whoever held it has removed the file meanwhile: a lock on that one keeps nobody out.
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_there(path: &Path, file: &File) -> bool {
    let same = |there: &Metadata, own: &Metadata| (there.dev(), there.ino()) == (own.dev(), own.ino());
    matches!((std::fs::metadata(path), file.metadata()), (Ok(there), Ok(own)) if same(&there, &own))
}

/// Whether a process has a run.
pub(crate) fn is_held(locks: &Path, run: &RunKey) -> bool {
    path(locks, run).exists() && matches!(try_hold(locks, run), Ok(None))
}

/// Removes the lock file of a run that this process holds and lets go.
pub(crate) fn forget(locks: &Path, run: &RunKey) {
    // A file that stays is only a file.
    let _ = std::fs::remove_file(path(locks, run));
}

fn path(locks: &Path, RunKey { tenant, id }: &RunKey) -> PathBuf {
    // Neither has a separator in it, nor a comma; a dot in front would hide the file, or be the folder itself.
    match *tenant == Tenant::default() {
        true => locks.join(format!("{id}.lock")),
        false => locks.join(format!("{tenant},{id}.lock")),
    }
}
