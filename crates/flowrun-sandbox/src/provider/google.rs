//! Google: a refresh token at the first offline consent or a forced one, scopes between spaces.
//!
//! User info is OpenID Connect's and fails in OAuth's form; the People API fails in Google's own. No id
//! token is given.

use std::time::Duration;

use http::{Method, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::ProviderName;
use crate::asked::{Reading, RedirectRule};
use crate::call::{Call, Reply};
use crate::consent::{self, Manner, Visit};
use crate::desk::{Desk, Grant};
use crate::hosts::GoogleService;
use crate::mint::Mint;
use crate::rules::{Issued, Looks, Realm, RefreshRule, Refusal, Rules};

const REALM: Realm = "google";

const READING: Reading = Reading {
    redirect: RedirectRule::HttpsOrLoopback,
    wants_response_type: true,
    separator: ' ',
    wants_scope: true,
    pkce: true,
};

/// The scopes that open a person's profile, and those that open the address alone.
const PROFILE: [&str; 2] = ["profile", "https://www.googleapis.com/auth/userinfo.profile"];
const EMAIL: [&str; 2] = ["email", "https://www.googleapis.com/auth/userinfo.email"];

/// Google's authorization server and two of its APIs.
pub(crate) struct Google {
    pub(crate) desk: Desk,
}

impl Google {
    /// A Google whose access tokens live this long.
    pub(crate) fn new(access_lives: Duration, mint: Mint) -> Self {
        let rules = Rules {
            code_lives: Duration::from_secs(600),
            access_lives: Some(access_lives),
            refresh: RefreshRule::OfflineOnce,
            // The slash in codes and refresh tokens is real, and must be escaped in a form.
            looks: Looks { code: "4/0", access: "ya29.", refresh: "1//0", write: Mint::word },
            repeats_redirect: true,
        };
        Self { desk: Desk::new("sandbox.apps.googleusercontent.com", rules, mint) }
    }

    /// Answers a call to one of its services.
    pub(crate) fn answer(&mut self, service: GoogleService, call: &Call, now: Timestamp) -> Reply {
        match (service, call.path.as_str()) {
            (GoogleService::Accounts, "/o/oauth2/v2/auth") => self.authorize(call, now),
            (GoogleService::Token, "/token") => self.token(call, now),
            (GoogleService::UserInfo, "/oauth2/v3/userinfo" | "/v1/userinfo") => self.user_info(call, now),
            (GoogleService::People, "/v1/people/me") => self.people_me(call, now),
            _ => error(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found."),
        }
    }

    fn authorize(&mut self, call: &Call, now: Timestamp) -> Reply {
        let manner = Manner {
            provider: ProviderName::Google.label(),
            reading: READING,
            accounts: &[],
            realm: REALM,
            denial_has_state: true,
        };
        match consent::visit(&mut self.desk, &manner, call, now) {
            Visit::Reply(reply) => reply,
            Visit::Allowed { asked, realm } => {
                let code = self.desk.allow(&asked, realm, now);
                consent::callback(&asked, &code, &[("scope", &asked.scopes.join(" "))])
            }
        }
    }

    fn token(&mut self, call: &Call, now: Timestamp) -> Reply {
        if call.method != Method::POST {
            return oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "Method not allowed.");
        }
        match self.desk.exchange(&call.body_params(), REALM, now) {
            Ok(issued) => Reply::json(StatusCode::OK, &tokens(&issued)),
            Err(refusal) => refused(refusal),
        }
    }

    fn user_info(&mut self, call: &Call, now: Timestamp) -> Reply {
        self.desk.stats.api_calls += 1;
        let Some(grant) = self.desk.grant(call.credentials("Bearer"), REALM, now) else {
            let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
            return oauth_error(StatusCode::UNAUTHORIZED, "invalid_request", "Invalid Credentials")
                .with(header::WWW_AUTHENTICATE, challenge);
        };
        let mut person = json!({ "sub": "110169484474386276334" });
        if has(grant, &PROFILE) {
            person["name"] = json!("Emma Peeters");
            person["given_name"] = json!("Emma");
            person["family_name"] = json!("Peeters");
        }
        if has(grant, &EMAIL) {
            person["email"] = json!("emma.peeters@atelier.example");
            person["email_verified"] = json!(true);
        }
        Reply::json(StatusCode::OK, &person)
    }

    fn people_me(&mut self, call: &Call, now: Timestamp) -> Reply {
        self.desk.stats.api_calls += 1;
        let Some(grant) = self.desk.grant(call.credentials("Bearer"), REALM, now) else {
            let words = "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                         cookie or other valid authentication credential.";
            return error(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", words);
        };
        if !has(grant, &PROFILE) {
            let words = "Request had insufficient authentication scopes.";
            return error(StatusCode::FORBIDDEN, "PERMISSION_DENIED", words);
        }
        if call.query.get("personFields").is_none() {
            return error(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "personFields mask is required.");
        }
        Reply::json(StatusCode::OK, &person())
    }
}

fn person() -> Value {
    json!({
        "resourceName": "people/110169484474386276334",
        "etag": "%EgUBAi43PRoEAQIFByIM",
        "names": [{ "displayName": "Emma Peeters", "familyName": "Peeters", "givenName": "Emma" }],
    })
}

fn has(grant: &Grant, any_of: &[&str]) -> bool {
    grant.scopes.iter().any(|scope| any_of.contains(&scope.as_str()))
}

fn tokens(issued: &Issued) -> Value {
    let mut reply = json!({
        "access_token": issued.access,
        "expires_in": issued.lifetime,
        "scope": issued.scopes.join(" "),
        "token_type": "Bearer",
    });
    if let Some(refresh) = &issued.refresh {
        reply["refresh_token"] = json!(refresh);
    }
    reply
}

fn refused(refusal: Refusal) -> Reply {
    let bad = StatusCode::BAD_REQUEST;
    match refusal {
        Refusal::Missing(name) => {
            oauth_error(bad, "invalid_request", &format!("Missing required parameter: {name}"))
        }
        Refusal::Client => {
            oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", "The OAuth client was not found.")
        }
        Refusal::Secret => oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", "Unauthorized"),
        Refusal::GrantType => oauth_error(bad, "unsupported_grant_type", "Invalid grant_type"),
        Refusal::Code => oauth_error(bad, "invalid_grant", "Bad Request"),
        Refusal::Redirect => oauth_error(bad, "redirect_uri_mismatch", "Bad Request"),
        Refusal::Verifier => oauth_error(bad, "invalid_grant", "Invalid code verifier."),
        Refusal::RefreshToken => oauth_error(bad, "invalid_grant", "Token has been expired or revoked."),
    }
}

fn oauth_error(status: StatusCode, code: &str, words: &str) -> Reply {
    Reply::json(status, &json!({ "error": code, "error_description": words }))
}

fn error(status: StatusCode, name: &str, message: &str) -> Reply {
    let error = json!({ "code": status.as_u16(), "message": message, "status": name });
    Reply::json(status, &json!({ "error": error }))
}
