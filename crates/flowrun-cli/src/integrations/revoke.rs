//! `flowrun integrations revoke`: the tokens go back to the provider and are destroyed here (RFC 7009, OA-65).

use flowrun::registry::{AtProvider, Integration, Registry, RevokeError};
use flowrun::step::IntegrationName;

use super::change::agrees;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// Whether somebody has agreed; asked before anything else, so that whoever leaves here leaves at once.
pub(super) fn is_agreed(world: &World, name: &IntegrationName, is_agreed: bool) -> Result<bool, Complaint> {
    let question = format!("Revoke the grant of `{name}`? Flows that use it will fail. [y/N] ");
    let agreed = is_agreed || agrees(world, &question)?;
    if !agreed {
        world.terminal.say("nothing was revoked");
    }
    Ok(agreed)
}

/// Ends the grant, and says what became of it at the provider.
pub(super) async fn revoke(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
) -> Result<Exit, Complaint> {
    let revoked = registry.revoke(name).await?;
    let integration = &revoked.integration;
    let name = &integration.name;
    let destroyed = "its tokens are destroyed here";
    match revoked.at_provider {
        AtProvider::Revoked => world.terminal.say(&format!("`{name}` is revoked; {destroyed}")),
        AtProvider::NothingToRevoke => world.terminal.say(&format!("`{name}` has no token to revoke")),
        AtProvider::Failed { said, retry_after } => {
            let wait = retry_after.map(|wait| format!("; it asks to be asked again in {} s", wait.as_secs()));
            let wait = wait.unwrap_or_default();
            let message = format!("the provider did not revoke the grant of `{name}`, though {destroyed}");
            return Err(Complaint::new(Exit::Failed, message)
                .because(format!("{said}{wait}"))
                .help(by_hand(integration)));
        }
        _ => {
            world.terminal.say(&format!("no revocation endpoint is known for `{name}`; {destroyed}"));
            world.terminal.say(&format!("the provider still lists the grant: {}", by_hand(integration)));
        }
    }
    Ok(Exit::Done)
}

/// What a person does where a program cannot.
fn by_hand(integration: &Integration) -> String {
    let page = integration.authorize_url.as_ref().unwrap_or(&integration.token_url);
    let host = url::Url::parse(page).ok().and_then(|url| url.host_str().map(str::to_owned));
    format!(
        "sign in at {} and remove this client from the applications that may use the account",
        host.as_deref().unwrap_or("the provider")
    )
}

impl From<RevokeError> for Complaint {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Lookup(error) => error.into(),
            error => Self::from_error(Exit::Failed, &error).help(error.help()),
        }
    }
}
