//! Takes back what steps have done: remembered as each ends well, run if the run ends badly (L-9).
//!
//! The last step to end is taken back first, whichever strand it stood in. Each entry is a strand of its own that
//! sees the variables as they were; one that fails is recorded and the rest goes on. Nothing from outside cuts this
//! short: neither a cancel nor the flow's own time.

use flowrun_template::{Scope as _, Slot};

use crate::advance::{Step, Walk};
use crate::command::{Command, End, StepStatus as Status};
use crate::failure::Failure;
use crate::group::GroupKind;
use crate::plan::{Pc, UndoPlan};
use crate::run::is_root;
use crate::strand::{Blocked, Parent, Phase, Reason, Strand};
use crate::variables::{Variables, json_size};

/// What a run has to take back.
#[derive(Debug, Default)]
pub(crate) struct Undo {
    /// In order of completion.
    pub(crate) entries: Vec<Entry>,
    /// How the run ends once all is taken back; until it ends badly, nothing.
    pub(crate) end: Option<End>,
    /// What could not be taken back.
    pub(crate) failures: Vec<Failure>,
}

/// One step that ended well.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Which flow of the bundle the step stands in.
    pub(crate) flow: usize,
    pub(crate) step: Option<usize>,
    /// Where its `undo` begins.
    pub(crate) pc: Pc,
    /// What its `undo` reads, as it was.
    pub(crate) variables: Variables,
    /// The room that takes.
    pub(crate) size: usize,
    /// The turns and items around it.
    pub(crate) trail: String,
}

impl Undo {
    /// Whether the run has ended and is taking back.
    pub(crate) fn is_under_way(&self) -> bool {
        self.end.is_some()
    }
}

impl Walk<'_> {
    /// The innermost step's body ended well: remembers how to take back what it did.
    pub(crate) fn remember_undo(&mut self) -> Step {
        let body = self.strand.frames.last().filter(|frame| frame.phase == Phase::Body);
        let Some(undo) = body.and_then(|frame| self.plan.scopes[frame.scope].undo.as_ref()) else {
            return Ok(());
        };
        if self.run.undo.is_under_way() {
            return Ok(());
        }
        self.record(Status::Done);
        let UndoPlan { pc, reads } = undo;
        let size = self.size_of(reads);
        let room = self.run.room.take(size, 0);
        // What is done must be taken back, even where there is no room to remember how: the run ends, and does it.
        let size = if room.is_ok() { size } else { 0 };
        let (variables, trail) = (self.strand.variables.only(reads), self.strand.trail());
        let (flow, step) = (self.strand.flow, self.strand.frames.last().and_then(|frame| frame.step));
        self.run.undo.entries.push(Entry { flow, step, pc: *pc, variables, size, trail });
        room.map_err(|failure| Reason::Limit(Box::new(self.located(*failure))))
    }

    fn size_of(&self, reads: &[Slot]) -> usize {
        let counted = reads.iter().filter(|slot| !is_root(&self.plan.slots, slot.index()));
        counted.filter_map(|slot| self.strand.variables.value(*slot)).map(json_size).sum()
    }

    /// Ends the run; a bad end comes once everything is taken back.
    pub(crate) fn end_run(&mut self, end: End) {
        let is_good = matches!(end, End::Done { .. });
        if is_good || self.run.undo.entries.is_empty() {
            return self.finish(end);
        }
        self.run.undo.end = Some(end);
        let group = self.group(GroupKind::Undo, 0);
        self.strand.blocked = Some(Blocked::Join(group));
        self.next_undo(group);
    }

    /// Begins to take back the last step that is left.
    pub(crate) fn next_undo(&mut self, group: u64) {
        let Some(Entry { flow, pc, variables, size, trail, .. }) = self.run.undo.entries.pop() else {
            return;
        };
        self.run.room.give(size);
        let index = self.run.undo.entries.len();
        let parent = Parent { strand: self.id, group, index, deadline: None, is_shielded: true, trail };
        self.add_child(Strand::at((flow, pc), variables, Some(parent)));
    }

    /// Something could not be taken back.
    pub(crate) fn not_undone(&mut self, reason: Reason) {
        if let Reason::Error(failure) | Reason::Limit(failure) = reason {
            self.commands.push(Command::NotUndone { failure: (*failure).clone() });
            self.run.undo.failures.push(*failure);
        }
    }

    /// Everything is taken back, or was tried.
    pub(crate) fn all_undone(&mut self) {
        let not_undone = std::mem::take(&mut self.run.undo.failures);
        match self.run.undo.end.take() {
            Some(End::Failed(failure)) => self.finish(End::Failed(Failure { not_undone, ..failure })),
            Some(End::TimedOut(failure)) => self.finish(End::TimedOut(Failure { not_undone, ..failure })),
            Some(end) => self.finish(end),
            None => {}
        }
    }
}
