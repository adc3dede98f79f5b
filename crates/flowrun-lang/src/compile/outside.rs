//! Lays out what a flow has with the world outside while it runs: `ask`, `wait` for an event or a call, `respond`, `emit`.
//!
//! A question is a message that is sent, then a wait; what does not fit is answered with another message.

use std::sync::Arc;
use std::time::Duration;

use flowrun_machine::{
    Answers, AskPlan, AwaitPlan, BodyKind, CallPlan, EmitPlan, Op, Placed, RespondPlan, StepPlan,
};
use flowrun_template::{Effect, Slot, Tree};
use serde_json::json;

use crate::case::word;
use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{BranchNode, Keys, KindNode, StepNode, wrong_shape};
use crate::input::{Answer, Input};
use crate::node::{Key, Node};

const ASK: &[&str] = &["text", "type", "choices", "pattern", "invalid", "attempts", "timeout", "accept"];
const EVENT: &[&str] = &["event", "key", "where"];
const RESPOND: &[&str] = &["status", "headers", "json", "text"];
const EMIT: &[&str] = &["event", "key", "data"];
/// How long an answer may take where nothing is said.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many answers may be tried where nothing is said, and at most.
const ATTEMPTS: u32 = 3;
const MOST_ATTEMPTS: u64 = 20;

/// A question as it is laid out.
struct Question {
    text: Placed<Tree>,
    /// What is said to an answer that does not fit; the question again, where nothing is.
    invalid: Option<Placed<Tree>>,
    answers: Arc<dyn Answers>,
    choices: Vec<String>,
    attempts: u32,
    timeout: Duration,
    takes_earlier: bool,
    /// The input it is about; a step's answer is its output.
    input: Option<Slot>,
}

