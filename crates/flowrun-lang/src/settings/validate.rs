//! Checks the constants of a step's settings against the step's own schema.

use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value;

use crate::code::Code;
use crate::compile::dotted;
use crate::node::{Kind, Node};
use crate::problems::Problems;
use crate::settings::is_template;
use crate::suggest::instead;

/// What judges constants by a schema; one that is no schema judges nothing.
#[derive(Debug, Clone)]
pub(crate) struct Judge(Option<Arc<Validator>>);

impl Judge {
    pub(super) fn of(schema: &Value) -> Self {
        Self(jsonschema::validator_for(schema).ok().map(Arc::new))
    }
}

/// Reports each constant the schema refuses. Unknown and missing keys are not asked again.
pub(super) fn constants(problems: &mut Problems<'_>, judge: &Judge, node: &Node, path: &str) {
    let Some(validator) = &judge.0 else { return };
    let value = node.value();
    for error in validator.iter_errors(&value) {
        let pointer = error.instance_path().as_str();
        let Some(at) = node.find(pointer) else { continue };
        let is_asked = matches!(
            error.kind(),
            ValidationErrorKind::AdditionalProperties { .. } | ValidationErrorKind::Required { .. }
        );
        if is_asked || holds_template(at) || takes_source_text(at, &error) {
            continue;
        }
        let path = format!("{path}{}", dotted(pointer));
        let key = path.rsplit('.').next().unwrap_or(&path);
        let (message, help) = words(&error, key, at);
        problems.error(Code::WrongShape, (&path, at.bytes.clone()), message).set_help(help);
    }
}

/// A template is judged once it is rendered.
fn holds_template(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(scalar) => is_template(&scalar.text),
        Kind::List(items) => items.iter().any(holds_template),
        Kind::Map(entries) => entries.iter().any(|(_, node)| holds_template(node)),
    }
}

/// L-7a: where a text is wanted, a plain number is its source text.
fn takes_source_text(node: &Node, error: &ValidationError<'_>) -> bool {
    let wants_text = match error.kind() {
        ValidationErrorKind::Type { kind } => format!("{kind:?}").contains("String"),
        _ => false,
    };
    wants_text && node.scalar().is_some_and(|scalar| scalar.value().is_number())
}

/// What is wrong with a constant, and what to write instead.
fn words(error: &ValidationError<'_>, key: &str, node: &Node) -> (String, String) {
    let what = node.what();
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            let types: Vec<JsonType> = match kind {
                TypeKind::Single(one) => vec![*one],
                TypeKind::Multiple(several) => several.iter().collect(),
            };
            let wanted: Vec<&str> =
                types.iter().map(|one| noun(*one)).filter(|noun| *noun != "nothing").collect();
            let example = types.iter().copied().find(|one| *one != JsonType::Null).map_or("…", example);
            (format!("`{key}` is {}, but this is {what}", wanted.join(" or ")), format!("{key}: {example}"))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
            let help = instead(node.text().unwrap_or_default(), options.iter().map(String::as_str));
            (format!("`{key}` cannot be {what}"), help)
        }
        ValidationErrorKind::Minimum { limit } => {
            (format!("`{key}` is {limit} or more, but this is {what}"), format!("{key}: {limit}"))
        }
        ValidationErrorKind::Maximum { limit } => {
            (format!("`{key}` is {limit} or less, but this is {what}"), format!("{key}: {limit}"))
        }
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            (format!("`{key}` cannot be {what}"), format!("leave `{key}` out, or write it in another form"))
        }
        _ => (format!("`{key}`: {error}"), format!("leave `{key}` out, or write what its rule allows")),
    }
}

/// A value as one would type it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn noun(of: JsonType) -> &'static str {
    match of {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a map",
        JsonType::String => "a text",
    }
}

fn example(of: JsonType) -> &'static str {
    match of {
        JsonType::Array => "[a, b]",
        JsonType::Boolean => "true",
        JsonType::Integer => "3",
        JsonType::Null => "null",
        JsonType::Number => "0.5",
        JsonType::Object => "{ name: value }",
        JsonType::String => "\"a text\"",
    }
}
