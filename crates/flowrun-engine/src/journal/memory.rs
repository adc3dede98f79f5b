//! Runs kept in memory: for houses that need none to outlive them, and for tests, which lose of it what they like.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use flowrun_lang::Texts;
use flowrun_step::{RunId, Tenant};
use jiff::Timestamp;

use super::book::Book;
use super::{
    Address, Appended, Begun, Change, Delivered, HandedOver, History, Journal, JournalError, Kept,
    KeptCheckpoint, KeptRun, Letter, NewRun, Rest, RunKey, Standing, Summary, Whose,
};
use crate::host::{Filter, View};
use crate::mail::{Incoming, Told};
use crate::message::{Conversation, Message};

/// Keeps runs as long as it lives; a clone is the same journal.
///
/// # Example
/// ```
/// use flowrun_engine::journal::{Journal, MemoryJournal};
///
/// let journal = MemoryJournal::default();
/// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// assert!(runtime.block_on(journal.unfinished())?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryJournal(Arc<Mutex<Book>>);

impl MemoryJournal {
    /// A journal that holds what this one holds now: what a disk would hold, if the machine stopped at this moment.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.with(|book| book.clone()))))
    }

    /// Says what stays of runs that are over; a [`History::Summary`] unless it is said (R13).
    #[must_use]
    pub fn history(self, history: History) -> Self {
        self.with(|book| book.history = history);
        self
    }

    fn with<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn kept<'a, T: Send + 'a>(&self, work: impl FnOnce(&mut Book) -> Result<T, JournalError>) -> Kept<'a, T> {
        let done = self.with(work);
        Box::pin(async move { done })
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal").finish_non_exhaustive()
    }
}

impl Journal for MemoryJournal {
    fn begin(&self, run: NewRun) -> Kept<'_, Begun> {
        self.kept(|book| book.begin(run))
    }

    fn append<'a>(&'a self, run: &'a RunKey, change: Change) -> Kept<'a, Appended> {
        self.kept(|book| book.append(run, change))
    }

    fn shorten<'a>(&'a self, run: &'a RunKey, checkpoint: KeptCheckpoint) -> Kept<'a, usize> {
        self.kept(|book| book.shorten(run, checkpoint))
    }

    fn rest<'a>(&'a self, run: &'a RunKey, rest: Rest) -> Kept<'a, bool> {
        self.kept(|book| book.rest(run, rest))
    }

    fn stand<'a>(&'a self, run: &'a RunKey, standing: Standing) -> Kept<'a, ()> {
        self.kept(|book| book.stand(run, standing))
    }

    fn load<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>> {
        self.kept(|book| Ok(book.load(run)))
    }

    fn texts<'a>(&'a self, hash: &'a str) -> Kept<'a, Option<Texts>> {
        self.kept(|book| Ok(book.texts.get(hash).cloned()))
    }

    fn mail<'a>(&'a self, run: &'a RunKey, heard: u64) -> Kept<'a, Vec<Letter>> {
        self.kept(|book| Ok(book.mail(run, heard)))
    }

    fn receive(&self, message: Message, at: Timestamp, interrupts: bool) -> Kept<'_, Delivered> {
        self.kept(|book| Ok(book.receive(message, at, interrupts)))
    }

    fn deliver<'a>(&'a self, run: &'a RunKey, incoming: Incoming, at: Timestamp) -> Kept<'a, Delivered> {
        self.kept(|book| Ok(book.deliver(run, incoming, at)))
    }

    fn tell<'a>(&'a self, tenant: &'a Tenant, told: Told, at: Timestamp) -> Kept<'a, Option<Vec<Address>>> {
        self.kept(|book| Ok(book.tell(tenant, told, at)))
    }

    fn remember(&self, message: Message, at: Timestamp) -> Kept<'_, ()> {
        self.kept(|book| {
            book.see(&message, at);
            Ok(())
        })
    }

    fn stray(&self) -> Kept<'_, Vec<(u64, Message)>> {
        self.kept(|book| Ok(book.stray()))
    }

    fn discard(&self, number: u64) -> Kept<'_, ()> {
        self.kept(|book| {
            book.letters.remove(&number);
            Ok(())
        })
    }

    fn hand_over<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, HandedOver> {
        self.kept(|book| Ok(book.hand_over(tenant, conversation)))
    }

    fn hand_back<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, ()> {
        self.kept(|book| {
            book.hand_back(tenant, conversation);
            Ok(())
        })
    }

    fn due(&self, now: Timestamp, most: usize) -> Kept<'_, (Vec<RunKey>, Option<Timestamp>)> {
        self.kept(|book| Ok(book.due(now, most)))
    }

    fn mark<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        at: Option<Timestamp>,
    ) -> Kept<'a, Option<Timestamp>> {
        self.kept(|book| Ok(book.mark(tenant, name, at)))
    }

    fn unfinished(&self) -> Kept<'_, Vec<RunKey>> {
        self.kept(|book| Ok(book.unfinished()))
    }

    fn list<'a>(&'a self, tenant: &'a Tenant, filter: Filter) -> Kept<'a, Vec<Summary>> {
        self.kept(|book| Ok(book.list(tenant, &filter)))
    }

    fn view<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<View>> {
        self.kept(|book| Ok(book.view(run)))
    }

    fn look<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>> {
        self.kept(|book| Ok(book.look(run)))
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant, whose: Whose<'a>) -> Kept<'a, Vec<RunKey>> {
        self.kept(|book| Ok(book.erase(tenant, whose)))
    }
}

/// The id of a run that nobody knows.
pub(super) fn unknown(run: &RunId) -> JournalError {
    JournalError::Unavailable(format!("it has no run `{run}`"))
}
