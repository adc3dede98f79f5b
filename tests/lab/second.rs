//! flowrun against a second real OAuth server, so that the first is not the measure of everything.
//!
//! The lab's provider is one reading of the RFCs; django-oauth-toolkit is another, in another language, and among the
//! most used. What both do may be relied on; `second/README.md` says what that is, and where they differ.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[expect(dead_code, reason = "the first lab says more than this one")]
#[path = "lines.rs"]
mod lines;
#[expect(dead_code, reason = "the torture asks more of it")]
#[path = "../torture/operator.rs"]
mod operator;
#[path = "second/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use operator::{Ended, Operator};
use server::{Server, Tally};
use url::{Position, Url, form_urlencoded};

const NAME: &str = "second";
const PERSONS_CLIENT: (&str, &str) = ("client: 1", "s3cret basic:/+%41");
const MACHINE_CLIENT: (&str, &str) = ("machine: 1", "s3cret machine:/+%41");
const FOUND: &str = "Their last name is Hopper.\n";

const LONG: u32 = 3600;
const PROCESSES: usize = 8;

/// An integration whose callback URL is registered, in a home of its own.
fn registered(server: &mut Server, style: &str) -> Operator {
    let operator = Operator::new();
    let [authorize, token, revoke, introspect] =
        ["authorize", "token", "revoke", "introspect"].map(|path| format!("{}/{path}", server.origin));
    let words = ["--authorize-url", &authorize, "--token-url", &token, "--scopes", "contacts"];
    let more = ["--revoke-url", &revoke, "--introspect-url", &introspect, "--auth-style", style];
    let words = [&words[..], &more].concat();
    let said = operator.register(NAME, &server.origin, PERSONS_CLIENT, &words).said();
    let callback = said.split_whitespace().find(|word| word.contains("/oauth/callback/"));
    server.allow(callback.expect("the callback URL is printed"));
    operator
}

fn authorised(server: &mut Server, style: &str) -> Operator {
    let operator = registered(server, style);
    let ended = operator.authorise(NAME, |url| server.consent(url));
    assert!(ended.stdout.contains("All set!"), "{ended:?}");
    operator
}

fn run(operator: &Operator) -> Ended {
    Ended::of(operator.flow(NAME).spawn().expect("flowrun starts"))
}

fn finds(operator: &Operator) {
    let ended = run(operator);
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(0), FOUND), "{ended:?}");
}

/// The page a browser would get, without following where it leads.
fn page(server: &Server, url: &Url) -> String {
    let head = format!("GET {} HTTP/1.0\r\nhost: {}\r\n\r\n", &url[Position::BeforePath..], url.authority());
    exchange(server, &head)
}

fn exchange(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.origin.trim_start_matches("http://")).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers");
    reply
}

/// What somebody else sends to an endpoint with the client's credentials; gives the reply.
fn post(server: &Server, path: &str, fields: &[(&str, &str)]) -> String {
    let (id, secret) = PERSONS_CLIENT;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).extend_pairs([("client_id", id), ("client_secret", secret)]);
    let (body, address) = (form.finish(), server.origin.trim_start_matches("http://"));
    let head = format!(
        "POST {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    exchange(server, &format!("{head}{body}"))
}

/// OA-9, OA-11, OA-41: the server asks for PKCE, compares redirect URIs and rotates.
#[test]
fn an_authorisation_is_good_for_every_later_process_and_each_refresh_token_is_used_once_oa_41() {
    let Some(mut server) = Server::start(LONG) else { return };
    let operator = authorised(&mut server, "body");
    for _ in 0..3 {
        finds(&operator);
        server.expire();
    }
    finds(&operator);
    let expected = Tally { codes: 1, refreshes: 3, contacts: 4, ..Tally::default() };
    assert_eq!(server.tally(), expected);
    assert_eq!(server.refresh_tokens().len(), 4, "it rotates");
}

/// OA-9, OA-11: what the next test's authorisation would not tell from a server that looks at neither.
#[test]
fn the_server_insists_on_pkce_and_on_the_registered_redirect_uri_oa_9_oa_11() {
    let Some(mut server) = Server::start(LONG) else { return };
    let operator = registered(&mut server, "body");
    let changed = |url: &Url, name: &str, value: Option<&str>| {
        let mut other = url.clone();
        let pairs = url.query_pairs().filter(|(key, _)| key != name);
        other.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
        other
    };
    operator.authorise(NAME, |url| {
        let without = page(&server, &changed(url, "code_challenge", None));
        assert!(
            without.starts_with("HTTP/1.0 302") && without.contains("error=invalid_request"),
            "{without}"
        );
        let elsewhere = page(&server, &changed(url, "redirect_uri", Some("http://127.0.0.1:1/callback")));
        assert!(elsewhere.starts_with("HTTP/1.0 400"), "{elsewhere}");
        server.consent(url)
    });
    finds(&operator);
}

/// OA-38: the server ends the family of a refresh token that comes twice, so one loser would show.
#[test]
fn many_processes_make_one_refresh_for_each_expiry_oa_38() {
    let Some(mut server) = Server::start(LONG) else { return };
    let operator = authorised(&mut server, "body");
    for expiries in 1..=3 {
        server.expire();
        thread::scope(|scope| (0..PROCESSES).for_each(|_| drop(scope.spawn(|| finds(&operator)))));
        assert_eq!((server.tally().refreshes, server.tally().invalid_grant), (expiries, 0));
    }
}

