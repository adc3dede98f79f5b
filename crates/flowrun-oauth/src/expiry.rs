//! When a token is too old: before its end by a margin (OA-46), and afterwards by a provider's signs (OA-48).

use std::time::Duration;

use serde_json::Value;

use crate::{provider::Provider, settings::ExpirySign};

/// The margin of a provider that states none.
const USUAL_MARGIN: Duration = Duration::from_secs(60);

/// The largest part of a lifetime that is given up: short tokens must not be refreshed for each call (OA-46).
const LARGEST_SHARE: f64 = 0.15;

/// How long before its end a token of this `lifetime` is refreshed (OA-46).
#[must_use]
pub fn margin(lifetime: Duration, provider: &Provider) -> Duration {
    let wanted = provider.settings().refresh_margin.map_or(USUAL_MARGIN, Duration::from_secs);
    wanted.min(lifetime.mul_f64(LARGEST_SHARE))
}

/// Whether a reply to a request that carried the token means that the token has expired (OA-48).
///
/// Status 401 always does; the provider's own signs add to it and never take it away.
#[must_use]
pub fn is_expired_sign(signs: &[ExpirySign], status: u16, body: &[u8]) -> bool {
    status == 401 || signs.iter().filter(|sign| sign.status == status).any(|sign| is_seen(sign, body))
}

fn is_seen(sign: &ExpirySign, body: &[u8]) -> bool {
    let Some(path) = &sign.path else { return true };
    let Ok(reply) = serde_json::from_slice::<Value>(body) else { return false };
    match reply.pointer(path) {
        None | Some(Value::Null) => false,
        Some(_) if sign.one_of.is_empty() => true,
        Some(Value::String(text)) => sign.one_of.contains(text),
        Some(other) => sign.one_of.contains(&other.to_string()),
    }
}
