//! Where a preset's token may go (N4), and what a provider's word about its own host is worth (OA-21).

use flowrun_oauth::{Client, Kept, Preset, TokenEndpoint};

use super::{chosen, provider, ways};
use crate::scripted::{Script, now};

/// Domains of which each customer has a part.
const SHARED: [&str; 9] = [
    "atlassian.net",
    "force.com",
    "my.salesforce.com",
    "myshopify.com",
    "onmicrosoft.com",
    "pipedrive.com",
    "salesforce.com",
    "sharepoint.com",
    "zendesk.com",
];

/// The suffix rules there are, each of a domain below which only the vendor's own machines answer.
const VENDORS_OWN: [&str; 2] = [".api.mailchimp.com", ".googleapis.com"];

#[test]
fn no_presets_token_may_go_where_strangers_register_n4() {
    for preset in Preset::all() {
        for way in ways(preset) {
            for host in &preset.provider(&way).unwrap().settings().allowed_hosts {
                let name = host.trim_start_matches('.');
                assert!(!SHARED.contains(&name), "{}: {host}", preset.name);
                let is_exact = !host.starts_with('.');
                assert!(is_exact || VENDORS_OWN.contains(&host.as_str()), "{}: {host}", preset.name);
                let suffix = psl::suffix(name.as_bytes()).unwrap();
                let is_public = suffix == name && suffix.typ() == Some(psl::Type::Icann);
                assert!(!is_public, "{}: {host} is a public suffix", preset.name);
            }
        }
    }
}

#[test]
fn a_tenants_token_goes_to_that_tenant_alone_n4() {
    for (words, hosts) in [
        ("zendesk subdomain=acme", "acme.zendesk.com"),
        ("shopify shop=acme", "acme.myshopify.com"),
        ("pipedrive company=acme", "acme.pipedrive.com"),
        ("salesforce my_domain=acme", "acme.my.salesforce.com"),
        ("salesforce my_domain=acme--uat.sandbox login=test", "acme--uat.sandbox.my.salesforce.com"),
        ("salesforce my_domain=acme login=login", "acme.my.salesforce.com"),
        ("microsoft tenant=acme.com", "graph.microsoft.com"),
        ("quickbooks", "quickbooks.api.intuit.com sandbox-quickbooks.api.intuit.com"),
        ("dropbox", "api.dropboxapi.com content.dropboxapi.com"),
        ("mailchimp", ".api.mailchimp.com login.mailchimp.com"),
    ] {
        assert_eq!(provider(words).settings().allowed_hosts.join(" "), hosts, "{words}");
    }
}

/// N4: the hosts of a preset's token host hold, whether or not the preset was chosen.
#[test]
fn a_known_token_host_brings_its_hosts_n4() {
    let hosts = |host| Preset::hosts_of_token_host(host).unwrap_or_default();
    assert_eq!(hosts("oauth2.googleapis.com"), [".googleapis.com"]);
    assert_eq!(hosts("app.teamleader.eu"), ["api.focus.teamleader.eu", "api.teamleader.eu"]);
    assert_eq!(hosts("api.au.intercom.io").len(), 3);
    assert_eq!(hosts("login.microsoftonline.com"), ["graph.microsoft.com"]);
    for host in ["accounts.zoho.com", "accounts.zohocloud.ca", "accounts.zoho.com.cn"] {
        assert!(hosts(host).contains(&"www.zohoapis.ca".to_owned()), "{host}");
        assert_eq!(hosts(host).len(), 9);
    }
    // A tenant's host brings that tenant's hosts; a shared one does not tell whose account it is.
    for host in [
        "acme.zendesk.com",
        "acme-tools.myshopify.com",
        "acme.my.salesforce.com",
        "acme--uat.sandbox.my.salesforce.com",
        "login.salesforce.com",
        "test.salesforce.com",
        "oauth.pipedrive.com",
    ] {
        assert_eq!(hosts(host), [host]);
    }
    for other in [
        "",
        "zoho.com",
        "accounts.zoho.com.evil.test",
        "ACCOUNTS.zoho.com",
        "zendesk.com",
        ".zendesk.com",
        "ACME.zendesk.com",
        "a.b.zendesk.com",
        "acme.zendesk.com.evil.test",
        "evilzendesk.com",
        "my.salesforce.com",
        "evil.acme.my.salesforce.com",
    ] {
        assert_eq!(Preset::hosts_of_token_host(other), None, "{other}");
    }
}

/// What is kept of a refresh whose reply says this, and what is left out.
fn refreshed(words: &str, reply: &str) -> (Kept, Vec<String>) {
    let provider = provider(words);
    let client = Client { id: "id".to_owned(), secret: Some("a secret".into()) };
    let script = Script::json(reply);
    let endpoint = TokenEndpoint { exchange: &script, provider: &provider, client: &client };
    let grant = now(endpoint.refresh(&"old".into(), &Kept::new())).unwrap();
    (grant.kept, grant.unexpected)
}

/// OA-21, N4: the host a provider names is kept only if it is the one that was chosen; the token goes nowhere new.
#[test]
fn a_host_in_a_reply_is_kept_only_if_it_is_the_chosen_one_oa_21_n4() {
    for (words, field, good) in [
        ("salesforce my_domain=acme login=login", "instance_url", "https://acme.my.salesforce.com"),
        ("pipedrive company=acme", "api_domain", "https://acme.pipedrive.com"),
        ("zoho-eu", "api_domain", "https://www.zohoapis.eu"),
    ] {
        let reply = |value: &str| format!(r#"{{"access_token":"at","{field}":"{value}"}}"#);
        assert_eq!(refreshed(words, &reply(good)), (chosen(&[(field, good)]), Vec::new()), "{words}");
        let evil = good.replace("acme", "evil").replace("www.zohoapis", "evil.zohoapis");
        for other in [
            evil,
            format!("{good}.evil.test"),
            format!("{good}/"),
            good.replace("https", "http"),
            good.to_uppercase(),
            good.replace("https://", "https://user@"),
            String::new(),
        ] {
            let left_out = (Kept::new(), vec![field.to_owned()]);
            assert_eq!(refreshed(words, &reply(&other)), left_out, "{words}: {other}");
        }
    }
}

/// N4: what else is kept has a shape.
#[test]
fn a_kept_field_has_its_shape_n4() {
    for (words, field, good, bad) in [
        ("hubspot", "hub_id", "62515", "\"6 2515\""),
        ("dropbox", "account_id", "\"dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc\"", "\"dbid:a/../b\""),
        ("stripe", "livemode", "false", "\"maybe\""),
        ("stripe", "stripe_user_id", "\"acct_1A2b\"", "\"acct_1\\r\\nX: y\""),
        ("slack", "bot_user_id", "\"U0KRQLJ9H\"", "\"U0 KR\""),
        ("notion", "workspace_id", "\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"", "{}"),
    ] {
        let reply = |value: &str| format!(r#"{{"access_token":"at","{field}":{value}}}"#);
        let kept = Kept::from([(field.to_owned(), good.trim_matches('"').to_owned())]);
        assert_eq!(refreshed(words, &reply(good)), (kept, Vec::new()), "{words}");
        assert_eq!(refreshed(words, &reply(bad)), (Kept::new(), vec![field.to_owned()]), "{words}");
    }
}
