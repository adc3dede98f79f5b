//! The book: every flow on its pages is checked and run, its consoles show what flowrun says, and its links lead somewhere.
//!
//! How a block is marked, after its three backticks:
//! - `yaml NAME.flow.yaml`: a flow, written to the page's folder and without mistakes; or, with codes after the name, with
//!   exactly these. Some test block or console of the page must run it.
//! - `yaml NAME.test.yaml`: cases, all of which pass.
//! - `yaml steps a b`: steps, checked in a flow whose inputs are called `a` and `b`.
//! - `console`: `$ flowrun …`, then what it says; `…` stands for anything, on a line of its own for lines. The streams may be
//!   woven. It ends with 0 unless a last line says `(exit code 3)`.
//!
//! The pages of `docs/errors` have marks and tests of their own: `pages.rs` of flowrun-lang, and `trial.rs`.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "book/block.rs"]
mod block;
#[path = "book/console.rs"]
mod console;
#[path = "person.rs"]
mod person;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use block::{Block, blocks};
use expect_test::expect;
use person::{Ended, Person};

fn docs() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).to_owned()
}

/// Every page, by its path within `docs`.
fn pages() -> Vec<(String, String)> {
    let (mut folders, mut pages) = (vec![docs()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                let name = path.strip_prefix(docs()).expect("beneath docs").to_string_lossy().into_owned();
                pages.push((name, fs::read_to_string(&path).expect("a page")));
            }
        }
    }
    pages.sort();
    pages
}

/// How much of the book was tried.
#[derive(Debug, Default)]
struct Tried {
    flows: usize,
    wrong: usize,
    cases: usize,
    steps: usize,
    commands: usize,
}

/// What is not as a page says.
type Complaints = Vec<String>;

