//! What a text writes, place by place (L-4, L-7, N2, N3).

use std::collections::HashMap;

use flowrun_template::{
    LateName, Place, RenderErrorKind, Rendered, Scope, Slot, Slots, SyntaxErrorKind, Text, Tree, Vault,
};
use secrecy::SecretString;
use serde_json::{Value, json};

struct Variables(HashMap<Slot, Value>);

impl Scope for Variables {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.0.get(&slot)
    }
}

fn variables(values: Value, slots: &mut Slots) -> Variables {
    let Value::Object(members) = values else { panic!("variables are a map") };
    Variables(members.into_iter().map(|(name, value)| (slots.intern(&name), value)).collect())
}

/// One vault for all tests: what is late must have these values.
struct Safe(SecretString);

impl Vault for Safe {
    fn secret(&self, name: &str) -> Option<&SecretString> {
        (name == "KEY").then_some(&self.0)
    }

    fn kept(&self, integration: &str, field: &str) -> Option<&str> {
        match (integration, field) {
            ("zoho", "api_domain") => Some("https://www.zohoapis.eu"),
            ("zoho", "evil") => Some("https://evil.example/?x="),
            ("zoho", "climbing") => Some("https://www.zohoapis.eu/a/../b"),
            _ => None,
        }
    }
}

/// How a text ends: a finished value, a failure with the source it points at, or a refusal to compile.
fn outcome(place: Place, source: &str, values: Value) -> Result<Value, String> {
    outcome_with(place, source, values, "p@ss\"word")
}

fn outcome_with(place: Place, source: &str, values: Value, secret: &str) -> Result<Value, String> {
    let mut slots = Slots::new();
    let text = Text::compile(source, place, &mut slots).map_err(|errors| {
        let errors =
            errors.iter().map(|error| format!("{:?} at `{}`", error.kind, &source[error.span.clone()]));
        errors.collect::<Vec<_>>().join("; ")
    })?;
    let scope = variables(values, &mut slots);
    let rendered =
        text.render(&scope).map_err(|error| format!("{:?} at `{}`", error.kind, &source[error.span]))?;
    rendered.fill(&Safe(secret.into())).map_err(|error| format!("{:?}: {}", error.kind, error.message))
}

fn check(place: Place, source: &str, values: Value, expected: Result<Value, &str>) {
    assert_eq!(outcome(place, source, values), expected.map_err(str::to_owned), "{source}");
}

mod types {
    //! L-4: what is exactly one value keeps its type; null and missing are never silently nothing.
    use super::*;

    #[test]
    fn a_setting_that_is_exactly_one_value_keeps_its_type() {
        for value in
            [json!(5), json!(1.5), json!(true), json!(null), json!([1, 2]), json!({"a": 1}), json!("5")]
        {
            check(Place::Value, "{{x}}", json!({"x": value}), Ok(value.clone()));
        }
        check(Place::Value, "{{ x.y[1] }}", json!({"x": {"y": [1, {"z": 2}]}}), Ok(json!({"z": 2})));
    }

    #[test]
    fn anything_around_it_makes_it_text() {
        check(Place::Value, "{{x}} ", json!({"x": 5}), Ok(json!("5 ")));
        check(Place::Value, "{{x}}{{x}}", json!({"x": true}), Ok(json!("truetrue")));
        check(
            Place::Text,
            "{{x}}",
            json!({"x": 12345678901234567890_u64}),
            Ok(json!("12345678901234567890")),
        );
    }

    #[test]
    fn null_is_an_error_inside_text_unless_defaulted() {
        check(Place::Value, "a{{x}}", json!({"x": null}), Err("Null at `x`"));
        check(Place::Text, "{{x}}", json!({"x": null}), Err("Null at `x`"));
        check(Place::Header, "{{x}}", json!({"x": null}), Err("Null at `x`"));
        check(Place::Url, "https://h.example/{{x}}", json!({"x": null}), Err("Null at `x`"));
        check(Place::Text, "{{default x \"soon\"}}", json!({"x": null}), Ok(json!("soon")));
    }

