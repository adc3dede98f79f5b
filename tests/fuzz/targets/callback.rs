//! Any address that a browser ends on: without the state of the authorization it brings no code.
#![no_main]

use flowrun_fuzz::within_a_second;
use flowrun_oauth::{Arrival, AuthorizationRequest, Preset, begin, callback};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const REDIRECT: &str = "http://127.0.0.1:8437/oauth/callback/k3v9";

fuzz_target!(|query: &str| {
    let preset = Preset::named("zoho").expect("a preset");
    let provider = preset.provider(&Default::default()).expect("it needs nothing");
    let request = AuthorizationRequest {
        integration: "zoho",
        client_id: "client",
        redirect_uri: REDIRECT,
        scopes: &[],
        force_consent: false,
        session_binding: None,
    };
    let mut count = 0_u8;
    let mut fill = |bytes: &mut [u8]| {
        bytes.iter_mut().for_each(|byte| {
            count = count.wrapping_mul(31).wrapping_add(7);
            *byte = count;
        });
    };
    let (_, pending) = begin(&provider, &request, &mut fill, Timestamp::UNIX_EPOCH).expect("it begins");
    for address in [query.to_owned(), format!("{REDIRECT}?{query}"), format!("?{query}")] {
        let arrival = Arrival { address: &address, session_binding: None, at: Timestamp::UNIX_EPOCH };
        let taken = within_a_second(|| callback(arrival, &pending, &provider));
        assert!(taken.is_err(), "{address} was taken without the state");
    }
});
