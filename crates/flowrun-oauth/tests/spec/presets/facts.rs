//! How each provider wants to be asked, and what dies when: one row each, so that none changes unseen.

use flowrun_oauth::{AuthStyle, BodyFormat, Pkce, RedirectRule, ScopeSeparator};

use super::provider;

const DAY: u64 = 86_400;

/// OA-9, OA-12, OA-25, OA-26: the request. SEED-20: what the authorization URL needs, or no refresh token comes.
#[test]
fn each_provider_is_asked_its_own_way_oa_12_oa_25_seed_20() {
    use AuthStyle::{Basic, Body};
    use BodyFormat::{Form, Json};
    use ScopeSeparator::{Comma, Space};
    for (words, auth_style, body_format, separator, pkce, params) in [
        ("atlassian", Body, Form, Space, Pkce::Try, "audience=api.atlassian.com prompt=consent"),
        ("dropbox", Body, Form, Space, Pkce::Try, "token_access_type=offline"),
        ("github", Body, Form, Space, Pkce::Try, ""),
        (
            "google",
            Body,
            Form,
            Space,
            Pkce::Required,
            "access_type=offline prompt=consent include_granted_scopes=true",
        ),
        ("hubspot", Body, Form, Space, Pkce::Try, ""),
        ("intercom", Body, Form, Space, Pkce::Off, ""),
        ("mailchimp", Body, Form, Space, Pkce::Off, ""),
        ("microsoft", Body, Form, Space, Pkce::Try, "response_mode=query"),
        ("notion", Basic, Json, Space, Pkce::Off, "owner=user"),
        ("pipedrive company=acme", Basic, Form, Space, Pkce::Off, ""),
        ("quickbooks", Basic, Form, Space, Pkce::Off, ""),
        ("salesforce my_domain=acme", Body, Form, Space, Pkce::Try, ""),
        ("shopify shop=acme", Body, Form, Comma, Pkce::Off, ""),
        ("slack", Body, Form, Comma, Pkce::Off, ""),
        ("stripe", Body, Form, Space, Pkce::Off, ""),
        ("teamleader", Body, Form, Space, Pkce::Try, ""),
        ("xero", Basic, Form, Space, Pkce::Try, ""),
        ("zendesk subdomain=acme", Body, Form, Space, Pkce::Try, ""),
        ("zoho", Body, Form, Comma, Pkce::Try, "access_type=offline prompt=consent"),
    ] {
        let provider = provider(words);
        let it = provider.settings();
        let sent: Vec<_> =
            it.authorize_params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            (it.auth_style, it.body_format, it.scope_separator, it.pkce, &*sent.join(" ")),
            (auth_style, body_format, separator, pkce, params),
            "{words}"
        );
    }
}

/// OA-31, OA-45, OA-52: lifetimes, whether a lost reply may cost the grant and for how long not, what idleness kills.
#[test]
fn each_preset_knows_what_dies_when_oa_31_oa_45_oa_52() {
    for (words, lifetime, rotates, grace, idle) in [
        ("atlassian", Some(3600), true, Some(600), Some(90 * DAY)),
        ("dropbox", Some(14_400), false, None, None),
        ("github", Some(28_800), true, None, Some(180 * DAY)),
        ("google", Some(3600), false, None, Some(180 * DAY)),
        ("hubspot", Some(1800), false, None, None),
        ("intercom", None, false, None, None),
        ("mailchimp", None, false, None, None),
        ("microsoft", Some(3600), false, None, Some(90 * DAY)),
        ("notion", None, true, None, None),
        ("pipedrive company=acme", Some(3600), true, None, Some(60 * DAY)),
        ("quickbooks", Some(3600), true, Some(DAY), Some(100 * DAY)),
        ("salesforce my_domain=acme", Some(7200), true, None, None),
        ("shopify shop=acme", Some(3600), true, Some(3600), Some(90 * DAY)),
        ("slack", Some(43_200), true, None, None),
        ("stripe", Some(3650 * DAY), false, None, None),
        ("teamleader", Some(3600), true, None, None),
        ("teamleader-classic", Some(3600), true, None, None),
        ("xero", Some(1800), true, Some(1800), Some(60 * DAY)),
        ("zendesk subdomain=acme", Some(1800), true, None, Some(30 * DAY)),
        ("zoho", Some(3600), false, None, None),
    ] {
        let provider = provider(words);
        let it = provider.settings();
        assert_eq!(
            (it.default_lifetime, it.rotates, it.grace, it.refresh_idle),
            (lifetime, rotates, grace, idle),
            "{words}"
        );
        assert!(it.grace.is_none() || it.rotates, "{words}: a grace is of a token that is replaced");
    }
}

