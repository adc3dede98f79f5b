//! Intercom: https redirects only, tokens that never expire and cannot be refreshed, three regions.
//!
//! How its token endpoint words a refusal is not published; the API's `error.list` is used.

use std::time::Duration;

use http::{HeaderName, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::ProviderName;
use crate::asked::{Reading, RedirectRule};
use crate::call::{Call, Reply};
use crate::consent::{self, Manner, Visit};
use crate::desk::Desk;
use crate::hosts::{Region, Role};
use crate::mint::Mint;
use crate::rules::{Issued, Looks, RefreshRule, Refusal, Rules};
use crate::window::{Admission, Window};

const READING: Reading = Reading {
    redirect: RedirectRule::HttpsOnly,
    wants_response_type: false,
    separator: ' ',
    wants_scope: false,
    pkce: false,
};

/// Intercom in all its regions; a code or token holds in the one it was given in.
pub(crate) struct Intercom {
    pub(crate) desk: Desk,
    window: Window,
}

impl Intercom {
    /// An Intercom; how long tokens live is not for anyone to say.
    pub(crate) fn new(mint: Mint) -> Self {
        let rules = Rules {
            code_lives: Duration::from_secs(300),
            access_lives: None,
            refresh: RefreshRule::None,
            looks: Looks { code: "", access: "dG9rO", refresh: "", write: Mint::word },
            repeats_redirect: false,
        };
        Self {
            desk: Desk::new("sandbox-intercom", rules, mint),
            // Ten thousand a minute, dealt out in spans of ten seconds.
            window: Window::new(1666, Duration::from_secs(10)),
        }
    }

    /// Answers a call to one of this region's hosts.
    pub(crate) fn answer(&mut self, site: (Region, Role), call: &Call, now: Timestamp) -> Reply {
        match (site, call.path.as_str()) {
            ((region, Role::Accounts), "/oauth") => self.authorize(region, call, now),
            ((region, Role::Api), "/auth/eagle/token") => self.token(region, call, now),
            ((region, Role::Api), _) => self.api(region, call, now),
            ((_, Role::Accounts), _) => Reply::empty(StatusCode::NOT_FOUND),
        }
    }

    fn authorize(&mut self, region: Region, call: &Call, now: Timestamp) -> Reply {
        let manner = Manner {
            provider: ProviderName::Intercom.label(),
            reading: READING,
            accounts: &[],
            realm: region.word(),
            denial_has_state: true,
        };
        match consent::visit(&mut self.desk, &manner, call, now) {
            Visit::Reply(reply) => reply,
            Visit::Allowed { asked, realm } => {
                let code = self.desk.allow(&asked, realm, now);
                consent::callback(&asked, &code, &[])
            }
        }
    }

    /// Takes `code`, `client_id` and `client_secret`, and looks at nothing else.
    fn token(&mut self, region: Region, call: &Call, now: Timestamp) -> Reply {
        if call.method != Method::POST {
            return self.error(StatusCode::NOT_FOUND, "not_found", "Resource Not Found");
        }
        let params = call.body_params();
        let issued =
            self.desk.authenticate(&params).and_then(|()| self.desk.redeem(&params, region.word(), now));
        match issued {
            Ok(issued) => Reply::json(StatusCode::OK, &tokens(&issued)),
            Err(Refusal::Client | Refusal::Secret) => {
                self.error(StatusCode::UNAUTHORIZED, "unauthorized", "Client credentials are invalid")
            }
            Err(_) => {
                self.error(StatusCode::BAD_REQUEST, "parameter_invalid", "Code is invalid, used or expired")
            }
        }
    }

    fn api(&mut self, region: Region, call: &Call, now: Timestamp) -> Reply {
        self.desk.stats.api_calls += 1;
        if self.desk.grant(call.credentials("Bearer"), region.word(), now).is_none() {
            return self.error(StatusCode::UNAUTHORIZED, "unauthorized", "Access Token Invalid");
        }
        let admission = self.window.admit(now);
        let reply = if admission.is_admitted {
            self.read(region, call)
        } else {
            let words = "Exceeded rate limit of 1666 in 10_seconds";
            self.error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", words)
        };
        self.with_limits(reply, &admission)
    }

    fn read(&mut self, region: Region, call: &Call) -> Reply {
        let contact = call.path.strip_prefix("/contacts/").map(contact);
        match (&call.method, call.path.as_str(), contact) {
            (&Method::GET, "/me", _) => Reply::json(StatusCode::OK, &admin(region)),
            (&Method::GET, _, Some(Some(contact))) => Reply::json(StatusCode::OK, &contact),
            (&Method::GET, _, Some(None)) => self.error(StatusCode::NOT_FOUND, "not_found", "User Not Found"),
            _ => self.error(StatusCode::NOT_FOUND, "not_found", "Resource Not Found"),
        }
    }

    fn with_limits(&self, reply: Reply, admission: &Admission) -> Reply {
        let reset = admission.reset.as_second();
        reply
            .with(HeaderName::from_static("x-ratelimit-limit"), &self.window.limit().to_string())
            .with(HeaderName::from_static("x-ratelimit-remaining"), &admission.remaining.to_string())
            .with(HeaderName::from_static("x-ratelimit-reset"), &reset.to_string())
    }

    fn error(&mut self, status: StatusCode, code: &str, message: &str) -> Reply {
        let errors = json!([{ "code": code, "message": message }]);
        let request_id = self.desk.word();
        Reply::json(status, &json!({ "type": "error.list", "request_id": request_id, "errors": errors }))
    }
}

/// The token comes under two names, and no word says that it expires.
fn tokens(issued: &Issued) -> Value {
    json!({ "token_type": "Bearer", "token": issued.access, "access_token": issued.access })
}

fn admin(region: Region) -> Value {
    json!({
        "type": "admin",
        "id": "814860",
        "email": "emma.peeters@atelier.example",
        "name": "Emma Peeters",
        "email_verified": true,
        "app": { "type": "app", "id_code": "sandbox", "name": "Atelier Peeters", "region": region.word() },
    })
}

fn contact(id: &str) -> Option<Value> {
    let (name, email) = match id {
        "42" => ("Emma Peeters", "emma.peeters@atelier.example"),
        "5ba682d23d7cf92bef87bfd4" => ("Noah Maes", "noah.maes@fietsen.example"),
        _ => return None,
    };
    Some(json!({ "type": "contact", "id": id, "role": "user", "name": name, "email": email }))
}
