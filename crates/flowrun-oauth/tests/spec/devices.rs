//! A device without a browser: its codes, its questions, its patience (OA-67, RFC 8628).

use flowrun_oauth::{
    AuthStyle, Class, Client, Device, ExchangeErrorKind, Poll, Provider, Settings, TokenEndpoint, TokenError,
};
use secrecy::ExposeSecret;

use crate::scripted::{Script, now};

const CODES: &str = r#"{"device_code":"canary-device-code","user_code":"WDJB-MJHT",
    "verification_uri":"https://id.example.com/device","expires_in":1800}"#;

fn settings() -> Settings {
    Settings {
        device_url: Some("https://id.example.com/device_authorization".to_owned()),
        ..Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
    }
}

fn client() -> Client {
    Client { id: "client".to_owned(), secret: Some("the-secret".into()) }
}

fn begun(script: &Script, settings: Settings) -> Result<Device, TokenError> {
    let (provider, client) = (Provider::new(settings).unwrap(), client());
    let endpoint = TokenEndpoint { exchange: script, provider: &provider, client: &client };
    now(endpoint.device_grant().unwrap().begin(&["a".to_owned(), "b".to_owned()]))
}

fn poll(script: &Script, device: &mut Device) -> Result<Poll, TokenError> {
    let (provider, client) = (Provider::new(settings()).unwrap(), client());
    let endpoint = TokenEndpoint { exchange: script, provider: &provider, client: &client };
    now(endpoint.device_grant().unwrap().poll(device))
}

/// What the device is told after these answers, and the pause it then makes, each time.
fn polled(answers: Script) -> Vec<(Result<Poll, Class>, u64)> {
    let mut device = begun(&Script::json(CODES), settings()).unwrap();
    let mut told = Vec::new();
    while answers.is_left() {
        let poll = poll(&answers, &mut device).map_err(|error| error.class);
        told.push((poll, device.pause().as_secs()));
    }
    told
}

