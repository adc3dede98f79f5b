//! The nearest known word, for a word that was mistyped.

/// The known word most like `word`, if any is like it enough to be meant.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let near = known.into_iter().map(|other| (strsim::damerau_levenshtein(word, other), other));
    let (distance, other) = near.min_by_key(|(distance, _)| *distance)?;
    let enough = (word.chars().count().max(other.chars().count()) / 3).max(1);
    (distance <= enough).then_some(other)
}

/// Whether one of `words`, none of which is known, was meant to be `wanted`.
pub(crate) fn is_meant<'w>(
    wanted: &str,
    mut words: impl Iterator<Item = &'w str>,
    known: impl IntoIterator<Item = &'w str> + Clone,
) -> bool {
    words.any(|word| {
        known.clone().into_iter().all(|other| other != word) && nearest(word, known.clone()) == Some(wanted)
    })
}

/// "did you mean `x`?", or what there is to choose from.
pub(crate) fn instead<'w>(word: &str, known: impl IntoIterator<Item = &'w str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(other) => format!("did you mean `{other}`?"),
        None => format!("known here: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("varibles", ["url", "variables"]), Some("variables"));
        assert_eq!(nearest("colour", ["url", "variables"]), None);
    }
}
