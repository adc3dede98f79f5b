//! Whatever a browser or a token endpoint sends: no panic, and no secret in what is said about it (N-rules, fuzz).

use flowrun_oauth::{
    Arrival, AuthorizationRequest, Client, Kept, Pending, Preset, Provider, TokenEndpoint, begin, callback,
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
}
