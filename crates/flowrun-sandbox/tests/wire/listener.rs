//! The listener: real names, one authority, nothing else (N10).

use flowrun_sandbox::{Answer, DataCentre, Logged, ProviderName};
use http::Method;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::client::{Wire, exchange, parameter};

/// N10: every check runs on the real name, so each must hold under the authority.
#[tokio::test]
async fn every_listed_host_is_answered_under_a_certificate_for_its_real_name() {
    let wire = Wire::start().await;
    for host in wire.sandbox.hosts() {
        wire.connect(host).await.unwrap_or_else(|error| panic!("{host}: {error}"));
    }
    assert!(DataCentre::ALL.iter().all(|centre| wire.sandbox.hosts().contains(&centre.api_host())));
}

/// N10: "any other host is refused".
#[tokio::test]
async fn a_host_that_is_not_listed_gets_no_handshake() {
    let wire = Wire::start().await;
    for host in ["example.com", "teamleader.eu", "api.zoho.eu.evil.test", "127.0.0.1"] {
        assert!(wire.connect(host).await.is_err(), "{host}");
    }
}

#[tokio::test]
async fn a_request_for_another_host_than_the_connection_is_for_is_misdirected() {
    let wire = Wire::start().await;
    let mut connection = wire.connect("api.teamleader.eu").await.unwrap();
    let url = Url::parse("https://www.zohoapis.eu/crm/v8/org").unwrap();
    assert_eq!(exchange(&mut connection, Method::GET, &url, &[], "").await.status, 421);
}

#[tokio::test]
async fn a_body_larger_than_any_provider_reads_is_turned_away() {
    let wire = Wire::start().await;
    let url = "https://api.teamleader.eu/contacts.update";
    assert_eq!(wire.post_form(url, &"x".repeat(65 * 1024)).await.status, 413);
    let stats = wire.sandbox.stats(ProviderName::Teamleader);
    assert_eq!((stats.api_calls, stats.refused, wire.sandbox.requests()[0].status), (0, 1, 413));
}

#[tokio::test]
async fn it_listens_on_the_loopback_alone() {
    assert!(Wire::start().await.sandbox.address().ip().is_loopback());
}

#[tokio::test]
async fn once_stopped_it_answers_neither_new_connections_nor_old_ones() {
    let wire = Wire::start().await;
    let address = wire.sandbox.address();
    let mut connection = wire.connect("api.teamleader.eu").await.unwrap();
    wire.sandbox.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    let request = http::Request::builder().uri("/").header("host", "api.teamleader.eu").body(String::new());
    assert!(connection.send_request(request.unwrap()).await.is_err());
}

/// N10: what is remembered of a request holds no secret.
#[tokio::test]
async fn the_log_holds_method_host_path_and_status_and_no_query() {
    let wire = Wire::start().await;
    wire.get("https://api.teamleader.eu/contacts.info?id=42&token=canary", "Bearer canary").await;
    let expected = Logged {
        method: "GET".into(),
        host: "api.teamleader.eu".into(),
        path: "/contacts.info".into(),
        status: 401,
    };
    assert_eq!(wire.sandbox.requests(), [expected]);
    let stats = wire.sandbox.stats(ProviderName::Teamleader);
    assert_eq!((stats.api_calls, stats.refused), (1, 1));
}

/// Whoever logs a sandbox or its client logs no secret, not even with tokens given.
#[tokio::test]
async fn secrets_stay_out_of_debug() {
    let wire = Wire::start().await;
    let url = "https://app.intercom.com/oauth";
    let parameters = [("redirect_uri", "https://localhost/callback")];
    let callback = wire.consent(ProviderName::Intercom, url, &parameters, Answer::Allow).await.unwrap();
    let code = parameter(&callback, "code").unwrap();
    let client = wire.sandbox.client(ProviderName::Intercom);
    let shown = format!("{:?}{:#?}{client:?}", wire.sandbox, wire.sandbox);
    assert!(!shown.contains(client.secret.expose_secret()) && !shown.contains(&code), "{shown}");
}

#[tokio::test]
async fn the_authority_is_the_same_in_pem_as_in_der() {
    let wire = Wire::start().await;
    let read = CertificateDer::from_pem_slice(wire.sandbox.ca_pem().as_bytes()).unwrap();
    assert_eq!(&*read, wire.sandbox.ca_der());
    assert!(wire.sandbox.ca_pem().lines().all(|line| line.len() <= 64));
}

/// Two sandboxes at once trust nothing of each other, not even the client.
#[tokio::test]
async fn each_sandbox_has_an_authority_of_its_own() {
    let (one, other) = (Wire::start().await, Wire::start().await);
    assert_ne!(one.sandbox.ca_der(), other.sandbox.ca_der());
    assert_ne!(one.sandbox.address(), other.sandbox.address());
}

/// The sandbox's time is its clock's alone, or a reply would carry two times.
#[tokio::test]
async fn the_date_of_a_reply_is_the_clocks() {
    let wire = Wire::start().await;
    let reply = wire.get("https://api.intercom.io/me", "Bearer x").await;
    assert_eq!(reply.header("date"), "Tue, 24 Nov 2026 14:04:05 GMT");
}
