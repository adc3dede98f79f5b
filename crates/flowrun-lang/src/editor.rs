//! What an editor asks while a flow is being typed: what may stand here, what this is, where else it is.
//!
//! A file under way is mostly not valid YAML, so two things are kept apart. *Where the cursor is* comes from the
//! text alone: the indentation above it and the brackets of its line (`locate`). *What the flow
//! declares* comes from the usual passes over as much of the file as is readable (`Reading`): where YAML gives up,
//! the line under the cursor and then the lines it stops at are blanked, and no byte moves. Nothing is worded
//! elsewhere: a language server forwards what it gets here.
//!
//! # Example
//! ```
//! use flowrun_lang::{Catalog, SourceText, editor};
//! use flowrun_step::StepSet;
//!
//! let text = "inputs:\n  who: { type: string }\nsteps:\n  - send: Hello {{wh";
//! let source = SourceText::new("hello.flow.yaml", text.as_bytes().to_vec()).expect("UTF-8");
//! let found = editor::complete(&source, text.len(), &Catalog::new(StepSet::new()));
//! assert_eq!(found[0].label, "who");
//! ```

mod complete;
mod fixes;
mod ground;
mod hover;
mod locate;
mod names;
mod reading;
mod reference;
mod symbols;
mod words;
mod writes;

use std::ops::Range;

pub use complete::{complete, complete_with};
pub use fixes::{Fix, fixes};
pub use hover::hover;
pub use names::{definition, readers, references, rename, renamed};
pub use reference::reference;
pub use symbols::symbols;

/// A replacement of some bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes replaced; empty to insert.
    pub bytes: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}

/// What a completion stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    /// A kind of step.
    Kind,
    /// A key: of the flow, beside a kind, or a setting.
    Key,
    /// A variable or an input.
    Variable,
    /// A step, by its id.
    Step,
    /// A helper of a text.
    Helper,
    /// A named integration.
    Integration,
    /// One value of a closed list.
    Value,
}

/// One thing that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is offered.
    pub label: String,
    /// What it stands for.
    pub kind: CompletionKind,
    /// In a few words: a state, a type, whether a variable is sure to have a value.
    pub detail: Option<String>,
    /// What it is for.
    pub documentation: Option<String>,
    /// What taking it does.
    pub edit: Edit,
}

/// What there is to say about something in the text; Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub bytes: Range<usize>,
    /// The words.
    pub text: String,
}

/// What an entry of the outline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// A section of the flow: its inputs, its steps, a block of a step.
    Section,
    /// An input.
    Input,
    /// A step.
    Step,
    /// An output.
    Output,
}

/// One entry of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its id or name; of a step without an id, its kind.
    pub name: String,
    /// Of a step with an id, its kind.
    pub detail: Option<String>,
    /// What it is.
    pub kind: SymbolKind,
    /// All of it.
    pub bytes: Range<usize>,
    /// What names it.
    pub name_bytes: Range<usize>,
    /// What stands in it.
    pub children: Vec<Symbol>,
}

/// Whether a YAML file is a flow: by its name, or because it has steps. An editor opens other YAML too.
#[must_use]
pub fn is_flow(name: &str, text: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
    let is_named = stem == "flow" || stem.ends_with(".flow");
    is_named || !stem.ends_with(".test") && text.lines().any(|line| line.starts_with("steps:"))
}

/// A range of whole characters within the text.
fn clamped(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(bytes.start.min(text.len()));
    start..text.floor_char_boundary(bytes.end.clamp(start, text.len()))
}