    #[test]
    fn a_missing_value_is_an_error_that_points_at_it() {
        check(Place::Text, "Hello {{name}}", json!({}), Err("Missing at `name`"));
        check(Place::Text, "{{a.b.c}}", json!({"a": {"b": {}}}), Err("Missing at `a.b.c`"));
        check(Place::Text, "{{a[2]}}", json!({"a": [1]}), Err("Missing at `a[2]`"));
        check(Place::Text, "{{#each xs}}{{/each}}", json!({}), Err("Missing at `xs`"));
    }

    #[test]
    fn an_unset_name_may_stand_in_default_if_and_unless() {
        check(Place::Text, "{{default a.b \"-\"}}", json!({}), Ok(json!("-")));
        check(Place::Text, "{{default a (default b 3)}}", json!({}), Ok(json!("3")));
        check(Place::Text, "{{#if a}}yes{{else}}no{{/if}}", json!({}), Ok(json!("no")));
        check(Place::Text, "{{#unless a.b}}no{{/unless}}", json!({"a": 1}), Ok(json!("no")));
        check(Place::Text, "{{default \"\" \"soon\"}}", json!({}), Ok(json!("")));
    }

    #[test]
    fn lists_and_maps_need_json_or_join_inside_text() {
        check(Place::Text, "{{x}}", json!({"x": [1, 2]}), Err("NotScalar at `x`"));
        check(Place::Text, "{{x}}", json!({"x": {}}), Err("NotScalar at `x`"));
        check(Place::Text, "{{join x}} {{join x \"+\"}}", json!({"x": [1, "b"]}), Ok(json!("1, b 1+b")));
        check(Place::Text, "{{json x}}", json!({"x": {"b": [1, null]}}), Ok(json!("{\"b\":[1,null]}")));
    }

    #[test]
    fn a_missing_member_says_what_was_there_and_never_a_value() {
        let mut slots = Slots::new();
        let text = Text::compile("{{a.email}}", Place::Text, &mut slots).unwrap();
        let scope = variables(json!({"a": {"mail": "secret@example.com", "age": 5}}), &mut slots);
        let error = text.render(&scope).unwrap_err();
        assert_eq!(
            error.message,
            "`a.email` leads nowhere: there is no `email` in a map with mail (text), age (number)"
        );
    }
}

mod language {
    //! L-4, L-7: what may be written between braces.
    use super::*;

    #[test]
    fn paths_read_members_elements_and_odd_keys() {
        let values = json!({"a": {"b": [{"odd key": 1}], "c-d": 2, "0": 3}});
        check(Place::Value, "{{a.b[0]['odd key']}}", values.clone(), Ok(json!(1)));
        check(Place::Value, "{{a[\"c-d\"]}}", values.clone(), Ok(json!(2)));
        check(Place::Value, "{{a.0}}", values.clone(), Ok(json!(3)));
        check(Place::Text, "{{a.c-d}}", values, Err("Grammar at `a.c-d`"));
    }

    #[test]
    fn blocks_choose_and_repeat() {
        let values = json!({"xs": [{"n": "a"}, {"n": "b"}], "m": {"k": 1, "l": 2}, "none": []});
        let loops = "{{#each xs}}{{@index}}{{this.n}}{{#unless @last}}, {{/unless}}{{/each}}";
        check(Place::Text, loops, values.clone(), Ok(json!("0a, 1b")));
        check(Place::Text, "{{#each m}}{{@key}}={{this}};{{/each}}", values.clone(), Ok(json!("k=1;l=2;")));
        check(Place::Text, "{{#each xs as |x i|}}{{i}}{{x.n}}{{/each}}", values.clone(), Ok(json!("0a1b")));
        check(Place::Text, "{{#each none}}x{{else}}nobody{{/each}}", values.clone(), Ok(json!("nobody")));
        let chain = "{{#if a}}1{{else if xs}}2{{else}}3{{/if}}";
        check(Place::Text, chain, values, Ok(json!("2")));
    }

