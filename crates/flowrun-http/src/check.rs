//! What can be said of a call before any run, beyond what its schema says.

use flowrun_step::{Draft, Effect, Finding, Leaf};
use http::HeaderName;
use serde_json::Value;
use url::Url;

use crate::call::Method;
use crate::header::{is_own, names_credential};
use crate::paginate;
use crate::request::{Defaults, effect};

impl Defaults {
    /// What is wrong in the settings as written.
    #[must_use]
    pub fn check(&self, draft: &Draft<'_>) -> Vec<Finding> {
        let mut findings = check_headers(draft);
        findings.extend(check_url(draft));
        findings.extend(self.check_body(draft));
        findings.extend(paginate::check(draft));
        findings
    }

    /// What repeating the call would mean, as far as the settings tell (L-10).
    #[must_use]
    pub fn effect(&self, draft: &Draft<'_>) -> Effect {
        let is_safe = draft.get("safe") == Leaf::Known(&Value::Bool(true));
        effect(self.method(draft), is_safe, draft.get("idempotency_key").is_present())
    }

    fn method(&self, draft: &Draft<'_>) -> Method {
        let written = draft.source().get("method");
        written.and_then(|method| serde_json::from_value(method.clone()).ok()).unwrap_or(self.method)
    }

    fn check_body(&self, draft: &Draft<'_>) -> Vec<Finding> {
        let bodies: Vec<&str> =
            ["json", "form", "body"].into_iter().filter(|name| draft.get(name).is_present()).collect();
        let mut findings = Vec::new();
        if let [_, second, ..] = bodies.as_slice() {
            findings.push(finding(
                second,
                "only one of `json`, `form` and `body` can be sent",
                "remove the others",
            ));
        }
        if let ([body, ..], Method::Get | Method::Head) = (bodies.as_slice(), self.method(draft)) {
            findings.push(finding(
                body,
                "GET and HEAD carry no body",
                "write `method: POST`, or use `query`",
            ));
        }
        if draft.get("content_type").is_present() && !draft.get("body").is_present() {
            let message = "`content_type` belongs to `body`; `json` and `form` have their own";
            findings.push(finding("content_type", message, "remove it, or set the header Content-Type"));
        }
        findings
    }
}

fn check_headers(draft: &Draft<'_>) -> Vec<Finding> {
    let has_integration = draft.get("integration").is_present();
    let check = |name: &str| match name {
        _ if HeaderName::try_from(name).is_err() => {
            Some(("this is no header name", "use letters, digits and hyphens"))
        }
        _ if is_own(name) => Some(("this header is set by flowrun itself", "leave it out")),
        _ if has_integration && name.eq_ignore_ascii_case("authorization") => {
            Some(("the integration sets this header already", "leave one of the two out"))
        }
        _ => None,
    };
    let wrong = header_names(draft).filter_map(|name| Some((name, check(name)?)));
    wrong.map(|(name, (message, help))| finding(&format!("headers.{name}"), message, help)).collect()
}

fn check_url(draft: &Draft<'_>) -> Option<Finding> {
    let Ok(url) = Url::parse(draft.get("url").as_str()?) else {
        return Some(finding("url", "this is not an absolute URL", "write https://host/path"));
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some(finding("url", "only http and https can be called", "write https://host/path"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let help = "use `integration`, or an Authorization header with a secret";
        return Some(finding("url", "a URL with a user or password in it is refused", help));
    }
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let has_credential = draft.get("integration").is_present() || header_names(draft).any(names_credential);
    if url.scheme() == "http" && has_credential && !is_local {
        return Some(finding("url", "a credential never goes over plain http", "write https://…"));
    }
    None
}

fn header_names<'a>(draft: &Draft<'a>) -> impl Iterator<Item = &'a str> {
    let headers = draft.source().get("headers").and_then(Value::as_object);
    headers.into_iter().flat_map(|headers| headers.keys().map(String::as_str))
}

fn finding(path: &str, message: &str, help: &str) -> Finding {
    Finding { path: path.to_owned(), message: message.to_owned(), help: Some(help.to_owned()) }
}
