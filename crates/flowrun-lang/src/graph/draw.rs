//! Draws a graph as SVG: `dagre` says where everything stands, this says how it looks.
//!
//! The picture needs no script and no font of its own, follows the reader's light or dark theme, and has the flow's
//! name as its title. Texts are measured by their number of characters: there is no font to ask.

use std::fmt::Write as _;

use dagre::graph::{Graph as Layout, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, Point, layout};

use crate::graph::write::line;
use crate::graph::{Edge, Graph, Node, Shape};

/// The most places that are laid out: nodes, and rows that ways pass through.
const MOST: usize = 3_000;
/// How wide a character of the text may be, in the picture's units.
const CHARACTER: f64 = 7.4;
/// How high a line of text stands.
const LINE: f64 = 17.0;
/// How far the corners of a decision and the bars of a loop stand in.
const INSET: f64 = 12.0;
/// How far below its middle a line of text stands.
const BASELINE: f64 = 4.5;
/// How far a way's tip is led by the way itself: the rest is bent.
const BEND: f64 = 0.5;

/// Plain colours, since not every reader of SVG knows variables; one that knows themes takes the second set.
const STYLE: &str = "<style>\n\
    svg { font: 13px sans-serif } text, .tip { fill: #1f2933 } .paper { fill: #fff }\n\
    .node { fill: #f0f3f6; stroke: #1f2933 } .bar { stroke-width: 3px }\n\
    .way { fill: none; stroke: #1f2933 } .error { stroke-dasharray: 5 4 }\n\
    .on-way { stroke: #fff; stroke-width: 4px; paint-order: stroke }\n\
    @media (prefers-color-scheme: dark) {\n\
    text, .tip { fill: #e4e7eb } .paper { fill: #15191e } .on-way { stroke: #15191e }\n\
    .node { fill: #252b33; stroke: #e4e7eb } .way { stroke: #e4e7eb }\n\
    }\n\
    </style>\n\
    <defs><marker id=\"tip\" markerWidth=\"9\" markerHeight=\"7\" refX=\"9\" refY=\"3.5\" orient=\"auto\">\
    <path class=\"tip\" d=\"M0 0 9 3.5 0 7z\"/></marker></defs>\n";

/// A flow whose picture cannot be laid out in reasonable time; as Mermaid or DOT it can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the picture is too large for SVG: it takes {places} places, and at most {most} are laid out")]
pub struct TooLarge {
    /// How many nodes there are and rows that ways pass through.
    pub places: usize,
    /// How many there may be.
    pub most: usize,
}

impl Graph {
    /// As an SVG 1.1 picture.
    ///
    /// # Errors
    /// Fails when the graph is too large to be laid out in reasonable time.
    pub fn svg(&self) -> Result<String, TooLarge> {
        let places = self.places();
        if places > MOST {
            return Err(TooLarge { places, most: MOST });
        }
        let placed = self.placed();
        let mut body = String::new();
        let mut bounds = Bounds::default();
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(stands) = placed.node(&at.to_string()) else { continue };
            let middle = Point::new(stands.x.unwrap_or_default(), stands.y.unwrap_or_default());
            draw_node(&mut body, node, (&middle, stands.width, stands.height));
            let (wide, high) = (stands.width / 2.0, stands.height / 2.0);
            bounds.hold(&Point::new(middle.x - wide, middle.y - high));
            bounds.hold(&Point::new(middle.x + wide, middle.y + high));
        }
        for (at, edge) in self.edges.iter().enumerate() {
            let key = (edge.from.to_string(), edge.to.to_string(), at.to_string());
            let Some(leads) = placed.edge(&key.0, &key.1, Some(&key.2)) else { continue };
            draw_edge(&mut body, edge, leads);
            leads.points.iter().for_each(|point| bounds.hold(point));
        }
        let title = self.nodes.first().map(|node| escaped(&node.label)).unwrap_or_default();
        Ok(page(&title, &bounds, &body))
    }

    /// How much there is to lay out: a node stands a row below those that lead to it, and a way that is longer than a
    /// row passes through each. Forth leads the order of the text, so a way back begins where it ends.
    fn places(&self) -> usize {
        let mut rows = vec![0_usize; self.nodes.len()];
        let mut edges: Vec<(usize, usize)> =
            self.edges.iter().map(|edge| (edge.from.min(edge.to), edge.from.max(edge.to))).collect();
        edges.sort_unstable();
        for (high, low) in &edges {
            rows[*low] = rows[*low].max(rows[*high] + 1);
        }
        let passed: usize =
            edges.iter().map(|(high, low)| (rows[*low] - rows[*high]).saturating_sub(1)).sum();
        self.nodes.len() + passed
    }

    fn placed(&self) -> Layout<NodeLabel, EdgeLabel> {
        let mut placed =
            Layout::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
        for (at, node) in self.nodes.iter().enumerate() {
            let (width, height) = size(node);
            placed.set_node(at.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
        }
        for (at, edge) in self.edges.iter().enumerate() {
            let label = edge.label.as_deref();
            let way = EdgeLabel {
                width: label.map_or(0.0, measured),
                height: label.map_or(0.0, |_| LINE),
                labelpos: LabelPos::Center,
                ..EdgeLabel::default()
            };
            placed.set_edge(edge.from.to_string(), edge.to.to_string(), Some(way), Some(&at.to_string()));
        }
        let apart = LayoutOptions { ranksep: 40.0, nodesep: 40.0, ..LayoutOptions::default() };
        layout(&mut placed, Some(apart));
        placed
    }
}

