//! `flowrun check`: every mistake of every flow at once; nothing is sent.

mod permissions;

use std::path::{Path, PathBuf};

use flowrun::SystemClock;
use flowrun::http::{Client, NetworkPolicy};
use flowrun::lang::{self, Catalog, Checked, Diagnostic, SourceText};
use flowrun::step::{IntegrationStatus, Integrations, Tenant};

use crate::args::{CheckArguments, MessageFormat};
use crate::beside::Beside;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::find;
use crate::integrations;
use crate::output::written;
use crate::report;
use crate::source;
use crate::world::World;

/// Checks every flow that is named or lies in a named folder.
pub(crate) async fn check(world: &World, arguments: &CheckArguments) -> Result<Exit, Complaint> {
    let format = arguments.message_format;
    if arguments.permissions && format == MessageFormat::Sarif {
        return Err(Complaint::new(Exit::Usage, "SARIF has no words for what a flow may reach")
            .help("flowrun check --permissions FLOW --message-format json"));
    }
    let files = files(world, &arguments.paths)?;
    let steps = steps(world)?;
    // What is wrong with a flow that others call is found with each of them, and said once.
    let mut all: Vec<Diagnostic> = Vec::new();
    for file in &files {
        let mut found = match arguments.permissions {
            true => reached(world, file, &steps, format)?,
            false => read(world, file, &steps).await?,
        };
        found.retain(|diagnostic| !all.contains(diagnostic));
        if format != MessageFormat::Sarif {
            written(report::show(&world.terminal, format, &found))?;
        }
        all.append(&mut found);
    }
    if format == MessageFormat::Sarif {
        written(report::show(&world.terminal, format, &all))?;
    }
    if !arguments.permissions {
        sum_up(world, format, (files.len(), &all));
    }
    Ok(Exit::of(&all))
}

/// One line for a person: that nothing is wrong, or how much is only doubtful.
fn sum_up(world: &World, format: MessageFormat, (files, found): (usize, &[Diagnostic])) {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let files = count(files, "flow");
    match found.len() {
        0 => world.terminal.say(&format!("{files}, nothing wrong")),
        warnings if format == MessageFormat::Human && !found.iter().any(Diagnostic::is_error) => {
            world.terminal.say(&format!("{files}, no errors, {}", count(warnings, "warning")));
        }
        _ => {}
    }
}

/// Shows what a flow may reach; gives its mistakes if it has any.
fn reached(
    world: &World,
    file: &Path,
    steps: &Catalog,
    format: MessageFormat,
) -> Result<Vec<Diagnostic>, Complaint> {
    let checked = checked(world, file, steps)?;
    let Some(flow) = checked.flow else { return Ok(checked.diagnostics) };
    written(permissions::show(&world.terminal, format, (file, &flow)))?;
    Ok(Vec::new())
}

/// A file's flow and its mistakes, together with the flows beside it that it calls.
pub(crate) fn checked(world: &World, file: &Path, steps: &Catalog) -> Result<Checked, Complaint> {
    Ok(match SourceText::new(&file.display().to_string(), source::read(world, file)?) {
        Ok(source) => lang::check_with(&source, steps, &Beside::of(world, file)),
        Err(diagnostic) => Checked { flow: None, diagnostics: vec![diagnostic] },
    })
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
pub(crate) fn steps(world: &World) -> Result<Catalog, Complaint> {
    let client = Client::builder().policy(NetworkPolicy::cli()).build();
    let engine = world.engine(std::sync::Arc::new(SystemClock), std::sync::Arc::new(client)).build();
    let engine = engine.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    Ok(Catalog::new(engine.steps().clone()))
}

/// Every file that is named, and every flow in the folders that are.
pub(crate) fn files(world: &World, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Complaint> {
    let mut files = Vec::new();
    for path in paths {
        if world.path(path).is_dir() {
            let found = find::below(world, path, ".flow.yaml")?;
            if found.is_empty() {
                return Err(Complaint::new(Exit::Usage, format!("{} holds no flow", path.display()))
                    .help("flows in a folder are called NAME.flow.yaml"));
            }
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}
