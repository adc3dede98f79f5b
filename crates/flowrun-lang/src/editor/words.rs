//! What the words of the language are for, in the words an author reads; and which language each one's value is in.
//!
//! Which of them this version knows is the checker's to say: what it refuses is not offered.

use Tongue::{Blocks, Choice, Duration, Expression, Map, Name, Plain, Scope, Text};

/// What a value is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    /// A template.
    Text,
    /// A template that may hold secrets.
    Call,
    /// A Jinja expression.
    Expression,
    /// `30s`, `5m`.
    Duration,
    /// A name the author chooses.
    Name,
    /// The name of an integration.
    Integration,
    /// A scope of the integration whose key stands before.
    Scope,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A value without a language of its own.
    Plain,
    /// A map with keys of its own.
    Map,
    /// Steps, or a map of them.
    Blocks,
}

/// One word: its name, what its value is, what it is for.
pub(super) type Word = (&'static str, Tongue, &'static str);

/// The word of that name.
pub(super) fn word(words: &[Word], name: &str) -> Option<Word> {
    words.iter().find(|(word, ..)| *word == name).copied()
}

/// The keys of a flow.
pub(super) const FLOW: &[Word] = &[
    ("name", Name, "The flow's name."),
    ("description", Plain, "What the flow is for."),
    ("version", Plain, "The flow's version, for whoever reads it."),
    ("trigger", Map, "What starts the flow: `message`, `webhook`, `schedule` or `event`."),
    ("inputs", Map, "What the flow is given. Only declared inputs can be set from outside: `--var id=42`."),
    ("secrets", Plain, "The names of the secrets the flow uses, read as `secrets.NAME` in requests."),
    (
        "integrations",
        Map,
        "The integrations the flow may use, and the scopes it needs: `zoho: { scopes: [ZohoCRM.org.READ] }`.",
    ),
    ("steps", Blocks, "What the flow does, one step after the other."),
    ("on_error", Blocks, "`continue`, or steps to take when a step failed; they see `error`."),
    ("finally", Blocks, "Steps to take whatever happened."),
    ("timeout", Duration, "The time for the whole run, such as `5m`."),
    ("outputs", Map, "What the flow gives back: names and values."),
    ("limits", Map, "How much a run may use, beneath the host's ceilings."),
];

/// The keys of one of a flow's integrations.
pub(super) const INTEGRATION: &[Word] =
    &[("scopes", Scope, "The scopes that the flow needs. A run begins only if they were granted.")];

/// The keys of an input.
pub(super) const INPUT: &[Word] = &[
    ("type", Choice(crate::input::TYPES), "What a given text is parsed as, and a given value must be."),
    ("default", Plain, "Its value where none is given. Without one the input is required."),
    ("ask", Plain, "The question a person is asked if the starter gave no value."),
    ("enum", Plain, "The values it may have."),
    ("pattern", Plain, "A regular expression that a text must match."),
    ("minimum", Plain, "The least number it may be."),
    ("maximum", Plain, "The greatest number it may be."),
    ("sensitive", Choice(&["true", "false"]), "Whether its value must not be shown."),
    ("description", Plain, "What it is for."),
    ("from", Plain, "A path into the trigger, such as `data.phone`."),
];

/// The keys beside a kind.
pub(super) const COMMON: &[Word] = &[
    ("id", Name, "The step's name: `steps.<id>` says how it went. Unique in the file."),
    ("if", Expression, "The step is skipped unless this is true. With `then` it is the kind."),
    ("timeout", Duration, "The time for the step with all its attempts and waits."),
    (
        "retry",
        Map,
        "How many further attempts are made if the call fails, 0 to 10; or `{times, wait, max_wait, errors}`.",
    ),
    ("on_error", Blocks, "`continue`, or steps to take if this one fails; they see `error`."),
    ("finally", Blocks, "Steps to take however this one ended."),
    (
        "in_doubt",
        Choice(&["stop", "retry", "skip", "fail"]),
        "What to do when it is unknown whether the call was made.",
    ),
    ("undo", Blocks, "Steps that undo this one if the run ends badly."),
    ("into", Name, "The variable that takes the step's whole output."),
];

