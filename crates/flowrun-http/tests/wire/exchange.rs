//! One exchange over a real connection: what is sent, what comes back, and what every failure is called.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use flowrun_http::{Client, NetworkPolicy};
use flowrun_step::{CallEffect, Effect, Exposure, Outbound, Reply, Request, StepError};
use http::Method;

use crate::provider::{Answer, Provider};
use crate::unruly::{raw, redirect, stalling};

/// A secret that no error may show.
const CANARY: &str = "CANARY-1f0e";

fn client() -> Client {
    Client::builder().policy(NetworkPolicy::cli()).build()
}

fn request(method: Method, url: &str) -> Request {
    Request { redirects: 5, timeout: Duration::from_secs(5), ..Request::new(method, url.parse().unwrap()) }
}

async fn get(url: &str) -> Result<Reply, StepError> {
    client().send(request(Method::GET, url)).await
}

/// The error and all its causes, in one line.
fn told(error: &StepError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made_and_nothing_is_added_but_the_clients_own() {
    let provider = Provider::start(|_| Answer::json(201, r#"{"id":1}"#)).await;
    let mut request = request(Method::POST, &provider.url("/contacts?x=%20y"));
    request.headers.insert("x-request-id", "7".parse().unwrap());
    request.body = Bytes::from_static(b"{}");
    let reply = client().send(request).await.unwrap();
    assert_eq!((reply.status.as_u16(), &reply.body[..]), (201, &b"{\"id\":1}"[..]));
    let seen = provider.seen().concat();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    lines.sort_unstable();
    let host = format!("host: {}", provider.address);
    let agent = concat!("user-agent: flowrun/", env!("CARGO_PKG_VERSION"));
    let expected = [
        "POST /contacts?x=%20y HTTP/1.1",
        "accept-encoding: gzip",
        "accept: */*",
        "content-length: 2",
        &host,
        agent,
        "x-request-id: 7",
    ];
    assert_eq!((lines, body), (expected.to_vec(), "{}"));
}

#[tokio::test]
async fn an_empty_post_says_that_it_is_empty() {
    let provider = Provider::start(|_| Answer::of(204, &[], "")).await;
    client().send(request(Method::POST, &provider.url("/"))).await.unwrap();
    assert!(provider.seen()[0].contains("content-length: 0"), "{:?}", provider.seen());
}

#[tokio::test]
async fn any_status_is_a_reply() {
    for status in [200, 204, 304, 401, 404, 429, 503] {
        let provider = Provider::start(move |_| Answer::of(status, &[], "")).await;
        assert_eq!(get(&provider.url("/")).await.unwrap().status.as_u16(), status);
    }
}

#[tokio::test]
async fn a_gzip_body_is_unpacked() {
    let packed = gzip(b"hello");
    let provider = Provider::start(move |_| Answer::of(200, &[("content-encoding", "gzip")], &packed)).await;
    assert_eq!(get(&provider.url("/")).await.unwrap().body, "hello");
}

#[tokio::test]
async fn a_gzip_bomb_is_too_large_before_it_is_unpacked_whole_n8() {
    let packed = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(packed.len() < 100_000, "small on the wire");
    let provider = Provider::start(move |_| Answer::of(200, &[("content-encoding", "gzip")], &packed)).await;
    let error = get(&provider.url("/")).await.unwrap_err();
    assert_eq!(told(&error), "the reply of 127.0.0.1 is larger than 1048576 bytes");
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    for (size, fits) in [(10, true), (11, false)] {
        let provider = Provider::start(move |_| Answer::of(200, &[], "x".repeat(size))).await;
        let request = Request { max_bytes: 10, ..request(Method::GET, &provider.url("/")) };
        assert_eq!(client().send(request).await.is_ok(), fits, "{size}");
    }
}

#[tokio::test]
async fn a_body_packed_in_another_way_is_said_not_to_be_understood() {
    let provider = Provider::start(|_| Answer::of(200, &[("content-encoding", "br")], "?")).await;
    let error = get(&provider.url("/")).await.unwrap_err();
    assert_eq!(told(&error), "the reply of 127.0.0.1 is compressed with something else than gzip");
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_leaves_unsafe_calls_in_doubt() {
    let stalls = ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"];
    for stall in stalls {
        for (method, effect) in [(Method::GET, CallEffect::None), (Method::POST, CallEffect::Unknown)] {
            let provider = Provider::start(move |_| stalling(stall)).await;
            let limit = Duration::from_millis(200);
            let request = Request { timeout: limit, ..request(method, &provider.url("/")) };
            let error = client().send(request).await.unwrap_err();
            assert_eq!(told(&error), "no answer from 127.0.0.1 within 200ms");
            assert_eq!(error.effect(), effect, "{stall:?}");
        }
    }
}

#[tokio::test]
async fn a_port_nobody_listens_at_is_no_connection_and_nothing_was_sent() {
    let url = format!("http://127.0.0.1:1/?token={CANARY}");
    let error = client().send(request(Method::POST, &url)).await.unwrap_err();
    assert!(matches!(error, StepError::Connect { .. }), "{error:?}");
    assert_eq!(error.effect(), CallEffect::None);
    assert!(!told(&error).contains(CANARY) && !format!("{error:?}").contains(CANARY), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_effect_unknown_and_shows_no_url() {
    for broken in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "no http at all\r\n\r\n"] {
        let provider = Provider::start(move |_| raw(broken)).await;
        let url = provider.url(&format!("/{CANARY}?token={CANARY}"));
        let error = client().send(request(Method::POST, &url)).await.unwrap_err();
        assert!(matches!(error, StepError::Broken { .. }), "{broken:?}: {error:?}");
        assert_eq!(error.effect(), CallEffect::Unknown);
        assert!(!told(&error).contains(CANARY) && !format!("{error:?}").contains(CANARY), "{error:?}");
    }
}

#[tokio::test]
async fn a_name_nobody_knows_is_no_connection() {
    let error = get("http://nobody.invalid/").await.unwrap_err();
    assert!(matches!(error, StepError::Connect { .. }), "{error:?}");
    assert_eq!(error.to_string(), "no connection to nobody.invalid");
}

#[tokio::test]
async fn a_request_that_must_not_be_sent_is_refused_whoever_made_it() {
    for (url, header, refusal) in [
        ("ftp://a.example/", None, "the URL is neither http nor https"),
        ("data:text/plain,x", None, "the URL is neither http nor https"),
        ("https://user:pw@a.example/", None, "the URL of a.example has a user or password in it"),
        ("https://a.example/", Some("host"), "the header host is set by flowrun itself"),
        ("http://a.example/", Some("authorization"), "a credential never goes to a.example over plain http"),
        ("http://10.0.0.1/", Some("x-api-key"), "a credential never goes to 10.0.0.1 over plain http"),
    ] {
        let mut request = request(Method::GET, url);
        header.map(|name| request.headers.insert(name, "x".parse().unwrap()));
        let error = client().send(request).await.unwrap_err();
        assert_eq!(told(&error), refusal, "{url}");
        assert!(error.help().is_some_and(|help| !help.is_empty()), "{url}");
    }
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_origin_with_every_header_n7() {
    let provider = Provider::start(|request| match request.starts_with("GET /a") {
        true => redirect(302, "/b?x=1"),
        false => Answer::json(200, "1"),
    });
    let provider = provider.await;
    let mut request = request(Method::GET, &provider.url("/a"));
    request.headers.insert("authorization", format!("Bearer {CANARY}").parse().unwrap());
    let reply = client().send(request).await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.url.as_str()), (200, provider.url("/b?x=1").as_str()));
    assert!(provider.seen()[1].contains(CANARY));
}

#[tokio::test]
async fn across_an_origin_the_authors_headers_stay_behind() {
    let other = Provider::start(|_| Answer::json(200, "1")).await;
    let to = other.url("/b");
    let provider = Provider::start(move |_| redirect(302, &to)).await;
    let mut request = request(Method::GET, &provider.url("/a"));
    for (name, value) in [("accept", "text/x-kept"), ("x-tenant", CANARY), ("x-request-id", CANARY)] {
        request.headers.insert(name, value.parse().unwrap());
    }
    client().send(request).await.unwrap();
    let seen = other.seen().concat();
    assert!(seen.contains("text/x-kept") && !seen.contains(CANARY), "{seen}");
    assert!(!seen.contains("referer"), "{seen}");
}

#[tokio::test]
async fn a_credential_never_crosses_an_origin_not_even_a_port() {
    for (status, header) in
        [(301, "authorization"), (302, "cookie"), (303, "x-api-key"), (307, "x-auth-token")]
    {
        let other = Provider::start(|_| Answer::json(200, "1")).await;
        let to = other.url("/b");
        let provider = Provider::start(move |_| redirect(status, &to)).await;
        let mut request = request(Method::GET, &provider.url("/a"));
        request.headers.insert(header, CANARY.parse().unwrap());
        let error = client().send(request).await.unwrap_err();
        let refusal = "127.0.0.1 redirects to 127.0.0.1, and a credential never goes to another origin";
        assert_eq!(told(&error), refusal);
        assert!(other.seen().is_empty(), "{header}");
    }
}

#[tokio::test]
async fn a_credential_that_others_attached_does_not_cross_either() {
    let other = Provider::start(|_| Answer::json(200, "1")).await;
    let to = other.url("/b");
    let provider = Provider::start(move |_| redirect(302, &to)).await;
    let exposed = Request { exposure: Exposure::Credential, ..request(Method::GET, &provider.url("/a")) };
    assert!(client().send(exposed).await.is_err());
    let mut marked = request(Method::GET, &provider.url("/a"));
    let mut value = http::HeaderValue::from_static("plain-looking");
    value.set_sensitive(true);
    marked.headers.insert("x-plain", value);
    assert!(client().send(marked).await.is_err());
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn redirects_end_where_the_author_says() {
    for (redirects, followed, refusal) in
        [(0, 1, None), (2, 3, Some("127.0.0.1 redirects more than 2 times"))]
    {
        let provider = Provider::start(|_| redirect(302, "/again")).await;
        let request = Request { redirects, ..request(Method::GET, &provider.url("/")) };
        let outcome = client().send(request).await;
        assert_eq!(provider.seen().len(), followed);
        match refusal {
            Some(refusal) => assert_eq!(told(&outcome.unwrap_err()), refusal),
            None => assert_eq!(outcome.unwrap().status.as_u16(), 302),
        }
    }
}

#[tokio::test]
async fn an_endless_time_limit_is_a_long_one() {
    let provider = Provider::start(|_| Answer::json(200, "1")).await;
    let request = Request { timeout: Duration::MAX, ..request(Method::GET, &provider.url("/")) };
    assert!(client().send(request).await.is_ok());
}

#[tokio::test]
async fn all_hops_share_one_time_limit() {
    let provider = Provider::start(|request| match request.starts_with("GET /slow") {
        true => stalling(""),
        false => redirect(302, "/slow"),
    });
    let limit = Duration::from_millis(200);
    let request = Request { timeout: limit, ..request(Method::GET, &provider.await.url("/")) };
    let error = client().send(request).await.unwrap_err();
    assert_eq!(told(&error), "no answer from 127.0.0.1 within 200ms");
}

#[tokio::test]
async fn a_post_whose_second_hop_finds_nobody_may_have_been_done() {
    let provider = Provider::start(|_| redirect(303, "http://127.0.0.1:1/")).await;
    let error = client().send(request(Method::POST, &provider.url("/"))).await.unwrap_err();
    assert_eq!(error.effect(), CallEffect::Unknown, "{error:?}");
    let safe = Request { effect: Effect::Safe, ..request(Method::POST, &provider.url("/")) };
    assert_eq!(client().send(safe).await.unwrap_err().effect(), CallEffect::None);
}

#[tokio::test]
async fn no_cookie_is_kept_between_requests_n7() {
    let provider = Provider::start(|_| Answer::of(200, &[("set-cookie", "session=1; Path=/")], "")).await;
    let client = client();
    for _ in 0..2 {
        client.send(request(Method::GET, &provider.url("/"))).await.unwrap();
    }
    assert!(!provider.seen().concat().to_lowercase().contains("cookie"));
}
