//! Where the socket is: in a folder that only its owner can enter (N9).
//!
//! That is `control` in the data folder; where its path is too long for the system, a folder of its own in the
//! runtime folder. The folder is checked by both ends each time. A folder that is swapped after the check gains
//! nothing, since both ends also look at each other's user before they speak.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PlaceError;

/// The longest path of a socket, in bytes: Linux takes 107, macOS 103.
const LONGEST: usize = 103;

/// The place of a registry's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// The place for the registry in `data_dir`. The runtime folder (`XDG_RUNTIME_DIR`) is used if the path within
    /// the data folder is too long for a socket; both ends must be given the same two.
    ///
    /// Where that does not help either, nobody can own the registry, and [`Owner::bind`](super::Owner::bind) says so.
    #[must_use]
    pub fn of(data_dir: &Path, runtime_dir: Option<&Path>) -> Self {
        let place = Self { folder: data_dir.join("control") };
        if place.fits() {
            return place;
        }
        let digest = Sha256::digest(data_dir.as_os_str().as_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let other = runtime_dir.map(|folder| Self { folder: folder.join(format!("flowrun-{name}")) });
        other.unwrap_or(place)
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// The file whose lock the owner holds.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join("owner.lock")
    }

    /// Makes the folder if it is not there, and checks it.
    pub(super) fn prepare(&self) -> Result<(), PlaceError> {
        if !self.fits() {
            return Err(PlaceError::TooLong(self.socket()));
        }
        match DirBuilder::new().recursive(true).mode(0o700).create(&self.folder) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                Err(PlaceError::File { what: "create", path: self.folder.clone(), source })
            }
            _ => self.check(),
        }
    }

    /// Checks that the folder is one, ours, and nobody else's.
    pub(super) fn check(&self) -> Result<(), PlaceError> {
        let found = fs::symlink_metadata(&self.folder);
        let found = found.map_err(|source| PlaceError::File {
            what: "look at",
            path: self.folder.clone(),
            source,
        })?;
        let shown = self.folder.display();
        let (wrong, fix) = if found.is_symlink() {
            ("is a symbolic link", format!("remove {shown}, so that a folder can be made there"))
        } else if !found.is_dir() {
            ("is no folder", format!("remove {shown}, so that a folder can be made there"))
        } else if found.uid() != rustix::process::geteuid().as_raw() {
            ("belongs to another user", format!("find out who made {shown}, then remove it"))
        } else if found.mode() & 0o077 != 0 {
            ("can be entered by others", format!("chmod 700 {shown}"))
        } else {
            return Ok(());
        };
        Err(PlaceError::Unsafe { folder: self.folder.clone(), wrong, fix })
    }

    fn fits(&self) -> bool {
        self.socket().as_os_str().len() <= LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(data: &str, runtime: Option<&str>) -> Place {
        Place::of(Path::new(data), runtime.map(Path::new))
    }

    #[test]
    fn a_path_too_long_for_a_socket_goes_to_the_runtime_folder_n9() {
        let run = Some("/run/user/7");
        assert_eq!(place("/d", run).socket(), Path::new("/d/control/socket"));
        let (one, other) = (format!("/{}", "d".repeat(100)), format!("/{}", "e".repeat(100)));
        let (one, other) = (place(&one, run).socket(), place(&other, run).socket());
        assert!(one.starts_with("/run/user/7") && one.ends_with("socket"), "{}", one.display());
        assert_ne!(one, other, "two installations do not meet");
        let fits = format!("/{}", "d".repeat(LONGEST - "//control/socket".len()));
        assert_eq!(place(&fits, None).socket().as_os_str().len(), LONGEST);
    }

    #[test]
    fn where_every_path_is_too_long_nothing_is_made_n9() {
        let long = format!("/{}", "d".repeat(100));
        for runtime in [None, Some(long.as_str())] {
            let error = place(&long, runtime).prepare().unwrap_err();
            assert!(matches!(error, PlaceError::TooLong(_)), "{error}");
            assert!(error.help().contains("XDG_RUNTIME_DIR"));
        }
    }
}
