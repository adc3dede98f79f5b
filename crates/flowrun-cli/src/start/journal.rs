//! Journals: that of this person's runs, and that of a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowrun::engine::journal::{History, JournalError};
use flowrun::journal::{OpenError, SqliteJournal};
use flowrun::registry::LookupError;
use flowrun::{SystemClock, SystemEntropy};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations;
use crate::world::World;

impl From<JournalError> for Complaint {
    fn from(error: JournalError) -> Self {
        let complaint = Self::from_error(Exit::Failed, &error);
        match error {
            JournalError::OnHold(run) => complaint.help(format!("flowrun runs release {run}")),
            _ => complaint,
        }
    }
}

/// A journal by its folder; its key is kept with the integrations of this person.
pub(crate) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// That of this person's own runs.
    pub(crate) fn own(world: &World) -> Result<Self, Complaint> {
        Ok(Self { folder: world.data_folder()?.join("runs") })
    }

    /// That of the server with this data folder.
    pub(crate) fn of_server(world: &World, data: &Path) -> Self {
        Self { folder: world.path(data).join("runs") }
    }

    /// The journal, if a run was ever kept; nothing is made where there is none.
    pub(crate) async fn open_if_there(&self, world: &World) -> Result<Option<Arc<SqliteJournal>>, Complaint> {
        if self.folder.exists() { self.open(world).await.map(Some) } else { Ok(None) }
    }

    /// Opens the journal, or makes one.
    pub(crate) async fn open(&self, world: &World) -> Result<Arc<SqliteJournal>, Complaint> {
        let key = integrations::registry(world)?.data_key("journal").await.map_err(LookupError::from)?;
        let edges = (Arc::new(SystemClock) as _, Arc::new(SystemEntropy) as _);
        let journal = SqliteJournal::open(&self.folder, &key, edges);
        journal.map(|journal| Arc::new(journal.history(History::Full))).map_err(|error| {
            let complaint = Complaint::from_error(Exit::Failed, &error);
            match error {
                OpenError::Key => {
                    complaint.help("it belongs to another registry: put back the data folder it came with")
                }
                _ => complaint,
            }
        })
    }
}
