//! The flows that were deployed, kept so that the next process serves them too (R18).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::keep;

/// The file of the set in the data folder.
const FILE: &str = "flows.json";

/// The set that was deployed last, by the paths of its files; empty if none was.
///
/// # Errors
/// When the file cannot be read.
pub fn deployed(data_dir: &Path) -> io::Result<BTreeMap<String, String>> {
    match std::fs::read(data_dir.join(FILE)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// Keeps a set; on disk once it comes back.
pub(crate) fn keep_deployed(data_dir: &Path, files: &BTreeMap<String, String>) -> io::Result<()> {
    keep::replace(&data_dir.join(FILE), &serde_json::to_vec(files)?)
}
