//! Where a flow's calls go, as far as it is written out, and whether an integration's token may go there (N4).
//!
//! The registry judges again, and last, when a token is about to be sent; here the author is told before anything is.

use url::Url;

use crate::code::Code;
use crate::compile::Compiler;
use crate::node::Node;
use crate::permissions::{Target, Visit};

impl Compiler<'_, '_, '_> {
    /// Notes where a call goes, and judges it.
    pub(crate) fn reaches(&mut self, node: &Node, settings: &Node, path: &str) {
        let Some(target) = node.text().and_then(target) else { return };
        let integration = settings.get("integration").and_then(Node::text);
        if let (Target::Host(origin), Some(name)) = (&target, integration) {
            self.judge_host(origin, name, node, path);
        }
        let redirects = settings.get("redirects").and_then(Node::text);
        self.visits.push(Visit {
            target,
            integration: integration.map(str::to_owned),
            // Beneath a credential no redirect leaves its origin.
            may_be_redirected: integration.is_none() && redirects != Some("0"),
            step: self.owner.map_or_else(String::new, |owner| self.steps[owner].path.clone()),
        });
    }

    fn judge_host(&mut self, origin: &str, name: &str, node: &Node, path: &str) {
        let Ok(parsed) = flowrun_step::IntegrationName::new(name) else { return };
        let (Some(status), Ok(url)) = (self.catalog.integration(&parsed), Url::parse(origin)) else { return };
        let host = url.host_str().unwrap_or_default();
        if let Some(home) = status.api_domain.as_deref().filter(|home| is_elsewhere(&url, home)) {
            let message = format!("{host} is another data centre than that of integration `{name}`");
            let cause = format!("its authorization says that its API is at {home}");
            let problem = self.problems.error(Code::OtherDataCentre, (path, node.bytes.clone()), message);
            problem.causes.push(cause);
            problem.set_help(format!("write {{{{integrations.{name}.api_domain}}}} instead of {origin}"));
        } else if !status.hosts.is_empty() && !status.hosts.iter().any(|rule| covers(rule, &url)) {
            let message = format!("the token of integration `{name}` may not be sent to {host}");
            let cause = format!("it may go to {}", status.hosts.join(", "));
            let help = format!("write one of these hosts, or: flowrun integrations allow {name} {host}");
            let problem = self.problems.error(Code::HostNotAllowed, (path, node.bytes.clone()), message);
            problem.causes.push(cause);
            problem.set_help(help);
        }
    }
}

/// Where a URL as written goes; nothing where it is none, which others say.
fn target(text: &str) -> Option<Target> {
    if let Some(inner) = text.trim_start().strip_prefix("{{") {
        let name = inner.trim_start_matches('{').split("}}").next().unwrap_or_default().trim();
        return Some(match name.strip_prefix("integrations.").and_then(|kept| kept.split_once('.')) {
            Some((integration, field)) => {
                Target::Kept { integration: integration.to_owned(), field: field.to_owned() }
            }
            None => Target::Decided { by: name.to_owned() },
        });
    }
    let rest = text.split_once("://")?.1;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let origin = &text[..text.len() - rest.len() + end];
    // A template in the host is an error of its own.
    let url = Url::parse(origin).ok().filter(|_| !origin.contains("{{"))?;
    url.has_host().then(|| Target::Host(url.origin().ascii_serialization()))
}

/// A rule as the registry writes it: `api.example.com`, `.example.com`, `127.0.0.1:8080`.
fn covers(rule: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_port = |name: &str, port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && (name.ends_with(']') || !name.contains(':'))
    };
    let (name, port) = match rule.rsplit_once(':').filter(|(name, port)| is_port(name, port)) {
        Some((name, port)) => (name, port.parse().ok()),
        None => (rule, None),
    };
    let is_host = match name.strip_prefix('.') {
        Some(domain) => {
            host.strip_suffix(domain).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        }
        None => host == name,
    };
    is_host && url.port_or_known_default() == Some(port.unwrap_or(443))
}

/// Whether a host is the same service in another place: alike from the left, and then another country's or company's end
/// (`www.zohoapis.com` and `www.zohoapis.eu`).
fn is_elsewhere(url: &Url, home: &str) -> bool {
    let Ok(home) = Url::parse(home) else { return false };
    let labels = |url: &Url| -> Vec<String> {
        url.host_str().unwrap_or_default().split('.').map(str::to_owned).collect()
    };
    let (here, home) = (labels(url), labels(&home));
    let alike = here.iter().zip(&home).take_while(|(a, b)| a == b).count();
    let alike = alike.min(here.len() - 1).min(home.len() - 1);
    here != home && alike >= 2 && is_end(&here[alike..]) && is_end(&home[alike..])
}

/// The end of a name beneath which companies register: `eu`, `com.au`.
fn is_end(labels: &[String]) -> bool {
    let is_word = |label: &String| label.bytes().all(|byte| byte.is_ascii_alphabetic());
    match labels {
        [top] => is_word(top),
        [second, country] => is_word(second) && second.len() <= 3 && is_word(country) && country.len() == 2,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_rule_covers_what_the_registry_would_let_it_cover_n4() {
        for (rule, address, is_covered) in [
            ("api.example.com", "https://api.example.com", true),
            ("api.example.com", "https://API.example.com:443", true),
            ("api.example.com", "https://api.example.com:8443", false),
            ("api.example.com", "http://api.example.com", false),
            ("api.example.com", "https://api.example.com.evil.test", false),
            (".example.com", "https://a.b.example.com", true),
            (".example.com", "https://example.com", false),
            (".example.com", "https://evilexample.com", false),
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8081", false),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("[::1]", "https://[::1]", true),
        ] {
            assert_eq!(covers(rule, &url(address)), is_covered, "{rule} {address}");
        }
    }

    #[test]
    fn the_same_service_in_another_place_is_told_from_another_service() {
        for (address, home, is_other) in [
            ("https://www.zohoapis.com", "https://www.zohoapis.eu", true),
            ("https://www.zohoapis.com.au", "https://www.zohoapis.eu", true),
            ("https://www.zohoapis.com", "https://www.zohoapis.com.cn", true),
            ("https://www.zohoapis.eu", "https://www.zohoapis.eu", false),
            ("https://mail.zoho.eu", "https://www.zohoapis.eu", false),
            ("https://api.example.com", "https://www.zohoapis.eu", false),
            ("https://api.eu.example.com", "https://api.eu.sample.org", false),
            ("https://10.0.0.1", "https://10.0.0.2", false),
        ] {
            assert_eq!(is_elsewhere(&url(address), home), is_other, "{address} {home}");
        }
    }

    #[test]
    fn a_host_is_known_where_it_is_written_out() {
        let host = |origin: &str| Some(Target::Host(origin.to_owned()));
        assert_eq!(target("https://API.example.com/a/{{id}}"), host("https://api.example.com"));
        assert_eq!(target("http://127.0.0.1:8080?x"), host("http://127.0.0.1:8080"));
        assert_eq!(target("https://{{x}}.example.com/"), None);
        assert_eq!(target("{{ base }}/contacts"), Some(Target::Decided { by: "base".to_owned() }));
        let kept = Target::Kept { integration: "zoho".to_owned(), field: "api_domain".to_owned() };
        assert_eq!(target("{{integrations.zoho.api_domain}}/crm"), Some(kept));
    }
}
