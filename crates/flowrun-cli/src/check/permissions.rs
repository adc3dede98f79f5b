//! `flowrun check --permissions FLOW`: what a flow may reach, and what reaches it, before anybody trusts it (N12).

use std::path::Path;

use flowrun::lang::{CallbackUse, EventUse, Flow, HostUse, IntegrationUse, Permissions, TriggerUse};
use serde::Serialize;

use crate::args::MessageFormat;
use crate::terminal::Terminal;

/// What a flow may reach, and its file.
#[derive(Serialize)]
struct OfFile<'a> {
    file: String,
    #[serde(flatten)]
    permissions: &'a Permissions,
}

/// Shows what a flow may reach, and what reaches it, on stdout.
pub(super) fn show(
    terminal: &Terminal,
    format: MessageFormat,
    (file, flow): (&Path, &Flow),
) -> std::io::Result<()> {
    let (file, permissions) = (file.display().to_string(), flow.permissions());
    if format == MessageFormat::Json {
        return terminal.json(&OfFile { file, permissions: &permissions });
    }
    terminal.data(&format!("{file}: {}", permissions.flow))?;
    lines(&permissions)
        .iter()
        .try_for_each(|(label, words)| terminal.data(&format!("  {label:<13}{words}")))?;
    if permissions.hosts.is_empty() {
        terminal.data("  no host")?;
    }
    Ok(())
}

/// Each thing with the word for what it is.
fn lines(permissions: &Permissions) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut put = |label, words: Vec<String>| lines.extend(words.into_iter().map(|words| (label, words)));
    put("started by", permissions.trigger.iter().map(started).collect());
    put("waits for", permissions.waits_for.iter().map(event).collect());
    put("own URL", permissions.callbacks.iter().map(callback).collect());
    put("tells", permissions.emits.iter().map(event).collect());
    put("host", permissions.hosts.iter().map(words).collect());
    put("integration", permissions.integrations.iter().map(integration).collect());
    put("secret", permissions.secrets.clone());
    lines
}

fn started(trigger: &TriggerUse) -> String {
    match trigger {
        TriggerUse::Message { .. } => message(trigger),
        TriggerUse::Webhook { method, path, auth, secret } => {
            let secret = secret.as_deref().unwrap_or_default();
            let who = match *auth {
                Some("hmac") => format!("signed with {secret}"),
                Some(_) => format!("with {secret} as its bearer token"),
                None => "from anyone: it has no `auth`".to_owned(),
            };
            format!("a call: {method} /{path}, {who}")
        }
        TriggerUse::Schedule { cron, zone } => format!("the clock: {cron}, {zone}"),
        TriggerUse::Event { event } => format!("the event {event}"),
        _ => "something this version has no word for".to_owned(),
    }
}

fn message(trigger: &TriggerUse) -> String {
    let TriggerUse::Message { channels, accounts, keywords, how, is_default, interrupts, .. } = trigger
    else {
        return String::new();
    };
    let mut words = match keywords.as_slice() {
        [] => "any message".to_owned(),
        keywords => format!("a message: {} ({how})", keywords.join(" | ")),
    };
    for (before, names) in [("on", channels), ("to", accounts)] {
        if !names.is_empty() {
            words.push_str(&format!(", {before} {}", names.join(" | ")));
        }
    }
    if *is_default {
        words.push_str(", and what no other flow takes");
    }
    if *interrupts {
        words.push_str(", also while another flow is under way");
    }
    words
}

fn event(EventUse { event, steps, .. }: &EventUse) -> String {
    format!("the event {event} ({})", steps.join(", "))
}

fn callback(CallbackUse { id, method, step, .. }: &CallbackUse) -> String {
    format!("{method} {{{{callbacks.{id}}}}}, called once ({step})")
}

fn integration(IntegrationUse { name, scopes, .. }: &IntegrationUse) -> String {
    if scopes.is_empty() { name.to_string() } else { format!("{name}, with {}", scopes.join(" ")) }
}

fn words(host: &HostUse) -> String {
    let mut words = match (&host.host, &host.decided_by) {
        (Some(host), _) => host.clone(),
        (None, Some(by)) if by.starts_with("integrations.") => format!("what `{by}` says"),
        (None, by) => format!("any: `{}` decides in a run", by.as_deref().unwrap_or_default()),
    };
    if !host.integrations.is_empty() {
        words.push_str(&format!(", with integration {}", host.integrations.join(", ")));
    }
    if host.may_be_redirected {
        words.push_str(", or where it redirects to");
    }
    format!("{words} ({})", host.steps.join(", "))
}
