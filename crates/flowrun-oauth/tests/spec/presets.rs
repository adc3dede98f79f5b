//! What the presets say of four providers (OA-7, N4, SEED-6, SEED-20, SEED-31, SEED-32).

use std::collections::BTreeMap;

use flowrun_oauth::{Pkce, Preset, PresetError, Provider, RedirectRule, Settings};

fn chosen(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn provider(name: &str) -> Provider {
    Preset::named(name).unwrap().provider(&BTreeMap::new()).unwrap()
}

/// Every file is well-formed, every choice makes a provider, every fact has a source one can open.
#[test]
fn every_preset_makes_a_provider_for_every_choice() {
    for preset in Preset::all() {
        let parameter = preset.parameter.as_ref();
        let choices: Vec<_> = parameter.map_or(vec![chosen(&[])], |parameter| {
            parameter.choices.iter().map(|choice| chosen(&[(&parameter.name, &choice.value)])).collect()
        });
        for choice in choices {
            let provider = preset.provider(&choice).unwrap();
            let settings = format!("{:?}", provider.settings());
            assert!(!settings.contains("{a"), "a placeholder is left: {settings}");
            assert!(!provider.settings().allowed_hosts.is_empty(), "{}", preset.name);
        }
        assert!(preset.setup_url.starts_with("https://"), "{}", preset.name);
        assert!(preset.facts.iter().any(|fact| fact.verified), "{}", preset.name);
        assert!(preset.facts.iter().all(|fact| fact.source.starts_with("https://")), "{}", preset.name);
    }
    let names: Vec<&str> = Preset::all().iter().map(|preset| preset.name.as_str()).collect();
    assert_eq!(names, ["google", "intercom", "teamleader", "teamleader-classic", "zoho"]);
}

/// SEED-6: the seed's table of endpoints, and Teamleader's newer ones.
#[test]
fn the_endpoints_are_those_of_the_guide() {
    for (name, authorize, token) in [
        ("google", "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"),
        ("intercom", "https://app.intercom.com/oauth", "https://api.intercom.io/auth/eagle/token"),
        ("intercom-eu", "https://app.eu.intercom.com/oauth", "https://api.eu.intercom.io/auth/eagle/token"),
        (
            "teamleader",
            "https://focus.teamleader.eu/oauth2/authorize",
            "https://focus.teamleader.eu/oauth2/access_token",
        ),
        (
            "teamleader-classic",
            "https://app.teamleader.eu/oauth2/authorize",
            "https://app.teamleader.eu/oauth2/access_token",
        ),
        ("zoho", "https://accounts.zoho.com/oauth/v2/auth", "https://accounts.zoho.com/oauth/v2/token"),
        ("zoho-eu", "https://accounts.zoho.eu/oauth/v2/auth", "https://accounts.zoho.eu/oauth/v2/token"),
        (
            "zoho-ca",
            "https://accounts.zohocloud.ca/oauth/v2/auth",
            "https://accounts.zohocloud.ca/oauth/v2/token",
        ),
        (
            "zoho-com.cn",
            "https://accounts.zoho.com.cn/oauth/v2/auth",
            "https://accounts.zoho.com.cn/oauth/v2/token",
        ),
    ] {
        let provider = provider(name);
        let endpoints = (provider.authorize_url().unwrap().as_str(), provider.token_url().as_str());
        assert_eq!(endpoints, (authorize, token), "{name}");
    }
    assert!(Preset::named("zoho-mars").is_none());
    assert!(Preset::named("Zoho").is_none());
    assert!(Preset::named("zoho-").is_none());
}

/// OA-7: nothing but a listed choice is ever put into a host name.
#[test]
fn only_a_listed_choice_reaches_a_host_name() {
    let zoho = Preset::named("zoho").unwrap();
    for evil in ["evil.com/", "a.b@c", "x#", "eu\r\n", "zöho", "", "EU", "eu "] {
        let refused = zoho.provider(&chosen(&[("dc", evil)]));
        assert!(matches!(refused, Err(PresetError::UnknownChoice { .. })), "{evil:?}");
    }
    let refused = zoho.provider(&chosen(&[("region", "eu")])).unwrap_err();
    assert_eq!(refused.to_string(), "preset `zoho` has no parameter `region`");
    let google = Preset::named("google").unwrap();
    assert!(matches!(google.provider(&chosen(&[("dc", "eu")])), Err(PresetError::UnknownParameter { .. })));
    // What was chosen outright wins over what the name implies.
    let eu = Preset::named("zoho-eu").unwrap().provider(&chosen(&[("dc", "in")])).unwrap();
    assert_eq!(eu.token_url().host_str(), Some("accounts.zoho.in"));
}

/// SEED-20, OA-45: without these the provider gives no refresh token, or the grant is lost.
#[test]
fn each_preset_knows_its_providers_quirks() {
    let of = |name| provider(name).settings().clone();
    for name in ["google", "zoho"] {
        let Settings { authorize_params, rotates, .. } = of(name);
        for (param, value) in [("access_type", "offline"), ("prompt", "consent")] {
            assert!(authorize_params.contains(&(param.to_owned(), value.to_owned())), "{name} {param}");
        }
        assert!(!rotates, "{name}");
    }
    assert!(of("teamleader").rotates && of("teamleader-classic").rotates);
    assert_eq!(of("zoho").token_header.scheme, "Zoho-oauthtoken");
    let intercom = of("intercom");
    assert_eq!((intercom.redirect, intercom.pkce), (RedirectRule::HttpsRequired, Pkce::Off));
}

/// N4: the hosts of a preset's token host hold, whether or not the preset was chosen.
#[test]
fn a_known_token_host_brings_its_hosts() {
    let hosts = |host| Preset::hosts_of_token_host(host).unwrap_or_default();
    assert_eq!(hosts("oauth2.googleapis.com"), [".googleapis.com"]);
    assert_eq!(hosts("app.teamleader.eu"), ["api.focus.teamleader.eu", "api.teamleader.eu"]);
    assert_eq!(hosts("api.au.intercom.io").len(), 3);
    for host in ["accounts.zoho.com", "accounts.zohocloud.ca", "accounts.zoho.com.cn"] {
        assert!(hosts(host).contains(&"www.zohoapis.ca".to_owned()), "{host}");
        assert_eq!(hosts(host).len(), 9);
    }
    for other in ["zoho.com", "accounts.zoho.com.evil.test", "", "ACCOUNTS.zoho.com"] {
        assert_eq!(Preset::hosts_of_token_host(other), None, "{other}");
    }
}

/// Each preset has a page that leads to the provider's own, and shows what every fact rests on.
#[test]
fn every_preset_has_a_page_with_its_sources() {
    for preset in Preset::all() {
        let page = preset.name.strip_suffix("-classic").unwrap_or(&preset.name);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers");
        let text = std::fs::read_to_string(format!("{folder}/{page}.md")).unwrap();
        assert!(text.contains(&preset.setup_url), "{page}: {}", preset.setup_url);
        for fact in &preset.facts {
            assert!(text.contains(&fact.source), "{page}: {}", fact.source);
        }
    }
}
