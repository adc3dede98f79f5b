//! `flowrun check --permissions FLOW`: what a flow may reach, before anybody trusts it (N12).

use std::path::Path;

use flowrun::lang::{Flow, HostUse, IntegrationUse, Permissions};
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

/// Shows what a flow may reach, on stdout.
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
    for host in &permissions.hosts {
        terminal.data(&format!("  host         {}", words(host)))?;
    }
    for IntegrationUse { name, scopes, .. } in &permissions.integrations {
        let scopes = if scopes.is_empty() { String::new() } else { format!(", with {}", scopes.join(" ")) };
        terminal.data(&format!("  integration  {name}{scopes}"))?;
    }
    for name in &permissions.secrets {
        terminal.data(&format!("  secret       {name}"))?;
    }
    if permissions.hosts.is_empty() {
        terminal.data("  no host")?;
    }
    Ok(())
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
