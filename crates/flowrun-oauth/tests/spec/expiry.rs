//! When a token is too old (OA-46, OA-48).

use std::time::Duration;

use flowrun_oauth::{ExpirySign, Provider, Settings, is_expired_sign, margin};

fn provider(refresh_margin: Option<u64>, expired_when: Vec<ExpirySign>) -> Provider {
    let settings = Settings::client_credentials("https://id.example.com/token");
    Provider::new(Settings { refresh_margin, expired_when, ..settings }).unwrap()
}

/// OA-46: a short token is not refreshed for each call, a long one not hours too early.
#[test]
fn the_margin_never_takes_much_of_a_lifetime() {
    let check = |refresh_margin, lifetime, expected_millis| {
        let margin = margin(Duration::from_secs(lifetime), &provider(refresh_margin, Vec::new()));
        assert_eq!(margin, Duration::from_millis(expected_millis), "{refresh_margin:?} of {lifetime} s");
    };
    check(None, 0, 0);
    check(None, 2, 300);
    check(None, 60, 9_000);
    check(None, 3600, 60_000);
    check(None, 86_400, 60_000);
    check(Some(300), 3600, 300_000);
    check(Some(300), 60, 9_000);
    check(Some(0), 3600, 0);
}

/// OA-48: 401 always; the provider's signs add to it.
#[test]
fn a_sign_of_expiry_is_what_the_settings_say_and_401() {
    let sign = |status, path: Option<&str>, one_of: &[&str]| ExpirySign {
        status,
        path: path.map(str::to_owned),
        one_of: one_of.iter().map(|text| (*text).to_owned()).collect(),
    };
    let provider = provider(
        None,
        vec![
            sign(403, None, &[]),
            sign(200, Some("/code"), &["INVALID_TOKEN", "4711"]),
            sign(400, Some("/errors/0/expired"), &[]),
        ],
    );
    for (status, body, expected) in [
        (401, "", true),
        (403, "<html>", true),
        (200, r#"{"code":"INVALID_TOKEN"}"#, true),
        (200, r#"{"code":4711}"#, true),
        (200, r#"{"code":"OK"}"#, false),
        (200, r#"{"data":{"code":"INVALID_TOKEN"}}"#, false),
        (200, "not json", false),
        (400, r#"{"errors":[{"expired":true}]}"#, true),
        (400, r#"{"errors":[{"expired":null}]}"#, false),
        (404, r#"{"code":"INVALID_TOKEN"}"#, false),
        (500, "", false),
    ] {
        assert_eq!(
            is_expired_sign(&provider.settings().expired_when, status, body.as_bytes()),
            expected,
            "{status} {body}"
        );
    }
}
