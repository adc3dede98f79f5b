//! The first walk: every name the flow gives to something, before any text is compiled.

use std::ops::Range;

use flowrun_template::{HELPERS, RESERVED, Slot, is_name};

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Document, Handler, KindNode, StepNode, wrong_shape};
use crate::input::Input;
use crate::node::{Key, Node};
use crate::settings::pick_names;

impl Compiler<'_, '_, '_> {
    /// Declares inputs, secrets, step ids and every variable that some step writes.
    pub(super) fn declare_all(&mut self, document: &Document<'_>, inputs: &[Input]) {
        for input in inputs {
            self.declared.insert(input.slot);
            self.types.insert(input.slot, input.kind);
            self.reach.set(input.slot);
        }
        for (name, node) in &document.secrets {
            self.word_is_legal(name, "secrets", node.bytes.clone());
            self.secrets.insert((*name).to_owned());
        }
        if let Some(node) = document.integrations {
            self.declare_integrations(node);
        }
        self.declare_steps(&document.steps);
        self.declare_handler(&document.on_error);
        self.declare_steps(&document.finally);
    }

    fn declare_handler(&mut self, handler: &Handler<'_>) {
        if let Handler::Steps(steps) = handler {
            self.declare_steps(steps);
        }
    }

    fn declare_steps(&mut self, steps: &[StepNode<'_>]) {
        for step in steps {
            self.declare_id(step);
            if let Some(into) = step.into {
                self.declare_text(into, &format!("{}.into", step.path));
            }
            self.declare_kind(step);
            self.declare_handler(&step.on_error);
            self.declare_steps(&step.finally);
            self.declare_steps(&step.undo);
        }
    }

    fn declare_kind(&mut self, step: &StepNode<'_>) {
        let path = format!("{}.{}", step.path, step.name);
        match &step.kind {
            KindNode::Set(entries) | KindNode::Compute(entries) => {
                entries.iter().for_each(|(key, _)| self.declare_key(key, &path));
            }
            KindNode::If(guarded) => {
                self.declare_steps(&guarded.then);
                self.declare_steps(&guarded.otherwise);
            }
            KindNode::Switch(cases) => cases.iter().for_each(|case| self.declare_steps(&case.steps)),
            KindNode::ForEach(settings, steps) => {
                if let Some(item) = settings.get("as") {
                    self.declare_text(item, &format!("{path}.as"));
                }
                self.declare_steps(steps);
            }
            KindNode::Parallel(branches, _) => {
                branches.iter().for_each(|branch| self.declare_steps(&branch.steps));
            }
            KindNode::Do(steps) | KindNode::Repeat(_, steps) => self.declare_steps(steps),
            KindNode::Call(settings) => {
                let Some(kind) = self.catalog.steps.get(step.name) else { return };
                for name in pick_names(kind.as_ref(), settings) {
                    self.declare(&name);
                }
            }
            KindNode::Send(_)
            | KindNode::Log(_)
            | KindNode::Fail(_)
            | KindNode::End(_)
            | KindNode::Flow(_)
            | KindNode::Ask(_)
            | KindNode::Respond(_)
            | KindNode::Emit(_) => {}
            KindNode::Wait(node) => {
                let id = step.id.and_then(Node::text).filter(|_| node.get("webhook").is_some());
                self.callback_ids.extend(id.map(str::to_owned));
            }
        }
    }

    fn declare_id(&mut self, step: &StepNode<'_>) {
        let Some((node, id)) = step.id.and_then(|node| Some((node, node.text()?))) else { return };
        let path = format!("{}.id", step.path);
        if !is_name(id) {
            return self.illegal(
                id,
                &path,
                node.bytes.clone(),
                "a letter or `_`, then letters, digits or `_`",
            );
        }
        if let Some(first) = self.ids.get(id) {
            let line = self.problems.source().place("", first.clone()).line;
            let message = format!("step id `{id}` is taken: the step on line {line} has it");
            let problem = self.problems.error(Code::DuplicateId, (&path, node.bytes.clone()), message);
            return problem.set_help("give one of them another id");
        }
        self.ids.insert(id.to_owned(), node.bytes.clone());
    }

    fn declare_key(&mut self, key: &Key, path: &str) {
        if self.word_is_legal(&key.text, &format!("{path}.{}", key.text), key.bytes.clone()) {
            self.declare(&key.text);
        }
    }

    fn declare_text(&mut self, node: &Node, path: &str) {
        match node.text() {
            Some(name) => {
                if self.word_is_legal(name, path, node.bytes.clone()) {
                    self.declare(name);
                }
            }
            None => {
                let wanted = "the name of a variable belongs here";
                wrong_shape(self.problems, (path, node), wanted, "into: reply");
            }
        }
    }

    fn declare(&mut self, name: &str) -> Slot {
        let slot = self.slots.intern(name);
        self.declared.insert(slot);
        // What a step writes may be of any type, whatever was given at the start.
        self.types.remove(&slot);
        slot
    }

    /// L-2, L-7: the form of a name, and what it may not be.
    fn word_is_legal(&mut self, name: &str, path: &str, bytes: Range<usize>) -> bool {
        if !is_name(name) {
            self.illegal(name, path, bytes, "a letter or `_`, then letters, digits or `_`");
            return false;
        }
        if RESERVED.contains(&name) || HELPERS.contains(&name) {
            self.illegal(name, path, bytes, "any other name: this one is the language's own");
            return false;
        }
        true
    }

    fn illegal(&mut self, name: &str, path: &str, bytes: Range<usize>, rule: &str) {
        let problem =
            self.problems.error(Code::IllegalName, (path, bytes), format!("`{name}` cannot be a name here"));
        problem.set_help(format!("use {rule}"));
    }
}
