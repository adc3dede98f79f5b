//! One step as written: exactly one kind, and the keys that stand beside it (L-8, L-9).

use std::ops::Range;

use crate::code::Code;
use crate::document::keys::{Keys, wrong_shape};
use crate::node::{Key, Node};
use crate::problems::Problems;
use crate::suggest::instead;

/// A step: its kind, and what stands beside it.
#[derive(Debug)]
pub(crate) struct StepNode<'n> {
    pub(crate) path: String,
    pub(crate) bytes: Range<usize>,
    pub(crate) id: Option<&'n Node>,
    pub(crate) guard: Option<&'n Node>,
    pub(crate) timeout: Option<&'n Node>,
    pub(crate) retry: Option<&'n Node>,
    pub(crate) on_error: Handler<'n>,
    pub(crate) finally: Vec<StepNode<'n>>,
    pub(crate) in_doubt: Option<&'n Node>,
    pub(crate) undo: Vec<StepNode<'n>>,
    pub(crate) into: Option<&'n Node>,
    pub(crate) kind: KindNode<'n>,
    pub(crate) name: &'n str,
}

/// What `on_error` says.
#[derive(Debug, Default)]
pub(crate) enum Handler<'n> {
    #[default]
    None,
    Continue,
    Steps(Vec<StepNode<'n>>),
}

/// A guard with its two blocks: the kind `if`.
#[derive(Debug)]
pub(crate) struct Guarded<'n> {
    pub(crate) condition: &'n Node,
    pub(crate) then: Vec<StepNode<'n>>,
    pub(crate) otherwise: Vec<StepNode<'n>>,
}

/// One case of a `switch`.
#[derive(Debug)]
pub(crate) struct Case<'n> {
    /// Where it stands: `steps[0].switch[1]`.
    pub(crate) path: String,
    /// None for the last `else`.
    pub(crate) condition: Option<&'n Node>,
    pub(crate) steps: Vec<StepNode<'n>>,
}

