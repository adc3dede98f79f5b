//! Zoho: data centres that know nothing of each other's codes, errors with status 200 (SEED-31, SEED-32).
//!
//! An account lives in one data centre, which the callback names; code, refresh token and access token
//! hold there alone. The token endpoint answers 200 even to say no.

use std::collections::HashMap;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::ProviderName;
use crate::DataCentre;
use crate::asked::{Reading, RedirectRule};
use crate::call::{Call, Params, Reply};
use crate::consent::{self, Manner, Visit};
use crate::desk::Desk;
use crate::hosts::Role;
use crate::mint::Mint;
use crate::rules::{Issued, Looks, Realm, RefreshRule, Refusal, Rules};
use crate::window::Window;

const READING: Reading = Reading {
    redirect: RedirectRule::HttpsOrLoopback,
    wants_response_type: true,
    separator: ',',
    wants_scope: true,
    pkce: true,
};

/// A refresh token gives ten access tokens in ten minutes.
const RENEWALS: (usize, Duration) = (10, Duration::from_secs(600));

/// All of Zoho; one client is known in every data centre.
pub(crate) struct Zoho {
    pub(crate) desk: Desk,
    renewals: HashMap<String, Window>,
}

impl Zoho {
    /// A Zoho whose access tokens live this long.
    pub(crate) fn new(access_lives: Duration, mint: Mint) -> Self {
        let rules = Rules {
            // The documents say one to three minutes; who is quick enough for the least is for all.
            code_lives: Duration::from_secs(60),
            access_lives: Some(access_lives),
            refresh: RefreshRule::OfflineOnce,
            looks: Looks { code: "1000.", access: "1000.", refresh: "1000.", write: Mint::hex_pair },
            repeats_redirect: true,
        };
        Self { desk: Desk::new("1000.SANDBOXCLIENT", rules, mint), renewals: HashMap::new() }
    }

    /// Answers a call to one of this data centre's hosts.
    pub(crate) fn answer(&mut self, site: (DataCentre, Role), call: &Call, now: Timestamp) -> Reply {
        match (site, call.path.as_str()) {
            ((centre, Role::Accounts), "/oauth/v2/auth") => self.authorize(centre, call, now),
            ((centre, Role::Accounts), "/oauth/v2/token") => self.token(centre, call, now),
            ((_, Role::Accounts), _) => Reply::empty(StatusCode::NOT_FOUND),
            ((centre, Role::Api), _) => self.api(centre, call, now),
        }
    }

    fn authorize(&mut self, centre: DataCentre, call: &Call, now: Timestamp) -> Reply {
        let accounts: Vec<(Realm, &str)> =
            centre.accounts().map(|it| (it.location(), it.accounts_host())).collect();
        let manner = Manner {
            provider: ProviderName::Zoho.label(),
            reading: READING,
            accounts: &accounts,
            realm: centre.location(),
            denial_has_state: true,
        };
        match consent::visit(&mut self.desk, &manner, call, now) {
            Visit::Reply(reply) => reply,
            Visit::Allowed { asked, realm } => {
                let code = self.desk.allow(&asked, realm, now);
                let home = DataCentre::ALL.into_iter().find(|it| it.location() == realm).unwrap_or(centre);
                let server = format!("https://{}", home.accounts_host());
                consent::callback(&asked, &code, &[("location", realm), ("accounts-server", &server)])
            }
        }
    }

