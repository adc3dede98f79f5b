//! From nodes to a document: which keys stand where, before anything is compiled.
//!
//! A [`Document`] borrows the file's nodes. Every shape that is wrong is a problem here, so what
//! compiles a document need not ask again; texts and expressions are still source text.

mod keys;
mod step;
mod walk;

use crate::code::Code;
use crate::node::{Key, Node};
use crate::problems::Problems;

pub(crate) use keys::{Keys, wrong_shape};
pub(crate) use step::{BUILT_IN, BranchNode, COMMON, Case, Guarded, Handler, KindNode, StepNode, steps};

/// A flow as written.
#[derive(Debug)]
pub(crate) struct Document<'n> {
    pub(crate) name: Option<&'n str>,
    pub(crate) trigger: Option<&'n Node>,
    pub(crate) inputs: &'n [(Key, Node)],
    pub(crate) secrets: Vec<(&'n str, &'n Node)>,
    pub(crate) integrations: Option<&'n Node>,
    pub(crate) steps: Vec<StepNode<'n>>,
    pub(crate) on_error: Handler<'n>,
    pub(crate) finally: Vec<StepNode<'n>>,
    pub(crate) timeout: Option<&'n Node>,
    pub(crate) outputs: &'n [(Key, Node)],
    pub(crate) limits: Option<&'n Node>,
}

/// The keys of a flow.
pub(crate) const KEYS: &[&str] = &[
    "name",
    "description",
    "version",
    "trigger",
    "inputs",
    "secrets",
    "integrations",
    "steps",
    "on_error",
    "finally",
    "timeout",
    "outputs",
    "limits",
];

/// Reads the flow's own keys, and all its steps.
pub(crate) fn document<'n>(
    root: &'n Node,
    kinds: &[&str],
    problems: &mut Problems<'_>,
) -> Option<Document<'n>> {
    let mut keys = Keys::of(root, "", problems)?;
    let document = Document {
        name: keys.text("name", problems),
        trigger: keys.take("trigger"),
        inputs: keys.map("inputs", problems),
        secrets: keys.texts("secrets", problems),
        integrations: keys.take("integrations"),
        steps: keys.take("steps").map_or_else(Vec::new, |node| steps(node, "steps", kinds, problems)),
        on_error: step::handler(&mut keys, "", kinds, problems),
        finally: keys.take("finally").map_or_else(Vec::new, |node| steps(node, "finally", kinds, problems)),
        timeout: keys.take("timeout"),
        outputs: keys.map("outputs", problems),
        limits: keys.take("limits"),
    };
    keys.text("description", problems);
    keys.text("version", problems);
    if root.get("steps").is_none() && !keys.hold_near_miss("steps", KEYS) {
        let problem = problems.error(
            Code::MissingKey,
            ("", root.bytes.start..root.bytes.start),
            "the flow has no `steps`",
        );
        problem.set_help("steps:\n  - send: Hello.");
    }
    keys.refuse_rest(KEYS, problems);
    Some(document)
}
