//! The codes of all diagnostics, each with a title and a page.
//!
//! A code is stable: it is what an author searches for and what `flowrun explain` takes. The pages
//! stand in `docs/errors` and are compiled in.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($number:literal $name:ident $title:literal,)*) => {
        /// What kind of problem a diagnostic is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!($number, ": ", $title, ".")] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is printed, such as `F014`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $number,)* }
            }

            /// What it is about, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Its page: what happened, why, what to do.
            #[must_use]
            pub fn page(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../../../docs/errors/", $number, ".md")),)* }
            }
        }
    };
}

codes! {
    "F001" NotUtf8 "the file is not UTF-8",
    "F002" TooLarge "the file is too large",
    "F003" Yaml "the file is not YAML",
    "F004" Tab "a tab in the indentation",
    "F005" DuplicateKey "a key stands twice",
    "F006" TooComplex "the file is nested too deeply or has too many parts",
    "F007" InputMissing "an input has no value",
    "F008" SeveralDocuments "the file holds several documents",
    "F009" TagOrMerge "a tag or a merge key",
    "F010" MustBeQuoted "a value must be quoted",
    "F011" CommentCutsText "a comment cuts a text short",
    "F014" NotAuthorized "an integration is not authorised",
    "F015" UnknownIntegration "an integration is unknown",
    "F020" UnknownKey "an unknown key",
    "F021" MissingKey "a key is missing",
    "F022" WrongShape "a value has the wrong shape",
    "F023" UnknownKind "an unknown kind of step",
    "F024" NoSingleKind "a step has no kind, or several",
    "F026" DuplicateId "two steps have one id",
    "F027" IllegalName "a name is not allowed",
    "F030" Template "a template cannot be read",
    "F031" Path "a path cannot be read",
    "F032" Expression "an expression cannot be read",
    "F033" Undeclared "a name nothing sets",
    "F034" PossiblyUnset "a variable may have no value",
    "F035" SecretHere "a secret where none may stand",
    "F036" UnknownStep "a step id nothing has",
    "F037" UndeclaredSecret "a secret the flow does not declare",
    "F038" Duration "a duration cannot be read",
    "F039" Setting "a setting its step refuses",
    "F040" UnsafeRetry "a retry that could do something twice",
    "F041" NothingToRaise "`fail:` without an error to raise again",
    "F042" EndHere "`end` where a flow cannot end",
    "F043" PrintsDifferently "a value that prints differently from what was written",
    "F044" UnknownInput "an input the flow does not declare",
    "F045" InputValue "an input's value does not fit",
    "F046" Incomparable "values of different types compared",
    "F047" BranchesWrite "two branches write one name",
    "F048" InUndo "something that cannot stand in `undo`",
    "F049" CalledFlow "a called flow cannot be used",
    "F050" Http "a service answered with an unexpected status",
    "F051" Connect "no connection to a service",
    "F052" Timeout "out of time",
    "F053" Refused "a call was refused",
    "F054" ReplyTooLarge "a reply or a value is too large",
    "F055" Missing "something required was not there",
    "F056" Type "a value has another type than needed",
    "F057" Failed "the flow or a step failed on purpose",
    "F058" Limit "a limit was reached",
    "F059" IntegrationFailed "an integration could not be used",
    "F060" Exhausted "a repeat came to no end",
    "F061" AskedTwice "one conversation asked twice at once",
    "F062" NoCallback "a wait for a webhook without a URL",
    "F063" Trigger "a trigger cannot be used",
    "F064" NoReply "nobody answered",
    "F065" InvalidReply "no answer fitted",
    "F066" Undelivered "a message was not delivered",
    "F067" NobodyToAsk "there is nobody to ask",
    "F070" Unreadable "a file cannot be read",
    "F071" Registry "the registry cannot be used",
    "F080" HostNotAllowed "a host that an integration's token may not go to",
    "F081" OtherDataCentre "the host of another data centre",
    "F090" NoReplyLeft "a request that no reply of the case answers",
    "F091" ReplyLeft "a reply that the run never asked for",
    "F092" Unexpected "a run came to something else than its case expects",
    "F100" UnusedVariable "a variable that nothing reads",
    "F101" UnusedInput "an input that nothing reads",
    "F102" Unreachable "a step that is never reached",
    "F103" OutputNeverSet "an output that never has a value",
    "F106" UnusedIntegration "an integration that no step uses",
    "F107" UndeclaredIntegration "an integration the flow does not declare",
    "F108" ScopeMissing "an integration lacks a scope",
}

impl Code {
    /// The code of that number, in either case.
    #[must_use]
    pub fn find(number: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(number.trim()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
