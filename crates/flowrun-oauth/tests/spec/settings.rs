//! Which settings make a provider, and what is said about those that do not (OA-6, OA-8, OA-13, N4, SEED-6).

use flowrun_oauth::{
    AuthStyle, Budget, ExpirySign, InvalidSettings, KeepRule, Provider, ScopeError, ScopeSeparator, Settings,
    TokenHeader,
};

fn good() -> Settings {
    Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
}

/// The fields that are wrong.
fn fields(settings: Settings) -> Vec<&'static str> {
    match Provider::new(settings) {
        Ok(_) => Vec::new(),
        Err(InvalidSettings { problems }) => problems.into_iter().map(|problem| problem.field).collect(),
    }
}

#[track_caller]
fn check(settings: Settings, expected: &[&str]) {
    assert_eq!(fields(settings.clone()), expected, "{settings:?}");
}

/// OA-6: https, except to this machine; nothing hidden in the URL.
#[test]
fn an_endpoint_is_a_plain_https_url() {
    for accepted in [
        "https://id.example.com/token",
        "https://id.example.com:8443/token?tenant=1",
        "http://127.0.0.1:4455/token",
        "http://[::1]:4455/token",
        "http://localhost/token",
    ] {
        check(Settings { token_url: accepted.to_owned(), ..good() }, &[]);
        check(Settings { refresh_url: Some(accepted.to_owned()), ..good() }, &[]);
        check(Settings { authorize_url: Some(accepted.to_owned()), ..good() }, &[]);
        check(Settings { revoke_url: Some(accepted.to_owned()), ..good() }, &[]);
    }
    for refused in [
        "",
        "id.example.com/token",
        "http://id.example.com/token",
        "http://127.0.0.1.evil.test/token",
        "http://localhost.evil.test/token",
        "ftp://id.example.com/token",
        "https://user@id.example.com/token",
        "https://user:pass@id.example.com/token",
        "https://id.example.com/token#part",
        r"https://app.teamleader.eu/oauth2/access\_token",
        "https://id.example.com/to ken",
        "https://id.example.com/to\r\nken",
        " https://id.example.com/token",
    ] {
        check(Settings { token_url: refused.to_owned(), ..good() }, &["token_url"]);
        check(Settings { refresh_url: Some(refused.to_owned()), ..good() }, &["refresh_url"]);
        check(Settings { authorize_url: Some(refused.to_owned()), ..good() }, &["authorize_url"]);
        check(Settings { revoke_url: Some(refused.to_owned()), ..good() }, &["revoke_url"]);
        check(Settings { introspect_url: Some(refused.to_owned()), ..good() }, &["introspect_url"]);
        check(Settings { device_url: Some(refused.to_owned()), ..good() }, &["device_url"]);
    }
}

/// OA-14: RFC 8707 2 wants an absolute URI without a fragment.
#[test]
fn a_resource_is_an_absolute_uri() {
    let of = |uri: &str| Settings { resources: vec![uri.to_owned()], ..good() };
    for accepted in ["https://api.example.com/", "urn:example:contacts"] {
        check(of(accepted), &[]);
    }
    for refused in ["", "api.example.com/contacts", "https://api.example.com/#contacts"] {
        check(of(refused), &["resources"]);
    }
}

/// OA-51: a budget that lets nothing through would stop every refresh.
#[test]
fn a_budget_lets_something_through() {
    let of = |requests, seconds| Settings { budget: Some(Budget { requests, seconds }), ..good() };
    check(of(10, 600), &[]);
    check(of(0, 600), &["budget"]);
    check(of(10, 0), &["budget"]);
}

/// OA-8, OA-13: what the protocol sends cannot be overridden, nor another grant asked for.
#[test]
fn an_extra_parameter_cannot_replace_one_of_the_protocol() {
    for name in
        ["response_type", "client_id", "redirect_uri", "state", "scope", "code_challenge", "grant_type", ""]
    {
        let params = vec![(name.to_owned(), "x".to_owned())];
        check(Settings { authorize_params: params.clone(), ..good() }, &["authorize_params"]);
        check(Settings { token_params: params.clone(), ..good() }, &["token_params"]);
        check(Settings { refresh_params: params, ..good() }, &["refresh_params"]);
    }
    let implicit = "https://id.example.com/authorize?response_type=token";
    check(Settings { authorize_url: Some(implicit.to_owned()), ..good() }, &["authorize_url"]);
    let twice = ("resource".to_owned(), "https://api.example.com".to_owned());
    check(Settings { authorize_params: vec![twice.clone(), twice], ..good() }, &[]);
}