/// OA-16, OA-22, SEED-31: what callback URL may be registered.
#[test]
fn each_preset_knows_which_callback_urls_are_accepted_oa_16_seed_31() {
    use RedirectRule::{AnyPort, HttpsRequired, LoopbackOk};
    for (rule, list) in [
        (HttpsRequired, "intercom quickbooks slack stripe"),
        (AnyPort, "github microsoft"),
        (LoopbackOk, "atlassian dropbox google hubspot mailchimp notion teamleader xero zoho"),
    ] {
        for name in list.split(' ') {
            assert_eq!(provider(name).settings().redirect, rule, "{name}");
        }
    }
    assert_eq!(provider("shopify shop=acme").settings().redirect, HttpsRequired);
}

/// OA-51, OA-65 to OA-67: further endpoints, where they are documented.
#[test]
fn each_preset_knows_the_further_endpoints_oa_51_oa_65_oa_67() {
    let of = |words| provider(words).settings().clone();
    for (words, url) in [
        ("google", "https://oauth2.googleapis.com/device/code"),
        ("github", "https://github.com/login/device/code"),
        (
            "microsoft tenant=contoso.com",
            "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/devicecode",
        ),
    ] {
        assert_eq!(of(words).device_url.as_deref(), Some(url));
    }
    for (words, url) in [
        ("google", "https://oauth2.googleapis.com/revoke"),
        ("notion", "https://api.notion.com/v1/oauth/revoke"),
        ("pipedrive company=acme", "https://oauth.pipedrive.com/oauth/revoke"),
        ("quickbooks", "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"),
        ("salesforce my_domain=acme", "https://acme.my.salesforce.com/services/oauth2/revoke"),
        ("xero", "https://identity.xero.com/connect/revocation"),
        ("zoho-ca", "https://accounts.zohocloud.ca/oauth/v2/token/revoke"),
    ] {
        assert_eq!(of(words).revoke_url.as_deref(), Some(url));
    }
    let budget = of("zoho").budget.unwrap();
    assert_eq!((budget.requests, budget.seconds), (10, 600));
}

/// OA-48: a sign that every other error could bear as well would make each of them look like a lost grant.
#[test]
fn an_expiry_sign_beside_401_says_what_stands_in_the_reply_oa_48() {
    for preset in flowrun_oauth::Preset::all() {
        for sign in &preset.settings().expired_when {
            assert!(sign.path.is_some() && !sign.one_of.is_empty(), "{}: {sign:?}", preset.name);
        }
    }
    let expired =
        |body: &[u8]| flowrun_oauth::is_expired_sign(&provider("slack").settings().expired_when, 200, body);
    assert!(expired(br#"{"ok":false,"error":"token_expired"}"#));
    assert!(!expired(br#"{"ok":false,"error":"channel_not_found"}"#) && !expired(br#"{"ok":true}"#));
}

/// RFC 6750 2.1, and the two that have a header of their own.
#[test]
fn the_token_goes_in_the_providers_header_oa_59() {
    for (words, name, scheme) in [
        ("zoho", "Authorization", "Zoho-oauthtoken"),
        ("shopify shop=acme", "X-Shopify-Access-Token", ""),
        ("notion", "Authorization", "Bearer"),
        ("zendesk subdomain=acme", "Authorization", "Bearer"),
    ] {
        let provider = provider(words);
        let header = &provider.settings().token_header;
        assert_eq!((&*header.name, &*header.scheme), (name, scheme), "{words}");
    }
}
