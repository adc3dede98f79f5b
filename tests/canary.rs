//! T4: no secret comes out of flowrun, whatever goes well or wrong around it (N2, OA-3, OA-63, OA-64).
//!
//! A provider on loopback repeats in every reply all that it was sent, in several spellings, and misbehaves in each
//! way a scene names. The real binary runs beside it with everything traced, from every crate. Afterwards no secret
//! stands in what it wrote to its streams or its disk, nor stood in any process's arguments while it was answered.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "loopback.rs"]
mod loopback;
#[path = "person.rs"]
mod person;
#[path = "canary/provider.rs"]
mod provider;
#[path = "canary/scene.rs"]
mod scene;
#[path = "canary/spellings.rs"]
mod spellings;

use std::fs;
use std::path::Path;

use person::{Ended, Person};
use provider::{CLIENT_SECRET, Provider};
use scene::{CALLS, EXCHANGES, REFRESHES, Scene};
use spellings::spellings;

/// Characters that change in each spelling, as far as a header may hold them.
const KEY: &str = "canary key/1+~\"x";
const PASSPHRASE: &str = "canary passphrase/1+~\"x";

#[test]
fn canary_sweep_of_every_reply_of_an_api_t4() {
    CALLS.iter().for_each(sweep);
}

#[test]
fn canary_sweep_of_every_end_of_a_refresh_t4() {
    REFRESHES.iter().for_each(sweep);
}

#[test]
fn canary_sweep_of_every_end_of_an_authorization_t4() {
    EXCHANGES.iter().for_each(sweep);
}

/// Authorises and runs the flow in one scene.
fn sweep(scene: &'static Scene) {
    let provider = Provider::start(scene);
    let person = operator(&provider);
    authorise(&person, &provider, scene);
    let recorded = ["--record", "recorded.test.yaml"];
    let run = person.flowrun(&[&["flow.yaml", "--var", "id=42", "--output", "json"][..], &recorded].concat());
    assert_eq!(run.code, Some(scene.run_ends), "{}: {run:?}", scene.name);
    // What was repeated has arrived here, or the sweep would prove nothing.
    assert!(scene.run_ends != 0 || run.stdout.matches("[redacted]").count() > 5, "{}: {run:?}", scene.name);
    nothing_leaked(scene, &provider, &person, &run);
}

#[test]
fn canary_sweep_of_every_verb_about_an_integration_t4() {
    let scene = &CALLS[0];
    let provider = Provider::start(scene);
    let person = operator(&provider);
    authorise(&person, &provider, scene);
    let export = ["integrations", "export", "--to", "exported", "--passphrase-stdin"];
    let import = ["integrations", "import", "exported", "--replace", "--passphrase-stdin"];
    for (words, typed) in [
        (&["flow.yaml", "--var", "id=42", "--dry-run"][..], ""),
        (&["integrations", "list", "--json"], ""),
        (&["integrations", "show", "crm", "--json"], ""),
        (&["integrations", "check", "crm", "--json", "--remote"], ""),
        (&["integrations", "refresh", "crm", "--force"], ""),
        (&["integrations", "rename", "crm", "other"], ""),
        (&["integrations", "rename", "other", "crm"], ""),
        (&["integrations", "rotate-key"], ""),
        (&export, PASSPHRASE),
        (&import, PASSPHRASE),
        (&["integrations", "refresh", "crm", "--force"], ""),
        (&["integrations", "revoke", "crm", "--yes"], ""),
        (&["integrations", "edit", "crm", "--scopes", "other"], ""),
        (&["integrations", "remove", "crm", "--yes"], ""),
    ] {
        let ended = person.flowrun_fed(words, typed);
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
        nothing_leaked(scene, &provider, &person, &ended);
    }
}

/// A home with an integration and a flow that puts a secret into every place that takes one.
fn operator(provider: &Provider) -> Person {
    let person =
        Person::new(&[("FLOWRUN_LOG", "trace"), ("RUST_BACKTRACE", "1"), ("FLOWRUN_SECRET_KEY", KEY)]);
    person.write("flow.yaml", &scene::flow(&provider.origin));
    let (authorize, token) = (format!("{}/authorize", provider.origin), format!("{}/token", provider.origin));
    let add = ["integrations", "add", "crm", "--client-id", "me", "--client-secret-stdin", "--authorize-url"];
    let (revoke, introspect) =
        (format!("{}/revoke", provider.origin), format!("{}/introspect", provider.origin));
    let beyond = ["--revoke-url", &revoke, "--introspect-url", &introspect];
    let add = [&add[..], &[&authorize, "--token-url", &token, "--auth-style", "basic"], &beyond].concat();
    let added = person.flowrun_fed(&add, CLIENT_SECRET);
    assert_eq!(added.code, Some(0), "{added:?}");
    person
}

/// Authorises by paste; the code and all that leads to tokens are canaries too.
fn authorise(person: &Person, provider: &Provider, scene: &Scene) {
    let begun = person.start(&["integrations", "authorize", "crm", "--paste"]);
    let ended = provider.consent(begun);
    assert_eq!(ended.code, Some(scene.exchange_ends), "{}: {ended:?}", scene.name);
    nothing_leaked(scene, provider, person, &ended);
}

fn nothing_leaked(scene: &Scene, provider: &Provider, person: &Person, ended: &Ended) {
    assert_eq!(provider.seen_in_arguments(), Vec::<String>::new(), "{}", scene.name);
    let mut places = vec![("stdout".to_owned(), ended.stdout.clone())];
    places.push(("stderr".to_owned(), ended.stderr.clone()));
    files(person.home(), &mut places);
    for secret in provider.secrets().iter().map(String::as_str).chain([KEY, PASSPHRASE]) {
        for spelling in spellings(secret) {
            for (place, text) in &places {
                assert!(!text.contains(&spelling), "{}: `{spelling}` in {place}: {ended:?}", scene.name);
            }
        }
    }
}

fn files(folder: &Path, places: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files(&path, places);
        } else {
            // Every spelling is ASCII, which stays what it is however the rest is read.
            let bytes = fs::read(&path).expect("readable");
            places.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}