/// N4: hosts are written as they will be compared.
#[test]
fn an_allowed_host_is_written_as_it_is_compared() {
    for accepted in
        ["api.example.com", ".example.com", "api.example.com:8443", "127.0.0.1:8080", "[::1]:80", "localhost"]
    {
        check(Settings { allowed_hosts: vec![accepted.to_owned()], ..good() }, &[]);
    }
    for refused in [
        "",
        "API.example.com",
        "api.example.com.",
        "api.example.com:443",
        "https://api.example.com",
        "api.example.com/v1",
        "user@api.example.com",
        "*.example.com",
        "bücher.example",
        "127.1",
        ".com",
        ".127.0.0.1",
        "..example.com",
        "a b",
    ] {
        check(Settings { allowed_hosts: vec![refused.to_owned()], ..good() }, &["allowed_hosts"]);
    }
}

/// N4: a kept value is shown and templated, so it is never a token or a proof.
#[test]
fn a_token_is_never_kept_beside_the_tokens() {
    for name in ["access_token", "refresh_token", "id_token", "code", "state", "client_secret", ""] {
        let rules = vec![KeepRule { name: name.to_owned(), ..KeepRule::default() }];
        check(Settings { keep_from_callback: rules.clone(), ..good() }, &["keep_from_callback"]);
        check(Settings { keep_from_token: rules, ..good() }, &["keep_from_token"]);
    }
}

/// N4: one rule says what a kept value may be: a list, a pattern, or neither.
#[test]
fn a_keep_rule_has_a_list_or_a_pattern_that_can_be_read_n4() {
    let of = |one_of: &[&str], pattern: Option<&str>| {
        let one_of = one_of.iter().map(ToString::to_string).collect();
        let rules =
            vec![KeepRule { name: "realmId".to_owned(), one_of, pattern: pattern.map(str::to_owned) }];
        Settings { keep_from_callback: rules, ..good() }
    };
    check(of(&[], Some("[0-9]{1,20}")), &[]);
    check(of(&["1"], None), &[]);
    check(of(&[], None), &[]);
    check(of(&["1"], Some("[0-9]")), &["keep_from_callback"]);
    for unreadable in ["[0-9", "a)|(b", "(?P<x>"] {
        check(of(&[], Some(unreadable)), &["keep_from_callback"]);
    }
}

/// A proof is made with the client secret, in a parameter of its own.
#[test]
fn a_callback_is_proved_only_where_there_is_a_secret_to_prove_it_with() {
    let of = |name: &str| Settings { callback_hmac: Some(name.to_owned()), ..good() };
    check(of("hmac"), &[]);
    for no_proof in ["", "code", "state"] {
        check(of(no_proof), &["callback_hmac"]);
    }
    check(Settings { auth_style: AuthStyle::None, ..of("hmac") }, &["callback_hmac"]);
}

/// OA-21: the client secret goes to the origin that the callback names, so each must be listed whole.
#[test]
fn a_token_origin_from_the_callback_is_one_of_a_list() {
    for (listed, expected) in [
        (vec!["https://accounts.zoho.eu"], &[][..]),
        (vec![], &["token_origin_from"]),
        (vec!["https://accounts.zoho.eu/"], &["token_origin_from"]),
        (vec!["accounts.zoho.eu"], &["token_origin_from"]),
        (vec!["http://accounts.zoho.eu"], &["token_origin_from"]),
    ] {
        let one_of = listed.into_iter().map(str::to_owned).collect();
        let keep_from_callback =
            vec![KeepRule { name: "accounts-server".to_owned(), one_of, ..KeepRule::default() }];
        let token_origin_from = Some("accounts-server".to_owned());
        check(Settings { keep_from_callback, token_origin_from, ..good() }, expected);
    }
    check(Settings { token_origin_from: Some("elsewhere".to_owned()), ..good() }, &["token_origin_from"]);
}

