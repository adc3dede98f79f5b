//! The connections a client holds, kept apart by what they may reach.
//!
//! A pooled connection was judged when it was made. So hops with different reaches never share a
//! pool: what a private hop opened, a hop from a public address must not find.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flowrun_step::{BoxError, StepError};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::policy::Reach;
use crate::resolve::{Guarded, Names};

/// Longer than any healthy handshake; a host that does not answer by then is reported as not connected, so nothing was sent.
const CONNECT: Duration = Duration::from_secs(10);

/// Said to services that ask who calls.
const AGENT: &str = concat!("flowrun/", env!("CARGO_PKG_VERSION"));

/// Whom we trust to vouch for a host.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// Whom the operating system trusts; loading that takes milliseconds.
    Platform,
    /// These alone.
    Only(Arc<RootCertStore>),
}

impl Trust {
    /// Trust in one authority.
    ///
    /// # Errors
    /// When the certificate is none.
    pub(crate) fn authority(certificate: CertificateDer<'_>) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.into_owned())?;
        Ok(Self::Only(Arc::new(roots)))
    }
}

/// What sets a pool of connections apart: whether it speaks TLS, and what it may reach.
type Key = (bool, Reach);

/// The pools of a client, each made when it is first needed.
#[derive(Clone)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
}

struct Shared {
    names: Names,
    trust: Trust,
    secure: Mutex<Option<ClientConfig>>,
    pools: Mutex<HashMap<Key, reqwest::Client>>,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("names", &self.shared.names).finish_non_exhaustive()
    }
}

impl Lines {
    pub(crate) fn new(names: Names, trust: Trust) -> Self {
        let shared = Shared { names, trust, secure: Mutex::default(), pools: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Whether only the names of a table may be called.
    pub(crate) fn are_pinned(&self) -> bool {
        matches!(self.shared.names, Names::Pinned(_))
    }

    /// The connections for that scheme and reach.
    ///
    /// # Errors
    /// `Refused` when the operating system has no certificate authorities to trust.
    pub(crate) fn pool(&self, is_secure: bool, reach: &Reach) -> Result<reqwest::Client, StepError> {
        let mut pools = self.shared.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (is_secure, reach.clone());
        if let Some(pool) = pools.get(&key) {
            return Ok(pool.clone());
        }
        let pool = self.open(is_secure, reach).map_err(|error| no_authority(&error))?;
        pools.insert(key, pool.clone());
        Ok(pool)
    }

    fn open(&self, is_secure: bool, reach: &Reach) -> Result<reqwest::Client, BoxError> {
        let guarded = Guarded { names: self.shared.names.clone(), reach: reach.clone() };
        let tls = if is_secure { self.secure()? } else { insecure()? };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(guarded)
            .user_agent(AGENT)
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .gzip(true);
        Ok(client.build()?)
    }

    fn secure(&self) -> Result<ClientConfig, BoxError> {
        let mut secure = self.shared.secure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*secure {
            Some(made) => Ok(made.clone()),
            None => Ok(secure.insert(secured(&self.shared.trust)?).clone()),
        }
    }
}

/// Cryptography is named here and not installed for the whole process: a library must not.
fn cryptography() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn secured(trust: &Trust) -> Result<ClientConfig, BoxError> {
    let builder =
        ClientConfig::builder_with_provider(cryptography()).with_safe_default_protocol_versions()?;
    let mut config = match trust {
        Trust::Only(roots) => builder.with_root_certificates(Arc::clone(roots)).with_no_client_auth(),
        Trust::Platform => {
            let verifier = rustls_platform_verifier::Verifier::new(cryptography())?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// For plain HTTP: trusts nobody, so that a mistake could never pass for a secure connection.
fn insecure() -> Result<ClientConfig, BoxError> {
    let builder =
        ClientConfig::builder_with_provider(cryptography()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn no_authority(error: &BoxError) -> StepError {
    StepError::Refused {
        reason: format!("this machine's certificate authorities cannot be loaded: {error}"),
        help: "install the operating system's package `ca-certificates`".to_owned(),
    }
}
