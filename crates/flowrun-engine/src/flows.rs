//! The flows that a tenant has published, and which of them a message or an event starts (R8).

mod route;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flowrun_lang::trigger::{Match, MessageTrigger, Trigger, WebhookTrigger};
use flowrun_lang::{Catalog, Code, Diagnostic, Flow, Flows, SourceText, Unread, check_with};
use flowrun_machine::Placed;
use flowrun_template::{Logic, Scope, Slot};
use jiff::Timestamp;
use serde_json::Value;

use crate::host::Published;
use route::Keyword;
pub(crate) use route::{Turn, route};

/// The flows of one tenant.
#[derive(Debug, Default)]
pub(crate) struct FlowSet {
    flows: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    file: String,
    flow: Arc<Flow>,
    /// What it listens to, prepared: every message is compared with it.
    keywords: Vec<Keyword>,
}

/// The files of a set: a flow calls others by their paths.
struct Files<'a> {
    files: &'a BTreeMap<String, Vec<u8>>,
    folder: &'a str,
}

impl Flows for Files<'_> {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let file = if self.folder.is_empty() { path.to_owned() } else { format!("{}/{path}", self.folder) };
        let missing = || Unread::Because("the set has no such file".to_owned());
        let bytes = self.files.get(&file).ok_or_else(missing)?;
        SourceText::new(&file, bytes.clone()).map_err(|diagnostic| Unread::Unusable(Box::new(diagnostic)))
    }
}

impl FlowSet {
    /// Checks a whole set: every `*.yaml` and `*.yml` in it is a flow, but for tests of flows.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn check(
        files: &BTreeMap<String, Vec<u8>>,
        catalog: &Catalog,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (mut set, mut problems) = (Self::default(), Vec::new());
        for (file, bytes) in files.iter().filter(|(file, _)| is_flow(file)) {
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let source = match SourceText::new(file, bytes.clone()) {
                Ok(source) => source,
                Err(diagnostic) => {
                    problems.push(diagnostic);
                    continue;
                }
            };
            let checked = check_with(&source, catalog, &Files { files, folder });
            match checked.flow {
                Some(flow) => problems.extend(set.add(file, flow)),
                None => problems.extend(checked.diagnostics),
            }
        }
        problems.extend(set.alike());
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    fn add(&mut self, file: &str, flow: Flow) -> Option<Diagnostic> {
        let name = flow.name().to_owned();
        if let Some(other) = self.flows.get(&name) {
            let message = format!("two flows are called `{name}`: this one and {}", other.file);
            let problem = Diagnostic::error(Code::Trigger, message).at(flow.place("name", None));
            return Some(problem.help("give each its own `name:`"));
        }
        let keywords = match flow.trigger() {
            Some(Trigger::Message(trigger)) => Keyword::all(trigger),
            _ => Vec::new(),
        };
        self.flows.insert(name, Entry { file: file.to_owned(), flow: Arc::new(flow), keywords });
        None
    }

    /// Flows that would take the same message, or the same call (R8).
    fn alike(&self) -> Vec<Diagnostic> {
        let all: Vec<&Entry> = self.flows.values().collect();
        let mut problems = Vec::new();
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                if let Some(what) = clash(one.flow.trigger(), other.flow.trigger()) {
                    let message = format!("{what} starts this flow and {} alike", one.file);
                    let problem = Diagnostic::error(Code::Trigger, message);
                    let place = other.flow.place("trigger", None);
                    problems.push(
                        problem.at(place).help("let them differ: in keywords, in channels, or by `if`"),
                    );
                }
            }
        }
        problems
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Flow>> {
        self.flows.get(name).map(|entry| &entry.flow)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.flows.values().map(|entry| &entry.flow)
    }

    /// The flows that listen to messages, with what each listens to.
    fn listening(&self) -> impl Iterator<Item = (&Arc<Flow>, &MessageTrigger, &[Keyword])> {
        self.flows.values().filter_map(|entry| match entry.flow.trigger() {
            Some(Trigger::Message(trigger)) => Some((&entry.flow, trigger, &entry.keywords[..])),
            _ => None,
        })
    }

    /// The flow that a call of this method and path starts, and what its trigger says.
    pub(crate) fn webhook(&self, method: &str, path: &str) -> Option<(&str, &WebhookTrigger)> {
        self.all().find_map(|flow| match flow.trigger() {
            Some(Trigger::Webhook(hook)) if hook.path == path && hook.method == method => {
                Some((flow.name(), hook))
            }
            _ => None,
        })
    }

    pub(crate) fn published(&self) -> Vec<Published> {
        let published = |(name, entry): (&String, &Entry)| Published {
            name: name.clone(),
            file: entry.file.clone(),
            hash: entry.flow.plan().hash.clone(),
            trigger: entry.flow.trigger().map(Trigger::kind),
        };
        self.flows.iter().map(published).collect()
    }
}

