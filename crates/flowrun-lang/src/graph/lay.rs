//! Walks a document and lays its steps out: each block takes the ways that lead into it and gives those that leave it.

use crate::document::{Case, Document, Handler, KindNode, StepNode};
use crate::graph::{Edge, Graph, Node, Shape};
use crate::node;

/// The most characters of a text that a node repeats.
const MOST: usize = 48;

/// A way that leads on from a node.
#[derive(Debug, Clone)]
struct Way {
    from: usize,
    label: Option<String>,
    is_error: bool,
}

/// The picture of a document.
pub(super) fn flow(name: &str, document: &Document<'_>) -> Graph {
    let mut graph = Graph::default();
    let start = graph.node(Shape::Terminal, begun(name, document));
    let mut ways = graph.block(&document.steps, vec![Way::on(start)]);
    ways.extend(graph.handled(&document.on_error, start));
    let ways = graph.block(&document.finally, ways);
    if !ways.is_empty() {
        graph.reached(Shape::Terminal, "end".to_owned(), ways);
    }
    graph
}

/// The flow's name, and what starts it.
fn begun(name: &str, document: &Document<'_>) -> String {
    let trigger = document.trigger.and_then(|node| node.entries()?.first());
    let detail =
        |node: &node::Node| ["cron", "path", "name"].iter().find_map(|key| node.get(key).and_then(short));
    match trigger {
        Some((kind, node)) => match detail(node) {
            Some(detail) => format!("{name}\non {}: {detail}", kind.text),
            None => format!("{name}\non {}", kind.text),
        },
        None => name.to_owned(),
    }
}

impl Way {
    fn on(from: usize) -> Self {
        Self { from, label: None, is_error: false }
    }

    fn when(from: usize, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..Self::on(from) }
    }
}

impl Graph {
    fn node(&mut self, shape: Shape, label: String) -> usize {
        self.nodes.push(Node { shape, label });
        self.nodes.len() - 1
    }

    fn lead(&mut self, ways: Vec<Way>, to: usize) {
        self.edges.extend(ways.into_iter().map(|way| {
            let Way { from, label, is_error } = way;
            Edge { from, to, label, is_error }
        }));
    }

    /// A node to which these ways lead.
    fn reached(&mut self, shape: Shape, label: String, ways: Vec<Way>) -> usize {
        let node = self.node(shape, label);
        self.lead(ways, node);
        node
    }

