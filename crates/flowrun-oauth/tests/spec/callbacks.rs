//! What is believed of a browser that comes back (OA-10, OA-19 to OA-24, N5, T11, T12).

use flowrun_oauth::{
    Arrival, AuthorizationRequest, Callback, CallbackError, KeepRule, Pending, Provider, Settings, begin,
    callback,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

const REDIRECT: &str = "http://127.0.0.1:8437/oauth/callback/k3v9";
/// The state of [`pending`]: 32 bytes of 7.
const STATE: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

fn settings() -> Settings {
    Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
}

fn pending(session_binding: Option<&str>) -> Pending {
    let request = AuthorizationRequest {
        integration: "teamleader",
        client_id: "client",
        redirect_uri: REDIRECT,
        scopes: &[],
        force_consent: false,
        session_binding,
    };
    let provider = Provider::new(settings()).unwrap();
    begin(&provider, &request, &mut |bytes| bytes.fill(7), Timestamp::UNIX_EPOCH).unwrap().1
}

fn arrive(address: &str, settings: Settings) -> Result<Callback, CallbackError> {
    let arrival = Arrival { address, session_binding: None, at: Timestamp::UNIX_EPOCH };
    callback(arrival, &pending(None), &Provider::new(settings).unwrap())
}

/// The code, or why there is none. `STATE` in the address stands for the right state.
fn outcome(address: &str) -> Result<String, CallbackError> {
    let address = address.replace("STATE", STATE);
    arrive(&address, settings()).map(|callback| callback.code.expose_secret().to_owned())
}

/// OA-22: a person pastes what the browser shows, or as much of it as they found.
#[test]
fn a_code_is_read_from_the_whole_address_or_a_part_of_it() {
    for address in [
        "http://127.0.0.1:8437/oauth/callback/k3v9?code=a%2Fb&state=STATE",
        " http://127.0.0.1:8437/oauth/callback/k3v9?state=STATE&code=a%2Fb#_=_\n",
        "/oauth/callback/k3v9?code=a%2Fb&state=STATE",
        "?code=a%2Fb&state=STATE",
        "code=a%2Fb&state=STATE&iss=anything&scope=x",
    ] {
        assert_eq!(outcome(address).as_deref(), Ok("a/b"), "{address}");
    }
}

#[test]
fn what_is_no_callback_is_said_to_be_none() {
    for address in [
        "",
        "hello",
        REDIRECT,
        "/oauth/callback/k3v9",
        "state=STATE",
        "code=&state=STATE",
        "code=a%0d%0ab&state=STATE",
    ] {
        assert_eq!(outcome(address), Err(CallbackError::NotACallback), "{address}");
    }
}

/// OA-24, RFC 6749 3.1.
#[test]
fn a_parameter_that_comes_twice_is_refused() {
    for (address, name) in [
        ("code=a&code=b&state=STATE", "code"),
        ("code=a&state=STATE&state=STATE", "state"),
        ("code=a&state=STATE&x=1&x=1", "x"),
    ] {
        assert_eq!(outcome(address), Err(CallbackError::Repeated(name.to_owned())), "{address}");
    }
}

/// OA-10: the state decides before anything the callback says is looked at.
#[test]
fn another_attempts_state_ends_it() {
    for address in [
        "code=a",
        "code=a&state=",
        "code=a&state=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd",
        "error=access_denied&state=other",
        "http://127.0.0.1:8437/oauth/callback/k3v9?code=a",
        "http://127.0.0.1:8437/oauth/callback/k3v9?code=a&error=access_denied",
        // Teamleader's denial brings no state; it is believed at the attempt's own address only.
        "error=access_denied",
    ] {
        assert_eq!(outcome(address), Err(CallbackError::WrongState), "{address}");
    }
}

/// N5: the path holds the integration's own id; T12: a code meant for another is not taken.
#[test]
fn another_attempts_address_ends_it() {
    for address in [
        "http://127.0.0.1:8437/oauth/callback/other?code=a&state=STATE",
        "http://127.0.0.1:8438/oauth/callback/k3v9?code=a&state=STATE",
        "https://127.0.0.1:8437/oauth/callback/k3v9?code=a&state=STATE",
        "http://localhost:8437/oauth/callback/k3v9?code=a&state=STATE",
        "/oauth/callback/other?code=a&state=STATE",
        "/oauth/callback/other?error=access_denied",
    ] {
        assert_eq!(outcome(address), Err(CallbackError::WrongAddress), "{address}");
    }
}

#[test]
fn an_attempt_lives_ten_minutes() {
    let provider = Provider::new(settings()).unwrap();
    let address = format!("code=a&state={STATE}");
    let after = |seconds| {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        callback(Arrival { address: &address, session_binding: None, at }, &pending(None), &provider)
            .map(drop)
    };
    assert_eq!(after(599), Ok(()));
    assert_eq!(after(600), Err(CallbackError::Expired));
}

/// T12: `mix_up_code_never_reaches_other_token_url`, not even if the settings were changed meanwhile.
#[test]
fn a_code_is_for_the_token_endpoint_it_was_asked_for() {
    let changed = Settings { token_url: "https://evil.test/token".to_owned(), ..settings() };
    let outcome = arrive(&format!("code=a&state={STATE}"), changed);
    assert_eq!(outcome.map(drop), Err(CallbackError::OtherProvider));
}

/// T11: `callback_in_another_browser_exchanges_nothing`.
#[test]
fn a_callback_in_another_browser_ends_it() {
    let provider = Provider::new(settings()).unwrap();
    let address = format!("code=a&state={STATE}");
    let shows = |session_binding| {
        let arrival = Arrival { address: &address, session_binding, at: Timestamp::UNIX_EPOCH };
        callback(arrival, &pending(Some("cookie")), &provider).map(drop)
    };
    assert_eq!(shows(Some("cookie")), Ok(()));
    assert_eq!(shows(Some("other")), Err(CallbackError::WrongBrowser));
    assert_eq!(shows(None), Err(CallbackError::WrongBrowser));
}

/// OA-19, OA-35: typed, in the provider's words, after the state.
#[test]
fn an_error_is_told_in_the_providers_words() {
    let denied = |words: Option<&str>| CallbackError::Denied { provider_words: words.map(str::to_owned) };
    let address = "error=access_denied&error_description=The+user%1b%5b31m+said+no&state=STATE";
    assert_eq!(outcome(address), Err(denied(Some("The user[31m said no"))));
    assert_eq!(outcome("/oauth/callback/k3v9?error=access_denied"), Err(denied(None)));
    assert_eq!(
        outcome("error=<script>&error_description=x&state=STATE"),
        Err(CallbackError::Provider { code: "<script>".to_owned(), provider_words: Some("x".to_owned()) })
    );
}

/// OA-20, RFC 9207 2.4: exact comparison, and absence counts where presence is promised. Errors are checked too.
#[test]
fn a_callback_from_another_issuer_ends_it() {
    let issuer = "https://id.example.com";
    let check = |query: &str, issuer_required, ok: bool| {
        let settings = Settings { issuer: Some(issuer.to_owned()), issuer_required, ..settings() };
        let outcome = arrive(&format!("{query}&state={STATE}"), settings).map(drop);
        let expected = if ok { Ok(()) } else { Err(CallbackError::WrongIssuer(issuer.to_owned())) };
        assert_eq!(outcome, expected, "{query}");
    };
    check("code=a&iss=https%3A%2F%2Fid.example.com", true, true);
    check("code=a&iss=https%3A%2F%2Fid.example.com%2F", true, false);
    check("code=a&iss=https%3A%2F%2Fevil.test", false, false);
    check("error=x&iss=https%3A%2F%2Fevil.test", false, false);
    check("code=a", true, false);
    check("code=a", false, true);
}

/// OA-21: `accounts-server=https://evil.test` is refused before any request could leave.
#[test]
fn a_kept_value_is_one_the_settings_allow() {
    let server = "https://accounts.zoho.eu".to_owned();
    let keep_from_callback = vec![
        KeepRule { name: "accounts-server".to_owned(), one_of: vec![server], ..KeepRule::default() },
        KeepRule { name: "realmId".to_owned(), ..KeepRule::default() },
    ];
    let kept = |query: &str| {
        let settings = Settings { keep_from_callback: keep_from_callback.clone(), ..settings() };
        let callback = arrive(&format!("code=a&state={STATE}{query}"), settings)?;
        Ok::<_, CallbackError>(callback.kept.into_values().collect::<Vec<_>>().join(" "))
    };
    let unexpected = |name: &str| Err(CallbackError::UnexpectedValue(name.to_owned()));
    assert_eq!(
        kept("&accounts-server=https%3A%2F%2Faccounts.zoho.eu&realmId=4711&other=x").as_deref(),
        Ok("https://accounts.zoho.eu 4711")
    );
    assert_eq!(kept("").as_deref(), Ok(""));
    for evil in [
        "https://evil.test",
        "https://accounts.zoho.eu.evil.test",
        "https://accounts.zoho.eu/",
        "HTTPS://accounts.zoho.eu",
    ] {
        assert_eq!(kept(&format!("&accounts-server={evil}")), unexpected("accounts-server"), "{evil}");
    }
    assert_eq!(kept("&realmId=a%2Fb"), unexpected("realmId"));
}

/// N4: a pattern speaks of the whole value, and whatever it lets through is short and without blanks.
#[test]
fn a_kept_value_with_a_pattern_matches_it_whole_n4() {
    let kept = |pattern: &str, value: &str| {
        let rule =
            KeepRule { name: "realmId".to_owned(), pattern: Some(pattern.to_owned()), ..KeepRule::default() };
        let settings = Settings { keep_from_callback: vec![rule], ..settings() };
        arrive(&format!("code=a&state={STATE}&realmId={value}"), settings)
            .map(|back| back.kept["realmId"].clone())
    };
    assert_eq!(kept("[0-9]+", "4711").as_deref(), Ok("4711"));
    assert_eq!(kept("dbid:[A-Z]+", "dbid%3AAAH").as_deref(), Ok("dbid:AAH"));
    let long = "1".repeat(129);
    for (pattern, value) in [
        ("[0-9]+", "4711%0A"),
        ("[0-9]+", "4711%2F..%2F1"),
        ("[0-9]+", "a4711"),
        ("[0-9]+", &*long),
        (".*", "a%20b"),
        (".*", "a%0D%0Ab"),
        (".*", "%C3%A9"),
        ("(?s).*", "%00"),
    ] {
        let unexpected = Err(CallbackError::UnexpectedValue("realmId".to_owned()));
        assert_eq!(kept(pattern, value), unexpected, "{pattern} {value}");
    }
}
