//! Made-up flows: parts of a flow, and how they are written.
//!
//! Each block opens and closes with a `send`, so that what was entered and what was left can be counted. Calm flows have
//! neither time nor errors of their own; wild ones retry, time out, pause, ask, wait, page and stream.

use std::collections::BTreeMap;

use flowrun_lang::{Catalog, Flow, Flows, SourceText, Unread, check_with};
use flowrun_step::{Draft, Effect, Page, Step, StepContext, StepError, StepInfo, StepKind, StepSet};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// A made-up part of a flow.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// Says something and counts.
    Send,
    Block(Vec<Part>),
    Each {
        items: usize,
        concurrency: usize,
        body: Vec<Part>,
    },
    Fork(Vec<Vec<Part>>),
    Repeat(usize, Vec<Part>),
    /// The body in a flow of its own.
    Call(Vec<Part>),
    Wild(Wild),
}

/// What depends on time, on errors, or on what comes from outside.
#[derive(Debug, Clone)]
pub(crate) enum Wild {
    Retried,
    /// A block with little time, whose error is handled.
    Timed(Vec<Part>),
    /// A block whose error is handled by saying so.
    Caught(Vec<Part>),
    /// Turns with pauses between them.
    Slow(usize, Vec<Part>),
    /// Branches of which the first to end well wins.
    First(Vec<Vec<Part>>),
    Pause,
    Hears,
    Tells,
    Called,
    Asks,
    /// Pages that are gathered.
    Pages,
    /// Pages that are streamed into a loop.
    Streams(usize),
    Fails,
}

/// Flows that go well if nothing comes between.
pub(crate) fn calm() -> BoxedStrategy<Vec<Part>> {
    let leaf = prop_oneof![4 => Just(Part::Send), 1 => steady()];
    parts(leaf.boxed(), false)
}

/// What takes its time, and goes well if nothing else goes wrong.
fn steady() -> impl Strategy<Value = Part> {
    let wild = prop_oneof![
        Just(Wild::Pause),
        Just(Wild::Hears),
        Just(Wild::Tells),
        Just(Wild::Pages),
        (1_usize..4).prop_map(Wild::Streams),
    ];
    wild.prop_map(Part::Wild)
}

/// Flows with everything in them; questions only where no other branch can ask.
pub(crate) fn wild() -> BoxedStrategy<Vec<Part>> {
    let leaf = prop_oneof![
        3 => Just(Part::Send),
        2 => Just(Part::Wild(Wild::Retried)),
        5 => steady(),
        1 => Just(Part::Wild(Wild::Fails)),
    ];
    let top = prop_oneof![
        1 => Just(vec![Part::Wild(Wild::Asks)]),
        1 => Just(vec![Part::Wild(Wild::Called)]),
        4 => parts(leaf.boxed(), true),
    ];
    prop::collection::vec(top, 1..3).prop_map(|parts| parts.concat()).boxed()
}

fn parts(leaf: BoxedStrategy<Part>, is_wild: bool) -> BoxedStrategy<Vec<Part>> {
    let part =
        leaf.prop_recursive(3, 16, 3, move |inner| {
            let body = prop::collection::vec(inner, 1..3);
            let calm =
                prop_oneof![
                    body.clone().prop_map(Part::Block),
                    (0_usize..4, 1_usize..4, body.clone())
                        .prop_map(|(items, concurrency, body)| Part::Each { items, concurrency, body }),
                    prop::collection::vec(body.clone(), 1..4).prop_map(Part::Fork),
                    (1_usize..3, body.clone()).prop_map(|(turns, body)| Part::Repeat(turns, body)),
                    body.clone().prop_map(Part::Call),
                ];
            if !is_wild {
                return calm.boxed();
            }
            let wild = prop_oneof![
                body.clone().prop_map(Wild::Timed),
                body.clone().prop_map(Wild::Caught),
                (1_usize..3, body.clone()).prop_map(|(turns, body)| Wild::Slow(turns, body)),
                prop::collection::vec(body, 1..4).prop_map(Wild::First),
            ];
            prop_oneof![calm, wild.prop_map(Part::Wild)].boxed()
        });
    prop::collection::vec(part, 1..4).boxed()
}

