//! A client that speaks raw HTTPS to a sandbox, by real names and under its authority alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flowrun_sandbox::{Answer, ConsentError, Options, ProviderName, Sandbox};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

pub(crate) const LOOPBACK: &str = "http://127.0.0.1:4711/callback";
/// The pair of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A started sandbox, the time it thinks it is, and a way to call it.
pub(crate) struct Wire {
    pub(crate) sandbox: Sandbox,
    second: Arc<AtomicI64>,
}

/// An answer with everything a test may ask about.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {self:?}")).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and body, for a comparison at one glance.
    pub(crate) fn parts(&self) -> (u16, Value) {
        (self.status, self.json())
    }
}

impl Wire {
    pub(crate) async fn start() -> Self {
        Self::start_with(|options| options).await
    }

    /// Starts at 2026-11-24T14:04:05Z with entropy that is the same each time.
    pub(crate) async fn start_with(change: impl FnOnce(Options) -> Options) -> Self {
        let second = Arc::new(AtomicI64::new(1_795_529_045));
        let clock = Arc::clone(&second);
        let options = Options::new(
            Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap()),
            Arc::new(|bytes: &mut [u8]| bytes.fill(7)),
        );
        Self { sandbox: Sandbox::start(change(options)).await.unwrap(), second }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    /// One consent; `parameters` are added to client id and response type.
    pub(crate) async fn consent(
        &self,
        provider: ProviderName,
        url: &str,
        parameters: &[(&str, &str)],
        answer: Answer,
    ) -> Result<Url, ConsentError> {
        let mut url = Url::parse(url).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", &self.sandbox.client(provider).id)
            .append_pair("response_type", "code")
            .extend_pairs(parameters);
        self.sandbox.consent(&url, answer).await
    }

    /// One token request, with client id and secret in the body.
    pub(crate) async fn token(
        &self,
        provider: ProviderName,
        url: &str,
        parameters: &[(&str, &str)],
    ) -> Answered {
        let client = self.sandbox.client(provider);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &client.id);
        form.append_pair("client_secret", client.secret.expose_secret());
        self.post_form(url, &form.extend_pairs(parameters).finish()).await
    }

    pub(crate) async fn post_form(&self, url: &str, form: &str) -> Answered {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send(Method::POST, url, &[kind], form).await
    }

    pub(crate) async fn get(&self, url: &str, authorization: &str) -> Answered {
        self.send(Method::GET, url, &[("authorization", authorization)], "").await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answered {
        let url = Url::parse(url).unwrap();
        let mut connection = self.connect(url.host_str().unwrap()).await.unwrap();
        exchange(&mut connection, method, &url, headers, body).await
    }

    /// The last of this many GETs on one connection.
    pub(crate) async fn burst(&self, count: usize, url: &str, authorization: &str) -> Answered {
        let url = Url::parse(url).unwrap();
        let mut connection = self.connect(url.host_str().unwrap()).await.unwrap();
        let headers = [("authorization", authorization)];
        for _ in 1..count {
            exchange(&mut connection, Method::GET, &url, &headers, "").await;
        }
        exchange(&mut connection, Method::GET, &url, &headers, "").await
    }

    /// A connection under this name, checked against the sandbox's authority as a real one would be.
    pub(crate) async fn connect(&self, name: &str) -> std::io::Result<SendRequest<String>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.sandbox.ca_der().to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.sandbox.address()).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// One exchange on a connection, with the URL's host in `Host`.
pub(crate) async fn exchange(
    connection: &mut SendRequest<String>,
    method: Method,
    url: &Url,
    headers: &[(&str, &str)],
    body: &str,
) -> Answered {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = Request::builder().method(method).uri(target).header("host", url.host_str().unwrap());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    connection.ready().await.unwrap();
    let (head, body) =
        connection.send_request(request.body(body.to_owned()).unwrap()).await.unwrap().into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Answered { status: head.status.as_u16(), headers: head.headers, body }
}

/// The value of this parameter in a callback.
pub(crate) fn parameter(callback: &Url, name: &str) -> Option<String> {
    callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
