//! Whose turn it is to change an integration's tokens: one task of one process at a time (OA-37, OA-38).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::CustodyError;
use crate::custody::{Custody, Exclusive};
use crate::id::Id;

/// How long another process's turn is waited for: its exchange may take 20 s, and its two writes a while (OA-39).
const PATIENCE: Duration = Duration::from_secs(45);
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The queues of this process, one for each integration.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Id, Arc<AsyncMutex<()>>>>);

/// A turn; ends when dropped.
pub(crate) struct Turn {
    _others: Exclusive,
    _own: OwnedMutexGuard<()>,
}

/// Why there was no turn.
#[derive(Debug)]
pub(crate) enum NoTurn {
    /// Another process did not finish in time.
    Busy,
    Custody(CustodyError),
}

impl NoTurn {
    /// The same as an error of whoever wanted the turn.
    pub(crate) fn or_busy<E: From<CustodyError>>(self, busy: impl FnOnce() -> E) -> E {
        match self {
            Self::Busy => busy(),
            Self::Custody(error) => error.into(),
        }
    }
}

impl Turns {
    /// Waits for a turn: first within the process, then among processes.
    pub(crate) async fn take(&self, custody: &Custody, id: &Id) -> Result<Turn, NoTurn> {
        let own = self.queue(id).lock_owned().await;
        let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
        loop {
            if let Some(others) = custody.try_exclusive(id).map_err(NoTurn::Custody)? {
                return Ok(Turn { _others: others, _own: own });
            }
            if waited >= PATIENCE {
                return Err(NoTurn::Busy);
            }
            // Other processes move in real time, whatever clock the runs go by.
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn queue(&self, id: &Id) -> Arc<AsyncMutex<()>> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(id.clone()).or_default())
    }
}
