//! The rules a provider's settings must keep, each with the words for breaking it.
//!
//! Only what is wrong whatever the provider does is refused here; whether it answers as set is seen when it is asked.

use http::{HeaderName, header};
use url::{Host, Url};

use super::Problem;
use crate::pattern::Pattern;
use crate::settings::{AuthStyle, ExpirySign, GrantKind, KeepRule, Settings};

/// Parameters the protocol itself sends; an extra one of the same name could override it (OA-13).
const RESERVED: [&str; 12] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "scope",
    "state",
];

/// Names that are never kept in clear beside the tokens, because they are tokens or prove something (N4).
const NEVER_KEPT: [&str; 9] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "iss",
    "refresh_token",
    "state",
    "token",
];

type Check = Result<(), Problem>;

/// Everything that is wrong beside the token endpoint's own two URLs.
pub(super) fn problems(settings: &Settings) -> Vec<Problem> {
    let mut checks = vec![
        authorize_url(settings),
        client(settings),
        params("authorize_params", &settings.authorize_params),
        params("token_params", &settings.token_params),
        params("refresh_params", &settings.refresh_params),
        issuer(settings),
        token_origin(settings),
        callback_hmac(settings),
        pointer("access_token_path", settings.access_token_path.as_deref()),
        token_header(settings),
        budget(settings),
    ];
    for (field, url) in [
        ("revoke_url", &settings.revoke_url),
        ("introspect_url", &settings.introspect_url),
        ("device_url", &settings.device_url),
    ] {
        checks.extend(url.iter().map(|url| endpoint(field, url).map(drop)));
    }
    checks.extend(settings.resources.iter().map(|uri| resource(uri)));
    checks.extend(settings.keep_from_callback.iter().map(|rule| keep("keep_from_callback", rule)));
    checks.extend(settings.keep_from_token.iter().map(|rule| keep("keep_from_token", rule)));
    checks.extend(settings.expired_when.iter().map(expiry_sign));
    checks.extend(settings.allowed_hosts.iter().map(|host| allowed_host(host)));
    checks.into_iter().filter_map(Result::err).collect()
}

/// An endpoint as OA-6 wants it: absolute, https (http to this machine), no user information, no fragment.
pub(crate) fn endpoint(field: &'static str, text: &str) -> Result<Url, Problem> {
    let problem =
        |wrong: &str, fix: &str| Err(Problem { field, wrong: wrong.to_owned(), fix: fix.to_owned() });
    if text.is_empty() {
        return problem("is missing", "copy it from the provider's documentation");
    }
    // A URL parser quietly repairs these; SEED-6 shows one (`access\_token`) that came from a Markdown page.
    if text.contains('\\') || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return problem("has a backslash or white space in it", "remove it; pages often show `\\_` for `_`");
    }
    let Ok(url) = Url::parse(text) else {
        return problem("is not a URL", "write the whole address, beginning with https://");
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return problem("does not begin with https://", "use https; http is for this machine only");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return problem("has a user name or password in it", "put them into the client id and secret");
    }
    if url.fragment().is_some() {
        return problem("has a fragment", "remove everything from the `#` on");
    }
    Ok(url)
}

/// Whether a URL names this machine without asking anybody.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn authorize_url(settings: &Settings) -> Check {
    let field = "authorize_url";
    let Some(text) = &settings.authorize_url else {
        return match settings.grant {
            GrantKind::AuthorizationCode => endpoint(field, "").map(drop),
            GrantKind::ClientCredentials => Ok(()),
        };
    };
    let url = endpoint(field, text)?;
    match url.query_pairs().find(|(name, _)| RESERVED.contains(&name.as_ref())) {
        Some((name, _)) => Err(Problem {
            field,
            wrong: format!("sets `{name}` itself"),
            fix: format!("remove `{name}` from its query; flowrun sends it, and `response_type=code` always"),
        }),
        None => Ok(()),
    }
}

fn client(settings: &Settings) -> Check {
    if settings.grant == GrantKind::ClientCredentials && settings.auth_style == AuthStyle::None {
        return Err(Problem {
            field: "auth_style",
            wrong: "is `none`, but client credentials are for clients with a secret (RFC 6749 4.4)"
                .to_owned(),
            fix: "choose body or basic".to_owned(),
        });
    }
    Ok(())
}

fn params(field: &'static str, params: &[(String, String)]) -> Check {
    match params.iter().find(|(name, _)| name.is_empty() || RESERVED.contains(&name.as_str())) {
        Some((name, _)) => Err(Problem {
            field,
            wrong: format!("has `{name}`, which flowrun sends itself"),
            fix: format!("remove `{name}`"),
        }),
        None => Ok(()),
    }
}

fn issuer(settings: &Settings) -> Check {
    let field = "issuer";
    match &settings.issuer {
        None if settings.issuer_required => Err(Problem {
            field,
            wrong: "is missing, though each callback must name it".to_owned(),
            fix: "copy `issuer` from the provider's metadata".to_owned(),
        }),
        None => Ok(()),
        // RFC 8414 2: https, no query, no fragment.
        Some(text) => endpoint(field, text).and_then(|url| match url.query() {
            None => Ok(()),
            Some(_) => Err(Problem {
                field,
                wrong: "has a query".to_owned(),
                fix: "copy `issuer` from the provider's metadata".to_owned(),
            }),
        }),
    }
}

