//! A run: everything that changes while a plan is walked.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use flowrun_template::{Slot, Slots};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Happening;
use crate::group::Group;
use crate::outside::Opening;
use crate::plan::Plan;
use crate::roots::Roots;
use crate::strand::{Blocked, CallState, Pending, Reason, Strand, StrandEnd, StrandId};
use crate::undo::Undo;
use crate::variables::Room;

/// One run of a plan: its strands, and what they share.
#[derive(Debug)]
pub struct Run {
    pub(crate) id: String,
    /// The time of the event under way; it never goes back.
    pub(crate) now: Timestamp,
    /// Every strand that is not being walked; the flow's own is the first.
    pub(crate) strands: BTreeMap<StrandId, Strand>,
    /// Those that wait for nothing.
    pub(crate) ready: BTreeSet<StrandId>,
    /// What strands wait for together, by number.
    pub(crate) groups: BTreeMap<u64, Group>,
    /// What strands have to tell one another.
    pub(crate) news: VecDeque<(StrandId, News)>,
    /// Which strand made a call.
    pub(crate) calls: HashMap<u64, StrandId>,
    pub(crate) timers: BTreeMap<u64, Due>,
    /// Which strand waits for something from outside.
    pub(crate) waits: HashMap<u64, StrandId>,
    pub(crate) opening: Opening,
    /// Whether somebody has cancelled it: what is in doubt is then left so.
    pub(crate) is_cancelled: bool,
    /// Whether whoever started it has been answered.
    pub(crate) is_answered: bool,
    /// Where each flow of the bundle keeps its reserved names.
    pub(crate) roots: Vec<Roots>,
    pub(crate) room: Room,
    pub(crate) undo: Undo,
    pub(crate) steps_used: u64,
    pub(crate) is_over: bool,
    pub(crate) next_op: u64,
    pub(crate) next_strand: StrandId,
}

/// A timer that is running.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) strand: StrandId,
    pub(crate) what: Timer,
    pub(crate) at: Timestamp,
}

/// Something one strand tells another.
#[derive(Debug)]
pub(crate) enum News {
    /// Leave, for this reason.
    Leave(Reason),
    /// A strand of this group ended.
    Ended { group: u64, index: usize, end: StrandEnd },
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Timer {
    /// The time of the frame at this depth.
    Scope(usize),
    /// The limit of the `finally` of the frame at this depth.
    Finally(usize),
    Backoff,
    Abort,
    /// A pause of the flow's own.
    Pause,
    /// The time for an answer.
    Answer,
    /// The age that the run may come to.
    Age,
}

/// The flow's own strand.
pub(crate) const MAIN: StrandId = 0;

impl Run {
    /// A run that has not begun. The id is the caller's; keys and waits of the run derive from it.
    #[must_use]
    pub fn new(id: &str, plan: &Plan) -> Self {
        Self {
            id: id.to_owned(),
            now: Timestamp::MIN,
            strands: BTreeMap::from([(MAIN, Strand::main(plan.slots.len()))]),
            ready: BTreeSet::new(),
            groups: BTreeMap::new(),
            news: VecDeque::new(),
            calls: HashMap::new(),
            timers: BTreeMap::new(),
            waits: HashMap::new(),
            opening: Opening::default(),
            is_cancelled: false,
            is_answered: false,
            roots: (0..=plan.flows.len()).map(|flow| Roots::of(plan.flow(flow))).collect(),
            room: Room::of(plan),
            undo: Undo::default(),
            steps_used: 0,
            is_over: false,
            next_op: 1,
            next_strand: MAIN + 1,
        }
    }

    /// The value of a variable of the flow at this moment.
    #[must_use]
    pub fn value(&self, slot: Slot) -> Option<&Value> {
        flowrun_template::Scope::value(&self.strands.get(&MAIN)?.variables, slot)
    }

    /// A number for a command or a group; never used twice.
    pub(crate) fn number(&mut self) -> u64 {
        self.next_op += 1;
        self.next_op - 1
    }

    /// Whether something that happened changes anything: the end of what is no longer waited for does not.
    pub(crate) fn concerns(&self, what: &Happening) -> bool {
        match what {
            _ if self.is_over => false,
            Happening::Received { op, .. } => self.waits.contains_key(op),
            Happening::Called { op, .. } | Happening::Resolve { op, .. } => self.calls.contains_key(op),
            Happening::Fired { op } => self.timers.contains_key(op),
            Happening::Start { .. } => self.now == Timestamp::MIN,
            Happening::Cancel { .. } | Happening::Resume => true,
        }
    }

    /// Which flow of the bundle made a call.
    pub(crate) fn flow_of(&self, op: u64) -> usize {
        let strand = self.calls.get(&op).and_then(|strand| self.strands.get(strand));
        strand.map(|strand| strand.flow).unwrap_or_default()
    }

    /// Finds again which strand can be walked, and which waits for what.
    pub(crate) fn index(&mut self) {
        for (id, strand) in &self.strands {
            match &strand.blocked {
                _ if strand.is_ready() => drop(self.ready.insert(*id)),
                Some(Blocked::Call(Pending { state: CallState::Backoff(_), .. })) => {}
                Some(Blocked::Call(pending)) => drop(self.calls.insert(pending.op, *id)),
                Some(Blocked::Await { op, .. }) => drop(self.waits.insert(*op, *id)),
                Some(Blocked::Pause { .. } | Blocked::Join(_)) | None => {}
            }
        }
    }

    /// Adds a strand that can be walked.
    pub(crate) fn add(&mut self, strand: Strand) -> StrandId {
        let id = self.next_strand;
        self.next_strand += 1;
        self.strands.insert(id, strand);
        self.ready.insert(id);
        id
    }
}

/// Whether a slot is one of the language's own names, which no merge carries over.
pub(crate) fn is_root(slots: &Slots, at: usize) -> bool {
    ["steps", "error", "now", "run", "trigger", "conversation", "callbacks"]
        .iter()
        .any(|name| slots.find(name).is_some_and(|slot| slot.index() == at))
}
