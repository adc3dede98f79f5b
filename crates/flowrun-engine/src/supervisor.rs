//! Hosts runs: drives those that have something to do, wakes those that wait, and routes what comes from outside.
//!
//! A run is driven by one task here, or at rest in the journal. Whatever is for it is in the journal before anybody is told; the
//! task is only poked. So nothing is lost that was acknowledged, whenever the process dies.

mod open;
mod schedule;
mod wake;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use flowrun_lang::Flow;
use flowrun_step::Tenant;
use tokio::sync::{Notify, Semaphore, broadcast, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::drive::drive;
use crate::flows::{FlowSet, Sets};
use crate::inlet::{Hosted, Inlet};
use crate::journal::{Address, Begun, Journal, JournalError, Kept, RunKey, Whose};
use crate::mail::Told;
use crate::message::Refused;
use crate::observe::RunEvent;
use crate::outcome::Outcome;
use crate::services::Services;
use crate::start::Start;

/// The most runs that are driven at once before new ones are refused.
const MOST: usize = 10_000;
/// The most runs that are taken out of the journal at once (runs.md 9).
const WAKES: usize = 1_000;
/// When somebody who was refused may try again.
const LATER: Duration = Duration::from_secs(1);
/// How many ends of runs a waiting caller may be behind; then it looks again.
const ENDS: usize = 1_024;

/// What is known of one run while it is driven here.
#[derive(Debug, Clone)]
struct Resident {
    poked: Arc<Notify>,
    /// Whether something came for it after it was left.
    is_wanted: bool,
    /// Ends its task at once.
    kill: CancellationToken,
}

/// The runs that are driven here, by their keys.
type Residents = HashMap<RunKey, Resident>;

/// Hosts the runs of one engine.
pub(crate) struct Supervisor {
    services: Arc<Services>,
    journal: Arc<dyn Journal>,
    sets: RwLock<Sets>,
    /// Flows of kept runs, by their texts.
    plans: Mutex<HashMap<String, Arc<Flow>>>,
    residents: Mutex<Residents>,
    /// Runs that were answered, that ended, or that nobody drives for a while.
    settled: broadcast::Sender<RunKey>,
    /// Told when a run has gone to rest, for whose moment nobody may be waiting yet.
    timers: Notify,
    wakes: Semaphore,
    drain: CancellationToken,
    /// Ends every task at once.
    kill: CancellationToken,
    tasks: TaskTracker,
}

impl Supervisor {
    pub(crate) fn new(services: Arc<Services>, journal: Arc<dyn Journal>) -> Self {
        Self {
            services,
            journal,
            sets: RwLock::default(),
            plans: Mutex::default(),
            residents: Mutex::default(),
            settled: broadcast::channel(ENDS).0,
            timers: Notify::new(),
            wakes: Semaphore::new(WAKES),
            drain: CancellationToken::new(),
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<RunKey> {
        self.settled.subscribe()
    }

    /// Tells whoever waits for a run to look at it.
    pub(crate) fn settle(&self, run: &RunKey) {
        // Without a receiver nobody waits.
        let _ = self.settled.send(run.clone());
    }

    pub(crate) fn set(&self, tenant: &Tenant) -> Arc<FlowSet> {
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        sets.get(tenant).cloned().unwrap_or_default()
    }

    pub(crate) fn publish(&self, tenant: &Tenant, set: FlowSet) {
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        sets.insert(tenant.clone(), Arc::new(set));
        drop(sets);
        self.timers.notify_one();
    }

    fn residents(&self) -> MutexGuard<'_, Residents> {
        self.residents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything new is taken in.
    pub(crate) fn admit(&self) -> Result<(), Refused> {
        if self.drain.is_cancelled() {
            return Err(Refused::Draining);
        }
        if self.residents().len() >= MOST {
            return Err(Refused::Overloaded { retry_after: LATER });
        }
        Ok(())
    }

    /// Begins a run and drives it; comes back once it is on disk whether it began.
    pub(crate) async fn launch(
        self: &Arc<Self>,
        flow: Arc<Flow>,
        start: Start,
    ) -> Result<Begun, JournalError> {
        let (tell, told) = oneshot::channel();
        let key = start.run.clone();
        let poked = Arc::new(Notify::new());
        let talks = start.talk.is_some();
        if talks {
            // What its conversation was sent before is its mail.
            poked.notify_one();
        }
        let kill = self.enter(&key, &poked);
        let hosted = self.hosted(poked, Some(tell));
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let services = Arc::clone(&this.services);
            let drive = drive(services, &flow, start, (Inlet::Hosted(hosted), CancellationToken::new()));
            match kill {
                Some(kill) => {
                    let outcome = unless_killed(drive, &kill).await;
                    this.left(&key, outcome, talks);
                }
                None => drop(unless_killed(drive, &this.kill).await),
            }
        });
        told.await.map_err(|_| JournalError::Unavailable("the run did not begin".to_owned()))?
    }

    fn hosted(
        self: &Arc<Self>,
        poked: Arc<Notify>,
        begun: Option<oneshot::Sender<Result<Begun, JournalError>>>,
    ) -> Hosted {
        Hosted { supervisor: Arc::clone(self), poked, drain: self.drain.clone(), begun }
    }

    /// Counts a run among those that are driven here, if it was not; gives what ends its task.
    fn enter(&self, key: &RunKey, poked: &Arc<Notify>) -> Option<CancellationToken> {
        let mut residents = self.residents();
        if residents.contains_key(key) {
            return None;
        }
        let kill = self.kill.child_token();
        let resident = Resident { poked: Arc::clone(poked), is_wanted: false, kill: kill.clone() };
        residents.insert(key.clone(), resident);
        Some(kill)
    }

    /// Forgets everything of a person or of a tenant (R13); gives how many runs that were. What goes on in them ends at once.
    pub(crate) async fn erase(&self, tenant: &Tenant, whose: Whose<'_>) -> Result<usize, JournalError> {
        if whose == Whose::Everybody {
            self.sets.write().unwrap_or_else(PoisonError::into_inner).remove(tenant);
        }
        let erased = self.journal.erase(tenant, whose).await?;
        let residents = self.residents();
        erased.iter().filter_map(|run| residents.get(run)).for_each(|resident| resident.kill.cancel());
        Ok(erased.len())
    }

    /// A run, which talks with a person or does not, is not driven here any more.
    fn left(self: &Arc<Self>, key: &RunKey, outcome: Outcome, talks: bool) {
        let was = self.residents().remove(key);
        self.services.observer.on(key, &RunEvent::Stood { status: outcome.status() });
        self.settle(key);
        if was.is_some_and(|resident| resident.is_wanted) {
            return self.wake(key.clone());
        }
        let is_scheduled = key.id.as_str().starts_with(schedule::KIND);
        match outcome {
            Outcome::Waiting { until: Some(_) } | Outcome::InDoubt { .. } => self.timers.notify_one(),
            Outcome::Done { .. }
            | Outcome::Failed { .. }
            | Outcome::TimedOut { .. }
            | Outcome::Cancelled { .. } => {
                if talks {
                    self.reroute();
                }
                if is_scheduled {
                    self.timers.notify_one();
                }
            }
            _ => {}
        }
    }

    /// Lets a run know that there is mail for it.
    pub(crate) fn poke(self: &Arc<Self>, address: &Address) {
        if address.is_at_rest {
            return self.wake(address.run.clone());
        }
        if let Some(resident) = self.residents().get(&address.run) {
            resident.poked.notify_one();
        }
    }

    /// Tells every run that waits for an event, and starts the flows that it triggers: those first, since their starts are the
    /// same however often the event is told, and an event is told until it is known.
    pub(crate) fn tell<'a>(self: &'a Arc<Self>, tenant: &'a Tenant, told: Told) -> Kept<'a, usize> {
        Box::pin(async move {
            let started = self.triggered(tenant, &told).await?;
            let now = self.services.clock.now();
            let heard = self.journal.tell(tenant, told, now).await?.unwrap_or_default();
            heard.iter().for_each(|address| self.poke(address));
            Ok(heard.len() + started)
        })
    }

    /// Takes nothing more in; what is under way may end, then is left to the next process.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.drain.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            self.kill.cancel();
            self.tasks.wait().await;
        }
    }
}

async fn unless_killed(drive: impl Future<Output = Outcome>, kill: &CancellationToken) -> Outcome {
    tokio::select! {
        outcome = drive => outcome,
        () = kill.cancelled() => Outcome::Left,
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").finish_non_exhaustive()
    }
}
