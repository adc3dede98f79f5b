//! `flowrun integrations check`: which leg fails, and what to type.
//!
//! The registry looks at its own legs; only this process can try whether a callback's port is free.

use flowrun::registry::{Checkup, Examined, Finding, Leg, Registry};
use flowrun::step::IntegrationName;

use super::shown::quoted;
use crate::callback::Loopback;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::terminal::Terminal;

/// Looks at one integration or, without a name, at all of them.
pub(super) async fn check(
    terminal: &Terminal,
    registry: &Registry,
    name: Option<&IntegrationName>,
    as_json: bool,
) -> Result<Exit, Complaint> {
    let mut checkup = match name {
        Some(name) => registry.check(name).await.map_err(flowrun::registry::LookupError::from)?,
        None => registry.check_all().await,
    };
    checkup.integrations.iter_mut().for_each(try_port);
    if as_json {
        written(terminal.json(&checkup))?;
    } else {
        print(terminal, &checkup)?;
    }
    Ok(match (checkup.is_usable(), checkup.wrong().next().is_some()) {
        (false, _) => Exit::Unusable,
        (true, true) => Exit::Failed,
        (true, false) => Exit::Done,
    })
}

/// Tries whether the browser could come back at this moment.
fn try_port(examined: &mut Examined) {
    let Some(place) = examined.callback_url.as_deref().and_then(Loopback::of) else { return };
    let Err((address, error)) = place.try_bind() else { return };
    let edit = format!("flowrun integrations edit {} --port …", quoted(&examined.name));
    let said = format!("the browser could not come back: {address} is taken on this machine: {error}");
    let help = format!("stop the program that uses it, unless an `authorize` waits there; or {edit}");
    examined.add(Finding::bad(Leg::Callback, said, help));
}

fn print(terminal: &Terminal, checkup: &Checkup) -> Result<(), Complaint> {
    for examined in &checkup.integrations {
        let state = examined.state.map_or_else(|| "unreadable".to_owned(), |state| state.to_string());
        written(terminal.data(&format!("{}: {state}", examined.name)))?;
        lines(terminal, &examined.findings)?;
    }
    written(terminal.data("registry"))?;
    lines(terminal, &checkup.registry)?;
    match checkup.wrong().next() {
        Some(Finding { leg, help: Some(help), .. }) => terminal.say(&format!("{leg} fails; {help}")),
        _ if checkup.integrations.is_empty() => {
            terminal
                .say("there are no integrations yet; `flowrun integrations add teamleader` registers one");
        }
        _ => {}
    }
    Ok(())
}

fn lines(terminal: &Terminal, findings: &[Finding]) -> Result<(), Complaint> {
    for Finding { leg, ok, said, help, .. } in findings {
        let mark = if *ok { "ok" } else { "wrong" };
        written(terminal.data(&format!("  {mark:<7}{:<13}{said}", leg.to_string())))?;
        if let Some(help) = help {
            written(terminal.data(&format!("{:22}{help}", "")))?;
        }
    }
    Ok(())
}