/// Keys that belong to one kind and stand beside it: the kind, then the key.
pub(super) const BESIDE: &[(&str, Word)] = &[
    ("if", ("then", Blocks, "Steps to take if the condition holds.")),
    ("if", ("else", Blocks, "Steps to take if it does not.")),
    ("for_each", ("do", Blocks, "The steps of one turn; they see the item and `index`.")),
    ("repeat", ("do", Blocks, "The steps of one turn; they see `index`.")),
    (
        "parallel",
        (
            "join",
            Choice(&["all", "any"]),
            "When the branches are over: all of them, or the first to succeed.",
        ),
    ),
];

/// The kinds of the language.
pub(super) const KINDS: &[Word] = &[
    (
        "fetch_variables",
        Map,
        "Calls a web service and keeps parts of its JSON reply as variables; GET unless said.",
    ),
    ("http_request", Map, "Calls a web service; its output is `{status, headers, body}`; POST unless said."),
    ("set", Map, "Sets variables: names and values; texts in them are templates."),
    ("compute", Map, "Sets variables: names and expressions, in order; later ones see earlier ones."),
    ("if", Expression, "Takes the steps of `then` if the expression is true, else those of `else`."),
    ("switch", Blocks, "Takes the first case that holds: a list of `{if, then}`, and last perhaps `{else}`."),
    ("do", Blocks, "A block of steps, so that the common keys work on a group."),
    (
        "for_each",
        Expression,
        "Takes the steps of `do` for each item of a list: an expression, or `{in, as, concurrency, max_items, collect}`.",
    ),
    ("repeat", Map, "Takes the steps of `do` until a condition holds: `{max, until, every}`."),
    ("parallel", Blocks, "Branches side by side: a map of names and steps."),
    ("call", Map, "Runs another flow: a file in the flows folder, or `{flow, inputs}`."),
    ("ask", Text, "Asks the person of the conversation and waits for the answer."),
    ("send", Text, "Sends a message: a text, or `{text, to, channel}`."),
    ("wait", Text, "Waits: a duration, `{until, before}`, `{event, key, where}` or `{webhook}`."),
    ("respond", Map, "Answers the webhook's caller; the flow goes on."),
    ("emit", Map, "Tells the host and other flows of an event."),
    ("log", Text, "Writes to the run's log: a text, or `{text, level, data}`."),
    (
        "fail",
        Name,
        "Fails on purpose with the name of an error, or `{name, message}`; bare in a handler it raises the error again.",
    ),
    ("end", Map, "Ends the flow well, perhaps with `{outputs}`."),
];

