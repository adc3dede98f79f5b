//! Results as JUnit's XML, which every build server reads. quick-xml does the escaping.

use std::io;
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::Told;
use super::compare::Problem;
use super::diff::Line;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::report;

/// The report of all cases; a test file is a suite.
pub(super) fn report(results: &[Told<'_>], took: Duration) -> Result<String, Complaint> {
    let mut bytes = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec();
    let mut writer = Writer::new_with_indent(&mut bytes, b' ', 2);
    let written = suites(&mut writer, results, took);
    written.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

type Xml<'b> = Writer<&'b mut Vec<u8>>;

fn suites(writer: &mut Xml<'_>, results: &[Told<'_>], took: Duration) -> io::Result<()> {
    let (tests, failures) = counts(results);
    let element = writer.create_element("testsuites").with_attributes([
        ("tests", tests.as_str()),
        ("failures", &failures),
        ("time", &seconds(took)),
    ]);
    element.write_inner_content(|writer| {
        results.chunk_by(|one, other| one.file == other.file).try_for_each(|suite| suite_of(writer, suite))
    })?;
    Ok(())
}

fn suite_of(writer: &mut Xml<'_>, results: &[Told<'_>]) -> io::Result<()> {
    let (tests, failures) = counts(results);
    let name = plain(results.first().map_or("", |told| told.file));
    let took = seconds(results.iter().map(|told| told.took).sum());
    let element = writer.create_element("testsuite").with_attributes([
        ("name", name.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("time", &took),
    ]);
    element.write_inner_content(|writer| results.iter().try_for_each(|told| case(writer, told)))?;
    Ok(())
}

fn case(writer: &mut Xml<'_>, told: &Told<'_>) -> io::Result<()> {
    let (file, name, took) = (plain(told.file), plain(&told.case.name.is), seconds(told.took));
    let element = writer.create_element("testcase").with_attributes([
        ("classname", file.as_str()),
        ("name", &name),
        ("time", &took),
    ]);
    if told.problems.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        told.problems.iter().try_for_each(|problem| failure(writer, problem))
    })?;
    Ok(())
}

fn failure(writer: &mut Xml<'_>, problem: &Problem) -> io::Result<()> {
    let message = plain(&problem.diagnostic.message);
    let kind = problem.diagnostic.code.as_str();
    let diff = problem.diff.iter().map(Line::shown);
    let text = std::iter::once(report::human(&problem.diagnostic, false)).chain(diff).collect::<Vec<_>>();
    let element =
        writer.create_element("failure").with_attributes([("message", message.as_str()), ("type", kind)]);
    element.write_text_content(BytesText::new(&plain(&text.join("\n"))))?;
    Ok(())
}

fn counts(results: &[Told<'_>]) -> (String, String) {
    let failures = results.iter().filter(|told| !told.problems.is_empty()).count();
    (results.len().to_string(), failures.to_string())
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// XML has no place for most control characters, escaped or not (XML 1.0, 2.2).
fn plain(text: &str) -> String {
    let is_allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars()
        .map(|c| if is_allowed(c) && !matches!(c, '\u{fffe}' | '\u{ffff}') { c } else { '\u{fffd}' })
        .collect()
}
