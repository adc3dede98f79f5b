//! Rules about pages: each says what the code says, and each can be found.

use std::collections::{BTreeMap, BTreeSet};

use crate::table::TABLE;
use crate::tree::{Broken, File, Tree};

const ARCHITECTURE: &str = "docs/architecture.md";
const DECISIONS: &str = "docs/decisions/";
const DECISIONS_INDEX: &str = "docs/decisions/README.md";
const ERRORS: &str = "docs/errors/";
const LAB_LOCK: &str = "tests/lab/package-lock.json";

/// The architecture page stays under this many lines.
const ARCHITECTURE_LINES: usize = 150;

/// Every `F` code of the crates has a page that opens with it, and every page a code.
pub(crate) fn errors(tree: &Tree) -> Vec<Broken> {
    let codes = codes(tree);
    let mut broken = Vec::new();
    for (code, (file, line)) in &codes {
        if tree.file(&format!("{ERRORS}{code}.md")).is_none() {
            broken.push(file.broken(*line, format!("{code} has no page {ERRORS}{code}.md")));
        }
    }
    for page in tree.under(ERRORS, ".md").filter(|page| !page.path.ends_with("/README.md")) {
        let code = page.path.trim_start_matches(ERRORS).trim_end_matches(".md");
        if !codes.contains_key(code) {
            broken.push(page.broken(0, format!("no crate has the code {code}")));
        } else if !page.text.starts_with(&format!("# {code}")) {
            broken.push(page.broken(1, format!("the page does not open with `# {code}`")));
        }
    }
    broken
}

/// The map is short enough to be read, and complete.
pub(crate) fn architecture(tree: &Tree) -> Vec<Broken> {
    let Some(page) = tree.file(ARCHITECTURE) else {
        return vec![Broken::whole(ARCHITECTURE, "the page is not there")];
    };
    let lines = page.text.lines().count();
    let long = (lines >= ARCHITECTURE_LINES)
        .then(|| page.broken(0, format!("{lines} lines, not under {ARCHITECTURE_LINES}")));
    let unnamed = TABLE.iter().filter(|row| !page.text.contains(&format!("`{}`", row.name)));
    long.into_iter()
        .chain(unnamed.map(|row| page.broken(0, format!("does not name `{}`", row.name))))
        .collect()
}

/// Every decision is linked from the index, and every link leads to one.
pub(crate) fn decisions(tree: &Tree) -> Vec<Broken> {
    let Some(index) = tree.file(DECISIONS_INDEX) else {
        return vec![Broken::whole(DECISIONS_INDEX, "the index is not there")];
    };
    let linked: BTreeSet<&str> = links(&index.text).collect();
    let pages = tree.under(DECISIONS, ".md").filter(|page| page.path != DECISIONS_INDEX);
    let pages: BTreeMap<&str, &File> =
        pages.map(|page| (page.path.trim_start_matches(DECISIONS), page)).collect();
    let lost = pages.iter().filter(|(name, _)| !linked.contains(*name));
    let lost = lost.map(|(_, page)| page.broken(0, format!("not linked from {DECISIONS_INDEX}")));
    let dead = linked.iter().filter(|name| !pages.contains_key(*name));
    lost.chain(dead.map(|name| index.broken(0, format!("links to {name}, which is not there")))).collect()
}

/// The lock file pins by checksum; where the packages come from is whoever installs' choice.
pub(crate) fn lab_lock(tree: &Tree) -> Vec<Broken> {
    let Some(lock) = tree.file(LAB_LOCK) else {
        return vec![Broken::whole(LAB_LOCK, "the lab is not pinned")];
    };
    let lines =
        (1..).zip(lock.text.lines()).filter(|(_, line)| line.trim_start().starts_with("\"resolved\""));
    lines.map(|(number, _)| lock.broken(number, "names the host a package came from")).collect()
}

/// Each code of the crates, with the first place that says it.
fn codes(tree: &Tree) -> BTreeMap<&str, (&File, usize)> {
    let mut codes = BTreeMap::new();
    for file in tree.under("crates/", ".rs").filter(|file| file.path.contains("/src/")) {
        for (number, line) in
            file.lines_without_tests().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| is_code(word));
            words.for_each(|code| {
                codes.entry(code).or_insert((file, number));
            });
        }
    }
    codes
}

/// `F` and three digits.
fn is_code(word: &str) -> bool {
    word.len() == 4 && word.starts_with('F') && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// Targets of the page's links to pages beside it.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| target.ends_with(".md") && !target.contains('/'))
}