/// The keys beneath a key of the language, by that key.
pub(super) const BENEATH: &[(&str, &[Word])] = &[
    (
        "retry",
        &[
            ("times", Plain, "How many further attempts, 0 to 10."),
            ("wait", Duration, "The pause before the first of them; each later one is longer."),
            ("max_wait", Duration, "The longest pause; as long as `wait` for a constant one."),
            (
                "errors",
                Choice(&["connect", "timeout", "429", "5xx"]),
                "What is tried again; status codes too.",
            ),
        ],
    ),
    (
        "for_each",
        &[
            ("in", Expression, "The list."),
            ("as", Name, "What an item is called; `item` unless said."),
            ("concurrency", Plain, "How many items are under way at once; 1 unless said."),
            ("max_items", Plain, "The most items the list may have."),
            ("collect", Expression, "What each item adds to the step's output."),
        ],
    ),
    (
        "repeat",
        &[
            ("max", Plain, "The most turns; if `until` never holds, the step fails with `exhausted`."),
            ("until", Expression, "Tested after each turn."),
            ("every", Duration, "The pause between turns."),
        ],
    ),
    (
        "wait",
        &[
            ("until", Expression, "The moment to wait for; one in the past waits not at all."),
            ("before", Duration, "How much earlier to go on."),
            ("event", Name, "The name of the event to wait for; the step's output is its data."),
            ("key", Text, "What the event must be about."),
            ("where", Expression, "What must hold of the event's data, called `item`."),
            ("webhook", Map, "Waits for a call of `{{callbacks.<id>}}`, a URL that is used once."),
        ],
    ),
    (
        "send",
        &[
            ("text", Text, "What is sent."),
            ("to", Text, "Whom it is for; needed without a conversation."),
            ("channel", Text, "The way it goes; needed without a conversation."),
            ("media", Text, "The URL of a picture, a sound or a document."),
            ("buttons", Plain, "What may be pressed instead of typing an answer: a list of texts."),
            ("template", Plain, "A message that the channel's provider knows by name."),
            ("await", Choice(&["delivered"]), "Fails with `undelivered` unless the message arrives."),
        ],
    ),
    (
        "ask",
        &[
            ("text", Text, "The question."),
            ("type", Choice(crate::input::TYPES), "What the answer is read as; a text unless said."),
            ("choices", Plain, "What the answer may be: a list of texts, without case."),
            ("pattern", Plain, "A regular expression that the answer must match."),
            (
                "invalid",
                Text,
                "What is said to an answer that does not fit; the question again, unless said.",
            ),
            (
                "attempts",
                Plain,
                "How many answers may be tried; 3 unless said. Then it fails with `invalid_reply`.",
            ),
            (
                "timeout",
                Duration,
                "How long an answer may take; 24h unless said. Then it fails with `no_reply`.",
            ),
            ("accept", Choice(&["after", "any"]), "Whether a message from before the question is an answer."),
        ],
    ),
    (
        "respond",
        &[
            ("status", Plain, "The status; 200 unless said."),
            ("headers", Map, "The headers: names and texts."),
            ("json", Plain, "The body, as JSON."),
            ("text", Text, "The body, as text."),
        ],
    ),
    (
        "emit",
        &[
            ("event", Name, "The event's name."),
            ("key", Text, "What it is about: who waits for it says the same."),
            ("data", Plain, "What there is to know."),
        ],
    ),
    (
        "trigger",
        &[
            ("message", Map, "A message of a person who is in no conversation yet."),
            ("webhook", Map, "A call of a URL of the host."),
            ("schedule", Map, "Moments of a calendar."),
            ("event", Map, "An event, told by a flow or by the host."),
        ],
    ),
    (
        "log",
        &[
            ("text", Text, "What is written."),
            ("level", Choice(&["debug", "info", "warn", "error"]), "How grave it is; `info` unless said."),
            ("data", Text, "A value to go with it."),
        ],
    ),
    ("fail", &[("name", Name, "The error's name."), ("message", Text, "What a person is told.")]),
    ("end", &[("outputs", Map, "What the flow gives back instead of its `outputs`.")]),
    (
        "limits",
        &[
            ("steps", Plain, "The most steps of a run; 10,000 unless said."),
            ("state", Plain, "The most bytes of all variables; 8 MiB unless said."),
            ("variable", Plain, "The most bytes of one variable; 1 MiB unless said."),
            ("items", Plain, "The most items of a `for_each`; 10,000 unless said."),
            ("age", Duration, "The longest a run may take, waits and all; 30d unless said."),
            ("call_depth", Plain, "How deep calls of other flows may be nested; 16 unless said."),
        ],
    ),
];

/// The keys beneath each kind of trigger.
pub(super) const TRIGGERS: &[(&str, &[Word])] = &[
    (
        "message",
        &[
            ("channels", Plain, "The channels it comes from; any unless said."),
            ("accounts", Plain, "The accounts it comes to; any unless said."),
            ("keywords", Plain, "What it says, without case; anything unless said."),
            ("match", Choice(&["exact", "prefix", "contains", "regex"]), "How it says a keyword."),
            ("if", Expression, "What must hold of `trigger`."),
            ("interrupt", Choice(&["true", "false"]), "Whether it ends the run the conversation is in."),
            ("default", Choice(&["true", "false"]), "Whether it takes what no other flow takes."),
            (
                "while_busy",
                Choice(&["queue", "drop", "replace"]),
                "What happens to messages while the run is busy.",
            ),
        ],
    ),
    (
        "schedule",
        &[
            ("cron", Plain, "Minute, hour, day of the month, month, day of the week: `0 9 * * 1-5`."),
            ("zone", Plain, "The time zone, such as `Europe/Brussels`; UTC unless said."),
            ("missed", Choice(&["once", "skip"]), "Whether a moment that was missed is made up for."),
            ("overlap", Choice(&["skip", "queue"]), "What happens while the run before is still at work."),
        ],
    ),
    (
        "webhook",
        &[
            ("path", Plain, "The path beneath the host's own."),
            ("method", Plain, "The method; POST unless said."),
            ("auth", Map, "How a caller proves who it is: `{hmac: SECRET}` or `{bearer: SECRET}`."),
            (
                "reply",
                Choice(&["outputs", "accepted"]),
                "What the caller is answered where no step responds.",
            ),
            ("timeout", Duration, "How long the caller is kept waiting."),
        ],
    ),
    ("event", &[("name", Name, "The event's name."), ("if", Expression, "What must hold of `trigger`.")]),
];

