//! The outline of a flow: its inputs, its steps as a tree, its outputs.

use crate::catalog::Catalog;
use crate::document::BUILT_IN;
use crate::editor::ground::Atlas;
use crate::editor::reading::Reading;
use crate::editor::{Symbol, SymbolKind};
use crate::node::{Key, Kind, Node};
use crate::source::SourceText;

/// The keys beneath which steps stand, beside a kind.
const BLOCKS: &[&str] = &["then", "else", "do", "on_error", "finally", "undo"];

/// The outline, of as much of the file as can be read.
#[must_use]
pub fn symbols(source: &SourceText, catalog: &Catalog) -> Vec<Symbol> {
    let atlas = Atlas::of(catalog);
    let reading = Reading::of(source, None, catalog, &atlas);
    let entries = reading.root.as_ref().and_then(Node::entries).unwrap_or_default();
    let kinds: Vec<&str> = BUILT_IN.iter().copied().chain(atlas.kinds()).collect();
    let section = |(key, node): &(Key, Node)| {
        let children = match key.text.as_str() {
            "inputs" => named(node, SymbolKind::Input),
            "outputs" => named(node, SymbolKind::Output),
            "steps" | "on_error" | "finally" => steps(node, &kinds),
            _ => return None,
        };
        Some(symbol(key, node, SymbolKind::Section, children))
    };
    entries.iter().filter_map(section).collect()
}

fn named(node: &Node, kind: SymbolKind) -> Vec<Symbol> {
    let entries = node.entries().unwrap_or_default().iter();
    entries.map(|(key, node)| symbol(key, node, kind, Vec::new())).collect()
}

fn symbol(key: &Key, node: &Node, kind: SymbolKind, children: Vec<Symbol>) -> Symbol {
    // A client refuses a name of no letters.
    let name = if key.text.trim().is_empty() { "?".to_owned() } else { key.text.clone() };
    let bytes = key.bytes.start..node.bytes.end.max(key.bytes.end);
    Symbol { name, detail: None, kind, bytes, name_bytes: key.bytes.clone(), children }
}

fn steps(node: &Node, kinds: &[&str]) -> Vec<Symbol> {
    node.items().unwrap_or_default().iter().map(|item| step(item, kinds)).collect()
}

fn step(item: &Node, kinds: &[&str]) -> Symbol {
    let entries = item.entries().unwrap_or_default();
    // `if` is the kind only where no other is.
    let kind = entries.iter().find(|(key, _)| key.text != "if" && kinds.contains(&key.text.as_str()));
    let kind = kind.or_else(|| entries.iter().find(|(key, _)| key.text == "if"));
    let kind_name = kind.map_or_else(|| item.text().unwrap_or("?"), |(key, _)| key.text.as_str());
    let id = item.get("id").filter(|id| id.text().is_some_and(|text| !text.trim().is_empty()));
    let start = item.bytes.start..item.bytes.start;
    let name_bytes = id.map(|id| id.bytes.clone()).or_else(|| kind.map(|(key, _)| key.bytes.clone()));
    Symbol {
        name: id.and_then(Node::text).unwrap_or(kind_name).to_owned(),
        detail: id.map(|_| kind_name.to_owned()),
        kind: SymbolKind::Step,
        bytes: item.bytes.clone(),
        name_bytes: name_bytes.unwrap_or(start),
        children: entries.iter().flat_map(|(key, node)| inner(key, node, kinds)).collect(),
    }
}

/// What stands in a step: the steps of its only block, or each block by its name.
fn inner(key: &Key, node: &Node, kinds: &[&str]) -> Vec<Symbol> {
    let block = |key: &Key, node: &Node| symbol(key, node, SymbolKind::Section, steps(node, kinds));
    match (key.text.as_str(), &node.kind) {
        ("switch", Kind::List(cases)) => {
            let entries = cases.iter().filter_map(Node::entries).flatten();
            entries.filter(|(key, _)| key.text != "if").map(|(key, node)| block(key, node)).collect()
        }
        ("parallel", Kind::Map(branches)) => branches.iter().map(|(key, node)| block(key, node)).collect(),
        (name, Kind::List(_)) if BLOCKS.contains(&name) => vec![block(key, node)],
        _ => Vec::new(),
    }
}
