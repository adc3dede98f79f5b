//! What may be seen of integrations: everything but their secrets (OA-3, OA-5).

use flowrun::registry::Integration;
use flowrun::registry::socket::Client as Asking;
use flowrun::step::IntegrationName;

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::terminal::Terminal;

/// Prints one line for each integration.
pub(super) async fn list(terminal: &Terminal, registry: &Asking, as_json: bool) -> Result<Exit, Complaint> {
    let integrations = registry
        .list()
        .await
        .map_err(|error| Complaint::from(flowrun::registry::LookupError::from(error)))?;
    if as_json {
        written(terminal.json(&integrations))?;
        return Ok(Exit::Done);
    }
    if integrations.is_empty() {
        terminal.say("there are no integrations yet; `flowrun integrations add teamleader` registers one");
    }
    let width =
        integrations.iter().map(|known| known.name.as_str().chars().count()).max().unwrap_or_default();
    for known in &integrations {
        let from = known.preset.as_deref().unwrap_or(&known.token_url);
        let line = format!("{:width$}  {:<12}  {from}", known.name.as_str(), known.state.to_string());
        written(terminal.data(&line))?;
    }
    Ok(Exit::Done)
}

/// Prints one integration, a fact a line.
pub(super) async fn show(
    terminal: &Terminal,
    registry: &Asking,
    name: &IntegrationName,
    as_json: bool,
) -> Result<Exit, Complaint> {
    let integration = registry.show(name).await?;
    if as_json {
        written(terminal.json(&integration))?;
        return Ok(Exit::Done);
    }
    for (fact, value) in facts(&integration) {
        written(terminal.data(&format!("{fact:<19}{value}")))?;
    }
    Ok(Exit::Done)
}

fn facts(integration: &Integration) -> Vec<(&'static str, String)> {
    let secret = if integration.has_client_secret { "kept, never shown" } else { "not given yet" };
    let mut facts = vec![
        ("name", integration.name.to_string()),
        ("state", integration.state.to_string()),
        ("callback URL", integration.redirect_uri.clone()),
        ("token URL", integration.token_url.clone()),
        ("client id", integration.client_id.clone().unwrap_or_else(|| "not given yet".to_owned())),
        ("client secret", secret.to_owned()),
        ("scopes", integration.scopes.join(" ")),
        ("hosts", integration.hosts.join(", ")),
    ];
    let kept = integration.kept.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    let moment = |at: &Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let failure =
        integration.last_failure.as_ref().map(|failure| format!("{} ({})", failure.said, failure.at));
    let optional = [
        ("preset", integration.preset.clone()),
        ("authorization URL", integration.authorize_url.clone()),
        ("issuer", integration.issuer.clone()),
        ("revocation URL", integration.revoke_url.clone()),
        ("introspection URL", integration.introspect_url.clone()),
        ("device URL", integration.device_url.clone()),
        ("resources", (!integration.resources.is_empty()).then(|| integration.resources.join(" "))),
        ("granted scopes", integration.granted_scopes.as_ref().map(|scopes| scopes.join(" "))),
        ("kept", (!kept.is_empty()).then(|| kept.join(", "))),
        ("authorised", moment(&integration.authorized_at)),
        ("refreshed", moment(&integration.refreshed_at)),
        ("token ends", moment(&integration.expires_at)),
        ("refresh token ends", moment(&integration.refresh_expires_at)),
        ("last failure", failure),
    ];
    facts.extend(optional.into_iter().filter_map(|(fact, value)| Some((fact, value?))));
    facts
}

/// The hosts a token may go to.
pub(super) fn hosts(integration: &Integration) -> String {
    format!("{}: its token may go to {}", integration.name, integration.hosts.join(", "))
}

/// The name as a shell takes it.
pub(super) fn quoted(name: &IntegrationName) -> String {
    if name.as_str().contains(' ') { format!("'{name}'") } else { name.to_string() }
}
