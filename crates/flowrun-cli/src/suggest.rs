//! What somebody meant who typed a verb wrongly: the word is taken for a flow's file, which is not there.

use std::path::Path;

use clap::CommandFactory;

use crate::args::Arguments;

/// The verb that a missing file's name looks like.
pub(crate) fn verb_like(file: &Path) -> Option<String> {
    let word = file.to_str().filter(|word| !word.contains(['/', '.']))?;
    let command = Arguments::command();
    let distances = command.get_subcommands().map(|verb| {
        let name = verb.get_name().to_owned();
        (strsim::damerau_levenshtein(word, &name), name)
    });
    let (distance, verb) = distances.min()?;
    (distance <= verb.len() / 3).then_some(verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_verb_is_recognised_and_a_file_is_not() {
        for (word, verb) in [
            ("integration", Some("integrations")),
            ("chekc", Some("check")),
            ("evla", Some("eval")),
            ("contacts", None),
            ("./chekc", None),
            ("check.yaml", None),
        ] {
            assert_eq!(verb_like(Path::new(word)).as_deref(), verb, "{word}");
        }
    }
}
