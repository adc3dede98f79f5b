//! `check --remote`: what the provider itself says of the access token (RFC 7662, OA-66).

use flowrun::registry::{IntrospectError, Registry, Standing};
use flowrun::step::IntegrationName;

use super::shown::quoted;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// Asks, and says the answer to the person: what `check` prints afterwards has taken it in.
///
/// Returns whether the provider takes the token.
pub(super) async fn ask(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
) -> Result<bool, Complaint> {
    let standing = registry.introspect(name).await?;
    let is_active = standing == Standing::Active;
    let name = quoted(name);
    world.terminal.say(&match standing {
        Standing::Active => format!("the provider says that the token of {name} is active"),
        Standing::Lost => format!(
            "the provider says that the token of {name} is not active, and there is none to refresh it with: \
             flowrun integrations authorize {name}"
        ),
        _ => format!(
            "the provider says that the token of {name} is not active: it counts as expired, and its next use \
             refreshes it; to do that now: flowrun integrations refresh {name}"
        ),
    });
    Ok(is_active)
}

impl From<IntrospectError> for Complaint {
    fn from(error: IntrospectError) -> Self {
        let (exit, words) = match &error {
            IntrospectError::NoToken(_) | IntrospectError::Unfinished { .. } => (Exit::Unusable, None),
            IntrospectError::Token { source, .. } => (Exit::Failed, source.provider_words.clone()),
            _ => (Exit::Failed, None),
        };
        match error {
            IntrospectError::Lookup(error) => error.into(),
            error => {
                let mut complaint = Self::from_error(exit, &error).help(error.help());
                complaint.causes.extend(words.map(|said| format!("the provider says: {said}")));
                complaint
            }
        }
    }
}
