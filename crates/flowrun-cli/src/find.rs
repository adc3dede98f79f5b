//! Finds the files of one kind in a folder and in the folders below it; and the set of flows that a folder is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::complaint::Complaint;
use crate::source;
use crate::world::World;

/// How deep folders are searched.
const DEPTH: usize = 16;

/// Every file below the folder whose name ends so, in the order of names. An empty path is the folder one stands in.
pub(crate) fn below(world: &World, folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Complaint> {
    let mut files = Vec::new();
    search(world, folder, ending, DEPTH, &mut files)?;
    Ok(files)
}

/// Every flow below a folder, by its path within it: what a server publishes. Neither what is hidden, nor a link, nor the
/// tests of flows.
pub(crate) fn set(world: &World, folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Complaint> {
    let mut files = BTreeMap::new();
    for ending in [".yaml", ".yml"] {
        for file in below(world, folder, ending)? {
            let path = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
            let is_other = path.split('/').any(|part| part.starts_with('.'))
                || path.ends_with(&format!(".test{ending}"));
            let is_own = fs::symlink_metadata(world.path(&file)).is_ok_and(|found| found.is_file());
            if is_own && !is_other {
                files.insert(path, source::read(world, &file)?);
            }
        }
    }
    Ok(files)
}

fn search(
    world: &World,
    folder: &Path,
    ending: &str,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), Complaint> {
    let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(world.path(folder)).map_err(|error| source::unreadable(shown, error))?;
    let mut names: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    names.sort();
    for path in names.iter().map(|name| folder.join(name)) {
        let is_folder = fs::symlink_metadata(world.path(&path)).is_ok_and(|found| found.is_dir());
        if is_folder && depth > 0 {
            search(world, &path, ending, depth - 1, files)?;
        } else if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    Ok(())
}
