//! `retry`: how often, how long between, and for which errors (L-10).

use std::time::Duration;

use flowrun_machine::{Retry, RetryOn};

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Keys, wrong_shape};
use crate::node::Node;

const KEYS: &[&str] = &["times", "wait", "max_wait", "errors"];
/// The most further attempts: the range of the platform the seed comes from (L-10).
const MOST: u32 = 10;
/// The first wait, where the author says nothing.
const WAIT: Duration = Duration::from_secs(1);
/// The longest wait, where the author says nothing.
const MAX_WAIT: Duration = Duration::from_secs(30);

impl Compiler<'_, '_, '_> {
    pub(super) fn retry(&mut self, node: &Node, path: &str, may_repeat: bool) -> Option<Retry> {
        if !may_repeat {
            let message = "this call may do its work twice if it is repeated";
            let problem = self.problems.error(Code::UnsafeRetry, (path, node.bytes.clone()), message);
            problem.set_help(
                "give the request an `idempotency_key`; or `safe: true` if it only reads; or `unsafe: true` to repeat it all the same",
            );
        }
        if node.entries().is_none() {
            let times = self.times(node, path)?;
            return Some(Retry { times, wait: WAIT, max_wait: MAX_WAIT, errors: Vec::new() });
        }
        let mut keys = Keys::of(node, path, self.problems)?;
        let Some(times) = keys.take("times") else {
            self.missing_of(keys, ("times", KEYS), node);
            return None;
        };
        let times = self.times(times, &keys.path_of("times"))?;
        let wait =
            keys.take("wait").and_then(|node| self.duration(node, &keys.path_of("wait"))).unwrap_or(WAIT);
        let max_wait = keys.take("max_wait").and_then(|node| self.duration(node, &keys.path_of("max_wait")));
        let errors =
            keys.take("errors").map_or_else(Vec::new, |node| self.errors(node, &keys.path_of("errors")));
        keys.refuse_rest(KEYS, self.problems);
        Some(Retry { times, wait, max_wait: max_wait.unwrap_or(MAX_WAIT.max(wait)), errors })
    }

    fn times(&mut self, node: &Node, path: &str) -> Option<u32> {
        let times = node.text().and_then(|text| text.parse::<u32>().ok()).filter(|times| *times <= MOST);
        if times.is_none() {
            let wanted = format!("`retry` is a number of further attempts, 0 to {MOST}");
            wrong_shape(self.problems, (path, node), &wanted, "retry: 3");
        }
        times
    }

    fn errors(&mut self, node: &Node, path: &str) -> Vec<RetryOn> {
        let Some(items) = node.items() else {
            let help = "errors: [connect, timeout, 429, 5xx]";
            wrong_shape(self.problems, (path, node), "`errors` is a list", help);
            return Vec::new();
        };
        items.iter().enumerate().filter_map(|(at, item)| self.error(item, &format!("{path}[{at}]"))).collect()
    }

    fn error(&mut self, node: &Node, path: &str) -> Option<RetryOn> {
        let text = node.text().unwrap_or_default();
        let found = match text {
            "connect" => Some(RetryOn::Connect),
            "timeout" => Some(RetryOn::Timeout),
            "5xx" => Some(RetryOn::ServerError),
            code => code.parse().ok().filter(|code| (400..600).contains(code)).map(RetryOn::Status),
        };
        if found.is_none() {
            let message = format!("`{text}` is no error to try again for");
            let problem = self.problems.error(Code::WrongShape, (path, node.bytes.clone()), message);
            problem.set_help("one of: connect, timeout, 5xx, or a status code such as 429");
        }
        found
    }
}
