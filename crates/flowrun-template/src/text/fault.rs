//! Why a value cannot be written: an error before it is known where in the source it happened.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use crate::error::{RenderError, RenderErrorKind};

/// A [`RenderError`] without its place.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: RenderErrorKind,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Fault {
    pub(crate) fn new(kind: RenderErrorKind, message: impl Into<String>, help: &str) -> Self {
        Self { kind, message: message.into(), help: (!help.is_empty()).then(|| help.to_owned()) }
    }

    pub(crate) fn argument(message: impl Into<String>, usage: &str) -> Self {
        Self::new(RenderErrorKind::Argument, message, usage)
    }

    pub(crate) fn null() -> Self {
        Self::new(
            RenderErrorKind::Null,
            "this is null, which cannot be written here",
            "{{default name \"fallback\"}}",
        )
    }

    pub(crate) fn too_long() -> Self {
        let message = format!("the text is longer than {} bytes", crate::limits::TEXT_OUTPUT_BYTES);
        Self::new(RenderErrorKind::TooLong, message, "")
    }

    pub(crate) fn at(self, span: Range<usize>) -> RenderError {
        RenderError { kind: self.kind, message: self.message, span, path: String::new(), help: self.help }
    }
}

/// The text of a value that has one (L-4): text, a number, true or false.
pub(crate) fn scalar(value: &Value) -> Result<Cow<'_, str>, Fault> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Owned(number.to_string())),
        Value::Bool(true) => Ok(Cow::Borrowed("true")),
        Value::Bool(false) => Ok(Cow::Borrowed("false")),
        Value::Null => Err(Fault::null()),
        Value::Array(_) => Err(Fault::new(
            RenderErrorKind::NotScalar,
            "this is a list, which is no text",
            "{{join list \", \"}} or {{json list}}",
        )),
        Value::Object(_) => Err(Fault::new(
            RenderErrorKind::NotScalar,
            "this is a map, which is no text",
            "{{json map}}, or one of its members",
        )),
    }
}
