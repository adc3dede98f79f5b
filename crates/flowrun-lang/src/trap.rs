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

/// Reports every trap of the text, from top to bottom, and gives the text without them: no byte moves.
pub(crate) fn clear(problems: &mut Problems<'_>) -> String {
    let text = problems.source().text();
    let traps = lines::find(text);
    for trap in &traps {
        problems.error(trap.code, ("", trap.span.clone()), trap.message.clone()).set_help(trap.help.clone());
    }
    problems.doubt(traps.iter().map(|trap| line_of(text, &trap.unreadable)).collect());
    mask(text, &traps)
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
    format!("{}{replacement}{}", &text[line.start..span.start], &text[span.end..line.end]).trim().to_owned()
}

/// The trap of a value that only has to be quoted.
fn must_be_quoted(text: &str, value: Range<usize>, message: String) -> Trap {
    let help = line_with(text, &value, &quoted(&text[value.clone()]));
    Trap { code: Code::MustBeQuoted, span: value.clone(), message, help, unreadable: value }
}

/// Words for what no trap explained: the parser's own where we have no better ones.
pub(crate) fn explain(problems: &mut Problems<'_>, at: usize, said: &str) {
    let at = if said.contains("mapping values") { word_before(problems.source().text(), at) } else { at };
    let known = EXPLAINED.iter().find(|(mark, ..)| said.contains(mark));
    let (message, help) = match known {
        Some((_, message, help)) => ((*message).to_owned(), *help),
        None => (
            format!("this is not YAML: {said}"),
            "look at the indentation: keys of one map stand in one column",
        ),
    };
    problems.error(Code::Yaml, ("", at..at), message).set_help(help);
}

/// Where the key begins whose colon stands at `at`.
fn word_before(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind(char::is_whitespace).map_or(0, |blank| blank + 1)
}

/// What the parser says, what it means, and what to do.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "mapping values are not allowed",
        "a `key:` cannot stand here",
        "indent it like the keys beside it; quote the text before it if that goes on over several lines",
    ),
    (
        "block sequence entries are not allowed",
        "a list item cannot stand here",
        "write the list on the lines below its key",
    ),
    (
        "did not find expected key",
        "this line is indented differently from the keys beside it",
        "start all keys of one map in one column",
    ),
    (
        "did not find expected '-' indicator",
        "a list item is expected here",
        "start every `-` of one list in one column, and what belongs to an item two columns further in",
    ),
    (
        "simple key expect",
        "a `:` is missing on this line",
        "write `key: value`, with a blank after the colon",
    ),
    ("unprintable character", "a control character, which YAML forbids", "delete it"),
    ("recursion limit", "nested too deeply", "take one level of brackets away"),
    (
        "invalid indentation",
        "this line is indented differently from the lines before it",
        "start it in the same column",
    ),
];

/// A map or a list stands where a key should.
pub(crate) fn key_is_no_text(problems: &mut Problems<'_>, bytes: Range<usize>) {
    problems
        .error(Code::Yaml, ("", bytes), "a key has to be a text, not a map or a list")
        .set_help("quote it: \"{{name}}\"");
}
