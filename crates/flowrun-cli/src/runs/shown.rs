//! Runs in words, wherever they are kept.

use flowrun_server::Run;
use serde_json::Value;

use crate::complaint::Complaint;
use crate::output::written;
use crate::world::World;

/// Lists runs; `none` is what is said of no run.
pub(super) fn list(world: &World, runs: &[Run], json: bool, none: &str) -> Result<(), Complaint> {
    if json {
        return written(world.terminal.json(&runs));
    }
    for run in runs {
        written(world.terminal.data(&line(run)))?;
    }
    if runs.is_empty() {
        world.terminal.say(none);
    }
    Ok(())
}

/// Shows a run, and what can be done.
pub(super) fn show(world: &World, run: &Run) -> Result<(), Complaint> {
    written(world.terminal.data(&line(run)))?;
    written(world.terminal.data(&format!("  began {}", run.began)))?;
    for said in said(run) {
        written(world.terminal.data(&format!("  {said}")))?;
    }
    Ok(())
}

fn line(run: &Run) -> String {
    let driven = if run.is_driven { "" } else { ", without a process" };
    let status = match run.status.as_str() {
        "running" => format!("running{driven}"),
        status => status.to_owned(),
    };
    format!("{}  {}  {status}  since {}", run.id, run.flow, run.changed)
}

/// How it stands, and what can be done.
fn said(run: &Run) -> Vec<String> {
    let id = &run.id;
    match (run.status.as_str(), run.until) {
        ("running", _) => vec![format!("taken up, if nobody drives it, by: flowrun runs resume {id}")],
        ("waiting", Some(at)) => vec![format!("waits until {at}, or for something from outside")],
        ("waiting", None) => vec!["waits for something from outside".to_owned()],
        ("in_doubt", _) => vec![
            format!(
                "whether the call of `{}` was made is not known",
                run.steps.as_deref().unwrap_or_default().join("`, `")
            ),
            format!("flowrun runs resume {id} --retry, or --skip, or --fail"),
        ],
        ("held", _) => vec![
            "it was restored from a backup, and may have gone on after that".to_owned(),
            format!("flowrun runs release {id} lets it go on"),
        ],
        ("blocked", _) => vec![format!("cannot go on: {}", run.reason.as_deref().unwrap_or_default())],
        _ => ended(run),
    }
}

fn ended(run: &Run) -> Vec<String> {
    let outputs = run.outputs.as_ref().map(|outputs| Value::from(outputs.clone()).to_string());
    let error = run.error.as_ref().and_then(|error| Some(error.get("message")?.as_str()?.to_owned()));
    outputs.into_iter().chain(error).chain(run.reason.clone()).collect()
}
