//! Tells of cases: to a person, or as JSON; JUnit's form is [`super::junit`]'s.

use std::time::Duration;

use serde_json::json;

use super::compare::Problem;
use super::coverage::Gap;
use super::{Told, junit};
use crate::args::ResultFormat;
use crate::complaint::Complaint;
use crate::output::written;
use crate::report;
use crate::world::World;

/// Tells of one case as soon as it has ended.
pub(super) fn case(world: &World, format: ResultFormat, told: &Told<'_>) -> Result<(), Complaint> {
    match format {
        ResultFormat::Human if told.problems.is_empty() => {
            world.terminal.say(&format!("ok      {}: {}", told.file, told.case.name.is));
            Ok(())
        }
        ResultFormat::Human => {
            world.terminal.say(&format!("FAILED  {}: {}", told.file, told.case.name.is));
            told.problems.iter().for_each(|problem| show(world, problem));
            Ok(())
        }
        ResultFormat::Json => {
            let problems: Vec<_> = told.problems.iter().map(as_json).collect();
            let status = if problems.is_empty() { "passed" } else { "failed" };
            written(world.terminal.json(&json!({
                "version": 1, "file": told.file, "case": told.case.name.is, "line": told.case.name.place.line,
                "status": status, "ms": ms(told.took), "problems": problems,
            })))
        }
        ResultFormat::Junit => Ok(()),
    }
}

fn show(world: &World, problem: &Problem) {
    world.terminal.say_styled(&report::human(&problem.diagnostic, world.terminal.is_coloured()));
    for line in &problem.diff {
        // A text of several lines stays one block.
        world.terminal.say(&format!("    {}", line.shown().replace('\n', "\n      ")));
    }
}

fn as_json(problem: &Problem) -> serde_json::Value {
    let diff: Vec<String> = problem.diff.iter().map(super::diff::Line::shown).collect();
    json!({ "diagnostic": problem.diagnostic, "diff": diff })
}

/// Tells which steps and branches no case of a file reaches.
pub(super) fn coverage(
    world: &World,
    format: ResultFormat,
    file: &str,
    gaps: &[Gap],
) -> Result<(), Complaint> {
    if format == ResultFormat::Json {
        let gaps: Vec<_> =
            gaps.iter().map(|gap| json!({ "place": gap.place, "step": gap.step, "gap": gap.what })).collect();
        return written(world.terminal.json(&json!({ "version": 1, "file": file, "gaps": gaps })));
    }
    if gaps.is_empty() {
        world.terminal.say(&format!("{file}: every step and branch is reached"));
    }
    for gap in gaps {
        let place = &gap.place;
        world.terminal.say(&format!("{}:{}: {} is {}", place.file, place.line, gap.step, gap.what));
    }
    Ok(())
}

/// Tells of all of them together.
pub(super) fn all(
    world: &World,
    format: ResultFormat,
    results: &[Told<'_>],
    took: Duration,
) -> Result<(), Complaint> {
    let failed = results.iter().filter(|told| !told.problems.is_empty()).count();
    let passed = results.len() - failed;
    match format {
        ResultFormat::Human => world.terminal.say(&format!("{passed} passed, {failed} failed")),
        ResultFormat::Json => written(world.terminal.json(&json!({
            "version": 1, "passed": passed, "failed": failed, "ms": ms(took),
        })))?,
        ResultFormat::Junit => written(world.terminal.data(&junit::report(results, took)?))?,
    }
    Ok(())
}

fn ms(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
