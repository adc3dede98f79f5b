//! What every clone of a registry shares: custody, turns, tokens in use, work that must not be dropped.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flowrun_step::IntegrationName;
use tokio_util::task::TaskTracker;

use crate::custody::{Custody, Stamp};
use crate::live::{Cached, Live};
use crate::pass::Pass;
use crate::record::Freshness;
use crate::refresh::{Urgency, Wish};
use crate::turn::Turns;
use crate::{RefreshError, World};

pub(crate) struct Inner {
    pub(crate) custody: Arc<Custody>,
    pub(crate) world: World,
    pub(crate) turns: Turns,
    live: Mutex<HashMap<IntegrationName, Cached>>,
    tasks: TaskTracker,
}

impl Inner {
    pub(crate) fn new(custody: Custody, world: World) -> Self {
        let (turns, live, tasks) = (Turns::default(), Mutex::default(), TaskTracker::new());
        Self { custody: Arc::new(custody), world, turns, live, tasks }
    }

    /// The integration's token as it is on record, refreshed or not.
    pub(crate) async fn live(&self, name: &IntegrationName) -> Result<Arc<Live>, RefreshError> {
        if let Some(live) = self.cached(name) {
            return Ok(live);
        }
        let name = name.clone();
        let (live, stamp) = self.custody.read(move |book| Ok(Live::find(book, &name))).await?;
        Ok(self.keep(live?, stamp))
    }

    /// A token that will do for now: refreshed if it is due, or as it is while it is good and cannot be (OA-44).
    pub(crate) async fn fresh(self: &Arc<Self>, live: Arc<Live>) -> Result<Arc<Live>, RefreshError> {
        let now = self.world.clock.now();
        let is_good_for_now = match live.freshness(now) {
            Freshness::Good => return Ok(live),
            Freshness::Due => true,
            Freshness::Expired => false,
        };
        if is_good_for_now && (live.is_held_back(now) || !live.is_refreshable) {
            return Ok(live);
        }
        match self.renew(live.wish(Urgency::Usual)).await {
            Err(error) if is_good_for_now && error.is_transient() => Ok(live),
            renewed => renewed,
        }
    }

    /// A token in use that `judge` lets pass; judged before it is refreshed, so that a refusal costs nothing.
    pub(crate) async fn pass<E>(
        self: &Arc<Self>,
        name: &IntegrationName,
        judge: impl FnOnce(&Pass) -> Result<(), E>,
    ) -> Result<Result<Pass, E>, RefreshError> {
        let live = self.live(name).await?;
        let pass = Pass::of(&live);
        if let Err(refusal) = judge(&pass) {
            return Ok(Err(refusal));
        }
        let fresh = self.fresh(Arc::clone(&live)).await?;
        Ok(Ok(if Arc::ptr_eq(&live, &fresh) { pass } else { Pass::of(&fresh) }))
    }

    /// A set of tokens other than the one of this generation, which has been seen to be stale.
    pub(crate) async fn renew_after(
        self: &Arc<Self>,
        name: &IntegrationName,
        generation: u64,
    ) -> Result<Arc<Live>, RefreshError> {
        let live = self.live(name).await?;
        match live.generation == generation {
            true => self.renew(live.wish(Urgency::Usual)).await,
            // Somebody has refreshed, or authorised anew (OA-49).
            false => Ok(live),
        }
    }

    /// Keeps a token in use.
    pub(crate) fn keep(&self, live: Live, stamp: Stamp) -> Arc<Live> {
        let live = Arc::new(live);
        let cached = Cached { live: Arc::clone(&live), stamp };
        self.tokens().insert(live.name.clone(), cached);
        live
    }

    /// Does work to its end, even if whoever waits for it goes away.
    pub(crate) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.tasks.spawn(work).await {
            Ok(done) => done,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            // The runtime is going away, and whoever waits here with it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends when no such work is left.
    pub(crate) async fn settle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    fn cached(&self, name: &IntegrationName) -> Option<Arc<Live>> {
        let tokens = self.tokens();
        let cached = tokens.get(name)?;
        self.custody.is_current(&cached.stamp).then(|| Arc::clone(&cached.live))
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<IntegrationName, Cached>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// The wish for a set of tokens later than this one.
    pub(crate) fn wish(&self, urgency: Urgency) -> Wish {
        Wish { id: self.id.clone(), name: self.name.clone(), beyond: self.generation, urgency }
    }
}
