//! The flows beside a flow: what its `call` steps may read, and nothing else (N3).
//!
//! The folder of the file that is named on the command line is the flows folder. The language refuses names that lead
//! out of it; here links that do are refused.

use std::io;
use std::path::{Path, PathBuf};

use flowrun::lang::{Flows, SourceText, Unread};

use crate::source;
use crate::world::World;

/// The folder of one flow.
pub(crate) struct Beside<'w> {
    world: &'w World,
    folder: PathBuf,
}

impl<'w> Beside<'w> {
    /// The flows beside this file; of a flow on stdin, those in the current folder.
    pub(crate) fn of(world: &'w World, file: &Path) -> Self {
        let folder = if file == Path::new("-") { None } else { file.parent() };
        Self { world, folder: folder.unwrap_or(Path::new("")).to_owned() }
    }

    /// Whether a file is really in the folder, once every link is followed.
    fn holds(&self, file: &Path) -> io::Result<bool> {
        let real = self.world.path(file).canonicalize()?;
        let folder = self.world.path(&self.folder).canonicalize()?;
        Ok(real.starts_with(folder) && real.is_file())
    }
}

impl Flows for Beside<'_> {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let file = self.folder.join(path);
        let why = match self.holds(&file) {
            Ok(true) => None,
            Ok(false) => Some("a link leads out of the folder of the flow, or it is no file".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(format!("there is no file {}", file.display()))
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            return Err(Unread::Because(why));
        }
        let bytes =
            source::read(self.world, &file).map_err(|complaint| Unread::Because(complaint.message))?;
        SourceText::new(&file.display().to_string(), bytes)
            .map_err(|diagnostic| Unread::Unusable(Box::new(diagnostic)))
    }
}
