//! Reads an authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
//!
//! Whatever is wrong with one is told on a page and never sent to the redirect URI: the providers played
//! here do the same, and it keeps the sandbox from redirecting to an address it has not accepted.

use url::{Host, Url};

use crate::call::Params;

/// Which redirect URIs a provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedirectRule {
    /// `https` anywhere, `http` to the own machine.
    HttpsOrLoopback,
    /// `https` only, which is Intercom's rule.
    HttpsOnly,
}

/// How a provider reads authorization requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) redirect: RedirectRule,
    /// Whether `response_type=code` must be there; Intercom knows no such parameter.
    pub(crate) wants_response_type: bool,
    /// What stands between scopes.
    pub(crate) separator: char,
    pub(crate) wants_scope: bool,
    /// Whether PKCE is understood; a challenge is ignored otherwise.
    pub(crate) pkce: bool,
}

/// An authorization request that can be put to a person.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) client_id: String,
    /// As it was written, because the token request must repeat it exactly.
    pub(crate) redirect_uri: String,
    pub(crate) redirect: Url,
    pub(crate) state: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) challenge: Option<String>,
    /// `access_type=offline`.
    pub(crate) is_offline: bool,
    /// `prompt` holds `consent`.
    pub(crate) forces_consent: bool,
}

impl Asked {
    /// Reads a request for this client, or says what is wrong with it.
    pub(crate) fn read(query: &Params, client_id: &str, reading: Reading) -> Result<Self, &'static str> {
        if query.get("client_id") != Some(client_id) {
            return Err("client_id is missing or not known");
        }
        let redirect_uri = query.get("redirect_uri").ok_or("redirect_uri is missing")?;
        let redirect = redirect(redirect_uri, reading.redirect)?;
        if reading.wants_response_type && query.get("response_type") != Some("code") {
            return Err("response_type must be code");
        }
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            redirect,
            state: query.get("state").map(str::to_owned),
            scopes: scopes(query.get("scope"), reading)?,
            challenge: if reading.pkce { challenge(query)? } else { None },
            is_offline: query.get("access_type") == Some("offline"),
            forces_consent: query.get("prompt").is_some_and(|it| it.split(' ').any(|word| word == "consent")),
        })
    }

    /// The redirect URI with these parameters added.
    pub(crate) fn callback(&self, parameters: &[(&str, &str)]) -> Url {
        let mut callback = self.redirect.clone();
        callback.query_pairs_mut().extend_pairs(parameters);
        callback
    }
}

/// RFC 6749 section 3.1.2: absolute, no fragment. RFC 8252 section 7.3: http for the loopback alone.
fn redirect(text: &str, rule: RedirectRule) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "redirect_uri is not an absolute URL")?;
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("redirect_uri must have no fragment and no user name");
    }
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match (url.scheme(), rule) {
        ("https", _) => Ok(url),
        ("http", RedirectRule::HttpsOrLoopback) if is_loopback => Ok(url),
        (_, RedirectRule::HttpsOrLoopback) => Err("redirect_uri must be https, or http on the loopback"),
        (_, RedirectRule::HttpsOnly) => Err("redirect_uri must be https"),
    }
}

/// RFC 6749 section 3.3, with the provider's separator; a separator of another provider is no scope.
fn scopes(given: Option<&str>, reading: Reading) -> Result<Vec<String>, &'static str> {
    let Some(given) = given else {
        return if reading.wants_scope { Err("scope is missing") } else { Ok(Vec::new()) };
    };
    let scopes: Vec<String> = given.split(reading.separator).map(str::to_owned).collect();
    let is_scope = |scope: &String| !scope.is_empty() && !scope.contains([',', ' ', '"', '\\']);
    if scopes.iter().all(is_scope) { Ok(scopes) } else { Err("scope is not valid") }
}

/// RFC 7636 section 4.3; `plain` protects nothing, so only S256 is taken (RFC 9700 section 2.1.1).
fn challenge(query: &Params) -> Result<Option<String>, &'static str> {
    match (query.get("code_challenge"), query.get("code_challenge_method")) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Ok(Some(challenge.to_owned())),
        (Some(_), Some("S256")) => Err("code_challenge is not a SHA-256 in base64url"),
        (Some(_), _) => Err("code_challenge_method must be S256"),
        (None, Some(_)) => Err("code_challenge is missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: RedirectRule, table: &[(&str, bool)]) {
        for (text, is_taken) in table {
            assert_eq!(redirect(text, rule).is_ok(), *is_taken, "{text}");
        }
    }

    #[test]
    fn http_is_taken_for_the_own_machine_only() {
        check(
            RedirectRule::HttpsOrLoopback,
            &[
                ("http://127.0.0.1:4711/callback", true),
                ("http://[::1]:4711/callback", true),
                ("http://localhost/callback?keep=1", true),
                ("https://flows.example/oauth/callback", true),
                ("http://flows.example/oauth/callback", false),
                ("http://localhost.evil.test/", false),
                ("https://flows.example/#fragment", false),
                ("https://user@flows.example/", false),
                ("javascript:alert(1)", false),
                ("/callback", false),
            ],
        );
    }

    #[test]
    fn intercom_takes_https_only() {
        check(
            RedirectRule::HttpsOnly,
            &[("https://localhost/oauth/callback/1", true), ("http://127.0.0.1:4711/callback", false)],
        );
    }
}
