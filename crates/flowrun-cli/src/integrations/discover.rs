//! `--issuer`: a provider describes itself, once, when it is added (RFC 8414, OA-68).

use flowrun::oauth::{DiscoveryError, Settings};
use flowrun::registry::Registry;
use flowrun::step::IntegrationName;

use super::provider::is_chosen;
use crate::args::ProviderArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// What an issuer publishes, if one was named; shown, because the client secret will go where it says.
pub(super) async fn discovered(
    world: &World,
    registry: &Registry,
    arguments: &ProviderArguments,
) -> Result<Option<Settings>, Complaint> {
    let Some(issuer) = &arguments.by_hand.issuer else { return Ok(None) };
    let settings = registry.discover(issuer).await?;
    world.terminal.say(&format!("{issuer} describes itself so:"));
    let token_url = Some(settings.token_url.clone());
    for (what, url) in [
        ("authorization", &settings.authorize_url),
        ("token", &token_url),
        ("revocation", &settings.revoke_url),
        ("introspection", &settings.introspect_url),
        ("device", &settings.device_url),
    ] {
        if let Some(url) = url {
            world.terminal.say(&format!("  {what:<14}{url}"));
        }
    }
    Ok(Some(settings))
}

/// What is known of a provider before anything typed is put into it: what its issuer publishes or, where neither a
/// preset nor addresses take its place, what was known so far.
pub(super) async fn known(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
    arguments: &ProviderArguments,
) -> Result<Option<Settings>, Complaint> {
    let replaces =
        arguments.preset.is_some() || arguments.token_url.is_some() || !arguments.parameters.is_empty();
    match discovered(world, registry, arguments).await? {
        None if is_chosen(arguments) && !replaces => {
            Ok(Some(registry.provider(name).await?.settings().clone()))
        }
        discovered => Ok(discovered),
    }
}

impl From<DiscoveryError> for Complaint {
    fn from(error: DiscoveryError) -> Self {
        let exit = match &error {
            DiscoveryError::NotAnIssuer(_) => Exit::Usage,
            _ => Exit::Failed,
        };
        Self::from_error(exit, &error).help(error.help())
    }
}
