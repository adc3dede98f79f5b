//! What leads to the cursor by indentation: the lines above that begin further left, and the keys beside it.

use super::Part;
use super::line::Line;

/// One thing that leads to the cursor.
#[derive(Debug)]
pub(super) struct Found {
    column: usize,
    part: Part,
    /// The start of its line and of its value, where it is a key with something after it.
    value: Option<(usize, usize)>,
}

/// What leads to the cursor, the nearest first.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) found: Vec<Found>,
    /// The column of the map under the cursor, if it is at a key.
    column: usize,
    pub(super) beside: Vec<String>,
    /// How many of `found` stand on the cursor's own line.
    own: usize,
}

impl Chain {
    pub(super) fn of(line: &Line<'_>, offset: usize) -> Self {
        let start = line.bytes.start;
        let mut found = Vec::new();
        if let (Some(_), Some((name, _))) = (line.value_before(offset), &line.key) {
            found.push(Found { column: line.content - start, part: Part::Key(name.clone()), value: None });
        }
        let dashes = line.dashes.iter().rev().filter(|dash| **dash < offset);
        found.extend(dashes.map(|dash| Found { column: dash - start, part: Part::Item(0), value: None }));
        let is_bare = line.is_blank() || line.content > offset;
        let column = if is_bare { offset - start } else { line.content - start };
        Self { own: found.len(), found, column, beside: Vec::new() }
    }

    /// Reads the lines above, from below, until nothing can stand further left.
    pub(super) fn climb(&mut self, text: &str, mut start: usize) {
        while start > 0 {
            let line = Line::at(text, start - 1);
            start = line.bytes.start;
            if !line.is_blank() {
                self.pass(&line);
            }
            if matches!(self.found.last(), Some(Found { column: 0, part: Part::Key(_), .. })) {
                break;
            }
        }
    }

    /// What a line above adds: a parent, or one more item before.
    fn pass(&mut self, line: &Line<'_>) {
        if let Some((name, value)) = &line.key {
            let column = line.content - line.bytes.start;
            let value = line.has_value().then_some((line.bytes.start, *value));
            self.key(column, name, value);
        }
        for dash in line.dashes.iter().rev() {
            self.dash(dash - line.bytes.start);
        }
    }

    fn key(&mut self, column: usize, name: &str, value: Option<(usize, usize)>) {
        let is_parent = match self.found.last() {
            None => column < self.column,
            Some(Found { column: last, part: Part::Item(_), .. }) => column <= *last,
            Some(Found { column: last, .. }) => column < *last,
        };
        if is_parent {
            self.found.push(Found { column, part: Part::Key(name.to_owned()), value });
        } else if self.own == 0 && self.found.is_empty() && column == self.column {
            self.beside.push(name.to_owned());
        }
    }

    fn dash(&mut self, column: usize) {
        match self.found.last_mut() {
            Some(Found { column: last, part: Part::Item(at), .. }) if *last == column => *at += 1,
            last => {
                let limit = last.map_or(self.column, |last| last.column);
                if column < limit {
                    self.found.push(Found { column, part: Part::Item(0), value: None });
                }
            }
        }
    }

    /// Whether the cursor is at a key whose map began on a line above or on its own.
    fn is_at_key(&self) -> bool {
        !matches!(self.found.first(), Some(Found { part: Part::Key(_), .. }) if self.own > 0)
    }

    /// Reads the keys beside the cursor's on its own line and below.
    pub(super) fn descend(&mut self, text: &str, line: &Line<'_>) {
        if !self.is_at_key() {
            return;
        }
        let mut start = line.bytes.end + 1;
        while start < text.len() {
            let line = Line::at(text, start);
            start = line.bytes.end + 1;
            let indent = line.dashes.first().copied().unwrap_or(line.content) - line.bytes.start;
            if line.is_blank() {
                continue;
            }
            if indent < self.column {
                break;
            }
            if let Some((name, _)) = line.key.filter(|_| indent == self.column && line.dashes.is_empty()) {
                self.beside.push(name);
            }
        }
    }

    /// The outermost key above whose value goes on down to the cursor, and where that value begins.
    pub(super) fn open_value(&self, text: &str, line: usize) -> Option<(usize, usize)> {
        let above = self.found.iter().enumerate().rev();
        above.into_iter().find_map(|(at, found)| {
            let (_, value) = found.value.filter(|(start, _)| *start < line)?;
            let said = text[value..].lines().next().unwrap_or_default();
            // An anchor names what stands below.
            let is_anchor = said.starts_with('&') && !said.trim_end().contains(' ');
            (!is_anchor).then_some((self.found.len() - at, value))
        })
    }

    /// The first `depth` parts, from the file down.
    pub(super) fn path(&self, depth: usize) -> Vec<Part> {
        self.found.iter().rev().take(depth).map(|found| found.part.clone()).collect()
    }
}
