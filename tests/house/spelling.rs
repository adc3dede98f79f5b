//! Prose is spelled the British way; what stands between backticks is a name and keeps its own spelling.

use crate::tree::{Broken, File, Tree};

/// What a word may not contain, and what it contains instead. Names that reach users as they are (authorize) are not
/// here: they are the RFC's.
const SPELLINGS: [(&str, &str); 14] = [
    ("analyz", "analys"),
    ("behavior", "behaviour"),
    ("canceled", "cancelled"),
    ("canceling", "cancelling"),
    ("color", "colour"),
    ("favor", "favour"),
    ("honor", "honour"),
    ("initializ", "initialis"),
    ("minimiz", "minimis"),
    ("normaliz", "normalis"),
    ("organiz", "organis"),
    ("recogniz", "recognis"),
    ("serializ", "serialis"),
    ("summariz", "summaris"),
];

/// Pages and comments have one spelling.
pub(crate) fn british(tree: &Tree) -> Vec<Broken> {
    let pages = tree.under("docs/", ".md").chain(tree.file("README.md"));
    let in_pages = pages.flat_map(|page| misspelt(page, Some));
    let in_comments = tree.under("", ".rs").flat_map(|file| misspelt(file, comment));
    in_pages.chain(in_comments).collect()
}

/// What a line of Rust says to a reader, if it is a comment.
fn comment(line: &str) -> Option<&str> {
    let said = line.trim_start().strip_prefix("//")?;
    Some(said.trim_start_matches(['/', '!']))
}

/// The misspelt words of a file; blocks of code are left out.
fn misspelt<'a>(file: &'a File, prose: fn(&'a str) -> Option<&'a str>) -> Vec<Broken> {
    let mut in_block = false;
    let mut broken = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let Some(line) = prose(line) else { continue };
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            let words = words(line).filter_map(|word| Some((correction(&word)?, word)));
            broken.extend(
                words.map(|(right, word)| file.broken(number, format!("`{word}` is spelled with `{right}`"))),
            );
        }
    }
    broken
}

/// The words of a line, without names in backticks and without addresses.
fn words(line: &str) -> impl Iterator<Item = String> {
    let outside =
        line.split('`').step_by(2).flat_map(str::split_whitespace).filter(|word| !word.contains("://"));
    outside.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
}

fn correction(word: &str) -> Option<&'static str> {
    SPELLINGS.into_iter().find(|(wrong, _)| word.contains(wrong)).map(|(_, right)| right)
}
