//! Lays out the steps that call something: `send`, and every kind of the catalogue.

use std::sync::Arc;

use flowrun_machine::{CallPlan, Op, OutputUse, PagingPlan, Placed};
use flowrun_step::{Draft, ErasedStep};
use flowrun_template::{Effect, Picks, Slot, Tree};
use serde_json::Value;

use crate::case::word;
use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Keys, KindNode, StepNode};
use crate::node::Node;
use crate::settings::{Settings, is_template};

/// What a channel is given needs no schema: the language itself defines it.
const SEND: &[&str] = &["text", "to", "channel", "media", "buttons", "template", "await"];
/// The most pages of a call that says nothing.
const MOST_PAGES: u64 = 100;
/// Those of them that are texts.
const SEND_TEXTS: &[&str] = &["text", "to", "channel", "media"];

impl Compiler<'_, '_, '_> {
    pub(crate) fn send(&mut self, step: &StepNode<'_>, node: &Node, scope: usize, path: &str) {
        let mut members = Vec::new();
        if node.entries().is_some() {
            let Some(mut keys) = Keys::of(node, path, self.problems) else { return };
            if node.get("text").is_none() && !keys.hold_near_miss("text", SEND) {
                self.missing("text", node, path);
            }
            for key in SEND_TEXTS {
                if let Some(value) = keys.take(key) {
                    members.push(((*key).to_owned(), self.text(value, &keys.path_of(key)).part));
                }
            }
            for key in ["buttons", "template"] {
                if let Some(value) = keys.take(key) {
                    members.push((key.to_owned(), self.value(value, &keys.path_of(key)).part));
                }
            }
            if let Some(value) = keys.take("await") {
                let path = keys.path_of("await");
                if word(value, &path, &[("delivered", ())], self.problems).is_some() {
                    members.push(("await".to_owned(), Tree::Constant(Value::from("delivered"))));
                }
            }
            keys.refuse_rest(SEND, self.problems);
        } else {
            members.push(("text".to_owned(), self.text(node, path).part));
        }
        let settings = Placed { path: path.to_owned(), part: Tree::Map(members) };
        self.lay_call(step, scope, settings, (Effect::Keyed, None));
    }

    pub(crate) fn call(&mut self, step: &StepNode<'_>, node: &Node, scope: usize, path: &str) {
        let Some(kind) = self.catalog.steps.get(step.name).cloned() else { return };
        let Some(settings) = self.settings(kind.as_ref(), node, path) else { return };
        let source = node.value();
        let draft = Draft::new(&source, is_template);
        for finding in kind.check(&draft) {
            let at = node.find(&finding.path).map_or(node.bytes.clone(), |node| node.bytes.clone());
            let path =
                if finding.path.is_empty() { path.to_owned() } else { format!("{path}.{}", finding.path) };
            let problem = self.problems.error(Code::Setting, (&path, at), finding.message);
            problem.help = finding.help.or_else(|| Some("leave it out".to_owned()));
        }
        let effect = kind.effect(&draft);
        self.needs_picks(kind.as_ref(), step, node, &settings);
        let tree = Placed { path: path.to_owned(), part: settings.tree };
        self.lay_call(step, scope, tree, (effect, settings.picks));
        if let Some(pages) = kind.info().pages.and_then(|setting| node.get(setting)) {
            self.lay_paging(step, pages);
        }
    }

    /// The call just laid goes through pages.
    fn lay_paging(&mut self, step: &StepNode<'_>, pages: &Node) {
        let most =
            pages.get("max_pages").and_then(Node::text).and_then(|text| text.replace('_', "").parse().ok());
        let (call, item) = (self.calls.len() - 1, self.slots.find("item"));
        let paging = PagingPlan {
            until: self.until.take(),
            item,
            max_pages: most.unwrap_or(MOST_PAGES),
            streams: false,
        };
        let plan = &mut self.calls[call];
        let is_read = plan.picks.is_some() || plan.output == OutputUse::Into;
        plan.paging = Some(paging);
        if let Some(id) = step.id.and_then(Node::text).filter(|_| !is_read) {
            self.paged.insert(id.to_owned(), (self.stretch, call));
        }
    }

    /// A kind that keeps variables needs some, unless `into` takes the whole.
    fn needs_picks(&mut self, kind: &dyn ErasedStep, step: &StepNode<'_>, node: &Node, settings: &Settings) {
        let keeps_variables = kind.info().keeps == flowrun_step::Keeps::Variables;
        if keeps_variables
            && settings.picks.is_none()
            && step.into.is_none()
            && node.get("variables").is_none()
            && kind.info().pages.is_none_or(|setting| node.get(setting).is_none())
        {
            let message = format!("`{}` keeps nothing: it has no `variables` and no `into`", step.name);
            let path = format!("{}.{}", step.path, step.name);
            let problem = self.problems.error(Code::MissingKey, (&path, step.bytes.clone()), message);
            problem.set_help("variables: { last_name: data.last_name }");
        }
    }

    fn lay_call(
        &mut self,
        step: &StepNode<'_>,
        scope: usize,
        settings: Placed<Tree>,
        (effect, picks): (Effect, Option<Placed<Picks>>),
    ) {
        let may_repeat = effect != Effect::Unsafe || says_unsafe(step);
        let retry = step.retry.and_then(|node| self.retry(node, &format!("{}.retry", step.path), may_repeat));
        let writes = picks.as_ref().map_or_else(Vec::new, |picks| self.slots_of(&picks.part));
        let into = step.into.and_then(Node::text).and_then(|name| self.slots.find(name));
        self.scopes[scope].into = into;
        self.written(picks.as_ref(), &writes, into);
        self.lay(CallPlan {
            picks: picks.map(Arc::new),
            writes,
            retry,
            output: if into.is_some() { OutputUse::Into } else { OutputUse::Nobody },
            ..CallPlan::new(step.name, settings, effect)
        });
    }

    /// Lays a call of the step that is laid out.
    pub(crate) fn lay(&mut self, plan: CallPlan) {
        let call = self.calls.len();
        self.calls.push(plan);
        self.callers.push(self.owner.unwrap_or_default());
        self.op(Op::Call { call });
    }

    fn slots_of(&mut self, picks: &Picks) -> Vec<Slot> {
        picks.names().map(|name| self.slots.intern(name)).collect()
    }

    /// What has a value once the call is done: an optional pick only may have one.
    fn written(&mut self, picks: Option<&Placed<Picks>>, writes: &[Slot], into: Option<Slot>) {
        for slot in writes {
            let name = self.slots.name(*slot);
            let is_sure = picks.is_none_or(|picks| !picks.part.may_leave_unset(name));
            if is_sure { self.reach.set(*slot) } else { self.reach.may_set(*slot) }
        }
        if let Some(slot) = into {
            self.reach.set(slot);
        }
    }

    /// The integration a setting names.
    pub(crate) fn integration_setting(&mut self, value: &Value, node: &Node, path: &str) {
        if let Some(name) = value.as_str() {
            self.use_integration(name, path, node.bytes.clone());
        }
    }
}

/// Whether an author says that a call may do its work twice (L-10).
fn says_unsafe(step: &StepNode<'_>) -> bool {
    let KindNode::Call(settings) = &step.kind else { return false };
    settings.get("unsafe").is_some_and(|node| node.value() == Value::Bool(true))
}
