//! Walks through the steps of a document, however deep they stand.
//!
//! A kind that holds no blocks needs no line here; one that does is named in [`StepNode::blocks`].

use crate::document::{Document, Handler, KindNode, StepNode};

impl<'n> StepNode<'n> {
    /// The blocks a step's kind holds, in the order of the text; its handler, `finally` and `undo` stand beside it.
    pub(crate) fn blocks(&self) -> Vec<&[StepNode<'n>]> {
        match &self.kind {
            KindNode::If(guarded) => vec![&guarded.then, &guarded.otherwise],
            KindNode::Switch(cases) => cases.iter().map(|case| case.steps.as_slice()).collect(),
            KindNode::Parallel(branches, _) => {
                branches.iter().map(|branch| branch.steps.as_slice()).collect()
            }
            KindNode::Do(steps) | KindNode::ForEach(_, steps) | KindNode::Repeat(_, steps) => vec![steps],
            _ => Vec::new(),
        }
    }

    pub(crate) fn visit<'d>(&'d self, see: &mut impl FnMut(&'d StepNode<'n>)) {
        see(self);
        self.blocks().into_iter().flatten().for_each(|step| step.visit(see));
        self.on_error.steps().iter().for_each(|step| step.visit(see));
        self.finally.iter().chain(&self.undo).for_each(|step| step.visit(see));
    }
}

impl<'n> Handler<'n> {
    /// The steps of a handler; `continue` has none.
    pub(crate) fn steps(&self) -> &[StepNode<'n>] {
        match self {
            Handler::Steps(steps) => steps,
            Handler::None | Handler::Continue => &[],
        }
    }
}

impl<'n> Document<'n> {
    /// Shows every step of the flow once, each before the steps within it.
    pub(crate) fn visit<'d>(&'d self, mut see: impl FnMut(&'d StepNode<'n>)) {
        let all = self.steps.iter().chain(self.on_error.steps()).chain(&self.finally);
        all.for_each(|step| step.visit(&mut see));
    }
}