fn token_origin(settings: &Settings) -> Check {
    let Some(name) = &settings.token_origin_from else { return Ok(()) };
    let is_origin = |text: &String| {
        endpoint("token_origin_from", text).is_ok_and(|url| url.origin().ascii_serialization() == *text)
    };
    let rule = settings.keep_from_callback.iter().find(|rule| rule.name == *name);
    if rule.is_some_and(|rule| !rule.one_of.is_empty() && rule.one_of.iter().all(is_origin)) {
        return Ok(());
    }
    Err(Problem {
        field: "token_origin_from",
        wrong: format!("names `{name}`, whose origins are not listed"),
        fix: format!("list them in keep_from_callback: `{name}`, one of https://…, https://…"),
    })
}

fn pointer(field: &'static str, path: Option<&str>) -> Check {
    match path {
        Some(path) if !path.starts_with('/') => Err(Problem {
            field,
            wrong: format!("is `{path}`, which is no JSON Pointer (RFC 6901)"),
            fix: format!("write `/{}`", path.replace('.', "/")),
        }),
        _ => Ok(()),
    }
}

fn token_header(settings: &Settings) -> Check {
    let token_header = &settings.token_header;
    let problem =
        |wrong: String, fix: &str| Err(Problem { field: "token_header", wrong, fix: fix.to_owned() });
    let Ok(name) = HeaderName::try_from(token_header.name.as_str()) else {
        return problem(format!("is named `{}`, which is no header", token_header.name), "use Authorization");
    };
    let framing = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::UPGRADE,
        header::TE,
        header::COOKIE,
    ];
    if framing.contains(&name) || name.as_str().starts_with("proxy-") {
        return problem(format!("is `{name}`, which belongs to the connection (N3)"), "use Authorization");
    }
    if !token_header.scheme.bytes().all(|byte| byte.is_ascii_graphic()) {
        return problem(
            "has a scheme with spaces or other signs".to_owned(),
            "write one word, such as Bearer",
        );
    }
    Ok(())
}

fn keep(field: &'static str, rule: &KeepRule) -> Check {
    if rule.name.is_empty() || NEVER_KEPT.contains(&rule.name.as_str()) {
        return Err(Problem {
            field,
            wrong: format!("keeps `{}`, which is no plain value", rule.name),
            fix: "keep only what tells where or whose the account is".to_owned(),
        });
    }
    match &rule.pattern {
        Some(_) if !rule.one_of.is_empty() => Err(Problem {
            field,
            wrong: format!("says twice what `{}` may be", rule.name),
            fix: "give one_of or pattern".to_owned(),
        }),
        Some(pattern) if Pattern::new(pattern).is_err() => Err(Problem {
            field,
            wrong: format!("has the pattern `{pattern}`, which is no regular expression"),
            fix: "write one such as [0-9]{1,20}".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The proof is checked with the client secret, so there must be one.
fn callback_hmac(settings: &Settings) -> Check {
    let field = "callback_hmac";
    match &settings.callback_hmac {
        Some(name) if name.is_empty() || RESERVED.contains(&name.as_str()) => Err(Problem {
            field,
            wrong: format!("names `{name}`, which is no proof"),
            fix: "name the parameter with the signature".to_owned(),
        }),
        Some(_) if settings.auth_style == AuthStyle::None => Err(Problem {
            field,
            wrong: "cannot be checked without a client secret".to_owned(),
            fix: "choose body or basic as auth_style, or leave it out".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// RFC 8707 2: an absolute URI without a fragment.
fn resource(uri: &str) -> Check {
    match Url::parse(uri) {
        Ok(url) if url.fragment().is_none() => Ok(()),
        _ => Err(Problem {
            field: "resources",
            wrong: format!("has `{uri}`, which is no absolute URI without a fragment"),
            fix: "write it as https://api.example.com/".to_owned(),
        }),
    }
}

fn budget(settings: &Settings) -> Check {
    match settings.budget {
        Some(budget) if budget.requests == 0 || budget.seconds == 0 => Err(Problem {
            field: "budget",
            wrong: "lets no request through".to_owned(),
            fix: "write at least one request and one second".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn expiry_sign(sign: &ExpirySign) -> Check {
    pointer("expired_when", sign.path.as_deref())?;
    if sign.status < 400 && sign.path.is_none() {
        return Err(Problem {
            field: "expired_when",
            wrong: format!("takes every reply with status {} for an expired token", sign.status),
            fix: "say where in the reply the error stands: path, in".to_owned(),
        });
    }
    Ok(())
}

/// A host as it will be compared: `api.example.com`, `.example.com` for all below it, a port if it is not 443.
fn allowed_host(text: &str) -> Check {
    let field = "allowed_hosts";
    let host = text.strip_prefix('.').unwrap_or(text);
    let problem = |fix: String| Err(Problem { field, wrong: format!("has `{text}`, which is no host"), fix });
    let Ok(url) = Url::parse(&format!("https://{host}/")) else {
        return problem("write a name such as api.example.com".to_owned());
    };
    let canonical = url[url::Position::BeforeHost..url::Position::AfterPort].trim_end_matches('.');
    if canonical != host || host.ends_with('.') {
        return problem(format!("write `{canonical}`"));
    }
    let name = match url.host() {
        Some(Host::Domain(name)) => Some(name),
        _ => None,
    };
    if name.is_some_and(|name| !name.split('.').all(is_label)) {
        return problem("write api.example.com, or .example.com for every host below it".to_owned());
    }
    let is_name = name.is_some_and(|name| name.contains('.'));
    if text.starts_with('.') && !is_name {
        return problem("write at least two labels, such as .example.com".to_owned());
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
