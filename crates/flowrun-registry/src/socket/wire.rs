//! What is said over the socket: a closed list of questions, and their answers.
//!
//! These types are the protocol and nothing else; what they carry is converted at the door. None of them has a place
//! for a refresh token or a client secret, and [`PassAnswer`] alone has one for an access token.

mod refusal;
mod view;

use flowrun_oauth::{ExpirySign, TokenHeader};
use flowrun_step::IntegrationName;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) use refusal::{Fault, Refusal};
pub(super) use view::View;

use crate::hosts::HostRule;
use crate::pass::Pass;

/// Which protocol this is; a change that the other end would not understand makes it another.
pub(super) const PROTOCOL: u32 = 1;

/// What a process may ask the owner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Question {
    /// Who are you?
    Hello {},
    /// Every integration; from where the last answer ended.
    List { after: Option<IntegrationName> },
    /// One integration.
    Show { name: IntegrationName },
    /// A token that may go to this origin.
    Resolve { name: IntegrationName, origin: String },
    /// Make sure that there are tokens other than those of this generation.
    Renew { name: IntegrationName, generation: u64 },
    /// A field kept from the callback or the token reply.
    Kept { name: IntegrationName, field: String },
    /// Make sure that there is a token that will do for now; or refresh it, due or not.
    Refresh { name: IntegrationName, force: bool },
}

impl Question {
    /// Reads a question; what is wrong with it is said without repeating it.
    pub(super) fn read(frame: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(frame).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Fault::UnknownVerb,
            _ => Fault::NotJson,
        })
    }

    /// Its verb, for a trace.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Hello {} => "hello",
            Self::List { .. } => "list",
            Self::Show { .. } => "show",
            Self::Resolve { .. } => "resolve",
            Self::Renew { .. } => "renew",
            Self::Kept { .. } => "kept",
            Self::Refresh { .. } => "refresh",
        }
    }
}

/// What the owner answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Answer {
    Hello { protocol: u32, installation: Option<String> },
    Integrations { page: Vec<View>, is_last: bool },
    Integration(Box<View>),
    Pass(PassAnswer),
    Renewed {},
    Kept { value: Option<String> },
    Refused(Refusal),
}

/// An access token in the form of a header, and the rules that go with it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PassAnswer {
    name: IntegrationName,
    generation: u64,
    header: TokenHeader,
    #[serde(serialize_with = "exposed", deserialize_with = "secret")]
    token: SecretString,
    hosts: Vec<HostRule>,
    expired_when: Vec<ExpirySign>,
}

impl From<Pass> for PassAnswer {
    fn from(pass: Pass) -> Self {
        let Pass { name, generation, header, token, hosts, expired_when } = pass;
        Self { name, generation, header, token, hosts, expired_when }
    }
}

impl From<PassAnswer> for Pass {
    fn from(answer: PassAnswer) -> Self {
        let PassAnswer { name, generation, header, token, hosts, expired_when } = answer;
        Self { name, generation, header, token, hosts, expired_when }
    }
}

fn exposed<S: Serializer>(token: &SecretString, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(token.expose_secret())
}

fn secret<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
    String::deserialize(input).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_verbs_is_closed_and_so_are_their_fields_n9() {
        for (frame, fault) in [
            (r#"{"hello":{}}"#, None),
            (r#"{"list":{"after":null}}"#, None),
            (r#"{"resolve":{"name":"a","origin":"https://b.test"}}"#, None),
            (r#"{"renew":{"name":"a","generation":1}}"#, None),
            (r#"{"hello":{"canary":1}}"#, Some(Fault::UnknownVerb)),
            (r#"{"resolve":{"name":"a","origin":"https://b.test","canary":1}}"#, Some(Fault::UnknownVerb)),
            (r#"{"resolve":{"name":"a"}}"#, Some(Fault::UnknownVerb)),
            (r#"{"resolve":{"name":"<canary>","origin":"https://b.test"}}"#, Some(Fault::UnknownVerb)),
            (r#"{"renew":{"name":"a","generation":-1}}"#, Some(Fault::UnknownVerb)),
            (r#"{"export":{"name":"a"}}"#, Some(Fault::UnknownVerb)),
            (r#""hello""#, Some(Fault::UnknownVerb)),
            (r#"{"hello":{}} canary"#, Some(Fault::NotJson)),
            ("canary", Some(Fault::NotJson)),
            ("", Some(Fault::NotJson)),
        ] {
            assert_eq!(Question::read(frame.as_bytes()).err(), fault, "{frame}");
        }
    }
}
