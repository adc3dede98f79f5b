//! Lays out `call`: which flow, and what it is given against what it declares (L-1, L-13).

use std::sync::Arc;

use flowrun_machine::{CalleePlan, GivenInput, Op, Placed};
use flowrun_template::{Slot, Tree, Type};
use serde_json::Value;

use crate::bundle::{NoFlow, too_deep};
use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Keys, StepNode, wrong_shape};
use crate::input::Input;
use crate::node::{Key, Node};
use crate::settings::is_template;
use crate::suggest::nearest;

const CALL: &[&str] = &["flow", "inputs"];

/// What a `call` says.
struct CallNode<'n> {
    file: &'n Node,
    path: String,
    inputs: &'n [(Key, Node)],
    inputs_path: String,
}

/// What is known of a flow that is called.
struct Callee {
    flow: usize,
    inputs: Vec<Input>,
}

impl Compiler<'_, '_, '_> {
    pub(crate) fn call_flow(&mut self, step: &StepNode<'_>, node: &Node, (scope, path): (usize, &str)) {
        self.scopes[scope].into = step.into.and_then(Node::text).and_then(|name| self.slots.find(name));
        let Some(call) = self.call_settings(node, path) else { return };
        let callee = self.callee(call.file, &call.path);
        let mut inputs = Vec::new();
        for (key, node) in call.inputs {
            let at = format!("{}.{}", call.inputs_path, key.text);
            let value = self.value(node, &at);
            let declared = callee.as_ref().and_then(|callee| self.declared_input(callee, key, &at));
            if let Some(declared) = declared {
                self.judge_given(declared, node, &value);
                inputs.push(given_input(declared, value));
            }
        }
        if let Some(callee) = callee {
            let defaults = self.defaults(&callee, &call);
            self.callees.push(CalleePlan { flow: callee.flow, inputs, defaults });
            self.op(Op::CallFlow { callee: self.callees.len() - 1 });
        }
        if let Some(slot) = self.scopes[scope].into {
            self.reach.set(slot);
        }
    }

    fn call_settings<'n>(&mut self, node: &'n Node, path: &str) -> Option<CallNode<'n>> {
        if node.entries().is_none() {
            let path = path.to_owned();
            return Some(CallNode { file: node, path, inputs: &[], inputs_path: String::new() });
        }
        let mut keys = Keys::of(node, path, self.problems)?;
        let Some(file) = keys.take("flow") else {
            self.missing_of(keys, ("flow", CALL), node);
            return None;
        };
        let inputs = keys.map("inputs", self.problems);
        let (path, inputs_path) = (keys.path_of("flow"), keys.path_of("inputs"));
        keys.refuse_rest(CALL, self.problems);
        Some(CallNode { file, path, inputs, inputs_path })
    }

    /// The flow a file holds, checked; nothing where it cannot be used.
    fn callee(&mut self, file: &Node, path: &str) -> Option<Callee> {
        let Some(written) = file.text() else {
            let wanted = "`call` names the file of a flow";
            wrong_shape(self.problems, (path, file), wanted, "call: lookups/contact.flow.yaml");
            return None;
        };
        match self.bundle.call(written) {
            Ok(Some((flow, part))) => {
                let callee = Callee { flow, inputs: part.inputs.clone() };
                let depth = part.depth + 1;
                self.depth = self.depth.max(depth);
                if depth > self.call_depth {
                    self.no_flow(too_deep(self.call_depth), path, file);
                }
                Some(callee)
            }
            // What is wrong with it is said in its own file.
            Ok(None) => {
                self.is_broken = true;
                None
            }
            Err(no_flow) => {
                self.no_flow(no_flow, path, file);
                None
            }
        }
    }

    fn no_flow(&mut self, NoFlow { message, cause, help }: NoFlow, path: &str, file: &Node) {
        let problem = self.problems.error(Code::CalledFlow, (path, file.bytes.clone()), message);
        problem.causes.extend(cause);
        problem.set_help(help);
    }

    fn declared_input<'i>(&mut self, callee: &'i Callee, key: &Key, path: &str) -> Option<&'i Input> {
        let found = callee.inputs.iter().find(|input| input.name == key.text);
        if found.is_none() {
            let names: Vec<&str> = callee.inputs.iter().map(|input| input.name.as_str()).collect();
            let help = match nearest(&key.text, names.iter().copied()) {
                Some(other) => format!("did you mean `{other}`?"),
                None if names.is_empty() => "leave it out: the called flow takes no inputs".to_owned(),
                None => format!("its inputs are: {}", names.join(", ")),
            };
            let message = format!("the called flow declares no input `{}`", key.text);
            self.problems.error(Code::UnknownInput, (path, key.bytes.clone()), message).set_help(help);
        }
        found
    }

    /// What is given must fit, as far as that is known before a run; the machine sees to the rest.
    fn judge_given(&mut self, declared: &Input, node: &Node, value: &Placed<Tree>) {
        let wrong = match &value.part {
            Tree::Text(text) => {
                text.as_slot().and_then(|slot| self.types.get(&slot)).copied().and_then(|given| {
                    (!may_fit(given, declared.kind))
                        .then(|| format!("this is always {given}, not {}", declared.kind))
                })
            }
            _ if holds_template(node) => None,
            _ => declared.check(&node.value()).err(),
        };
        if let Some(wrong) = wrong {
            let message = format!("the value of `{}` does not fit: {wrong}", declared.name);
            let problem = self.problems.error(Code::InputValue, (&value.path, node.bytes.clone()), message);
            problem.set_help(format!("the called flow declares it as {}", declared.kind));
        }
    }

    /// What the inputs that are not given are; those without a default are missing.
    fn defaults(&mut self, callee: &Callee, call: &CallNode<'_>) -> Vec<(Slot, Value)> {
        let is_given = |input: &&Input| call.inputs.iter().any(|(key, _)| key.text == input.name);
        let others = || callee.inputs.iter().filter(|input| !is_given(input));
        let missing: Vec<&str> = others()
            .filter(|input| input.default.is_none() && input.ask.is_none())
            .map(|input| input.name.as_str())
            .collect();
        if !missing.is_empty() {
            let message = format!("the called flow needs `{}`, which nothing gives", missing.join("` and `"));
            let problem =
                self.problems.error(Code::InputMissing, (&call.path, call.file.bytes.clone()), message);
            let flow = call.file.text().unwrap_or_default();
            let inputs: Vec<String> =
                missing.iter().map(|name| format!("{name}: \"{{{{{name}}}}}\"")).collect();
            problem.set_help(format!("call: {{ flow: {flow}, inputs: {{ {} }} }}", inputs.join(", ")));
        }
        others().filter_map(|input| Some((input.slot, input.default.clone()?))).collect()
    }
}

fn given_input(declared: &Input, value: Placed<Tree>) -> GivenInput {
    let (name, slot, declared) = (declared.name.clone(), declared.slot, declared.clone());
    GivenInput { name, slot, value, fits: Arc::new(declared) }
}

fn holds_template(node: &Node) -> bool {
    node.text().is_some_and(is_template)
        || node.items().is_some_and(|items| items.iter().any(holds_template))
        || node.entries().is_some_and(|entries| entries.iter().any(|(_, node)| holds_template(node)))
}

/// Whether a value of one type may be one of another.
fn may_fit(given: Type, declared: Type) -> bool {
    let is_text = |kind| matches!(kind, Type::String | Type::Timestamp | Type::Duration);
    let is_number = |kind| matches!(kind, Type::Integer | Type::Number);
    given == Type::Any
        || declared == Type::Any
        || given == declared
        || (is_text(given) && is_text(declared))
        || (is_number(given) && is_number(declared))
}
