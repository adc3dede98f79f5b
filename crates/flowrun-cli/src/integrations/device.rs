//! `authorize --device`: the browser is on another device, and nothing needs to come back here (RFC 8628, OA-67).

use flowrun::registry::{Authorized, Registry, WaitingDevice};
use flowrun::step::IntegrationName;

use crate::complaint::Complaint;
use crate::world::World;

/// Shows a code and waits until a person has typed it elsewhere.
pub(super) async fn by_device(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
) -> Result<Authorized, Complaint> {
    let waiting = registry.begin_device(name).await?;
    world.terminal.say(&invitation(name, &waiting));
    Ok(registry.complete_device(waiting).await?)
}

fn invitation(name: &IntegrationName, waiting: &WaitingDevice) -> String {
    let WaitingDevice { user_code, verification_uri, expires_at, .. } = waiting;
    let short_cut = waiting.verification_uri_complete.as_ref();
    let short_cut = short_cut.map(|url| format!("\nor open this, which has the code in it:\n\n{url}\n"));
    format!(
        "To authorise {name}, open this address on any device:\n\n{verification_uri}\n\nand type this code, \
         which is good until {expires_at}:\n\n{user_code}\n{}",
        short_cut.unwrap_or_default()
    )
}
