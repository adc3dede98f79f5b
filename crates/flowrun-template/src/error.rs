//! Why a source does not compile, and why a compiled text gives no result.
//!
//! Kinds are stable and map to codes elsewhere; messages say what is wrong, `help` is a fix one can type.
//! No message holds a value, only names, keys and types.

use std::ops::Range;

/// Why a text, a path or an expression does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The stable reason.
    pub kind: SyntaxErrorKind,
    /// What is wrong, in the author's words.
    pub message: String,
    /// The bytes of the source it is about.
    pub span: Range<usize>,
    /// A fix one can type.
    pub help: Option<String>,
}

/// The stable reasons of a [`SyntaxError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// The source does not follow its grammar.
    Grammar,
    /// Longer than its limit.
    TooLong,
    /// Nested deeper than its limit.
    TooDeep,
    /// A feature of the language's family that flowrun leaves out.
    Unsupported,
    /// A helper, function, filter or test that is not on the list.
    UnknownName,
    /// A helper, function or filter with the wrong number or kind of arguments.
    Arguments,
    /// `{{{x}}}` where values must be escaped.
    Unescaped,
    /// An expression in or before the authority of a URL.
    Authority,
    /// A URL that is not an absolute http(s) URL, or has characters it may not have.
    Url,
    /// `secrets` where it must not be.
    Secret,
    /// `integrations` where it must not be.
    Integration,
    /// A JSON path that breaks a typing rule of RFC 9535.
    IllTyped,
    /// A regular expression that is not one, or is not a literal.
    Regex,
    /// A shape (of `variables:`) that is not one of the allowed ones.
    Shape,
    /// A name that breaks L-2 or is reserved.
    Name,
}

/// Why a compiled text gives no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// The stable reason.
    pub kind: RenderErrorKind,
    /// What is wrong; never a value.
    pub message: String,
    /// The bytes of the source it is about.
    pub span: Range<usize>,
    /// Where in a [`crate::Tree`] (a JSON pointer, RFC 6901); empty for a single text.
    pub path: String,
    /// A fix one can type.
    pub help: Option<String>,
}

/// The stable reasons of a [`RenderError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RenderErrorKind {
    /// A variable is unset, or a value has no such member.
    Missing,
    /// Null in a URL, a header or inside longer text.
    Null,
    /// An object or an array where text is needed.
    NotScalar,
    /// A helper was given a value it cannot take.
    Argument,
    /// A value would change where a URL leads.
    Route,
    /// A value holds what a header may not.
    Header,
    /// The rendered text is not JSON.
    NotJson,
    /// The result is longer than its limit.
    TooLong,
    /// A loop took more turns than its limit.
    Budget,
}