/// One branch of a `parallel`.
#[derive(Debug)]
pub(crate) struct BranchNode<'n> {
    pub(crate) name: &'n str,
    pub(crate) steps: Vec<StepNode<'n>>,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum KindNode<'n> {
    Set(&'n [(Key, Node)]),
    Compute(&'n [(Key, Node)]),
    If(Guarded<'n>),
    Switch(Vec<Case<'n>>),
    Do(Vec<StepNode<'n>>),
    /// A loop over a list: its settings, its body.
    ForEach(&'n Node, Vec<StepNode<'n>>),
    /// Turns until a condition holds: its settings, its body.
    Repeat(&'n Node, Vec<StepNode<'n>>),
    /// Branches side by side, and when they are over.
    Parallel(Vec<BranchNode<'n>>, Option<&'n Node>),
    /// Another flow, in a file of its own.
    Flow(&'n Node),
    Wait(&'n Node),
    Ask(&'n Node),
    Respond(&'n Node),
    Emit(&'n Node),
    Send(&'n Node),
    Log(&'n Node),
    Fail(&'n Node),
    End(&'n Node),
    /// A kind of the catalogue, with its settings.
    Call(&'n Node),
}

/// Kinds the language itself has.
pub(crate) const BUILT_IN: &[&str] = &[
    "set", "compute", "if", "switch", "do", "for_each", "repeat", "parallel", "call", "ask", "wait", "send",
    "respond", "emit", "log", "fail", "end",
];
/// Kinds whose body stands beside them as `do`.
const LOOPS: &[&str] = &["for_each", "repeat"];
/// Keys beside a kind (L-9).
pub(crate) const COMMON: &[&str] =
    &["id", "if", "timeout", "retry", "on_error", "finally", "in_doubt", "undo", "into"];

/// Reads a block of steps; `kinds` are those of the catalogue.
pub(crate) fn steps<'n>(
    node: &'n Node,
    path: &str,
    kinds: &[&str],
    problems: &mut Problems<'_>,
) -> Vec<StepNode<'n>> {
    let Some(items) = node.items() else {
        let first = node.entries().and_then(|entries| entries.first());
        let help = match first {
            Some((key, value)) => {
                format!("begin each step with `- `: - {}: {}", key.text, value.text().unwrap_or("…"))
            }
            None => "begin each step with `- `: - send: Hello.".to_owned(),
        };
        wrong_shape(problems, (path, node), "steps are a list", &help);
        return Vec::new();
    };
    let step = |(at, item): (usize, &'n Node)| step(item, &format!("{path}[{at}]"), kinds, problems);
    items.iter().enumerate().filter_map(step).collect()
}

/// Takes `on_error`: `continue`, or a list of steps (L-11).
pub(crate) fn handler<'n>(
    keys: &mut Keys<'n>,
    path: &str,
    kinds: &[&str],
    problems: &mut Problems<'_>,
) -> Handler<'n> {
    let path = if path.is_empty() { "on_error".to_owned() } else { format!("{path}.on_error") };
    match keys.take("on_error") {
        None => Handler::None,
        Some(node) if node.text() == Some("continue") => Handler::Continue,
        Some(node) if node.items().is_some() => Handler::Steps(steps(node, &path, kinds, problems)),
        Some(node) => {
            let wanted = "`on_error` is `continue` or a list of steps";
            wrong_shape(
                problems,
                (&path, node),
                wanted,
                "on_error: continue, or begin each step beneath it with `- `",
            );
            Handler::None
        }
    }
}

fn step<'n>(node: &'n Node, path: &str, kinds: &[&str], problems: &mut Problems<'_>) -> Option<StepNode<'n>> {
    if let Some(text) = node.text() {
        return bare(node, text, (path, kinds), problems);
    }
    let mut keys = Keys::of(node, path, problems)?;
    let (key, settings) = kind_of(&mut keys, node, kinds, problems)?;
    let kind = built(&key.text, settings, &mut keys, kinds, problems);
    let block = |key: &str, keys: &mut Keys<'n>, problems: &mut Problems<'_>| {
        let path = keys.path_of(key);
        keys.take(key).map_or_else(Vec::new, |node| steps(node, &path, kinds, problems))
    };
    let step = StepNode {
        path: path.to_owned(),
        bytes: key.bytes.clone(),
        id: keys.take("id"),
        guard: keys.take("if"),
        timeout: keys.take("timeout"),
        retry: keys.take("retry"),
        in_doubt: keys.take("in_doubt"),
        on_error: handler(&mut keys, path, kinds, problems),
        finally: block("finally", &mut keys, problems),
        undo: block("undo", &mut keys, problems),
        into: keys.take("into"),
        kind: kind?,
        name: &key.text,
    };
    keys.refuse_rest(COMMON, problems);
    Some(step)
}

/// `- end` and `- fail` are steps without settings (L-7b).
fn bare<'n>(
    node: &'n Node,
    text: &'n str,
    (path, kinds): (&str, &[&str]),
    problems: &mut Problems<'_>,
) -> Option<StepNode<'n>> {
    let kind = match text {
        "end" => KindNode::End(&NOTHING),
        "fail" => KindNode::Fail(&NOTHING),
        _ => {
            let message = format!("`{text}` is no step: a step is a map with one kind");
            let problem = problems.error(Code::NoSingleKind, (path, node.bytes.clone()), message);
            let is_kind = BUILT_IN.contains(&text) || kinds.contains(&text);
            problem.set_help(if is_kind { format!("- {text}: …") } else { format!("- send: {text}") });
            return None;
        }
    };
    Some(StepNode {
        path: path.to_owned(),
        bytes: node.bytes.clone(),
        id: None,
        guard: None,
        timeout: None,
        retry: None,
        in_doubt: None,
        on_error: Handler::None,
        finally: Vec::new(),
        undo: Vec::new(),
        into: None,
        kind,
        name: text,
    })
}

/// What stands after a bare `end`.
static NOTHING: Node = Node { bytes: 0..0, kind: crate::node::Kind::List(Vec::new()) };

/// Finds the one key that is the step's kind (L-8).
fn kind_of<'n>(
    keys: &mut Keys<'n>,
    node: &'n Node,
    kinds: &[&str],
    problems: &mut Problems<'_>,
) -> Option<(&'n Key, &'n Node)> {
    let is_there = |key: &str| keys.left().iter().any(|(other, _)| other.text == key);
    let (is_if, is_body) = (is_there("then"), LOOPS.iter().any(|key| is_there(key)));
    let is_kind = |key: &str| match key {
        "if" => is_if,
        "do" if is_body => false,
        _ => BUILT_IN.contains(&key) || kinds.contains(&key),
    };
    let found: Vec<String> =
        keys.left().iter().map(|(key, _)| key.text.clone()).filter(|key| is_kind(key)).collect();
    match found.as_slice() {
        [only] => keys.entry(only).map(|(key, node)| (key, node)),
        [] => {
            no_kind(keys, node, kinds, problems);
            None
        }
        several => {
            let (key, _) = keys.entry(&several[1])?;
            let message = format!("a step has one kind, but this one has `{}`", several.join("` and `"));
            let problem = problems.error(Code::NoSingleKind, (keys.path(), key.bytes.clone()), message);
            problem.set_help("make a step of each: begin the second with `- `");
            None
        }
    }
}

fn no_kind(keys: &Keys<'_>, node: &Node, kinds: &[&str], problems: &mut Problems<'_>) {
    let all: Vec<&str> = BUILT_IN.iter().chain(kinds).copied().collect();
    let stranger = keys.left().iter().find(|(key, _)| !COMMON.contains(&key.text.as_str()));
    match stranger {
        Some((key, _)) => {
            let path = keys.path_of(&key.text);
            let problem = problems.error(
                Code::UnknownKind,
                (&path, key.bytes.clone()),
                format!("`{}` is no kind of step", key.text),
            );
            problem.set_help(instead(&key.text, all.iter().copied()));
        }
        None => {
            let at = node.bytes.start..node.bytes.start + 1;
            let problem = problems.error(Code::NoSingleKind, (keys.path(), at), "this step has no kind");
            let only_if = keys.left().iter().any(|(key, _)| key.text == "if");
            problem.set_help(if only_if {
                "add `then:` with the steps to take".to_owned()
            } else {
                format!("one of: {}", all.join(", "))
            });
        }
    }
}

fn built<'n>(
    kind: &str,
    settings: &'n Node,
    keys: &mut Keys<'n>,
    kinds: &[&str],
    problems: &mut Problems<'_>,
) -> Option<KindNode<'n>> {
    let path = keys.path_of(kind);
    Some(match kind {
        "set" => KindNode::Set(map_of(
            settings,
            &path,
            ("`set` is a map of names and values", "set: { name: value }"),
            problems,
        )?),
        "compute" => KindNode::Compute(map_of(
            settings,
            &path,
            ("`compute` is a map of names and expressions", "compute: { total: price * quantity }"),
            problems,
        )?),
        "if" => {
            let mut block = |key: &str, problems: &mut Problems<'_>| {
                let path = keys.path_of(key);
                keys.take(key).map_or_else(Vec::new, |node| steps(node, &path, kinds, problems))
            };
            let then = block("then", problems);
            let otherwise = block("else", problems);
            KindNode::If(Guarded { condition: settings, then, otherwise })
        }
        "switch" => KindNode::Switch(cases(settings, &path, kinds, problems)?),
        "do" => KindNode::Do(steps(settings, &path, kinds, problems)),
        "for_each" => KindNode::ForEach(settings, body(kind, keys, settings, (kinds, problems))?),
        "repeat" => KindNode::Repeat(settings, body(kind, keys, settings, (kinds, problems))?),
        "parallel" => {
            let wanted = ("`parallel` is a map of branches", "parallel: { one: [ … ], other: [ … ] }");
            let entries = map_of(settings, &path, wanted, problems)?;
            let branch = |(key, node): &'n (Key, Node)| BranchNode {
                name: &key.text,
                steps: steps(node, &format!("{path}.{}", key.text), kinds, problems),
            };
            KindNode::Parallel(entries.iter().map(branch).collect(), keys.take("join"))
        }
        "call" => KindNode::Flow(settings),
        "wait" => KindNode::Wait(settings),
        "ask" => KindNode::Ask(settings),
        "respond" => KindNode::Respond(settings),
        "emit" => KindNode::Emit(settings),
        "send" => KindNode::Send(settings),
        "log" => KindNode::Log(settings),
        "fail" => KindNode::Fail(settings),
        "end" => KindNode::End(settings),
        _ => KindNode::Call(settings),
    })
}

/// The block beside a loop.
fn body<'n>(
    kind: &str,
    keys: &mut Keys<'n>,
    settings: &Node,
    (kinds, problems): (&[&str], &mut Problems<'_>),
) -> Option<Vec<StepNode<'n>>> {
    let path = keys.path_of("do");
    if let Some(node) = keys.take("do") {
        return Some(steps(node, &path, kinds, problems));
    }
    let at = settings.bytes.start..settings.bytes.start + 1;
    let message = format!("`{kind}` has no body");
    problems
        .error(Code::MissingKey, (&path, at), message)
        .set_help("add `do:` beside it, with the steps to take");
    None
}

/// The cases of a `switch`: each `if` with `then`, and perhaps a last `else`.
fn cases<'n>(
    node: &'n Node,
    path: &str,
    kinds: &[&str],
    problems: &mut Problems<'_>,
) -> Option<Vec<Case<'n>>> {
    let help = "- { if: status == \"open\", then: [ … ] }, and last - { else: [ … ] }";
    let Some(items) = node.items() else {
        wrong_shape(problems, (path, node), "`switch` is a list of cases", help);
        return None;
    };
    let mut cases = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = format!("{path}[{at}]");
        let Some(mut keys) = Keys::of(item, &path, problems) else { continue };
        let condition = keys.take("if");
        let key = if condition.is_some() { "then" } else { "else" };
        let is_last = at + 1 == items.len();
        let Some(block) = keys.take(key).filter(|_| condition.is_some() || is_last) else {
            let wanted = "each case has `if` and `then`; only the last may have `else` instead";
            wrong_shape(problems, (&path, item), wanted, help);
            continue;
        };
        let steps = steps(block, &format!("{path}.{key}"), kinds, problems);
        keys.refuse_rest(&["if", "then", "else"], problems);
        cases.push(Case { path, condition, steps });
    }
    Some(cases)
}

fn map_of<'n>(
    node: &'n Node,
    path: &str,
    (wanted, help): (&str, &str),
    problems: &mut Problems<'_>,
) -> Option<&'n [(Key, Node)]> {
    if node.entries().is_none() {
        wrong_shape(problems, (path, node), wanted, help);
    }
    node.entries()
}