    #[test]
    fn a_plain_name_in_a_loop_is_the_flows_variable() {
        let values = json!({"xs": [{"currency": "EUR"}], "currency": "USD"});
        check(
            Place::Text,
            "{{#each xs}}{{currency}} {{this.currency}}{{/each}}",
            values,
            Ok(json!("USD EUR")),
        );
    }

    #[test]
    fn inner_loops_see_outer_items_by_their_names() {
        let values = json!({"rows": [[1, 2], [3]]});
        let source = "{{#each rows as |row r|}}{{#each row}}{{r}}:{{this}}/{{length row}} {{/each}}{{/each}}";
        check(Place::Text, source, values, Ok(json!("0:1/2 0:2/2 1:3/1 ")));
    }

    #[test]
    fn helpers_do_what_their_names_say() {
        let values = json!({"s": " Ünï ", "n": 1234.5, "xs": [1, 2, 3], "t": "2026-01-31T12:00:00Z"});
        for (source, expected) in [
            ("{{trim s}}", "Ünï"),
            ("{{upper (trim s)}}", "ÜNÏ"),
            ("{{lower (trim s)}}", "ünï"),
            ("{{length xs}}{{length s}}", "35"),
            ("{{number n 2}} {{number 7 2}} {{number 9007199254740993 0}}", "1234.50 7.00 9007199254740993"),
            ("{{base64 \"a\" \":\" \"b\"}}", "YTpi"),
            ("{{url_encode \"a b/c\"}}", "a%20b%2Fc"),
            ("{{date t \"%A %H:%M\" \"Europe/Brussels\"}}", "Saturday 13:00"),
            ("{{date 0 \"%Y-%m-%d\"}}", "1970-01-01"),
            ("{{date \"2026-07-01T09:30:00\" \"%H:%M %Z\" \"Europe/Brussels\"}}", "09:30 CEST"),
            // RFC 4231, test case 2.
            (
                "{{hmac_sha256 \"Jefe\" \"what do ya want for nothing?\"}}",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            check(Place::Text, source, values.clone(), Ok(json!(expected)));
        }
    }

    #[test]
    fn helpers_refuse_what_they_cannot_take() {
        check(Place::Text, "{{number x}}", json!({"x": "many"}), Err("Argument at `number`"));
        check(Place::Text, "{{length x}}", json!({"x": 5}), Err("Argument at `length`"));
        check(Place::Text, "{{join x}}", json!({"x": "a"}), Err("Argument at `join`"));
        check(Place::Text, "{{date x \"%H\"}}", json!({"x": "noon"}), Err("Argument at `date`"));
        check(Place::Text, "{{date x \"%H\" \"Europe/Brusels\"}}", json!({}), Err("Arguments at `date`"));
        check(Place::Text, "{{date x \"%!\"}}", json!({}), Err("Arguments at `date`"));
        check(Place::Text, "{{upper}} {{upper a b}}", json!({}), Err("Arguments at `upper`"));
        check(Place::Text, "{{default a}}", json!({}), Err("Arguments at `default`"));
    }

    #[test]
    fn escapes_comments_and_white_space_are_those_of_handlebars() {
        check(
            Place::Text,
            "\\{{x}} {{!-- a }} comment --}}{{! b }}{{x}}",
            json!({"x": 1}),
            Ok(json!("{{x}} 1")),
        );
        check(Place::Text, "a {{~x~}} b", json!({"x": 1}), Ok(json!("a1b")));
        check(Place::Text, "{{#if x}}\nyes\n{{/if}}\n", json!({"x": 1}), Ok(json!("yes\n")));
        check(Place::Text, "{{{x}}}{{\"a}}b\"}}", json!({"x": "<"}), Ok(json!("<a}}b")));
    }

    #[test]
    fn what_flowrun_leaves_out_is_refused_where_it_stands() {
        for (source, expected) in [
            ("a {{> part}}", "Unsupported at `{{> part}}`"),
            ("{{* deco}}", "Unsupported at `{{* deco}}`"),
            ("{{{{raw}}}}", "Unsupported at `{{{{`"),
            ("{{#with x}}{{/with}}", "Unsupported at `{{#with x}}`"),
            ("{{eq a b}}", "UnknownName at `eq`"),
            ("{{lookup a 0}}", "UnknownName at `lookup`"),
            ("{{#if (length a)}}{{/if}}", "Unsupported at `{{#if (length a)}}`"),
            ("{{../a}}", "Grammar at `.`"),
            ("{{a == b}}", "Grammar at `=`"),
            ("{{a | upper}}", "UnknownName at `a`"),
            ("{{@root.a}}", "Unsupported at `@root.a`"),
            ("{{this}}", "Unsupported at `this`"),
            ("{{a b=c}}", "Grammar at `=`"),
        ] {
            let outcome = outcome(Place::Text, source, json!({}));
            let message = outcome.unwrap_err();
            assert!(message.starts_with(expected), "{source}: {message}");
        }
    }

    #[test]
    fn every_mistake_of_a_text_is_reported_at_once() {
        let source = "{{}} {{#if a}} {{upper}} {{/each}} {{x";
        let expected = "Grammar at `{{}}`; Arguments at `upper`; Grammar at `{{/each}}`; Grammar at `{{`";
        check(Place::Text, source, json!({}), Err(expected));
    }

    #[test]
    fn triple_braces_are_for_plain_text_only() {
        for place in [Place::Url, Place::Header, Place::Json, Place::Form, Place::Value] {
            let source = "https://h.example/{{{x}}}";
            check(place, source, json!({}), Err("Unescaped at `{{{x}}}`"));
        }
    }

    #[test]
    fn mentions_name_what_is_read_and_what_is_tolerated() {
        let source =
            "{{a.b[0]}} {{default c d}} {{#if e}}{{#each f}}{{g}}{{this.h}}{{/each}}{{/if}} {{secrets.KEY}}";
        let mut slots = Slots::new();
        let text = Text::compile(source, Place::Value, &mut slots).unwrap();
        let mentions = text.mentions().iter().map(|mention| {
            let flags = (mention.tolerated, mention.within_each);
            (&source[mention.span.clone()], flags)
        });
        let expected = [
            ("a.b[0]", (false, false)),
            ("c", (true, false)),
            ("d", (false, false)),
            ("e", (true, false)),
            ("f", (false, false)),
            ("g", (false, true)),
            ("secrets.KEY", (false, false)),
        ];
        assert_eq!(mentions.collect::<Vec<_>>(), expected);
        assert_eq!(text.late(), [LateName::Secret("KEY".into())]);
    }

    #[test]
    fn a_bare_name_is_known_as_its_slot() {
        let mut slots = Slots::new();
        let text = Text::compile("{{ id }}", Place::Value, &mut slots).unwrap();
        assert_eq!(text.as_slot(), slots.find("id"));
        for source in ["{{id.x}}", "{{id}} ", "{{upper id}}", "id", "{{secrets.KEY}}"] {
            assert_eq!(Text::compile(source, Place::Value, &mut slots).unwrap().as_slot(), None, "{source}");
        }
    }

    #[test]
    fn hostile_texts_end_in_their_limits() {
        let deep = format!("{}{}", "{{#if a}}".repeat(17), "{{/if}}".repeat(17));
        assert!(outcome(Place::Text, &deep, json!({})).unwrap_err().starts_with("TooDeep"));
        let parentheses = format!("{{{{upper {}x{}}}}}", "(upper ".repeat(5_000), ")".repeat(5_000));
        assert!(outcome(Place::Text, &parentheses, json!({})).unwrap_err().starts_with("TooDeep"));
        assert!(outcome(Place::Text, &"x".repeat(65_537), json!({})).unwrap_err().starts_with("TooLong"));
        let xs = json!({"xs": vec![0; 32]});
        let each = format!("{}x{}", "{{#each xs}}".repeat(4), "{{/each}}".repeat(4));
        assert!(outcome(Place::Text, &each, xs).unwrap_err().starts_with("Budget"));
        let long = json!({"xs": vec!["y".repeat(1_000); 2_000]});
        assert!(
            outcome(Place::Text, "{{#each xs}}{{this}}{{/each}}", long).unwrap_err().starts_with("TooLong")
        );
        let work = json!({"xs": vec![0; 1_000], "big": "y".repeat(1_000_000)});
        for source in
            ["{{#each xs}}{{length big}}{{/each}}", "{{#each xs}}{{hmac_sha256 \"k\" big}}{{/each}}"]
        {
            assert!(
                outcome(Place::Text, source, work.clone()).unwrap_err().starts_with("Budget"),
                "{source}"
            );
        }
        for source in ["https://h.example/{{#each xs}}{{big}}{{/each}}", "https://h.example/{{big}}{{big}}"] {
            assert!(
                outcome(Place::Url, source, work.clone()).unwrap_err().starts_with("TooLong"),
                "{source}"
            );
        }
        let late = "{{#each xs}}{{hmac_sha256 secrets.KEY big}}{{/each}}";
        assert!(outcome(Place::Value, late, work).unwrap_err().starts_with("TooLong"));
        assert!(outcome(Place::Text, &"{{".repeat(5_000), json!({})).unwrap_err().starts_with("Unsupported"));
    }
}

mod urls {
    //! N3: a value never decides where a request goes.
    use super::*;

