//! Whatever a browser or a token endpoint sends: no panic, and no secret in what is said about it (N-rules, fuzz).

use flowrun_oauth::{
    Arrival, AuthorizationRequest, Client, GrantKind, Kept, Pending, Preset, Provider, Settings,
    TokenEndpoint, TokenKind, begin, callback, discover,
};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::scripted::{Script, now};

const SECRET: &str = "canary-client-secret";
const TOKEN: &str = "canary-refresh-token";

fn zoho() -> Provider {
    Preset::named("zoho").unwrap().provider(&Default::default()).unwrap()
}

fn pending(provider: &Provider) -> Pending {
    let request = AuthorizationRequest {
        integration: "zoho",
        client_id: "client",
        redirect_uri: "http://127.0.0.1:8437/oauth/callback/k3v9",
        scopes: &[],
        force_consent: false,
        session_binding: None,
    };
    begin(provider, &request, &mut |bytes| bytes.fill(7), Timestamp::UNIX_EPOCH).unwrap().1
}

/// Replies that nearly are ones: fields with the names that are read, and values of every kind.
fn nearly_a_reply() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("access_token"),
        Just("refresh_token"),
        Just("token_type"),
        Just("expires_in"),
        Just("scope"),
        Just("error"),
        Just("error_description"),
        Just("errors"),
        Just("ok"),
        Just("api_domain"),
        Just("message"),
        Just("active"),
        Just("device_code"),
        Just("user_code"),
        Just("verification_uri"),
        Just("interval"),
        Just("issuer"),
        Just("token_endpoint"),
        Just("code_challenge_methods_supported"),
    ];
    let value = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(|number| serde_json::json!(number)),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        Just(format!("{SECRET} {TOKEN}").into()),
        any::<String>().prop_map(|text| serde_json::json!([{ "title": text }])),
        any::<String>().prop_map(|text| serde_json::json!({ "code": text, "message": TOKEN })),
        Just("https://id.example.com".into()),
        any::<String>().prop_map(|text| format!("https://id.example.com/{text}").into()),
    ];
    prop::collection::vec((name, value), 0..6)
        .prop_map(|fields| {
            serde_json::Value::Object(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
        })
        .prop_map(|reply| reply.to_string())
}

proptest! {
    #[test]
    fn no_callback_without_the_state_brings_a_code(address in any::<String>(), query in "(code|state|error|iss|&|=|%|[a-z]){0,20}") {
        let provider = zoho();
        let pending = pending(&provider);
        for address in [&address, &query] {
            let arrival = Arrival { address, session_binding: None, at: Timestamp::UNIX_EPOCH };
            prop_assert!(callback(arrival, &pending, &provider).is_err());
        }
    }

    #[test]
    fn no_reply_makes_an_error_repeat_a_secret(status in 200_u16..600, reply in prop_oneof![nearly_a_reply(), any::<String>()]) {
        let provider = zoho();
        let client = Client { id: "client".to_owned(), secret: Some(SECRET.into()) };
        let script = Script::reply(status, &[], &reply);
        let endpoint = TokenEndpoint { exchange: &script, provider: &provider, client: &client };
        if let Err(error) = now(endpoint.refresh(&TOKEN.into(), &Kept::new())) {
            let said = format!("{error} {error:?}");
            prop_assert!(!said.contains("canary"), "{said}");
        }
    }

    /// OA-65 to OA-67: the same of the endpoints beside; what is shown to a person is inert (T24).
    #[test]
    fn no_reply_of_another_endpoint_repeats_a_secret_or_steers_a_terminal(status in 200_u16..600, reply in prop_oneof![nearly_a_reply(), any::<String>()]) {
        let url = |path: &str| Some(format!("https://id.example.com/{path}"));
        let settings = Settings {
            revoke_url: url("revoke"),
            introspect_url: url("introspect"),
            device_url: url("device"),
            ..Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
        };
        let provider = Provider::new(settings).unwrap();
        let client = Client { id: "client".to_owned(), secret: Some(SECRET.into()) };
        let (token, kept) = (TOKEN.into(), Kept::new());
        let script = || Script::reply(status, &[], &reply);
        let (revoked, introspected, begun) = (script(), script(), script());
        let endpoint = |exchange| TokenEndpoint { exchange, provider: &provider, client: &client };
        let revoke = now(endpoint(&revoked).revocation(&kept).unwrap().revoke(&token, TokenKind::Refresh));
        let active = now(endpoint(&introspected).introspection(&kept).unwrap().is_active(&token, TokenKind::Access));
        let device = now(endpoint(&begun).device_grant().unwrap().begin(&[]));
        for error in [revoke.err(), active.err()].into_iter().flatten() {
            let said = format!("{error} {error:?}");
            prop_assert!(!said.contains("canary"), "{said}");
        }
        match device {
            // A device is not asked about a token, so the client secret is all that it could repeat.
            Err(error) => prop_assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}"),
            Ok(device) => {
                let shown = format!("{} {}", device.user_code, device.verification_uri);
                prop_assert!(shown.chars().all(|sign| (' '..='~').contains(&sign)), "{shown:?}");
            }
        }
    }

    /// OA-68: whatever stands at the well-known place, settings that are taken from it are an issuer's own, and sound.
    #[test]
    fn no_document_makes_settings_that_cannot_be_used_or_are_anothers(document in prop_oneof![nearly_a_reply(), any::<String>()]) {
        let asked = "https://id.example.com";
        if let Ok(settings) = now(discover(&Script::json(&document), asked)) {
            prop_assert_eq!(settings.issuer.as_deref(), Some(asked));
            let settings = Settings { grant: GrantKind::ClientCredentials, ..settings };
            prop_assert!(Provider::new(settings).is_ok(), "{document}");
        }
    }
}
