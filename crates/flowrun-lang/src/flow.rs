//! A flow that was checked: a plan, and the way back from its places to the author's text.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use flowrun_machine::Plan;
use flowrun_step::IntegrationName;

use crate::bundle::{Part, hash};
use crate::diagnostic::Place;
use crate::input::Input;
use crate::node::Node;
use crate::permissions::{IntegrationUse, Visit};
use crate::scalar::within;
use crate::source::SourceText;
use crate::trigger::Trigger;

/// A flow without errors.
#[derive(Debug, Clone)]
pub struct Flow {
    pub(crate) plan: Arc<Plan>,
    pub(crate) source: SourceText,
    pub(crate) root: Arc<Node>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) secrets: Vec<String>,
    pub(crate) integrations: Vec<IntegrationUse>,
    pub(crate) trigger: Option<Trigger>,
    /// The texts of the flows it calls, as the plan counts them from 1.
    called: Vec<Called>,
    pub(crate) visits: Vec<Visit>,
}

/// A flow that is called.
#[derive(Debug, Clone)]
struct Called {
    path: String,
    source: SourceText,
    root: Arc<Node>,
}

impl Flow {
    /// A flow and all the flows it calls.
    pub(crate) fn new(first: Part, parts: Vec<Part>) -> Self {
        let Part { plan, source, root, inputs, mut secrets, integrations, trigger, mut visits, .. } = first;
        for part in &parts {
            secrets.extend(part.secrets.iter().cloned());
            visits.extend(part.visits.iter().cloned());
        }
        let mut seen = HashSet::new();
        secrets.retain(|name| seen.insert(name.clone()));
        let called = parts.iter().flat_map(|part| part.integrations.iter().cloned());
        let integrations = IntegrationUse::merged(integrations.into_iter().chain(called));
        let mut plan = Arc::unwrap_or_clone(plan);
        plan.hash = hash(&source, &parts);
        plan.flows = parts.iter().map(|part| Arc::clone(&part.plan)).collect();
        let called =
            parts.into_iter().map(|Part { path, source, root, .. }| Called { path, source, root }).collect();
        Self { plan: Arc::new(plan), source, root, inputs, secrets, integrations, trigger, called, visits }
    }

    /// What the machine runs.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The flow's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// The inputs it declares.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The secrets it declares, and those of the flows it calls.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// The integrations it uses, and those of the flows it calls, each once, with the scopes they say they need.
    #[must_use]
    pub fn integrations(&self) -> &[IntegrationUse] {
        &self.integrations
    }

    /// What starts it.
    #[must_use]
    pub fn trigger(&self) -> Option<&Trigger> {
        self.trigger.as_ref()
    }

    /// Its text, and those of the flows it calls.
    pub fn sources(&self) -> impl Iterator<Item = &SourceText> {
        std::iter::once(&self.source).chain(self.called.iter().map(|called| &called.source))
    }

    /// The flows it calls, by their paths.
    pub(crate) fn called(&self) -> impl Iterator<Item = (&str, &SourceText)> {
        self.called.iter().map(|called| (called.path.as_str(), &called.source))
    }

    /// Where the flow's own list names an integration.
    #[must_use]
    pub fn declaration(&self, name: &IntegrationName) -> Option<Place> {
        let listed = self.root.get("integrations")?.entries()?.iter();
        let (key, _) = listed
            .into_iter()
            .find(|(key, _)| IntegrationName::new(&key.text).is_ok_and(|listed| listed == *name))?;
        Some(self.source.place(&format!("integrations.{}", key.text), key.bytes.clone()))
    }

    /// Where a path such as `steps[0].set.total` stands; `span` are bytes within the text there.
    ///
    /// A path that leads to nothing written is at the nearest thing around it.
    #[must_use]
    pub fn place(&self, path: &str, span: Option<Range<usize>>) -> Place {
        self.place_in(0, path, span)
    }

    /// The same in a flow of the bundle: 0 is this one, the others are those it calls, as its plan counts them.
    #[must_use]
    pub fn place_in(&self, flow: usize, path: &str, span: Option<Range<usize>>) -> Place {
        let called = flow.checked_sub(1).and_then(|at| self.called.get(at));
        let (source, root) =
            called.map_or((&self.source, &self.root), |called| (&called.source, &called.root));
        let node = nearest(root, path);
        let bytes = match span {
            Some(span) => within(source.text(), node, &span),
            None => node.bytes.clone(),
        };
        source.place(path, bytes)
    }
}

fn nearest<'n>(root: &'n Node, path: &str) -> &'n Node {
    let mut path = path;
    loop {
        if let Some(node) = root.find(path) {
            return node;
        }
        path = path.rfind(['.', '[', '/']).map_or("", |cut| &path[..cut]);
    }
}