    #[test]
    fn values_are_encoded_in_segments_and_queries() {
        let values = json!({"id": "a/b?c#d&e=f %", "n": 42});
        let expected = "https://h.example/c/a%2Fb%3Fc%23d%26e%3Df%20%25?n=42&q=a%2Fb%3Fc%23d%26e%3Df%20%25";
        check(Place::Url, "https://h.example/c/{{id}}?n={{n}}&q={{id}}", values, Ok(json!(expected)));
    }

    #[test]
    fn a_leading_value_is_a_base() {
        let contacts =
            |base: &str| outcome(Place::Url, "{{base}}/contacts/{{id}}", json!({"base": base, "id": 1}));
        assert_eq!(contacts("https://h.example"), Ok(json!("https://h.example/contacts/1")));
        assert_eq!(contacts("http://H.example:8080/v1/"), Ok(json!("http://h.example:8080/v1/contacts/1")));
        for base in [
            "h.example",
            "/v1",
            "",
            "ftp://h.example",
            "https://u:p@h.example",
            "https://@h.example",
            "https://h.example?x=",
            "https://h.example/#",
            "https://h.example\\@evil.example",
            " https://h.example",
            "https://h.example/a/../b",
            "https://h.example/%2e%2E/b",
            "https://h.exa\tmple",
            "javascript:alert(1)",
        ] {
            assert_eq!(contacts(base), Err("Route at `base`".to_owned()), "{base}");
        }
    }

