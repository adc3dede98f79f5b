//! How a client is made.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::client::Client;
use crate::client::line::{Lines, Trust};
use crate::client::pace::Paces;
use crate::policy::NetworkPolicy;
use crate::resolve::{Names, Resolver, System};

/// Makes a [`Client`].
///
/// # Example
/// ```
/// use flowrun_http::{Client, NetworkPolicy};
/// use std::net::SocketAddr;
///
/// let listener: SocketAddr = "127.0.0.1:41873".parse()?;
/// let client = Client::builder()
///     .policy(NetworkPolicy::public_only())
///     .names([("api.teamleader.eu", listener)]) // this name alone, answered by our own listener
///     .build();
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct ClientBuilder {
    policy: NetworkPolicy,
    names: Names,
    trust: Trust,
}

/// A text that holds no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("this is no certificate in PEM form")]
pub struct BadCertificate;

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            policy: NetworkPolicy::default(),
            names: Names::Looked(Arc::new(System)),
            trust: Trust::Platform,
        }
    }
}

impl ClientBuilder {
    /// Says which addresses may be called; public ones alone unless said.
    #[must_use]
    pub fn policy(mut self, policy: NetworkPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Looks names up in another way than the operating system's; the policy still judges the answers.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.names = Names::Looked(Arc::new(resolver));
        self
    }

    /// Calls these names, at these addresses, and refuses every other host (N10).
    #[must_use]
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = (N, SocketAddr)>) -> Self {
        self.names = Names::pinned(names.into_iter().map(|(name, address)| (name.into(), address)));
        self
    }

    /// Trusts this certificate authority alone, in place of the operating system's.
    ///
    /// # Errors
    /// When the text is no certificate in PEM form.
    pub fn trust_ca(mut self, pem: &str) -> Result<Self, BadCertificate> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| BadCertificate)?;
        self.trust = Trust::authority(certificate).map_err(|_| BadCertificate)?;
        Ok(self)
    }

    /// The client. It opens nothing and cannot fail.
    #[must_use]
    pub fn build(self) -> Client {
        Client { policy: self.policy, lines: Lines::new(self.names, self.trust), paces: Paces::default() }
    }
}
