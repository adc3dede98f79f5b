//! A provider that no preset knows, as an operator describes, uses and leaves it in the terminal.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "loopback.rs"]
mod loopback;
#[path = "person.rs"]
mod person;

use std::sync::{Arc, Mutex};

use loopback::{Request, reply, serve};
use person::{Ended, Person};

/// A provider that grants whatever it is asked, and answers everything else so.
struct Provider {
    origin: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Provider {
    fn answering(status: &'static str, headers: &'static str, body: &'static str) -> Self {
        let asked = Arc::<Mutex<Vec<Request>>>::default();
        let log = Arc::clone(&asked);
        let origin = serve(move |request| {
            log.lock().expect("whole").push(request.clone());
            if request.is("POST /token") {
                return reply("200 OK", "", r#"{"access_token":"canary-access-token","expires_in":3600}"#);
            }
            reply(status, headers, body)
        });
        Self { origin, asked }
    }

    /// The first lines of the requests that were no token requests, and their bodies.
    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("whole");
        let others = asked.iter().filter(|request| !request.is("POST /token"));
        others
            .map(|request| format!("{} {}", request.head.lines().next().unwrap_or_default(), request.body))
            .collect()
    }
}

/// Somebody who has everything traced (T4) and the client's secret in a file.
fn somebody() -> Person {
    let person = Person::new(&[("FLOWRUN_LOG", "trace")]);
    person.write("secret", "canary-client-secret");
    person
}

/// An integration that acts for itself, described with these words besides, and authorised.
fn authorised(provider: &Provider, words: &[&str]) -> Person {
    let person = somebody();
    let token = format!("{}/token", provider.origin);
    let add = ["integrations", "add", "crm", "--grant", "client_credentials", "--token-url", &token];
    let client = ["--client-id", "me", "--client-secret-file", "secret"];
    let added = person.flowrun(&[&add[..], &client, words].concat());
    assert_eq!(added.code, Some(0), "{added:?}");
    let done = person.flowrun(&["integrations", "authorize", "crm"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    person
}

fn state(person: &Person) -> String {
    let shown = person.flowrun(&["integrations", "show", "crm"]).stdout;
    let line = shown.lines().find_map(|line| line.strip_prefix("state"));
    line.expect("its state is shown").trim().to_owned()
}

fn assert_says(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for words in words {
        assert!(ended.stderr.contains(words), "`{words}` is not in {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("canary") && !ended.stdout.contains("canary"), "{ended:?}");
}

/// OA-65: the token goes back, and nothing of it stays.
#[test]
fn a_grant_is_revoked_at_the_provider_and_here() {
    let provider = Provider::answering("200 OK", "", "");
    let person = authorised(&provider, &["--revoke-url", &format!("{}/revoke", provider.origin)]);
    let revoked = person.flowrun(&["integrations", "revoke", "crm", "--yes"]);
    assert_says(&revoked, 0, &["`crm` is revoked; its tokens are destroyed here", "TRACE"]);
    let [asked] = &provider.asked()[..] else { panic!("{:?}", provider.asked()) };
    assert!(asked.starts_with("POST /revoke HTTP/1.1 token=canary-access-token&"), "{asked}");
    assert_eq!(state(&person), "needs_attention(revoked)");
}

/// OA-65, RFC 7009 2.2.1: what the provider did not do is said, with its own patience and what is left to do by hand.
#[test]
fn a_grant_that_the_provider_does_not_revoke_is_gone_here_and_that_is_said() {
    let provider = Provider::answering("503 Busy", "retry-after: 3600\r\n", "");
    let person = authorised(&provider, &["--revoke-url", &format!("{}/revoke", provider.origin)]);
    let revoked = person.flowrun(&["integrations", "revoke", "crm", "--yes"]);
    let said = [
        "error: the provider did not revoke the grant of `crm`, though its tokens are destroyed here",
        "cannot answer now; it asks to be asked again in 3600 s",
        "= help: sign in at 127.0.0.1",
    ];
    assert_says(&revoked, 1, &said);
    assert_eq!((provider.asked().len(), state(&person).as_str()), (1, "needs_attention(revoked)"));
}

/// OA-65: where nobody can be asked, a person is told what to do.
#[test]
fn a_provider_without_a_revocation_endpoint_is_left_by_hand() {
    let provider = Provider::answering("500 No", "", "");
    let person = authorised(&provider, &[]);
    let revoked = person.flowrun(&["integrations", "revoke", "crm", "--yes"]);
    let said = ["no revocation endpoint is known for `crm`", "still lists the grant: sign in at 127.0.0.1"];
    assert_says(&revoked, 0, &said);
    assert_eq!((provider.asked().len(), state(&person).as_str()), (0, "needs_attention(revoked)"));
}

/// OA-66, OA-67: what is not known of a provider is asked for by the option that says it.
#[test]
fn an_endpoint_that_is_not_known_is_asked_for_by_its_option() {
    let provider = Provider::answering("500 No", "", "");
    let person = authorised(&provider, &[]);
    let remote = person.flowrun(&["integrations", "check", "crm", "--remote"]);
    assert_says(&remote, 1, &["flowrun integrations edit crm --introspect-url URL"]);
    let nobody = person.flowrun(&["integrations", "check", "--remote"]);
    assert_says(&nobody, 2, &["<NAME>"]);
    let add = ["integrations", "add", "tv", "--client-id", "me", "--client-secret-file", "secret"];
    let addresses = ["--authorize-url", "https://a.example/a", "--token-url", "https://a.example/t"];
    assert_eq!(person.flowrun(&[&add[..], &addresses].concat()).code, Some(0));
    let device = person.flowrun(&["integrations", "authorize", "tv", "--device"]);
    assert_says(&device, 1, &["flowrun integrations edit tv --device-url URL"]);
}

/// OA-67, T4: what is there to be typed is shown; what buys the grant is not, however much is traced.
#[test]
fn a_device_shows_its_code_and_where_to_type_it_and_no_more() {
    let codes = r#"{"device_code":"canary-device-code","user_code":"WDJB-MJHT","interval":1,"expires_in":60,
        "verification_uri":"https://id.example.com/device"}"#;
    let provider = Provider::answering("200 OK", "", codes);
    let person = somebody();
    let url = |path| format!("{}/{path}", provider.origin);
    let add = ["integrations", "add", "tv", "--client-id", "me", "--client-secret-file", "secret"];
    let (authorize, token, device) = (url("authorize"), url("token"), url("device"));
    let addresses = ["--authorize-url", &authorize, "--token-url", &token, "--device-url", &device];
    let added = person.flowrun(&[&add[..], &addresses].concat());
    assert_eq!(added.code, Some(0), "{added:?}");
    let done = person.flowrun(&["integrations", "authorize", "tv", "--device"]);
    assert_says(&done, 0, &["WDJB-MJHT", "https://id.example.com/device", "TRACE"]);
    assert_eq!(done.stdout, "All set! Your authorization is complete!\n");
    assert!(provider.asked()[0].starts_with("POST /device HTTP/1.1 client_id=me&"), "{:?}", provider.asked());
}

/// OA-66: the answer is said, taken in, and decides how the check ends.
#[test]
fn a_token_that_the_provider_does_not_take_is_said_to_be_due() {
    let provider = Provider::answering("200 OK", "", r#"{"active":false}"#);
    let person = authorised(&provider, &["--introspect-url", &format!("{}/look", provider.origin)]);
    let checked = person.flowrun(&["integrations", "check", "crm", "--remote", "--json"]);
    assert_says(&checked, 1, &["the token of crm is not active", "flowrun integrations refresh crm"]);
    assert!(checked.stdout.starts_with(['[', '{']), "stdout stays data: {}", checked.stdout);
    let refreshed = person.flowrun(&["integrations", "refresh", "crm"]);
    assert_eq!(refreshed.code, Some(0), "{refreshed:?}");
    let grants = provider.asked.lock().expect("whole").iter().filter(|it| it.is("POST /token")).count();
    assert_eq!(grants, 2, "it was due, without --force");
}

/// One thing that is learnt later changes one thing; N4 says what it costs.
#[test]
fn one_more_endpoint_leaves_the_rest_of_the_provider_as_it_was() {
    let provider = Provider::answering("200 OK", "", "");
    let person = authorised(&provider, &["--auth-style", "basic", "--token-header", "X-Token"]);
    let header = person.flowrun(&["integrations", "edit", "crm", "--expired-when", "403"]);
    assert_says(&header, 0, &[]);
    assert_eq!(state(&person), "authorized", "how expiry shows is no reason to authorise again");
    let revoke = format!("{}/revoke", provider.origin);
    let edited = person.flowrun(&["integrations", "edit", "crm", "--revoke-url", &revoke]);
    assert_says(
        &edited,
        0,
        &["the client secret of `crm` was destroyed", "the tokens of `crm` were destroyed"],
    );
    let secret = ["integrations", "edit", "crm", "--client-secret-file", "secret"];
    assert_eq!(person.flowrun(&secret).code, Some(0));
    assert_eq!(person.flowrun(&["integrations", "authorize", "crm"]).code, Some(0));
    let asked = provider.asked.lock().expect("whole").clone();
    let basic = asked.iter().filter(|request| request.head.contains("authorization: Basic ")).count();
    assert_eq!((asked.len(), basic), (2, 2), "the auth style has stayed");
}

/// OA-6, OA-8, RFC 9700 2.1.2 and 2.4: nothing is kept of a description that cannot be right.
#[test]
fn a_mistake_is_said_with_its_option_and_nothing_is_kept() {
    let person = Person::new(&[]);
    let addresses = ["--authorize-url", "https://a.example/a", "--token-url", "https://a.example/t"];
    for (words, said) in [
        (&["--revoke-url", "http://a.example/r"][..], "`--revoke-url` does not begin with https://"),
        (&["--device-url", "a.example"], "`--device-url` is not a URL"),
        (&["--resource", "contacts"], "`--resource` has `contacts`"),
        (&["--expired-when", "soon"], "`--expired-when soon` does not begin with an HTTP status"),
        (&["--token-header", "Cookie"], "`--token-header` is `cookie`"),
        (&["--grant", "password"], "'--grant <GRANT>'"),
        (&["--grant", "implicit"], "'--grant <GRANT>'"),
        (&["--pkce", "plain"], "'--pkce <WHEN>'"),
        (&["--issuer", "https://a.example"], "cannot be used with"),
    ] {
        let added = person.flowrun(&[&["integrations", "add", "x"], &addresses[..], words].concat());
        assert_says(&added, 2, &[said]);
    }
    let issuer = person.flowrun(&["integrations", "add", "x", "--issuer", "http://a.example"]);
    assert_says(&issuer, 2, &["`issuer` does not begin with https://", "= help: "]);
    let alone = person.flowrun(&["integrations", "add", "x", "--issuer", "http://127.0.0.1:9"]);
    assert_says(&alone, 1, &["the metadata at 127.0.0.1 cannot be read", "= help: "]);
    assert_eq!(person.flowrun(&["integrations", "list", "--json"]).stdout.trim(), "[]");
}
