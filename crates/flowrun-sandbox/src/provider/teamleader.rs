//! Teamleader Focus: single-use refresh tokens, `errors` with titles, a sliding limit (SEED-34).
//!
//! The facts are those of the vendor's published API description: `authentication`, `introduction` and
//! `02-crm/contacts`. How its token endpoint words a refusal is not published; the API's error form is used.

use std::time::Duration;

use http::{HeaderName, Method, StatusCode};
use jiff::{Timestamp, tz};
use serde_json::{Value, json};

use super::ProviderName;
use crate::asked::{Reading, RedirectRule};
use crate::call::{Call, Reply};
use crate::consent::{self, Manner, Visit};
use crate::contacts::Contacts;
use crate::desk::Desk;
use crate::hosts::Role;
use crate::mint::Mint;
use crate::rules::{Issued, Looks, Realm, RefreshRule, Refusal, Rules};
use crate::window::{Admission, Window};

const REALM: Realm = "teamleader";

const READING: Reading = Reading {
    redirect: RedirectRule::HttpsOrLoopback,
    wants_response_type: true,
    separator: ' ',
    wants_scope: false,
    pkce: true,
};

/// Both generations of hosts are doors to the same accounts.
pub(crate) struct Teamleader {
    pub(crate) desk: Desk,
    window: Window,
    contacts: Contacts,
}

impl Teamleader {
    /// A Teamleader whose access tokens live this long.
    pub(crate) fn new(access_lives: Duration, mint: Mint) -> Self {
        let rules = Rules {
            code_lives: Duration::from_secs(600),
            access_lives: Some(access_lives),
            refresh: RefreshRule::SingleUse,
            looks: Looks { code: "def502", access: "", refresh: "def502", write: Mint::word },
            repeats_redirect: true,
        };
        Self {
            desk: Desk::new("sandbox-teamleader", rules, mint),
            window: Window::new(200, Duration::from_secs(60)),
            contacts: Contacts::believable(),
        }
    }

    /// Answers a call to one of its hosts.
    pub(crate) fn answer(&mut self, role: Role, call: &Call, now: Timestamp) -> Reply {
        match (role, call.path.as_str()) {
            (Role::Accounts, "/oauth2/authorize") => self.authorize(call, now),
            (Role::Accounts, "/oauth2/access_token") => self.token(call, now),
            (Role::Accounts, _) => error(StatusCode::NOT_FOUND, "Not found"),
            (Role::Api, _) => self.api(call, now),
        }
    }

    fn authorize(&mut self, call: &Call, now: Timestamp) -> Reply {
        let manner = Manner {
            provider: ProviderName::Teamleader.label(),
            reading: READING,
            accounts: &[],
            realm: REALM,
            denial_has_state: false,
        };
        match consent::visit(&mut self.desk, &manner, call, now) {
            Visit::Reply(reply) => reply,
            Visit::Allowed { asked, realm } => {
                let code = self.desk.allow(&asked, realm, now);
                consent::callback(&asked, &code, &[])
            }
        }
    }

    fn token(&mut self, call: &Call, now: Timestamp) -> Reply {
        if call.method != Method::POST {
            return error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
        }
        match self.desk.exchange(&call.body_params(), REALM, now) {
            Ok(issued) => Reply::json(StatusCode::OK, &tokens(&issued)),
            Err(refusal) => refused(refusal),
        }
    }

    fn api(&mut self, call: &Call, now: Timestamp) -> Reply {
        self.desk.stats.api_calls += 1;
        if self.desk.grant(call.credentials("Bearer"), REALM, now).is_none() {
            return error(StatusCode::UNAUTHORIZED, "The access token is invalid or has expired.");
        }
        let admission = self.window.admit(now);
        let reply = if admission.is_admitted {
            self.contacts(call)
        } else {
            error(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
        };
        self.with_limits(reply, &admission)
    }

    /// Data is passed as JSON in a POST or in the query of a GET; the seed does the latter.
    fn contacts(&mut self, call: &Call) -> Reply {
        match (&call.method, call.path.as_str()) {
            (&Method::GET | &Method::POST, "/contacts.info") => self.info(call),
            (&Method::POST, "/contacts.update") => self.update(call),
            _ => error(StatusCode::NOT_FOUND, "Not found"),
        }
    }

    fn info(&self, call: &Call) -> Reply {
        let body = call.body_params();
        let id = if call.method == Method::GET { call.query.get("id") } else { body.get("id") };
        let Some(id) = id else { return error(StatusCode::BAD_REQUEST, "id must not be empty") };
        match self.contacts.find(id) {
            Some(contact) => Reply::json(StatusCode::OK, &json!({ "data": contact })),
            None => error(StatusCode::NOT_FOUND, "Contact not found"),
        }
    }

    fn update(&mut self, call: &Call) -> Reply {
        let Ok(Value::Object(changes)) = serde_json::from_slice(&call.body) else {
            return error(StatusCode::BAD_REQUEST, "The body must be a JSON object");
        };
        let body = call.body_params();
        let Some(id) = body.get("id") else { return error(StatusCode::BAD_REQUEST, "id must not be empty") };
        if self.contacts.update(id, &changes) {
            Reply::empty(StatusCode::NO_CONTENT)
        } else {
            error(StatusCode::NOT_FOUND, "Contact not found")
        }
    }

    fn with_limits(&self, reply: Reply, admission: &Admission) -> Reply {
        reply
            .with(HeaderName::from_static("x-ratelimit-limit"), &self.window.limit().to_string())
            .with(HeaderName::from_static("x-ratelimit-remaining"), &admission.remaining.to_string())
            .with(HeaderName::from_static("x-ratelimit-reset"), &reset(admission.reset))
    }
}

fn tokens(issued: &Issued) -> Value {
    json!({
        "token_type": "Bearer",
        "expires_in": issued.lifetime,
        "access_token": issued.access,
        "refresh_token": issued.refresh,
    })
}

fn refused(refusal: Refusal) -> Reply {
    let (status, title) = match refusal {
        Refusal::Missing(_) => (StatusCode::BAD_REQUEST, "The request is missing a required parameter."),
        Refusal::Client | Refusal::Secret => (StatusCode::UNAUTHORIZED, "Client authentication failed"),
        Refusal::GrantType => (StatusCode::BAD_REQUEST, "The grant type is not supported."),
        Refusal::Code => (StatusCode::BAD_REQUEST, "The authorization code is invalid, used or expired."),
        Refusal::Redirect => (StatusCode::BAD_REQUEST, "The redirect URI does not match."),
        Refusal::Verifier => (StatusCode::BAD_REQUEST, "The code verifier does not match."),
        Refusal::RefreshToken => (StatusCode::BAD_REQUEST, "The refresh token is invalid."),
    };
    error(status, title)
}

fn error(status: StatusCode, title: &str) -> Reply {
    Reply::json(status, &json!({ "errors": [{ "title": title, "status": status.as_u16() }] }))
}

/// A timestamp, not seconds, with an offset that has no colon, as in `2026-11-24T15:04:05.035+0100`.
fn reset(moment: Timestamp) -> String {
    let local = moment.to_zoned_datetime(tz::offset(1).to_time_zone());
    local.strftime("%Y-%m-%dT%H:%M:%S%.3f%z").to_string()
}
