//! When a token is too old: before its end by a margin (OA-46), and afterwards by a provider's signs (OA-48).

use std::time::Duration;

use crate::provider::Provider;

/// How long before its end a token of this `lifetime` is refreshed (OA-46).
#[must_use]
pub fn margin(lifetime: Duration, provider: &Provider) -> Duration {
    let wanted = provider.settings().refresh_margin.map_or(Duration::from_secs(60), Duration::from_secs);
    wanted.min(lifetime.mul_f64(0.15))
}

/// Whether a reply to a request that carried the token means that the token has expired (OA-48).
#[must_use]
pub fn is_expired_sign(_provider: &Provider, status: u16, _body: &[u8]) -> bool {
    status == 401
}
