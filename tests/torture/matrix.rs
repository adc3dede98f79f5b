//! Eight processes at once, and a token endpoint that means no good (T25): one refresh, and nothing leaks.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::operator::Ended;
use crate::place::{NAME, Place};
use crate::town::{Next, Town};

const PROCESSES: usize = 8;

/// What is made of all the zeros in a small reply: 64 MiB.
const BOMB: usize = 64 << 20;

/// What a reply leads to: the state of the integration, and whether the runs found what they looked for.
fn check(next: Next, state: &str, runs_succeed: bool) -> Place {
    let place = Place::authorised();
    place.town.expire();
    place.town.next_token(next);
    let children: Vec<_> = (0..PROCESSES).map(|_| place.start_flow()).collect();
    for ended in children.into_iter().map(Ended::of) {
        let found = ended.stdout == "Their last name is Peeters.\n";
        assert_eq!(found, runs_succeed, "{ended:?}");
        let says_sorry = ended.stdout.starts_with("Sorry") && ended.status.code() == Some(0);
        assert!(found || says_sorry || ended.status.code() == Some(4), "{ended:?}");
        assert!(!ended.said().contains("canary-") && !ended.said().contains("a secret"), "{ended:?}");
    }
    assert_eq!(place.operator.show(NAME).state, state);
    assert_eq!(place.town.refreshes(), 1, "one refresh for all of them");
    nothing_is_in_clear(&place.operator.home().join(".local"));
    nothing_is_in_clear(&place.operator.home().join(".config"));
    place
}

/// No file beneath holds a token or the client's secret as they are.
fn nothing_is_in_clear(folder: &Path) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            nothing_is_in_clear(&path);
            continue;
        }
        let bytes = fs::read(&path).expect("readable");
        let holds = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!holds("canary-") && !holds("a secret of"), "{} holds a secret", path.display());
    }
}

/// A redirect of the token endpoint to another host, which must stay unasked.
fn check_redirect(status: u16) {
    let elsewhere = Town::start();
    let header = format!("location: {}/token\r\n", elsewhere.origin());
    // The scripted provider takes a header that lives as long as the test.
    let header: &'static str = Box::leak(header.into_boxed_str());
    check(Next::Say(status, header, String::new()), "needs_attention(client_rejected)", false);
    let asked = (elsewhere.token_requests().len(), elsewhere.calls().len());
    assert_eq!(asked, (0, 0), "the refresh token and the client's secret went elsewhere");
}

#[test]
fn a_token_endpoint_that_redirects_is_not_followed_oa_28_t25() {
    check_redirect(302);
    check_redirect(307);
}

/// OA-38, OA-39: the others wait for the one that asks, and use what it brings.
#[test]
fn a_slow_token_endpoint_is_asked_once_by_eight_processes_oa_38_t25() {
    check(Next::Late(Duration::from_secs(2)), "authorized", true);
}

/// The provider has acted, and what it granted is out of reach: that is a lost reply, and is said.
#[test]
fn a_reply_that_grows_without_end_is_given_up_oa_33_t25() {
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&vec![b' '; BOMB]).expect("memory");
    let header = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    check(Next::SayBytes(200, header, zip.finish().expect("memory")), "needs_attention(reply_lost)", false);
}

#[test]
fn a_token_that_would_add_a_header_is_never_sent_oa_33_t25() {
    let body =
        r#"{"access_token":"canary-evil\r\nx-evil: 1","token_type":"bearer","refresh_token":"canary-2"}"#;
    let next = Next::Say(200, "content-type: application/json\r\n", body.to_owned());
    let place = check(next, "needs_attention(reply_lost)", false);
    assert!(place.town.calls().iter().all(|seen| !seen.head.contains("evil")));
}