    #[test]
    fn a_segment_that_vanishes_or_climbs_is_an_error() {
        let get = |id: &str| outcome(Place::Url, "https://h.example/contacts/{{id}}", json!({"id": id}));
        for id in ["", ".", ".."] {
            assert!(get(id).unwrap_err().starts_with("Route"), "{id:?}");
        }
        assert_eq!(get("%2e%2e"), Ok(json!("https://h.example/contacts/%252e%252e")));
        assert_eq!(get("\\..\\"), Ok(json!("https://h.example/contacts/%5C..%5C")));
        assert_eq!(get("\t"), Ok(json!("https://h.example/contacts/%09")));
        let joined = outcome(Place::Url, "https://h.example/%2e{{id}}/x", json!({"id": "."}));
        assert!(joined.unwrap_err().starts_with("Route"));
    }

    #[test]
    fn the_origin_is_a_literal_or_one_leading_value() {
        for (source, expected) in [
            ("https://{{host}}/x", "Authority at `{{host}}`"),
            ("https://api.{{host}}", "Authority at `{{host}}`"),
            ("{{base}}contacts", "Authority at `{{base}}`"),
            ("{{base}}{{path}}", "Authority at `{{base}}`"),
            ("{{base}}:8080/x", "Authority at `{{base}}`"),
            ("{{#if a}}https://a.example{{/if}}/x", "Authority at `{{#if a}}`"),
            ("/contacts/{{id}}", "Url at `/contacts/`"),
            ("//h.example/{{id}}", "Url at `//h.example/`"),
            ("ftp://h.example", "Url at `ftp://h.example`"),
            ("https://u:p@h.example/", "Url at `https://u:p@h.example`"),
            ("https:///x", "Url at `https://`"),
            ("https://h.example/a b", "Url at ` `"),
            ("https://h.example/a\nb", "Url at `\n`"),
            ("https://h.example\\@e/", "Url at `\\`"),
            ("https://h.example/#/{{id}}", "Url at `#`"),
            ("https://h.example/a/../{{id}}", "Url at `https://h.example/a/../{{id}}`"),
            ("https://h.example/a/%2e%2E/b", "Url at `https://h.example/a/%2e%2E/b`"),
            ("", "Url at ``"),
        ] {
            check(Place::Url, source, json!({}), Err(expected));
        }
    }

