//! Where things come in to a run that is driven.

use std::sync::Arc;

use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use crate::journal::{Begun, Journal, JournalError};
use crate::mail::{Incoming, Mail};
use crate::supervisor::Supervisor;

/// Where things come in to a run.
pub(crate) enum Inlet {
    /// Nowhere; it hears the events of other runs.
    Closed,
    /// By a mail that its host holds.
    Open(Mail),
    /// By the journal.
    Hosted(Hosted),
}

/// A run that its engine hosts.
pub(crate) struct Hosted {
    pub(crate) supervisor: Arc<Supervisor>,
    /// Told when there is mail.
    pub(crate) poked: Arc<Notify>,
    /// Whether the house closes.
    pub(crate) drain: CancellationToken,
    /// Told whether the run began, once that is on disk.
    pub(crate) begun: Option<oneshot::Sender<Result<Begun, JournalError>>>,
}

impl Hosted {
    pub(crate) fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }
}

impl Inlet {
    /// The next thing that comes; none where it is to be fetched from the journal, or where the house closes.
    pub(crate) async fn next(&mut self) -> Option<Incoming> {
        match self {
            Self::Closed => std::future::pending().await,
            Self::Open(mail) => Some(mail.next().await),
            Self::Hosted(hosted) if hosted.is_draining() => {
                hosted.poked.notified().await;
                None
            }
            Self::Hosted(hosted) => {
                tokio::select! {
                    () = hosted.poked.notified() => {}
                    () = hosted.drain.cancelled() => {}
                }
                None
            }
        }
    }

    pub(crate) fn hosted(&self) -> Option<&Hosted> {
        match self {
            Self::Hosted(hosted) => Some(hosted),
            _ => None,
        }
    }

    /// The journal of those who host the run.
    pub(crate) fn journal(&self) -> Option<Arc<dyn Journal>> {
        self.hosted().map(|hosted| Arc::clone(hosted.supervisor.journal()))
    }

    /// Says whether the run began, to whoever asked for it.
    pub(crate) fn tell_begun(&mut self, begun: &Result<Begun, JournalError>) {
        if let Self::Hosted(Hosted { begun: tell, .. }) = self
            && let Some(tell) = tell.take()
        {
            // Whoever asked may have gone.
            let _ = tell.send(begun.clone());
        }
    }
}
