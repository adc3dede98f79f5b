//! Ceilings of the three languages (N8), each with its unit and its reason.
//!
//! They are starting values: a change states the flow that needed it.

/// Bytes of a text's source. A longer one is data, and belongs in a variable or a file.
pub const TEXT_SOURCE_BYTES: usize = 64 * 1024;

/// Levels of `{{#if}}`, `{{#unless}}`, `{{#each}}` inside each other: parsing time grows with depth, and nobody reads deeper.
pub const TEXT_DEPTH: usize = 16;

/// Bytes of a rendered text: the same as a variable's limit. A 79-byte source can otherwise give millions.
pub const TEXT_OUTPUT_BYTES: usize = 1024 * 1024;

/// Turns of all `{{#each}}` of one rendering together, and kilobytes its helpers read and write: nested loops multiply.
pub const TEXT_LOOP_TURNS: usize = 100_000;

/// Bytes of an expression's source. 40 kB of `+1` overflow the parser's stack; 2 KiB do not (measured).
pub const LOGIC_SOURCE_BYTES: usize = 2 * 1024;

/// Steps of one evaluation: operators, elements a filter looks at, and every 64 bytes of text built. Some milliseconds at most.
pub const LOGIC_FUEL: u64 = 50_000;

/// Bytes an expression may build, all its intermediate texts and lists together: the same as a variable's limit.
pub const LOGIC_RESULT_BYTES: usize = 1024 * 1024;

/// Numbers one `range` gives.
pub const LOGIC_RANGE: usize = 10_000;

/// Operators, filters and brackets inside each other in one expression; a chain of `+`, `and` or `or` is one level.
pub const LOGIC_DEPTH: usize = 64;

/// Bytes of stack on which long expressions are parsed: the parser recurses by the source's length, whatever the caller's
/// stack.
pub const LOGIC_STACK_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of a JSON path's source.
pub const PATH_SOURCE_BYTES: usize = 1024;

/// `..` in one path: each multiplies the nodes visited by the depth of the document.
pub const PATH_DESCENTS: usize = 2;

/// Nodes one pick visits or gives.
pub const PATH_NODES: usize = 100_000;

/// Bytes below which a secret is refused: a shorter one cannot be told apart from ordinary text when it is redacted.
pub const SECRET_BYTES: usize = 8;
