//! Collects the problems of one file, each at its place.

use std::ops::Range;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::source::SourceText;

/// The problems found so far, all at once for the author's one pass.
#[derive(Debug)]
pub(crate) struct Problems<'s> {
    source: &'s SourceText,
    found: Vec<Diagnostic>,
    doubts: Doubts,
}

/// Lines that could not be read: what is found there later is a consequence, and so may be a missing name.
#[derive(Debug, Default)]
struct Doubts {
    lines: Vec<Range<usize>>,
    /// How many problems were found before: those stay.
    known: usize,
}

impl Doubts {
    fn explain(&self, problem: &Diagnostic) -> bool {
        let is_there = |line: &Range<usize>| {
            problem
                .place
                .as_ref()
                .is_some_and(|place| line.start <= place.bytes.start && place.bytes.start <= line.end)
        };
        let may_follow = matches!(
            problem.code,
            Code::Yaml | Code::Undeclared | Code::PossiblyUnset | Code::UnknownStep | Code::UndeclaredSecret
        );
        !self.lines.is_empty() && (may_follow || self.lines.iter().any(is_there))
    }
}

impl<'s> Problems<'s> {
    pub(crate) fn new(source: &'s SourceText) -> Self {
        Self { source, found: Vec::new(), doubts: Doubts::default() }
    }

    /// Adds an error and gives it, so that a cause or a fix can be added.
    pub(crate) fn error(
        &mut self,
        code: Code,
        at: (&str, Range<usize>),
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Diagnostic::error(code, message), at)
    }

    /// Adds a warning and gives it.
    pub(crate) fn warning(
        &mut self,
        code: Code,
        at: (&str, Range<usize>),
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Diagnostic::warning(code, message), at)
    }

    fn push(&mut self, problem: Diagnostic, (path, bytes): (&str, Range<usize>)) -> &mut Diagnostic {
        let at = self.found.len();
        self.found.push(problem.at(self.source.place(path, bytes)));
        &mut self.found[at]
    }

    /// Whether there are more than anyone reads at once: then no more effort goes into guesses.
    pub(crate) fn are_many(&self) -> bool {
        self.found.len() >= 100
    }

    pub(crate) fn source(&self) -> &'s SourceText {
        self.source
    }

    /// Says that these lines could not be read, so that nothing more is said of them.
    pub(crate) fn doubt(&mut self, lines: Vec<Range<usize>>) {
        self.doubts = Doubts { lines, known: self.found.len() };
    }

    /// Whether any of them keeps the flow from running.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// All of them, in the order of the text, each once.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        let later = self.found.split_off(self.doubts.known);
        self.found.extend(later.into_iter().filter(|problem| !self.doubts.explain(problem)));
        self.found.sort_by_key(|problem| problem.place.as_ref().map_or(0, |place| place.bytes.start));
        self.found.dedup();
        self.found
    }
}

impl Diagnostic {
    /// Adds a fix to a problem that is already collected.
    pub(crate) fn set_help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }
}
