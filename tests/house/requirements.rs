//! The OAuth requirements: each is cited by a test, so that whoever changes a rule finds what proves it.
//!
//! A citation is `OA-44` in a test's words or `_oa_44` in its name. That the test would catch a violation is for its
//! reader to judge; that there is one is judged here.

use std::collections::BTreeSet;

use crate::tree::{Broken, File, Tree};

/// The requirements are numbered from 1 to this.
const LAST: u32 = 72;

/// Every requirement has a test that says so.
pub(crate) fn cited(tree: &Tree) -> Vec<Broken> {
    let cited: BTreeSet<u32> = tree.files.iter().filter_map(tests).flat_map(citations).collect();
    let missing = (1..=LAST).filter(|number| !cited.contains(number));
    missing.map(|number| Broken::whole("tests", format!("no test cites OA-{number}"))).collect()
}

/// What of a file is tests; the house's own rules prove nothing about OAuth.
fn tests(file: &File) -> Option<&str> {
    if !file.path.ends_with(".rs") || file.path.starts_with("tests/house") {
        return None;
    }
    match file.is_test() {
        true => Some(&file.text),
        false => file.text.find("#[cfg(test)]").map(|at| &file.text[at..]),
    }
}

fn citations(text: &str) -> impl Iterator<Item = u32> {
    let after = ["OA-", "_oa_"].into_iter().flat_map(|mark| text.split(mark).skip(1));
    after.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    })
}
