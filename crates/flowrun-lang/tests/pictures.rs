//! What is read from a flow without running it: its picture, what it may reach, its schema.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use expect_test::{Expect, expect};
use flowrun_lang::{Flow, SourceText, check};

fn flow(text: &str) -> Flow {
    let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).unwrap();
    let checked = check(&source, &house::catalog());
    checked.flow.unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written in place")]
fn reaches(text: &str, expected: Expect) {
    expected.assert_eq(&serde_json::to_string_pretty(&flow(text).permissions()).unwrap());
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
                "zoho_eu"
              ],
              "secrets": [
                "KEY"
              ]
            }"#]],
    );
}
