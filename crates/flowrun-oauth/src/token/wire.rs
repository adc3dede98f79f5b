//! Between the `oauth2` crate and the caller's exchange: what the crate cannot say, and what it would not accept.
//!
//! Outward, a request is given the provider's body format and Basic dialect. Inward, a reply is classified while its
//! status and headers are still there, and made strict, so that the crate never refuses what providers really send.
//! The crate's own errors are dropped unseen: `Parse` carries the reply's bytes, tokens among them.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, header};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, RequestTokenError, StandardRevocableToken, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{
    TokenEndpoint,
    error::{Class, Endpoint, TokenError},
    reply::{self, Fields, Refusal, Reply},
};
use crate::{
    exchange::{BoxFuture, ExchangeErrorKind},
    settings::{AuthStyle, BodyFormat},
};

type OauthClient = oauth2::Client<
    BasicErrorResponse,
    Reply,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What a request asks for; it decides what a lost reply may have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    Code,
    Refresh,
    ClientCredentials,
    /// A device's codes.
    Device,
    /// Whether a person has decided about a device.
    Decision,
    Revocation,
    Introspection,
}

impl Asking {
    fn endpoint(self) -> Endpoint {
        match self {
            Self::Code | Self::Refresh | Self::ClientCredentials | Self::Decision => Endpoint::Token,
            Self::Device => Endpoint::Device,
            Self::Revocation => Endpoint::Revocation,
            Self::Introspection => Endpoint::Introspection,
        }
    }
}

/// One request's way out and its reply's way in.
pub(super) struct Wire<'a> {
    endpoint: TokenEndpoint<'a>,
    url: Url,
    asking: Asking,
    /// What the request holds that no error may repeat.
    secrets: Vec<&'a str>,
}

impl<'a> Wire<'a> {
    pub(super) fn new(endpoint: TokenEndpoint<'a>, url: Url, asking: Asking, secrets: Vec<&'a str>) -> Self {
        let mut wire = Self { endpoint, url, asking, secrets };
        wire.secrets.extend(endpoint.client.secret.as_ref().map(ExposeSecret::expose_secret));
        wire
    }

