//! The plain way out: one exchange, guarded, bounded, classified.
//!
//! Redirects are followed here and not by the HTTP library, because every hop is judged again: its
//! address, its origin, its credential. Nothing of a URL but its host is ever shown.

mod builder;
mod exchange;
mod fault;
mod hop;
mod line;
mod pace;
mod vet;

use flowrun_step::{BoxFuture, Outbound, Reply, Request, StepError};

pub use builder::{BadCertificate, ClientBuilder};

use crate::policy::NetworkPolicy;
use line::Lines;
use pace::Paces;

/// The plain way out. Cloning shares its connections, and what it has learnt of the rate limits of services.
///
/// Building one opens nothing: certificates are loaded by the first request that needs them.
///
/// # Example
/// ```
/// use flowrun_http::{Client, NetworkPolicy};
/// let client = Client::builder().policy(NetworkPolicy::cli()).build();
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    policy: NetworkPolicy,
    lines: Lines,
    paces: Paces,
}

impl Client {
    /// Begins a client that calls public addresses only.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl Outbound for Client {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        Box::pin(self.exchange(request))
    }
}
