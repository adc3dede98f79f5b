//! Takes an event, gives each strand its turn, and carries what they tell one another.
//!
//! The ready strand of the lowest number is walked until it waits or ends; then the next. What strands tell each
//! other is carried before any of them is walked further.

use std::mem;

use crate::advance::{Step, Walk};
use crate::command::Command;
use crate::event::Happening;
use crate::plan::Plan;
use crate::run::{MAIN, News, Run};
use crate::strand::{Reason, Strand, StrandEnd, StrandId};

/// How many ops are walked for one event before the driver gets its turn.
const OPS: usize = 1_000;

/// One event's worth of walking.
pub(crate) struct Turn<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) run: &'a mut Run,
    pub(crate) commands: Vec<Command>,
}

impl Turn<'_> {
    pub(crate) fn happened(&mut self, what: Happening) {
        match what {
            Happening::Start { inputs, opening } => self.with(MAIN, |walk| walk.start(inputs, opening)),
            Happening::Received { op, message } => {
                if let Some(strand) = self.run.waits.get(&op).copied() {
                    self.with(strand, |walk| walk.received(op, message));
                }
            }
            Happening::Called { op, result } => {
                if let Some(strand) = self.run.calls.remove(&op) {
                    self.with(strand, |walk| walk.called(op, result));
                }
            }
            Happening::Resolve { op, how } => {
                if let Some(strand) = self.run.calls.remove(&op) {
                    self.with(strand, |walk| walk.resolved(op, how));
                }
            }
            Happening::Fired { op } => {
                if let Some(due) = self.run.timers.remove(&op) {
                    self.with(due.strand, |walk| walk.fired(op, due.what));
                }
            }
            Happening::Cancel { reason } => {
                self.run.is_cancelled = true;
                self.with(MAIN, |walk| walk.interrupt(Reason::Cancel(reason)));
            }
            Happening::Resume => {}
        }
        self.carry();
    }

    /// Walks strands until all wait, the run ends, or it has had its turn.
    pub(crate) fn on(&mut self) {
        let mut left = OPS;
        while let Some(strand) = self.run.ready.first().copied().filter(|_| !self.run.is_over) {
            if left == 0 {
                self.commands.push(Command::Yield);
                return;
            }
            self.with(strand, |walk| {
                while left > 0 && walk.strand.is_ready() && !walk.run.is_over {
                    left -= 1;
                    walk.op_or_leave();
                }
            });
            self.carry();
        }
    }

    fn carry(&mut self) {
        while let Some((strand, news)) = self.run.news.pop_front() {
            self.with(strand, |walk| match news {
                News::Leave(reason) => walk.interrupt(reason),
                News::Ended { group, index, end } => walk.child_ended(group, index, end),
            });
        }
    }

    /// Takes a strand out to walk it, and puts it back unless it has ended.
    fn with(&mut self, id: StrandId, work: impl FnOnce(&mut Walk<'_>)) {
        let Some(mut strand) = self.run.strands.remove(&id) else { return };
        let (plan, roots) = (self.plan.flow(strand.flow), self.run.roots[strand.flow]);
        roots.tell_time(self.run.now, &mut strand);
        let commands = mem::take(&mut self.commands);
        let (root, run) = (self.plan, &mut *self.run);
        let mut walk = Walk { root, plan, roots, run, id, strand: &mut strand, commands };
        work(&mut walk);
        self.commands = walk.commands;
        self.put_back(id, strand);
    }

    fn put_back(&mut self, id: StrandId, mut strand: Strand) {
        if let (Some(end), Some(parent)) = (strand.end.take(), &strand.parent) {
            self.run.ready.remove(&id);
            if !matches!(end, StrandEnd::Done { .. }) {
                strand.variables.release(&mut self.run.room);
            }
            let news = News::Ended { group: parent.group, index: parent.index, end };
            self.run.news.push_back((parent.strand, news));
            return;
        }
        if strand.is_ready() && !self.run.is_over {
            self.run.ready.insert(id);
        } else {
            self.run.ready.remove(&id);
        }
        self.run.strands.insert(id, strand);
    }
}

impl Walk<'_> {
    /// Walks one op; what ends it early leads elsewhere.
    fn op_or_leave(&mut self) {
        let walked: Step = self.op();
        if let Err(reason) = walked {
            self.unwind(reason);
        }
    }
}
