//! What may be put into an address (OA-7): a listed choice, or a text of the parameter's shape.

use flowrun_oauth::{Parameter, ParameterKind, Preset, PresetError};
use proptest::prelude::*;

use super::{chosen, ways};

/// What never reaches an address, whoever the provider is.
const HOSTILE: [&str; 32] = [
    "",
    " ",
    "evil.com/",
    "a.b@c",
    "user:word@acme",
    "x#",
    "x?y=z",
    "x\r\nHost: evil.com",
    "acme\n",
    "bücher",
    "аcme",
    "ACME",
    "Acme",
    "acme.",
    ".acme",
    "acme..b",
    "-acme",
    "acme-",
    "a b",
    "../acme",
    "acme/..",
    "acme\\evil",
    "acme%2fevil",
    "acme:443",
    "[::1]",
    "{shop}",
    "{login}",
    "acme\0",
    "acme\u{200b}",
    "acme\u{202e}",
    "*",
    "acme,evil",
];

/// Every parameter there is, with its preset.
fn parameters() -> Vec<(&'static Preset, &'static Parameter)> {
    let each = |preset: &'static Preset| preset.parameters.iter().map(move |parameter| (preset, parameter));
    Preset::all().iter().flat_map(each).collect()
}

fn refused(preset: &Preset, parameter: &Parameter, value: &str) -> PresetError {
    let mut way = ways(preset).remove(0);
    way.insert(parameter.name.clone(), value.to_owned());
    preset.provider(&way).err().unwrap_or_else(|| panic!("{}: {value:?} is taken", preset.name))
}

#[test]
fn nothing_hostile_reaches_an_address_oa_7() {
    let too_long = "a".repeat(200);
    for (preset, parameter) in parameters() {
        for value in HOSTILE.into_iter().chain([too_long.as_str()]) {
            let error = refused(preset, parameter, value);
            match parameter.kind {
                ParameterKind::Choice(_) => assert!(matches!(error, PresetError::UnknownChoice { .. })),
                ParameterKind::Text(_) => assert!(matches!(error, PresetError::Misshapen { .. })),
            }
            assert!(!error.to_string().contains("evil"), "{error}: what was typed is not repeated");
        }
    }
}

/// A tenant's name is one label, so that it cannot choose a domain; Salesforce's may end in a listed word.
#[test]
fn a_tenants_name_is_one_label_oa_7() {
    for (preset, parameter) in parameters() {
        if matches!(parameter.kind, ParameterKind::Text(_)) && preset.name != "microsoft" {
            for value in ["acme.evil", "acme.sandbox.evil", "a.b.c"] {
                refused(preset, parameter, value);
            }
        }
    }
}

proptest! {
    /// Whatever is typed, the endpoints stay on the vendor's domain with the path they had.
    #[test]
    fn no_text_leaves_the_vendors_domain_oa_7(value in "[ -~]{0,70}|[a-z0-9.-]{1,70}|\\PC{0,20}") {
        for (words, parameter, domain, segments) in [
            ("zendesk", "subdomain", ".zendesk.com", 2),
            ("shopify", "shop", ".myshopify.com", 3),
            ("salesforce", "my_domain", ".my.salesforce.com", 3),
            ("microsoft", "tenant", "login.microsoftonline.com", 4),
        ] {
            let preset = Preset::named(words).unwrap();
            if let Ok(provider) = preset.provider(&chosen(&[(parameter, &value)])) {
                let url = provider.token_url();
                prop_assert!(url.host_str().unwrap().ends_with(domain), "{url}");
                prop_assert_eq!(url.path_segments().unwrap().count(), segments, "{}", url);
                prop_assert!(url.as_str().contains(&value), "{} was changed on the way: {}", value, url);
            }
        }
    }
}

#[test]
fn what_is_missing_is_named_with_its_help_and_an_example() {
    for (name, parameter, example) in [
        ("zendesk", "subdomain", "acme"),
        ("shopify", "shop", "acme-tools"),
        ("salesforce", "my_domain", "acme"),
        ("salesforce-test", "my_domain", "acme"),
        ("pipedrive", "company", "acme"),
    ] {
        let error = Preset::named(name).unwrap().provider(&chosen(&[])).unwrap_err();
        let PresetError::Missing { name: missing, help, example: shown, .. } = &error else {
            panic!("{name}: {error}")
        };
        assert_eq!((missing.as_str(), shown.as_str()), (parameter, example));
        assert!(error.to_string().contains(help) && help.len() > 20, "{error}");
    }
}

#[test]
fn what_a_preset_does_not_have_cannot_be_chosen() {
    let refused = |name: &str, pair| Preset::named(name).unwrap().provider(&chosen(&[pair])).unwrap_err();
    assert_eq!(refused("zoho", ("region", "eu")).to_string(), "preset `zoho` has no parameter `region`");
    for (name, pair) in [("google", ("dc", "eu")), ("zendesk", ("shop", "acme"))] {
        assert!(matches!(refused(name, pair), PresetError::UnknownParameter { .. }), "{name}");
    }
}

/// A person reads these before typing: a sentence each, and an example that is taken.
#[test]
fn every_parameter_explains_itself() {
    for (preset, parameter) in parameters() {
        assert!(parameter.help.contains(' '), "{} {}", preset.name, parameter.name);
        if let ParameterKind::Text(shape) = &parameter.kind {
            assert!(shape.words.contains(' '), "{} {}", preset.name, parameter.name);
        }
        assert!(!parameter.examples().is_empty());
    }
}
