//! Rules about source files: what they open with, what they may not hold, how long they may be.

use crate::tree::{Broken, File, Tree};

/// Words that leave work for later. Spelled apart, so that this file does not break its own rule.
const LATER: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
];

/// Kinds of file a mark for later could hide in.
const SOURCES: [&str; 7] = [".rs", ".mjs", ".js", ".ts", ".toml", ".yaml", "/run"];

/// Attributes the house does without, and what it does instead.
const ATTRIBUTES: [(&str, &str); 4] = [
    ("#[ignore", "a test is run or removed"),
    ("#[should_panic", "a test says what it expects as a value"),
    ("#[allow(", "silence a lint with #[expect(…, reason = …)]"),
    ("#![allow(", "silence a lint with #[expect(…, reason = …)]"),
];

/// What reads the process's own world.
const PROCESS: [&str; 7] = [
    "env::var",
    "env::args",
    "env::current_dir",
    "env::set_current_dir",
    "env::temp_dir",
    "env::home_dir",
    "process::exit",
];

/// What reads the wall clock.
const CLOCK: [&str; 3] = ["SystemTime::now", "Timestamp::now", "ZonedDateTime::now"];

/// Longest a file may be without giving a reason, tests not counted.
const LONGEST: usize = 400;
const REASON: &str = "// house: long because ";

/// Every Rust file opens with what it is for.
pub(crate) fn module_docs(tree: &Tree) -> Vec<Broken> {
    let silent = tree.under("", ".rs").filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| file.broken(1, "does not open with `//!`")).collect()
}

/// Work is done or filed as an issue, not marked.
pub(crate) fn later_marks(tree: &Tree) -> Vec<Broken> {
    let sources = tree.files.iter().filter(|file| SOURCES.iter().any(|ending| file.path.ends_with(ending)));
    let mark = |line: &str| {
        LATER.into_iter().find(|mark| has_word(line, mark)).map(|mark| format!("a `{mark}` mark"))
    };
    each_line(sources, File::lines, mark)
}

/// No test is switched off, no lint is silenced without being expected.
pub(crate) fn attributes(tree: &Tree) -> Vec<Broken> {
    let refused = |line: &str| {
        let (attribute, instead) =
            ATTRIBUTES.into_iter().find(|(start, _)| line.trim_start().starts_with(start))?;
        Some(format!("`{attribute}`: {instead}"))
    };
    each_line(tree.under("", ".rs"), File::lines, refused)
}

/// A file over the measure says why, in a line of its own.
pub(crate) fn length(tree: &Tree) -> Vec<Broken> {
    let mut broken = Vec::new();
    for file in tree.under("", ".rs").filter(|file| !file.text.contains(REASON)) {
        let lines = file.lines_without_tests().count();
        if lines > LONGEST {
            broken.push(file.broken(0, format!("{lines} lines without tests: split it, or say `{REASON}…`")));
        }
    }
    broken
}

/// Libraries are given the world: only `flowrun-cli` reads the process, only `flowrun` the wall clock.
pub(crate) fn world(tree: &Tree) -> Vec<Broken> {
    let outside = |owner: &'static str| {
        tree.under("crates/", ".rs")
            .filter(move |file| file.path.contains("/src/") && file.crate_name() != Some(owner))
    };
    let reads = |line: &str, calls: &[&str]| {
        let code = line.split("//").next().unwrap_or_default();
        calls.iter().find(|call| code.contains(*call)).map(|call| String::from(*call))
    };
    let mut broken = each_line(outside("flowrun-cli"), File::lines_without_tests, |line| {
        Some(format!("`{}` outside flowrun-cli", reads(line, &PROCESS)?))
    });
    broken.extend(each_line(outside("flowrun"), File::lines_without_tests, |line| {
        Some(format!("`{}` outside the facade's system clock", reads(line, &CLOCK)?))
    }));
    broken
}

impl File {
    /// Every line, numbered from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

fn each_line<'a, Lines: Iterator<Item = (usize, &'a str)>>(
    files: impl Iterator<Item = &'a File>,
    lines: impl Fn(&'a File) -> Lines,
    breach: impl Fn(&str) -> Option<String>,
) -> Vec<Broken> {
    let breaches = |file: &'a File| -> Vec<Broken> {
        lines(file).filter_map(|(number, line)| Some(file.broken(number, breach(line)?))).collect()
    };
    files.flat_map(breaches).collect()
}

/// Whether the word stands in the line with no letter or digit around it.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let end = start + word.len();
        !line[..start].ends_with(part_of_word) && !line[end..].starts_with(part_of_word)
    })
}