fn error(code: &str) -> Script {
    Script::reply(400, &[], &format!(r#"{{"error":"{code}"}}"#))
}

/// What one answer says, in short.
fn summary(answer: Script) -> String {
    match polled(answer).remove(0).0 {
        Ok(Poll::Granted(grant)) => grant.access_token.expose_secret().to_owned(),
        Ok(poll) => format!("{poll:?}"),
        Err(class) => format!("{class:?}"),
    }
}

#[test]
fn a_device_asks_for_codes_as_the_client_it_is_oa_67() {
    for (auth_style, authorization, client) in [
        (AuthStyle::Body, "", "&client_id=client&client_secret=the-secret"),
        (AuthStyle::Basic, "Basic Y2xpZW50OnRoZS1zZWNyZXQ=", ""),
        (AuthStyle::None, "", "&client_id=client"),
    ] {
        let script = Script::json(CODES);
        // What the authorization needs goes along; what steers a browser does not.
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let authorize_params =
            vec![pair("access_type", "offline"), pair("audience", "x"), pair("prompt", "consent")];
        begun(&script, Settings { auth_style, authorize_params, ..settings() }).unwrap();
        let (url, headers, body) = script.one();
        assert_eq!(url, "https://id.example.com/device_authorization");
        assert_eq!(body, format!("scope=a+b&audience=x{client}"), "{auth_style:?}");
        let sent = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
        assert_eq!(sent, authorization);
        assert!(headers.get("authorization").is_none_or(http::HeaderValue::is_sensitive), "OA-63");
        assert_eq!(headers["accept"], "application/json", "OA-27");
    }
}

#[test]
fn the_codes_are_read_with_what_the_provider_leaves_out_oa_67() {
    let device = begun(&Script::json(CODES), settings()).unwrap();
    assert_eq!(
        (&*device.user_code, device.verification_uri.as_str()),
        ("WDJB-MJHT", "https://id.example.com/device")
    );
    assert_eq!(
        (device.pause().as_secs(), device.lifetime.as_secs()),
        (5, 1800),
        "RFC 8628 3.2: five seconds"
    );
    assert_eq!(device.verification_uri_complete, None);

    let google = r#"{"device_code":"d","user_code":"u","verification_url":"https://www.google.com/device",
        "verification_uri_complete":"https://www.google.com/device?u=u","interval":"7","expires_in":"60"}"#;
    let device = begun(&Script::json(google), settings()).unwrap();
    assert_eq!((device.pause().as_secs(), device.lifetime.as_secs()), (7, 60));
    assert_eq!(device.verification_uri_complete.unwrap().as_str(), "https://www.google.com/device?u=u");
}

#[test]
fn codes_that_cannot_be_used_or_shown_are_refused_oa_67() {
    let with = |change: (&str, &str)| Script::json(&CODES.replace(change.0, change.1));
    for change in [
        ("canary-device-code", ""),
        ("canary-device-code", "a\\r\\nb"),
        ("WDJB-MJHT", "\\u001b]52;c;eA==\\u0007"),
        ("WDJB-MJHT", &"x".repeat(65)),
        ("https://id.example.com/device", "javascript:alert(1)"),
        ("https://id.example.com/device", "http://id.example.com/device"),
        ("https://id.example.com/device", "https://user@id.example.com/device"),
        ("1800", "-1"),
    ] {
        assert_eq!(begun(&with(change), settings()).unwrap_err().class, Class::Malformed, "{change:?}");
    }
    let refused = begun(&error("unauthorized_client"), settings()).unwrap_err();
    assert_eq!(refused.class, Class::Client);
    assert_eq!(
        refused.to_string(),
        "the device authorization endpoint at id.example.com refuses the client or its settings"
    );
}

#[test]
fn a_question_names_the_device_and_the_answer_grants_oa_67() {
    let script = Script::json(r#"{"access_token":"at","refresh_token":"rt","expires_in":"60"}"#);
    let mut device = begun(&Script::json(CODES), settings()).unwrap();
    let told = poll(&script, &mut device).unwrap();
    let Poll::Granted(grant) = told else { panic!("{told:?}") };
    assert_eq!(grant.refresh_token.unwrap().expose_secret(), "rt");
    let (url, _, body) = script.one();
    assert_eq!(url, "https://id.example.com/token");
    assert_eq!(
        body,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=canary-device-code\
         &client_id=client&client_secret=the-secret"
    );
}

#[test]
fn each_answer_has_its_meaning_oa_67() {
    assert_eq!(summary(error("authorization_pending")), "Pending");
    // Google's status for it, and GitHub's.
    assert_eq!(summary(Script::reply(428, &[], r#"{"error":"authorization_pending"}"#)), "Pending");
    assert_eq!(summary(Script::json(r#"{"error":"authorization_pending"}"#)), "Pending");
    assert_eq!(summary(error("slow_down")), "SlowDown");
    assert_eq!(summary(error("access_denied")), "Denied { provider_words: None }");
    assert_eq!(summary(error("authorization_declined")), "Denied { provider_words: None }");
    assert_eq!(summary(error("expired_token")), "Expired");
    assert_eq!(summary(error("invalid_client")), "Client");
    assert_eq!(summary(error("invalid_grant")), "Grant");
    assert_eq!(summary(Script::json("<html>")), "Malformed");
    assert_eq!(summary(Script::silence(ExchangeErrorKind::Refused)), "Forbidden");
    for unwell in [
        Script::reply(503, &[], r#"{"error":"access_denied"}"#),
        Script::reply(500, &[], "<html>"),
        Script::reply(429, &[], ""),
        Script::silence(ExchangeErrorKind::Unreachable),
        Script::silence(ExchangeErrorKind::TimedOut),
        Script::silence(ExchangeErrorKind::ReplyLost),
    ] {
        assert_eq!(summary(unwell), "Unwell");
    }
}

/// RFC 8628 3.5: `slow_down` is for good, backing off is for as long as nobody answers.
#[test]
fn the_pause_grows_by_five_seconds_for_good_or_doubles_for_a_while_oa_67() {
    let pauses = |answers: Script| polled(answers).into_iter().map(|(_, pause)| pause).collect::<Vec<_>>();
    let pending = || error("authorization_pending");
    let unwell = || Script::reply(503, &[], "");
    assert_eq!(
        pauses(pending().then(error("slow_down")).then(pending()).then(error("slow_down"))),
        [5, 10, 10, 15]
    );
    assert_eq!(pauses(unwell().then(unwell()).then(pending())), [10, 20, 5]);
    let long = (0..8).fold(unwell(), |script, _| script.then(unwell()));
    assert_eq!(pauses(long).last(), Some(&60));
    assert_eq!(pauses(Script::reply(429, &[("retry-after", "90")], "").then(pending())), [90, 5]);
}

/// OA-67, OA-63: the device code buys the grant.
#[test]
fn a_device_code_is_never_printed() {
    let mut device = begun(&Script::json(CODES), settings()).unwrap();
    assert!(!format!("{device:?}").contains("canary"), "{device:?}");
    let echo = Script::reply(400, &[], r#"{"error":"x","error_description":"canary-device-code is wrong"}"#);
    let refused = poll(&echo, &mut device).unwrap_err();
    assert_eq!(refused.provider_words.as_deref(), Some("[redacted] is wrong"));
    assert!(!format!("{refused:?} {refused}").contains("canary"));
}

#[test]
fn a_provider_without_the_endpoint_has_no_device_grant() {
    let provider = Provider::new(Settings { device_url: None, ..settings() }).unwrap();
    let (script, client) = (Script::default(), client());
    let endpoint = TokenEndpoint { exchange: &script, provider: &provider, client: &client };
    assert!(endpoint.device_grant().is_none());
}
