//! One line of a flow as it is being typed: its indentation, its dashes, its key.

use std::ops::Range;

/// A line by its dashes and its key.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: Range<usize>,
    /// Where its dashes stand.
    pub(super) dashes: Vec<usize>,
    /// Where its content begins, after dashes.
    pub(super) content: usize,
    /// Its key, and where the value after the colon begins.
    pub(super) key: Option<(String, usize)>,
}

impl<'t> Line<'t> {
    pub(super) fn at(text: &'t str, offset: usize) -> Self {
        let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
        Self::of(text, start..end)
    }

    fn of(text: &'t str, bytes: Range<usize>) -> Self {
        let line = &text[bytes.clone()];
        let mut content = bytes.start + line.len() - line.trim_start_matches(' ').len();
        let mut dashes = Vec::new();
        loop {
            let rest = text[content..bytes.end].trim_end_matches('\r');
            let Some(after) =
                rest.strip_prefix('-').filter(|after| after.is_empty() || after.starts_with(' '))
            else {
                break;
            };
            dashes.push(content);
            content += 1 + after.len() - after.trim_start_matches(' ').len();
        }
        let key = key(&text[content..bytes.end]).map(|(name, after)| (name, content + after));
        Self { text, bytes, dashes, content, key }
    }

    pub(super) fn is_blank(&self) -> bool {
        let said = self.text[self.content..self.bytes.end].trim();
        self.dashes.is_empty() && (said.is_empty() || said.starts_with('#'))
    }

    /// Where the line's value begins, if the cursor is in it.
    pub(super) fn value_before(&self, offset: usize) -> Option<usize> {
        self.key.as_ref().map(|(_, value)| *value).filter(|value| {
            // Right after the colon counts: `url:|`.
            self.text[..*value].trim_end_matches([' ', '\t']).len() <= offset && self.content < offset
        })
    }

    /// Whether something that goes on stands after the key.
    pub(super) fn has_value(&self) -> bool {
        self.key.as_ref().is_some_and(|(_, value)| {
            let said = self.text[*value..self.bytes.end].trim();
            !said.is_empty() && !said.starts_with('#')
        })
    }
}

/// The key a line's content begins with, and how far it is to its value.
fn key(content: &str) -> Option<(String, usize)> {
    let (name, colon) = match content.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = content[1..].find(quote)? + 1;
            (&content[1..end], end + 1)
        }
        '{' | '[' | '#' | '&' | '*' | '|' | '>' => return None,
        _ => {
            let colons = content.match_indices(':').map(|(at, _)| at);
            let is_end = |at: &usize| content[at + 1..].chars().next().is_none_or(char::is_whitespace);
            let colon = colons.into_iter().find(is_end)?;
            (&content[..colon], colon)
        }
    };
    let after = content.get(colon..)?.strip_prefix(':')?;
    let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
    (!name.contains(" #")).then(|| (name.trim_end().to_owned(), colon + 1 + blanks))
}
