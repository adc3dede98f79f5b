//! Strands that one strand has forked and waits for: the items of a `for_each`, the branches of a `parallel`, a flow
//! that is called, what is taken back.
//!
//! Results are kept by index and merged at the join in that order, so the interleaving of the children changes
//! nothing. The first that fails ends the others, and the join raises once all are gone.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::advance::{Step, Walk};
use crate::failure::Failure;
use crate::items::Items;
use crate::plan::{ForkPlan, Join, Pc};
use crate::run::{News, is_root};
use crate::strand::{Blocked, Parent, Reason, Strand, StrandEnd, StrandId};
use crate::variables::{Variables, json_size};

/// Strands that are waited for together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) kind: GroupKind,
    /// Which strand is which child.
    pub(crate) live: HashMap<usize, StrandId>,
    /// Why the parent leaves once all are gone.
    pub(crate) leaving: Option<Reason>,
    /// Where the parent goes on.
    pub(crate) then: Pc,
}

#[derive(Debug)]
pub(crate) enum GroupKind {
    Each {
        plan: usize,
        items: Items,
        next: usize,
        results: Vec<Value>,
        /// The room the results take until the join.
        size: usize,
    },
    Branches {
        join: Join,
        /// The first that ended well, where one is enough.
        won: Option<usize>,
        /// What the branches that ended well wrote.
        done: Vec<Option<(Variables, Vec<usize>)>>,
        failures: Vec<Option<Failure>>,
    },
    /// A called flow, and what it gave when it had ended well.
    Flow { outputs: Option<Map<String, Value>> },
    /// What is taken back, one after the other.
    Undo,
}

