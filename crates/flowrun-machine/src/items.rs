//! The items of a `for_each`: where they come from, and how many of them are under way.
//!
//! A list is there before the loop begins. A stream gives pages as they are needed: the next is fetched, by a strand of its
//! own, once fewer items wait than may be under way at once.

use std::sync::Arc;

use flowrun_template::{ErrorKind, Slot};
use serde_json::Value;

use crate::advance::{Step, Walk};
use crate::failure::Failure;
use crate::group::{Group, GroupKind};
use crate::paging::Stream;
use crate::plan::EachPlan;
use crate::strand::{Blocked, Parent, Reason, Strand, StrandId};

/// Where the items of a loop come from; each is taken when its turn begins.
#[derive(Debug)]
pub(crate) enum Items {
    List(std::vec::IntoIter<Value>),
    Stream(Box<Stream>),
}

impl Items {
    fn take(&mut self) -> Option<Value> {
        match self {
            Self::List(items) => items.next(),
            Self::Stream(stream) => stream.queue.pop_front(),
        }
    }

    fn is_fetching(&self) -> bool {
        matches!(self, Self::Stream(stream) if stream.is_fetching)
    }
}

/// The place of the strand that fetches pages among the children of a loop.
const FETCH: usize = usize::MAX;

impl Walk<'_> {
    /// Begins a `for_each`: as many items as may run at once.
    pub(crate) fn each(&mut self, at: usize) -> Step {
        let plan = &self.plan.eaches[at];
        let stream = plan.stream.and_then(|stream| self.strand.streams.remove(&stream.call));
        let items = match stream {
            Some(stream) => Items::Stream(Box::new(stream)),
            None => Items::List(self.items(plan)?.into_iter()),
        };
        let results = match &items {
            Items::List(items) if plan.collects => vec![Value::Null; items.len()],
            _ => Vec::new(),
        };
        let id = self.group(GroupKind::Each { plan: at, items, next: 0, results, size: 0 }, plan.then);
        self.fill(id)?;
        self.strand.blocked = Some(Blocked::Join(id));
        self.joined_if_over(id)
    }

    fn items(&self, plan: &EachPlan) -> Result<Vec<Value>, Reason> {
        let list = plan.items.part.evaluate(&self.strand.variables, self.run.now);
        match list.map_err(|error| self.error(Failure::of_logic(&plan.items.path, error)))? {
            Value::Array(items) if items.len() > plan.max_items => {
                let message = format!("the list has {} items, more than {}", items.len(), plan.max_items);
                Err(self.too_many(plan, message))
            }
            Value::Array(items) => Ok(items),
            other => {
                let message = format!("`for_each` goes through a list, and this is {}", what(&other));
                let place = plan.items.path.clone();
                Err(self.error(Failure { place, ..Failure::new(ErrorKind::Type, message) }))
            }
        }
    }

    fn too_many(&self, plan: &EachPlan, message: String) -> Reason {
        let help = Some("raise `max_items`, if that many are meant".to_owned());
        let place = plan.items.path.clone();
        self.error(Failure { help, place, ..Failure::new(ErrorKind::Limit, message) })
    }

    /// Begins as many items as may be under way, and sees to those after them.
    pub(crate) fn fill(&mut self, id: u64) -> Step {
        while self.next_item(id)? {}
        self.fetch_ahead(id);
        Ok(())
    }

    /// Fetches the next page of a stream, if its items may soon be needed.
    fn fetch_ahead(&mut self, id: u64) {
        let Some(Group { kind: GroupKind::Each { plan, items: Items::Stream(stream), .. }, .. }) =
            self.run.groups.get_mut(&id)
        else {
            return;
        };
        let plan = &self.plan.eaches[*plan];
        let Some(from) = plan.stream.filter(|_| !stream.is_fetching && stream.queue.len() < plan.concurrency)
        else {
            return;
        };
        let Some(turning) = stream.next.take() else { return };
        stream.is_fetching = true;
        let fetches = Box::new((stream.settings.clone(), turning));
        let parent = Parent { trail: self.strand.trail(), ..self.parent(id, FETCH) };
        let child = Strand::at((self.strand.flow, from.fetch), self.strand.variables.forked(), Some(parent));
        self.add_child(Strand { fetches: Some(fetches), ..child });
    }

    /// The page that a loop asked for has come.
    pub(crate) fn fetched(&mut self, id: u64, page: Stream) -> Step {
        if let Some(Group { kind: GroupKind::Each { items: Items::Stream(stream), .. }, .. }) =
            self.run.groups.get_mut(&id)
        {
            stream.is_fetching = false;
            stream.queue.extend(page.queue);
            stream.next = page.next;
        }
        if self.is_staying(id) { self.fill(id) } else { Ok(()) }
    }

    /// Begins the next item; false if there is none, or as many as may be are under way.
    fn next_item(&mut self, id: u64) -> Result<bool, Reason> {
        let Some(Group { kind: GroupKind::Each { plan, items, next, .. }, live, .. }) =
            self.run.groups.get_mut(&id)
        else {
            return Ok(false);
        };
        let (index, plan) = (*next, &self.plan.eaches[*plan]);
        if live.len() - usize::from(items.is_fetching()) >= plan.concurrency {
            return Ok(false);
        }
        let Some(item) = items.take() else { return Ok(false) };
        if index >= plan.max_items {
            let message = format!("the list has more than {} items", plan.max_items);
            return Err(self.too_many(plan, message));
        }
        *next += 1;
        let child = self.begin_child(id, index, plan.body);
        if let (Some(slot), Some(strand)) = (plan.index, self.run.strands.get_mut(&child)) {
            strand.variables.swap_root(slot, Some(Arc::new(Value::from(index))));
        }
        self.give(child, plan.item, item)?;
        Ok(true)
    }

    /// Writes a variable of a child that has just begun.
    fn give(&mut self, child: StrandId, slot: Slot, value: Value) -> Step {
        let Some(strand) = self.run.strands.get_mut(&child) else { return Ok(()) };
        let written = strand.variables.write(self.plan, &mut self.run.room, slot, value);
        written.map_err(|failure| Reason::Limit(Box::new(self.located(*failure))))
    }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
