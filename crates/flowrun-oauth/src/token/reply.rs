//! Reads what token endpoints really answer, and makes of it what RFC 6749 5.1 describes.
//!
//! Tolerant of form: content type, status 200 or 201, numbers as texts, scopes as lists, tokens in odd places (OA-29).
//! Strict of meaning: an error is an error whatever its status (OA-30), and a token that could harm a header, or of
//! a type nobody configured, is refused (OA-32, OA-33).

use std::collections::BTreeMap;

use http::Response;
use oauth2::{ExtraTokenFields, HttpResponse, StandardTokenResponse, basic::BasicTokenType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    complaint::Complaint,
    error::{Class, TokenError, class_of_bare_status, class_of_error, class_of_status},
    grant::Kept,
};
use crate::{
    keep::{harmless, is_visible},
    provider::Provider,
    settings::TokenHeader,
};

/// A strict reply, as the `oauth2` crate reads it.
pub(super) type Reply = StandardTokenResponse<Extras, BasicTokenType>;

/// What a reply says beside RFC 6749's own fields.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Extras {
    /// Seconds the refresh token lives.
    pub(super) refresh_lifetime: Option<u64>,
    /// Values that may be kept.
    pub(super) kept: Kept,
    /// Names of values that should have been kept and are not what they may be.
    pub(super) unexpected: Vec<String>,
}

impl ExtraTokenFields for Extras {}

/// Why a reply grants nothing.
#[derive(Debug)]
pub(super) struct Refusal {
    class: Class,
    status: u16,
    code: Option<String>,
    words: Option<String>,
}

impl Refusal {
    /// Completes an error that knows only where it happened.
    pub(super) fn into_error(self, place: TokenError) -> TokenError {
        TokenError {
            class: self.class,
            status: Some(self.status),
            provider_code: self.code,
            provider_words: self.words,
            ..place
        }
    }
}

/// A reply's own fields; none if it has no body that could be read.
pub(super) type Fields = Option<Map<String, Value>>;

/// Makes a reply strict, or says why it grants nothing. `secrets` never appear in what it says.
pub(super) fn strict(
    reply: &HttpResponse,
    provider: &Provider,
    secrets: &[&str],
) -> Result<HttpResponse, Refusal> {
    let granted = accepted(reply, secrets)?.and_then(|fields| granted(&fields, provider));
    let status = reply.status().as_u16();
    let malformed = Refusal { class: Class::Malformed, status, code: None, words: None };
    granted.map(|body| Response::new(body.to_string().into_bytes())).ok_or(malformed)
}

/// The fields of a reply that is no refusal, whatever its status says (OA-30).
pub(super) fn accepted(reply: &HttpResponse, secrets: &[&str]) -> Result<Fields, Refusal> {
    let status = reply.status();
    let fields = fields(reply.body());
    let said = fields.as_ref().map(Complaint::read).unwrap_or_default();
    if !status.is_success() || said.is_error {
        let class = class_of_status(status, reply.headers())
            .or_else(|| class_of_error(said.code.as_deref(), &said.words))
            .unwrap_or_else(|| class_of_bare_status(status));
        let shown = |text: &str| Some(harmless(text, secrets)).filter(|text| !text.is_empty());
        let code = said.code.as_deref().and_then(shown);
        return Err(Refusal { class, status: status.as_u16(), code, words: shown(&said.words) });
    }
    Ok(fields)
}

/// The reply's fields, by what it is rather than by what its content type says.
fn fields(body: &[u8]) -> Fields {
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}').trim();
    if let Ok(Value::Object(object)) = serde_json::from_str(text) {
        return Some(object);
    }
    let form: Map<String, Value> = form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect();
    (form.contains_key("access_token") || form.contains_key("error")).then_some(form)
}

/// What a reply grants, as RFC 6749 5.1 writes it; none if it cannot be used.
fn granted(fields: &Map<String, Value>, provider: &Provider) -> Option<Value> {
    let settings = provider.settings();
    let path = settings.access_token_path.as_deref().unwrap_or("/access_token");
    let whole = Value::Object(fields.clone());
    // A token at an odd place has its refresh token and lifetime beside it, as Slack's user token has.
    let home = whole.pointer(path.rsplit_once('/')?.0)?;
    let access_token = whole.pointer(path)?.as_str().filter(|token| is_visible(token))?;
    let refresh_token = match home.get("refresh_token").and_then(Value::as_str) {
        None | Some("") => None,
        Some(token) if is_visible(token) => Some(token),
        Some(_) => return None,
    };
    let (kept, unexpected) = kept(fields, provider);
    let refresh_lifetimes = ["refresh_token_expires_in", "x_refresh_token_expires_in", "refresh_expires_in"];
    let refresh_lifetime = refresh_lifetimes.iter().find_map(|name| seconds(home.get(*name)).ok().flatten());
    Some(json!({
        "access_token": access_token,
        "token_type": token_type(home, &settings.token_header)?,
        "expires_in": seconds(home.get("expires_in")).ok()?,
        "refresh_token": refresh_token,
        "scope": scope(home.get("scope")),
        "refresh_lifetime": refresh_lifetime,
        "kept": kept,
        "unexpected": unexpected,
    }))
}

/// Bearer unless said otherwise; otherwise only if the settings say how such a token is sent (RFC 6749 7.1).
fn token_type(home: &Value, token_header: &TokenHeader) -> Option<String> {
    let said =
        home.get("token_type").and_then(Value::as_str).filter(|said| !said.is_empty()).unwrap_or("bearer");
    let configured = *token_header != TokenHeader::default();
    (configured || said.eq_ignore_ascii_case("bearer")).then(|| said.to_ascii_lowercase())
}

/// A number of seconds, however written; none if absent or zero, which mean the same (OA-31).
pub(super) fn seconds(value: Option<&Value>) -> Result<Option<u64>, ()> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match number {
        // Beyond this `f64` is not exact, and nobody lives that long.
        Some(number) if (0.0..=9e15).contains(&number) => {
            Ok(Some(number as u64).filter(|seconds| *seconds > 0))
        }
        _ => Err(()),
    }
}

/// The granted scopes, separated by spaces; none if the reply says nothing.
fn scope(value: Option<&Value>) -> Option<String> {
    let listed: Vec<&str> = match value? {
        Value::String(text) => text.split([' ', ',']).collect(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let joined = listed.into_iter().filter(|scope| !scope.is_empty()).collect::<Vec<_>>().join(" ");
    Some(joined).filter(|joined| !joined.is_empty())
}

fn kept(fields: &Map<String, Value>, provider: &Provider) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut kept, mut unexpected) = (BTreeMap::new(), Vec::new());
    for rule in &provider.settings().keep_from_token {
        let value = match fields.get(&rule.name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if rule.allows(&value) {
            kept.insert(rule.name.clone(), value);
        } else {
            unexpected.push(rule.name.clone());
        }
    }
    (kept, unexpected)
}
