//! Judges where a run can get: steps after the end, outputs that never have a value.

use std::ops::Range;

use flowrun_template::Slot;

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{KindNode, StepNode};

impl Compiler<'_, '_, '_> {
    /// A step after one that never goes on.
    pub(super) fn unreachable(&mut self, step: &StepNode<'_>, before: &StepNode<'_>) {
        let line = self.problems.source().place("", before.bytes.clone()).line;
        let message =
            format!("this step is never reached: no run goes on after the `{}` on line {line}", before.name);
        let problem = self.problems.warning(Code::Unreachable, (&step.path, step.bytes.clone()), message);
        problem.set_help(match before.kind {
            KindNode::End(_) | KindNode::Fail(_) => {
                format!("take it out, or give the `{}` a condition: if: status == \"open\"", before.name)
            }
            _ => format!("take it out, or let one way through line {line} go on"),
        });
    }

    /// L-14: an output of a variable that has no value at any end.
    pub(super) fn judge_output(&mut self, slot: Slot, name: &str, path: &str, bytes: Range<usize>) {
        if self.reach.may_ever_be(slot) {
            return;
        }
        let message = format!("`{name}` never has a value here, so this output is never given");
        let problem = self.problems.warning(Code::OutputNeverSet, (path, bytes), message);
        problem.set_help(format!(
            "set `{name}` in a step before the end; of a loop's items only what `collect` gives is kept"
        ));
    }
}
