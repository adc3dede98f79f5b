//! What a sandbox is started with: where it gets time and randomness from, and how long tokens live.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the sandbox the time; a test hands in one it can move.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Fills a buffer with randomness; codes, tokens and secrets are made of it.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What a sandbox is started with.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// let options = flowrun_sandbox::Options::new(
///     Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
///     Arc::new(|bytes: &mut [u8]| bytes.fill(7)),
/// )
/// .access_tokens_live(Duration::from_secs(2));
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) access_lifetime: Option<Duration>,
}

impl Options {
    /// Providers' own lifetimes, with this clock and this source of randomness.
    #[must_use]
    pub fn new(clock: Clock, entropy: Entropy) -> Self {
        Self { clock, entropy, access_lifetime: None }
    }

    /// Lets access tokens that expire live this long instead of the provider's hour.
    ///
    /// Intercom's tokens never expire and stay so.
    #[must_use]
    pub fn access_tokens_live(mut self, lifetime: Duration) -> Self {
        self.access_lifetime = Some(lifetime);
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("access_lifetime", &self.access_lifetime).finish_non_exhaustive()
    }
}
