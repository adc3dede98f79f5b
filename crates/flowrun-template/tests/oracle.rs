//! The crates that parse for us also evaluate: where both mean the same, both must say the same.

use flowrun_template::{Logic, Place, Rendered, Scope, Slot, Slots, Text};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Variables in the order in which [`slots`] interned them.
struct Variables(Vec<Value>);

impl Scope for Variables {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.0.get(slot.index())
    }
}

fn variables() -> Value {
    json!({
        "s": "text <&\"", "n": 42, "f": 1.5, "t": true, "u": false, "z": 0, "e": "",
        "m": {"k": "v", "l": 2}, "xs": ["a", "b"], "ys": [{"q": 1}, {"q": 2}], "none": [],
    })
}

fn slots_and_scope() -> (Slots, Variables) {
    let mut slots = Slots::new();
    let Value::Object(members) = variables() else { unreachable!() };
    let values = members.into_iter().map(|(name, value)| {
        slots.intern(&name);
        value
    });
    let values = values.collect();
    (slots, Variables(values))
}

/// Templates of the language that Handlebars and flowrun share.
fn template() -> impl Strategy<Value = String> {
    let texts = ["a", " ", "\n", "  b\n", "<é>", "\\\\", "} {"];
    let values = [
        "{{s}}",
        "{{n}}",
        "{{f}}",
        "{{t}}",
        "{{~s}}",
        "{{n~}}",
        "{{ m.k }}",
        "{{{s}}}",
        "{{! c }}",
        "{{!-- }} --}}",
        "\\{{s}}",
    ];
    let leaf = prop_oneof![
        proptest::sample::select(texts.to_vec()).prop_map(str::to_owned),
        proptest::sample::select(values.to_vec()).prop_map(str::to_owned),
    ];
    let names = proptest::sample::select(vec!["s", "n", "z", "e", "t", "u", "none", "m", "xs", "m.k"]);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let several = proptest::collection::vec(inner, 0..5).prop_map(|parts| parts.concat());
        let block =
            (proptest::sample::select(vec!["if", "unless"]), names.clone(), several.clone(), several.clone());
        prop_oneof![
            several.clone(),
            block.prop_map(|(block, name, then, other)| format!(
                "{{{{#{block} {name}}}}}{then}{{{{else}}}}{other}{{{{/{block}}}}}"
            )),
            (several.clone(), several.clone())
                .prop_map(|(a, b)| format!("{{{{#if z}}}}{a}{{{{else if n}}}}{b}{{{{/if}}}}")),
            Just("{{#each xs}}\n{{@index}}{{this}}{{#unless @last}},{{/unless}}\n{{/each}}".to_owned()),
            Just(
                "{{#each ys}}{{this.q}}{{#if @first}}!{{/if}}{{/each}}{{#each m}}{{@key}}{{this}}{{/each}}"
                    .to_owned()
            ),
            Just("{{#each none}}x{{else}}y{{/each}}".to_owned()),
        ]
    })
}

/// Expressions of the language that Jinja and flowrun share; Python's booleans are numbers and flowrun's are not,
/// so conditions stand only where they choose.
fn expression() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        "n",
        "z",
        "3",
        "7",
        "s|length",
        "xs|length",
        "ys[1].q",
        "m.l",
        "m['l']",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 30, 3, |inner| {
        let operator = proptest::sample::select(vec!["+", "-", "*", "and", "or"]);
        let comparison = proptest::sample::select(vec!["==", "!=", "<", ">=", "in"]);
        let filter = proptest::sample::select(vec!["abs", "string", "default(1)", "int"]);
        let condition = (inner.clone(), comparison, inner.clone()).prop_map(|(a, how, b)| match how {
            "in" => format!("not ({a} in [{b}, 42])"),
            how => format!("t and ({a} {how} {b}) or u"),
        });
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), condition, inner.clone()).prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
            (inner.clone(), filter).prop_map(|(a, filter)| format!("({a})|{filter}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("([{a}, {b}]|sum)")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}][-1]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("([{a}, {b}]|reverse|first)")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("([{a}, {b}]|sort)[0]")),
            inner.prop_map(|a| format!("({a} ~ s)|upper")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn texts_render_as_handlebars_renders_them(source in template()) {
        let mut registry = handlebars::Handlebars::new();
        registry.register_escape_fn(handlebars::no_escape);
        let (mut slots, scope) = slots_and_scope();
        let (Ok(text), Ok(expected)) = (Text::compile(&source, Place::Text, &mut slots), registry.render_template(&source, &variables())) else {
            return Ok(());
        };
        prop_assert_eq!(text.render(&scope), Ok(Rendered::Value(json!(expected))), "{:?}", source);
    }

    #[test]
    fn expressions_evaluate_as_minijinja_evaluates_them(source in expression()) {
        let mut environment = minijinja::Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        let (mut slots, scope) = slots_and_scope();
        let Ok(logic) = Logic::compile(&source, &mut slots) else { return Ok(()) };
        // What flowrun refuses (an order of different types, text plus number) Jinja may allow, never the reverse.
        let Ok(value) = logic.evaluate(&scope, jiff::Timestamp::UNIX_EPOCH) else { return Ok(()) };
        let expected = environment.compile_expression(&source).and_then(|expression| expression.eval(minijinja::value::Serde(variables())));
        let expected = serde_json::to_value(expected.unwrap()).unwrap();
        prop_assert_eq!(value, expected, "{}", source);
    }
}