/// Nobody ends these: they end by the server's own clock.
#[test]
fn tokens_that_end_by_themselves_are_renewed_time_and_again_oa_46() {
    let Some(mut server) = Server::start(2) else { return };
    let operator = authorised(&mut server, "body");
    while server.tally().refreshes < 3 {
        finds(&operator);
    }
    assert_eq!(server.tally().invalid_grant, 0);
}

/// OA-26: the server decodes what Basic carries; sent as they are, a colon and a percent sign would name another client.
#[test]
fn credentials_with_special_characters_are_encoded_for_basic_oa_26() {
    let Some(mut server) = Server::start(LONG) else { return };
    finds(&authorised(&mut server, "basic"));
    let raw = registered(&mut server, "basic_raw");
    let ended = raw.authorise(NAME, |url| server.consent(url));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(server.tally().invalid_client, 1, "and that is what OA-26 is for");
}

/// RFC 6749 4.4, OA-53: no refresh token, and none needed.
#[test]
fn a_client_that_acts_for_itself_asks_anew_when_its_token_ends_oa_53() {
    let Some(mut server) = Server::start(LONG) else { return };
    let operator = Operator::new();
    let token = format!("{}/token", server.origin);
    let words = ["--grant", "client_credentials", "--token-url", &token, "--scopes", "contacts"];
    let words = [&words[..], &["--auth-style", "basic"]].concat();
    operator.register(NAME, &server.origin, MACHINE_CLIENT, &words);
    let ended = Ended::of(operator.authorize(NAME).spawn().expect("flowrun starts"));
    assert!(ended.stdout.contains("All set!"), "{ended:?}");
    finds(&operator);
    server.expire();
    finds(&operator);
    let expected = Tally { client_credentials: 2, contacts: 2, ..Tally::default() };
    assert_eq!(server.tally(), expected);
}

/// What ended a grant, and what flowrun says when it next needs it.
fn check_ended(end: impl FnOnce(&mut Server)) {
    let Some(mut server) = Server::start(LONG) else { return };
    let operator = authorised(&mut server, "body");
    server.expire();
    finds(&operator);
    end(&mut server);
    server.expire();
    let ended = run(&operator);
    assert!(ended.stdout.starts_with("Sorry") && ended.stderr.contains("invalid_grant"), "{ended:?}");
    assert_eq!(operator.show(NAME).state, "needs_attention(refresh_refused)");
    operator.authorise(NAME, |url| server.consent(url));
    finds(&operator);
}

/// RFC 9700 4.14.2: the reason why OA-38 and OA-45 are as strict as they are.
#[test]
fn a_replaced_refresh_token_that_comes_again_ends_the_grant_and_a_person_mends_it_oa_42() {
    check_ended(|server| {
        let first = server.refresh_tokens().remove(0);
        let reply = post(server, "/token", &[("grant_type", "refresh_token"), ("refresh_token", &first)]);
        assert!(reply.contains("invalid_grant"), "{reply}");
    });
}

/// RFC 7009: revoked by somebody else, as on the provider's own page.
#[test]
fn a_grant_that_was_revoked_is_refused_and_a_person_mends_it_oa_42() {
    check_ended(|server| {
        let last = server.refresh_tokens().pop().expect("there is one");
        let reply = post(server, "/revoke", &[("token", &last), ("token_type_hint", "refresh_token")]);
        assert!(reply.starts_with("HTTP/1.0 200"), "{reply}");
    });
}

/// OA-65, RFC 7009: what flowrun gives back is dead there, and gone here.
#[test]
fn a_grant_that_is_given_back_is_dead_at_the_server_oa_65() {
    let Some(mut server) = Server::start(LONG) else { return };
    let operator = authorised(&mut server, "basic");
    let revoke = ["integrations", "revoke", NAME, "--yes"];
    let ended = Ended::of(operator.flowrun(&revoke).spawn().expect("flowrun starts"));
    assert!(ended.status.success(), "{ended:?}");
    let last = server.refresh_tokens().pop().expect("there is one");
    let reply = post(&server, "/token", &[("grant_type", "refresh_token"), ("refresh_token", &last)]);
    assert!(reply.contains("invalid_grant"), "{reply}");
    assert_eq!(run(&operator).status.code(), Some(4));
}

/// OA-66, RFC 7662.
#[test]
fn the_server_is_asked_whether_a_token_is_still_good_oa_66() {
    let Some(mut server) = Server::start(LONG) else { return };
    let operator = authorised(&mut server, "basic");
    let check = |operator: &Operator| {
        let words = ["integrations", "check", NAME, "--remote"];
        Ended::of(operator.flowrun(&words).spawn().expect("flowrun starts"))
    };
    let good = check(&operator);
    assert!(good.stderr.contains("token of second is active"), "{good:?}");
    server.expire();
    let over = check(&operator);
    assert!(over.stderr.contains("token of second is not active"), "{over:?}");
    finds(&operator);
    assert_eq!(server.tally().refreshes, 1, "an access token that is over is renewed");
}
