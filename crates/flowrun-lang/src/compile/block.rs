//! Lays blocks of steps out flat: each step is a scope with a body, a handler, a `finally` and an `undo`.

use std::collections::BTreeSet;

use flowrun_machine::{InDoubt, OnError, Op, Scope, StepPlan, UndoPlan};
use flowrun_template::Slot;

use crate::case::word;
use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Document, Handler, StepNode};
use crate::input::Input;
use crate::names::Reach;
use crate::node::Node;

/// What surrounds a body, for the flow and for a step alike.
struct Around<'d, 'n> {
    on_error: &'d Handler<'n>,
    finally: &'d [StepNode<'n>],
    undo: &'d [StepNode<'n>],
    timeout: Option<&'n Node>,
    path: &'d str,
}

impl Compiler<'_, '_, '_> {
    /// The flow: scope 0, then its end.
    pub(super) fn flow(&mut self, document: &Document<'_>, inputs: &[Input]) {
        let around = Around {
            on_error: &document.on_error,
            finally: &document.finally,
            undo: &[],
            timeout: document.timeout,
            path: "",
        };
        self.scope(&around, |compiler, _| {
            compiler.ask_inputs(document.inputs, inputs);
            compiler.block(&document.steps);
            compiler.op(Op::Leave);
        });
        self.op(Op::Finish);
        let end = self.view();
        self.mark("outputs", end);
    }

    /// Steps one after the other.
    pub(super) fn block(&mut self, steps: &[StepNode<'_>]) {
        let mut is_alive = !self.reach.is_dead();
        for (at, step) in steps.iter().enumerate() {
            // Said once: what comes after is not reached for the same reason.
            if std::mem::replace(&mut is_alive, !self.reach.is_dead()) && !is_alive && at > 0 {
                self.unreachable(step, &steps[at - 1]);
            }
            self.step(step);
        }
    }

    fn step(&mut self, step: &StepNode<'_>) {
        let outer = self.owner.replace(self.steps.len());
        self.steps.push(StepPlan {
            path: step.path.clone(),
            id: step.id.and_then(Node::text).map(str::to_owned),
            kind: step.name.to_owned(),
            is_mentioned: false,
        });
        let around = Around {
            on_error: &step.on_error,
            finally: &step.finally,
            undo: &step.undo,
            timeout: step.timeout,
            path: &step.path,
        };
        let before = self.view();
        self.scope(&around, |compiler, scope| compiler.guarded(step, scope));
        if step.guard.is_some() {
            self.reach = std::mem::take(&mut self.reach).join(before.reach.clone());
        }
        self.mark(&step.path, before);
        self.owner = outer;
    }

    /// Enter, body, leave; then the handler, `finally` and `undo`, and where all of them go on.
    fn scope(&mut self, around: &Around<'_, '_>, body: impl FnOnce(&mut Self, usize)) {
        let scope = self.scopes.len();
        self.scopes.push(Scope::default());
        self.op(Op::Enter { scope });
        let before = self.reach.clone();
        self.scopes[scope].timeout =
            around.timeout.and_then(|node| self.duration(node, &path_of(around, "timeout")));
        body(self, scope);
        let done = self.reach.clone();
        self.handler(around.on_error, scope, &before);
        self.finally(around.finally, scope, &before);
        self.undo(around, scope, done);
        self.scopes[scope].resume = self.here();
    }

    /// A scope with a body and nothing around it.
    pub(crate) fn scoped(&mut self, body: impl FnOnce(&mut Self)) {
        let around = Around { on_error: &Handler::None, finally: &[], undo: &[], timeout: None, path: "" };
        self.scope(&around, |compiler, _| {
            body(compiler);
            compiler.op(Op::Leave);
        });
    }

    fn guarded(&mut self, step: &StepNode<'_>, scope: usize) {
        let branch = step.guard.and_then(|guard| {
            let condition = self.logic(guard, &format!("{}.if", step.path))?;
            Some(self.op(Op::Branch { condition, otherwise: 0 }))
        });
        let before = self.reach.clone();
        self.kind(step, scope);
        self.in_doubt(step, &before);
        self.op(Op::Leave);
        if let Some(branch) = branch {
            self.land(branch);
            self.op(Op::Skip);
        }
    }

    /// What the step's calls do if nobody can say whether they were made; one that is skipped gives its defaults only.
    fn in_doubt(&mut self, step: &StepNode<'_>, before: &Reach) {
        let words = [
            ("stop", InDoubt::Stop),
            ("retry", InDoubt::Retry),
            ("skip", InDoubt::Skip),
            ("fail", InDoubt::Fail),
        ];
        let said = step
            .in_doubt
            .and_then(|node| word(node, &format!("{}.in_doubt", step.path), &words, self.problems));
        let Some(in_doubt) = said else { return };
        let own = self.calls.iter_mut().zip(&self.callers).filter(|(_, caller)| Some(**caller) == self.owner);
        own.for_each(|(call, _)| call.in_doubt = in_doubt);
        if in_doubt == InDoubt::Skip {
            let mut skipped = before.interrupted(&self.reach);
            self.defaulted().into_iter().for_each(|slot| skipped.set(slot));
            self.reach = std::mem::take(&mut self.reach).join(skipped);
        }
    }

    /// Lets a branch or a jump that was laid out before go to the next op.
    pub(super) fn land(&mut self, at: usize) {
        let here = self.here();
        match &mut self.ops[at] {
            Op::Branch { otherwise, .. } => *otherwise = here,
            Op::Jump { to } | Op::IfSet { to, .. } => *to = here,
            _ => {}
        }
    }

    fn handler(&mut self, handler: &Handler<'_>, scope: usize, before: &Reach) {
        let mut handled = before.interrupted(&self.reach);
        if !matches!(handler, Handler::None) {
            self.defaulted().into_iter().for_each(|slot| handled.set(slot));
        }
        match handler {
            Handler::None => {}
            Handler::Continue => {
                self.scopes[scope].on_error = OnError::Continue;
                self.reach = std::mem::take(&mut self.reach).join(handled);
            }
            Handler::Steps(steps) => {
                self.scopes[scope].on_error = OnError::Handle(self.here());
                let body = std::mem::replace(&mut self.reach, handled);
                let outer = std::mem::replace(&mut self.has_error, true);
                self.block(steps);
                self.has_error = outer;
                self.op(Op::Handled);
                self.reach = std::mem::take(&mut self.reach).join(body);
            }
        }
    }

    /// The variables that the step's own call leaves with their `default` where its failure is handled (L-11).
    fn defaulted(&self) -> Vec<Slot> {
        let own = self.calls.iter().zip(&self.callers).filter(|(_, step)| Some(**step) == self.owner);
        let picks = own.filter_map(|(call, _)| call.picks.as_ref());
        let names = picks.flat_map(|picks| picks.part.defaults().map(|(name, _)| name));
        names.filter_map(|name| self.slots.find(name)).collect()
    }

    fn finally(&mut self, steps: &[StepNode<'_>], scope: usize, before: &Reach) {
        if steps.is_empty() {
            return;
        }
        self.scopes[scope].finally = Some(self.here());
        let after = self.reach.clone();
        self.reach = before.interrupted(&after);
        let outer =
            (std::mem::replace(&mut self.has_error, true), std::mem::replace(&mut self.in_finally, true));
        self.block(steps);
        (self.has_error, self.in_finally) = outer;
        self.op(Op::EndFinally);
        self.reach = after.and_then(&self.reach);
    }

    /// What takes the step back later sees the variables as they were when it had ended well (L-9).
    fn undo(&mut self, around: &Around<'_, '_>, scope: usize, done: Reach) {
        if around.undo.is_empty() {
            return;
        }
        if self.undo_reads.is_some() {
            self.refuse_in_undo("undo", &path_of(around, "undo"), around.undo[0].bytes.clone());
        }
        let pc = self.here();
        let after = std::mem::replace(&mut self.reach, done);
        let has_error = std::mem::replace(&mut self.has_error, false);
        let outer = self.undo_reads.replace(BTreeSet::new());
        self.apart(|compiler| compiler.block(around.undo));
        self.op(Op::EndStrand { collect: None });
        let reads = std::mem::replace(&mut self.undo_reads, outer).unwrap_or_default();
        (self.has_error, self.reach) = (has_error, after);
        self.scopes[scope].undo = Some(UndoPlan { pc, reads: reads.into_iter().collect() });
    }

    /// A kind or a key that has no meaning where a run that has ended takes back what it did.
    pub(crate) fn refuse_in_undo(&mut self, what: &str, path: &str, bytes: std::ops::Range<usize>) {
        let message = format!("`{what}` cannot stand in `undo`: the run has ended when it is taken back");
        self.problems.error(Code::InUndo, (path, bytes), message).set_help("leave it out");
    }
}

fn path_of(around: &Around<'_, '_>, key: &str) -> String {
    if around.path.is_empty() { key.to_owned() } else { format!("{}.{key}", around.path) }
}