fn is_flow(file: &str) -> bool {
    let is_yaml = file.ends_with(".yaml") || file.ends_with(".yml");
    is_yaml && !file.ends_with(".test.yaml") && !file.ends_with(".test.yml")
}

/// What starts both flows, in words.
fn clash(one: Option<&Trigger>, other: Option<&Trigger>) -> Option<String> {
    match (one?, other?) {
        (Trigger::Message(one), Trigger::Message(other)) => message_clash(one, other),
        (Trigger::Webhook(one), Trigger::Webhook(other)) => {
            let is_same = one.path == other.path && one.method == other.method;
            is_same.then(|| format!("{} {}", one.method, one.path))
        }
        _ => None,
    }
}

fn message_clash(one: &MessageTrigger, other: &MessageTrigger) -> Option<String> {
    let meet = |left: &[String], right: &[String]| {
        left.is_empty() || right.is_empty() || left.iter().any(|name| right.contains(name))
    };
    let is_apart = one.condition.is_some()
        || other.condition.is_some()
        || one.interrupts != other.interrupts
        || one.is_default != other.is_default
        || !meet(&one.channels, &other.channels)
        || !meet(&one.accounts, &other.accounts);
    if is_apart {
        return None;
    }
    if one.keywords.is_empty() && other.keywords.is_empty() {
        return Some("any message".to_owned());
    }
    let is_same = |left: &str, right: &str| match one.how {
        Match::Regex => left == right,
        _ => route::folded(left) == route::folded(right),
    };
    let shared = |keyword: &&String| other.keywords.iter().any(|right| is_same(keyword, right));
    let keyword = one.keywords.iter().find(shared).filter(|_| one.how == other.how)?;
    Some(format!("the message `{keyword}`"))
}

/// What a trigger's condition reads.
struct Triggered<'a> {
    slot: Option<Slot>,
    trigger: &'a Value,
}

impl Scope for Triggered<'_> {
    fn value(&self, slot: Slot) -> Option<&Value> {
        (self.slot == Some(slot)).then_some(self.trigger)
    }
}

/// Whether a condition holds of what would start the flow; one that fails does not.
pub(crate) fn holds(
    flow: &Flow,
    condition: Option<&Placed<Logic>>,
    (trigger, now): (&Value, Timestamp),
) -> bool {
    let Some(condition) = condition else { return true };
    let scope = Triggered { slot: flow.plan().slots.find("trigger"), trigger };
    condition.part.evaluate(&scope, now).is_ok_and(|value| value == Value::Bool(true))
}

/// The flows of every tenant.
pub(crate) type Sets = HashMap<flowrun_step::Tenant, Arc<FlowSet>>;

#[cfg(test)]
mod tests {
    use super::*;
    use flowrun_step::StepSet;

    fn check(files: &[(&str, &str)]) -> Result<FlowSet, Vec<String>> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        let checked = FlowSet::check(&files, &Catalog::new(StepSet::new()));
        checked.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_set_is_taken_whole_or_not_at_all_and_a_flow_calls_others_of_the_set() {
        let called = "name: inner\nsteps: [ { send: hi } ]\n";
        let calls = "name: outer\nsteps: [ { call: inner.yaml } ]\n";
        let set = check(&[("a/outer.yaml", calls), ("a/inner.yaml", called), ("a/x.test.yaml", "?")]);
        let names: Vec<String> = set.expect("a set").published().into_iter().map(|flow| flow.name).collect();
        assert_eq!(names, ["inner", "outer"]);
        let problems =
            check(&[("outer.yaml", "name: outer\nsteps: [ { call: gone.yaml } ]\n"), ("inner.yaml", called)]);
        assert!(problems.expect_err("a missing file")[0].contains("gone.yaml"));
    }

    /// R8: two equal matches fail `publish`.
    #[test]
    fn two_flows_that_one_message_starts_alike_are_refused_and_two_that_differ_are_not() {
        let flow = |name: &str, trigger: &str| {
            format!("name: {name}\ntrigger: {{ message: {{ {trigger} }} }}\nsteps: [ {{ send: hi }} ]\n")
        };
        for (one, other, clashes) in [
            ("keywords: [Order]", "keywords: [' order ']", true),
            ("keywords: [order]", "keywords: [order], match: prefix", false),
            ("keywords: [order], channels: [sms]", "keywords: [order], channels: [web]", false),
            ("keywords: [order]", "keywords: [order], if: trigger.choice is none", false),
            ("", "", true),
            ("", "default: true", false),
        ] {
            let checked = check(&[("a.yaml", &flow("a", one)), ("b.yaml", &flow("b", other))]);
            assert_eq!(checked.is_err(), clashes, "{one} | {other}");
        }
    }
}