/// The keys of a case of `switch`.
pub(super) const CASE: &[Word] = &[
    ("if", Expression, "The case is taken if this is the first to hold."),
    ("then", Blocks, "Its steps."),
    ("else", Blocks, "The steps if no case holds; only in the last."),
];

/// The helpers of a text.
pub(super) const HELPERS: &[(&str, &str)] = &[
    ("default", "`{{default x \"soon\"}}`: the value, or the fallback where it is unset or null."),
    ("json", "`{{json x}}`: the value as JSON."),
    ("url_encode", "`{{url_encode x}}`: percent-encoded."),
    ("base64", "`{{base64 x}}`: in Base64; works over secrets too."),
    ("upper", "`{{upper x}}`: in capitals."),
    ("lower", "`{{lower x}}`: in small letters."),
    ("trim", "`{{trim x}}`: without blanks at both ends."),
    ("join", "`{{join list \", \"}}`: the items of a list, with this between them."),
    ("length", "`{{length x}}`: how many items or characters."),
    ("number", "`{{number x 2}}`: a number with so many decimals."),
    (
        "date",
        "`{{date t \"%A %H:%M\" \"Europe/Brussels\"}}`: a moment as strftime writes it, in a time zone.",
    ),
    ("hmac_sha256", "`{{hmac_sha256 text secrets.KEY}}`: a signature; works over secrets."),
];

/// What is known of a step under `steps.<id>`.
pub(super) const STEP_FIELDS: &[(&str, &str)] = &[
    ("status", "`pending`, `done`, `skipped` or `failed`."),
    ("output", "What the step gave; null before."),
    ("error", "Why it failed, even if the error was handled; else null."),
    ("attempts", "How often the call was made."),
];

/// What is known of an error.
pub(super) const ERROR_FIELDS: &[(&str, &str)] = &[
    (
        "kind",
        "`http`, `connect`, `timeout`, `refused`, `too_large`, `integration`, `missing`, `type`, `failed`, `exhausted`, `limit`, `no_reply`, `invalid_reply` or `undelivered`.",
    ),
    ("name", "The name a `fail` gave it."),
    ("message", "What happened, in words."),
    ("status", "The HTTP status, if a service answered."),
    ("step", "The id of the step that failed."),
    ("attempts", "How often the call was made."),
    ("retry_after", "How long the service asked to wait."),
    ("effect", "`none`, `done` or `unknown`: whether the call did its work."),
];

/// Names that the engine itself provides.
pub(super) const PROVIDED: &[(&str, &str)] = &[
    ("steps", "Every step with an id: `steps.<id>.status`, `.output`, `.error`, `.attempts`."),
    ("now", "The time of the event being processed."),
    ("run", "The run itself."),
    ("trigger", "What started the flow: `trigger.text`, `trigger.body`, `trigger.at`, `trigger.data` …"),
    ("conversation", "The conversation: `conversation.id`, `conversation.channel`."),
    ("callbacks", "The URL of a step that waits for a webhook: `callbacks.<id>`."),
    ("error", "The error being handled: `error.kind`, `.message`, `.status` …"),
    ("index", "The number of the turn, from 0."),
    ("item", "The item of this turn."),
    ("secrets", "The secrets the flow declares; only in a request's headers, query, form, JSON or body."),
    (
        "integrations",
        "Fields kept of an integration, such as `integrations.zoho.api_domain`; at the start of a `url`.",
    ),
];
