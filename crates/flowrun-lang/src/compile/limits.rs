//! The flow's `limits`, beneath the host's ceilings (L-3, N8).

use std::time::Duration;

use flowrun_template::duration;

use crate::bundle::DEPTH;
use crate::code::Code;
use crate::compile::Compiler;
use crate::document::Keys;
use crate::node::Node;

/// What a run may take.
pub(super) struct Limits {
    pub(super) steps: u64,
    pub(super) state: usize,
    pub(super) variable: usize,
    pub(super) items: usize,
    pub(super) call_depth: usize,
    pub(super) age: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DEFAULT: Limits = Limits {
    steps: 10_000,
    state: 8 * 1024 * 1024,
    variable: 1024 * 1024,
    items: 10_000,
    call_depth: DEPTH,
    age: DAY.saturating_mul(30),
};
/// The host's ceiling on the age of a run.
const MOST_AGE: Duration = DAY.saturating_mul(366);
/// The host's ceiling on steps; the sizes' ceilings are their defaults (N8).
const MOST_STEPS: u64 = 100_000_000;
/// The host's ceiling on the items of one loop.
const MOST_ITEMS: u64 = 10_000_000;

impl Compiler<'_, '_, '_> {
    pub(super) fn limits(&mut self, node: Option<&Node>) -> Limits {
        let Some(mut keys) = node.and_then(|node| Keys::of(node, "limits", self.problems)) else {
            return DEFAULT;
        };
        let mut take = |key: &str, default: u64, most: u64| {
            let path = keys.path_of(key);
            keys.take(key).and_then(|node| self.limit(node, &path, most)).unwrap_or(default)
        };
        let steps = take("steps", DEFAULT.steps, MOST_STEPS);
        let state = take("state", DEFAULT.state as u64, DEFAULT.state as u64);
        let variable = take("variable", DEFAULT.variable as u64, DEFAULT.variable as u64);
        let items = take("items", DEFAULT.items as u64, MOST_ITEMS);
        let call_depth = take("call_depth", DEPTH as u64, DEPTH as u64);
        let (age, path) = (keys.take("age"), keys.path_of("age"));
        let age = age.and_then(|node| self.age(node, &path)).unwrap_or(DEFAULT.age);
        keys.refuse_rest(&["steps", "state", "variable", "items", "call_depth", "age"], self.problems);
        let bytes = |limit: u64, default: usize| usize::try_from(limit).unwrap_or(default);
        Limits {
            steps,
            state: bytes(state, DEFAULT.state),
            variable: bytes(variable, DEFAULT.variable),
            items: bytes(items, DEFAULT.items),
            call_depth: bytes(call_depth, DEFAULT.call_depth),
            age,
        }
    }

    fn age(&mut self, node: &Node, path: &str) -> Option<Duration> {
        let age = self.duration(node, path)?;
        if age.is_zero() || age > MOST_AGE {
            let message = format!("this limit is a duration of at most {}", duration::format(MOST_AGE));
            let problem = self.problems.error(Code::WrongShape, (path, node.bytes.clone()), message);
            problem.set_help("age: 90d");
        }
        Some(age)
    }

    fn limit(&mut self, node: &Node, path: &str, most: u64) -> Option<u64> {
        let limit = node
            .text()
            .and_then(|text| text.replace('_', "").parse().ok())
            .filter(|limit| (1..=most).contains(limit));
        if limit.is_none() {
            let message = format!("this limit is a whole number from 1 to {most}");
            let problem = self.problems.error(Code::WrongShape, (path, node.bytes.clone()), message);
            let key = path.rsplit('.').next().unwrap_or(path);
            problem.set_help(format!("{key}: {most}"));
        }
        limit
    }
}
