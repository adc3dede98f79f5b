//! What is read from a flow without running it: its picture, what it may reach, its schema.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use expect_test::{Expect, expect};
use flowrun_lang::graph::Graph;
use flowrun_lang::{Flow, SourceText, check};
use proptest::prelude::*;

fn flow(text: &str) -> Flow {
    let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).unwrap();
    let checked = check(&source, &house::catalog());
    checked.flow.unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written in place")]
fn drawn(text: &str, expected: Expect) {
    expected.assert_eq(&Graph::of(&flow(text)).mermaid());
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written in place")]
fn reaches(text: &str, expected: Expect) {
    expected.assert_eq(&serde_json::to_string_pretty(&flow(text).permissions()).unwrap());
}

#[test]
fn a_step_and_its_handler_are_drawn_with_the_way_an_error_takes() {
    drawn(
        "name: contact\nsteps:\n  - id: contact\n    http_request: { url: \"https://api.example.com/\" }\n    \
         on_error:\n      - send: Sorry.\n      - end:\n  - send: Hello.\n",
        expect![[r#"
            flowchart TD
                n0(["contact"])
                n1["contact: http_request<br/>https://api.example.com/"]
                n2["send<br/>Sorry."]
                n3(["end"])
                n4["send<br/>Hello."]
                n5(["end"])
                n0 --> n1
                n1 -.->|"on error"| n2
                n2 --> n3
                n1 --> n4
                n4 --> n5
        "#]],
    );
}

#[test]
fn the_same_picture_as_svg_shows_every_text_once_and_is_markup_whatever_the_flow_says() {
    let flow = flow(
        "name: contact\nsteps:\n  - repeat: { max: 3, until: \"index > 1 and '</svg>' != '&'\" }\n    do:\n      \
         - send: \"<script>alert(1)</script>\\u0007\"\n  - log: Done.\n    on_error: continue\n",
    );
    let svg = Graph::of(&flow).svg().unwrap();
    let mut texts = Vec::new();
    let mut reader = quick_xml::Reader::from_str(&svg);
    reader.config_mut().check_end_names = true;
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(start) => {
                let name = start.name();
                assert_ne!(name.as_ref(), b"script", "{svg}");
                text.clear();
            }
            quick_xml::events::Event::Text(more) => text.push_str(&more.decode().unwrap()),
            quick_xml::events::Event::GeneralRef(name) => {
                text.push_str(&format!("&{};", name.decode().unwrap()))
            }
            quick_xml::events::Event::End(end) if end.name().as_ref() == b"tspan" => texts.push(text.clone()),
            _ => {}
        }
    }
    expect![[r#"
        contact
        repeat
        at most 3 times
        send
        &lt;script&gt;alert(1)&lt;/script&gt;
        log
        Done.
        end
        turn
        until index &gt; 1 and '&lt;/svg&gt;' != '&amp;'
        on error
    "#]]
    .assert_eq(&(texts.join("\n") + "\n"));
}

#[test]
fn a_picture_that_cannot_be_laid_out_in_time_is_refused_and_as_text_it_is_drawn() {
    let many = |cases: usize| {
        let cases: String =
            (0..cases).map(|n| format!("      - {{ if: n == {n}, then: [{{ send: N{n}. }}] }}\n")).collect();
        flow(&format!("inputs: {{ n: {{ type: integer }} }}\nsteps:\n  - switch:\n{cases}  - send: Done.\n"))
    };
    assert!(Graph::of(&many(10)).svg().is_ok());
    let refused = Graph::of(&many(200)).svg().unwrap_err();
    assert!(refused.to_string().starts_with("the picture is too large for SVG: it takes "), "{refused}");
    assert!(Graph::of(&many(200)).dot().contains("N199."));
}

#[test]
fn conditions_and_cases_part_the_ways_and_all_of_them_meet_again() {
    drawn(
        "inputs: { n: { type: integer } }\nsteps:\n  - if: n > 1\n    then: [{ send: Many. }]\n  - switch:\n      \
         - { if: n == 1, then: [{ send: One. }] }\n      - { else: [{ fail: none }] }\n  - send: Done.\n    \
         if: n > 2\n",
        expect![[r#"
            flowchart TD
                n0(["flow"])
                n1{"n #62; 1"}
                n2["send<br/>Many."]
                n3{"n == 1"}
                n4["send<br/>One."]
                n5(["fail<br/>none"])
                n6{"n #62; 2"}
                n7["send<br/>Done."]
                n8(["end"])
                n0 --> n1
                n1 -->|"yes"| n2
                n2 --> n3
                n1 -->|"no"| n3
                n3 -->|"yes"| n4
                n3 -->|"no"| n5
                n4 --> n6
                n6 -->|"yes"| n7
                n7 --> n8
                n6 -->|"no"| n8
        "#]],
    );
}

#[test]
fn a_loop_leads_back_to_itself_and_branches_to_their_join() {
    drawn(
        "inputs: { ids: { type: array } }\nsteps:\n  - for_each: ids\n    do:\n      - log: \"{{item}}\"\n  \
         - repeat: { max: 3, until: index > 1 }\n    do:\n      - wait: 1s\n  - parallel:\n      \
         here: [{ send: Here. }]\n      there: [{ send: There. }]\nfinally:\n  - log: Over.\n",
        expect![[r#"
            flowchart TD
                n0(["flow"])
                n1{{"for_each<br/>ids"}}
                n2["log<br/>{{item}}"]
                n3{{"repeat<br/>at most 3 times"}}
                n4["wait<br/>1s"]
                n5[["parallel"]]
                n6["send<br/>Here."]
                n7["send<br/>There."]
                n8[["join: all"]]
                n9["log<br/>Over."]
                n10(["end"])
                n0 --> n1
                n1 -->|"each"| n2
                n2 --> n1
                n1 -->|"done"| n3
                n3 -->|"turn"| n4
                n4 --> n3
                n3 -->|"until index #62; 1"| n5
                n5 -->|"here"| n6
                n5 -->|"there"| n7
                n6 --> n8
                n7 --> n8
                n8 --> n9
                n9 --> n10
        "#]],
    );
}

#[test]
fn nothing_an_author_writes_becomes_a_part_of_the_picture_n8() {
    let text = "steps:\n  - send: 'A \"b\"] --> n0; <script>`x`</script> #quot; \\\\ end'\n";
    let graph = Graph::of(&flow(text));
    let (mermaid, dot) = (graph.mermaid(), graph.dot());
    assert!(!mermaid.contains("<script>") && !mermaid.contains('`'), "{mermaid}");
    assert_eq!(mermaid.matches("-->").count(), 2, "{mermaid}");
    assert!(dot.contains(r#"A \"b\"] --> n0; <script>`x`</script> #quot; \\\\"#), "{dot}");
}

#[test]
fn dot_draws_the_same_nodes_and_edges() {
    let graph = Graph::of(&flow("name: t\nsteps:\n  - send: Hello.\n    on_error: continue\n"));
    expect![[r#"
        digraph flow {
            node [fontname="sans-serif"];
            n0 [shape=oval, label="t"];
            n1 [shape=box, label="send\nHello."];
            n2 [shape=oval, label="end"];
            n0 -> n1 [style=solid, label=""];
            n1 -> n2 [style=solid, label=""];
            n1 -> n2 [style=dashed, label="on error"];
        }
    "#]]
    .assert_eq(&graph.dot());
}

#[test]
fn what_a_flow_may_reach_is_told_apart_by_who_decides_it_n12() {
    reaches(
        "name: t\nsecrets: [KEY]\ninputs: { base: { type: string } }\nsteps:\n  - http_request:\n      \
         url: https://API.example.com/a\n      headers: { X-Key: \"{{secrets.KEY}}\" }\n      redirects: 0\n  \
         - http_request: { url: \"{{base}}/b\" }\n  - do:\n      - http_request:\n          \
         url: \"{{integrations.zoho_eu.api_domain}}/crm\"\n          integration: zoho_eu\n  \
         - http_request: { url: \"https://api.example.com/c\" }\n",
        expect![[r#"
            {
              "flow": "t",
              "hosts": [
                {
                  "host": "https://api.example.com",
                  "decided_by": null,
                  "integrations": [],
                  "may_be_redirected": true,
                  "steps": [
                    "steps[0]",
                    "steps[3]"
                  ]
                },
                {
                  "host": null,
                  "decided_by": "integrations.zoho_eu.api_domain",
                  "integrations": [
                    "zoho_eu"
                  ],
                  "may_be_redirected": false,
                  "steps": [
                    "steps[2].do[0]"
                  ]
                },
                {
                  "host": null,
                  "decided_by": "base",
                  "integrations": [],
                  "may_be_redirected": true,
                  "steps": [
                    "steps[1]"
                  ]
                }
              ],
              "integrations": [
                {
                  "name": "zoho_eu",
                  "scopes": []
                }
              ],
              "secrets": [
                "KEY"
              ],
              "trigger": null,
              "waits_for": [],
              "callbacks": [],
              "emits": []
            }"#]],
    );
}

/// Steps within steps, on one line.
fn steps() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("{ send: Hello. }"), Just("{ fail: gone }"), Just("{ end: }")];
    let step = leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let block =
            proptest::collection::vec(inner, 1..4).prop_map(|steps| format!("[{}]", steps.join(", ")));
        prop_oneof![
            block.clone().prop_map(|steps| format!("{{ if: n > 1, then: {steps} }}")),
            (block.clone(), block.clone())
                .prop_map(|(a, b)| format!("{{ if: n > 1, then: {a}, else: {b} }}")),
            (block.clone(), block.clone())
                .prop_map(|(a, b)| format!("{{ switch: [{{ if: n > 1, then: {a} }}, {{ else: {b} }}] }}")),
            block.clone().prop_map(|steps| format!("{{ repeat: {{ max: 2, until: n > 1 }}, do: {steps} }}")),
            (block.clone(), block.clone()).prop_map(|(a, b)| format!("{{ parallel: {{ a: {a}, b: {b} }} }}")),
            (block.clone(), block).prop_map(|(a, b)| format!("{{ do: {a}, on_error: {b} }}")),
        ]
    });
    proptest::collection::vec(step, 1..5).prop_map(|steps| format!("[{}]", steps.join(", ")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_flow_is_drawn_with_a_box_for_each_node_and_a_tip_for_each_way(steps in steps()) {
        let source = format!("inputs: {{ n: {{ type: integer }} }}\nsteps: {steps}\n");
        let source = SourceText::new("flow.yaml", source.into_bytes()).unwrap();
        let flow = check(&source, &house::catalog()).flow;
        prop_assume!(flow.is_some(), "a mistake of the flow is not one of its picture");
        let graph = Graph::of(&flow.unwrap());
        let svg = graph.svg().unwrap();
        prop_assert_eq!(svg.matches("<path class=\"node").count(), graph.nodes.len());
        prop_assert_eq!(svg.matches("marker-end").count(), graph.edges.len());
    }
}
