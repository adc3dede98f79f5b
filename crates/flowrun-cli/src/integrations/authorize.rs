//! `flowrun integrations authorize`: a person says yes in a browser, and the browser comes back (RFC 8252).
//!
//! The address is always printed. The browser comes back to a listener on this machine, or the person pastes the
//! address it ended on; it never waits for ever (OA-70).

use std::time::Duration;

use flowrun::oauth::{CallbackError, GrantKind};
use flowrun::registry::{AuthorizeError, Authorized, Begin, Begun, Registry};
use flowrun::step::IntegrationName;
use flowrun::template::duration;

use super::device::by_device;
use super::{browser, named};
use crate::args::AuthorizeArguments;
use crate::callback::{Listener, Loopback, Verdict};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::lines::lines;
use crate::output::written;
use crate::world::World;

/// The words of the original (SEED-13).
pub(crate) const ALL_SET: &str = "All set! Your authorization is complete!";

/// Has an integration authorised.
pub(super) async fn authorize(
    world: &World,
    registry: &Registry,
    how: &AuthorizeArguments,
) -> Result<Exit, Complaint> {
    let name = named(&how.name)?;
    let limit = duration::parse(&how.timeout)
        .map_err(|error| Complaint::from_error(Exit::Usage, &error).help("write --timeout 10m"))?;
    let integration = registry.show(&name).await?;
    let authorized = match integration.grant {
        GrantKind::ClientCredentials => registry.authorize_client(&name).await?,
        GrantKind::AuthorizationCode if how.device => {
            let asked = by_device(world, registry, &name);
            tokio::time::timeout(limit, asked).await.map_err(|_| out_of_time(&name, limit))??
        }
        GrantKind::AuthorizationCode => {
            let other = how.redirect_uri.clone().or_else(|| {
                let port = how.port?;
                Some(format!("http://127.0.0.1:{port}/oauth/callback/{}", integration.callback_id))
            });
            let asked = ask(world, registry, &name, how, other);
            tokio::time::timeout(limit, asked).await.map_err(|_| out_of_time(&name, limit))??
        }
    };
    all_set(world, &authorized)
}

/// Asks the person and waits for the browser.
async fn ask(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
    how: &AuthorizeArguments,
    redirect_uri: Option<String>,
) -> Result<Authorized, Complaint> {
    let begin = Begin { redirect_uri, force_consent: how.force_consent, ..Begin::default() };
    let begun = registry.begin_authorization(name, begin).await?;
    // The listener stands before the browser is sent away, so that it cannot come back too early.
    let listener = match Loopback::of(&begun.redirect_uri) {
        Some(place) if !how.paste => Some(Listener::bind(place).await?),
        _ => None,
    };
    invite(world, name, &begun, how);
    match listener {
        Some(listener) => by_loopback(registry, name, listener).await,
        None => by_paste(world, registry, name).await,
    }
}

fn invite(world: &World, name: &IntegrationName, begun: &Begun, how: &AuthorizeArguments) {
    world.terminal.say(&format!("Open this address to authorise {name}:\n\n{}\n", begun.url));
    // OA-71: no browser is started where nobody watches.
    if !how.no_browser && !how.paste && world.terminal.is_watched() {
        browser::open(world, &begun.url);
    }
}

/// Takes the browser's requests until one of them ends the authorization, well or badly (OA-17).
async fn by_loopback(
    registry: &Registry,
    name: &IntegrationName,
    mut listener: Listener,
) -> Result<Authorized, Complaint> {
    loop {
        let arrival = listener.next().await?;
        match registry.complete_authorization(name, arrival.address(), None).await {
            Ok(authorized) => {
                arrival.answer(Verdict::Authorized);
                listener.close().await;
                return Ok(authorized);
            }
            Err(error) if is_stranger(&error) => arrival.answer(Verdict::Stranger),
            Err(error) => {
                arrival.answer(Verdict::Refused);
                listener.close().await;
                return Err(error.into());
            }
        }
    }
}

/// Takes what is pasted until it ends the authorization.
async fn by_paste(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
) -> Result<Authorized, Complaint> {
    world.terminal.say("Then paste the address the browser ends on, even if it shows an error:");
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        if line.trim().is_empty() {
            continue;
        }
        match registry.complete_authorization(name, line.trim(), None).await {
            Ok(authorized) => return Ok(authorized),
            Err(error) if is_stranger(&error) && world.is_interactive => {
                world.terminal.say(&format!("this is not it: {}", Complaint::from(error).causes.join("; ")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Complaint::new(Exit::Failed, "stdin ended before an address was pasted")
        .help(format!("flowrun integrations authorize {} --paste", super::shown::quoted(name))))
}

/// Whether the callback has nothing to do with this authorization, which therefore goes on waiting.
fn is_stranger(error: &AuthorizeError) -> bool {
    let AuthorizeError::Callback { source, .. } = error else { return false };
    let is_an_end = matches!(
        source,
        CallbackError::Denied { .. } | CallbackError::Provider { .. } | CallbackError::Expired
    );
    !is_an_end
}

fn all_set(world: &World, authorized: &Authorized) -> Result<Exit, Complaint> {
    written(world.terminal.data(ALL_SET))?;
    if !authorized.missing_scopes.is_empty() {
        let missing = authorized.missing_scopes.join(", ");
        world.terminal.say(&format!("the provider did not grant: {missing}"));
    }
    Ok(Exit::Done)
}

fn out_of_time(name: &IntegrationName, limit: Duration) -> Complaint {
    Complaint::new(Exit::TimedOut, format!("nobody authorised `{name}` within {limit:?}"))
        .help(format!("flowrun integrations authorize {}", super::shown::quoted(name)))
}
