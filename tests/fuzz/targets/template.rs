//! Any template at any place, and any value at a place whose rules must hold (N3).
#![no_main]

use flowrun_fuzz::{Always, within_a_second};
use flowrun_template::{Place, Rendered, Slots, Text};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use url::Url;

const PLACES: [Place; 7] =
    [Place::Text, Place::Url, Place::Header, Place::Json, Place::Form, Place::Body, Place::Value];

fuzz_target!(|given: (u8, &str, &str)| {
    let (place, source, value) = given;
    let scope = Always(Value::from(value));
    within_a_second(|| {
        if let Ok(text) = Text::compile(source, PLACES[usize::from(place) % PLACES.len()], &mut Slots::new())
        {
            let _ = text.render(&scope);
        }
    });
    route_stays(&scope);
    header_stays_one_line(&scope);
    json_stays_json(&scope);
});

fn rendered(source: &str, place: Place, scope: &Always) -> Option<String> {
    let text = Text::compile(source, place, &mut Slots::new()).expect("a template of ours");
    match text.render(scope) {
        Ok(Rendered::Value(Value::String(text))) => Some(text),
        _ => None,
    }
}

fn route_stays(scope: &Always) {
    let Some(text) = rendered("https://api.example.com/a/{{x}}/b?q={{y}}", Place::Url, scope) else { return };
    let url = Url::parse(&text).expect("what is rendered is a URL");
    assert_eq!(url.origin().ascii_serialization(), "https://api.example.com", "{text}");
    let segments: Vec<&str> = url.path_segments().expect("it has a path").collect();
    assert!(segments.len() == 3 && segments[0] == "a" && segments[2] == "b", "{text}");
    assert_eq!(url.query_pairs().count(), 1, "{text}");
}

fn header_stays_one_line(scope: &Always) {
    if let Some(text) = rendered("Bearer {{x}}", Place::Header, scope) {
        assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
    }
}

fn json_stays_json(scope: &Always) {
    if let Some(text) = rendered("{\"a\": \"{{x}}\"}", Place::Json, scope) {
        let value: Value = serde_json::from_str(&text).expect("what is rendered is JSON");
        assert_eq!(value["a"], scope.0);
    }
}
