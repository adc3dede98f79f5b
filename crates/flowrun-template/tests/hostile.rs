//! Hostile sources and values: T6 and T9, and nothing that panics.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

use flowrun_template::{Logic, Path, Place, Rendered, Scope, Slot, Slots, Text};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::{Value, json};

struct Always(Value);

impl Scope for Always {
    fn value(&self, _: Slot) -> Option<&Value> {
        Some(&self.0)
    }
}

/// Every way to nest or chain in each of the three languages, `n` times.
fn towers(n: usize) -> Vec<String> {
    let around = |open: &str, close: &str| format!("{}1{}", open.repeat(n), close.repeat(n));
    vec![
        around("(", ")"),
        around("[", "]"),
        around("{\"a\":", "}"),
        around("x[", "]"),
        around("range(", ")"),
        around("-", ""),
        around("not ", ""),
        around("", "+1"),
        around("", " and 1"),
        around("", "|abs"),
        around("", " is odd"),
        around("", " if 1 else 2"),
        around("1 if 1 else ", ""),
        around("", ".a"),
        around("", "[0]"),
        around("2**", ""),
        around("", "<1"),
    ]
}

fn evaluate_towers(n: usize) {
    for source in towers(n) {
        if let Ok(logic) = Logic::compile(&source, &mut Slots::new()) {
            let _ = logic.evaluate(&Always(json!(1)), jiff::Timestamp::UNIX_EPOCH);
            let _ = logic.clone();
        }
    }
    for (open, close) in
        [("$[?", "]"), ("$[?(", ")]"), ("$[?!(", ")]"), ("$[?length(", ")]"), ("[0]", ""), ("..", "")]
    {
        let _ = Path::compile(&format!("{}@.a{}", open.repeat(n), close.repeat(n)));
    }
    for (open, close) in
        [("{{#if a}}", "{{/if}}"), ("(upper ", ")"), ("{{", "}}"), ("{{{", "}}}"), ("{{a[", "]}}")]
    {
        for place in [Place::Text, Place::Url, Place::Json] {
            let _ = Text::compile(
                &format!("{{{{upper {}a{}}}}}", open.repeat(n), close.repeat(n)),
                place,
                &mut Slots::new(),
            );
            let _ =
                Text::compile(&format!("{}a{}", open.repeat(n), close.repeat(n)), place, &mut Slots::new());
        }
    }
}

/// What the child process of the next test runs, on a stack of 2 MiB.
#[test]
fn towers_of_every_kind_end_on_a_small_stack() {
    let runner = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let running = runner.spawn(|| [10, 60, 100, 500, 1_000, 10_000, 100_000].map(evaluate_towers)).unwrap();
    running.join().unwrap();
}

/// T6: an overflow of the stack aborts the process and cannot be caught, so it is tried in a child.
#[test]
fn deep_expression_is_an_error_not_an_abort() {
    let tests = std::env::current_exe().unwrap();
    let child =
        Command::new(tests).args(["--exact", "towers_of_every_kind_end_on_a_small_stack"]).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
}

/// What a URL parser sees: origin, segments, and whether a query or fragment began.
fn route(url: &str) -> (String, Vec<String>, bool) {
    let url = url::Url::parse(url).unwrap();
    let segments = url.path_segments().unwrap().map(str::to_owned).collect();
    (url.origin().ascii_serialization(), segments, url.query().is_some() || url.fragment().is_some())
}

/// Strings that a URL could be led astray with, and any others.
fn hostile_text() -> impl Strategy<Value = String> {
    let seeds = [
        "..", ".", "%2e%2e", "%2E", "/", "\\", "?", "#", "@", ":", "//", "\t", "\r\n", "%00", "%", "é", " ",
        "[", "a",
    ];
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(proptest::sample::select(seeds.to_vec()), 0..6)
            .prop_map(|parts| parts.concat())
    ]
}

/// A part of a segment: what the author wrote, or one of three values.
#[derive(Debug, Clone)]
enum Piece {
    Literal(String),
    Value(usize),
}

impl Piece {
    fn written(&self) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Value(at) => format!("{{{{v{at}}}}}"),
        }
    }

    fn said(&self, values: &[String]) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Value(at) => values[*at].clone(),
        }
    }
}

