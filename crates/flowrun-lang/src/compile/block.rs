//! Lays blocks of steps out flat: each step is a scope with a body, a handler and a `finally`.

use flowrun_machine::{OnError, Op, Scope, StepPlan};

use crate::compile::Compiler;
use crate::document::{Document, Handler, StepNode};
use crate::names::Reach;
use crate::node::Node;

/// What surrounds a body, for the flow and for a step alike.
struct Around<'d, 'n> {
    on_error: &'d Handler<'n>,
    finally: &'d [StepNode<'n>],
    timeout: Option<&'n Node>,
    path: &'d str,
}

impl Compiler<'_, '_, '_> {
    /// The flow: scope 0, then its end.
    pub(super) fn flow(&mut self, document: &Document<'_>) {
        let around = Around {
            on_error: &document.on_error,
            finally: &document.finally,
            timeout: document.timeout,
            path: "",
        };
        self.scope(&around, |compiler, _| {
            compiler.block(&document.steps);
            compiler.op(Op::Leave);
        });
        self.op(Op::Finish);
        let end = self.view();
        self.mark("outputs", end);
    }

    /// Steps one after the other.
    pub(super) fn block(&mut self, steps: &[StepNode<'_>]) {
        steps.iter().for_each(|step| self.step(step));
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

    /// Enter, body, leave; then the handler and `finally`, and where all of them go on.
    fn scope(&mut self, around: &Around<'_, '_>, body: impl FnOnce(&mut Self, usize)) {
        let scope = self.scopes.len();
        self.scopes.push(Scope::default());
        self.op(Op::Enter { scope });
        let before = self.reach.clone();
        self.scopes[scope].timeout =
            around.timeout.and_then(|node| self.duration(node, &path_of(around, "timeout")));
        body(self, scope);
        self.handler(around.on_error, scope, &before);
        self.finally(around.finally, scope, &before);
        self.scopes[scope].resume = self.here();
    }

    fn guarded(&mut self, step: &StepNode<'_>, scope: usize) {
        let branch = step.guard.and_then(|guard| {
            let condition = self.logic(guard, &format!("{}.if", step.path))?;
            Some(self.op(Op::Branch { condition, otherwise: 0 }))
        });
        self.kind(step, scope);
        self.op(Op::Leave);
        if let Some(branch) = branch {
            self.land(branch);
            self.op(Op::Skip);
        }
    }

    /// Lets a branch or a jump that was laid out before go to the next op.
    pub(super) fn land(&mut self, at: usize) {
        let here = self.here();
        match &mut self.ops[at] {
            Op::Branch { otherwise, .. } => *otherwise = here,
            Op::Jump { to } => *to = here,
            _ => {}
        }
    }

    fn handler(&mut self, handler: &Handler<'_>, scope: usize, before: &Reach) {
        let handled = before.interrupted(&self.reach);
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
}

fn path_of(around: &Around<'_, '_>, key: &str) -> String {
    if around.path.is_empty() { key.to_owned() } else { format!("{}.{key}", around.path) }
}
