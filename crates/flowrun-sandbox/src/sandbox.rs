//! The sandbox itself: started, asked, stopped.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::authority::Authority;
use crate::browser::Browser;
use crate::hosts::HOSTS;
use crate::server::Server;
use crate::world::World;
use crate::{Answer, Client, ConsentError, Logged, Options, ProviderName, Stats};

/// Four providers on one loopback listener.
///
/// It answers until [`Sandbox::stop`] is called or it is dropped.
pub struct Sandbox {
    browser: Browser,
    world: Arc<Mutex<World>>,
    authority: Authority,
    ca_pem: String,
    listener: JoinHandle<()>,
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
    /// When no port can be listened on, or the certificates cannot be made: see [`StartError`].
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let authority = Authority::new()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Listen)?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let world = Arc::new(Mutex::new(World::new(&options)));
        let tls = TlsAcceptor::from(Arc::clone(&authority.server));
        let server = Server { tls, world: Arc::clone(&world), clock: options.clock };
        Ok(Self {
            browser: Browser { address, tls: Arc::clone(&authority.client) },
            world,
            ca_pem: authority.pem(),
            authority,
            listener: tokio::spawn(server.run(listener)),
        })
    }

    /// Where it listens; every host of [`Sandbox::hosts`] is to be mapped here.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.browser.address
    }

    /// The host names it answers for, and no others.
    #[must_use]
    pub fn hosts(&self) -> &'static [&'static str] {
        &HOSTS
    }

    /// The certificate of its authority, in DER.
    #[must_use]
    pub fn ca_der(&self) -> &[u8] {
        &self.authority.certificate
    }

    /// The certificate of its authority, in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The OAuth client this provider knows, in every data centre or region.
    #[must_use]
    pub fn client(&self, provider: ProviderName) -> Client {
        self.world().desk(provider).client()
    }

    /// What this provider has been asked so far.
    #[must_use]
    pub fn stats(&self, provider: ProviderName) -> Stats {
        self.world().desk(provider).stats
    }

    /// The requests answered so far, the oldest first; only the newest ten thousand are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        self.world().requests()
    }

    /// Opens an authorization URL as a person would, answers the consent page, and returns the callback URL.
    ///
    /// The walk is made over TLS against the listener, with the page's form and cookie; the callback URL
    /// itself is not visited.
    ///
    /// # Errors
    /// When the URL names another host, or the provider shows an error page: see [`ConsentError`].
    pub async fn consent(&self, authorize: &Url, answer: Answer) -> Result<Url, ConsentError> {
        self.browser.consent(authorize, answer).await
    }

    /// Stops listening and closes every connection; returns when that is done.
    pub async fn stop(mut self) {
        self.listener.abort();
        // Aborting is how it ends; there is no other outcome to report.
        drop((&mut self.listener).await);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows where it listens; what it keeps is made of secrets.
impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.browser.address).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
