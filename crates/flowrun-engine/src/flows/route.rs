//! Which flow a message starts: interrupting ones first, then the one it names, then by how exactly it says a keyword (R8).

use std::sync::Arc;

use flowrun_lang::Flow;
use flowrun_lang::trigger::{Match, MessageTrigger};
use icu_normalizer::ComposingNormalizerBorrowed;
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};

use super::{FlowSet, holds};
use crate::message::Message;

/// When a message is routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// While a run may be busy with its conversation: only what interrupts.
    Interrupting,
    /// When no run is.
    Free,
}

/// The flow that a message starts.
pub(crate) fn route<'s>(
    set: &'s FlowSet,
    message: &Message,
    (turn, now): (Turn, Timestamp),
) -> Option<&'s Arc<Flow>> {
    if turn == Turn::Free
        && let Some(named) = message.flow.as_ref().and_then(|name| set.get(name))
    {
        return Some(named);
    }
    let trigger = message.body();
    let said = folded(message.choice.as_ref().unwrap_or(&message.text));
    let ranked = set.listening().filter_map(|(flow, listens, keywords)| {
        if turn == Turn::Interrupting && !listens.interrupts {
            return None;
        }
        let rank = rank((listens, keywords), message, &said)?;
        holds(flow, listens.condition.as_ref(), (&trigger, now)).then_some(((listens.interrupts, rank), flow))
    });
    // Of equal ones the first by name: which of them is known from the files alone.
    ranked.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, flow)| flow)
}

/// A keyword, as messages are compared with it.
#[derive(Debug)]
pub(super) struct Keyword {
    /// Of two that fit alike the longer is meant.
    length: usize,
    is: Is,
}

#[derive(Debug)]
enum Is {
    Exactly(String),
    Prefix(String),
    Within(String),
    Pattern(Regex),
}

impl Keyword {
    /// The keywords of a trigger. The check of the flow has seen to it that its expressions compile.
    pub(super) fn all(trigger: &MessageTrigger) -> Vec<Self> {
        let is = |keyword: &String| match trigger.how {
            Match::Exact => Some(Is::Exactly(folded(keyword))),
            Match::Prefix => Some(Is::Prefix(folded(keyword))),
            Match::Contains => Some(Is::Within(folded(keyword))),
            Match::Regex => {
                let built = RegexBuilder::new(keyword).case_insensitive(true).size_limit(1 << 20).build();
                built.ok().map(Is::Pattern)
            }
        };
        let keyword = |text: &String| Some(Self { length: text.len(), is: is(text)? });
        trigger.keywords.iter().filter_map(keyword).collect()
    }

    /// How exactly a message says it: the higher, the more.
    fn fits(&self, message: &Message, said: &str) -> Option<u8> {
        match &self.is {
            Is::Exactly(keyword) => (said == keyword).then_some(5),
            Is::Prefix(keyword) => said.starts_with(keyword).then_some(4),
            Is::Within(keyword) => said.contains(keyword).then_some(3),
            Is::Pattern(pattern) => pattern.is_match(message.text.trim()).then_some(2),
        }
    }
}

/// How well a message fits a trigger: the kind of match, then the length of the keyword.
fn rank(
    (trigger, keywords): (&MessageTrigger, &[Keyword]),
    message: &Message,
    said: &str,
) -> Option<(u8, usize)> {
    let is_named = |names: &[String], name: &String| names.is_empty() || names.contains(name);
    let conversation = &message.conversation;
    if !is_named(&trigger.channels, &conversation.channel)
        || !is_named(&trigger.accounts, &conversation.account)
    {
        return None;
    }
    if trigger.keywords.is_empty() {
        return Some((u8::from(!trigger.is_default), 0));
    }
    let best =
        keywords.iter().filter_map(|keyword| Some((keyword.fits(message, said)?, keyword.length))).max();
    best.or_else(|| trigger.is_default.then_some((0, 0)))
}

/// A text as keywords are compared: trimmed, without case, NFC.
pub(super) fn folded(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(&text.trim().to_lowercase()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flowrun_lang::Catalog;
    use flowrun_step::{Conversation, StepSet, Tenant};

    use super::*;

    fn set(triggers: &[(&str, &str)]) -> FlowSet {
        let flow = |(name, trigger): &(&str, &str)| {
            let text =
                format!("name: {name}\ntrigger: {{ message: {{ {trigger} }} }}\nsteps: [ {{ send: hi }} ]\n");
            (format!("{name}.yaml"), text.into_bytes())
        };
        let files: BTreeMap<_, _> = triggers.iter().map(flow).collect();
        FlowSet::check(&files, &Catalog::new(StepSet::new())).expect("a set")
    }

    fn message(text: &str) -> Message {
        let peer = Conversation { channel: "sms".into(), account: String::new(), peer: "+31".into() };
        Message::new(Tenant::default(), peer, "1").text(text)
    }

    fn routed<'s>(set: &'s FlowSet, message: &Message, turn: Turn) -> Option<&'s str> {
        route(set, message, (turn, Timestamp::UNIX_EPOCH)).map(|flow| flow.name())
    }

    /// R8: exact, prefix, contains, regex, anything, default; the longer keyword of two.
    #[test]
    fn the_more_exactly_a_message_says_a_keyword_the_sooner_it_starts_that_flow() {
        let set = set(&[
            ("exact", "keywords: [order]"),
            ("prefix", "keywords: [order], match: prefix"),
            ("longer", "keywords: [order status], match: prefix"),
            ("contains", "keywords: [status], match: contains"),
            ("regex", "keywords: ['[0-9]{4}'], match: regex"),
            ("default", "default: true"),
        ]);
        for (text, flow) in [
            ("  ORDER ", "exact"),
            ("order 42", "prefix"),
            ("order status 42", "longer"),
            ("my status", "contains"),
            ("code 1234", "regex"),
            ("hello", "default"),
        ] {
            assert_eq!(routed(&set, &message(text), Turn::Free), Some(flow), "{text}");
        }
    }

    #[test]
    fn keywords_are_compared_without_case_and_however_their_letters_are_composed() {
        let set = set(&[("cafe", "keywords: ['Caf\\u00e9']".replace("\\u00e9", "é").as_str())]);
        assert_eq!(routed(&set, &message("cafe\u{301}"), Turn::Free), Some("cafe"));
    }

    #[test]
    fn a_named_flow_comes_before_keywords_and_only_an_interrupting_one_while_a_run_works() {
        let set = set(&[
            ("stop", "keywords: [stop], interrupt: true"),
            ("order", "keywords: [order]"),
            ("named", "keywords: [never]"),
        ]);
        assert_eq!(routed(&set, &message("order").flow("named"), Turn::Free), Some("named"));
        assert_eq!(routed(&set, &message("order"), Turn::Interrupting), None);
        assert_eq!(routed(&set, &message("stop"), Turn::Interrupting), Some("stop"));
    }

    #[test]
    fn another_channel_and_a_condition_that_does_not_hold_start_nothing() {
        let set = set(&[
            ("web", "keywords: [hi], channels: [web]"),
            ("asks", "keywords: [hi], if: trigger.choice == \"yes\""),
        ]);
        assert_eq!(routed(&set, &message("hi"), Turn::Free), None);
        let chosen = Message { text: String::new(), ..message("") }.choice("yes");
        assert_eq!(routed(&set, &chosen, Turn::Free), None);
    }
}