    /// The `oauth2` crate's client for this request.
    pub(super) fn client(&self) -> OauthClient {
        let auth_type = match self.endpoint.provider.settings().auth_style {
            AuthStyle::Basic | AuthStyle::BasicRaw => AuthType::BasicAuth,
            AuthStyle::Body | AuthStyle::None => AuthType::RequestBody,
        };
        let client = oauth2::Client::new(ClientId::new(self.endpoint.client.id.clone()))
            .set_auth_type(auth_type)
            .set_token_uri(TokenUrl::from_url(self.url.clone()));
        match self.secret() {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_owned())),
            None => client,
        }
    }

    fn secret(&self) -> Option<&str> {
        let secret = self.endpoint.client.secret.as_ref().map(ExposeSecret::expose_secret);
        secret.filter(|_| self.endpoint.provider.settings().auth_style != AuthStyle::None)
    }

    /// An error of `class` here, nothing else being known.
    pub(super) fn error(&self, class: Class) -> TokenError {
        TokenError { endpoint: self.asking.endpoint(), ..TokenError::new(class, &self.url) }
    }

    /// The error behind the `oauth2` crate's error, which is never looked at otherwise.
    pub(super) fn failed(&self, error: RequestTokenError<TokenError, BasicErrorResponse>) -> TokenError {
        match error {
            RequestTokenError::Request(error) => error,
            _ => self.error(Class::Malformed),
        }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TokenError> {
        let reply = self.send(request).await?;
        reply::strict(&reply, self.endpoint.provider, &self.secrets).map_err(|refusal| self.refused(refusal))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TokenError> {
        let request = self.dress(request).ok_or_else(|| self.error(Class::Client))?;
        self.endpoint.exchange.exchange(request).await.map_err(|error| {
            let class = self.class_of(error.kind);
            TokenError { source: Some(Box::new(error)), ..self.error(class) }
        })
    }

    fn refused(&self, refusal: Refusal) -> TokenError {
        refusal.into_error(self.error(Class::Malformed))
    }

    /// Asks with a form for which the `oauth2` crate has no request; the reply's fields, if it is no refusal.
    pub(super) async fn post(&self, form: &[(&str, &str)]) -> Result<Fields, TokenError> {
        let request = self.form(form).ok_or_else(|| self.error(Class::Client))?;
        let reply = self.send(request).await?;
        reply::accepted(&reply, &self.secrets).map_err(|refusal| self.refused(refusal))
    }

    /// Asks the token endpoint with such a form; a strict reply, as the `oauth2` crate would read it.
    pub(super) async fn grant(&self, form: &[(&str, &str)]) -> Result<Reply, TokenError> {
        let request = self.form(form).ok_or_else(|| self.error(Class::Client))?;
        let reply = self.exchange(request).await?;
        serde_json::from_slice(reply.body()).map_err(|_| self.error(Class::Malformed))
    }

    /// A form with the client's credentials, as the `oauth2` crate would send it.
    fn form(&self, form: &[(&str, &str)]) -> Option<HttpRequest> {
        let settings = self.endpoint.provider.settings();
        let id = &self.endpoint.client.id;
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request = http::Request::post(self.url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match (settings.auth_style, self.secret()) {
            (AuthStyle::Basic | AuthStyle::BasicRaw, Some(secret)) => {
                // RFC 6749 2.3.1: form-encoded before it is joined (OA-26).
                let encoded =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let credentials = BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
                request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
            }
            (_, secret) => {
                body.append_pair("client_id", id);
                body.extend_pairs(secret.map(|secret| ("client_secret", secret)));
            }
        }
        request.body(body.finish().into_bytes()).ok()
    }

    /// What having no reply means (OA-44, OA-45).
    fn class_of(&self, kind: ExchangeErrorKind) -> Class {
        let may_cost = match self.asking {
            Asking::Code => true,
            // A refresh token that is never replaced can be sent again.
            Asking::Refresh => self.endpoint.provider.settings().rotates,
            // A decision that was lost is still asked for, and a device code that was used says so.
            _ => false,
        };
        match kind {
            ExchangeErrorKind::Refused => Class::Forbidden,
            ExchangeErrorKind::Unreachable => Class::Transient { retry_after: None },
            _ if may_cost => Class::Ambiguous,
            ExchangeErrorKind::TooLarge => Class::Malformed,
            ExchangeErrorKind::TimedOut | ExchangeErrorKind::ReplyLost => {
                Class::Transient { retry_after: None }
            }
        }
    }

    /// Gives a request the provider's body format and Basic dialect.
    fn dress(&self, mut request: HttpRequest) -> Option<HttpRequest> {
        let settings = self.endpoint.provider.settings();
        if settings.body_format == BodyFormat::Json {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
            *request.body_mut() = json_of_form(request.body());
        }
        if let (AuthStyle::BasicRaw, Some(secret)) = (settings.auth_style, self.secret()) {
            let credentials = BASE64_STANDARD.encode(format!("{}:{secret}", self.endpoint.client.id));
            let value = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        if let Some(value) = request.headers_mut().get_mut(header::AUTHORIZATION) {
            value.set_sensitive(true);
        }
        Some(request)
    }
}

/// A form as a JSON object of texts; a name that repeats (RFC 8707's `resource`) becomes a list.
fn json_of_form(form: &[u8]) -> Vec<u8> {
    let mut object = Map::new();
    for (name, value) in form_urlencoded::parse(form) {
        let value = Value::String(value.into_owned());
        match object.get_mut(name.as_ref()) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => drop(object.insert(name.into_owned(), value)),
        }
    }
    Value::Object(object).to_string().into_bytes()
}

// Without a bound between the two lifetimes: with one, no future that holds this could be `Send`.
impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = TokenError;
    type Future = BoxFuture<'c, Result<HttpResponse, TokenError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}