    /// Zoho's documents put the parameters in the query; they are taken from there and from the body.
    fn token(&mut self, centre: DataCentre, call: &Call, now: Timestamp) -> Reply {
        if call.method != Method::POST {
            return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let params = call.query.clone().and(call.body_params());
        if self.is_over_budget(&params, centre, now) {
            return over_budget();
        }
        match self.desk.exchange(&params, centre.location(), now) {
            Ok(issued) => Reply::json(StatusCode::OK, &tokens(&issued, centre)),
            Err(refusal) => Reply::json(StatusCode::OK, &json!({ "error": code_of(refusal) })).into_refusal(),
        }
    }

    fn is_over_budget(&mut self, params: &Params, centre: DataCentre, now: Timestamp) -> bool {
        let Some(token) = params.get("refresh_token") else { return false };
        if self.desk.authenticate(params).is_err() || !self.desk.takes_refresh(token, centre.location()) {
            return false;
        }
        let window = self.renewals.entry(token.to_owned()).or_insert(Window::new(RENEWALS.0, RENEWALS.1));
        !window.admit(now).is_admitted
    }

    fn api(&mut self, centre: DataCentre, call: &Call, now: Timestamp) -> Reply {
        self.desk.stats.api_calls += 1;
        let token = call.credentials("Zoho-oauthtoken").or_else(|| call.credentials("Bearer"));
        if token.is_none() {
            return error(StatusCode::UNAUTHORIZED, "AUTHENTICATION_FAILURE", "Authentication failed");
        }
        let Some(grant) = self.desk.grant(token, centre.location(), now) else {
            return error(StatusCode::UNAUTHORIZED, "INVALID_TOKEN", "invalid oauth token");
        };
        if call.method != Method::GET || !is_organisation(&call.path) {
            let words = "Please check if the URL trying to access is a correct one";
            return error(StatusCode::NOT_FOUND, "INVALID_URL_PATTERN", words);
        }
        if !grant.scopes.iter().any(|scope| reads_organisation(scope)) {
            let words = "invalid oauth scope to access this URL";
            return error(StatusCode::UNAUTHORIZED, "OAUTH_SCOPE_MISMATCH", words);
        }
        Reply::json(StatusCode::OK, &organisation(centre))
    }
}

fn reads_organisation(scope: &str) -> bool {
    ["ZohoCRM.org.ALL", "ZohoCRM.org.READ"].iter().any(|enough| enough.eq_ignore_ascii_case(scope))
}

/// `/crm/v2/org` up to `/crm/v8/org`.
fn is_organisation(path: &str) -> bool {
    let version = path.strip_prefix("/crm/v").and_then(|rest| rest.strip_suffix("/org"));
    version.is_some_and(|version| matches!(version, "2" | "3" | "4" | "5" | "6" | "7" | "8"))
}

fn organisation(centre: DataCentre) -> Value {
    json!({ "org": [{
        "id": "4150868000000225013",
        "company_name": "Atelier Peeters",
        "primary_email": "emma.peeters@atelier.example",
        "country_code": centre.location().to_uppercase(),
        "iso_code": "EUR",
        "time_zone": "Europe/Brussels",
    }] })
}

/// A renewal's reply has no refresh token: the old one stays good (oauth 1.1).
fn tokens(issued: &Issued, centre: DataCentre) -> Value {
    let mut reply = json!({
        "access_token": issued.access,
        "scope": issued.scopes.join(" "),
        "api_domain": format!("https://{}", centre.api_host()),
        "token_type": "Bearer",
        "expires_in": issued.lifetime,
    });
    if let Some(refresh) = &issued.refresh {
        reply["refresh_token"] = json!(refresh);
    }
    reply
}

fn code_of(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Missing(_) | Refusal::GrantType => "invalid_request",
        Refusal::Client => "invalid_client",
        Refusal::Secret => "invalid_client_secret",
        Refusal::Redirect => "redirect_uri_mismatch",
        Refusal::Code | Refusal::Verifier | Refusal::RefreshToken => "invalid_code",
    }
}

fn over_budget() -> Reply {
    let value = json!({
        "error_description": "You have made too many requests continuously. Please try again after some time.",
        "error": "Access Denied",
        "status": "failure",
    });
    Reply::json(StatusCode::OK, &value).into_refusal()
}

fn error(status: StatusCode, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": code, "details": {}, "message": message, "status": "error" }))
}
