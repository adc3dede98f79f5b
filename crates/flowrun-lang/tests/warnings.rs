//! What is only doubtful is said where it is so, and nowhere else: a warning that is wrong is worse than none.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use flowrun_lang::{Code, SourceText, check};

/// The codes said of a flow with these steps, an input `n` and an output `n`.
fn check_steps(steps: &str, expected: &[Code]) {
    let text =
        format!("inputs: {{ n: {{ type: integer }} }}\nsteps:\n{steps}outputs: {{ n: \"{{{{n}}}}\" }}\n");
    let source = SourceText::new("flow.yaml", text.into_bytes()).unwrap();
    let said: Vec<Code> =
        check(&source, &house::catalog()).diagnostics.iter().map(|problem| problem.code).collect();
    assert_eq!(said, expected, "{steps}");
}

#[test]
fn a_step_that_some_run_reaches_is_never_called_unreachable() {
    for steps in [
        "  - { if: n > 1, end: }\n  - log: Here.\n",
        "  - if: n > 1\n    then: [end]\n  - log: Here.\n",
        "  - fail: bad\n    on_error: continue\n  - log: Here.\n",
        "  - fail: bad\n    on_error: [{ log: Handled. }]\n  - log: Here.\n",
        "  - do: [{ fail: bad }, ]\n    on_error: [{ if: n > 1, fail: }]\n  - log: Here.\n",
        "  - switch: [{ if: n > 1, then: [end] }]\n  - log: Here.\n",
        "  - for_each: range(n)\n    do: [end]\n  - log: Here, where the list is empty.\n",
        "  - parallel: { a: [{ fail: bad }], b: [{ wait: 1s }] }\n    join: any\n  - log: Here.\n",
        "  - log: Here.\n    finally: [{ log: Over. }]\n  - end:\n",
    ] {
        check_steps(steps, &[]);
    }
}

#[test]
fn a_step_that_no_run_reaches_is_called_so_once() {
    for steps in [
        "  - end:\n  - log: One.\n  - log: Two.\n",
        "  - fail: bad\n  - do: [{ log: One. }, end, { log: Two. }]\n",
        "  - switch: [{ if: n > 1, then: [end] }, { else: [{ fail: bad }] }]\n  - log: One.\n",
        "  - fail: bad\n    on_error: [end]\n  - log: One.\n",
        "  - parallel: { a: [{ fail: bad }], b: [{ wait: 1s }] }\n  - log: One.\n",
        "  - repeat: { max: 3 }\n    do: [end]\n  - log: One.\n",
    ] {
        check_steps(steps, &[Code::Unreachable]);
    }
}

/// L-2, L-7: a name counts as read wherever the language can read it.
#[test]
fn a_variable_that_anything_reads_is_never_called_unused() {
    for reader in [
        "send: \"{{default x 1}}\"",
        "send: \"{{#if x}}yes{{/if}}\"",
        "send: \"{{x.a.b}}\"",
        "log: { text: t, data: { deep: [\"{{x}}\"] } }",
        "{ if: x is defined, log: t }",
        "fail: { name: bad, message: \"{{x}}\" }",
        "wait: { until: timestamp(x) }",
        "http_request: { url: \"https://api.example.com/\", query: { q: \"{{x}}\" } }",
        "end: { outputs: { x: \"{{x}}\" } }",
        "{ log: t, finally: [{ log: \"{{x}}\" }] }",
    ] {
        check_steps(&format!("  - set: {{ x: 1 }}\n  - {reader}\n"), &[]);
    }
    check_steps("  - set: { x: 1 }\n", &[Code::UnusedVariable]);
    check_steps("  - set: { _x: 1 }\n", &[]);
}

/// L-14: what is only sometimes there is fine.
#[test]
fn an_output_that_has_a_value_on_any_way_is_never_called_unset() {
    let output = |steps: &str, expected: &[Code]| {
        check_steps(&format!("{steps}  - end: {{ outputs: {{ y: \"{{{{y}}}}\" }} }}\n"), expected);
    };
    output("  - { if: n > 1, set: { y: 1 } }\n", &[]);
    output("  - do: [{ set: { y: 1 } }, { fail: bad }]\n    on_error: continue\n", &[]);
    output("  - parallel: { a: [{ set: { y: 1 } }], b: [] }\n", &[]);
    output("  - repeat: { max: 1 }\n    do: [{ set: { y: 1 } }]\n", &[]);
    output("  - for_each: range(n)\n    do: [{ set: { y: 1 } }]\n", &[Code::OutputNeverSet]);
}