    #[test]
    fn literals_are_brought_to_the_form_that_is_sent() {
        check(
            Place::Url,
            "HTTPS://H.Example:443/é?q=ü{{x}}",
            json!({"x": 1}),
            Ok(json!("https://h.example/%C3%A9?q=%C3%BC1")),
        );
        check(Place::Url, "https://h.example?x={{x}}", json!({"x": 1}), Ok(json!("https://h.example?x=1")));
        check(Place::Url, "{{b}}", json!({"b": "https://h.example/"}), Ok(json!("https://h.example")));
        check(
            Place::Url,
            "https://h.example/{{url_encode x}}",
            json!({"x": "a b"}),
            Ok(json!("https://h.example/a%20b")),
        );
    }

    #[test]
    fn a_kept_field_is_a_base_and_nothing_else() {
        let zoho = |source: &str| outcome(Place::Url, source, json!({"id": "a/b"}));
        let filled = zoho("{{integrations.zoho.api_domain}}/crm/{{id}}");
        assert_eq!(filled, Ok(json!("https://www.zohoapis.eu/crm/a%2Fb")));
        for source in [
            "https://h.example/{{integrations.zoho.x}}",
            "{{id}}/{{integrations.zoho.x}}",
            "{{integrations.zoho}}/x",
        ] {
            assert!(zoho(source).unwrap_err().starts_with("Integration"), "{source}");
        }
        check(Place::Text, "{{integrations.zoho.x}}", json!({}), Err("Integration at `integrations.zoho.x`"));
    }

    #[test]
    fn what_fills_a_base_late_obeys_the_same_rules() {
        for field in ["evil", "climbing"] {
            let source = format!("{{{{integrations.zoho.{field}}}}}/crm");
            assert!(outcome(Place::Url, &source, json!({})).unwrap_err().starts_with("Refused"), "{field}");
        }
        let unknown = outcome(Place::Url, "{{integrations.zoho.token}}/crm", json!({}));
        assert_eq!(unknown, Err("NoField: integration `zoho` kept no field `token`".into()));
        let empty = outcome(Place::Url, "{{integrations.zoho.api_domain}}/crm/{{id}}", json!({"id": ""}));
        assert!(empty.unwrap_err().starts_with("Refused"));
    }
}

mod headers_bodies_and_secrets {
    //! N2, N3: the other places, and what is filled late.
    use super::*;

