//! Finds test files: those that are named, those beside flows that are, and those in folders.

use std::path::{Path, PathBuf};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::find;
use crate::world::World;

const OF_TESTS: &str = ".test.yaml";
const OF_FLOWS: &str = ".flow.yaml";

/// Every test file that is meant by these paths.
pub(super) fn files(world: &World, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Complaint> {
    let mut files = Vec::new();
    for path in paths {
        if world.path(path).is_dir() {
            // `flowrun test` shows `a.test.yaml`, not `./a.test.yaml`.
            let folder = if path == Path::new(".") { Path::new("") } else { path.as_path() };
            let found = find::below(world, folder, OF_TESTS)?;
            if found.is_empty() {
                return Err(Complaint::new(Exit::Usage, format!("{} holds no test file", path.display()))
                    .help("the cases of contact.flow.yaml stand beside it, in contact.test.yaml"));
            }
            files.extend(found);
        } else {
            files.push(tests_of(path).unwrap_or_else(|| path.clone()));
        }
    }
    Ok(files)
}

/// The flow that a test file is about: the one it names, relative to itself, or the one beside it.
pub(crate) fn flow_of(file: &Path, named: Option<&str>) -> PathBuf {
    match named {
        Some(name) => file.parent().unwrap_or(Path::new("")).join(name),
        None => beside(file, OF_TESTS, OF_FLOWS).unwrap_or_else(|| file.with_extension("flow.yaml")),
    }
}

/// The test file beside a flow, if the flow is named as one.
pub(crate) fn tests_of(flow: &Path) -> Option<PathBuf> {
    beside(flow, OF_FLOWS, OF_TESTS)
}

/// The same path with another ending.
fn beside(path: &Path, from: &str, to: &str) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(from)?;
    Some(path.with_file_name(format!("{name}{to}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_file_stands_beside_its_flow_and_may_name_another() {
        let file = Path::new("flows/contact.test.yaml");
        assert_eq!(flow_of(file, None), Path::new("flows/contact.flow.yaml"));
        assert_eq!(flow_of(file, Some("other.yaml")), Path::new("flows/other.yaml"));
        assert_eq!(flow_of(Path::new("contact.test.yaml"), None), Path::new("contact.flow.yaml"));
    }
}
