//! Runs a query over a value, in the order of RFC 9535, counting every step.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use super::compare::{compares, length};
use super::pattern::{self, Pattern};
use super::query::{Condition, Operand, Query, Segment, Selector, Start};
use crate::limits;

/// The search took more steps than its limit, or met a pattern too large to try.
#[derive(Debug)]
pub(crate) struct Exhausted;

type Outcome<T> = Result<T, Exhausted>;

/// Steps that compiling one pattern of a document counts for.
const COMPILE_STEPS: usize = 2_000;
/// Bytes of text a pattern reads for one step.
const BYTES_PER_STEP: usize = 64;

/// One search: its document, and what it may still cost.
pub(crate) struct Search<'v> {
    root: &'v Value,
    steps: usize,
    /// Patterns read from the document, so that 7,000 rows with one pattern compile it once.
    patterns: HashMap<(String, bool), Option<Regex>>,
}

/// A value, borrowed from the document, constant, or calculated.
enum Found<'v> {
    Nothing,
    There(&'v Value),
    Number(Value),
}

impl Found<'_> {
    fn get(&self) -> Option<&Value> {
        match self {
            Self::Nothing => None,
            Self::There(value) => Some(value),
            Self::Number(value) => Some(value),
        }
    }
}

impl<'v> Search<'v> {
    pub(crate) fn new(root: &'v Value) -> Self {
        Self { root, steps: limits::PATH_NODES, patterns: HashMap::new() }
    }

    fn count(&mut self, steps: usize) -> Outcome<()> {
        self.steps = self.steps.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }

