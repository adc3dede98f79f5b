//! A flow as a picture: steps, branches, loops, handlers, as Mermaid, as Graphviz' DOT or as SVG.
//!
//! Drawn from the document, so it is what the author wrote, not what a run does. Texts of the flow stand in it as
//! labels, each escaped for the language of the picture.

mod draw;
mod lay;
mod write;

pub use self::draw::TooLarge;

use crate::document::document;
use crate::flow::Flow;
use crate::problems::Problems;

/// The steps of a flow and the ways between them.
///
/// # Example
/// ```
/// use flowrun_lang::{check, graph::Graph, Catalog, SourceText};
/// use flowrun_step::StepSet;
///
/// let source = SourceText::new("f.yaml", b"steps:\n  - send: Hello.\n".to_vec()).expect("UTF-8");
/// let flow = check(&source, &Catalog::new(StepSet::new())).flow.expect("a flow without errors");
/// assert!(Graph::of(&flow).mermaid().starts_with("flowchart TD\n"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Graph {
    /// The nodes; edges name them by index.
    pub nodes: Vec<Node>,
    /// The ways between them.
    pub edges: Vec<Edge>,
}

/// A step, or where ways part and meet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// What it is.
    pub shape: Shape,
    /// What is written in it; lines are parted by line ends.
    pub label: String,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// The beginning or an end of the flow.
    Terminal,
    /// A step.
    Step,
    /// A condition.
    Decision,
    /// A loop.
    Loop,
    /// Where branches part or meet.
    Bar,
}

/// A way from one node to another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// Where it begins.
    pub from: usize,
    /// Where it leads.
    pub to: usize,
    /// When it is taken, if not always.
    pub label: Option<String>,
    /// Whether it is taken after an error.
    pub is_error: bool,
}

impl Graph {
    /// The picture of a flow.
    #[must_use]
    pub fn of(flow: &Flow) -> Self {
        let kinds: Vec<&str> = flow.plan.steps.iter().map(|step| step.kind.as_str()).collect();
        // The flow was checked: nothing new is wrong with it.
        let mut problems = Problems::new(&flow.source);
        match document(&flow.root, &kinds, &mut problems) {
            Some(document) => lay::flow(flow.name(), &document),
            None => Self::default(),
        }
    }
}
