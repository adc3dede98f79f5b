//! HTTPS: whom a client trusts, and that it is the real name which is proven.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowrun_http::Client;
use flowrun_step::{Outbound, Request, StepError};
use http::Method;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A listener with a certificate for `name`, and the authority behind it in PEM form.
async fn listen(name: &str) -> (SocketAddr, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let text = STANDARD.encode(authority.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(answer(listener, TlsAcceptor::from(Arc::new(config))));
    (address, pem)
}

async fn answer(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        // A client that does not trust us ends the handshake.
        let Ok(mut stream) = acceptor.accept(stream).await else { continue };
        if stream.read(&mut [0; 4096]).await.is_ok() {
            let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(reply).await.unwrap();
        }
    }
}

fn request(url: &str) -> Request {
    let mut request = Request::new(Method::GET, url.parse().unwrap());
    request.headers.insert("authorization", "Bearer x".parse().unwrap());
    request
}

#[tokio::test]
async fn a_pinned_name_is_proven_by_the_trusted_authority_n10() {
    let (address, pem) = listen("api.teamleader.eu").await;
    let client = Client::builder().names([("api.teamleader.eu", address)]).trust_ca(&pem).unwrap().build();
    assert_eq!(client.send(request("https://api.teamleader.eu/me")).await.unwrap().body, "ok");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_no_connection() {
    let (address, pem) = listen("evil.example").await;
    let client = Client::builder().names([("api.teamleader.eu", address)]).trust_ca(&pem).unwrap().build();
    let error = client.send(request("https://api.teamleader.eu/me")).await.unwrap_err();
    assert!(matches!(error, StepError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn an_authority_nobody_trusts_is_no_connection() {
    let (address, _) = listen("api.teamleader.eu").await;
    let (_, stranger) = listen("api.teamleader.eu").await;
    for builder in [Client::builder(), Client::builder().trust_ca(&stranger).unwrap()] {
        let client = builder.names([("api.teamleader.eu", address)]).build();
        let error = client.send(request("https://api.teamleader.eu/me")).await.unwrap_err();
        assert!(matches!(error, StepError::Connect { .. }), "{error:?}");
    }
}

#[test]
fn a_text_that_is_no_certificate_is_refused_at_once() {
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Client::builder().trust_ca(pem).is_err(), "{pem:?}");
    }
}
