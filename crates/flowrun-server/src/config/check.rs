//! The rules of the file that no type says: addresses, durations, names, and who may be listened to (R16).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use flowrun::engine::journal::History;
use flowrun::template::duration;
use ipnet::IpNet;
use toml::Spanned;
use url::{Host, Url};

use super::wrong::Source;
use super::{BadConfig, Channel, Config, Flows, Network, Over, Retention, Said, Server, Webhooks, file};

/// The port of a server that is told none.
const PORT: u16 = 7373;
const DRAIN: Duration = Duration::from_secs(30);
const RUNS: Duration = Duration::from_secs(7 * 86_400);

/// The configuration, if every rule holds.
pub(super) fn check(source: &Source<'_>, read: file::File, over: &Over) -> Result<Config, BadConfig> {
    let channel = |(name, channel): (Spanned<String>, file::Channel)| {
        is_name(source, &name, "a channel's name")?;
        Ok((name.into_inner(), self::channel(source, channel)?))
    };
    Ok(Config {
        server: server(source, read.server, over)?,
        flows: Flows {
            folder: read.flows.folder.unwrap_or_else(|| "flows".into()),
            managed_by: read.flows.managed_by,
        },
        retention: Retention {
            runs: time(source, read.retention.runs.as_ref(), RUNS)?,
            history: read.retention.history.unwrap_or(History::Full),
        },
        network: Network {
            allow: read
                .network
                .allow
                .into_iter()
                .map(|entry| way(source, entry))
                .collect::<Result<_, _>>()?,
        },
        channels: read.channels.into_iter().map(channel).collect::<Result<_, BadConfig>>()?,
        webhooks: Webhooks { open: read.webhooks.open },
    })
}

fn server(source: &Source<'_>, read: file::Server, over: &Over) -> Result<Server, BadConfig> {
    let (said, listened) = (over.public_url.as_ref(), over.listen.as_ref());
    let public_url = match said.map(Said::source) {
        Some((source, url)) => Some(public(&source, &url)?),
        None => read.public_url.as_ref().map(|url| public(source, url)).transpose()?,
    };
    let listen = match (listened.map(Said::source), &read.listen) {
        (Some((source, listen)), _) => address(&source, &listen, public_url.is_some())?,
        (None, Some(listen)) => address(source, listen, public_url.is_some())?,
        (None, None) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
    };
    Ok(Server {
        listen,
        public_url,
        trusted_proxies: read
            .trusted_proxies
            .iter()
            .map(|net| proxy(source, net))
            .collect::<Result<_, _>>()?,
        data_dir: read.data_dir.unwrap_or_else(|| "data".into()),
        key_file: read.key_file,
        drain: time(source, read.drain.as_ref(), DRAIN)?,
    })
}

fn address(source: &Source<'_>, listen: &Spanned<String>, is_public: bool) -> Result<SocketAddr, BadConfig> {
    let address: SocketAddr = listen.get_ref().parse().map_err(|_| {
        source.wrong(listen.span(), "this is not an address to listen at", "write it as 127.0.0.1:7373")
    })?;
    if address.ip().is_loopback() || is_public {
        return Ok(address);
    }
    let message = "this address can be reached from other machines, and nothing says by which name";
    let help = "say how the world reaches it, `public_url = \"https://…\"`, or listen at 127.0.0.1";
    Err(source.wrong(listen.span(), message, help))
}

fn public(source: &Source<'_>, url: &Spanned<String>) -> Result<Url, BadConfig> {
    let help = "write it as https://flows.example.com; TLS is the proxy's";
    let wrong = |message: &str| source.wrong(url.span(), message, help);
    let read = secured(url).ok_or_else(|| wrong("this is not a URL with https"))?;
    let is_bare = read.path() == "/" && read.query().is_none() && read.fragment().is_none();
    let is_nobodys = read.username().is_empty() && read.password().is_none();
    if is_bare && is_nobodys { Ok(read) } else { Err(wrong("a public URL is a host and nothing more")) }
}

/// A URL whose bytes nobody on the way reads: over TLS, or not leaving this machine.
fn secured(url: &Spanned<String>) -> Option<Url> {
    let url = Url::parse(url.get_ref()).ok()?;
    let is_here = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    (url.scheme() == "https" || url.scheme() == "http" && is_here).then_some(url)
}

fn proxy(source: &Source<'_>, net: &Spanned<String>) -> Result<IpNet, BadConfig> {
    let text = net.get_ref();
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        source.wrong(
            net.span(),
            "this is neither a network nor an address",
            "write it as 10.0.0.0/8 or 10.0.0.7",
        )
    })
}

fn way(source: &Source<'_>, entry: Spanned<String>) -> Result<String, BadConfig> {
    let is_way = entry.get_ref().rsplit_once(':').is_some_and(|(host, port)| {
        Host::parse(host).is_ok() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if is_way {
        return Ok(entry.into_inner());
    }
    Err(source.wrong(entry.span(), "this is not a host with its port", "write it as crm.internal:8443"))
}

fn channel(source: &Source<'_>, channel: file::Channel) -> Result<Channel, BadConfig> {
    let url = secured(&channel.url).ok_or_else(|| {
        source.wrong(
            channel.url.span(),
            "this is not a URL with https",
            "write it as https://chat.example.com/in",
        )
    })?;
    is_name(source, &channel.secret, "the name of a secret").map_err(|mut wrong| {
        // Whoever pastes a value here should not find it in a log.
        wrong.place.excerpt.clear();
        wrong
    })?;
    Ok(Channel { url, secret: channel.secret.into_inner() })
}

fn is_name(source: &Source<'_>, name: &Spanned<String>, what: &str) -> Result<(), BadConfig> {
    let text = name.get_ref();
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !text.is_empty() && text.len() <= 64 && text.chars().all(is_legal) {
        return Ok(());
    }
    Err(source.wrong(name.span(), format!("this is not {what}"), "write 1 to 64 letters, digits, `_` or `-`"))
}

fn time(
    source: &Source<'_>,
    text: Option<&Spanned<String>>,
    unsaid: Duration,
) -> Result<Duration, BadConfig> {
    let Some(text) = text else { return Ok(unsaid) };
    duration::parse(text.get_ref())
        .map_err(|error| source.wrong(text.span(), error.message, error.help.unwrap_or_default()))
}
