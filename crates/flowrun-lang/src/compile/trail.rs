//! What a compilation passed on its way: what was known at each step, and every mention with its place.
//!
//! A check throws it away; an editor asks it what has a value where, and who reads what.

use std::ops::Range;

use flowrun_template::{Mention, Root, Segment};

use crate::compile::Compiler;
use crate::names::Reach;

/// What is known at one point of the flow.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) reach: Reach,
    pub(crate) has_error: bool,
    pub(crate) has_index: bool,
    pub(crate) has_item: bool,
}

/// What is known before and after the step at a path; of `outputs`, at the flow's end.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) path: String,
    pub(crate) before: View,
    pub(crate) after: View,
}

/// One place that reads a name, and whether it has a value in every run that gets there.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) root: Root,
    pub(crate) path: Vec<Segment>,
    pub(crate) bytes: Range<usize>,
    pub(crate) is_sure: bool,
}

/// All of it, in the order it was passed.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) marks: Vec<Mark>,
    pub(crate) uses: Vec<Use>,
}

impl Compiler<'_, '_, '_> {
    /// What is known here.
    pub(super) fn view(&self) -> View {
        let Self { has_error, has_index, has_item, .. } = *self;
        View { reach: self.reach.clone(), has_error, has_index, has_item }
    }

    /// Keeps what was known before what stands at `path`, and what is known now.
    pub(super) fn mark(&mut self, path: &str, before: View) {
        let after = self.view();
        self.trail.marks.push(Mark { path: path.to_owned(), before, after });
    }

    /// Keeps where something is read.
    pub(super) fn note(&mut self, mention: &Mention, bytes: &Range<usize>) {
        let is_sure = match mention.root {
            Root::Slot(slot) => self.reach.is_sure(slot),
            Root::Secrets | Root::Integrations => true,
        };
        let (root, path, bytes) = (mention.root, mention.path.clone(), bytes.clone());
        self.trail.uses.push(Use { root, path, bytes, is_sure });
    }
}
