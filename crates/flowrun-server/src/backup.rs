//! What a backup holds of a server's data folder beside the journal: deployed flows, tokens, the audit log, the key of the
//! URLs of steps (R19).

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use crate::{audit, callback, deployed, keep, token};

/// The files, by their names.
const FILES: [&str; 4] = [deployed::FILE, token::FILE, audit::FILE, callback::FILE];
/// What lies in a folder while it is restored.
const UNFINISHED: &str = "restoring";

/// The files of a data folder that a backup holds, by their names, whether or not a server writes them meanwhile.
///
/// # Errors
/// When one of them cannot be read.
pub fn kept_files(data_dir: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut kept = BTreeMap::new();
    for name in FILES {
        let path = data_dir.join(name);
        if !path.exists() {
            continue;
        }
        // Whoever writes them holds this too: a line of the audit log is there whole or not at all.
        let _lock = keep::lock(&path)?;
        match std::fs::read(&path) {
            Ok(bytes) => drop(kept.insert(name.to_owned(), bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(kept)
}

/// A data folder that is being restored; a server does not start in it before that is finished.
#[derive(Debug)]
#[must_use]
pub struct Restoring<'a>(&'a Path);

impl<'a> Restoring<'a> {
    /// Begins with a folder that is empty, or not there.
    ///
    /// # Errors
    /// When there is anything in it ([`ErrorKind::DirectoryNotEmpty`]), or it cannot be made.
    pub fn begin(data_dir: &'a Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
        if std::fs::read_dir(data_dir)?.next().is_some() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        keep::replace(&data_dir.join(UNFINISHED), b"")?;
        Ok(Self(data_dir))
    }

    /// Puts files back that [`kept_files`] gave; a name that is none of theirs is left out.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn put_back<'b>(&self, files: impl IntoIterator<Item = (&'b str, &'b [u8])>) -> io::Result<()> {
        for (name, bytes) in files.into_iter().filter(|(name, _)| FILES.contains(name)) {
            keep::replace(&self.0.join(name), bytes)?;
        }
        Ok(())
    }

    /// Everything is back, on disk.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn finish(self) -> io::Result<()> {
        std::fs::remove_file(self.0.join(UNFINISHED))?;
        File::open(self.0)?.sync_all()
    }
}

/// Whether a restore of this folder began and did not end.
#[must_use]
pub fn is_half_restored(data_dir: &Path) -> bool {
    data_dir.join(UNFINISHED).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_restored_with_the_servers_own_files_and_none_besides_r19() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::create_dir(&from).unwrap();
        for name in [token::FILE, audit::FILE, "another"] {
            std::fs::write(from.join(name), name).unwrap();
        }
        let mut kept = kept_files(&from).unwrap();
        assert_eq!(kept.keys().collect::<Vec<_>>(), [audit::FILE, token::FILE]);
        kept.insert("../outside".to_owned(), b"no".to_vec());
        let restoring = Restoring::begin(&to).unwrap();
        restoring.put_back(kept.iter().map(|(name, bytes)| (name.as_str(), &bytes[..]))).unwrap();
        assert!(is_half_restored(&to));
        restoring.finish().unwrap();
        assert!(!is_half_restored(&to) && !folder.path().join("outside").exists());
        assert_eq!(std::fs::read_to_string(to.join(token::FILE)).unwrap(), token::FILE);
        let again = Restoring::begin(&to).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::DirectoryNotEmpty);
    }
}
