//! Lays out what goes round or waits: `for_each`, `repeat`, `wait`.

use std::time::Duration;

use flowrun_machine::{EachPlan, Op, Pause, StreamPlan};
use flowrun_template::{Slot, duration};

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Keys, StepNode, wrong_shape};
use crate::node::Node;

const FOR_EACH: &[&str] = &["in", "as", "concurrency", "max_items", "collect"];
const REPEAT: &[&str] = &["max", "until", "every"];
const WAIT: &[&str] = &["until", "before", "event", "key", "where", "webhook"];
/// Ways to wait for something from outside.
const WAIT_OUTSIDE: &[&str] = &["event", "webhook"];
/// The most items of a loop under way at once.
const MOST_AT_ONCE: u64 = 1_000;
/// The most turns of a `repeat`.
const MOST_TURNS: u64 = 1_000_000;

/// What a `for_each` says beside its body.
struct Loop<'n> {
    list: &'n Node,
    path: String,
    item: Option<&'n str>,
    concurrency: usize,
    max_items: usize,
    collect: Option<&'n Node>,
}

impl Compiler<'_, '_, '_> {
    /// A loop over a list: its items run in scopes of their own, which only `collect` leaves (L-13).
    pub(crate) fn for_each(
        &mut self,
        step: &StepNode<'_>,
        node: &Node,
        steps: &[StepNode<'_>],
        (scope, path): (usize, &str),
    ) {
        let Some(read) = self.loop_of(node, path) else { return };
        let items = self.logic(read.list, &read.path);
        let before = self.reach.clone();
        let item = self.slots.intern(read.item.unwrap_or("item"));
        let begin = self.op(Op::Each { each: 0 });
        let body = self.here();
        self.reach.set(item);
        let outer = (self.has_index, self.has_item);
        (self.has_index, self.has_item) = (true, read.item.is_none());
        self.refuse_questions_at_once(steps, read.concurrency);
        self.apart(|compiler| compiler.block(steps));
        let collect = read.collect.and_then(|node| self.logic(node, &format!("{path}.collect")));
        (self.has_index, self.has_item) = outer;
        let collects = collect.is_some();
        self.op(Op::EndStrand { collect });
        let reader = self.reader(read.list);
        self.reach = before;
        self.collected(step, scope, read.collect.is_some());
        let (concurrency, max_items, then) = (read.concurrency, read.max_items, self.here());
        let Some(items) = items else { return };
        let index = self.slots.find("index");
        // Only now: loops within the body have taken their places.
        self.ops[begin] = Op::Each { each: self.eaches.len() };
        if let Some((id, stream)) = reader {
            self.readers.push((id, self.eaches.len(), stream));
        }
        self.eaches.push(EachPlan {
            items,
            item,
            index,
            stream: None,
            concurrency,
            max_items,
            collects,
            body,
            then,
        });
    }

    /// Whether a list is nothing but the items of a paged step before it, in the same stretch of the flow: then the
    /// pages may come as they are needed. Lays the op that fetches one.
    fn reader(&mut self, list: &Node) -> Option<(String, StreamPlan)> {
        let id = list.text()?.trim().strip_prefix("steps.")?.strip_suffix(".output.items")?;
        let (stretch, call) = *self.paged.get(id)?;
        if stretch != self.stretch {
            return None;
        }
        let outer = self.owner.replace(self.callers[call]);
        let fetch = self.op(Op::Call { call });
        self.owner = outer;
        Some((id.to_owned(), StreamPlan { call, fetch }))
    }

    fn loop_of<'n>(&mut self, node: &'n Node, path: &str) -> Option<Loop<'n>> {
        let max_items = self.max_items;
        if node.entries().is_none() {
            let path = path.to_owned();
            return Some(Loop { list: node, path, item: None, concurrency: 1, max_items, collect: None });
        }
        let mut keys = Keys::of(node, path, self.problems)?;
        let Some(list) = keys.take("in") else {
            self.missing_of(keys, ("in", FOR_EACH), node);
            return None;
        };
        let at = |keys: &Keys<'_>, key| keys.path_of(key);
        let concurrency = keys.take("concurrency");
        let concurrency =
            concurrency.and_then(|node| self.whole(node, &at(&keys, "concurrency"), MOST_AT_ONCE));
        let most = keys.take("max_items");
        let most = most.and_then(|node| self.whole(node, &at(&keys, "max_items"), max_items as u64));
        let read = Loop {
            list,
            path: at(&keys, "in"),
            item: keys.take("as").and_then(Node::text),
            concurrency: concurrency.unwrap_or(1),
            max_items: most.unwrap_or(max_items),
            collect: keys.take("collect"),
        };
        keys.refuse_rest(FOR_EACH, self.problems);
        Some(read)
    }

    /// Where the collected list goes.
    fn collected(&mut self, step: &StepNode<'_>, scope: usize, collects: bool) {
        let Some(into) = step.into else { return };
        if !collects {
            let path = format!("{}.into", step.path);
            let message = "`into` takes what `collect` gathers, and there is none";
            let problem = self.problems.error(Code::MissingKey, (&path, into.bytes.clone()), message);
            problem.set_help("for_each: { in: …, collect: item.name }");
        }
        let slot: Option<Slot> = into.text().and_then(|name| self.slots.find(name));
        self.scopes[scope].into = slot;
        if let Some(slot) = slot {
            self.reach.set(slot);
        }
    }

    /// Turns in the surrounding scope, until a condition holds after one of them (L-13).
    pub(crate) fn repeat(&mut self, node: &Node, steps: &[StepNode<'_>], path: &str) {
        let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
        let Some(max) = keys.take("max") else { return self.missing_of(keys, ("max", REPEAT), node) };
        let max = self.whole(max, &keys.path_of("max"), MOST_TURNS).unwrap_or(1) as u64;
        let every = keys.take("every").and_then(|node| self.duration(node, &keys.path_of("every")));
        let (until, until_path) = (keys.take("until"), keys.path_of("until"));
        keys.refuse_rest(REPEAT, self.problems);
        let first = self.op(Op::FirstTurn { index: None });
        let body = self.here();
        let outer = std::mem::replace(&mut self.has_index, true);
        self.apart(|compiler| compiler.block(steps));
        let until = until.and_then(|node| self.logic(node, &until_path));
        self.has_index = outer;
        let index = self.slots.find("index");
        if let Op::FirstTurn { index: known } = &mut self.ops[first] {
            *known = index;
        }
        self.op(Op::NextTurn { until, max, every, index, body });
    }

    /// Waits for a while, until a moment, or for something from outside.
    pub(crate) fn wait(&mut self, step: &StepNode<'_>, node: &Node, (scope, path): (usize, &str)) {
        if WAIT_OUTSIDE.iter().any(|key| node.get(key).is_some()) {
            return self.wait_outside(step, node, (scope, path));
        }
        self.refuse_into(step);
        if node.entries().is_none() {
            return self.wait_for(node, path);
        }
        let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
        let Some(until) = keys.take("until") else { return self.missing_of(keys, ("until", WAIT), node) };
        let before = keys.take("before").and_then(|node| self.duration(node, &keys.path_of("before")));
        let at = self.logic(until, &keys.path_of("until"));
        for key in ["key", "where"] {
            if let Some((key, _)) = keys.entry(key) {
                let message = format!("`{}` chooses among events, and this waits for a moment", key.text);
                let path = keys.path_of(&key.text);
                let problem = self.problems.error(Code::UnknownKey, (&path, key.bytes.clone()), message);
                problem.set_help("leave it out, or wait for an event: wait: { event: paid, key: \"7\" }");
            }
        }
        keys.refuse_rest(WAIT, self.problems);
        if let Some(at) = at {
            self.op(Op::Pause(Pause::Until { at, before: before.unwrap_or(Duration::ZERO) }));
        }
    }

    /// A wait for time gives nothing to keep.
    fn refuse_into(&mut self, step: &StepNode<'_>) {
        let Some(into) = step.into else { return };
        let (path, message) = (format!("{}.into", step.path), "a wait for time gives nothing to keep");
        self.problems.error(Code::UnknownKey, (&path, into.bytes.clone()), message).set_help("leave it out");
    }

    fn wait_for(&mut self, node: &Node, path: &str) {
        let text = node.text().unwrap_or_default();
        if !text.contains("{{") && duration::parse(text).is_err() {
            self.duration(node, path);
        }
        let text = self.text(node, path);
        self.op(Op::Pause(Pause::For(text)));
    }

    /// A whole number from 1 on.
    pub(crate) fn whole(&mut self, node: &Node, path: &str, most: u64) -> Option<usize> {
        let number = node.text().and_then(|text| text.replace('_', "").parse::<u64>().ok());
        let number = number.filter(|number| (1..=most).contains(number));
        if number.is_none() {
            let key = path.rsplit('.').next().unwrap_or(path);
            let wanted = format!("`{key}` is a whole number from 1 to {most}");
            wrong_shape(self.problems, (path, node), &wanted, &format!("{key}: {}", most.min(10)));
        }
        number.and_then(|number| usize::try_from(number).ok())
    }
}
