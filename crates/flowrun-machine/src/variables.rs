//! What the names of a flow stand for in one run, and how much room they take.
//!
//! Values are shared, never copied: writing replaces an `Arc`. Sizes are counted as JSON when a value
//! arrives, so a limit (L-3) costs nothing later. Reserved roots stand in slots too, uncounted.

use std::sync::Arc;

use flowrun_template::{ErrorKind, Scope, Slot};
use serde_json::Value;

use crate::failure::Failure;
use crate::plan::Plan;

/// How much room the variables of all strands take together (L-3).
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) used: usize,
    most: usize,
}

impl Room {
    /// What the flow that is started allows the whole run.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self { used: 0, most: plan.max_state }
    }

    /// Takes room for `size` bytes in place of `before`.
    pub(crate) fn take(&mut self, size: usize, before: usize) -> Result<(), Box<Failure>> {
        let used = self.used - before.min(self.used) + size;
        if used > self.most {
            let message = format!("the variables of this run take more than {} bytes", self.most);
            return Err(limit(message, "keep less of each reply, or raise the flow's `limits`"));
        }
        self.used = used;
        Ok(())
    }

    /// Gives room back.
    pub(crate) fn give(&mut self, size: usize) {
        self.used -= size.min(self.used);
    }
}

/// The variables of one strand: what it saw when it began, and what it has written since.
///
/// A strand that forks shares every value with its children; whoever writes replaces an `Arc` of its own.
#[derive(Debug)]
pub(crate) struct Variables {
    values: Vec<Option<Arc<Value>>>,
    /// Bytes as JSON, of what this strand wrote itself.
    own: Vec<Option<usize>>,
}

impl Scope for Variables {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.values.get(slot.index())?.as_deref()
    }
}

impl Variables {
    pub(crate) fn new(slots: usize) -> Self {
        Self { values: vec![None; slots], own: vec![None; slots] }
    }

    /// The variables of a child: it sees what is here now, and has written nothing.
    pub(crate) fn forked(&self) -> Self {
        Self { values: self.values.clone(), own: vec![None; self.own.len()] }
    }

    /// Some of what is here now, for a strand that comes later; it has written nothing.
    pub(crate) fn only(&self, slots: &[Slot]) -> Self {
        let mut only = Self::new(self.values.len());
        for slot in slots {
            only.values[slot.index()].clone_from(&self.values[slot.index()]);
        }
        only
    }

    /// Every slot in order: what it stands for, and the room that takes if this strand wrote it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Option<&Arc<Value>>, Option<usize>)> {
        self.values.iter().map(Option::as_ref).zip(self.own.iter().copied())
    }

    /// Puts back what an entry was; the room it takes is counted already.
    pub(crate) fn put(&mut self, slot: Slot, value: Option<Arc<Value>>, size: Option<usize>) {
        self.values[slot.index()] = value;
        self.own[slot.index()] = size;
    }

    /// Writes a new value.
    pub(crate) fn write(
        &mut self,
        plan: &Plan,
        room: &mut Room,
        slot: Slot,
        value: Value,
    ) -> Result<(), Box<Failure>> {
        let size = json_size(&value);
        self.keep(plan, room, slot, (Arc::new(value), size))
    }

    /// Lets `to` stand for what `from` stands for now; false if that is nothing.
    pub(crate) fn share(
        &mut self,
        plan: &Plan,
        room: &mut Room,
        (from, to): (Slot, Slot),
    ) -> Result<bool, Box<Failure>> {
        let Some(value) = self.values.get(from.index()).cloned().flatten() else { return Ok(false) };
        let size = self.own[from.index()].unwrap_or_else(|| json_size(&value));
        self.keep(plan, room, to, (value, size)).map(|()| true)
    }

    /// Takes over what a child wrote, in place of what stands here; reserved roots stay as they are.
    pub(crate) fn merge(&mut self, room: &mut Room, child: &mut Self, is_root: impl Fn(usize) -> bool) {
        for at in 0..child.own.len() {
            if let Some(size) = child.own[at].take().filter(|_| !is_root(at)) {
                room.give(self.own[at].replace(size).unwrap_or_default());
                self.values[at] = child.values[at].take();
            }
        }
    }

    /// Lets everything go; what was written here takes no room any more.
    pub(crate) fn release(&mut self, room: &mut Room) {
        room.give(self.own.iter().flatten().sum());
        self.own.clear();
        self.values.clear();
    }

    /// Puts a reserved root's value in place and gives back what stood there.
    pub(crate) fn swap_root(&mut self, slot: Slot, value: Option<Arc<Value>>) -> Option<Arc<Value>> {
        let place = self.values.get_mut(slot.index())?;
        std::mem::replace(place, value)
    }

    /// A reserved root's value, to be changed in place.
    pub(crate) fn root_mut(&mut self, slot: Slot) -> Option<&mut Value> {
        self.values.get_mut(slot.index())?.as_mut().map(Arc::make_mut)
    }

    fn keep(
        &mut self,
        plan: &Plan,
        room: &mut Room,
        slot: Slot,
        (value, size): (Arc<Value>, usize),
    ) -> Result<(), Box<Failure>> {
        if size > plan.max_variable {
            let name = plan.slots.name(slot);
            let message = format!("variable `{name}` is larger than {} bytes", plan.max_variable);
            return Err(limit(message, "keep only the part the flow needs, or raise the flow's `limits`"));
        }
        room.take(size, self.own[slot.index()].unwrap_or_default())?;
        self.own[slot.index()] = Some(size);
        self.values[slot.index()] = Some(value);
        Ok(())
    }
}

fn limit(message: String, help: &str) -> Box<Failure> {
    Box::new(Failure { help: Some(help.to_owned()), ..Failure::new(ErrorKind::Limit, message) })
}

/// How many bytes a value takes as JSON, without writing it.
pub(crate) fn json_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => number_size(number),
        Value::String(text) => text_size(text),
        Value::Array(items) => 1 + items.len().max(1) + items.iter().map(json_size).sum::<usize>(),
        Value::Object(members) => {
            let inside: usize =
                members.iter().map(|(key, value)| text_size(key) + 1 + json_size(value)).sum();
            1 + members.len().max(1) + inside
        }
    }
}

fn number_size(number: &serde_json::Number) -> usize {
    match number.as_u64() {
        Some(0) => 1,
        Some(whole) => whole.ilog10() as usize + 1,
        None => number.to_string().len(),
    }
}

fn text_size(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..=0x1f => 5,
        _ => 0,
    };
    2 + text.len() + text.bytes().map(escaped).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_values_size_is_that_of_its_json_l_3(value in values()) {
            prop_assert_eq!(json_size(&value), value.to_string().len());
        }
    }
}