fn segment() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof!["[a-z0-9_-]{1,3}".prop_map(Piece::Literal), (0_usize..3).prop_map(Piece::Value)];
    proptest::collection::vec(piece, 1..4)
}

/// A value for each slot, in order.
struct Each(Vec<Value>);

impl Scope for Each {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.0.get(slot.index())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// T9: each segment is what the author and the values say, and nothing else; what cannot be one is refused.
    #[test]
    fn path_value_cannot_change_the_route(
        segments in proptest::collection::vec(segment(), 1..5),
        values in proptest::collection::vec(hostile_text(), 3),
    ) {
        let (mut slots, mut source) = (Slots::new(), "https://h.example".to_owned());
        for at in 0..3 {
            slots.intern(&format!("v{at}"));
        }
        for segment in &segments {
            source.push('/');
            source.extend(segment.iter().map(Piece::written));
        }
        let text = Text::compile(&source, Place::Url, &mut slots).unwrap();
        let said: Vec<String> =
            segments.iter().map(|segment| segment.iter().map(|piece| piece.said(&values)).collect()).collect();
        let is_one = |segment: &String| !matches!(segment.as_str(), "" | "." | "..");
        match text.render(&Each(values.iter().map(|value| json!(value)).collect())) {
            Ok(Rendered::Value(Value::String(url))) => {
                let (origin, rendered, more) = route(&url);
                let decoded = rendered.iter().map(|segment| percent_decode_str(segment).decode_utf8().unwrap());
                prop_assert_eq!(origin, "https://h.example");
                prop_assert_eq!(decoded.collect::<Vec<_>>(), said);
                prop_assert!(!more);
            }
            other => prop_assert!(!said.iter().all(is_one), "{:?} of {}", other, source),
        }
    }

    /// T9, for a base and the query.
    #[test]
    fn a_base_or_query_value_adds_nothing_of_its_own(base in hostile_text(), value in hostile_text()) {
        let text = Text::compile("{{base}}/notes", Place::Url, &mut Slots::new()).unwrap();
        for base in [base.clone(), format!("https://h.example{base}"), format!("https://h.example/{base}")] {
            if let Ok(Rendered::Value(Value::String(url))) = text.render(&Always(json!(base))) {
                let (origin, segments, more) = route(&url);
                prop_assert_eq!(&origin, &url::Url::parse(&base).unwrap().origin().ascii_serialization());
                prop_assert_eq!(segments.last().map(String::as_str), Some("notes"));
                prop_assert!(!more);
            }
        }
        let text = Text::compile("https://h.example/n?a={{v}}&b=1", Place::Url, &mut Slots::new()).unwrap();
        let Ok(Rendered::Value(Value::String(url))) = text.render(&Always(json!(value))) else { panic!("any text can stand in a query") };
        let url = url::Url::parse(&url).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs, vec![("a".to_owned(), value), ("b".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn any_value_in_json_text_gives_that_value(value in any::<String>()) {
        let text = Text::compile(r#"{"a": "{{v}}", "b": {{v}}}"#, Place::Json, &mut Slots::new()).unwrap();
        let Ok(Rendered::Value(Value::String(body))) = text.render(&Always(json!(value))) else { panic!("any text can stand in JSON") };
        prop_assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({"a": value, "b": value}));
    }

    #[test]
    fn no_source_panics(source in "([ -~\\n\\\\é]|\\{\\{|\\}\\}|\\{\\{#if |\\{\\{/if\\}\\}|\\{\\{#each |else|secrets.K|@index|\\$\\.\\.|\\[\\?@|==|https://){0,40}") {
        for place in [Place::Text, Place::Url, Place::Header, Place::Json, Place::Form, Place::Value] {
            match Text::compile(&source, place, &mut Slots::new()) {
                Ok(text) => drop(text.render(&Always(json!([{"a": "é"}, null])))),
                Err(errors) => prop_assert!(errors.iter().all(|error| source.get(error.span.clone()).is_some())),
            }
        }
        if let Err(error) = Path::compile(&source) {
            prop_assert!(source.get(error.span).is_some());
        }
        match Logic::compile(&source, &mut Slots::new()) {
            Ok(logic) => drop(logic.evaluate(&Always(json!([{"a": "é"}, null])), jiff::Timestamp::UNIX_EPOCH)),
            Err(error) => prop_assert!(source.get(error.span).is_some()),
        }
    }
}
