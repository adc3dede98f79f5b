//! Lays out branches side by side: each reads the state at the fork, what it wrote is merged at the join (L-13).

use std::collections::HashMap;
use std::ops::Range;

use flowrun_machine::{ForkPlan, Join, Op};

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{BranchNode, Handler, KindNode, StepNode, wrong_shape};
use crate::node::Node;
use crate::settings::pick_names;

impl Compiler<'_, '_, '_> {
    pub(crate) fn parallel(&mut self, step: &StepNode<'_>, branches: &[BranchNode<'_>], join: Option<&Node>) {
        let join = self.join(step, join);
        if join == Join::All {
            self.refuse_one_name(branches);
        }
        self.refuse_two_questions(branches);
        let fork = self.forks.len();
        self.forks.push(ForkPlan { branches: Vec::new(), join, then: 0 });
        self.op(Op::Fork { fork });
        let before = self.reach.clone();
        let mut after: Option<crate::names::Reach> = None;
        for branch in branches {
            let here = self.here();
            self.forks[fork].branches.push(here);
            self.reach = before.clone();
            self.apart(|compiler| compiler.block(&branch.steps));
            self.op(Op::EndStrand { collect: None });
            let reached = std::mem::take(&mut self.reach);
            after = Some(match (after.take(), join) {
                (None, _) => reached,
                (Some(others), Join::All) => others.and_then(&reached),
                (Some(others), Join::Any) => others.join(reached),
            });
        }
        self.reach = after.unwrap_or(before);
        self.forks[fork].then = self.here();
    }

    fn join(&mut self, step: &StepNode<'_>, node: Option<&Node>) -> Join {
        match node.map(|node| (node, node.text().unwrap_or_default())) {
            None | Some((_, "all")) => Join::All,
            Some((_, "any")) => Join::Any,
            Some((node, _)) => {
                let path = format!("{}.join", step.path);
                wrong_shape(self.problems, (&path, node), "`join` is `all` or `any`", "join: all");
                Join::All
            }
        }
    }

    /// Two branches that write one name: which of them counts would depend on the order alone.
    fn refuse_one_name(&mut self, branches: &[BranchNode<'_>]) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for (at, branch) in branches.iter().enumerate() {
            let mut written = Vec::new();
            self.writes(&branch.steps, &mut written);
            for (name, path, bytes) in written {
                let owner = *first.entry(name.clone()).or_insert(at);
                if owner != at {
                    let message = format!("another branch writes `{name}` too");
                    let problem = self.problems.error(Code::BranchesWrite, (&path, bytes), message);
                    problem
                        .set_help("write another name in each branch, and put them together after the join");
                }
            }
        }
    }

    /// The names that steps write into the scope they stand in, each with its place.
    fn writes(&self, steps: &[StepNode<'_>], written: &mut Vec<(String, String, Range<usize>)>) {
        for step in steps {
            let path = format!("{}.{}", step.path, step.name);
            if let Some((into, name)) = step.into.and_then(|node| Some((node, node.text()?))) {
                written.push((name.to_owned(), format!("{}.into", step.path), into.bytes.clone()));
            }
            match &step.kind {
                KindNode::Set(entries) | KindNode::Compute(entries) => {
                    let entry = |key: &crate::node::Key| {
                        (key.text.clone(), format!("{path}.{}", key.text), key.bytes.clone())
                    };
                    written.extend(entries.iter().map(|(key, _)| entry(key)));
                }
                KindNode::If(guarded) => {
                    self.writes(&guarded.then, written);
                    self.writes(&guarded.otherwise, written);
                }
                KindNode::Switch(cases) => cases.iter().for_each(|case| self.writes(&case.steps, written)),
                KindNode::Do(steps) | KindNode::Repeat(_, steps) => self.writes(steps, written),
                KindNode::Parallel(branches, _) => {
                    branches.iter().for_each(|branch| self.writes(&branch.steps, written));
                }
                KindNode::Call(settings) => {
                    let names =
                        self.catalog.steps.get(step.name).map(|kind| pick_names(kind.as_ref(), settings));
                    let names = names.into_iter().flatten();
                    written.extend(names.map(|name| (name, path.clone(), step.bytes.clone())));
                }
                // What an item writes stays with the item.
                KindNode::ForEach(..) => {}
                KindNode::Send(_)
                | KindNode::Log(_)
                | KindNode::Fail(_)
                | KindNode::End(_)
                | KindNode::Flow(_)
                | KindNode::Ask(_)
                | KindNode::Respond(_)
                | KindNode::Emit(_)
                | KindNode::Wait(_) => {}
            }
            if let Handler::Steps(steps) = &step.on_error {
                self.writes(steps, written);
            }
            self.writes(&step.finally, written);
        }
    }
}
