//! Checks the constants of a step's settings against the step's own schema.

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::code::Code;
use crate::compile::dotted;
use crate::node::{Kind, Node};
use crate::problems::Problems;
use crate::settings::is_template;

/// Reports each constant the schema refuses. Unknown and missing keys are not asked again.
pub(super) fn constants(problems: &mut Problems<'_>, schema: &Value, node: &Node, path: &str) {
    let Ok(validator) = jsonschema::validator_for(schema) else { return };
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
        let key = path.rsplit('.').next().unwrap_or(&path).to_owned();
        problems.error(
            Code::WrongShape,
            (&path, at.bytes.clone()),
            format!("`{key}`: {}", words(&error, at)),
        );
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
fn takes_source_text(node: &Node, error: &jsonschema::ValidationError<'_>) -> bool {
    let wants_text = match error.kind() {
        ValidationErrorKind::Type { kind } => format!("{kind:?}").contains("String"),
        _ => false,
    };
    wants_text && node.scalar().is_some_and(|scalar| scalar.value().is_number())
}

fn words(error: &jsonschema::ValidationError<'_>, node: &Node) -> String {
    match error.kind() {
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            format!("{} does not fit here", node.what())
        }
        _ => error.to_string(),
    }
}
