//! A path picks values from a reply (L-5): RFC 9535 JSONPath, with a shorthand.
//!
//! jsonpath-rust parses; the rest is done here, because the RFC is stricter than it (well-typedness), orders
//! nodes differently, and because a search over somebody else's data must be bounded (N8).

pub(crate) mod compare;
mod lower;
mod pattern;
mod query;
mod search;

use std::ops::Range;

use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

use self::query::{Query, Selector};
use self::search::Search;
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::limits;
use crate::value_type::outline;

/// A compiled JSON path.
///
/// ```
/// use flowrun_template::{Path, Picked};
/// use serde_json::json;
///
/// let reply = json!({"data": {"last_name": "Doe"}});
/// let path = Path::compile("data.last_name").expect("a good path");
/// assert_eq!(path.pick(&reply), Ok(Picked::One(&json!("Doe"))));
/// ```
#[derive(Clone, Debug)]
pub struct Path {
    source: String,
    query: Query,
    singular: bool,
}

impl Path {
    /// Compiles `source`; `$.` in front is optional.
    ///
    /// # Errors
    /// When RFC 9535 refuses it, or a limit of N8 does.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        if source.len() > limits::PATH_SOURCE_BYTES {
            let message = format!("this path is longer than {} bytes", limits::PATH_SOURCE_BYTES);
            return Err(SyntaxError {
                kind: SyntaxErrorKind::TooLong,
                message,
                span: 0..source.len(),
                help: None,
            });
        }
        if source.trim() != source {
            let help = Some(format!("write {}", source.trim()));
            let message = "a path has no blanks around it (RFC 9535, 2.1.1)".to_owned();
            return Err(SyntaxError { kind: SyntaxErrorKind::Grammar, message, span: 0..source.len(), help });
        }
        let written = Written::of(source);
        written.check()?;
        let parsed =
            parse_json_path(&written.whole).map_err(|error| written.unreadable(&error.to_string()))?;
        let query = lower::lower(&parsed).map_err(|refusal| SyntaxError {
            kind: refusal.kind,
            message: refusal.message,
            span: written.word(&refusal.word),
            help: refusal.help,
        })?;
        let singular = query.is_singular();
        Ok(Self { source: source.to_owned(), query, singular })
    }

    /// The path to one member of the root.
    pub(crate) fn of_member(name: &str) -> Self {
        let segment = query::Segment { descends: false, selectors: vec![Selector::Name(name.to_owned())] };
        let query = Query { start: query::Start::Root, segments: vec![segment] };
        Self { source: name.to_owned(), query, singular: true }
    }

    /// What the author wrote.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it can only ever give one value (RFC 9535, 2.3.5.1).
    #[must_use]
    pub fn is_singular(&self) -> bool {
        self.singular
    }

    /// What `value` holds at this path, in the RFC's order.
    ///
    /// # Errors
    /// When the search visits more nodes than [`crate::limits::PATH_NODES`], or meets a regular expression in
    /// the document that is too long to try.
    pub fn pick<'v>(&self, value: &'v Value) -> Result<Picked<'v>, PickError> {
        let mut search = Search::new(value);
        let picked = if self.singular {
            search.node(&self.query, value).map(|node| node.map_or(Picked::Missing, Picked::One))
        } else {
            search.nodes(&self.query, value).map(Picked::Many)
        };
        picked.map_err(|search::Exhausted| PickError {
            kind: PickErrorKind::Budget,
            name: None,
            message: format!(
                "`{}` searches through too much: more than {} steps",
                self.source,
                limits::PATH_NODES
            ),
            help: Some("name the levels you know instead of searching them".to_owned()),
        })
    }

    /// Where a singular path stopped in `value`, and what was there: keys and types, never values.
    pub(crate) fn whereabouts(&self, value: &Value) -> String {
        let mut here = value;
        for segment in &self.query.segments {
            let (next, wanted) = match segment.selectors.as_slice() {
                [Selector::Name(name)] => (here.get(name), format!("`{name}`")),
                [Selector::Index(index)] => (
                    usize::try_from(*index).ok().and_then(|index| here.get(index)),
                    format!("element {index}"),
                ),
                _ => (None, "such a thing".to_owned()),
            };
            match next {
                Some(next) => here = next,
                None => return format!("there is no {wanted} in {}", outline(here)),
            }
        }
        outline(here)
    }
}

/// A path as it was written, and as the RFC wants it.
struct Written<'s> {
    source: &'s str,
    whole: String,
    /// Bytes before the source in `whole`.
    added: usize,
}

/// Brackets and parentheses inside each other: far above any real path, far below what a stack holds.
const NESTING: usize = 32;
/// How deep functions may stand in one another: the parser takes three times as long for each, and the RFC's own make no
/// more than two of use.
const CALLS: usize = 4;

impl<'s> Written<'s> {
    fn of(source: &'s str) -> Self {
        let prefix = match source.chars().next() {
            Some('$') => "",
            // `.a` must not become `$..a`, which means something else.
            Some('[' | '.') => "$",
            _ => "$.",
        };
        Self { source, whole: format!("{prefix}{source}"), added: prefix.len() }
    }