/// The corner nearest to the start and the one farthest from it; a way may pass left of everything.
#[derive(Debug, Default)]
struct Bounds {
    near: (f64, f64),
    far: (f64, f64),
}

impl Bounds {
    fn hold(&mut self, point: &Point) {
        self.near = (self.near.0.min(point.x), self.near.1.min(point.y));
        self.far = (self.far.0.max(point.x), self.far.1.max(point.y));
    }
}

fn page(title: &str, bounds: &Bounds, body: &str) -> String {
    let (x, y) = (bounds.near.0 - INSET, bounds.near.1 - INSET);
    let (wide, high) = (bounds.far.0 + INSET - x, bounds.far.1 + INSET - y);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{wide:.0}\" height=\"{high:.0}\" \
         viewBox=\"{x:.0} {y:.0} {wide:.0} {high:.0}\"><title>{title}</title>\n{STYLE}\
         <rect class=\"paper\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{wide:.0}\" height=\"{high:.0}\"/>\n{body}</svg>\n"
    )
}

#[expect(clippy::cast_precision_loss, reason = "labels are short")]
fn measured(text: &str) -> f64 {
    text.lines().map(|line| line.chars().count()).max().unwrap_or_default() as f64 * CHARACTER
}

#[expect(clippy::cast_precision_loss, reason = "labels have few lines")]
fn size(node: &Node) -> (f64, f64) {
    let (wide, high) = (measured(&node.label) + 2.0 * INSET, node.label.lines().count() as f64 * LINE + 16.0);
    match node.shape {
        Shape::Decision | Shape::Loop => (wide + INSET, high),
        Shape::Terminal => (wide + high / 2.0, high),
        Shape::Step | Shape::Bar => (wide, high),
    }
}

fn draw_node(body: &mut String, node: &Node, (middle, wide, high): (&Point, f64, f64)) {
    let (x, y, right, low) =
        (middle.x - wide / 2.0, middle.y - high / 2.0, middle.x + wide / 2.0, middle.y + high / 2.0);
    let (half, left, far) = (middle.y, x + INSET, right - INSET);
    let path = match node.shape {
        Shape::Decision => {
            format!(
                "M{left:.1} {y:.1}H{far:.1}L{right:.1} {half:.1} {far:.1} {low:.1}H{left:.1}L{x:.1} {half:.1}z"
            )
        }
        Shape::Loop => {
            format!(
                "M{x:.1} {y:.1}H{right:.1}V{low:.1}H{x:.1}zM{left:.1} {y:.1}V{low:.1}M{far:.1} {y:.1}V{low:.1}"
            )
        }
        Shape::Terminal => {
            let (round, flat, start) = (high / 2.0, wide - high, x + high / 2.0);
            format!(
                "M{start:.1} {y:.1}h{flat:.1}a{round:.1} {round:.1} 0 0 1 0 {high:.1}h-{flat:.1}a{round:.1} {round:.1} \
                 0 0 1 0 -{high:.1}z"
            )
        }
        Shape::Step | Shape::Bar => format!("M{x:.1} {y:.1}H{right:.1}V{low:.1}H{x:.1}z"),
    };
    let class = if node.shape == Shape::Bar { "node bar" } else { "node" };
    line(body, format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    draw_text(body, middle, &node.label, "on-node");
}

/// A way through its points, each corner cut into a bend; the label stands on it.
fn draw_edge(body: &mut String, edge: &Edge, leads: &EdgeLabel) {
    let [start, corners @ .., end] = leads.points.as_slice() else { return };
    let mut path = format!("M{:.1} {:.1}", start.x, start.y);
    for (nth, corner) in corners.iter().enumerate() {
        let next = corners.get(nth + 1).unwrap_or(end);
        let (x, y) = (corner.x + (next.x - corner.x) * BEND, corner.y + (next.y - corner.y) * BEND);
        let _ = write!(path, "Q{:.1} {:.1} {x:.1} {y:.1}", corner.x, corner.y);
    }
    let _ = write!(path, "L{:.1} {:.1}", end.x, end.y);
    let class = if edge.is_error { "way error" } else { "way" };
    line(body, format_args!("<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#tip)\"/>"));
    if let (Some(label), Some(x), Some(y)) = (&edge.label, leads.x, leads.y) {
        draw_text(body, &Point::new(x, y), label, "on-way");
    }
}

fn draw_text(body: &mut String, middle: &Point, text: &str, class: &str) {
    let lines: Vec<&str> = text.lines().collect();
    #[expect(clippy::cast_precision_loss, reason = "labels have few lines")]
    let first = middle.y - lines.len().saturating_sub(1) as f64 * LINE / 2.0 + BASELINE;
    let _ = write!(body, "<text class=\"{class}\" text-anchor=\"middle\" y=\"{first:.1}\">");
    for (nth, text) in lines.iter().enumerate() {
        let (x, down, text) = (middle.x, if nth == 0 { 0.0 } else { LINE }, escaped(text));
        let _ = write!(body, "<tspan x=\"{x:.1}\" dy=\"{down}\">{text}</tspan>");
    }
    body.push_str("</text>\n");
}

/// Text as XML has it; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