impl Compiler<'_, '_, '_> {
    /// Asks for each input that nobody gave and that has a question (L-1).
    pub(crate) fn ask_inputs(&mut self, entries: &[(Key, Node)], inputs: &[Input]) {
        for input in inputs.iter().filter(|input| input.ask.is_some()) {
            let entry = entries.iter().find(|(key, _)| key.text == input.name);
            let Some(node) = entry.and_then(|(_, node)| node.get("ask")) else { continue };
            let path = format!("inputs.{}", input.name);
            let given = self.op(Op::IfSet { slot: input.slot, to: 0 });
            let kind = "ask".to_owned();
            let outer = self.owner.replace(self.steps.len());
            self.steps.push(StepPlan { path: path.clone(), id: None, kind, is_mentioned: false });
            let question = Question {
                text: self.text(node, &format!("{path}.ask")),
                invalid: None,
                answers: Arc::new(input.clone()),
                choices: input.choices(),
                attempts: ATTEMPTS,
                timeout: PATIENCE,
                takes_earlier: false,
                input: Some(input.slot),
            };
            self.scoped(|compiler| compiler.question(question));
            self.owner = outer;
            self.land(given);
        }
    }

    /// Asks the conversation, and takes the answer for its output.
    pub(crate) fn ask(&mut self, step: &StepNode<'_>, node: &Node, (scope, path): (usize, &str)) {
        if self.undo_reads.is_some() {
            self.refuse_in_undo("ask", path, step.bytes.clone());
        }
        let into = step.into.and_then(Node::text).and_then(|name| self.slots.find(name));
        self.scopes[scope].into = into;
        if let Some(question) = self.question_of(node, path) {
            self.question(question);
        }
        if let Some(slot) = into {
            self.reach.set(slot);
        }
    }

    fn question_of(&mut self, node: &Node, path: &str) -> Option<Question> {
        let (takes_earlier, input) = (false, None);
        if node.entries().is_none() {
            let (text, answers) = (self.text(node, path), Arc::new(Answer::text()));
            let (attempts, timeout, choices) = (ATTEMPTS, PATIENCE, Vec::new());
            let invalid = None;
            return Some(Question {
                text,
                invalid,
                answers,
                choices,
                attempts,
                timeout,
                takes_earlier,
                input,
            });
        }
        let mut keys = Keys::of(node, path, self.problems)?;
        let Some(text) = keys.take("text") else {
            self.missing_of(keys, ("text", ASK), node);
            return None;
        };
        let text = self.text(text, &keys.path_of("text"));
        let answer = Answer::of(&mut keys, self.problems);
        let invalid = keys.take("invalid").map(|node| self.text(node, &keys.path_of("invalid")));
        let attempts = keys.take("attempts");
        let attempts = attempts.and_then(|node| self.whole(node, &keys.path_of("attempts"), MOST_ATTEMPTS));
        let attempts = attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(ATTEMPTS);
        let timeout = keys.take("timeout").and_then(|node| self.duration(node, &keys.path_of("timeout")));
        let timeout = timeout.unwrap_or(PATIENCE);
        let (accepts, path) = ([("after", false), ("any", true)], keys.path_of("accept"));
        let accept = keys.take("accept").and_then(|node| word(node, &path, &accepts, self.problems));
        let takes_earlier = accept.unwrap_or(takes_earlier);
        keys.refuse_rest(ASK, self.problems);
        let (choices, answers) = (answer.choices.clone(), Arc::new(answer));
        Some(Question { text, invalid, answers, choices, attempts, timeout, takes_earlier, input })
    }

    fn question(&mut self, question: Question) {
        let Question { text, invalid, answers, choices, attempts, timeout, takes_earlier, input } = question;
        self.op(Op::Ask { timeout });
        let again = invalid.unwrap_or_else(|| text.clone());
        self.message(text, &choices);
        let wait = self.awaits.len();
        let ask = AskPlan { answers, attempts, takes_earlier, input, otherwise: 0, then: 0 };
        let begin = self.op(Op::Await { at: wait });
        self.awaits.push(AwaitPlan::Answer(ask));
        let otherwise = self.here();
        self.message(again, &choices);
        self.op(Op::Jump { to: begin });
        let then = self.here();
        if let AwaitPlan::Answer(ask) = &mut self.awaits[wait] {
            (ask.otherwise, ask.then) = (otherwise, then);
        }
    }

    /// Sends one message of a question.
    fn message(&mut self, text: Placed<Tree>, choices: &[String]) {
        let mut members = vec![("text".to_owned(), text.part)];
        if !choices.is_empty() {
            members.push(("buttons".to_owned(), Tree::Constant(json!(choices))));
        }
        let settings = Placed { path: text.path, part: Tree::Map(members) };
        self.lay(CallPlan::new("send", settings, Effect::Keyed));
    }

    /// Waits for an event, or for a call of the step's own URL.
    pub(crate) fn wait_outside(&mut self, step: &StepNode<'_>, node: &Node, (scope, path): (usize, &str)) {
        if self.undo_reads.is_some() {
            self.refuse_in_undo("wait", path, step.bytes.clone());
        }
        let into = step.into.and_then(Node::text).and_then(|name| self.slots.find(name));
        self.scopes[scope].into = into;
        let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
        let plan = match keys.take("webhook") {
            Some(webhook) => {
                keys.refuse_rest(&["webhook"], self.problems);
                self.callback(step, webhook, path)
            }
            None => self.event(keys),
        };
        if let Some(plan) = plan {
            let at = self.awaits.len();
            self.awaits.push(plan);
            self.op(Op::Await { at });
        }
        if let Some(slot) = into {
            self.reach.set(slot);
        }
    }

    fn event(&mut self, mut keys: Keys<'_>) -> Option<AwaitPlan> {
        let name = self.event_name(&mut keys);
        let key = keys.take("key").map(|node| self.text(node, &keys.path_of("key")));
        let outer = std::mem::replace(&mut self.has_item, true);
        let filter = keys.take("where").and_then(|node| self.logic(node, &keys.path_of("where")));
        self.has_item = outer;
        keys.refuse_rest(EVENT, self.problems);
        Some(AwaitPlan::Event { name: name?, key, filter, item: self.slots.find("item") })
    }

    /// The name of an event: a literal, by which it is routed.
    fn event_name(&mut self, keys: &mut Keys<'_>) -> Option<String> {
        let path = keys.path_of("event");
        let node = keys.take("event")?;
        match node.text() {
            Some(name) if !name.is_empty() && !name.contains("{{") => Some(name.to_owned()),
            _ => {
                let wanted = "the name of an event is a literal text";
                wrong_shape(
                    self.problems,
                    (&path, node),
                    wanted,
                    "event: invoice_paid, and `key:` for which one",
                );
                None
            }
        }
    }

    fn callback(&mut self, step: &StepNode<'_>, node: &Node, path: &str) -> Option<AwaitPlan> {
        let at = format!("{path}.webhook");
        let mut method = "POST".to_owned();
        if !node.is_null() {
            let mut keys = Keys::of(node, &at, self.problems)?;
            if let Some(text) = keys.text("method", self.problems) {
                method = text.to_uppercase();
            }
            keys.refuse_rest(&["method"], self.problems);
        }
        let Some(id) = step.id.and_then(Node::text) else {
            let message = "a `wait` for a webhook needs an `id`: its URL is `{{callbacks.<id>}}`";
            let problem = self.problems.error(Code::NoCallback, (&at, step.bytes.clone()), message);
            problem.set_help("- id: confirmed");
            return None;
        };
        if self.has_index {
            let message = "a `wait` for a webhook cannot stand in a loop: its URL is used once";
            let problem = self.problems.error(Code::NoCallback, (&at, step.bytes.clone()), message);
            problem.set_help(
                "wait for an event with a `key` instead: wait: { event: confirmed, key: \"{{item.id}}\" }",
            );
        }
        Some(AwaitPlan::Callback { id: id.to_owned(), method })
    }

    /// Answers the caller of the webhook that started the run.
    pub(crate) fn respond(&mut self, node: &Node, path: &str) {
        let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
        let status = keys.take("status").and_then(|node| self.status(node, &keys.path_of("status")));
        let headers_path = keys.path_of("headers");
        let headers = keys.map("headers", self.problems).iter();
        let headers = headers.map(|(key, node)| {
            (
                key.text.clone(),
                self.text_for(
                    node,
                    &format!("{headers_path}.{}", key.text),
                    flowrun_template::Place::Header,
                    Default::default(),
                ),
            )
        });
        let headers = headers.collect();
        let json = keys.take("json").map(|node| (self.value(node, &keys.path_of("json")), BodyKind::Json));
        let text_path = keys.path_of("text");
        let text = keys.take("text");
        if let (Some(_), Some(text)) = (&json, text) {
            let message = "an answer has one body: `json` or `text`";
            let problem = self.problems.error(Code::WrongShape, (&text_path, text.bytes.clone()), message);
            problem.set_help("leave one of the two out");
        }
        let text = text.map(|node| (self.text(node, &text_path), BodyKind::Text));
        keys.refuse_rest(RESPOND, self.problems);
        let at = self.responds.len();
        self.responds.push(RespondPlan { status: status.unwrap_or(200), headers, body: json.or(text) });
        self.op(Op::Respond { at });
    }

    fn status(&mut self, node: &Node, path: &str) -> Option<u16> {
        let status =
            node.text().and_then(|text| text.parse().ok()).filter(|status| (200..=599).contains(status));
        if status.is_none() {
            wrong_shape(self.problems, (path, node), "`status` is a number from 200 to 599", "status: 202");
        }
        status
    }

    /// Tells of an event.
    pub(crate) fn emit(&mut self, node: &Node, path: &str) {
        let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
        if node.get("event").is_none() {
            return self.missing_of(keys, ("event", EMIT), node);
        }
        let event = self.event_name(&mut keys);
        let key = keys.take("key").map(|node| self.text(node, &keys.path_of("key")));
        let data = keys.take("data").map(|node| self.value(node, &keys.path_of("data")));
        keys.refuse_rest(EMIT, self.problems);
        if let Some(event) = event {
            let at = self.emits.len();
            self.emits.push(EmitPlan { event, key, data });
            self.op(Op::Emit { at });
        }
    }

    /// Two branches that ask one conversation: whose answer it is would depend on the order alone.
    pub(crate) fn refuse_two_questions(&mut self, branches: &[BranchNode<'_>]) {
        let asking = branches.iter().filter_map(|branch| first_question(&branch.steps));
        for step in asking.skip(1) {
            let message = "another branch asks the same conversation at the same time";
            let path = format!("{}.ask", step.path);
            let problem = self.problems.error(Code::AskedTwice, (&path, step.bytes.clone()), message);
            problem.set_help("ask before the branches part, or after they have met");
        }
    }

    /// The same of the items of a loop that are under way at once.
    pub(crate) fn refuse_questions_at_once(&mut self, steps: &[StepNode<'_>], concurrency: usize) {
        if let Some(step) = first_question(steps).filter(|_| concurrency > 1) {
            let message = "several items of this loop ask the same conversation at the same time";
            let path = format!("{}.ask", step.path);
            let problem = self.problems.error(Code::AskedTwice, (&path, step.bytes.clone()), message);
            problem.set_help("leave out `concurrency`, so that one item is asked about after the other");
        }
    }
}

/// The first question that steps ask, however deep it stands.
fn first_question<'d, 'n>(steps: &'d [StepNode<'n>]) -> Option<&'d StepNode<'n>> {
    let mut found = None;
    steps.iter().for_each(|step| {
        step.visit(&mut |step| {
            if matches!(step.kind, KindNode::Ask(_)) {
                found.get_or_insert(step);
            }
        });
    });
    found
}