    #[test]
    fn a_header_holds_visible_ascii_only() {
        check(Place::Header, "a\t{{x}}", json!({"x": "b ~"}), Ok(json!("a\tb ~")));
        for value in ["a\r\nX: y", "ü", "\u{7f}", "\0"] {
            check(Place::Header, "{{x}}", json!({"x": value}), Err("Header at `x`"));
        }
        check(Place::Header, "ü {{x}}", json!({}), Err("Grammar at `ü`"));
    }

    #[test]
    fn json_text_is_escaped_in_strings_and_serialised_outside() {
        let values = json!({"s": "a\"\\\n", "n": 5, "o": {"k": [null]}, "z": null});
        let source = r#"{"s": "<{{s}}>", "n": {{n}}, "t": {{s}}, "o": {{o}}, "j": {{json o}}, "z": {{z}}}"#;
        let expected =
            r#"{"s": "<a\"\\\n>", "n": 5, "t": "a\"\\\n", "o": {"k":[null]}, "j": {"k":[null]}, "z": null}"#;
        check(Place::Json, source, values.clone(), Ok(json!(expected)));
        check(Place::Json, r#"{"z": "{{z}}"}"#, values.clone(), Err("Null at `z`"));
        check(Place::Json, r#"{"a": "\"{{o}}"}"#, values, Err("NotScalar at `o`"));
    }

    #[test]
    fn json_text_that_cannot_parse_is_an_error_as_early_as_possible() {
        check(Place::Json, "{a: {{x}}}", json!({}), Err("Grammar at `{a: {{x}}}`"));
        check(Place::Json, "[{{#if x}}1,{{/if}}]", json!({"x": 1}), Err("NotJson at `[{{#if x}}1,{{/if}}]`"));
        check(Place::Json, "[{{#if x}}\"{{/if}}]", json!({}), Err("Grammar at `x`"));
        let list = "[{{#each xs}}{{this}}{{#unless @last}},{{/unless}}{{/each}}]";
        check(Place::Json, list, json!({"xs": [1, "b"]}), Ok(json!("[1,\"b\"]")));
    }

    #[test]
    fn form_text_is_percent_encoded_quotes_too() {
        check(Place::Form, "a={{x}}&b=1", json!({"x": "'\"&= +"}), Ok(json!("a=%27%22%26%3D%20%2B&b=1")));
    }

    #[test]
    fn secrets_are_filled_late_whole_or_joined() {
        check(Place::Header, "Bearer {{secrets.KEY}}", json!({}), Ok(json!("Bearer p@ss\"word")));
        check(Place::Value, "{{secrets.KEY}}", json!({}), Ok(json!("p@ss\"word")));
        check(Place::Body, "k={{secrets.KEY}}", json!({}), Ok(json!("k=p@ss\"word")));
        check(Place::Form, "k={{secrets.KEY}}", json!({}), Ok(json!("k=p%40ss%22word")));
        check(Place::Json, r#"{"k": "{{secrets.KEY}}", "l": {{secrets.KEY}}}"#, json!({}), {
            Ok(json!(r#"{"k": "p@ss\"word", "l": "p@ss\"word"}"#))
        });
        check(Place::Header, "Basic {{base64 id \":\" secrets.KEY}}", json!({"id": "me"}), {
            Ok(json!("Basic bWU6cEBzcyJ3b3Jk"))
        });
        check(Place::Value, "{{hmac_sha256 secrets.KEY body \"base64\"}}", json!({"body": "x"}), {
            Ok(json!("Dd5IiBPUxHtZMYJ3dJpYFUUxwtDMwXJ05K2AL1ymKdo="))
        });
    }

    #[test]
    fn a_secret_stands_nowhere_else() {
        check(Place::Text, "{{secrets.KEY}}", json!({}), Err("Secret at `secrets.KEY`"));
        check(Place::Url, "https://h.example/{{secrets.KEY}}", json!({}), Err("Secret at `secrets.KEY`"));
        check(Place::Value, "{{upper secrets.KEY}}", json!({}), Err("Secret at `upper`"));
        check(Place::Value, "{{default secrets.KEY \"x\"}}", json!({}), Err("Secret at `default`"));
        check(Place::Value, "{{base64 (upper secrets.KEY)}}", json!({}), Err("Secret at `upper`"));
        check(Place::Value, "{{#if secrets.KEY}}{{/if}}", json!({}), Err("Secret at `secrets.KEY`"));
        check(Place::Value, "{{secrets}}", json!({}), Err("Secret at `secrets`"));
    }

    #[test]
    fn what_is_filled_late_obeys_its_place() {
        let header = outcome_with(Place::Header, "Bearer {{secrets.KEY}}", json!({}), "line\nbreak");
        assert_eq!(header, Err("Refused: a header cannot hold the characters of this value".into()));
        let unknown = outcome(Place::Value, "{{secrets.OTHER}}", json!({}));
        assert_eq!(unknown, Err("NoSecret: there is no secret `OTHER`".into()));
    }

    #[test]
    fn a_rendered_setting_survives_the_journal_without_its_secrets() {
        let settings = json!({
            "headers": {"Authorization": "Basic {{base64 id \":\" secrets.KEY}}"},
            "query": ["{{id}}", 5, null],
        });
        let mut slots = Slots::new();
        let tree = Tree::compile(&settings, Place::Value, &mut slots).unwrap();
        let rendered = tree.render(&variables(json!({"id": "me"}), &mut slots)).unwrap();
        let journal = serde_json::to_string(&rendered).unwrap();
        assert!(!journal.contains("p@ss"), "{journal}");
        let read: Rendered = serde_json::from_str(&journal).unwrap();
        assert_eq!(read, rendered);
        assert_eq!(read.late(), [LateName::Secret("KEY".into())]);
        let filled = read.fill(&Safe("p@ss\"word".into())).unwrap();
        let expected =
            json!({"headers": {"Authorization": "Basic bWU6cEBzcyJ3b3Jk"}, "query": ["me", 5, null]});
        assert_eq!(filled, expected);
    }
}

mod trees {
    use super::*;

    #[test]
    fn problems_of_a_tree_come_with_the_pointer_of_their_leaf() {
        let settings = json!({"a": ["x", "{{}}"], "b/c": {"~": "{{eq 1 2}}"}});
        let errors = Tree::compile(&settings, Place::Value, &mut Slots::new()).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|(pointer, error)| (pointer.as_str(), error.kind)).collect();
        assert_eq!(errors, [("/a/1", SyntaxErrorKind::Grammar), ("/b~1c/~0", SyntaxErrorKind::UnknownName)]);
    }

    #[test]
    fn a_failed_rendering_says_which_leaf() {
        let mut slots = Slots::new();
        let tree = Tree::compile(&json!({"a": [1, {"b": "x{{gone}}"}]}), Place::Value, &mut slots).unwrap();
        let error = tree.render(&variables(json!({}), &mut slots)).unwrap_err();
        assert_eq!((error.path.as_str(), error.kind), ("/a/1/b", RenderErrorKind::Missing));
    }

    #[test]
    fn mentions_are_visited_with_their_pointers() {
        let mut slots = Slots::new();
        let tree = Tree::compile(&json!({"a": ["{{x}}", "k", "{{y.z}}"]}), Place::Value, &mut slots).unwrap();
        let mut seen = Vec::new();
        tree.visit_mentions(&mut |pointer, mention| seen.push((pointer.to_owned(), mention.span.clone())));
        assert_eq!(seen, [("/a/0".to_owned(), 2..3), ("/a/2".to_owned(), 2..5)]);
    }
}
