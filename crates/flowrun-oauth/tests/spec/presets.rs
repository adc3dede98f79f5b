//! What the presets say of their providers (OA-7, N4, SEED-6, SEED-20, SEED-31, SEED-32).

use std::collections::BTreeMap;

use flowrun_oauth::{ParameterKind, Preset, Provider};

mod facts;
mod hosts;
mod pages;
mod parameters;
mod proof;

pub(crate) fn chosen(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// `zendesk subdomain=acme`: a preset and what is chosen for it.
pub(crate) fn provider(words: &str) -> Provider {
    let mut words = words.split(' ');
    let preset = Preset::named(words.next().unwrap()).unwrap();
    let pairs: Vec<_> = words.map(|pair| pair.split_once('=').unwrap()).collect();
    preset.provider(&chosen(&pairs)).unwrap_or_else(|error| panic!("{}: {error}", preset.name))
}

/// Every way to choose: each choice of each parameter, and each text's example.
pub(crate) fn ways(preset: &Preset) -> Vec<BTreeMap<String, String>> {
    preset.parameters.iter().fold(vec![BTreeMap::new()], |ways, parameter| {
        let with = |way: &BTreeMap<String, String>, value: &str| {
            let mut way = way.clone();
            way.insert(parameter.name.clone(), value.to_owned());
            way
        };
        let each = ways.iter().flat_map(|way| parameter.examples().into_iter().map(|value| with(way, value)));
        each.collect()
    })
}

/// Every file is well-formed, every choice makes a provider, every fact has a source one can open.
#[test]
fn every_preset_makes_a_provider_for_every_choice_oa_6_oa_7() {
    for preset in Preset::all() {
        for way in ways(preset) {
            let provider = preset.provider(&way).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            let written = serde_json::to_string_pretty(provider.settings()).unwrap();
            assert!(!written.lines().any(has_place), "{}: a place is left: {written}", preset.name);
            assert!(!provider.settings().allowed_hosts.is_empty(), "{}", preset.name);
        }
        assert!(preset.setup_url.starts_with("https://"), "{}", preset.name);
        assert!(preset.facts.iter().any(|fact| fact.verified), "{}", preset.name);
        assert!(preset.facts.iter().all(|fact| fact.source.starts_with("https://")), "{}", preset.name);
    }
}

/// Whether a line has a `{place}` in it; the braces of a pattern hold numbers.
fn has_place(line: &str) -> bool {
    line.split('{').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[test]
fn the_presets_are_listed_by_name() {
    let names: Vec<&str> = Preset::all().iter().map(|preset| preset.name.as_str()).collect();
    assert_eq!(
        names.join(" "),
        "atlassian dropbox github google hubspot intercom mailchimp microsoft notion pipedrive quickbooks \
         salesforce shopify slack stripe teamleader teamleader-classic xero zendesk zoho"
    );
}

/// The providers: where a person authorises and where the tokens come from.
#[test]
fn the_endpoints_are_those_of_the_guide_seed_6() {
    for (words, authorize, token) in [
        ("atlassian", "auth.atlassian.com/authorize", "auth.atlassian.com/oauth/token"),
        ("dropbox", "www.dropbox.com/oauth2/authorize", "api.dropboxapi.com/oauth2/token"),
        ("github", "github.com/login/oauth/authorize", "github.com/login/oauth/access_token"),
        ("google", "accounts.google.com/o/oauth2/v2/auth", "oauth2.googleapis.com/token"),
        ("hubspot", "app.hubspot.com/oauth/authorize", "api.hubapi.com/oauth/2026-03/token"),
        ("intercom", "app.intercom.com/oauth", "api.intercom.io/auth/eagle/token"),
        ("intercom-eu", "app.eu.intercom.com/oauth", "api.eu.intercom.io/auth/eagle/token"),
        ("mailchimp", "login.mailchimp.com/oauth2/authorize", "login.mailchimp.com/oauth2/token"),
        (
            "microsoft",
            "login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "login.microsoftonline.com/common/oauth2/v2.0/token",
        ),
        (
            "microsoft tenant=contoso.onmicrosoft.com",
            "login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/authorize",
            "login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
        ),
        ("notion", "api.notion.com/v1/oauth/authorize", "api.notion.com/v1/oauth/token"),
        ("pipedrive company=acme", "oauth.pipedrive.com/oauth/authorize", "oauth.pipedrive.com/oauth/token"),
        (
            "quickbooks",
            "appcenter.intuit.com/connect/oauth2",
            "oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        ),
        (
            "salesforce my_domain=acme--uat.sandbox",
            "acme--uat.sandbox.my.salesforce.com/services/oauth2/authorize",
            "acme--uat.sandbox.my.salesforce.com/services/oauth2/token",
        ),
        (
            "salesforce-test my_domain=acme--uat.sandbox",
            "test.salesforce.com/services/oauth2/authorize",
            "test.salesforce.com/services/oauth2/token",
        ),
        (
            "shopify shop=acme",
            "acme.myshopify.com/admin/oauth/authorize",
            "acme.myshopify.com/admin/oauth/access_token",
        ),
        ("slack", "slack.com/oauth/v2/authorize", "slack.com/api/oauth.v2.access"),
        ("stripe", "connect.stripe.com/oauth/authorize", "connect.stripe.com/oauth/token"),
        ("teamleader", "focus.teamleader.eu/oauth2/authorize", "focus.teamleader.eu/oauth2/access_token"),
        ("teamleader-classic", "app.teamleader.eu/oauth2/authorize", "app.teamleader.eu/oauth2/access_token"),
        ("xero", "login.xero.com/identity/connect/authorize", "identity.xero.com/connect/token"),
        (
            "zendesk subdomain=acme",
            "acme.zendesk.com/oauth/authorizations/new",
            "acme.zendesk.com/oauth/tokens",
        ),
        ("zoho", "accounts.zoho.com/oauth/v2/auth", "accounts.zoho.com/oauth/v2/token"),
        ("zoho-eu", "accounts.zoho.eu/oauth/v2/auth", "accounts.zoho.eu/oauth/v2/token"),
        ("zoho-ca", "accounts.zohocloud.ca/oauth/v2/auth", "accounts.zohocloud.ca/oauth/v2/token"),
        ("zoho-com.cn", "accounts.zoho.com.cn/oauth/v2/auth", "accounts.zoho.com.cn/oauth/v2/token"),
    ] {
        let provider = provider(words);
        let endpoints = (provider.authorize_url().unwrap().as_str(), provider.token_url().as_str());
        assert_eq!(endpoints, (&*format!("https://{authorize}"), &*format!("https://{token}")), "{words}");
    }
}

#[test]
fn a_name_may_imply_a_choice_but_no_text_seed_6() {
    for unknown in ["zoho-mars", "Zoho", "zoho-", "zendesk-acme", "salesforce-acme"] {
        assert!(Preset::named(unknown).is_none(), "{unknown}");
    }
    // What was chosen outright wins over what the name implies.
    assert_eq!(provider("zoho-eu dc=in").token_url().host_str(), Some("accounts.zoho.in"));
    let of_text = Preset::all().iter().flat_map(|preset| &preset.parameters);
    let texts = of_text.filter(|parameter| matches!(parameter.kind, ParameterKind::Text(_)));
    assert_eq!(texts.count(), 5, "tenant, company, my_domain, shop, subdomain");
}
