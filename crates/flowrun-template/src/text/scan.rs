//! The pass before Handlebars: finds every tag, resolves every name, and keeps every position.
//!
//! Handlebars' own paths mean other things than a flow's (L-7), and its tree has no positions inside a tag.
//! So each path, constant and helper is replaced by a placeholder (`v3`, `h4`) that leads back into a table;
//! what Handlebars then parses are blocks, escapes and white space. Everything flowrun leaves out of the
//! language is refused here, with a fix: partials, decorators, raw blocks, comparison helpers, `../`.

use std::fmt::Write as _;
use std::ops::Range;

use super::helper::Helper;
use super::program::Expression;
use super::token::{Token, tokens};
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::limits;
use crate::mention::Mention;
use crate::name::{HELPERS, RESERVED, is_name};
use crate::place::Place;
use crate::slot::Slots;

/// What the pass gives: a text for Handlebars, and what its placeholders stand for.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) rewritten: String,
    pub(crate) table: Vec<Entry>,
    pub(crate) lexemes: Vec<Lexeme>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) errors: Vec<SyntaxError>,
}

/// What a placeholder stands for.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Value(Expression),
    Helper(Helper, Range<usize>),
}

/// A stretch of the source, for rules that need to see what stands beside what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lexeme {
    Literal(Range<usize>),
    Write(Range<usize>),
    Block(Range<usize>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    If,
    Unless,
    Each,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) opener: Opener,
    span: Range<usize>,
    pub(super) item: Option<String>,
    pub(super) position: Option<String>,
    pub(super) in_else: bool,
}

/// One tag: its bytes, and what stands in it.
struct Tag {
    span: Range<usize>,
    triple: bool,
    trim: (bool, bool),
    inner: Range<usize>,
}

/// Scans `source`; problems are in [`Scan::errors`].
pub(crate) fn scan(source: &str, place: Place, slots: &mut Slots) -> Scan {
    let mut scanner = Scanner { source, place, slots, blocks: Vec::new(), out: Scan::default() };
    scanner.run();
    scanner.out
}

pub(super) struct Scanner<'s> {
    pub(super) source: &'s str,
    pub(super) place: Place,
    pub(super) slots: &'s mut Slots,
    pub(super) blocks: Vec<Block>,
    pub(super) out: Scan,
}

pub(super) type Outcome<T = ()> = Result<T, SyntaxError>;

pub(super) fn refuse<T>(
    kind: SyntaxErrorKind,
    span: Range<usize>,
    message: impl Into<String>,
    help: &str,
) -> Outcome<T> {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Err(SyntaxError { kind, message: message.into(), span, help })
}

