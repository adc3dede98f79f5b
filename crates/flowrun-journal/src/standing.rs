//! How a run stands, as a row says it: in a word and a moment where these say all, else sealed.

use flowrun_engine::journal::{JournalError, RunKey, Standing};
use jiff::Timestamp;
use rusqlite::Row;

use crate::sealed::{Place, Sealer};

/// The columns, in the order of [`Stands::read`].
pub(crate) const COLUMNS: &str = "status, due, standing";

/// How a run stands, as a row says it.
pub(crate) struct Stands {
    pub(crate) status: String,
    due: Option<i64>,
    pub(crate) sealed: Option<Vec<u8>>,
}

impl Stands {
    /// What is to be written; `due` is a column of its own.
    pub(crate) fn of(sealer: &Sealer, run: &RunKey, standing: &Standing) -> Result<Self, JournalError> {
        let sealed = match standing {
            Standing::Running | Standing::Waiting { .. } => None,
            other => Some(sealer.close(&Place::Standing(run), other)?),
        };
        let due = match standing {
            Standing::Waiting { until } => until.map(Timestamp::as_millisecond),
            _ => None,
        };
        Ok(Self { status: standing.status().to_owned(), due, sealed })
    }

    /// Whether the run was restored from a backup and not released: how it stood is kept beside (`backup`).
    pub(crate) fn is_held(&self) -> bool {
        self.status == Standing::Held.status()
    }

    /// The columns from this one on.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self { status: row.get(first)?, due: row.get(first + 1)?, sealed: row.get(first + 2)? })
    }

    pub(crate) fn open(&self, sealer: &Sealer, run: &RunKey) -> Result<Standing, JournalError> {
        if self.is_held() {
            return Ok(Standing::Held);
        }
        match &self.sealed {
            Some(sealed) => sealer.open(&Place::Standing(run), sealed),
            None if self.status == "waiting" => {
                let until = self.due.and_then(|due| Timestamp::from_millisecond(due).ok());
                Ok(Standing::Waiting { until })
            }
            None => Ok(Standing::Running),
        }
    }
}
