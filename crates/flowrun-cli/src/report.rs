//! Shows diagnostics and complaints: with the line they are about, on one line, as JSON or as SARIF.
//!
//! Nothing is worded here. What is shown comes from files, services and people, so each text is made harmless
//! before colours are put around it (N8).

mod sarif;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use flowrun::lang::{Diagnostic, Place, Severity};

use crate::args::MessageFormat;
use crate::complaint::Complaint;
use crate::escape::escape;
use crate::terminal::Terminal;

/// Shows diagnostics in the form that was asked for.
///
/// # Errors
/// When JSON cannot be written to stdout.
pub(crate) fn show(
    terminal: &Terminal,
    format: MessageFormat,
    diagnostics: &[Diagnostic],
) -> std::io::Result<()> {
    if format == MessageFormat::Sarif {
        return terminal.json(&sarif::log(diagnostics));
    }
    for diagnostic in diagnostics {
        match format {
            MessageFormat::Human => terminal.say_styled(&human(diagnostic, terminal.is_coloured())),
            MessageFormat::Short => terminal.say(&short(diagnostic)),
            MessageFormat::Json | MessageFormat::Sarif => terminal.json(diagnostic)?,
        }
    }
    Ok(())
}

/// Shows a complaint on stderr.
pub(crate) fn complain(terminal: &Terminal, complaint: &Complaint) {
    let view = View {
        severity: Severity::Error,
        code: complaint.code.map(flowrun::lang::Code::as_str),
        message: &complaint.message,
        place: None,
        causes: &complaint.causes,
        help: complaint.help.as_deref(),
    };
    terminal.say_styled(&view.render(terminal.is_coloured()));
}

/// A diagnostic with the line it is about.
pub(crate) fn human(diagnostic: &Diagnostic, colour: bool) -> String {
    let view = View {
        severity: diagnostic.severity,
        code: Some(diagnostic.code.as_str()),
        message: &diagnostic.message,
        place: diagnostic.place.as_ref(),
        causes: &diagnostic.causes,
        help: diagnostic.help.as_deref(),
    };
    view.render(colour)
}

/// A diagnostic on one line.
fn short(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref();
    let place = place.map(|place| format!("{}:{}:{}: ", place.file, place.line, place.column));
    let message = diagnostic.to_string().replace('\n', " ");
    format!("{}{message}", place.unwrap_or_default())
}

/// What is shown of a diagnostic or a complaint.
struct View<'a> {
    severity: Severity,
    code: Option<&'a str>,
    message: &'a str,
    place: Option<&'a Place>,
    causes: &'a [String],
    help: Option<&'a str>,
}

impl View<'_> {
    fn render(&self, colour: bool) -> String {
        let level = if self.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
        let mut title = level.primary_title(escape(self.message));
        if let Some(code) = self.code {
            title = title.id(code);
        }
        let mut group = Group::with_title(title);
        if let Some(place) = self.place {
            group = group.element(snippet(place));
        }
        for cause in self.causes {
            group = group.element(Level::NOTE.with_name("cause").message(escape(cause)));
        }
        if let Some(help) = self.help {
            group = group.element(Level::HELP.message(escape(help)));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// The line with a mark under what is meant, and the path in the flow beside it.
fn snippet(place: &Place) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let start = byte_of_column(&place.excerpt, place.column);
    // What goes on over further lines is marked to the end of the first.
    let end = (start + place.bytes.len()).min(place.excerpt.len()).max(start);
    let before = escape(&place.excerpt[..start]);
    let marked = escape(place.excerpt.get(start..end).unwrap_or_default());
    let after = escape(place.excerpt.get(end..).unwrap_or_default());
    let span = before.len()..before.len() + marked.len();
    Snippet::source(format!("{before}{marked}{after}"))
        .line_start(place.line)
        .path(escape(&place.file))
        .annotation(AnnotationKind::Primary.span(span).label(escape(&place.path)))
}

/// Where a column, counted in characters from 1, begins in the line.
fn byte_of_column(line: &str, column: usize) -> usize {
    line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use flowrun::lang::{Code, SourceText};

    use super::*;

    const FLOW: &str = "steps:\n  - fetch_variables:\n      integration: teamleader\n";

    fn unauthorised() -> Diagnostic {
        let source = SourceText::new("flows/contact.yaml", FLOW.as_bytes().to_vec()).unwrap();
        let start = FLOW.find("teamleader").unwrap();
        let place = source.place("steps[0].fetch_variables.integration", start..start + "teamleader".len());
        Diagnostic::error(Code::NotAuthorized, "integration `teamleader` is not authorized")
            .at(place)
            .because("registered, but never authorized")
            .help("flowrun integrations authorize teamleader")
    }

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written in place")]
    fn check(shown: String, expected: Expect) {
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_mistake_is_shown_with_its_line_cause_and_help() {
        check(
            human(&unauthorised(), false),
            expect![[r#"
                error[F014]: integration `teamleader` is not authorized
                 --> flows/contact.yaml:3:20
                  |
                3 |       integration: teamleader
                  |                    ^^^^^^^^^^ steps[0].fetch_variables.integration
                  |
                  = cause: registered, but never authorized
                  = help: flowrun integrations authorize teamleader"#]],
        );
    }

    #[test]
    fn a_mistake_on_one_line_is_found_by_editors() {
        check(
            short(&unauthorised()),
            expect!["flows/contact.yaml:3:20: error[F014]: integration `teamleader` is not authorized"],
        );
    }

    /// T24: an author's file, a provider's words and an integration's name all end up here.
    #[test]
    fn nothing_in_a_mistake_reaches_the_terminal_as_a_command() {
        let source = SourceText::new("\u{1b}f.yaml", b"a: \x1b[2J b".to_vec()).unwrap();
        let nasty = Diagnostic::error(Code::Yaml, "\u{202e}backwards")
            .at(source.place("x\u{7}", 3..7))
            .because("\u{9b}31m")
            .help("\u{1b}]52;c;\u{7}");
        for colour in [false, true] {
            let shown = human(&nasty, colour);
            let (c1, bell, bidi) = ('\u{9b}', '\u{7}', '\u{202e}');
            assert!(!shown.contains([c1, bell, bidi]), "{shown:?}");
            assert!(!shown.contains("\u{1b}]") && !shown.contains("\u{1b}[2J"), "{shown:?}");
        }
    }

    #[test]
    fn a_mistake_over_several_lines_is_marked_on_the_first() {
        let source = SourceText::new("f.yaml", b"a: |\n  x\n  y\n".to_vec()).unwrap();
        let shown = human(&Diagnostic::error(Code::Template, "no").at(source.place("a", 3..13)), false);
        assert!(shown.contains("1 | a: |\n  |    ^ a"), "{shown}");
    }
}
