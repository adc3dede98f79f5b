//! What a flow names and never uses: variables and inputs nothing reads.
//!
//! Asked once everything is compiled, and only of a flow without errors: before that, a name that nothing reads may
//! be one that is mistyped where it is read.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_json::Value;

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Document, KindNode, StepNode};
use crate::input::Input;
use crate::node::Key;
use crate::settings::pick_places;

/// A name, its path in the flow and its bytes.
type Named = (String, String, Range<usize>);

impl Compiler<'_, '_, '_> {
    /// Warns of each name that is written and never read. A name that begins with `_` says so itself.
    pub(super) fn unused(&mut self, document: &Document<'_>, inputs: &[Input]) {
        if self.problems.has_errors() {
            return;
        }
        for (key, _) in document.inputs {
            let name = &key.text;
            if !self.is_unread(name) {
                continue;
            }
            let message = format!("nothing in this flow reads the input `{name}`");
            let at = format!("inputs.{name}");
            let problem = self.problems.warning(Code::UnusedInput, (&at, key.bytes.clone()), message);
            problem.set_help(format!("take it out, or read it: {{{{{name}}}}}"));
        }
        let mut said: HashSet<String> = inputs.iter().map(|input| input.name.clone()).collect();
        let mut written = Vec::new();
        let mut schemas = HashMap::new();
        document.visit(|step| self.named(step, &mut schemas, &mut written));
        for (name, path, bytes) in written {
            if self.is_unread(&name) && said.insert(name.clone()) {
                let message = format!("nothing in this flow reads `{name}`");
                let problem = self.problems.warning(Code::UnusedVariable, (&path, bytes), message);
                problem.set_help(format!("take it out; if it is there for its own sake, call it `_{name}`"));
            }
        }
    }

    fn is_unread(&self, name: &str) -> bool {
        let is_read = self.slots.find(name).is_some_and(|slot| self.read.contains(&slot));
        !is_read && !name.starts_with('_')
    }

    /// The names one step gives to values, without those of the steps within it.
    fn named<'n>(&self, step: &StepNode<'n>, schemas: &mut HashMap<&'n str, Value>, names: &mut Vec<Named>) {
        let path = format!("{}.{}", step.path, step.name);
        if let Some((into, name)) = step.into.and_then(|node| Some((node, node.text()?))) {
            names.push((name.to_owned(), format!("{}.into", step.path), into.bytes.clone()));
        }
        let entry = |key: &Key| (key.text.clone(), format!("{path}.{}", key.text), key.bytes.clone());
        match &step.kind {
            KindNode::Set(entries) | KindNode::Compute(entries) => {
                names.extend(entries.iter().map(|(key, _)| entry(key)));
            }
            KindNode::Call(settings) => {
                // Made once a kind: a flow may have thousands of steps.
                let schema = schemas.entry(step.name).or_insert_with(|| {
                    let kind = self.catalog.steps.get(step.name);
                    kind.map(|kind| kind.settings_schema().as_value().clone()).unwrap_or_default()
                });
                let places = pick_places(schema, settings).into_iter();
                names.extend(places.map(|(name, at, bytes)| (name, format!("{path}.{at}"), bytes)));
            }
            _ => {}
        }
    }
}
