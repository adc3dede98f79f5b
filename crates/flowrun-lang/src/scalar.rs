//! From an offset in a scalar's value to a byte in the file.

use std::ops::Range;

use crate::node::{Node, Style};

/// The bytes in the file of a span within a scalar's value; the whole node where they cannot be told.
pub(crate) fn within(text: &str, node: &Node, span: &Range<usize>) -> Range<usize> {
    let whole = node.bytes.clone();
    let Some(scalar) = node.scalar() else { return whole };
    let quotes = usize::from(scalar.style == Style::Quoted);
    let written = text.get(whole.start + quotes..).and_then(|rest| rest.get(..scalar.text.len()));
    if scalar.style != Style::Block && written == Some(scalar.text.as_str()) {
        let start = whole.start + quotes;
        return start + span.start..start + span.end.min(scalar.text.len());
    }
    whole
}
