//! A run at rest, as data that outlives the process and the build.
//!
//! A checkpoint names positions by the step's path and the op's word, and variables by their names (runs.md 2): a newer
//! compiler may lay the ops out anew under a run that waits. What it names and the plan does not have is an error, never
//! a guess. It is made between two events; what is shared between strands is written once.

mod event;
mod failure;
mod group;
mod names;
mod strand;
mod undo;
mod variables;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::group::Group;
use crate::outside::Opening;
use crate::plan::Plan;
use crate::run::{Due, Run, Timer};
use crate::strand::Strand;
pub use event::EventRecord;
use group::GroupRecord;
use strand::StrandRecord;
use undo::UndoRecord;

/// The way this build walks plans. Changes when a recorded run would go differently.
pub const MACHINE: u32 = 1;

/// A run at rest; see [`Run::checkpoint`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// [`MACHINE`] of the build that walked the run.
    pub machine: u32,
    /// [`Plan::hash`] of the plan it walks.
    pub plan: String,
    id: String,
    now: Timestamp,
    next_op: u64,
    next_strand: u64,
    steps_used: u64,
    room_used: usize,
    is_cancelled: bool,
    is_answered: bool,
    is_over: bool,
    opening: Opening,
    strands: Vec<StrandRecord>,
    groups: Vec<GroupRecord>,
    timers: Vec<TimerRecord>,
    undo: UndoRecord,
}

/// Why a checkpoint cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unrestorable {
    /// Another way of walking plans made it.
    #[error("the run was walked by version {found} of the machine, and this is version {MACHINE}")]
    Machine {
        /// Its version.
        found: u32,
    },
    /// It is of another plan.
    #[error("the run belongs to another version of the flow")]
    Plan,
    /// The plan has no such place, name or op.
    #[error("the flow has no {0}")]
    Missing(String),
    /// It contradicts itself.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimerRecord {
    op: u64,
    strand: u64,
    at: Timestamp,
    what: Timer,
}

impl Run {
    /// Everything that this run is, between two events.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(plan: &flowrun_machine::Plan, run: &flowrun_machine::Run) -> Result<(), Box<dyn std::error::Error>> {
    /// use flowrun_machine::Run;
    ///
    /// let bytes = serde_json::to_vec(&run.checkpoint(plan))?;
    /// let run = Run::restore(plan, serde_json::from_slice(&bytes)?)?;
    /// for command in run.outstanding(plan) { /* perform it */ }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn checkpoint(&self, plan: &Plan) -> Checkpoint {
        let strands = self.strands.iter().map(|(id, strand)| StrandRecord::of(plan, self, (*id, strand)));
        let groups = self.groups.iter().map(|(id, group)| GroupRecord::of(plan, self, (*id, group)));
        let timer =
            |(op, due): (&u64, &Due)| TimerRecord { op: *op, strand: due.strand, at: due.at, what: due.what };
        Checkpoint {
            machine: MACHINE,
            plan: plan.hash.clone(),
            id: self.id.clone(),
            now: self.now,
            next_op: self.next_op,
            next_strand: self.next_strand,
            steps_used: self.steps_used,
            room_used: self.room.used,
            is_cancelled: self.is_cancelled,
            is_answered: self.is_answered,
            is_over: self.is_over,
            opening: self.opening.clone(),
            strands: strands.collect(),
            groups: groups.collect(),
            timers: self.timers.iter().map(timer).collect(),
            undo: UndoRecord::of(plan, &self.undo),
        }
    }

    /// Where every strand stands, in a few letters: two runs that were told the same have the same.
    #[must_use]
    pub fn positions(&self, plan: &Plan) -> String {
        let place = |(id, strand): (&u64, &Strand)| {
            let place = names::Names(plan.flow(strand.flow)).place(strand.pc);
            format!("{id} {} {place}\n", strand.frames.len())
        };
        crate::key::key(&self.id, &self.strands.iter().map(place).collect::<String>())
    }

    /// The run that a checkpoint was made of. What it waits for is [`Run::outstanding`].
    ///
    /// # Errors
    /// When another version of the machine walked it, when it is of another plan, or when it names what the plan has not.
    pub fn restore(plan: &Plan, checkpoint: Checkpoint) -> Result<Self, Unrestorable> {
        if checkpoint.machine != MACHINE {
            return Err(Unrestorable::Machine { found: checkpoint.machine });
        }
        if checkpoint.plan != plan.hash {
            return Err(Unrestorable::Plan);
        }
        let mut run = Self::new(&checkpoint.id, plan);
        (run.now, run.next_op, run.next_strand) =
            (checkpoint.now, checkpoint.next_op, checkpoint.next_strand);
        (run.steps_used, run.room.used) = (checkpoint.steps_used, checkpoint.room_used);
        (run.is_cancelled, run.is_answered) = (checkpoint.is_cancelled, checkpoint.is_answered);
        run.is_over = checkpoint.is_over;
        run.opening = checkpoint.opening;
        run.strands = strands(plan, checkpoint.strands)?;
        run.index();
        run.groups = groups(plan, &run, checkpoint.groups)?;
        let due =
            |timer: TimerRecord| (timer.op, Due { strand: timer.strand, what: timer.what, at: timer.at });
        run.timers = checkpoint.timers.into_iter().map(due).collect();
        run.undo = checkpoint.undo.read(plan)?;
        Ok(run)
    }
}

/// Strands come in the order they began in, so what one shares with its parent is there before it.
fn strands(plan: &Plan, records: Vec<StrandRecord>) -> Result<BTreeMap<u64, Strand>, Unrestorable> {
    let mut strands = BTreeMap::new();
    for record in records {
        let (id, strand) = record.read(plan, &strands)?;
        strands.insert(id, strand);
    }
    Ok(strands)
}

fn groups(plan: &Plan, run: &Run, records: Vec<GroupRecord>) -> Result<BTreeMap<u64, Group>, Unrestorable> {
    records.into_iter().map(|record| Ok((record.number(), record.read(plan, run)?))).collect()
}
