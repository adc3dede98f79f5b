//! Advisory file locks: freed by the system when their holder ends, however it ends; never leased (OA-39).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::CustodyError;

/// How often, and how long apart, the registry's lock is tried: ten seconds of sessions that take milliseconds.
const TRIES: u32 = 2_000;
const PAUSE: Duration = Duration::from_millis(5);

/// Takes the registry's lock; gives up when others hold it for too long (OA-56).
pub(super) fn hold(data_dir: &Path) -> Result<File, CustodyError> {
    let path = data_dir.join("registry.lock");
    for _ in 0..TRIES {
        if let Some(file) = try_hold(&path)? {
            return Ok(file);
        }
        std::thread::sleep(PAUSE);
    }
    Err(CustodyError::InUse { data_dir: data_dir.to_owned(), holder: holder(&path) })
}

/// Who took a lock last; whoever holds it, if it is held.
pub(super) fn holder(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Takes a lock if nobody has it.
pub(super) fn try_hold(path: &Path) -> Result<Option<File>, CustodyError> {
    let failed = |what, source| CustodyError::File { what, path: path.to_owned(), source };
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = opened.map_err(|source| failed("open", source))?;
    match file.try_lock() {
        Ok(()) => {
            // For whoever is kept waiting. The lock is held with or without it, on a full disk too.
            drop(file.set_len(0).and_then(|()| writeln!(&file, "{}", std::process::id())));
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed("lock", source)),
    }
}
