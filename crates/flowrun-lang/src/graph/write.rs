//! Writes a graph down, in Mermaid's language or in DOT.

use crate::graph::{Edge, Graph, Shape};

impl Graph {
    /// As a Mermaid flowchart.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut out = String::from("flowchart TD\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let (open, close) = match node.shape {
                Shape::Terminal => ("([", "])"),
                Shape::Step => ("[", "]"),
                Shape::Decision => ("{", "}"),
                Shape::Loop => ("{{", "}}"),
                Shape::Bar => ("[[", "]]"),
            };
            line(&mut out, format_args!("    n{at}{open}\"{}\"{close}", entities(&node.label)));
        }
        for Edge { from, to, label, is_error } in &self.edges {
            let arrow = if *is_error { "-.->" } else { "-->" };
            let label = label.as_ref().map(|label| format!("|\"{}\"|", entities(label))).unwrap_or_default();
            line(&mut out, format_args!("    n{from} {arrow}{label} n{to}"));
        }
        out
    }

    /// As a digraph in Graphviz' DOT.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph flow {\n    node [fontname=\"sans-serif\"];\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let shape = match node.shape {
                Shape::Terminal => "oval",
                Shape::Step => "box",
                Shape::Decision => "diamond",
                Shape::Loop => "hexagon",
                Shape::Bar => "box3d",
            };
            line(&mut out, format_args!("    n{at} [shape={shape}, label=\"{}\"];", escapes(&node.label)));
        }
        for Edge { from, to, label, is_error } in &self.edges {
            let style = if *is_error { "dashed" } else { "solid" };
            let label = escapes(label.as_deref().unwrap_or_default());
            line(&mut out, format_args!("    n{from} -> n{to} [style={style}, label=\"{label}\"];"));
        }
        out + "}\n"
    }
}

/// One more line of a picture.
pub(super) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.push_str(&text.to_string());
    out.push('\n');
}

/// Mermaid reads a quoted label as Markdown with HTML in it: nothing of an author's text may be either.
fn entities(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            c if c.is_control() => {}
            c if c.is_alphanumeric() || " .,:;/?=_-+…()[]{}'!%@".contains(c) => out.push(c),
            c => out.push_str(&format!("#{};", u32::from(c))),
        }
    }
    out
}

fn escapes(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
