//! The listener: real names, one authority, nothing else (N10).

use flowrun_sandbox::{DataCentre, Logged, ProviderName};
use http::Method;
use url::Url;

use crate::client::{Wire, exchange};

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

/// N1: what is remembered of a request holds no secret.
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
    assert!(!format!("{:?}", wire.sandbox).contains("canary"));
}

#[tokio::test]
async fn secrets_stay_out_of_debug() {
    use secrecy::ExposeSecret as _;
    let wire = Wire::start().await;
    let client = wire.sandbox.client(ProviderName::Zoho);
    let shown = format!("{:?}{client:?}", wire.sandbox);
    assert!(!shown.contains(client.secret.expose_secret()));
}
