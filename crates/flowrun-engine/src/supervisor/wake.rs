//! Takes runs out of the journal again: when something came for them, when their moment has come, when a process begins.

use std::sync::{Arc, PoisonError, Weak};

use flowrun_lang::{Catalog, Flow};
use flowrun_step::{RunId, Tenant};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Supervisor, WAKES, unless_killed};
use crate::drive::resume;
use crate::inlet::Inlet;
use crate::journal::{JournalError, KeptRun, RunKey, Standing};
use crate::outcome::Outcome;
use crate::story::{Story, Untold};

/// The most flows of kept runs that are remembered.
const PLANS: usize = 1_000;

impl Supervisor {
    /// Has a run driven here.
    pub(super) fn wake(self: &Arc<Self>, key: RunKey) {
        if self.drain.is_cancelled() {
            return;
        }
        let poked = Arc::new(Notify::new());
        let Some(kill) = self.enter(&key, &poked) else {
            if let Some(resident) = self.residents().get_mut(&key) {
                resident.is_wanted = true;
                resident.poked.notify_one();
            }
            return;
        };
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let mut talks = false;
            let outcome = unless_killed(this.take_up(&key, poked, &mut talks), &kill).await;
            this.left(&key, outcome, talks);
        });
    }

    async fn take_up(self: &Arc<Self>, key: &RunKey, poked: Arc<Notify>, talks: &mut bool) -> Outcome {
        // The semaphore is never closed.
        let _permit = self.wakes.acquire().await;
        let loaded = self.load(key).await;
        if let Some(resident) = self.residents().get_mut(key) {
            // What came until now is in its mail.
            resident.is_wanted = false;
        }
        match loaded {
            Ok(Some((flow, kept))) => {
                *talks = kept.conversation.is_some();
                let inlet = Inlet::Hosted(self.hosted(poked, None));
                let services = Arc::clone(&self.services);
                resume(services, &flow, (key.clone(), kept), (inlet, None), CancellationToken::new()).await
            }
            Ok(None) | Err(JournalError::Held(_) | JournalError::OnHold(_)) => Outcome::Left,
            Err(why) => {
                let standing = Standing::Blocked { why: why.to_string() };
                // That it could not be written down too changes nothing.
                let _ = self.journal.stand(key, standing).await;
                Outcome::Blocked { why: why.to_string() }
            }
        }
    }

    /// A run and its flow; nothing if it is over or unknown.
    async fn load(&self, key: &RunKey) -> Result<Option<(Arc<Flow>, KeptRun)>, JournalError> {
        let Some(kept) = self.journal.load(key).await? else { return Ok(None) };
        if kept.standing.is_over() {
            return Ok(None);
        }
        Ok(Some((self.flow_of(key, &kept.hash).await?, kept)))
    }

    /// The flow of a kept run, as it was when the run began.
    async fn flow_of(&self, key: &RunKey, hash: &str) -> Result<Arc<Flow>, JournalError> {
        let published = self.set(&key.tenant).all().find(|flow| flow.plan().hash == hash).cloned();
        let known = self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned();
        if let Some(flow) = published.or(known) {
            return Ok(flow);
        }
        let unusable = |why: String| JournalError::Unavailable(format!("its flow cannot be used: {why}"));
        let texts = self.journal.texts(hash).await?.ok_or_else(|| unusable("it was not kept".to_owned()))?;
        let checked = texts.check(&Catalog::new(self.services.steps.clone()));
        let checked = checked.map_err(|diagnostic| unusable(diagnostic.to_string()))?;
        let said = || checked.diagnostics.first().map(ToString::to_string).unwrap_or_default();
        let flow = Arc::new(checked.flow.clone().ok_or_else(|| unusable(said()))?);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= PLANS {
            plans.clear();
        }
        plans.insert(hash.to_owned(), Arc::clone(&flow));
        Ok(flow)
    }

    /// What happened in a run, as far as it is kept.
    pub(crate) async fn story(&self, key: RunKey) -> Result<Option<Story>, Untold> {
        let Some(kept) = self.journal.look(&key).await? else { return Ok(None) };
        let flow = self.flow_of(&key, &kept.hash).await?;
        Story::of(&flow, &key.id, kept).map(Some).map_err(Untold::Elsewhere)
    }

    /// Goes on with what the last process left, and begins to wait for moments.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<(), JournalError> {
        for key in self.journal.unfinished().await? {
            self.wake(key);
        }
        self.reroute();
        let this = Arc::downgrade(self);
        tokio::spawn(wait_for_moments(this));
        Ok(())
    }

    /// Lets runs go on that are held, and takes up those of them that have something to do.
    pub(crate) async fn release(
        self: &Arc<Self>,
        tenant: &Tenant,
        run: Option<&RunId>,
    ) -> Result<usize, JournalError> {
        let released = self.journal.release_held(tenant, run).await?;
        if released > 0 {
            for key in self.journal.unfinished().await? {
                self.wake(key);
            }
            self.timers.notify_one();
        }
        Ok(released)
    }

    /// Does what is due: wakes runs, starts flows; gives when there is more to do.
    async fn due_now(self: &Arc<Self>) -> Result<Option<Timestamp>, JournalError> {
        let (wake, fire) = (self.wake_due().await?, self.fire_due().await?);
        Ok(wake.into_iter().chain(fire).min())
    }

    /// Wakes runs whose moment has come; gives when the next one's comes.
    async fn wake_due(self: &Arc<Self>) -> Result<Option<Timestamp>, JournalError> {
        let now = self.services.clock.now();
        let (due, next) = self.journal.due(now, WAKES).await?;
        due.into_iter().for_each(|key| self.wake(key));
        Ok(next)
    }
}

/// Wakes runs at their moments, as long as anybody hosts them.
async fn wait_for_moments(supervisor: Weak<Supervisor>) {
    loop {
        let Some(this) = supervisor.upgrade() else { return };
        let next = match this.due_now().await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the journal does not say whose moment has come");
                this.services.clock.now().checked_add(super::LATER).ok()
            }
        };
        let (clock, drain) = (Arc::clone(&this.services.clock), this.drain.clone());
        let sleep = async move {
            match next {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = this.timers.notified() => {}
            () = drain.cancelled() => return,
        }
    }
}
