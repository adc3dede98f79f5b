//! A disk whose process dies before or after a commit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowrun_engine::host::{Filter, View};
use flowrun_engine::journal::{
    Address, Appended, Begun, Change, Delivered, Entry, HandedOver, Journal, JournalError, Kept,
    KeptCheckpoint, KeptRun, Letter, MemoryJournal, NewRun, Rest, RunKey, Standing, Summary, Whose,
};
use flowrun_engine::{Conversation, Incoming, Message, Told};
use flowrun_lang::Texts;
use flowrun_step::Tenant;
use jiff::Timestamp;
use serde_json::json;

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Death {
    Never,
    /// This commit does not come to be.
    Before(usize),
    /// It does, and nobody is told.
    After(usize),
}

/// Everything that outlives a process: the disk, and what was done at the services.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    pub(crate) journal: MemoryJournal,
    /// Everything that was done outside: its words and its key.
    pub(crate) calls: Arc<Mutex<Vec<(String, String)>>>,
    /// How many ends of calls are on disk.
    pub(crate) ends: AtomicUsize,
    pub(crate) commits: AtomicUsize,
}

#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) outside: Arc<Outside>,
    pub(crate) death: Death,
    /// Short logs, so that checkpoints are made.
    pub(crate) shortens: bool,
    /// What it gives of a run leads elsewhere.
    pub(crate) misleads: bool,
}

impl Disk {
    pub(crate) fn new(death: Death, shortens: bool) -> Self {
        Self { outside: Arc::default(), death, shortens, misleads: false }
    }

    /// The same disk, for a process that dies then.
    pub(crate) fn again(&self, death: Death) -> Self {
        self.outside.commits.store(0, Ordering::SeqCst);
        Self { death, ..self.clone() }
    }

    /// One commit: it is, or is not, and the process lives on or does not. Meanwhile the process does what it has begun.
    async fn commit<T>(&self, change: Kept<'_, T>) -> Result<T, JournalError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let at = self.outside.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let dead = || JournalError::Unavailable("the process is dead".to_owned());
        match self.death {
            Death::Before(death) if at >= death => Err(dead()),
            Death::After(death) if at > death => Err(dead()),
            Death::After(death) if at == death => {
                change.await?;
                Err(dead())
            }
            _ => change.await,
        }
    }

    fn inner(&self) -> &MemoryJournal {
        &self.outside.journal
    }
}

fn is_end(entry: &Entry) -> bool {
    json!(entry).pointer("/happened/event/what/called").is_some()
}

impl Journal for Disk {
    fn begin(&self, run: NewRun) -> Kept<'_, Begun> {
        Box::pin(async move { self.commit(Box::pin(async { self.inner().begin(run).await })).await })
    }

    fn append<'a>(&'a self, run: &'a RunKey, change: Change) -> Kept<'a, Appended> {
        let bytes = if self.shortens { 1_000_000 } else { 0 };
        let ends = usize::from(change.entry.as_ref().is_some_and(is_end));
        Box::pin(async move {
            let append = async {
                self.outside.ends.fetch_add(ends, Ordering::SeqCst);
                let appended = self.inner().append(run, change).await?;
                Ok(Appended { bytes, ..appended })
            };
            self.commit(Box::pin(append)).await
        })
    }

    fn shorten<'a>(&'a self, run: &'a RunKey, checkpoint: KeptCheckpoint) -> Kept<'a, usize> {
        Box::pin(async move {
            let shorten = async {
                self.inner().shorten(run, checkpoint).await?;
                Ok(0)
            };
            self.commit(Box::pin(shorten)).await
        })
    }

    fn rest<'a>(&'a self, run: &'a RunKey, rest: Rest) -> Kept<'a, bool> {
        Box::pin(async move { self.commit(Box::pin(async { self.inner().rest(run, rest).await })).await })
    }

    fn stand<'a>(&'a self, run: &'a RunKey, standing: Standing) -> Kept<'a, ()> {
        Box::pin(
            async move { self.commit(Box::pin(async { self.inner().stand(run, standing).await })).await },
        )
    }

    fn load<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>> {
        Box::pin(async move {
            let mut kept = self.inner().load(run).await?;
            if let Some(KeptRun { entries, .. }) = &mut kept
                && let Some(Entry::Happened { positions, .. }) = entries.last_mut()
                && self.misleads
            {
                *positions = "elsewhere".to_owned();
            }
            Ok(kept)
        })
    }

    fn texts<'a>(&'a self, hash: &'a str) -> Kept<'a, Option<Texts>> {
        self.inner().texts(hash)
    }

    fn mail<'a>(&'a self, run: &'a RunKey, heard: u64) -> Kept<'a, Vec<Letter>> {
        self.inner().mail(run, heard)
    }

    fn receive(&self, message: Message, at: Timestamp, interrupts: bool) -> Kept<'_, Delivered> {
        Box::pin(async move {
            self.commit(Box::pin(async { self.inner().receive(message, at, interrupts).await })).await
        })
    }

    fn deliver<'a>(&'a self, run: &'a RunKey, incoming: Incoming, at: Timestamp) -> Kept<'a, Delivered> {
        Box::pin(async move {
            self.commit(Box::pin(async { self.inner().deliver(run, incoming, at).await })).await
        })
    }

    fn tell<'a>(&'a self, tenant: &'a Tenant, told: Told, at: Timestamp) -> Kept<'a, Option<Vec<Address>>> {
        Box::pin(
            async move { self.commit(Box::pin(async { self.inner().tell(tenant, told, at).await })).await },
        )
    }

    fn remember(&self, message: Message, at: Timestamp) -> Kept<'_, ()> {
        Box::pin(
            async move { self.commit(Box::pin(async { self.inner().remember(message, at).await })).await },
        )
    }

    fn stray(&self) -> Kept<'_, Vec<(u64, Message)>> {
        self.inner().stray()
    }

    fn discard(&self, number: u64) -> Kept<'_, ()> {
        Box::pin(async move { self.commit(Box::pin(async { self.inner().discard(number).await })).await })
    }

    fn hand_over<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, HandedOver> {
        self.inner().hand_over(tenant, conversation)
    }

    fn hand_back<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, ()> {
        self.inner().hand_back(tenant, conversation)
    }

    fn due(&self, now: Timestamp, most: usize) -> Kept<'_, (Vec<RunKey>, Option<Timestamp>)> {
        self.inner().due(now, most)
    }

    fn mark<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        at: Option<Timestamp>,
    ) -> Kept<'a, Option<Timestamp>> {
        self.inner().mark(tenant, name, at)
    }

    fn unfinished(&self) -> Kept<'_, Vec<RunKey>> {
        self.inner().unfinished()
    }

    fn list<'a>(&'a self, tenant: &'a Tenant, filter: Filter) -> Kept<'a, Vec<Summary>> {
        self.inner().list(tenant, filter)
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant, whose: Whose<'a>) -> Kept<'a, Vec<RunKey>> {
        self.inner().erase(tenant, whose)
    }

    fn look<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>> {
        self.inner().look(run)
    }

    fn view<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<View>> {
        self.inner().view(run)
    }
}