fn codes(said: &str) -> Vec<&str> {
    let heads = said.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning["));
    heads.filter_map(|line| line.split(['[', ']']).nth(1)).collect()
}

/// A page is read from top to bottom in a folder of its own, as a reader would.
fn read(page: &str, text: &str, tried: &mut Tried) -> Complaints {
    let (person, mut complaints) = (Person::new(&[]), Vec::new());
    let blocks = blocks(text);
    for block in &blocks {
        let words: Vec<&str> = block.info.split(' ').collect();
        let complaint = match words.as_slice() {
            ["yaml", name, codes @ ..] if name.ends_with(".flow.yaml") => {
                person.write(name, block.text);
                tried.flows += usize::from(codes.is_empty());
                tried.wrong += usize::from(!codes.is_empty());
                checked(&person, name, codes).or_else(|| left_out(name, codes, &blocks))
            }
            ["yaml", name] if name.ends_with(".test.yaml") => {
                person.write(name, block.text);
                tried.cases += block.text.matches("- name: ").count();
                failed(&person.flowrun(&["test", name]))
            }
            ["yaml", "steps", inputs @ ..] => {
                tried.steps += 1;
                let inputs: String = inputs.iter().map(|name| format!("{name}: , ")).collect();
                let steps: String = block.text.lines().map(|line| format!("  {line}\n")).collect();
                person.write("steps.yaml", &format!("inputs: {{ {inputs}}}\nsteps:\n{steps}"));
                checked(&person, "steps.yaml", &[])
            }
            ["console"] => console::commands(block.text).into_iter().find_map(|command| {
                tried.commands += 1;
                command.differs(&person.flowrun(&command.words()))
            }),
            ["yaml", ..] => Some("this block has no mark that says how it is tried".to_owned()),
            _ => None,
        };
        complaints.extend(complaint.map(|why| format!("docs/{page}:{}: {why}", block.line)));
    }
    complaints
}

/// Says what `check` finds, if it is not these codes.
fn checked(person: &Person, name: &str, expected: &[&str]) -> Option<String> {
    let ended = person.flowrun(&["check", name]);
    (codes(&ended.stderr) != expected).then(|| format!("not {expected:?}:\n{}", ended.stderr))
}

fn failed(ended: &Ended) -> Option<String> {
    (ended.code != Some(0)).then(|| ended.stderr.clone())
}

/// A flow that nothing on its page runs is only half tried.
fn left_out(name: &str, codes: &[&str], blocks: &[Block<'_>]) -> Option<String> {
    let cases = name.replace(".flow.yaml", ".test.yaml");
    let runs = |block: &Block<'_>| match block.info.split_once(' ') {
        Some(("yaml", other)) => {
            other == cases || (other.split(' ').next() != Some(name) && block.text.contains(name))
        }
        _ => block.info == "console" && block.text.contains(name),
    };
    (codes.is_empty() && !blocks.iter().any(runs)).then(|| format!("nothing on this page runs {name}"))
}

#[test]
fn every_flow_of_the_book_is_run_and_says_what_its_page_shows() {
    let (mut tried, mut complaints) = (Tried::default(), Vec::new());
    for (page, text) in pages().iter().filter(|(page, _)| !page.starts_with("errors/")) {
        complaints.extend(read(page, text, &mut tried));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
    // Whatever is added counts; whatever is lost is seen here.
    expect!["Tried { flows: 20, wrong: 4, cases: 26, steps: 6, commands: 11 }"]
        .assert_eq(&format!("{tried:?}"));
}

/// A block that is not as it says is found, whichever way it is wrong; or the test above could pass for nothing.
#[test]
fn a_page_that_is_wrong_is_told_so() {
    let flow = |mark: &str, text: &str| format!("```yaml {mark}\n{text}\n```\n");
    let good = "steps:\n  - send: Hi.";
    for (page, why) in [
        (flow("a.flow.yaml", "steps:\n  - sned: Hi."), "not []"),
        (flow("a.flow.yaml F023", good), "not [\"F023\"]"),
        (flow("a.flow.yaml", good), "nothing on this page runs"),
        (flow("steps", "- send: '{{x}}'"), "F033"),
        (format!("```yaml\n{good}\n```\n"), "no mark"),
        (format!("{}```console\n$ flowrun a.flow.yaml\nHo.\n```\n", flow("a.flow.yaml", good)), "Ho."),
        (format!("{}```console\n$ flowrun a.flow.yaml\n```\n", flow("a.flow.yaml", good)), "Hi."),
        ("```console\n$ flowrun explain F999\n…\n```\n".to_owned(), "exit code"),
    ] {
        let complaints = read("page.md", &page, &mut Tried::default());
        assert!(complaints.len() == 1 && complaints[0].contains(why), "{page}\n{complaints:?}");
    }
}

/// The targets of a page's links to other pages of the book, by their paths within `docs`.
fn links<'t>(page: &'t str, text: &'t str) -> impl Iterator<Item = String> + 't {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.map(|target| target.split('#').next().unwrap_or_default());
    let beside = targets.filter(|target| !target.is_empty() && !target.contains("://"));
    beside.map(move |target| {
        let mut parts: Vec<&str> = page.split('/').collect();
        parts.pop();
        for part in target.split('/') {
            match part {
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.join("/")
    })
}

#[test]
fn every_page_is_a_chapter_of_the_book_and_every_link_leads_to_a_file() {
    let pages = pages();
    let (_, summary) = pages.iter().find(|(name, _)| name == "SUMMARY.md").expect("a summary");
    let chapters: BTreeSet<String> = links("SUMMARY.md", summary).collect();
    let lost: Vec<&String> = pages
        .iter()
        .map(|(name, _)| name)
        .filter(|name| *name != "SUMMARY.md" && !chapters.contains(*name))
        .collect();
    assert_eq!(lost, [""; 0], "not in docs/SUMMARY.md");
    let dead = |(name, text): &(String, String)| -> Vec<String> {
        let targets = links(name, text).filter(|target| !docs().join(target).exists());
        targets.map(|target| format!("docs/{name} links to {target}")).collect()
    };
    assert_eq!(pages.iter().flat_map(dead).collect::<Vec<_>>(), [""; 0]);
}

/// Every flow that ships is told of on its page.
#[test]
fn the_page_of_flows_names_each_of_them() {
    let page = fs::read_to_string(docs().join("flows.md")).expect("a page");
    let flows = fs::read_dir(docs().join("../flows")).expect("flows");
    let names = flows.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let names = names.filter_map(|name| name.strip_suffix(".flow.yaml").map(str::to_owned));
    let untold: Vec<String> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert_eq!(untold, [""; 0]);
}
