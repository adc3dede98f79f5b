//! Fits a message to what its channel can carry (R5): lists for buttons, parts for a long text, a refusal for the rest.

use flowrun_step::{Capabilities, OutgoingMessage, StepError, listed};

/// The messages that a message becomes, in order: one, unless its text is too long.
///
/// # Errors
/// [`StepError::Refused`] where the channel lacks what cannot be said otherwise; nothing was sent then.
pub(super) fn fit(
    mut message: OutgoingMessage,
    channel: &str,
    can: &Capabilities,
) -> Result<Vec<OutgoingMessage>, StepError> {
    if message.media.is_some() && !can.media {
        return Err(lacks(channel, "media", "give the address of it in `text`"));
    }
    if message.template.is_some() && !can.templates {
        return Err(lacks(channel, "templates", "say it in `text`"));
    }
    if !can.buttons && !message.buttons.is_empty() {
        let lines = [std::mem::take(&mut message.text), listed(&std::mem::take(&mut message.buttons))];
        message.text = lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    }
    Ok(match can.max_text {
        Some(most) if message.text.chars().count() > most => parts(message, most),
        _ => vec![message],
    })
}

fn lacks(channel: &str, what: &str, otherwise: &str) -> StepError {
    StepError::Refused {
        reason: format!("the channel `{channel}` carries no {what}; nothing was sent"),
        help: format!("{otherwise}, or name another channel under `channel:`"),
    }
}

/// The parts of a message, each with its own key. What is no text goes with the first one, buttons with the last, where the
/// person who reads has come to the end.
fn parts(message: OutgoingMessage, most: usize) -> Vec<OutgoingMessage> {
    let texts = split(&message.text, most);
    let last = texts.len().saturating_sub(1);
    let part = |(at, text): (usize, &str)| OutgoingMessage {
        text: text.to_owned(),
        buttons: if at == last { message.buttons.clone() } else { Vec::new() },
        media: message.media.clone().filter(|_| at == 0),
        template: message.template.clone().filter(|_| at == 0),
        key: format!("{}-{}", message.key, at + 1),
        ..message.clone()
    };
    texts.into_iter().enumerate().map(part).collect()
}

/// A text in pieces of at most so many characters: cut at the end of a line, else between words, else between characters. The
/// space at which it is cut is in no piece.
fn split(text: &str, most: usize) -> Vec<&str> {
    let (mut rest, mut pieces) = (text.trim_end(), Vec::new());
    while let Some((end, _)) = rest.char_indices().nth(most) {
        let cut = cut(rest, end);
        let piece = rest[..cut].trim_end();
        if !piece.is_empty() {
            pieces.push(piece);
        }
        rest = rest[cut..].trim_start();
    }
    pieces.extend(Some(rest).filter(|rest| !rest.is_empty() || pieces.is_empty()));
    pieces
}

/// Where to cut a text of which this many bytes fit: a space right after them is as good as one among them.
fn cut(text: &str, end: usize) -> usize {
    let next = text[end..].chars().next().map_or(end, |next| end + next.len_utf8());
    let reach = &text[..next];
    let after_a_word = |at: &usize| !text[..*at].trim().is_empty();
    let line = reach.rfind('\n').filter(after_a_word);
    line.or_else(|| reach.rfind(char::is_whitespace).filter(after_a_word)).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_cut_at_lines_then_words_then_characters_r5() {
        for (text, most, pieces) in [
            ("one two\nthree", 9, vec!["one two", "three"]),
            ("one two three", 7, vec!["one two", "three"]),
            ("one two three", 8, vec!["one two", "three"]),
            ("abcdefgh", 3, vec!["abc", "def", "gh"]),
            ("äöü€🙂", 2, vec!["äö", "ü€", "🙂"]),
            ("  ab", 2, vec!["ab"]),
            ("short", 9, vec!["short"]),
        ] {
            assert_eq!(split(text, most), pieces, "{text:?} by {most}");
        }
    }

    proptest! {
        #[test]
        fn no_piece_is_too_long_and_nothing_but_space_is_lost(text in "[a-c é🙂\\n]{0,60}", most in 1_usize..12) {
            let pieces = split(&text, most);
            let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert!(pieces.iter().all(|piece| piece.chars().count() <= most));
            prop_assert_eq!(solid(&pieces.concat()), solid(&text));
        }
    }
}
