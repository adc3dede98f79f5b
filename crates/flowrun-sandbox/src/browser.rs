//! A person at a browser, as far as the consent page needs one.
//!
//! It opens the page over TLS, reads its form, keeps its cookie, sends the answer and reads where it is
//! redirected to. It takes no way around the listener, so what works here works in a browser.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::{DataCentre, hosts};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// More than any page of the sandbox.
const PAGE_LIMIT: usize = 256 * 1024;

/// What the person does on the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Clicks "Allow".
    Allow,
    /// Clicks "Allow" at Zoho, with an account that lives in this data centre.
    AllowFrom(DataCentre),
    /// Clicks "Deny".
    Deny,
}

/// Why the walk over the consent page did not end at a callback.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The authorization URL does not name a host of the sandbox over https.
    #[error("`{0}` is not a host of the sandbox")]
    NotOurs(String),
    /// The listener could not be reached or broke the connection.
    #[error("the sandbox cannot be reached")]
    Unreachable(#[source] BoxError),
    /// The page offers no account in that data centre.
    #[error("the consent page offers no account in data centre `{}`", .0.location())]
    NoSuchAccount(DataCentre),
    /// The provider showed an error page instead of the consent page or the redirect.
    #[error("the provider refused the authorization request with status {status}: {words}")]
    Refused {
        /// The status of the page.
        status: u16,
        /// What the page says.
        words: String,
    },
}

/// A browser that finds every host at one address.
pub(crate) struct Browser {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
}

impl Browser {
    /// Opens the page, answers it, and gives the callback it leads to.
    pub(crate) async fn consent(&self, authorize: &Url, answer: Answer) -> Result<Url, ConsentError> {
        let name = authorize.host_str().unwrap_or_default();
        let ours = hosts::find(name).filter(|_| authorize.scheme() == "https" && authorize.port().is_none());
        let (host, _) = ours.ok_or_else(|| ConsentError::NotOurs(name.to_owned()))?;
        let target = &authorize[url::Position::BeforePath..url::Position::AfterQuery];
        let opened = self.send(host, request(host, target)).await?;
        if opened.status() != StatusCode::OK {
            return Err(refused(&opened));
        }
        let answer = answered(host, authorize.path(), &opened, fill_in(opened.body(), answer)?);
        callback(&self.send(host, answer).await?)
    }

    async fn send(
        &self,
        host: &'static str,
        request: Request<String>,
    ) -> Result<Response<String>, ConsentError> {
        self.exchange(host, request).await.map_err(ConsentError::Unreachable)
    }

    async fn exchange(
        &self,
        host: &'static str,
        request: Request<String>,
    ) -> Result<Response<String>, BoxError> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(host)?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // The sender goes when the exchange is over, and the connection with it.
        let exchange = async move {
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, PAGE_LIMIT).collect().await?.to_bytes();
            Ok(Response::from_parts(head, String::from_utf8_lossy(&body).into_owned()))
        };
        // A connection that breaks is the exchange's failure too.
        let (answered, _) = tokio::join!(exchange, connection);
        answered
    }
}

fn request(host: &'static str, target: &str) -> Request<String> {
    let mut request = Request::new(String::new());
    *request.uri_mut() = target.parse().unwrap_or_default();
    request.headers_mut().insert(header::HOST, HeaderValue::from_static(host));
    request
}

/// The form sent back to the page it came from, with the page's cookie.
fn answered(host: &'static str, path: &str, page: &Response<String>, form: String) -> Request<String> {
    let mut request = request(host, path);
    *request.method_mut() = Method::POST;
    *request.body_mut() = form;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    if let Some(cookie) = page.headers().get(header::SET_COOKIE) {
        let pair = cookie.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        request.headers_mut().extend(HeaderValue::from_bytes(pair).map(|pair| (header::COOKIE, pair)));
    }
    request
}

/// The form with its hidden token, the account of choice, and the button that was clicked.
fn fill_in(page: &str, answer: Answer) -> Result<String, ConsentError> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let csrf = between(page, "name=\"csrf\" value=\"", "\"").unwrap_or_default();
    form.append_pair("csrf", csrf);
    // A browser sends the first option of a choice that was not touched.
    let account = match answer {
        Answer::AllowFrom(centre) if page.contains(&format!("<option value=\"{}\">", centre.location())) => {
            Some(centre.location())
        }
        Answer::AllowFrom(centre) => return Err(ConsentError::NoSuchAccount(centre)),
        Answer::Allow | Answer::Deny => between(page, "<option value=\"", "\""),
    };
    if let Some(account) = account {
        form.append_pair("account", account);
    }
    form.append_pair("answer", if answer == Answer::Deny { "deny" } else { "allow" });
    Ok(form.finish())
}

fn callback(answered: &Response<String>) -> Result<Url, ConsentError> {
    let location = answered.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let callback = location.and_then(|location| Url::parse(location).ok());
    callback.filter(|_| answered.status() == StatusCode::SEE_OTHER).ok_or_else(|| refused(answered))
}

fn refused(page: &Response<String>) -> ConsentError {
    let words = between(page.body(), "<p id=\"reason\">", "</p>").unwrap_or("no reason given");
    ConsentError::Refused { status: page.status().as_u16(), words: words.to_owned() }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(between, _)| between)
}
