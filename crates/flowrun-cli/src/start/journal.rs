//! The journal of this person's runs.

use std::path::PathBuf;
use std::sync::Arc;

use flowrun::engine::journal::History;
use flowrun::engine::journal::JournalError;
use flowrun::journal::{OpenError, SqliteJournal};
use flowrun::registry::LookupError;
use flowrun::{SystemClock, SystemEntropy};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations;
use crate::world::World;

impl From<JournalError> for Complaint {
    fn from(error: JournalError) -> Self {
        Self::from_error(Exit::Failed, &error)
    }
}

/// The journal, if a run was ever kept; nothing is made where there is none.
pub(crate) async fn open_if_there(world: &World) -> Result<Option<Arc<SqliteJournal>>, Complaint> {
    if folder(world)?.exists() { open(world).await.map(Some) } else { Ok(None) }
}

fn folder(world: &World) -> Result<PathBuf, Complaint> {
    Ok(world.data_folder()?.join("runs"))
}

/// Opens the journal in the data folder; its key is kept with the integrations.
pub(crate) async fn open(world: &World) -> Result<Arc<SqliteJournal>, Complaint> {
    let folder = folder(world)?;
    let key = integrations::registry(world)?.data_key("journal").await.map_err(LookupError::from)?;
    let edges = (Arc::new(SystemClock) as _, Arc::new(SystemEntropy) as _);
    let journal = SqliteJournal::open(&folder, &key, edges);
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
