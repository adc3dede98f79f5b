//! The registry's own legs: key, permissions, lock.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use flowrun_step::IntegrationName;

use super::{Finding, Leg};
use crate::CustodyError;
use crate::custody::Custody;
use crate::error::process;

/// What holds the records, seen from outside and by what became of reading them.
pub(super) fn findings(custody: &Custody, error: Option<&CustodyError>) -> Vec<Finding> {
    let Some((data_dir, key_file)) = custody.paths() else {
        let elsewhere = |leg| match error {
            Some(error) => Finding::bad(leg, error.to_string(), error.help()),
            None => Finding::good(leg, "no files: in memory, or in a store that was brought"),
        };
        return [Leg::Key, Leg::Permissions, Leg::Lock].map(elsewhere).into();
    };
    vec![key(key_file, error), permissions(data_dir, key_file, error), lock(data_dir, error)]
}

fn key(key_file: &Path, error: Option<&CustodyError>) -> Finding {
    use CustodyError::{Damaged, KeyMissing, KeyUnsafe, KeyWrong, Newer, UnknownFormat};
    let shown = key_file.display();
    match error {
        Some(error @ (KeyMissing { .. } | KeyUnsafe { .. } | KeyWrong | UnknownFormat { .. })) => {
            Finding::bad(Leg::Key, error.to_string(), error.help())
        }
        Some(error @ (Damaged(_) | Newer(_))) => Finding::bad(Leg::Key, error.to_string(), error.help()),
        Some(_) => Finding::good(Leg::Key, format!("not tried yet: {shown}")),
        None if !key_file.exists() => {
            Finding::good(Leg::Key, format!("made with the first integration: {shown}"))
        }
        None => Finding::good(Leg::Key, format!("{shown} opens the registry")),
    }
}

fn permissions(data_dir: &Path, key_file: &Path, error: Option<&CustodyError>) -> Finding {
    if let Some((said, help)) = exposed(data_dir, key_file) {
        return Finding::bad(Leg::Permissions, said, help);
    }
    if let Some(error @ (CustodyError::File { .. } | CustodyError::Database(_))) = error {
        let source = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        return Finding::bad(
            Leg::Permissions,
            format!("{error}{}", source.unwrap_or_default()),
            error.help(),
        );
    }
    Finding::good(Leg::Permissions, format!("{} is its owner's alone", data_dir.display()))
}

/// What others could read or put something in the place of, and what closes it.
fn exposed(data_dir: &Path, key_file: &Path) -> Option<(String, String)> {
    let beside_key = key_file.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Who may write into the folder may put another key there, however the key itself is kept.
    let looked_at = [
        (data_dir, 0o077, "can be entered by others", "chmod 700"),
        (beside_key.unwrap_or(Path::new(".")), 0o022, "can be written to by others", "chmod go-w"),
        (key_file, 0o077, "can be read or written by others", "chmod 600"),
    ];
    looked_at.into_iter().find_map(|(path, forbidden, open, command)| {
        let shown = path.display();
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => return Some((format!("{shown} cannot be looked at: {error}"), owner(path))),
        };
        // A folder of root's may hold the key of a service, as /etc does.
        let is_ours =
            found.uid() == rustix::process::geteuid().as_raw() || (found.is_dir() && found.uid() == 0);
        let is_open = found.mode() & forbidden != 0 && !found.is_symlink() && !is_sticky(&found);
        match (is_ours, is_open) {
            (false, _) => Some((format!("{shown} belongs to another user"), owner(path))),
            (true, true) => Some((format!("{shown} {open}"), format!("{command} {shown}"))),
            (true, false) => None,
        }
    })
}

/// In a folder like /tmp nobody can replace what is another's.
fn is_sticky(found: &fs::Metadata) -> bool {
    found.is_dir() && found.mode() & 0o1000 != 0
}

fn owner(path: &Path) -> String {
    format!("chown it to the user that runs flowrun: {}", path.display())
}

fn lock(data_dir: &Path, error: Option<&CustodyError>) -> Finding {
    if let Some(error @ CustodyError::InUse { .. }) = error {
        return Finding::bad(Leg::Lock, error.to_string(), error.help());
    }
    if is_on_network(data_dir) {
        let shown = data_dir.display();
        let said = format!("{shown} is on a network file system, whose locks cannot be relied on");
        return Finding::bad(Leg::Lock, said, "use a data folder on a local disk: set FLOWRUN_HOME");
    }
    Finding::good(Leg::Lock, "nobody holds the registry")
}

/// Whether somebody refreshes or authorises the integration at this moment.
pub(super) fn integration_lock(
    holder: Result<Option<Option<u32>>, CustodyError>,
    name: &IntegrationName,
) -> Finding {
    match holder {
        Ok(None) => Finding::good(Leg::Lock, format!("nobody is busy with {name}")),
        Ok(Some(holder)) => {
            let said = format!("{} refreshes or authorises it at this moment", process(holder));
            let stop = holder.map_or_else(|| "stop it".to_owned(), |holder| format!("kill {holder}"));
            Finding::bad(Leg::Lock, said, format!("look again in 45 s; if it is still busy then: {stop}"))
        }
        Err(error) => Finding::bad(Leg::Lock, error.to_string(), error.help()),
    }
}

/// NFS, SMB, CIFS, SMB2, 9P, AFS, Ceph, as `statfs` names them.
const NETWORK: [u32; 7] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x5346_414f, 0x00c3_6400];

fn is_on_network(folder: &Path) -> bool {
    // The kernel's numbers have 32 bits, whatever the width of the field.
    rustix::fs::statfs(folder).is_ok_and(|found| NETWORK.contains(&(found.f_type as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_file_system_is_told_by_its_number() {
        assert!(NETWORK.contains(&0x6969), "NFS");
        assert!(!is_on_network(Path::new("/proc")));
    }
}
