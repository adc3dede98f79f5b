//! What a driver writes down of its run, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowrun_machine::{Command, EventRecord, Plan, Run};
use jiff::Timestamp;

use crate::journal::{
    Appended, Begun, Change, Entry, Journal, JournalError, KeptCheckpoint, NewRun, Rest, RunKey, Standing,
};

/// How many bytes of entries are kept before a checkpoint takes their place; or twice those of the last one, if that is more.
const LOG: usize = 64 * 1024;

/// The log of one run.
#[derive(Debug)]
pub(crate) struct Log {
    journal: Arc<dyn Journal>,
    id: RunKey,
    /// How often the machine had its turn again since the last entry.
    turns: u32,
    /// How often each call that is under way was lost with its process.
    losses: BTreeMap<u64, u32>,
    /// The calls in doubt, by their ops.
    doubts: BTreeMap<u64, String>,
    /// The bytes at which a checkpoint is made.
    most: usize,
    is_long: bool,
    /// Whether it is kept that the run is over.
    is_over: bool,
}

impl Log {
    pub(crate) fn new(journal: Arc<dyn Journal>, id: RunKey, losses: BTreeMap<u64, u32>) -> Self {
        let (turns, doubts, is_long, is_over) = (0, BTreeMap::new(), false, false);
        Self { journal, id, turns, losses, doubts, most: LOG, is_long, is_over }
    }

    pub(crate) fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// The machine had its turn again.
    pub(crate) fn turned(&mut self) {
        self.turns += 1;
    }

    /// The steps whose calls are in doubt.
    pub(crate) fn doubts(&self) -> Vec<String> {
        self.doubts.values().cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A call has ended, or somebody said what becomes of it.
    pub(crate) fn settled(&mut self, op: u64) {
        self.doubts.remove(&op);
        self.losses.remove(&op);
    }

    /// Takes note of what came into doubt, and of what no longer is.
    pub(crate) fn note(&mut self, plan: &Plan, commands: &[Command]) {
        for command in commands {
            match command {
                Command::InDoubt { op, flow, step } => {
                    self.doubts.insert(*op, plan.step_name(*flow, *step));
                }
                Command::Drop { op } => drop(self.doubts.remove(op)),
                _ => {}
            }
        }
    }

    /// How the run stands, as long as it is not over.
    pub(crate) fn standing(&self) -> Standing {
        match self.doubts() {
            steps if steps.is_empty() => Standing::Running,
            steps => Standing::InDoubt { steps },
        }
    }

    /// An entry of what happened; it is to be kept before anything that follows from it is done.
    pub(crate) fn entry(&mut self, plan: &Plan, run: &Run, event: EventRecord) -> Entry {
        Entry::Happened {
            turns: std::mem::take(&mut self.turns),
            event: Box::new(event),
            positions: run.positions(plan),
        }
    }

    /// An entry of turns from which something follows.
    pub(crate) fn turned_entry(&mut self, plan: &Plan, run: &Run) -> Entry {
        Entry::Turned { turns: std::mem::take(&mut self.turns), positions: run.positions(plan) }
    }

    /// The ops of the calls in doubt.
    pub(crate) fn doubtful(&self) -> Vec<u64> {
        self.doubts.keys().copied().collect()
    }

    /// Keeps what an event changed; says whether there is mail for what the run waits for now.
    pub(crate) async fn keep(&mut self, change: Change) -> Result<bool, JournalError> {
        let is_over = change.standing.is_over();
        let Appended { bytes, has_mail } = self.journal.append(&self.id, change).await?;
        (self.is_long, self.is_over) = (bytes > self.most, is_over);
        Ok(has_mail)
    }

    /// Keeps that a run begins.
    pub(crate) async fn begin(&mut self, run: NewRun) -> Result<Begun, JournalError> {
        self.is_over = run.change.standing.is_over();
        self.journal.begin(run).await
    }

    /// Keeps that the run is over, unless that is kept already.
    pub(crate) async fn end(&mut self, now: Timestamp, standing: Standing) -> Result<(), JournalError> {
        if self.is_over {
            return Ok(());
        }
        self.keep(Change::new(now, None, standing)).await.map(drop)
    }

    /// Makes a checkpoint of a log that has become long. The run must be at rest, and all that follows from the last entry done:
    /// what a checkpoint does not ask for again is not done again.
    pub(crate) async fn shorten(&mut self, plan: &Plan, run: &Run) -> Result<(), JournalError> {
        if std::mem::take(&mut self.is_long) {
            let kept = KeptCheckpoint { is_clean: false, ..self.checkpoint(plan, run) };
            let bytes = self.journal.shorten(&self.id, kept).await?;
            (self.turns, self.most) = (0, LOG.max(2 * bytes));
        }
        Ok(())
    }

    /// The run between two events, with no call under way that is not to be made again without a thought.
    fn checkpoint(&self, plan: &Plan, run: &Run) -> KeptCheckpoint {
        KeptCheckpoint { checkpoint: run.checkpoint(plan), losses: self.losses.clone(), is_clean: true }
    }

    /// Leaves the run to whoever drives it next, or at rest until its time comes; says whether it is: not if there is mail.
    pub(crate) async fn leave(
        &mut self,
        (plan, run): (&Plan, &Run),
        (until, heard): (Option<Timestamp>, u64),
    ) -> Result<bool, JournalError> {
        let standing = match self.standing() {
            Standing::Running => Standing::Waiting { until },
            other => other,
        };
        let rest = Rest { checkpoint: self.checkpoint(plan, run), standing, until, heard };
        self.journal.rest(&self.id, rest).await
    }

    /// Leaves the run between two events to the next process.
    pub(crate) async fn close(&mut self, plan: &Plan, run: &Run) -> Result<(), JournalError> {
        self.journal.shorten(&self.id, self.checkpoint(plan, run)).await.map(drop)
    }

    /// Counts the loss of calls, durably, before they are made again; gives how often each was lost.
    pub(crate) async fn lose(
        &mut self,
        now: Timestamp,
        ops: &[u64],
    ) -> Result<BTreeMap<u64, u32>, JournalError> {
        if ops.is_empty() {
            return Ok(BTreeMap::new());
        }
        let lost = Change::new(now, Some(Entry::Lost { ops: ops.to_vec() }), self.standing());
        self.journal.append(&self.id, lost).await?;
        for op in ops {
            *self.losses.entry(*op).or_default() += 1;
        }
        Ok(ops.iter().map(|op| (*op, self.losses[op])).collect())
    }
}
