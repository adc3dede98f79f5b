//! What a client learns of a service's rate limit holds for every call of that account (L-10).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use flowrun_http::{Client, NetworkPolicy};
use flowrun_step::{Asker, IntegrationName, Outbound, Reply, Request, StepError};
use tokio::time::{advance, pause, resume};

use crate::provider::{Answer, Provider};

fn client() -> Client {
    Client::builder().policy(NetworkPolicy::cli()).build()
}

/// A service that answers its first request so, and every other well.
async fn limited(status: u16, headers: &'static [(&'static str, &'static str)]) -> Provider {
    let first = std::sync::atomic::AtomicBool::new(true);
    Provider::start(move |_| match first.swap(false, std::sync::atomic::Ordering::SeqCst) {
        true => Answer::of(status, headers, "{}"),
        false => Answer::json(200, "{}"),
    })
    .await
}

fn request(provider: &Provider, integration: Option<&str>) -> Request {
    let mut request = Request::new(http::Method::GET, provider.url("/x").parse().unwrap());
    let integration = integration.map(|name| IntegrationName::new(name).unwrap());
    request.asker = Asker { step: "get".to_owned(), integration, ..Asker::default() };
    request
}

async fn status(sent: impl Future<Output = Result<Reply, StepError>>) -> u16 {
    sent.await.unwrap().status.as_u16()
}

/// Whether a call is still on its way once it was looked at.
async fn waits<T>(call: &mut Pin<&mut impl Future<Output = T>>) -> bool {
    poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await
}

/// A reply; whether the next call waits until half a minute is over.
async fn check(status_code: u16, headers: &'static [(&'static str, &'static str)], expected: bool) {
    let (provider, client) = (limited(status_code, headers).await, client());
    assert_eq!(status(client.send(request(&provider, None))).await, status_code);
    let mut next = pin!(client.send(request(&provider, None)));
    if !expected {
        assert_eq!(status(next).await, 200, "{headers:?}");
        return;
    }
    pause();
    assert!(waits(&mut next).await, "{headers:?}");
    advance(Duration::from_secs(29)).await;
    assert!(waits(&mut next).await, "{headers:?}");
    assert_eq!(provider.seen().len(), 1, "{headers:?}");
    advance(Duration::from_millis(1_001)).await;
    resume();
    assert_eq!(status(next).await, 200, "{headers:?}");
}

#[tokio::test]
async fn the_next_call_waits_as_long_as_a_reply_says_l_10() {
    check(429, &[("retry-after", "30")], true).await;
    check(429, &[("x-ratelimit-reset", "30"), ("x-ratelimit-remaining", "0")], true).await;
    check(200, &[("ratelimit", "\"default\";r=0;t=30")], true).await;
    check(403, &[("retry-after", "30")], true).await;
    check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")], true).await;
}

#[tokio::test]
async fn a_reply_that_leaves_calls_or_says_no_moment_holds_nobody_up() {
    check(429, &[], false).await;
    check(403, &[], false).await;
    check(503, &[("retry-after", "30")], false).await;
    check(200, &[("ratelimit-remaining", "1"), ("ratelimit-reset", "30")], false).await;
}

#[tokio::test]
async fn other_hosts_and_other_accounts_are_not_slowed_and_the_wall_is_met_once() {
    let (limited, other) = (limited(429, &[("retry-after", "60")]).await, limited(200, &[]).await);
    let client = client();
    assert_eq!(status(client.send(request(&limited, Some("crm")))).await, 429);
    let clone = client.clone();
    let mut calls: Vec<_> = (0..5).map(|_| Box::pin(clone.send(request(&limited, Some("CRM"))))).collect();
    for call in &mut calls {
        assert!(waits(&mut Pin::new(call)).await);
    }
    assert_eq!(status(client.send(request(&other, Some("crm")))).await, 200);
    assert_eq!(status(client.send(request(&limited, Some("shop")))).await, 200);
    assert_eq!(status(client.send(request(&limited, None))).await, 200);
    assert_eq!(limited.seen().len(), 3);
    pause();
    advance(Duration::from_secs(61)).await;
    resume();
    for call in calls {
        assert_eq!(status(call).await, 200);
    }
    assert_eq!(limited.seen().len(), 8);
}

#[tokio::test]
async fn a_step_that_cannot_wait_so_long_fails_at_once_and_says_why() {
    let (provider, client) = (limited(429, &[("retry-after", "60")]).await, client());
    assert_eq!(status(client.send(request(&provider, None))).await, 429);
    let mut late = request(&provider, None);
    late.asker.left = Some(Duration::from_secs(5));
    let error = client.send(late).await.unwrap_err();
    let words = "127.0.0.1 takes no more calls for 60s, and this step waits 5s at most";
    assert_eq!(error.to_string(), words);
    assert_eq!((error.status(), error.retry_after()), (Some(429), Some(Duration::from_secs(60))));
    assert_eq!(provider.seen().len(), 1);
}