/// The flow that parts make.
pub(crate) fn flow(parts: &[Part]) -> Flow {
    let mut writer = Writer::default();
    let mut steps = vec![json!({"set": {"seen": 0}})];
    steps.extend(writer.steps(parts).as_array().cloned().unwrap_or_default());
    let lists = (1..=writer.next).map(|n| (format!("list{n}"), json!(format!("{{{{list{n}}}}}"))));
    let text = json!({"steps": steps}).to_string();
    let declared = |(name, _): &(String, Value)| text.contains(&format!("\"{name}\""));
    let outputs: serde_json::Map<_, _> = lists.filter(declared).collect();
    let text = json!({"limits": {"steps": 1_000_000}, "steps": steps, "outputs": outputs}).to_string();
    let source = SourceText::new("flow.yaml", text.into_bytes()).expect("UTF-8");
    let steps = StepSet::new().with(Paged).expect("one kind");
    let checked = check_with(&source, &Catalog::new(steps), &Beside(writer.called));
    checked.flow.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// Writes parts as steps; every name in them is used once.
#[derive(Default)]
struct Writer {
    next: usize,
    /// The flows that are called, by their file.
    called: BTreeMap<String, String>,
}

impl Writer {
    fn steps(&mut self, parts: &[Part]) -> Value {
        parts.iter().flat_map(|part| self.part(part)).collect()
    }

    /// A number that no other part has.
    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn part(&mut self, part: &Part) -> Vec<Value> {
        let n = self.number();
        let (v, id) = (format!("v{n}"), format!("s{n}"));
        vec![match part {
            // What it sets depends on the scope it stands in, so that a leak between scopes would show.
            Part::Send => {
                let say = json!({
                    "send": format!("say {n} {{{{seen}}}}"), "undo": [{"send": format!("undo {n} {{{{seen}}}}")}],
                });
                json!({"do": [say, {"compute": {&v: "seen + 1"}}]})
            }
            Part::Block(body) => self.block(n, body),
            Part::Each { items, concurrency, body } => json!({
                "id": id,
                "for_each": {
                    "in": format!("range({items})|list"), "as": format!("item{n}"),
                    "concurrency": concurrency, "collect": format!("item{n} * 10 + {v}"),
                },
                "do": [
                    {"compute": {"seen": format!("seen * 2 + item{n}")}},
                    self.block(n, body),
                    {"compute": {&v: "seen"}},
                ],
                "into": format!("list{n}"),
            }),
            Part::Fork(branches) => json!({"parallel": self.branches(branches)}),
            Part::Call(body) => {
                let steps = json!([self.block(n, body), {"compute": {"seen": "seen + 1"}}]);
                let inputs = json!({"seen": {"type": "integer"}});
                let called = json!({"inputs": inputs, "steps": steps, "outputs": {"seen": "{{seen}}"}});
                self.called.insert(format!("f{n}.flow.yaml"), called.to_string());
                json!({
                    "call": {"flow": format!("f{n}.flow.yaml"), "inputs": {"seen": "{{seen}}"}}, "into": v,
                })
            }
            Part::Repeat(turns, body) => json!({"repeat": {"max": turns}, "do": self.steps(body)}),
            Part::Wild(wild) => return self.wild(n, wild),
        }]
    }

    fn wild(&mut self, n: usize, wild: &Wild) -> Vec<Value> {
        let id = format!("s{n}");
        vec![match wild {
            Wild::Retried => json!({
                "send": format!("say {n} {{{{seen}}}}"), "retry": {"times": 2, "wait": "1s"},
                "in_doubt": (["stop", "retry", "skip", "fail"][n % 4]),
                "undo": [{"send": format!("undo {n} {{{{seen}}}}"), "retry": 1}],
            }),
            Wild::Timed(body) => {
                json!({"do": [self.block(n, body)], "timeout": "3s", "on_error": "continue"})
            }
            Wild::Caught(body) => {
                json!({"do": [self.block(n, body)], "on_error": [{"send": format!("sorry {n} {{{{error.kind}}}}")}]})
            }
            Wild::Slow(turns, body) => {
                json!({"repeat": {"max": turns, "until": "index == 1", "every": "2s"}, "do": self.steps(body),
                       "on_error": "continue"})
            }
            Wild::First(branches) => {
                json!({"parallel": self.branches(branches), "join": "any", "on_error": "continue"})
            }
            Wild::Pause => json!({"wait": "2s"}),
            Wild::Hears => json!({
                "id": id, "wait": {"event": "paid", "key": "{{seen}}", "where": "item.amount > 1"},
                "timeout": "10s", "on_error": "continue",
            }),
            Wild::Tells => json!({"emit": {"event": "told", "key": id, "data": {"seen": "{{seen}}"}}}),
            Wild::Called => {
                json!({"id": id, "wait": {"webhook": {"method": "POST"}}, "into": format!("v{n}")})
            }
            Wild::Asks => json!({
                "ask": {"text": format!("how many, {n}?"), "type": "integer", "attempts": 2, "timeout": "5s"},
                "into": format!("v{n}"), "on_error": "continue",
            }),
            Wild::Pages => json!({
                "id": id, "test.page": {"url": "x", "pages": {}}, "retry": {"times": 1, "wait": "1s"},
                "on_error": "continue", "into": format!("list{n}"),
            }),
            Wild::Streams(at_once) => {
                let list = json!({"id": id, "test.page": {"url": "x", "pages": {}}, "retry": 1});
                let each = json!({
                    "for_each": {"in": format!("steps.{id}.output.items"), "concurrency": at_once,
                                 "collect": "item * 10"},
                    "do": [{"send": format!("say {n} {{{{item}}}}"), "undo": [{"send": format!("undo {n} {{{{item}}}}")}]}], "into": format!("list{n}"),
                });
                json!({"do": [list, each], "on_error": "continue"})
            }
            Wild::Fails => json!({"do": [{"fail": "enough"}], "on_error": "continue"}),
        }]
    }

    /// A block that says when it opens and when it closes.
    fn block(&mut self, n: usize, body: &[Part]) -> Value {
        let mut steps = vec![json!({"send": format!("open {n}")})];
        steps.extend(self.steps(body).as_array().cloned().unwrap_or_default());
        json!({"do": steps, "finally": [{"send": format!("close {n}")}]})
    }

    fn branches(&mut self, branches: &[Vec<Part>]) -> Value {
        let branch = |(at, body): (usize, &Vec<Part>)| {
            let n = self.number();
            let steps = json!([self.block(n, body), {"compute": {format!("b{n}"): format!("seen + {at}")}}]);
            (format!("b{at}"), steps)
        };
        branches.iter().enumerate().map(branch).collect::<serde_json::Map<_, _>>().into()
    }
}

/// The flows that are called, by their file.
struct Beside(BTreeMap<String, String>);

impl Flows for Beside {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let text = self.0.get(path).ok_or_else(|| Unread::Because("nobody wrote it".to_owned()))?;
        Ok(SourceText::new(path, text.clone().into_bytes()).expect("UTF-8"))
    }
}

/// A kind that is answered in pages. The world answers it; this is what the check knows of it.
struct Paged;

#[derive(Deserialize, JsonSchema)]
struct Settings {
    #[serde(rename = "url")]
    _url: String,
    #[serde(rename = "pages")]
    _pages: Pages,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
struct Pages {}

impl Step for Paged {
    type Settings = Settings;
    type Output = String;

    fn info(&self) -> StepInfo {
        StepInfo::new(StepKind::new("test.page").expect("a kind"), 1).pages("pages")
    }

    fn effect(&self, _draft: &Draft<'_>) -> Effect {
        Effect::Safe
    }

    async fn page(&self, _: StepContext, _: Settings, _: Option<Value>) -> Result<Page, StepError> {
        unreachable!("the world answers")
    }

    async fn call(&self, _: StepContext, _: Settings) -> Result<String, StepError> {
        unreachable!("the world answers")
    }
}
