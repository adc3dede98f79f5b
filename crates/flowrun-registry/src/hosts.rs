//! Where a token may go (N4): rules that are fixed when an integration is made, and kept as text.

use std::fmt;

use flowrun_oauth::{Preset, Provider, is_loopback};
use psl::{Psl, Type};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

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

/// The host of a URL as a rule would have it, which is all that a refusal shows (OA-62).
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    port_to_list(url).map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use flowrun_oauth::Settings;

    use super::*;

    fn rules(token_url: &str) -> Vec<HostRule> {
        default_rules(&Provider::new(Settings::client_credentials(token_url)).unwrap())
    }

    /// Where a token from this token URL may go and where not.
    fn check(token_url: &str, covered: &[&str], refused: &[&str]) {
        let rules = rules(token_url);
        let covers = |url: &str| rules.iter().any(|rule| rule.covers(&Url::parse(url).unwrap()));
        for url in covered {
            assert!(covers(url), "{url} is not covered by {rules:?}");
        }
        for url in refused {
            assert!(!covers(url), "{url} is covered by {rules:?}");
        }
    }

    #[test]
    fn token_host_table_t10_oa_59() {
        check(
            "https://accounts.zoho.eu/oauth/v2/token",
            &["https://www.zohoapis.eu/crm", "https://WWW.ZOHOAPIS.EU/", "https://www.zohoapis.ca:443/"],
            &[
                "https://api.zoho.eu.evil.test/",
                "https://evil-zohoapis.eu/",
                "https://www.zohoapis.eu.evil.test/",
                "https://zohoapis.eu/",
                "https://www.zohoapis.eu./",
                "https://www.zohoapis.eu:8443/",
                "http://www.zohoapis.eu/",
                "https://www.zohoapis.eu@evil.test/",
                "https://user@www.zohoapis.eu/",
                "https://:word@www.zohoapis.eu/",
                "https://evil.test/www.zohoapis.eu",
                "https://xn--zhoapis-hdb.eu/",
                "ftp://www.zohoapis.eu/",
                "https://203.0.113.7/",
                "https://[2001:db8::7]/",
            ],
        );
        check(
            "https://login.acme.co.uk/token",
            &["https://acme.co.uk/", "https://api.acme.co.uk/", "https://a.b.acme.co.uk/"],
            &[
                "https://co.uk/",
                "https://evil.co.uk/",
                "https://evilacme.co.uk/",
                "https://acme.co.uk.evil.test/",
            ],
        );
    }

    #[test]
    fn a_domain_under_which_strangers_register_covers_only_the_token_host_n4() {
        for host in ["shop.myshopify.com", "acme.github.io", "me.blogspot.com", "acme.s3.amazonaws.com"] {
            let evil = format!("https://evil.{host}/");
            let beside = format!("https://evil.{}/", host.split_once('.').unwrap().1);
            check(&format!("https://{host}/token"), &[&format!("https://{host}/")], &[&evil, &beside]);
        }
        // No public suffix at all, and no name at all.
        check(
            "https://idp.corp.internal/token",
            &["https://idp.corp.internal/"],
            &["https://api.corp.internal/"],
        );
        check("https://203.0.113.7/token", &["https://203.0.113.7/"], &["https://203.0.113.8/"]);
    }

    #[test]
    fn a_host_of_this_machine_is_covered_with_its_port_only_n4() {
        check(
            "http://127.0.0.1:4455/token",
            &["http://127.0.0.1:4455/api", "https://127.0.0.1:4455/"],
            &["http://127.0.0.1/", "http://127.0.0.1:4456/", "http://localhost:4455/", "http://[::1]:4455/"],
        );
        check(
            "http://localhost/token",
            &["http://localhost/"],
            &["http://localhost:81/", "https://localhost/"],
        );
        check("http://[::1]:80/token", &["http://[::1]/"], &["http://[::1]:8080/", "http://127.0.0.1/"]);
    }

    #[test]
    fn an_unusual_port_is_the_token_hosts_alone_n4() {
        check(
            "https://id.example.com:8443/token",
            &["https://id.example.com:8443/", "https://api.example.com/"],
            &["https://api.example.com:8443/"],
        );
    }

    #[test]
    fn a_presets_token_host_brings_its_hosts_even_if_typed_by_hand_n4() {
        let hosts: Vec<_> = rules("https://focus.teamleader.eu/oauth2/access_token")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(hosts, ["api.focus.teamleader.eu", "api.teamleader.eu"]);
    }

    #[test]
    fn rules_are_kept_as_text_and_read_back_the_same_n4() {
        for (typed, kept) in [
            ("API.Example.com.", "api.example.com"),
            (".Example.com", ".example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("127.0.0.1:443", "127.0.0.1:443"),
            ("[0:0::1]:80", "[::1]:80"),
        ] {
            let rule = HostRule::parse(typed).unwrap();
            assert_eq!(rule.to_string(), kept);
            assert_eq!(HostRule::parse(kept).unwrap(), rule);
        }
    }
}
