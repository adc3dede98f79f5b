//! Finds the files of one kind in a folder and in the folders below it.

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