impl Walk<'_> {
    /// Begins every branch of a `parallel`.
    pub(crate) fn fork(&mut self, at: usize) -> Step {
        let ForkPlan { branches, join, then } = &self.plan.forks[at];
        let done = branches.iter().map(|_| None).collect();
        let failures = vec![None; branches.len()];
        let id = self.group(GroupKind::Branches { join: *join, won: None, done, failures }, *then);
        for (index, pc) in branches.iter().enumerate() {
            self.begin_child(id, index, *pc);
        }
        self.strand.blocked = Some(Blocked::Join(id));
        self.joined_if_over(id)
    }

    pub(crate) fn group(&mut self, kind: GroupKind, then: Pc) -> u64 {
        let id = self.run.number();
        self.run.groups.insert(id, Group { kind, live: HashMap::new(), leaving: None, then });
        id
    }

    pub(crate) fn begin_child(&mut self, group: u64, index: usize, pc: Pc) -> StrandId {
        let parent = self.parent(group, index);
        self.add_child(Strand::at((self.strand.flow, pc), self.strand.variables.forked(), Some(parent)))
    }

    /// What a child has of this strand.
    pub(crate) fn parent(&self, group: u64, index: usize) -> Parent {
        Parent {
            strand: self.id,
            group,
            index,
            deadline: self.strand.deadline(),
            is_shielded: self.strand.is_in_finally(),
            trail: format!("{}[{index}]", self.strand.trail()),
        }
    }

    /// Adds a strand to the group it names as its parent's.
    pub(crate) fn add_child(&mut self, child: Strand) -> StrandId {
        let place = child.parent.as_ref().map(|parent| (parent.group, parent.index));
        let id = self.run.add(child);
        if let Some((group, index)) = place
            && let Some(group) = self.run.groups.get_mut(&group)
        {
            group.live.insert(index, id);
        }
        id
    }

    /// A child ended: the next begins, or the join is made, or the others are told to leave.
    pub(crate) fn child_ended(&mut self, id: u64, index: usize, end: StrandEnd) {
        let Some(group) = self.run.groups.get_mut(&id) else { return };
        group.live.remove(&index);
        let outcome = match end {
            StrandEnd::Done { variables, collected, changed_steps } => {
                self.keep_child(id, index, (variables, changed_steps), collected)
            }
            StrandEnd::Left(Reason::Sibling) => Ok(()),
            StrandEnd::Left(reason) => self.child_left(id, index, reason),
            StrandEnd::Page(page) => self.fetched(id, *page),
        };
        if let Err(reason) = outcome {
            self.leave_group(id, reason);
        }
        if let Err(reason) = self.joined_if_over(id) {
            self.unwind(reason);
        }
    }

    fn keep_child(
        &mut self,
        id: u64,
        index: usize,
        (mut variables, changed_steps): (Variables, Vec<usize>),
        collected: Option<Value>,
    ) -> Step {
        let Some(group) = self.run.groups.get_mut(&id) else { return Ok(()) };
        match &mut group.kind {
            GroupKind::Each { results, size, .. } => {
                variables.release(&mut self.run.room);
                if let Some(value) = collected {
                    // A stream does not say how many there will be.
                    results.resize(results.len().max(index + 1), Value::Null);
                    let place = &mut results[index];
                    let taken = json_size(&value);
                    (*place, *size) = (value, *size + taken);
                    let room = self.run.room.take(taken, 0);
                    room.map_err(|failure| Reason::Limit(Box::new(self.located(*failure))))?;
                }
                if self.is_staying(id) { self.fill(id) } else { Ok(()) }
            }
            GroupKind::Branches { join, won, done, .. } => {
                done[index] = Some((variables, changed_steps));
                if *join == Join::Any && won.is_none() {
                    *won = Some(index);
                    self.leave_siblings(id);
                }
                Ok(())
            }
            GroupKind::Undo => {
                variables.release(&mut self.run.room);
                self.next_undo(id);
                Ok(())
            }
            // A called flow leaves with its outputs.
            GroupKind::Flow { .. } => Ok(()),
        }
    }

    pub(crate) fn is_staying(&self, id: u64) -> bool {
        self.run.groups.get(&id).is_some_and(|group| group.leaving.is_none())
    }

    /// A branch of `join: any` that failed leaves the others their chance.
    fn child_left(&mut self, id: u64, index: usize, reason: Reason) -> Step {
        let Some(group) = self.run.groups.get_mut(&id) else { return Ok(()) };
        match (&mut group.kind, reason) {
            (GroupKind::Branches { join: Join::Any, failures, .. }, Reason::Error(failure)) => {
                failures[index] = Some(*failure);
                Ok(())
            }
            (GroupKind::Flow { outputs }, Reason::End(reached)) => {
                *outputs = Some(reached);
                Ok(())
            }
            (GroupKind::Undo, reason) => {
                self.not_undone(reason);
                self.next_undo(id);
                Ok(())
            }
            (_, reason) => Err(reason),
        }
    }

    /// Tells every child to leave; the parent follows for this reason once they are gone.
    pub(crate) fn leave_group(&mut self, id: u64, reason: Reason) {
        let Some(group) = self.run.groups.get_mut(&id) else { return };
        match &mut group.leaving {
            Some(earlier) if !reason.outranks(earlier) => {}
            leaving => *leaving = Some(reason),
        }
        self.leave_siblings(id);
    }

    fn leave_siblings(&mut self, id: u64) {
        let Some(group) = self.run.groups.get(&id) else { return };
        let mut live: Vec<StrandId> = group.live.values().copied().collect();
        live.sort_unstable();
        self.run.news.extend(live.into_iter().map(|strand| (strand, News::Leave(Reason::Sibling))));
    }

    /// Makes the join if no child is left.
    pub(crate) fn joined_if_over(&mut self, id: u64) -> Step {
        if !self.run.groups.get(&id).is_some_and(|group| group.live.is_empty()) {
            return Ok(());
        }
        let Some(group) = self.run.groups.remove(&id) else { return Ok(()) };
        self.strand.blocked = None;
        match (group.leaving, group.kind) {
            (Some(reason), kind) => {
                self.forget(kind);
                Err(reason)
            }
            (None, GroupKind::Each { results, size, plan, .. }) => {
                self.run.room.give(size);
                self.strand.pc = group.then;
                let step = self.strand.frames.last().and_then(|frame| frame.step).unwrap_or_default();
                if self.plan.eaches[plan].collects {
                    self.keep_output(step, Value::Array(results))
                } else {
                    Ok(())
                }
            }
            (None, GroupKind::Branches { join, won, done, failures }) => {
                self.strand.pc = group.then;
                let is_kept = |index| join == Join::All || won == Some(index);
                self.merge(done, is_kept);
                match failures.into_iter().flatten().next().filter(|_| join == Join::Any && won.is_none()) {
                    Some(failure) => Err(Reason::Error(Box::new(failure))),
                    None => Ok(()),
                }
            }
            (None, GroupKind::Flow { outputs }) => {
                self.strand.pc = group.then;
                self.callee_done(outputs.unwrap_or_default())
            }
            (None, GroupKind::Undo) => {
                self.all_undone();
                Ok(())
            }
        }
    }

    fn forget(&mut self, kind: GroupKind) {
        match kind {
            GroupKind::Each { size, .. } => self.run.room.give(size),
            GroupKind::Branches { done, .. } => {
                done.into_iter()
                    .flatten()
                    .for_each(|(mut variables, _)| variables.release(&mut self.run.room));
            }
            GroupKind::Flow { .. } | GroupKind::Undo => {}
        }
    }

    /// What the branches that are kept wrote, in their order.
    fn merge(&mut self, done: Vec<Option<(Variables, Vec<usize>)>>, is_kept: impl Fn(usize) -> bool) {
        let slots = &self.plan.slots;
        let ended = done.into_iter().enumerate().filter_map(|(index, done)| Some((index, done?)));
        for (index, (mut variables, steps)) in ended {
            if is_kept(index) {
                self.roots.take_steps(self.plan, self.strand, &variables, &steps);
                self.strand.variables.merge(&mut self.run.room, &mut variables, |at| is_root(slots, at));
            }
            variables.release(&mut self.run.room);
        }
    }
}
