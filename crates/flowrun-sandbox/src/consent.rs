//! The consent page, from the request that opens it to the callback that follows.
//!
//! A page is tied to the browser that opened it by a cookie and to its form by a token, and can be
//! answered once; so an answer cannot be forged from elsewhere.

use http::{Method, StatusCode, header};
use jiff::Timestamp;

use crate::asked::{Asked, Reading};
use crate::call::{Call, Reply};
use crate::desk::Desk;
use crate::page::{self, ConsentPage};
use crate::rules::Realm;

/// The cookie of a page; the prefix makes browsers hold it to this host and to https.
const COOKIE: &str = "__Host-consent";

/// How a provider shows its consent page and tells of the answer.
pub(crate) struct Manner<'a> {
    /// The provider's name.
    pub(crate) provider: &'static str,
    pub(crate) reading: Reading,
    /// The accounts a person may choose from, by realm and label; none where there is no choice.
    pub(crate) accounts: &'a [(Realm, &'static str)],
    /// The realm of a consent where there is no choice.
    pub(crate) realm: Realm,
    /// Whether a denial carries the state; Teamleader's carries nothing but the error.
    pub(crate) denial_has_state: bool,
}

/// What a visit to the consent page came to.
pub(crate) enum Visit {
    /// A page, or a redirect that says no.
    Reply(Reply),
    /// The person said yes.
    Allowed { asked: Asked, realm: Realm },
}

/// Shows the page, or takes its answer.
pub(crate) fn visit(desk: &mut Desk, manner: &Manner<'_>, call: &Call, now: Timestamp) -> Visit {
    match call.method {
        Method::GET => Visit::Reply(show(desk, manner, call, now)),
        Method::POST => answer(desk, manner, call, now),
        _ => Visit::Reply(Reply::empty(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

/// The redirect to the callback with a code for what was allowed, and with these parameters after it.
pub(crate) fn callback(asked: &Asked, code: &str, more: &[(&str, &str)]) -> Reply {
    let mut parameters = vec![("code", code)];
    parameters.extend(asked.state.as_deref().map(|state| ("state", state)));
    parameters.extend(more);
    redirect(asked, &parameters)
}

fn show(desk: &mut Desk, manner: &Manner<'_>, call: &Call, now: Timestamp) -> Reply {
    let asked = match Asked::read(&call.query, desk.client_id, manner.reading) {
        Ok(asked) => asked,
        Err(words) => return page::refusal(manner.provider, words),
    };
    let (cookie, csrf) = desk.open_page(asked.clone(), now);
    let shown = ConsentPage {
        provider: manner.provider,
        client_id: &asked.client_id,
        scopes: &asked.scopes,
        redirect: &asked.redirect,
        csrf: &csrf,
        accounts: manner.accounts,
    };
    let cookie = format!("{COOKIE}={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax");
    shown.reply().with(header::SET_COOKIE, &cookie)
}

fn answer(desk: &mut Desk, manner: &Manner<'_>, call: &Call, now: Timestamp) -> Visit {
    let form = call.body_params();
    let page = call.cookie(COOKIE).zip(form.get("csrf"));
    let Some(asked) = page.and_then(|(cookie, csrf)| desk.close_page(cookie, csrf, now)) else {
        return Visit::Reply(page::refusal(manner.provider, "this page was not opened here, or is answered"));
    };
    let realm = match (manner.accounts, form.get("account")) {
        ([], _) => Some(manner.realm),
        (accounts, account) => accounts.iter().map(|it| it.0).find(|it| Some(*it) == account),
    };
    match (form.get("answer"), realm) {
        (Some("allow"), Some(realm)) => Visit::Allowed { asked, realm },
        (Some("deny"), _) => Visit::Reply(denied(&asked, manner)),
        _ => Visit::Reply(page::refusal(manner.provider, "the form was not filled in")),
    }
}

fn denied(asked: &Asked, manner: &Manner<'_>) -> Reply {
    let mut parameters = vec![("error", "access_denied")];
    let state = asked.state.as_deref().filter(|_| manner.denial_has_state);
    parameters.extend(state.map(|state| ("state", state)));
    redirect(asked, &parameters)
}

/// 303 makes the browser GET the callback, so the form's body goes no further (RFC 9700 section 4.12).
fn redirect(asked: &Asked, parameters: &[(&str, &str)]) -> Reply {
    Reply::empty(StatusCode::SEE_OTHER)
        .with(header::LOCATION, asked.callback(parameters).as_str())
        .with(header::CACHE_CONTROL, "no-store")
        .with(header::REFERRER_POLICY, "no-referrer")
}
