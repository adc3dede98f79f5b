//! Who answers a client's question: the owner, or the client's own registry while there is none.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Client;
use crate::socket::AskError;
use crate::socket::ask::ask;
use crate::socket::wire::{Answer, Fault, PROTOCOL, Question, Refusal};
use crate::{CustodyError, Registry};

/// How long an owner that hangs is not asked again, so that not every request waits for it.
const PAUSE: Duration = Duration::from_secs(60);

/// Which registry was used last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Used {
    #[default]
    Nothing,
    Owners,
    Own,
    /// The owner hangs, and is not asked before then.
    OwnUntil(Instant),
}

/// Who answers a question.
pub(super) enum Asked<'c> {
    Owner(Answer),
    Own(&'c Registry),
}

impl Client {
    /// Asks the owner; where nobody answers, it is this process's own registry that is to be used.
    pub(super) async fn ask(&self, question: Question) -> Result<Asked<'_>, CustodyError> {
        let used = *self.used();
        if let (Used::OwnUntil(then), Some(own)) = (used, &self.own)
            && Instant::now() < then
        {
            return Ok(Asked::Own(own));
        }
        let asked = match self.greet().await {
            Ok(()) => ask(&self.place, &question).await,
            Err(error) => Err(error),
        };
        let not_understood = matches!(asked, Ok(Answer::Refused(Refusal::NotUnderstood { .. })));
        match (if not_understood { Err(AskError::NotUnderstood) } else { asked }, &self.own) {
            (Ok(answer), _) => Ok(Asked::Owner(answer)),
            (Err(error), Some(own)) if error.is_absence() => {
                self.uses_own(&error);
                Ok(Asked::Own(own))
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Makes sure, once, that whoever answers speaks this protocol, and says that it is used (R17).
    async fn greet(&self) -> Result<(), AskError> {
        if *self.used() == Used::Owners {
            return Ok(());
        }
        let Answer::Hello { protocol: PROTOCOL, installation } =
            ask(&self.place, &Question::Hello {}).await?
        else {
            return Err(AskError::NotUnderstood);
        };
        *self.used() = Used::Owners;
        let (socket, installation) = (self.place.socket(), installation.unwrap_or_default());
        tracing::debug!(socket = %socket.display(), installation, "registry: that of its owner, who answers");
        Ok(())
    }

    fn uses_own(&self, why: &AskError) {
        let now_used = match why {
            AskError::Late(_) => Used::OwnUntil(Instant::now() + PAUSE),
            _ => Used::Own,
        };
        if matches!(std::mem::replace(&mut *self.used(), now_used), Used::Own | Used::OwnUntil(_)) {
            return;
        }
        match why {
            AskError::NoOwner(_) => tracing::debug!("registry: this process's own, since no owner answers"),
            why => tracing::warn!(%why, "registry: this process's own"),
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The refusal in an answer; any other answer does not fit the question.
pub(super) fn refusal(answer: Answer) -> Refusal {
    match answer {
        Answer::Refused(refusal) => refusal,
        _ => Refusal::NotUnderstood { fault: Fault::UnknownVerb },
    }
}