    /// Every node the query finds, seen from `current`.
    pub(crate) fn nodes(&mut self, query: &Query, current: &'v Value) -> Outcome<Vec<&'v Value>> {
        let mut nodes = vec![self.start(query, current)];
        for segment in &query.segments {
            let mut found = Vec::new();
            for node in nodes {
                if segment.descends {
                    self.descend(segment, node, &mut found)?;
                } else {
                    self.children(segment, node, &mut found)?;
                }
            }
            nodes = found;
        }
        Ok(nodes)
    }

    fn start(&self, query: &Query, current: &'v Value) -> &'v Value {
        match query.start {
            Start::Root => self.root,
            Start::Current => current,
        }
    }

    /// The one node a singular query can find.
    pub(crate) fn node(&mut self, query: &Query, current: &'v Value) -> Outcome<Option<&'v Value>> {
        let mut node = self.start(query, current);
        for segment in &query.segments {
            self.count(1)?;
            let next = match segment.selectors.as_slice() {
                [Selector::Name(name)] => member(node, name),
                [Selector::Index(index)] => element(node, *index),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// The node and all beneath it, each before its children, each asked for the segment's selectors.
    fn descend(&mut self, segment: &Segment, node: &'v Value, found: &mut Vec<&'v Value>) -> Outcome<()> {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            self.count(1)?;
            self.children(segment, node, found)?;
            match node {
                Value::Array(items) => pending.extend(items.iter().rev()),
                Value::Object(members) => {
                    let first = pending.len();
                    pending.extend(members.values());
                    pending[first..].reverse();
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn children(&mut self, segment: &Segment, node: &'v Value, found: &mut Vec<&'v Value>) -> Outcome<()> {
        for selector in &segment.selectors {
            self.select(selector, node, found)?;
        }
        Ok(())
    }

    fn select(&mut self, selector: &Selector, node: &'v Value, found: &mut Vec<&'v Value>) -> Outcome<()> {
        self.count(1)?;
        let before = found.len();
        match selector {
            Selector::Name(name) => found.extend(member(node, name)),
            Selector::Index(index) => found.extend(element(node, *index)),
            Selector::Wildcard => match node {
                Value::Array(items) => found.extend(items),
                Value::Object(members) => found.extend(members.values()),
                _ => {}
            },
            Selector::Slice { start, end, step } => slice(node, (*start, *end), *step, found),
            Selector::Filter(condition) => match node {
                Value::Array(items) => self.filter(condition, items.iter(), found)?,
                Value::Object(members) => self.filter(condition, members.values(), found)?,
                _ => {}
            },
        }
        self.count(found.len() - before)
    }

    fn filter(
        &mut self,
        condition: &Condition,
        candidates: impl Iterator<Item = &'v Value>,
        found: &mut Vec<&'v Value>,
    ) -> Outcome<()> {
        for candidate in candidates {
            self.count(1)?;
            if self.holds(condition, candidate)? {
                found.push(candidate);
            }
        }
        Ok(())
    }

    fn holds(&mut self, condition: &Condition, current: &'v Value) -> Outcome<bool> {
        match condition {
            Condition::Any(conditions) => self.first(conditions, current, true),
            Condition::All(conditions) => Ok(!self.first(conditions, current, false)?),
            Condition::Not(condition) => Ok(!self.holds(condition, current)?),
            Condition::Exists(query) if query.is_singular() => Ok(self.node(query, current)?.is_some()),
            Condition::Exists(query) => Ok(!self.nodes(query, current)?.is_empty()),
            Condition::Compare { left, how, right } => {
                let left = self.value(left, current)?;
                let right = self.value(right, current)?;
                Ok(compares(left.get(), *how, right.get()))
            }
            Condition::Matches { text, pattern, whole } => {
                let text = self.value(text, current)?;
                let Some(text) = text.get().and_then(Value::as_str) else { return Ok(false) };
                self.count(text.len() / BYTES_PER_STEP)?;
                self.matches(text, pattern, *whole, current)
            }
        }
    }

    /// Whether any of the conditions is `wanted`; the rest is not asked.
    fn first(&mut self, conditions: &[Condition], current: &'v Value, wanted: bool) -> Outcome<bool> {
        for condition in conditions {
            if self.holds(condition, current)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn matches(&mut self, text: &str, pattern: &Pattern, whole: bool, current: &'v Value) -> Outcome<bool> {
        let operand = match pattern {
            Pattern::Literal(regex) => return Ok(regex.as_ref().is_some_and(|regex| regex.is_match(text))),
            Pattern::Document(operand) => operand,
        };
        let source = self.value(operand, current)?;
        let Some(source) = pattern::of_document(source.get()).map_err(|()| Exhausted)? else {
            return Ok(false);
        };
        let key = (source.to_owned(), whole);
        if !self.patterns.contains_key(&key) {
            self.count(COMPILE_STEPS)?;
            let compiled = pattern::compile(source, whole);
            self.patterns.insert(key.clone(), compiled);
        }
        // Text that is no regular expression matches nothing (RFC 9535, 2.4.6).
        Ok(self.patterns.get(&key).and_then(Option::as_ref).is_some_and(|regex| regex.is_match(text)))
    }

    fn value<'a>(&mut self, operand: &'a Operand, current: &'v Value) -> Outcome<Found<'a>>
    where
        'v: 'a,
    {
        Ok(match operand {
            Operand::Literal(value) => Found::There(value),
            Operand::Singular(query) => self.node(query, current)?.map_or(Found::Nothing, Found::There),
            Operand::Length(inner) => match self.value(inner, current)?.get().and_then(length) {
                Some(length) => Found::Number(length.into()),
                None => Found::Nothing,
            },
            Operand::Count(query) => Found::Number(self.nodes(query, current)?.len().into()),
            Operand::Value(query) => match self.nodes(query, current)?.as_slice() {
                [only] => Found::There(only),
                _ => Found::Nothing,
            },
        })
    }
}

fn member<'v>(node: &'v Value, name: &str) -> Option<&'v Value> {
    node.as_object()?.get(name)
}

fn element(node: &Value, index: i64) -> Option<&Value> {
    let items = node.as_array()?;
    let length = i64::try_from(items.len()).ok()?;
    let index = if index < 0 { length.checked_add(index)? } else { index };
    items.get(usize::try_from(index).ok()?)
}

/// RFC 9535, 2.3.4.2.2.
fn slice<'v>(
    node: &'v Value,
    (start, end): (Option<i64>, Option<i64>),
    step: i64,
    found: &mut Vec<&'v Value>,
) {
    let Value::Array(items) = node else { return };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let normal = |index: i64| if index >= 0 { index } else { length + index };
    if step > 0 {
        let lower = normal(start.unwrap_or(0)).clamp(0, length);
        let upper = normal(end.unwrap_or(length)).clamp(0, length);
        let stride = usize::try_from(step).unwrap_or(usize::MAX);
        let range = usize::try_from(lower).unwrap_or(0)..usize::try_from(upper.max(lower)).unwrap_or(0);
        found.extend(items[range].iter().step_by(stride));
    } else if step < 0 {
        let upper = start.map_or(length - 1, normal).clamp(-1, length - 1);
        let lower = end.map_or(-1, normal).clamp(-1, length - 1);
        let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
        let range =
            usize::try_from(lower + 1).unwrap_or(0)..usize::try_from(upper.max(lower) + 1).unwrap_or(0);
        found.extend(items[range].iter().rev().step_by(stride));
    }
}
