//! Names become addresses here, and only permitted addresses come out (N7).
//!
//! The HTTP client dials exactly what it gets from [`Guarded`], so there is no second look-up that
//! could answer differently (rebinding). Pinned names stand for a listener of this house (N10): they
//! are not judged, and any other name is refused.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use flowrun_step::{BoxError, BoxFuture};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::policy::Reach;

/// Turns a host name into addresses; the policy judges each of them afterwards.
pub trait Resolver: Send + Sync + 'static {
    /// Looks the name up.
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, BoxError>>;
}

/// Where addresses come from.
#[derive(Clone)]
pub(crate) enum Names {
    /// The operating system, or an embedder's own way.
    Looked(Arc<dyn Resolver>),
    /// This table and nothing else.
    Pinned(Arc<HashMap<String, SocketAddr>>),
}

impl Names {
    /// A table of names; they are compared without case and final dot.
    pub(crate) fn pinned(names: impl Iterator<Item = (String, SocketAddr)>) -> Self {
        Self::Pinned(Arc::new(names.map(|(name, address)| (normal(&name), address)).collect()))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Looked(_) => f.write_str("Looked"),
            Self::Pinned(names) => f.debug_tuple("Pinned").field(names).finish(),
        }
    }
}

/// The operating system's resolver.
pub(crate) struct System;

impl Resolver for System {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, BoxError>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A host whose addresses may not be dialled. It travels through the HTTP client as a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Forbidden {
    /// All addresses of the name are out of reach.
    #[error("the address is not one this house may call")]
    Address,
    /// The name is not in the table of pinned names.
    #[error("the name is not one of the sandbox's")]
    Name,
}

/// A resolver that gives what a reach permits.
pub(crate) struct Guarded {
    pub(crate) names: Names,
    pub(crate) reach: Reach,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        match &self.names {
            Names::Pinned(names) => {
                let found = names.get(&normal(name.as_str())).copied().ok_or(Forbidden::Name);
                Box::pin(async move { Ok(Box::new(std::iter::once(found?)) as Addrs) })
            }
            Names::Looked(resolver) => {
                let (found, reach) = (resolver.resolve(name.as_str()), self.reach.clone());
                Box::pin(async move { permitted(found.await?, &reach) })
            }
        }
    }
}

fn permitted(found: Vec<IpAddr>, reach: &Reach) -> Result<Addrs, BoxError> {
    let permitted: Vec<_> = found.iter().filter(|address| reach.permits(**address)).copied().collect();
    if permitted.is_empty() && !found.is_empty() {
        return Err(Forbidden::Address.into());
    }
    // Port 0 is replaced by the URL's own.
    Ok(Box::new(permitted.into_iter().map(|address| SocketAddr::new(address, 0))))
}

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
