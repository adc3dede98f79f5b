//! `flowrun test`: runs the cases of test files against their flows, without a network.
//!
//! A case runs through the engine as any run does. What differs is what stands around it: a way out that gives the
//! case's replies, a clock that jumps, a channel that remembers. Nothing real is opened.

mod clock;
mod compare;
mod coverage;
mod diff;
mod find;
mod junit;
mod replay;
mod run;
mod stage;
mod tell;

use std::path::Path;
use std::time::{Duration, Instant};

use flowrun::lang::case::{self, Case, Suite};
use flowrun::lang::{self, Diagnostic, Flow, SourceText};
use flowrun::step::StepSet;
use serde_json::Value;

use crate::args::{MessageFormat, ResultFormat, TestArguments};
use crate::beside::Beside;
use crate::check::steps;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::report;
use crate::source;
use crate::world::World;

use compare::{Problem, problems};
use coverage::Coverage;
pub(crate) use find::{flow_of, tests_of};
pub(crate) use replay::{Replayed, has_id, replay};
pub(crate) use stage::Stage;

/// A test file and its flow, both without mistakes.
struct Tried {
    file: String,
    suite: Suite,
    flow: Flow,
    /// Step kinds beside flowrun's own.
    steps: StepSet,
    /// Why a run would not begin: an integration cannot be used.
    unusable: Option<Diagnostic>,
}

/// What came of one case.
struct Told<'a> {
    file: &'a str,
    case: &'a Case,
    took: Duration,
    problems: Vec<Problem>,
}

/// Runs every case that is asked for.
pub(crate) fn test(world: &World, arguments: &TestArguments) -> Result<Exit, Complaint> {
    let mut tried = Vec::new();
    let mut is_invalid = false;
    for file in find::files(world, &arguments.paths)? {
        match read(world, &file)? {
            Ok(file) => tried.push(file),
            Err(mistakes) => {
                is_invalid = true;
                let format = match arguments.message_format {
                    ResultFormat::Human | ResultFormat::Junit => MessageFormat::Human,
                    ResultFormat::Json => MessageFormat::Json,
                };
                written(report::show(&world.terminal, format, &mistakes))?;
            }
        }
    }
    let failed = run_all(world, arguments, &tried)?;
    Ok(match (is_invalid, failed) {
        (true, _) => Exit::Invalid,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Failed,
    })
}

/// Reads a test file and its flow; says everything that is wrong with either.
fn read(world: &World, file: &Path) -> Result<Result<Tried, Vec<Diagnostic>>, Complaint> {
    let name = file.display().to_string();
    let suite = match SourceText::new(&name, source::read(world, file)?) {
        Ok(source) => case::read(&source),
        Err(diagnostic) => Err(vec![diagnostic]),
    };
    let suite = match suite {
        Ok(suite) => suite,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let flow_file = find::flow_of(file, suite.flow.as_ref().map(|flow| flow.is.as_str()));
    let text = match SourceText::new(&flow_file.display().to_string(), source::read(world, &flow_file)?) {
        Ok(text) => text,
        Err(diagnostic) => return Ok(Err(vec![diagnostic])),
    };
    let steps = steps(world)?;
    let beside = Beside::of(world, &flow_file);
    let checked = lang::check_with(&text, &steps, &beside);
    let Some(flow) = checked.flow else { return Ok(Err(checked.diagnostics)) };
    let misfits = suite.misfits(&name, &flow);
    if !misfits.is_empty() {
        return Ok(Err(misfits));
    }
    // A run asks for every integration before step one, and so does a case.
    let again = lang::check_with(&text, &steps.with_integrations(suite.integrations.clone()), &beside);
    let help = "make it `authorized` under `integrations`, or expect `error: integration`";
    let unusable = again.diagnostics.into_iter().find(Diagnostic::is_error).map(|error| error.help(help));
    Ok(Ok(Tried { file: name, suite, flow, steps: world.steps.clone(), unusable }))
}

/// Runs the cases of every file and tells of them; gives the number of those that failed.
fn run_all(world: &World, arguments: &TestArguments, tried: &[Tried]) -> Result<usize, Complaint> {
    let began = Instant::now();
    let mut results = Vec::new();
    for tried in tried {
        let mut coverage = Coverage::default();
        for case in tried.suite.cases.iter().filter(|case| is_asked_for(case, arguments)) {
            let told = run_one(tried, case, &mut coverage)?;
            tell::case(world, arguments.message_format, &told)?;
            results.push(told);
        }
        if arguments.coverage {
            tell::coverage(world, arguments.message_format, &tried.file, &coverage.gaps(&tried.flow))?;
        }
    }
    if results.is_empty() && !tried.is_empty() {
        return Err(Complaint::new(Exit::Usage, "no case has a name like that")
            .help("give --filter a part of a case's name, or leave it out"));
    }
    tell::all(world, arguments.message_format, &results, began.elapsed())?;
    Ok(results.iter().filter(|told| !told.problems.is_empty()).count())
}

fn is_asked_for(case: &Case, arguments: &TestArguments) -> bool {
    arguments.filter.as_ref().is_none_or(|text| case.name.is.contains(text.as_str()))
}

/// What the flow reads as `trigger`: what the case starts it with; it was seen to fit.
fn trigger(tried: &Tried, case: &Case) -> Value {
    let given = case.start.as_ref().map(|start| start.is.1.clone()).unwrap_or_default();
    let opened = tried.flow.trigger().and_then(|trigger| trigger.opened(given, case.now).ok());
    opened.unwrap_or_default()
}

fn run_one<'a>(tried: &'a Tried, case: &'a Case, coverage: &mut Coverage) -> Result<Told<'a>, Complaint> {
    let began = Instant::now();
    let trigger = trigger(tried, case);
    let problems = match tried.flow.accept_from(&case.inputs, &trigger, true) {
        Err(mistakes) => {
            let of_case =
                |mistake: Diagnostic| Problem::of_case(case, mistake.help("change the case's `inputs`"));
            mistakes.into_iter().map(of_case).collect()
        }
        Ok(inputs) => {
            let ran = run::run(tried, case, (trigger, inputs))?;
            coverage.add(&ran.seen);
            problems(case, &ran)
        }
    };
    Ok(Told { file: &tried.file, case, took: began.elapsed(), problems })
}
