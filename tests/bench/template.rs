//! What a rendering, a pick and an expression cost.
//!
//! Targets: one variable 100 ns, two in a text 200 ns, an expression 1 us (release).

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use flowrun_template::{Place, Scope, Slot, Slots, Text};
use serde_json::{Value, json};

struct Variables(Vec<Value>);

impl Scope for Variables {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.0.get(slot.index())
    }
}

fn texts(criterion: &mut Criterion) {
    let scope = Variables(vec![json!("Doe"), json!(42), json!("a b/c")]);
    for (name, place, source) in [
        ("text/one variable", Place::Value, "{{name}}"),
        ("text/two variables", Place::Text, "Hello {{name}}, you are number {{id}}."),
        ("text/url", Place::Url, "https://api.example.com/contacts.info?id={{id}}&q={{path}}"),
        ("text/json", Place::Json, r#"{"name": "{{name}}", "id": {{id}}}"#),
    ] {
        let mut slots = Slots::new();
        for variable in ["name", "id", "path"] {
            slots.intern(variable);
        }
        let Ok(text) = Text::compile(source, place, &mut slots) else { continue };
        criterion.bench_function(name, |bencher| bencher.iter(|| text.render(black_box(&scope))));
    }
}

criterion_group!(benches, texts);
criterion_main!(benches);
