//! What a person's answer must be, to a question about an input or of a step.

use flowrun_machine::Answers;
use flowrun_step::by_number;
use flowrun_template::Type;
use serde_json::Value;

use crate::document::Keys;
use crate::input::{Given, Input, fits, kind_of, rules};
use crate::problems::Problems;

/// An answer as a step declares it: `type`, `pattern`, `choices`.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    kind: Type,
    rules: Value,
    /// What it may be; anything, where nothing is said.
    pub(crate) choices: Vec<String>,
}

impl Answer {
    /// Any text.
    pub(crate) fn text() -> Self {
        Self { kind: Type::String, rules: Value::Bool(true), choices: Vec::new() }
    }

    /// Takes what a question says of its answer.
    pub(crate) fn of(keys: &mut Keys<'_>, problems: &mut Problems<'_>) -> Self {
        let choices = keys.texts("choices", problems).into_iter().map(|(text, _)| text.to_owned()).collect();
        let kind =
            keys.take("type").map_or(Type::String, |node| kind_of(node, &keys.path_of("type"), problems));
        Self { kind, rules: rules(keys, &["pattern"], kind, problems), choices }
    }

    fn chosen<'a>(&'a self, text: &'a str) -> Result<&'a str, String> {
        if self.choices.is_empty() {
            return Ok(text);
        }
        let wanted = text.trim().to_lowercase();
        let chosen = self.choices.iter().find(|choice| choice.to_lowercase() == wanted);
        chosen
            .map(String::as_str)
            .or_else(|| by_number(&self.choices, text))
            .ok_or_else(|| format!("it is none of: {}", self.choices.join(", ")))
    }
}

impl Answers for Answer {
    fn take(&self, message: &Value) -> Result<Value, String> {
        let value = self.kind.parse(self.chosen(said(message))?).map_err(|error| error.to_string())?;
        fits(self.kind, &self.rules, &value)?;
        Ok(value)
    }
}

impl Answers for Input {
    fn take(&self, message: &Value) -> Result<Value, String> {
        let (said, choices) = (said(message), self.choices());
        let meant =
            if choices.iter().any(|choice| choice == said) { None } else { by_number(&choices, said) };
        self.accept(&Given::Text(meant.unwrap_or(said).to_owned()))
    }
}

impl Input {
    /// What a person may choose from: the texts of `enum`.
    pub(crate) fn choices(&self) -> Vec<String> {
        let choices = self.rules.get("enum").and_then(Value::as_array).into_iter().flatten();
        choices.map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned)).collect()
    }
}

/// What a message says: the choice that was pressed, else its text.
fn said(message: &Value) -> &str {
    let part = |key| message.get(key).and_then(Value::as_str);
    part("choice").or_else(|| part("text")).unwrap_or_default()
}
