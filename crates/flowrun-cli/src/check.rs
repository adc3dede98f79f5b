//! `flowrun check`: every mistake of every flow at once; nothing is sent.

use std::fs;
use std::path::{Path, PathBuf};

use flowrun::SystemClock;
use flowrun::http::{Client, NetworkPolicy};
use flowrun::lang::{self, Catalog, Diagnostic, SourceText};
use flowrun::step::{IntegrationStatus, Integrations, Tenant};

use crate::args::CheckArguments;
use crate::beside::Beside;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations;
use crate::output::written;
use crate::report;
use crate::source;
use crate::world::World;

/// How deep folders are searched.
const DEPTH: usize = 16;

/// Checks every flow that is named or lies in a named folder.
pub(crate) async fn check(world: &World, arguments: &CheckArguments) -> Result<Exit, Complaint> {
    let mut exit = Exit::Done;
    let files = files(world, &arguments.paths)?;
    let steps = steps()?;
    // What is wrong with a flow that others call is found with each of them, and said once.
    let mut said: Vec<Diagnostic> = Vec::new();
    for file in &files {
        let mut found = read(world, file, &steps).await?;
        found.retain(|diagnostic| !said.contains(diagnostic));
        written(report::show(&world.terminal, arguments.message_format, &found))?;
        said.append(&mut found);
    }
    if said.iter().any(Diagnostic::is_error) {
        exit = Exit::Invalid;
    }
    if exit == Exit::Done {
        let what = if files.len() == 1 { "flow" } else { "flows" };
        world.terminal.say(&format!("{} {what}, nothing wrong", files.len()));
    }
    Ok(exit)
}

async fn read(world: &World, file: &Path, steps: &Catalog) -> Result<Vec<Diagnostic>, Complaint> {
    let source = match SourceText::new(&file.display().to_string(), source::read(world, file)?) {
        Ok(source) => source,
        Err(diagnostic) => return Ok(vec![diagnostic]),
    };
    let beside = Beside::of(world, file);
    let checked = lang::check_with(&source, steps, &beside);
    let uses_integrations = checked.flow.as_ref().is_some_and(|flow| !flow.integrations().is_empty());
    if !uses_integrations {
        return Ok(checked.diagnostics);
    }
    match known_integrations(world).await {
        Some(known) => {
            Ok(lang::check_with(&source, &steps.clone().with_integrations(known), &beside).diagnostics)
        }
        None => Ok(checked.diagnostics),
    }
}

/// The integrations of this machine. Where there are none at all, a flow is checked for use elsewhere.
async fn known_integrations(world: &World) -> Option<Vec<IntegrationStatus>> {
    let registry = integrations::registry(world).ok()?;
    let asking = integrations::asking(world, &registry).ok()?;
    let known = Integrations::list(&asking, &Tenant::default()).await.ok()?;
    (!known.is_empty()).then_some(known)
}

/// The steps of the house, without its integrations.
pub(crate) fn steps() -> Result<Catalog, Complaint> {
    let client = Client::builder().policy(NetworkPolicy::cli()).build();
    let engine = flowrun::engine(std::sync::Arc::new(SystemClock), std::sync::Arc::new(client)).build();
    let engine = engine.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    Ok(Catalog::new(engine.steps().clone()))
}

/// Every file that is named, and every flow in the folders that are.
pub(crate) fn files(world: &World, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Complaint> {
    let mut files = Vec::new();
    for path in paths {
        if world.path(path).is_dir() {
            let before = files.len();
            search(world, path, DEPTH, &mut files)?;
            if files.len() == before {
                return Err(Complaint::new(Exit::Usage, format!("{} holds no flow", path.display()))
                    .help("flows in a folder are called NAME.flow.yaml"));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn search(world: &World, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Complaint> {
    let entries = fs::read_dir(world.path(folder)).map_err(|error| source::unreadable(folder, error))?;
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()).map(|entry| entry.file_name()).collect();
    names.sort();
    for path in names.iter().map(|name| folder.join(name)) {
        let found = fs::symlink_metadata(world.path(&path));
        let is_folder = found.is_ok_and(|found| found.is_dir());
        if is_folder && depth > 0 {
            search(world, &path, depth - 1, files)?;
        } else if path.to_string_lossy().ends_with(".flow.yaml") {
            files.push(path);
        }
    }
    Ok(())
}
