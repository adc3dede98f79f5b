//! Finds on the raw lines what YAML would misread, or refuse in words nobody expects (L-7b).
//!
//! YAML gives `{{ x }}`, `#`, `: ` and `*` meanings of its own. Its parser stops at the first of them, often
//! lines later, and for some it stops not at all: `send: Order #{{id}} shipped` sends `Order`. So every line is
//! read here as its author meant it, before any parser: each trap names the character, and its help is the line
//! as it should be. A text that is fine gives no trap. What the values mean is left to the passes after.

mod flow;
mod lines;
mod quote;
mod value;

use std::ops::Range;

use crate::code::Code;
use crate::problems::Problems;

/// One trap.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trap {
    /// What kind of trap.
    code: Code,
    /// The bytes the author should look at.
    span: Range<usize>,
    /// What is wrong.
    message: String,
    /// The line as it should be, or what to do.
    help: String,
    /// The bytes that cannot be read as YAML.
    unreadable: Range<usize>,
}

/// A text without its traps: what is left of it can be read on.
#[derive(Debug)]
pub(crate) struct Cleared {
    /// The text with every trap blanked out; no byte moved.
    pub(crate) text: String,
    /// The lines of the text that held a trap: what is found there is a consequence.
    pub(crate) holes: Vec<Range<usize>>,
}

/// Reports every trap of the text, from top to bottom, and gives the text without them.
pub(crate) fn clear(problems: &mut Problems<'_>) -> Cleared {
    let text = problems.source().text();
    let traps = lines::find(text);
    for trap in &traps {
        problems
            .error(trap.code, ("", trap.span.clone()), trap.message.clone())
            .set_help(trap.help.clone());
    }
    Cleared {
        text: mask(text, &traps),
        holes: traps.iter().map(|trap| line_of(text, &trap.unreadable)).collect(),
    }
}

/// The text with what is trapped blanked out, so that the rest can still be checked; no byte moves.
fn mask(text: &str, traps: &[Trap]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for trap in traps {
        let hole = &mut bytes[trap.unreadable.clone()];
        hole.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        // An empty text, unless only blanks were in the way.
        if let [first @ b' ', second @ b' ', ..] = hole
            && trap.code != Code::Tab
        {
            (*first, *second) = (b'\'', b'\'');
        }
    }
    // A hole begins and ends at a character's edge, so what is left is UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// `value` as a YAML string in quotes.
fn quoted(value: &str) -> String {
    if value.contains(['"', '\\']) {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("\"{value}\"")
    }
}

/// The bytes of the lines `span` stands on, without the last line end.
fn line_of(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at);
    start..end
}

/// The line with `span` replaced, without its indentation: a fix one can type.
fn line_with(text: &str, span: &Range<usize>, replacement: &str) -> String {
    let line = line_of(text, span);
    format!("{}{replacement}{}", &text[line.start..span.start], &text[span.end..line.end])
        .trim()
        .to_owned()
}

/// The trap of a value that only has to be quoted.
fn must_be_quoted(text: &str, value: Range<usize>, message: String) -> Trap {
    let help = line_with(text, &value, &quoted(&text[value.clone()]));
    Trap { code: Code::MustBeQuoted, span: value.clone(), message, help, unreadable: value }
}
