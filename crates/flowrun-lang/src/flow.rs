//! A flow that was checked: a plan, and the way back from its places to the author's text.

use std::ops::Range;
use std::sync::Arc;

use flowrun_machine::Plan;
use flowrun_step::IntegrationName;

use crate::diagnostic::Place;
use crate::input::Input;
use crate::node::Node;
use crate::permissions::Visit;
use crate::scalar::within;
use crate::source::SourceText;

/// A flow without errors.
#[derive(Debug, Clone)]
pub struct Flow {
    pub(crate) plan: Arc<Plan>,
    pub(crate) source: SourceText,
    pub(crate) root: Arc<Node>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) secrets: Vec<String>,
    pub(crate) integrations: Vec<IntegrationName>,
    pub(crate) visits: Vec<Visit>,
}

impl Flow {
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

    /// The secrets it declares.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// The integrations it uses, each once.
    #[must_use]
    pub fn integrations(&self) -> &[IntegrationName] {
        &self.integrations
    }

    /// Where a path such as `steps[0].set.total` stands; `span` are bytes within the text there.
    ///
    /// A path that leads to nothing written is at the nearest thing around it.
    #[must_use]
    pub fn place(&self, path: &str, span: Option<Range<usize>>) -> Place {
        let node = self.nearest(path);
        let bytes = match span {
            Some(span) => within(self.source.text(), node, &span),
            None => node.bytes.clone(),
        };
        self.source.place(path, bytes)
    }

    fn nearest(&self, path: &str) -> &Node {
        let mut path = path;
        loop {
            if let Some(node) = self.root.find(path) {
                return node;
            }
            path = path.rfind(['.', '[', '/']).map_or("", |cut| &path[..cut]);
        }
    }
}
