//! Keeps refresh tokens alive that die of not being used (OA-52), for owners that live long enough to do it.
//!
//! At three quarters of a refresh token's life, somewhat earlier for some than for others, it is used once: by the same
//! refresh that a request would make, in the same turn, with the same cooldown and budget. What fails is tried again
//! until the token's end; what needs a person is left to them.

use std::sync::Arc;
use std::time::Duration;

use flowrun_step::{IntegrationName, IntegrationState};
use jiff::Timestamp;

use crate::CustodyError;
use crate::custody::Book;
use crate::id::Id;
use crate::inner::Inner;
use crate::record::Record;
use crate::refresh::{Urgency, Wish};

/// How soon it looks again: not at once, so that a provider that is down is not asked all the time; and not too late,
/// because others add and authorise integrations meanwhile.
const SHORTEST_PAUSE: Duration = Duration::from_secs(15 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// The part of its life after which a refresh token is used, and by how much of it integrations are spread.
const DUE: f64 = 0.75;
const SPREAD: f64 = 0.1;

impl Inner {
    pub(crate) async fn keep_alive(self: &Arc<Self>) {
        loop {
            let now = self.world.clock.now();
            let next = match self.use_what_is_due(now).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "the registry cannot be read to keep refresh tokens alive");
                    None
                }
            };
            let pause = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
            let pause = pause.unwrap_or(LONGEST_PAUSE).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
            let Ok(then) = now.checked_add(pause) else { return std::future::pending().await };
            self.world.clock.sleep_until(then).await;
        }
    }

    /// Uses each refresh token that is due; tells when the next one will be.
    async fn use_what_is_due(self: &Arc<Self>, now: Timestamp) -> Result<Option<Timestamp>, CustodyError> {
        let (dues, _) = self.custody.read(|book| Ok(dues(book))).await?;
        for (wish, _) in dues.iter().filter(|(_, at)| *at <= now) {
            match self.renew(wish.clone()).await {
                Ok(_) => tracing::info!(integration = %wish.name, "its refresh token is kept alive"),
                Err(error) => {
                    tracing::warn!(integration = %wish.name, %error, "its refresh token could not be kept alive");
                }
            }
        }
        Ok(dues.into_iter().map(|(_, at)| at).filter(|at| *at > now).min())
    }
}

/// What can be refreshed without a person and would end otherwise, and when it is due.
fn dues(book: &Book<'_>) -> Vec<(Wish, Timestamp)> {
    let due = |(id, name): (Id, IntegrationName)| {
        // One that cannot be read says so when it is used or checked.
        let record = book.record(&id).ok().flatten()?;
        let at = due(&record, &id)?;
        Some((Wish { id, name, beyond: record.generation, urgency: Urgency::Usual }, at))
    };
    book.names().into_iter().filter_map(due).collect()
}

fn due(record: &Record, id: &Id) -> Option<Timestamp> {
    if record.state() != IntegrationState::Authorized {
        return None;
    }
    let (from, end) = (record.tokens.as_ref()?.obtained_at, record.refresh_ends_at()?);
    let life = Duration::try_from(end.duration_since(from)).ok()?;
    // The id is random and stays: a share of it spreads integrations that were authorised together.
    let share = id.as_str().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    from.checked_add(life.mul_f64(DUE - SPREAD * f64::from(share) / 256.0)).ok()
}
