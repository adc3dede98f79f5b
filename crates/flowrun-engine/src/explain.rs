//! The words for what failed while a flow ran: the machine's failure as a diagnostic with a place.

use flowrun_lang::{Code, Diagnostic, Flow};
use flowrun_machine::Failure;
use flowrun_step::{CallEffect, ErrorKind};

/// Words a failure: what, where in the author's file, why, and what to do next.
#[must_use]
pub fn explain(flow: &Flow, failure: &Failure) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(code(failure.kind), sentence(failure)).at(flow.place_in(
        failure.flow.unwrap_or_default(),
        &failure.place,
        failure.span.clone(),
    ));
    if failure.attempts > 1 {
        diagnostic = diagnostic.because(format!("tried {} times", failure.attempts));
    }
    if failure.effect == CallEffect::Unknown {
        diagnostic = diagnostic.because("the request went out; whether it had an effect is not known");
    }
    for undo in &failure.not_undone {
        let place = flow.place_in(undo.flow.unwrap_or_default(), &undo.place, None);
        diagnostic = diagnostic.because(format!(
            "not taken back, at {}:{} {}: {}",
            place.file,
            place.line,
            place.path,
            sentence(undo)
        ));
    }
    match failure.help.clone().or_else(|| help(failure)) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Http => Code::Http,
        ErrorKind::Connect => Code::Connect,
        ErrorKind::Timeout => Code::Timeout,
        ErrorKind::Refused => Code::Refused,
        ErrorKind::TooLarge => Code::ReplyTooLarge,
        ErrorKind::Integration => Code::IntegrationFailed,
        ErrorKind::Missing => Code::Missing,
        ErrorKind::Type => Code::Type,
        ErrorKind::Limit => Code::Limit,
        ErrorKind::Exhausted => Code::Exhausted,
        ErrorKind::NoReply => Code::NoReply,
        ErrorKind::InvalidReply => Code::InvalidReply,
        ErrorKind::Undelivered => Code::Undelivered,
        _ => Code::Failed,
    }
}

/// The failure's own words, with the name an author gave it.
fn sentence(failure: &Failure) -> String {
    match &failure.name {
        Some(name) if *name != failure.message => format!("{name}: {}", failure.message),
        _ => failure.message.clone(),
    }
}

/// What usually helps, where the failure itself does not say.
fn help(failure: &Failure) -> Option<String> {
    let help = match (failure.kind, failure.status) {
        (ErrorKind::Http, Some(401 | 403)) => {
            "the service does not accept this call's credential; `flowrun integrations check` looks at an integration"
        }
        (ErrorKind::Http, Some(404)) => {
            "look at the URL's path and the values in it, or handle it with `on_error`"
        }
        (ErrorKind::Http, Some(429)) => "let it wait and try again: `retry: 3`",
        (ErrorKind::Http, Some(500..)) | (ErrorKind::Connect, _) => {
            "if it passes by itself, `retry: 3` tries again"
        }
        (ErrorKind::Timeout, _) => "give it more time with `timeout`, or try again with `retry`",
        (ErrorKind::TooLarge, _) => "ask for less, or raise `max_bytes`",
        _ => return None,
    };
    Some(help.to_owned())
}
