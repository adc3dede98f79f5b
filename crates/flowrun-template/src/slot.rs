//! Numbers for names: a flow's variables and reserved roots, interned once.
//!
//! A [`Slot`] is only meaningful together with the [`Slots`] that gave it. What a slot holds at a given
//! moment is the business of whoever implements [`Scope`].

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

/// The number of one interned name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

impl Slot {
    /// The position of this slot in its [`Slots`], counted from 0 without gaps.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of one flow, each with its [`Slot`].
#[derive(Clone, Debug, Default)]
pub struct Slots {
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, Slot>,
}

impl Slots {
    /// No names yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The slot of `name`, a new one if it has none.
    pub fn intern(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.find(name) {
            return slot;
        }
        let slot = Slot(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.by_name.insert(name, slot);
        slot
    }

    /// The slot of `name`, if it was interned.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Slot> {
        self.by_name.get(name).copied()
    }

    /// The name behind `slot`; empty for a slot of other `Slots`.
    #[must_use]
    pub fn name(&self, slot: Slot) -> &str {
        self.names.get(slot.index()).map_or("", |name| name)
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Every slot with its name, in the order of interning.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &str)> {
        self.names.iter().zip(0..).map(|(name, index)| (Slot(index), &**name))
    }
}

/// What the names of a flow stand for at one moment.
///
/// Variables and reserved roots (`steps`, `error`, `item`, `index`, `now`, `run`, `trigger`, `conversation`,
/// `callbacks`) alike. `None` is *unset*, `Some(&Value::Null)` is null.
pub trait Scope {
    /// The value in `slot`, if it has one.
    fn value(&self, slot: Slot) -> Option<&Value>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_slot_and_keeps_it() {
        let mut slots = Slots::new();
        let (a, b) = (slots.intern("a"), slots.intern("b"));
        assert_eq!((slots.intern("a"), a.index(), b.index()), (a, 0, 1));
        assert_eq!((slots.find("b"), slots.find("c"), slots.name(b)), (Some(b), None, "b"));
        assert_eq!(slots.iter().collect::<Vec<_>>(), [(a, "a"), (b, "b")]);
    }
}