impl Scanner<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(start) = self.next_tag(at) {
            self.literal(at..start);
            match self.tag(start) {
                Ok(end) => at = end,
                Err(error) => {
                    // The rest of the source is read on after the tag, so that an author sees every problem.
                    self.out.errors.push(error);
                    at = self.after_tag(start);
                }
            }
        }
        self.literal(at..self.source.len());
        if let Some(block) = self.blocks.pop() {
            let name = block.opener.name();
            let error = refuse::<()>(
                SyntaxErrorKind::Grammar,
                block.span,
                format!("`{{{{#{name}}}}}` is never closed"),
                &format!("add {{{{/{name}}}}}"),
            );
            self.out.errors.extend(error.err());
        }
    }

    /// The next `{{` that is not escaped by a single backslash (two are one backslash before a tag).
    fn next_tag(&self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let start = at + self.source[at..].find("{{")?;
            let before = self.source[from..start].bytes().rev().take_while(|byte| *byte == b'\\').count();
            if before != 1 {
                return Some(start);
            }
            at = start + 2;
        }
    }

    /// Where to read on after a tag that could not be read.
    fn after_tag(&self, start: usize) -> usize {
        let end = self.source[start..].find("}}").map_or(self.source.len(), |end| start + end + 2);
        let braces = self.source[end..].bytes().take_while(|byte| *byte == b'}').count();
        end + braces
    }

    fn literal(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.out.rewritten.push_str(&self.source[range.clone()]);
            self.out.lexemes.push(Lexeme::Literal(range));
        }
    }

    /// Reads the tag at `start` and gives its end.
    fn tag(&mut self, start: usize) -> Outcome<usize> {
        if self.source[start..].starts_with("{{!") {
            return self.comment(start);
        }
        let tag = self.delimit(start)?;
        let end = tag.span.end;
        let inner = self.source[tag.inner.clone()].trim_start();
        let sigil = inner.chars().next();
        match sigil {
            None => refuse(SyntaxErrorKind::Grammar, tag.span, "this tag is empty", "write a name: {{id}}"),
            Some('#') => self.open(&tag),
            Some('/') => self.close(&tag),
            Some('>' | '*' | '&' | '^') => refuse(
                SyntaxErrorKind::Unsupported,
                tag.span,
                "partials, decorators and `&` do not exist in a text",
                "write {{name}}, {{#if name}}, {{else}} or {{#each list}}",
            ),
            Some(_) => self.plain(&tag),
        }?;
        Ok(end)
    }

    fn comment(&mut self, start: usize) -> Outcome<usize> {
        let rest = &self.source[start..];
        let closing = if rest.starts_with("{{!--") { "--}}" } else { "}}" };
        let Some(length) = rest.find(closing) else {
            return refuse(
                SyntaxErrorKind::Grammar,
                start..start + 3,
                "this comment is never closed",
                closing,
            );
        };
        let end = start + length + closing.len();
        self.out.rewritten.push_str(&self.source[start..end]);
        Ok(end)
    }

    fn delimit(&self, start: usize) -> Outcome<Tag> {
        let rest = &self.source[start..];
        if rest.starts_with("{{{{") {
            let help = "write {{name}}; for braces as text, write \\{{";
            return refuse(
                SyntaxErrorKind::Unsupported,
                start..start + 4,
                "raw blocks do not exist in a text",
                help,
            );
        }
        let triple = rest.starts_with("{{{");
        let (opening, closing) = if triple { (3, "}}}") } else { (2, "}}") };
        let Some(length) = end_of_tag(&rest[opening..], closing) else {
            return refuse(
                SyntaxErrorKind::Grammar,
                start..start + opening,
                "this tag is never closed",
                closing,
            );
        };
        let span = start..start + opening + length + closing.len();
        let mut inner = start + opening..start + opening + length;
        let leading = self.source[inner.clone()].starts_with('~');
        inner.start += usize::from(leading);
        let trailing = !inner.is_empty() && self.source[inner.clone()].ends_with('~');
        inner.end -= usize::from(trailing);
        if triple && !matches!(self.place, Place::Text | Place::Body) {
            let help = format!("write {{{{{}}}}}", self.source[inner].trim());
            return refuse(
                SyntaxErrorKind::Unescaped,
                span,
                "`{{{` is for plain text only: values are escaped here",
                &help,
            );
        }
        Ok(Tag { span, triple, trim: (leading, trailing), inner })
    }

    fn emit(&mut self, tag: &Tag, content: &str) {
        let (opening, closing) = if tag.triple { ("{{{", "}}}") } else { ("{{", "}}") };
        let (left, right) = (if tag.trim.0 { "~" } else { "" }, if tag.trim.1 { "~" } else { "" });
        for text in [opening, left, content, right, closing] {
            self.out.rewritten.push_str(text);
        }
    }

    fn plain(&mut self, tag: &Tag) -> Outcome {
        let tokens = tokens(self.source, tag.inner.clone())?;
        if tokens.first().and_then(Token::word) == Some("else") {
            return self.otherwise(tag, &tokens[1..]);
        }
        self.out.lexemes.push(Lexeme::Write(tag.span.clone()));
        let mut content = String::new();
        self.call(&tokens, &mut content, &tag.span, 0)?;
        self.emit(tag, &content);
        Ok(())
    }

    fn otherwise(&mut self, tag: &Tag, condition: &[Token]) -> Outcome {
        self.out.lexemes.push(Lexeme::Block(tag.span.clone()));
        let Some(block) = self.blocks.last_mut() else {
            return refuse(
                SyntaxErrorKind::Grammar,
                tag.span.clone(),
                "`{{else}}` stands outside of any block",
                "",
            );
        };
        block.in_else = true;
        let mut content = "else".to_owned();
        match condition {
            [] => {}
            [word, condition @ ..] if matches!(word.word(), Some("if" | "unless")) => {
                let _ = write!(content, " {} ", word.word().unwrap_or_default());
                self.condition(condition, &mut content, &tag.span, true)?;
            }
            _ => {
                return refuse(
                    SyntaxErrorKind::Grammar,
                    tag.span.clone(),
                    "only `if` can follow `else`",
                    "{{else}}",
                );
            }
        }
        self.emit(tag, &content);
        Ok(())
    }

    fn open(&mut self, tag: &Tag) -> Outcome {
        self.out.lexemes.push(Lexeme::Block(tag.span.clone()));
        let hash = self.source[tag.inner.clone()].find('#').unwrap_or_default();
        let tokens = tokens(self.source, tag.inner.start + hash + 1..tag.inner.end)?;
        let Some(opener) = tokens.first().and_then(Token::word).and_then(Opener::named) else {
            let help = "the blocks are {{#if name}}, {{#unless name}} and {{#each list}}; other logic belongs in `if:` or `compute:`";
            return refuse(SyntaxErrorKind::Unsupported, tag.span.clone(), "there is no such block", help);
        };
        if self.blocks.len() == limits::TEXT_DEPTH {
            let message = format!("blocks stand more than {} deep", limits::TEXT_DEPTH);
            return refuse(
                SyntaxErrorKind::TooDeep,
                tag.span.clone(),
                message,
                "make parts of it with `set:`",
            );
        }
        let bar = tokens.iter().position(|token| token.word() == Some("as")).unwrap_or(tokens.len());
        let mut content = format!("#{} ", opener.name());
        let (item, position) = self.parameters(opener, &tokens[bar..], tag)?;
        let condition = self.condition(&tokens[1..bar], &mut content, &tag.span, opener != Opener::Each);
        self.blocks.push(Block { opener, span: tag.span.clone(), item, position, in_else: false });
        // The block is open even if its condition is wrong: its end must not be a second mistake.
        condition?;
        self.emit(tag, &content);
        Ok(())
    }

    /// `as |item position|`; the names are resolved here, so Handlebars never sees them.
    fn parameters(
        &self,
        opener: Opener,
        tokens: &[Token],
        tag: &Tag,
    ) -> Outcome<(Option<String>, Option<String>)> {
        let names: Vec<Option<&str>> = tokens.iter().map(Token::word).collect();
        let name = |name: &str| {
            let free = is_name(name) && !RESERVED.contains(&name) && !HELPERS.contains(&name);
            if free {
                Ok(name.to_owned())
            } else {
                refuse(SyntaxErrorKind::Name, tag.span.clone(), format!("`{name}` cannot be a name"), "")
            }
        };
        match names.as_slice() {
            [] => Ok((None, None)),
            [_, None, Some(item), None] if opener == Opener::Each => Ok((Some(name(item)?), None)),
            [_, None, Some(item), Some(position), None] if opener == Opener::Each => {
                Ok((Some(name(item)?), Some(name(position)?)))
            }
            _ => refuse(
                SyntaxErrorKind::Grammar,
                tag.span.clone(),
                "the names of a loop are written between bars",
                "{{#each list as |item index|}}",
            ),
        }
    }

    fn close(&mut self, tag: &Tag) -> Outcome {
        self.out.lexemes.push(Lexeme::Block(tag.span.clone()));
        let name = self.source[tag.inner.clone()].trim_start().trim_start_matches('/').trim().to_owned();
        match self.blocks.last() {
            Some(block) if block.opener.name() == name => {
                self.blocks.pop();
                self.emit(tag, &format!("/{name}"));
                Ok(())
            }
            Some(block) => {
                let wanted = format!("{{{{/{}}}}}", block.opener.name());
                let message =
                    format!("`{{{{/{name}}}}}` closes nothing: `{{{{#{}}}}}` is open", block.opener.name());
                self.blocks.pop();
                refuse(SyntaxErrorKind::Grammar, tag.span.clone(), message, &wanted)
            }
            None => refuse(
                SyntaxErrorKind::Grammar,
                tag.span.clone(),
                format!("`{{{{/{name}}}}}` closes nothing"),
                "",
            ),
        }
    }
}

impl Opener {
    fn named(name: &str) -> Option<Self> {
        [Self::If, Self::Unless, Self::Each].into_iter().find(|opener| opener.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Unless => "unless",
            Self::Each => "each",
        }
    }
}

/// The length of a tag's inside: up to `closing` outside of strings.
fn end_of_tag(inner: &str, closing: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if inner[at..].starts_with(closing) => return Some(at),
            None => {}
        }
    }
    // A quote without its partner must not swallow the rest of the source.
    inner.find(closing)
}
