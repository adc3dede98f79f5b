//! Where the browser comes back: a listener on this machine that serves one path and lives for one authorization.
//!
//! It binds loopback addresses only, takes GETs of its own path, answers 404 to the rest, and bounds what it reads
//! and how many it serves. What an arrival means is for the caller to say; the browser is then sent to a clean
//! address, so that no code stays in its history (OA-16 to OA-18, OA-22, N5).

mod page;
mod serve;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use url::{Host, Url};

use crate::complaint::Complaint;
use crate::exit::Exit;

/// How long the browser may take to fetch the page it is sent to in the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// A callback URL on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loopback {
    /// Every address that its host means.
    addresses: Vec<SocketAddr>,
    path: String,
}

impl Loopback {
    /// The place a callback URL means, if it is plain HTTP on this machine.
    pub(crate) fn of(redirect_uri: &str) -> Option<Self> {
        let url = Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "http")?;
        let port = url.port_or_known_default()?;
        let hosts: Vec<IpAddr> = match url.host()? {
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
            // A browser may take either, and another program must not get the other one (N5).
            Host::Domain("localhost") => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Host::Domain(_) => return None,
        };
        let is_here = hosts.iter().all(IpAddr::is_loopback);
        let addresses = hosts.into_iter().map(|host| SocketAddr::new(host, port)).collect();
        is_here.then(|| Self { addresses, path: url.path().to_owned() })
    }

    /// Tries whether it could be listened at now, and listens no longer than that.
    pub(crate) fn try_bind(&self) -> Result<(), (SocketAddr, std::io::Error)> {
        let bind = |address: &SocketAddr| std::net::TcpListener::bind(address).map(drop);
        self.addresses.iter().try_for_each(|address| bind(address).map_err(|error| (*address, error)))
    }
}

/// What became of an arrival, as the browser is told.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The integration is authorised.
    Authorized,
    /// It has nothing to do with this authorization, which goes on waiting.
    Stranger,
    /// The authorization ended without success.
    Refused,
}

/// A browser that came back and waits for its answer.
#[derive(Debug)]
pub(crate) struct Arrival {
    address: String,
    reply: oneshot::Sender<Verdict>,
}

impl Arrival {
    /// The path and query that the browser brought.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Answers the browser; one that has gone away gets nothing.
    pub(crate) fn answer(self, verdict: Verdict) {
        drop(self.reply.send(verdict));
    }
}

/// Listens for the browser; stops when dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    arrivals: mpsc::Receiver<Arrival>,
    farewell: mpsc::Receiver<()>,
    tasks: JoinSet<()>,
}

impl Listener {
    /// Listens at every address of the place, or at none.
    pub(crate) async fn bind(place: Loopback) -> Result<Self, Complaint> {
        let (arrive, arrivals) = mpsc::channel(1);
        let (part, farewell) = mpsc::channel(1);
        let desk = serve::Desk { path: place.path.into(), arrive, part };
        let mut tasks = JoinSet::new();
        for address in place.addresses {
            let listener = TcpListener::bind(address).await.map_err(|error| taken(address, &error))?;
            tasks.spawn(serve::serve(listener, desk.clone()));
        }
        Ok(Self { arrivals, farewell, tasks })
    }

    /// The next browser at the path.
    pub(crate) async fn next(&mut self) -> Result<Arrival, Complaint> {
        let gone = || Complaint::new(Exit::Failed, "the listener has stopped").help("authorise once more");
        let arrival = self.arrivals.recv().await.ok_or_else(gone)?;
        // Whoever fetched the last page before this browser came was somebody else.
        while self.farewell.try_recv().is_ok() {}
        Ok(arrival)
    }

    /// Lets the browser fetch the page it was sent to, for a moment, and stops.
    pub(crate) async fn close(mut self) {
        // A browser that does not come for it misses the page, nothing else.
        drop(tokio::time::timeout(FAREWELL, self.farewell.recv()).await);
        self.tasks.shutdown().await;
    }
}

fn taken(address: SocketAddr, error: &std::io::Error) -> Complaint {
    Complaint::new(Exit::Failed, format!("cannot listen for the browser at {address}")).because(error).help(
        "stop the program that uses this port, or add --paste; `integrations edit … --port` chooses another",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(redirect_uri: &str, addresses: &[&str]) {
        let found = Loopback::of(redirect_uri).map(|place| place.addresses);
        let expected: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        assert_eq!(found, (!expected.is_empty()).then_some(expected), "{redirect_uri}");
    }

    #[test]
    fn only_this_machine_is_listened_on_oa_16() {
        check("http://127.0.0.1:8437/oauth/callback/x", &["127.0.0.1:8437"]);
        check("http://[::1]:8437/x", &["[::1]:8437"]);
        check("http://0.0.0.0:8437/x", &[]);
        check("http://192.168.1.2:8437/x", &[]);
        check("http://example.com/x", &[]);
        check("https://localhost/x", &[]);
    }

    /// N5: what one family leaves open, another program could take.
    #[test]
    fn localhost_is_listened_on_in_both_families() {
        check("http://localhost:8437/x", &["127.0.0.1:8437", "[::1]:8437"]);
    }
}