    /// What must not reach the parser: nesting that its recursion could not take, and blanks inside a name,
    /// which it would take for a part of it.
    fn check(&self) -> Result<(), SyntaxError> {
        let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || !c.is_ascii());
        // For each bracket that is open, whether a function's arguments stand in it.
        let mut open_brackets: Vec<bool> = Vec::new();
        let (mut quote, mut escaped, mut blank) = (None, false, false);
        let mut before = None;
        for (at, c) in self.source.char_indices() {
            match quote {
                Some(_) if escaped => escaped = false,
                Some(_) if c == '\\' => escaped = true,
                Some(open) if open == c => quote = None,
                Some(_) => {}
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c == '[' || c == '(' => open_brackets.push(c == '(' && is_name(before)),
                None if c == ']' || c == ')' => drop(open_brackets.pop()),
                None if c.is_ascii_whitespace() => {
                    blank = true;
                    continue;
                }
                None if c.is_whitespace() || (blank && is_name(before) && is_name(Some(c))) => {
                    let help = Some("a name with a blank in it is written ['odd key']".to_owned());
                    let span = at..at + c.len_utf8();
                    let message = "this cannot stand here".to_owned();
                    return Err(SyntaxError { kind: SyntaxErrorKind::Grammar, message, span, help });
                }
                None => {}
            }
            let too_deep = if open_brackets.len() > NESTING {
                Some(format!("brackets stand more than {NESTING} deep"))
            } else if open_brackets.iter().filter(|is_call| **is_call).count() > CALLS {
                Some(format!("functions stand more than {CALLS} deep in one another"))
            } else {
                None
            };
            if let Some(message) = too_deep {
                return Err(SyntaxError {
                    kind: SyntaxErrorKind::TooDeep,
                    message,
                    span: at..at + 1,
                    help: None,
                });
            }
            (before, blank) = (Some(c), false);
        }
        Ok(())
    }

    /// The parser's own message says no more than `line:column`, which is all that is taken from it.
    fn unreadable(&self, message: &str) -> SyntaxError {
        let place = message.split_once("--> ").and_then(|(_, rest)| {
            let (line, rest) = rest.split_once(':')?;
            let column: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some((line.trim().parse::<usize>().ok()?, column.parse::<usize>().ok()?))
        });
        let at = place.map_or(0, |(line, column)| self.offset(line, column));
        let end = self.source[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        let span = if place.is_some() { at..end } else { 0..self.source.len() };
        let message = "this is not a JSON path (RFC 9535)".to_owned();
        SyntaxError { kind: SyntaxErrorKind::Grammar, message, span, help: self.fix(at) }
    }

    /// Bytes into the source of a line and column (in characters, from 1) of the whole path.
    fn offset(&self, line: usize, column: usize) -> usize {
        let start: usize = self.whole.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let within = self.whole[start..].char_indices().nth(column.saturating_sub(1));
        let at = within.map_or(self.whole.len(), |(at, _)| start + at);
        at.saturating_sub(self.added).min(self.source.len())
    }

    /// What an author probably meant.
    fn fix(&self, at: usize) -> Option<String> {
        if self.source.is_empty() {
            return Some("write data.name, items[0].id or items[*].id".to_owned());
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let (before, after) = self.source.split_at(at);
        if after.starts_with('-') {
            let last = before.char_indices().rfind(|(_, c)| !is_name(*c));
            let first = last.map_or(0, |(at, c)| at + c.len_utf8());
            let parent = before[..first].strip_suffix('.').unwrap_or(&before[..first]);
            let tail: String = after.chars().take_while(|c| is_name(*c) || *c == '-').collect();
            let parent = if parent.is_empty() { "$" } else { parent };
            return Some(format!("write {parent}['{}{tail}']{}", &before[first..], &after[tail.len()..]));
        }
        after.starts_with("{{").then(|| "a path is a literal: no {{ }}".to_owned())
    }

    fn word(&self, word: &str) -> Range<usize> {
        self.source.find(word).map_or(0..self.source.len(), |at| at..at + word.len())
    }
}

/// What a path found.
#[derive(Clone, Debug, PartialEq)]
pub enum Picked<'v> {
    /// A singular path found nothing.
    Missing,
    /// A singular path found its value.
    One(&'v Value),
    /// Any other path gives a list, perhaps an empty one.
    Many(Vec<&'v Value>),
}

/// Why nothing could be picked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PickError {
    /// The stable reason.
    pub kind: PickErrorKind,
    /// The name of the variable, for [`crate::Picks`].
    pub name: Option<String>,
    /// What is wrong, and which keys and types were there; never a value.
    pub message: String,
    /// A fix one can type.
    pub help: Option<String>,
}

/// The stable reasons of a [`PickError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PickErrorKind {
    /// A required path found nothing.
    Missing,
    /// What was found is not of the declared type.
    Type,
    /// The search was longer than its limit.
    Budget,
}