#[test]
fn the_other_fields_have_rules_of_their_own() {
    let header = |name: &str, scheme: &str| Settings {
        token_header: TokenHeader { name: name.to_owned(), scheme: scheme.to_owned() },
        ..good()
    };
    check(header("X-Shopify-Access-Token", ""), &[]);
    for (name, scheme) in
        [("Host", ""), ("Proxy-Authorization", "Bearer"), ("X Y", ""), ("Authorization", "a b")]
    {
        check(header(name, scheme), &["token_header"]);
    }
    let sign = |status, path: Option<&str>| Settings {
        expired_when: vec![ExpirySign { status, path: path.map(str::to_owned), one_of: Vec::new() }],
        ..good()
    };
    check(sign(403, None), &[]);
    check(sign(200, Some("/error/code")), &[]);
    check(sign(200, None), &["expired_when"]);
    check(sign(403, Some("error.code")), &["expired_when"]);
    check(
        Settings { access_token_path: Some("authed_user.access_token".to_owned()), ..good() },
        &["access_token_path"],
    );
    check(Settings { issuer_required: true, ..good() }, &["issuer"]);
    check(Settings { issuer: Some("https://id.example.com?x".to_owned()), ..good() }, &["issuer"]);
    check(Settings { authorize_url: None, ..good() }, &["authorize_url"]);
    let token_url = "https://id.example.com/token";
    check(Settings::client_credentials(token_url), &[]);
    check(
        Settings { auth_style: AuthStyle::None, ..Settings::client_credentials(token_url) },
        &["auth_style"],
    );
}

#[test]
fn all_problems_are_told_at_once_each_with_its_fix() {
    let error = Provider::new(Settings {
        allowed_hosts: vec!["API.example.com".to_owned()],
        ..Settings::authorization_code("http://id.example.com/authorize", "")
    })
    .unwrap_err();
    let told: Vec<String> =
        error.problems.iter().map(|problem| format!("{problem}: {}", problem.fix)).collect();
    assert_eq!(
        told,
        [
            "`authorize_url` does not begin with https://: use https; http is for this machine only",
            "`allowed_hosts` has `API.example.com`, which is no host: write `api.example.com`",
            "`token_url` is missing: copy it from the provider's documentation",
        ]
    );
}

/// A stored provider is checked again when it is read.
#[test]
fn a_provider_survives_being_stored_and_nothing_else_does() {
    let provider = Provider::new(good()).unwrap();
    let stored = serde_json::to_string(&provider).unwrap();
    assert_eq!(serde_json::from_str::<Provider>(&stored).unwrap(), provider);
    let tampered = stored.replace("https://id.example.com/token", "http://evil.test/token");
    assert!(serde_json::from_str::<Provider>(&tampered).is_err());
}

/// OA-12, SEED-5: typed as people type, sent as the provider wants.
#[test]
fn scopes_are_split_as_typed_and_joined_as_wanted() {
    let join = |separator: ScopeSeparator, typed: &str| separator.join(&separator.split(typed));
    assert_eq!(join(ScopeSeparator::Space, " a  b\nc "), Ok(Some("a b c".to_owned())));
    assert_eq!(join(ScopeSeparator::Comma, "a, b c"), Ok(Some("a,b,c".to_owned())));
    assert_eq!(join(ScopeSeparator::Space, "  "), Ok(None));
    assert_eq!(join(ScopeSeparator::Space, "a b a"), Err(ScopeError::Repeated("a".to_owned())));
    for malformed in ["a\"b", "a\\b", "ä", "a\u{1}"] {
        assert_eq!(join(ScopeSeparator::Space, malformed), Err(ScopeError::Malformed(malformed.to_owned())));
    }
    let joined = vec!["a,b".to_owned()];
    assert_eq!(ScopeSeparator::Comma.join(&joined), Err(ScopeError::Malformed("a,b".to_owned())));
}