    fn block(&mut self, steps: &[StepNode<'_>], ways: Vec<Way>) -> Vec<Way> {
        steps.iter().fold(ways, |ways, step| self.step(step, ways))
    }

    fn step(&mut self, step: &StepNode<'_>, mut ways: Vec<Way>) -> Vec<Way> {
        let mut around = Vec::new();
        if let Some(guard) = step.guard {
            let asked = self.reached(Shape::Decision, question(guard), ways);
            ways = vec![Way::when(asked, "yes")];
            around.push(Way::when(asked, "no"));
        }
        let head = self.nodes.len();
        let mut out = self.kind(step, ways);
        if self.nodes.len() > head {
            out.extend(self.handled(&step.on_error, head));
        }
        let mut out = self.block(&step.finally, out);
        if self.nodes.len() > head && !step.undo.is_empty() {
            // It happens when the run ends badly, so nothing comes after it.
            let way = Way { is_error: true, ..Way::when(head, "undo") };
            self.block(&step.undo, vec![way]);
        }
        out.extend(around);
        out
    }

    /// What takes the errors of the step whose first node is `head`.
    fn handled(&mut self, handler: &Handler<'_>, head: usize) -> Vec<Way> {
        let way = Way { is_error: true, ..Way::when(head, "on error") };
        match handler {
            Handler::None => Vec::new(),
            Handler::Continue => vec![way],
            Handler::Steps(steps) => self.block(steps, vec![way]),
        }
    }

    fn kind(&mut self, step: &StepNode<'_>, ways: Vec<Way>) -> Vec<Way> {
        match &step.kind {
            KindNode::If(guarded) => {
                let asked = self.reached(Shape::Decision, question(guarded.condition), ways);
                let mut out = self.block(&guarded.then, vec![Way::when(asked, "yes")]);
                out.extend(self.block(&guarded.otherwise, vec![Way::when(asked, "no")]));
                out
            }
            KindNode::Switch(cases) => self.switch(cases, ways),
            KindNode::Do(steps) => {
                let node = self.reached(Shape::Step, titled(step), ways);
                self.block(steps, vec![Way::on(node)])
            }
            KindNode::ForEach(settings, steps) => {
                let list = settings.get("in").unwrap_or(settings);
                self.round(step, steps, (short(list).unwrap_or_default(), "each", "done".to_owned()), ways)
            }
            KindNode::Repeat(settings, steps) => {
                let most = settings.get("max").and_then(short).unwrap_or_default();
                let until = settings.get("until").and_then(short);
                let done = until.map_or_else(|| "done".to_owned(), |until| format!("until {until}"));
                self.round(step, steps, (format!("at most {most} times"), "turn", done), ways)
            }
            KindNode::Parallel(branches, join) => {
                let fork = self.reached(Shape::Bar, titled(step), ways);
                let mut out = Vec::new();
                for branch in branches {
                    out.extend(self.block(&branch.steps, vec![Way::when(fork, branch.name)]));
                }
                let join = join.and_then(short).unwrap_or_else(|| "all".to_owned());
                match out.is_empty() {
                    true => out,
                    false => vec![Way::on(self.reached(Shape::Bar, format!("join: {join}"), out))],
                }
            }
            KindNode::Fail(_) | KindNode::End(_) => {
                self.reached(Shape::Terminal, labelled(step), ways);
                Vec::new()
            }
            _ => vec![Way::on(self.reached(Shape::Step, labelled(step), ways))],
        }
    }

    /// The first case that holds; none does nothing.
    fn switch(&mut self, cases: &[Case<'_>], mut ways: Vec<Way>) -> Vec<Way> {
        let mut out = Vec::new();
        for case in cases {
            match case.condition {
                Some(condition) => {
                    let asked = self.reached(Shape::Decision, question(condition), ways);
                    out.extend(self.block(&case.steps, vec![Way::when(asked, "yes")]));
                    ways = vec![Way::when(asked, "no")];
                }
                None => ways = self.block(&case.steps, ways),
            }
        }
        out.extend(ways);
        out
    }

    /// A loop: its body leads back to it.
    fn round(
        &mut self,
        step: &StepNode<'_>,
        steps: &[StepNode<'_>],
        (over, turn, done): (String, &str, String),
        ways: Vec<Way>,
    ) -> Vec<Way> {
        let node = self.reached(Shape::Loop, format!("{}\n{over}", titled(step)), ways);
        let back = self.block(steps, vec![Way::when(node, turn)]);
        self.lead(back, node);
        vec![Way::when(node, done)]
    }
}

/// The step's id and kind.
fn titled(step: &StepNode<'_>) -> String {
    match step.id.and_then(node::Node::text) {
        Some(id) => format!("{id}: {}", step.name),
        None => step.name.to_owned(),
    }
}

/// The same, and what the step is about on a second line.
fn labelled(step: &StepNode<'_>) -> String {
    match about(step) {
        Some(about) => format!("{}\n{about}", titled(step)),
        None => titled(step),
    }
}

fn about(step: &StepNode<'_>) -> Option<String> {
    match &step.kind {
        KindNode::Set(entries) | KindNode::Compute(entries) => {
            let names: Vec<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
            Some(cut(&names.join(", ")))
        }
        KindNode::Send(node) | KindNode::Log(node) | KindNode::Ask(node) => {
            short(node.get("text").unwrap_or(node))
        }
        KindNode::Fail(node) => short(node.get("name").unwrap_or(node)),
        KindNode::Emit(node) => short(node.get("event")?),
        KindNode::Respond(node) => node.get("status").and_then(short),
        KindNode::Wait(node) if node.get("event").is_some() => short(node.get("event")?),
        KindNode::Wait(node) if node.get("webhook").is_some() => Some("a call of its URL".to_owned()),
        KindNode::Wait(node) => match node.get("until") {
            Some(until) => Some(format!("until {}", short(until)?)),
            None => short(node),
        },
        KindNode::Call(node) => short(node.get("url")?),
        KindNode::Flow(node) => short(node.get("flow").unwrap_or(node)),
        _ => None,
    }
}

fn question(condition: &node::Node) -> String {
    short(condition).unwrap_or_default()
}

/// The first line of a text, if it is one.
fn short(node: &node::Node) -> Option<String> {
    node.text().map(cut)
}

fn cut(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None if line.len() < text.trim().len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
