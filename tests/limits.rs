//! Every limit of `docs/limits.md` is hit here, by the real binary, and its message is the one that the page shows.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "loopback.rs"]
#[expect(dead_code, reason = "the service hears more than is asked of it here")]
mod loopback;
#[path = "person.rs"]
mod person;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use loopback::{reply, serve};
use person::{Ended, Person};

/// What goes over a limit.
enum Over {
    /// A flow that is checked.
    Check(String),
    /// A flow that is run.
    Run(String),
    /// A flow, and a case that is tried with it, in virtual time.
    Case(String, &'static str),
    /// Words for the command line, in a home with this file.
    Words(Vec<&'static str>, &'static str, String),
}

use Over::{Case, Check, Run, Words};

fn steps(steps: &str) -> String {
    format!("steps:\n{steps}")
}

/// A text that must be quoted, in a flow of one step.
fn sends(text: &str) -> String {
    steps(&format!("  - send: '{text}'\n"))
}

fn computes(expression: &str) -> String {
    steps(&format!("  - compute: {{ _a: '{expression}' }}\n"))
}

/// A list of so many items, in a variable `xs`.
fn listing(items: usize, rest: &str) -> String {
    steps(&format!("  - compute: {{ xs: range({items})|list }}\n{rest}"))
}

fn of_a_run() -> Vec<(&'static str, Over)> {
    let endless = steps("  - repeat: { max: 20000 }\n    do: [ { set: { _a: 1 } } ]\n");
    let doubling = "  - set: { a: \"0123456789abcdef\" }\n  - repeat: { max: 17 }\n    do: [ { set: { a: \"{{a}}{{a}}\" } } ]\n";
    let many: String = (0..10).map(|n| format!("  - set: {{ b{n}: \"{{{{a}}}}\" }}\n")).collect();
    let most = "  - set: { a: \"0123456789abcdef\" }\n  - repeat: { max: 15 }\n    do: [ { set: { a: \"{{a}}{{a}}\" } } ]\n";
    let most = format!("{most}  - set: {{ a: \"{{{{a}}}}{{{{a}}}}\" }}\n").replace("max: 15", "max: 14");
    let loops = |n: usize| {
        listing(
            10_000,
            &format!(
                "  - compute: {{ ys: xs + range({n})|list }}\n  - for_each: ys\n    do: [ {{ set: {{ _a: 1 }} }} ]\n"
            ),
        )
    };
    vec![
        ("steps of a run", Run(endless)),
        ("age of a run, waits and all", Case(steps("  - wait: 40d\n"), "")),
        ("depth of calls", Words(vec!["check", "nested/0.flow.yaml"], "nested", String::new())),
        (
            "one variable, as JSON",
            Run(steps(&doubling.replace("set: { a: \"{{a}}{{a}}\" }", "compute: { a: \"a ~ a\" }"))),
        ),
        ("all variables of a run", Run(steps(&format!("{most}{many}{}", many.replace("b", "c"))))),
        ("items of a `for_each`", Run(loops(1))),
        (
            "items under way at once",
            Check(listing(1, "  - for_each: { in: xs, concurrency: 2000 }\n    do: []\n")),
        ),
        ("turns of a `repeat`", Check(steps("  - repeat: { max: 1000001 }\n    do: []\n"))),
        ("further attempts", Check(steps("  - send: a\n    retry: 11\n"))),
        ("answers to a question", Check(steps("  - ask: { text: a, attempts: 21 }\n"))),
        ("time for an answer", Case(steps("  - ask: a\n"), "")),
        (
            "pages of an answer",
            Case(
                steps(
                    "  - id: list\n    fetch_variables:\n      url: https://api.example.com/\n      paginate: { items: data, next: { page: \
                   query.page }, until: \"false\" }\n    into: _all\n",
                ),
                "    replies: { list: [ PAGES ] }\n",
            ),
        ),
        ("time of a `finally`", Case(steps("  - send: a\n    finally: [ { wait: 31s } ]\n"), "")),
    ]
}

fn of_a_request() -> Vec<(&'static str, Over)> {
    let fetch = |more: &str| {
        steps(&format!(
            "  - id: get\n    fetch_variables: {{ url: \"https://api.example.com/\"{more} }}\n    into: _a\n"
        ))
    };
    let away = serve(|_| reply("302 Found", "location: /again\r\n", ""));
    let large = serve(|_| reply("200 OK", "", &"1".repeat(1024 * 1024 + 1)));
    let redirected = fetch("").replace("https://api.example.com/", &away);
    vec![
        ("time of one attempt", Case(fetch(""), "    replies: { get: { error: timeout } }\n")),
        ("a reply, decompressed", Run(fetch("").replace("https://api.example.com/", &large))),
        ("redirects", Run(redirected)),
        ("values of a reply's JSON", Case(fetch(""), "    replies: { get: { text: \"[MANY1]\" } }\n")),
    ]
}

fn of_the_file() -> Vec<(&'static str, Over)> {
    let deep = format!("steps:\n  - set: {{ a: {}1{} }}\n", "[".repeat(70), "]".repeat(70));
    let many = format!("steps:\n  - set: {{ a: [{}1] }}\n", "1,".repeat(51_000));
    let aliases = format!("x-a: &a 1\nsteps:\n  - set: {{ a: [{}1] }}\n", "*a , ".repeat(101));
    let cases: String =
        (0..90).map(|n| format!("      - {{ if: n == {n}, then: [ {{ send: N. }} ] }}\n")).collect();
    let wide = format!("inputs: {{ n: {{ type: integer }} }}\nsteps:\n  - switch:\n{cases}  - send: Done.\n");
    vec![
        ("bytes of a flow", Check(format!("steps:\n  - send: a\n#{}\n", "x".repeat(1024 * 1024)))),
        ("levels of YAML", Check(deep)),
        ("values of YAML, aliases counted in full", Check(many)),
        ("aliases", Check(aliases)),
        (
            "places of an SVG picture",
            Words(vec!["graph", "wide.flow.yaml", "--format", "svg"], "wide.flow.yaml", wide),
        ),
        (
            "bytes of any other file",
            Words(vec!["eval", "--path", "a", "--doc", "large.json"], "large.json", String::new()),
        ),
    ]
}

fn of_the_languages() -> Vec<(&'static str, Over)> {
    let blocks = format!("{}x{}", "{{#if a}}".repeat(17), "{{/if}}".repeat(17));
    let given = |text: &str| steps(&format!("  - set: {{ a: 1 }}\n  - send: '{text}'\n"));
    let long = "x".repeat(200);
    let each = listing(9_000, &format!("  - send: '{{{{#each xs}}}}{long}{{{{/each}}}}'\n"));
    let nested =
        listing(400, "  - send: '{{#each xs}}{{#each @root.xs}}{{/each}}{{/each}}'\n").replace("@root.", "");
    let eval = |path: &'static str| vec!["eval", "--doc", "doc.json", "--path", path];
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    vec![
        ("source of a text", Check(sends(&"x".repeat(65 * 1024)))),
        ("blocks of a text inside each other", Check(given(&blocks))),
        ("a rendered text", Run(each)),
        ("turns of a text's loops", Run(nested)),
        ("source of an expression", Check(computes(&format!("1{}", "+1".repeat(1_024))))),
        ("levels of an expression", Check(computes(&deep))),
        (
            "steps of an expression",
            Run(computes(
                "range(9000)|map(\"abs\")|map(\"abs\")|map(\"abs\")|map(\"abs\")|map(\"abs\")|map(\"abs\")|list",
            )),
        ),
        ("what an expression builds", Run(computes("\"0123456789abcdef\"|list|join(\"x\") * 100000"))),
        ("numbers of a `range`", Run(computes("range(10001)|list"))),
        (
            "source of a path",
            Check(steps(&format!(
                "  - fetch_variables: {{ url: \"https://api.example.com/\", variables: {{ _a: {} }} }}\n",
                "a".repeat(1_025)
            ))),
        ),
        ("`..` in a path", Words(eval("$..a..b..c"), "doc.json", "{}".to_owned())),
        (
            "brackets of a path inside each other",
            Words(
                eval("$[?(((((((((((((((((((((((((((((((((@.a)))))))))))))))))))))))))))))))))]"),
                "doc.json",
                "{}".to_owned(),
            ),
        ),
        (
            "functions of a path inside each other",
            Words(eval("$[?length(length(length(length(length(@.a))))) > 1]"), "doc.json", "{}".to_owned()),
        ),
        ("nodes that a path visits", Words(eval("$..a..b"), "doc.json", nodes())),
    ]
}

/// A document in which each of many nodes is visited again from each of those around it.
fn nodes() -> String {
    let mut text = "1".to_owned();
    for _ in 0..60 {
        text = format!("{{\"a\":{text},\"x\":[{}0]}}", "0,".repeat(200));
    }
    text
}

/// Goes over one limit; everything that was said.
fn said(over: Over) -> String {
    let person = Person::new(&[]);
    let ended = match over {
        Check(flow) => {
            person.write("a.flow.yaml", &flow);
            person.flowrun(&["check", "a.flow.yaml"])
        }
        Run(flow) => {
            person.write("a.flow.yaml", &flow);
            person.flowrun(&["a.flow.yaml"])
        }
        Case(flow, case) => {
            person.write("a.flow.yaml", &flow);
            let pages = vec!["{ json: { data: [ 1 ] } }, { json: { data: [ 2 ] } }"; 60].join(", ");
            let case = case.replace("PAGES", &pages);
            let case = case.replace("MANY", &"1,".repeat(100_001));
            person.write("a.test.yaml", &format!("cases:\n  - name: a\n{case}"));
            person.flowrun(&["test"])
        }
        Words(words, "nested", _) => {
            fs::create_dir(person.home().join("nested")).expect("the home is writable");
            for n in 0..20 {
                person.write(
                    &format!("nested/{n}.flow.yaml"),
                    &steps(&format!("  - call: {}.flow.yaml\n", n + 1)),
                );
            }
            person.write("nested/20.flow.yaml", &sends("a"));
            person.flowrun(&words)
        }
        Words(words, "large.json", _) => {
            let file = fs::File::create(person.home().join("large.json")).expect("the home is writable");
            file.set_len(64 * 1024 * 1024 + 1).expect("a file with a hole");
            person.flowrun(&words)
        }
        Words(words, file, text) => {
            person.write(file, &text);
            person.flowrun(&words)
        }
    };
    let Ended { code, stdout, stderr } = ended;
    format!("exit {code:?}: {stdout}{stderr}")
}

/// The rows of the page: a limit, and what is said of it.
fn table() -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| limit") && !line.starts_with("| ---"));
    let cells = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        (cells[0].to_owned(), (*cells.last().expect("a cell")).to_owned())
    };
    rows.map(cells).collect()
}

#[test]
fn every_limit_of_the_page_is_hit_and_says_what_the_page_shows_l_3_n8() {
    let mut page = table();
    let all = [of_a_run(), of_a_request(), of_the_file(), of_the_languages()];
    let mut wrong = Vec::new();
    for (limit, over) in all.into_iter().flatten() {
        let shown = page.remove(limit).unwrap_or_else(|| panic!("the page has no row `{limit}`"));
        let said = said(over);
        if !said.contains(&shown) {
            wrong
                .push(format!("{limit}: not `{shown}`, but\n{}", said.chars().take(600).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(page.is_empty(), "nothing here goes over: {page:?}");
}
