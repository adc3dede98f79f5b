//! Lays out the kinds the language itself has.

use flowrun_machine::{LogLevel, Op};

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Case, Guarded, Keys, KindNode, StepNode, wrong_shape};
use crate::node::{Key, Node};
use crate::suggest::instead;

/// The keys of `log`.
const LOG: &[&str] = &["text", "level", "data"];
/// The keys of `fail`.
const FAIL: &[&str] = &["name", "message"];

impl Compiler<'_, '_, '_> {
    /// The body of one step.
    pub(crate) fn kind(&mut self, step: &StepNode<'_>, scope: usize) {
        let path = format!("{}.{}", step.path, step.name);
        self.refuse_beside(step);
        match &step.kind {
            KindNode::Set(entries) => self.set(entries, &path),
            KindNode::Compute(entries) => self.compute(entries, &path),
            KindNode::If(guarded) => self.branches(guarded, &path),
            KindNode::Switch(cases) => self.switch(cases),
            KindNode::Do(steps) => self.block(steps),
            KindNode::ForEach(settings, steps) => self.for_each(step, settings, steps, (scope, &path)),
            KindNode::Repeat(settings, steps) => self.repeat(settings, steps, &path),
            KindNode::Parallel(branches, join) => self.parallel(step, branches, *join),
            KindNode::Flow(node) => self.call_flow(step, node, (scope, &path)),
            KindNode::Wait(node) => self.wait(step, node, (scope, &path)),
            KindNode::Ask(node) => self.ask(step, node, (scope, &path)),
            KindNode::Respond(node) => self.respond(node, &path),
            KindNode::Emit(node) => self.emit(node, &path),
            KindNode::Send(node) => self.send(step, node, scope, &path),
            KindNode::Log(node) => self.log(node, &path),
            KindNode::Fail(node) => self.fail(node, &path),
            KindNode::End(node) => self.end(node, step, &path),
            KindNode::Call(node) => self.call(step, node, scope, &path),
        }
    }

    /// `retry`, `into` and `in_doubt` belong to steps that call something.
    fn refuse_beside(&mut self, step: &StepNode<'_>) {
        let is_call = matches!(step.kind, KindNode::Call(_) | KindNode::Send(_));
        let has_output = matches!(
            step.kind,
            KindNode::ForEach(..) | KindNode::Flow(_) | KindNode::Ask(_) | KindNode::Wait(_)
        );
        let in_doubt = step.in_doubt.filter(|_| !matches!(step.kind, KindNode::Ask(_)));
        let (retry, into) = (step.retry, step.into.filter(|_| !has_output));
        for (key, node) in [("retry", retry), ("into", into), ("in_doubt", in_doubt)] {
            if let Some(node) = node.filter(|_| !is_call) {
                let message = if matches!(step.kind, KindNode::Flow(_)) {
                    "`retry` is for single calls; the steps of a called flow have their own".to_owned()
                } else {
                    format!("`{key}` is for steps that call something; `{}` does not", step.name)
                };
                let path = format!("{}.{key}", step.path);
                self.problems
                    .error(Code::UnknownKey, (&path, node.bytes.clone()), message)
                    .set_help("leave it out");
            }
        }
    }

    fn set(&mut self, entries: &[(Key, Node)], path: &str) {
        for (key, node) in entries {
            let value = self.value(node, &format!("{path}.{}", key.text));
            if let Some(slot) = self.slots.find(&key.text) {
                self.op(Op::Set { slot, value });
                self.reach.set(slot);
            }
        }
    }

    fn compute(&mut self, entries: &[(Key, Node)], path: &str) {
        for (key, node) in entries {
            let value = self.logic(node, &format!("{path}.{}", key.text));
            if let (Some(slot), Some(value)) = (self.slots.find(&key.text), value) {
                self.op(Op::Compute { slot, value });
                self.reach.set(slot);
            }
        }
    }

    fn branches(&mut self, guarded: &Guarded<'_>, path: &str) {
        let Some(condition) = self.logic(guarded.condition, path) else { return };
        let branch = self.op(Op::Branch { condition, otherwise: 0 });
        let before = self.reach.clone();
        self.block(&guarded.then);
        let jump = self.op(Op::Jump { to: 0 });
        self.land(branch);
        let then = std::mem::replace(&mut self.reach, before);
        self.block(&guarded.otherwise);
        self.land(jump);
        self.reach = std::mem::take(&mut self.reach).join(then);
    }

    /// The first case that holds; none does nothing.
    fn switch(&mut self, cases: &[Case<'_>]) {
        let (mut jumps, mut ends) = (Vec::new(), None::<crate::names::Reach>);
        for case in cases {
            let condition = case.condition.and_then(|node| self.logic(node, &format!("{}.if", case.path)));
            if case.condition.is_some() && condition.is_none() {
                continue;
            }
            let branch = condition.map(|condition| self.op(Op::Branch { condition, otherwise: 0 }));
            let before = self.reach.clone();
            self.block(&case.steps);
            jumps.push(self.op(Op::Jump { to: 0 }));
            if let Some(branch) = branch {
                self.land(branch);
            }
            let mut after = std::mem::replace(&mut self.reach, before);
            if branch.is_none() {
                // Nothing comes after `else`.
                self.reach.end();
            }
            if let Some(ends) = ends.take() {
                after = after.join(ends);
            }
            ends = Some(after);
        }
        jumps.into_iter().for_each(|jump| self.land(jump));
        if let Some(ends) = ends {
            self.reach = std::mem::take(&mut self.reach).join(ends);
        }
    }

    fn log(&mut self, node: &Node, path: &str) {
        let op = if node.entries().is_some() {
            let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
            let Some(text) = keys.take("text") else { return self.missing_of(keys, ("text", LOG), node) };
            let level = keys.take("level").and_then(|node| self.level(node, &keys.path_of("level")));
            let data = keys.take("data").map(|node| self.value(node, &keys.path_of("data")));
            let text = self.text(text, &keys.path_of("text"));
            keys.refuse_rest(LOG, self.problems);
            Op::Log { level: level.unwrap_or(LogLevel::Info), text, data }
        } else {
            Op::Log { level: LogLevel::Info, text: self.text(node, path), data: None }
        };
        self.op(op);
    }

    fn level(&mut self, node: &Node, path: &str) -> Option<LogLevel> {
        let levels = [
            ("debug", LogLevel::Debug),
            ("info", LogLevel::Info),
            ("warn", LogLevel::Warn),
            ("error", LogLevel::Error),
        ];
        let text = node.text().unwrap_or_default();
        let found = levels.iter().find(|(name, _)| *name == text).map(|(_, level)| *level);
        if found.is_none() {
            let message = format!("`{text}` is no level");
            let problem = self.problems.error(Code::WrongShape, (path, node.bytes.clone()), message);
            problem.set_help(instead(text, levels.map(|(name, _)| name)));
        }
        found
    }

    fn fail(&mut self, node: &Node, path: &str) {
        let is_bare = node.is_null() || node.items().is_some_and(<[Node]>::is_empty);
        if is_bare {
            self.raise_again(node, path);
        } else if node.entries().is_some() {
            let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
            let Some((_, name)) = keys.entry("name") else {
                return self.missing_of(keys, ("name", FAIL), node);
            };
            let message = keys.take("message").map(|node| self.text(node, &keys.path_of("message")));
            let at = keys.path_of("name");
            keys.refuse_rest(FAIL, self.problems);
            let Some(name) = name.text() else {
                return wrong_shape(self.problems, (&at, name), "`name` is a text", "name: not_found");
            };
            self.op(Op::Raise { name: name.to_owned(), message });
        } else {
            match node.text() {
                Some(name) if !name.contains("{{") => {
                    self.op(Op::Raise { name: name.to_owned(), message: None });
                }
                Some(_) => {
                    let message = "the name of an error is a literal";
                    let problem = self.problems.error(Code::Setting, (path, node.bytes.clone()), message);
                    problem.set_help("fail: { name: not_found, message: \"… {{x}} …\" }");
                }
                None => {
                    let wanted = "`fail` is the name of an error";
                    wrong_shape(self.problems, (path, node), wanted, "fail: not_found");
                }
            }
        }
        self.reach.end();
    }

    fn raise_again(&mut self, node: &Node, path: &str) {
        if !self.has_error {
            let message = "`fail` without a name raises the handled error again, and here there is none";
            let problem = self.problems.error(Code::NothingToRaise, (path, node.bytes.clone()), message);
            problem.set_help("fail: name_of_the_error");
        }
        self.op(Op::RaiseAgain);
    }

    fn end(&mut self, node: &Node, step: &StepNode<'_>, path: &str) {
        if self.in_finally {
            let message = "a flow cannot `end` in `finally`: what was under way goes on after it";
            self.problems.error(Code::EndHere, (path, step.bytes.clone()), message).set_help("leave it out");
        } else if self.undo_reads.is_some() {
            self.refuse_in_undo("end", path, step.bytes.clone());
        }
        let mut outputs = None;
        if node.entries().is_some() {
            let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
            let entries = keys.map("outputs", self.problems);
            let at = keys.path_of("outputs");
            keys.refuse_rest(&["outputs"], self.problems);
            outputs = Some(self.outputs(entries, &at));
        } else if !node.is_null() && !node.items().is_some_and(<[Node]>::is_empty) {
            let wanted = "`end` stands alone, or with `outputs`";
            wrong_shape(self.problems, (path, node), wanted, "- end: { outputs: { name: value } }");
        }
        self.op(Op::End { outputs });
        self.reach.end();
    }

    /// The same of a map whose other keys are still unread; a near miss of the key is said instead.
    pub(crate) fn missing_of(&mut self, keys: Keys<'_>, (key, known): (&str, &[&str]), node: &Node) {
        if !keys.hold_near_miss(key, known) {
            let path = keys.path().to_owned();
            return self.missing(key, node, &path);
        }
        keys.refuse_rest(known, self.problems);
    }

    /// A key its map cannot do without.
    pub(crate) fn missing(&mut self, key: &str, node: &Node, path: &str) {
        let at = node.bytes.start..node.bytes.start + 1;
        let problem = self.problems.error(Code::MissingKey, (path, at), format!("`{key}` is missing"));
        problem.set_help(format!("add `{key}:`"));
    }
}
