//! Where a token may go (N4): rules that are fixed when an integration is made, and kept as text.

use std::fmt;

use flowrun_oauth::{Preset, Provider};
use psl::{Psl, Type};
use serde::{Deserialize, Serialize};
use url::{Host, Position, Url};

/// `api.example.com`, `.example.com` for every host below it, or a host with a port.
///
/// Without a port it means 443. Only https is covered, but for a host of this machine that is listed with its port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct HostRule {
    /// Lower case, A-labels, no trailing dot; brackets around an IPv6 address.
    host: String,
    port: Option<u16>,
    is_suffix: bool,
}

/// A text that is no host rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no host")]
pub(crate) struct NotAHost;

impl HostRule {
    /// Reads a rule as a person types it.
    pub(crate) fn parse(text: &str) -> Result<Self, NotAHost> {
        let text = text.trim();
        let is_suffix = text.starts_with('.');
        let host = text.strip_prefix('.').unwrap_or(text);
        if host.chars().any(|c| matches!(c, '/' | '\\' | '@' | '?' | '#' | '%') || c.is_whitespace()) {
            return Err(NotAHost);
        }
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| NotAHost)?;
        let name = url.host_str().ok_or(NotAHost)?.trim_end_matches('.').to_owned();
        if name.is_empty() || (is_suffix && !may_be_suffix(&url, &name)) {
            return Err(NotAHost);
        }
        // The URL forgets a port that is https's own; for a host of this machine it must be kept.
        let port = url.port().or_else(|| host.ends_with(":443").then_some(443));
        Ok(Self { host: name, port, is_suffix })
    }

    /// Whether a token may be sent to this URL.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let is_host = if self.is_suffix {
            host.strip_suffix(&self.host).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        } else {
            host == self.host
        };
        // User information would go along as a second credential, and is there to mislead.
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_port = url.port_or_known_default() == Some(self.port.unwrap_or(443));
        let is_scheme = match url.scheme() {
            "https" => true,
            "http" => self.port.is_some() && !self.is_suffix && is_loopback(url),
            _ => false,
        };
        is_host && is_plain && is_port && is_scheme
    }
}

/// The rules a provider begins with.
pub(crate) fn default_rules(provider: &Provider) -> Vec<HostRule> {
    let token_url = provider.token_url();
    let stated = match &provider.settings().allowed_hosts {
        stated if !stated.is_empty() => Some(stated.clone()),
        _ => token_url.host_str().and_then(Preset::hosts_of_token_host),
    };
    match stated {
        Some(hosts) => hosts.iter().filter_map(|host| HostRule::parse(host).ok()).collect(),
        None => derived(token_url),
    }
}

/// The registrable domain by the full public-suffix list; the exact token host where the ICANN part alone would say
/// otherwise, or where there is none.
fn derived(token_url: &Url) -> Vec<HostRule> {
    let host = token_url.host_str().unwrap_or_default().to_owned();
    let exact = HostRule { host: host.clone(), port: port_to_list(token_url), is_suffix: false };
    let registrable = match token_url.host() {
        Some(Host::Domain(name)) => psl::List
            .domain(name.as_bytes())
            .filter(|domain| domain.suffix().typ() == Some(Type::Icann))
            .and_then(|domain| String::from_utf8(domain.as_bytes().to_vec()).ok()),
        _ => None,
    };
    let Some(domain) = registrable else { return vec![exact] };
    let rule = |is_suffix| HostRule { host: domain.clone(), port: None, is_suffix };
    let mut rules = vec![rule(false), rule(true)];
    if exact.port.is_some() {
        rules.push(exact);
    }
    rules
}

fn port_to_list(url: &Url) -> Option<u16> {
    if is_loopback(url) { url.port_or_known_default() } else { url.port() }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A name of two labels or more that is not a suffix under which anybody registers, such as `co.uk`.
fn may_be_suffix(url: &Url, name: &str) -> bool {
    let is_name = matches!(url.host(), Some(Host::Domain(_))) && name.contains('.');
    let suffix = psl::List.suffix(name.as_bytes());
    is_name && !suffix.is_some_and(|suffix| suffix == name && suffix.typ() == Some(Type::Icann))
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.is_suffix { "." } else { "" };
        match self.port {
            Some(port) => write!(f, "{dot}{}:{port}", self.host),
            None => write!(f, "{dot}{}", self.host),
        }
    }
}

impl TryFrom<String> for HostRule {
    type Error = NotAHost;

    fn try_from(text: String) -> Result<Self, NotAHost> {
        Self::parse(&text)
    }
}

impl From<HostRule> for String {
    fn from(rule: HostRule) -> Self {
        rule.to_string()
    }
}

/// The text of a URL's authority, which is what a refusal shows (OA-62).
pub(crate) fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}
