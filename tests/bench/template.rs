//! What a rendering, a pick and an expression cost.
//!
//! Targets (release): one variable 100 ns, a text with two 200 ns, an expression 1 us.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use flowrun_template::{Logic, Path, Place, Scope, Slot, Slots, Text};
use jiff::Timestamp;
use serde_json::{Value, json};

struct Variables(Vec<Value>);

impl Scope for Variables {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.0.get(slot.index())
    }
}

/// 7,000 rows, about 1 MB of JSON.
fn rows() -> Value {
    let row = |n: usize| json!({"id": n, "name": format!("contact number {n}"), "status": "open", "age": n % 100, "note": "x".repeat(60)});
    json!({"data": {"contacts": (0..7_000).map(row).collect::<Value>(), "last_name": "Doe"}})
}

fn variables() -> (Slots, Variables) {
    let mut slots = Slots::new();
    let values = [
        ("name", json!("Doe")),
        ("id", json!(42)),
        ("path", json!("a b/c")),
        ("status", json!("open")),
        ("items", json!([1, 2, 3, 4])),
    ];
    let rows = rows();
    let hundred =
        rows["data"]["contacts"].as_array().map(|rows| rows.iter().take(300).cloned().collect::<Value>());
    let values =
        values.into_iter().chain([("contacts", hundred.unwrap_or_default())]).map(|(name, value)| {
            slots.intern(name);
            value
        });
    let values = values.collect();
    (slots, Variables(values))
}

fn texts(criterion: &mut Criterion) {
    let (mut slots, scope) = variables();
    for (name, place, source) in [
        ("text/one variable", Place::Value, "{{name}}"),
        ("text/two variables", Place::Text, "Hello {{name}}, you are number {{id}}."),
        ("text/url", Place::Url, "https://api.example.com/contacts.info?id={{id}}&q={{path}}"),
        ("text/json", Place::Json, r#"{"name": "{{name}}", "id": {{id}}}"#),
        ("text/loop of 4", Place::Text, "{{#each items}}{{this}}, {{/each}}"),
    ] {
        let Ok(text) = Text::compile(source, place, &mut slots) else { continue };
        criterion.bench_function(name, |bencher| bencher.iter(|| text.render(black_box(&scope))));
    }
    criterion.bench_function("compile/text", |bencher| {
        bencher.iter(|| {
            Text::compile(black_box("Hello {{name}}, you are number {{id}}."), Place::Text, &mut slots)
        });
    });
}

fn logic(criterion: &mut Criterion) {
    let (mut slots, scope) = variables();
    for (name, source) in [
        ("logic/comparison", "status == \"open\""),
        ("logic/condition", "status == \"open\" and items|length > 3"),
        ("logic/arithmetic", "id * 2 + 1 > items[0]"),
        ("logic/300 rows selected", "contacts|selectattr(\"age\", \"gt\", 50)|list|length"),
    ] {
        let Ok(logic) = Logic::compile(source, &mut slots) else { continue };
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| logic.evaluate(black_box(&scope), Timestamp::UNIX_EPOCH));
        });
    }
    for (name, source) in [
        ("compile/logic", "status == \"open\" and items|length > 3"),
        (
            "compile/logic on its own stack",
            "status == \"open\" and items|length > 3 and name != \"a name that makes this expression long enough\" and id > 1",
        ),
    ] {
        criterion
            .bench_function(name, |bencher| bencher.iter(|| Logic::compile(black_box(source), &mut slots)));
    }
}

fn paths(criterion: &mut Criterion) {
    let rows = rows();
    for (name, source) in [
        ("path/one member", "data.last_name"),
        ("path/one element", "data.contacts[6999].name"),
        ("path/7,000 names", "data.contacts[*].name"),
        ("path/7,000 compared", "data.contacts[?@.age > 88].name"),
        ("path/7,000 matched", "data.contacts[?match(@.name, 'contact number 69..')].name"),
        ("path/all levels", "$..name"),
    ] {
        let Ok(path) = Path::compile(source) else { continue };
        criterion.bench_function(name, |bencher| bencher.iter(|| path.pick(black_box(&rows))));
    }
    criterion.bench_function("compile/path", |bencher| {
        bencher.iter(|| Path::compile(black_box("data.last_name")))
    });
}

criterion_group!(benches, texts, logic, paths);
criterion_main!(benches);
