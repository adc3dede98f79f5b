//! Which variables are sure to have a value at a point of the flow, and which may have one.

use flowrun_template::Slot;

/// What is known at one point: in every run that gets there, and in some.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    sure: Bits,
    maybe: Bits,
    /// No run gets here: what came before ends it.
    is_dead: bool,
}

impl Reach {
    /// The variable has a value from here on.
    pub(crate) fn set(&mut self, slot: Slot) {
        self.sure.insert(slot.index());
        self.maybe.insert(slot.index());
    }

    /// The variable may have a value from here on.
    pub(crate) fn may_set(&mut self, slot: Slot) {
        self.maybe.insert(slot.index());
    }

    /// No run goes on from here.
    pub(crate) fn end(&mut self) {
        self.is_dead = true;
    }

    /// Whether no run gets here.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// Whether any way of the flow gives it a value, those included that ended before this point.
    pub(crate) fn may_ever_be(&self, slot: Slot) -> bool {
        self.maybe.has(slot.index())
    }

    pub(crate) fn is_sure(&self, slot: Slot) -> bool {
        self.is_dead || self.sure.has(slot.index())
    }

    pub(crate) fn is_possible(&self, slot: Slot) -> bool {
        self.is_dead || self.maybe.has(slot.index())
    }

    /// Where two ways meet.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self.is_dead, other.is_dead) {
            (true, _) => Self { maybe: self.maybe.or(&other.maybe), ..other },
            (_, true) => Self { maybe: self.maybe.or(&other.maybe), ..self },
            _ => {
                Self { sure: self.sure.and(&other.sure), maybe: self.maybe.or(&other.maybe), is_dead: false }
            }
        }
    }

    /// Somewhere within a step that began here and got at most as far as `after`.
    pub(crate) fn interrupted(&self, after: &Self) -> Self {
        Self { sure: self.sure.clone(), maybe: self.maybe.or(&after.maybe), is_dead: self.is_dead }
    }

    /// The same, and what `also` is sure of (a `finally` that ran in between).
    pub(crate) fn and_then(&self, also: &Self) -> Self {
        Self {
            sure: self.sure.or(&also.sure),
            maybe: self.maybe.or(&also.maybe),
            is_dead: self.is_dead || also.is_dead,
        }
    }
}

/// A set of small numbers.
#[derive(Debug, Clone, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, at: usize) {
        if self.0.len() <= at / 64 {
            self.0.resize(at / 64 + 1, 0);
        }
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    fn or(&self, other: &Self) -> Self {
        let longest = self.0.len().max(other.0.len());
        let word = |bits: &Self, at: usize| bits.0.get(at).copied().unwrap_or_default();
        Self((0..longest).map(|at| word(self, at) | word(other, at)).collect())
    }
}
