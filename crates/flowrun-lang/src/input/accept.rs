//! What was given, against what is declared.

use std::collections::BTreeMap;

use flowrun_machine::Fits;
use flowrun_template::{Picked, Slot, Type};
use serde_json::Value;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::flow::Flow;
use crate::input::{Given, Input};
use crate::suggest::nearest;

impl Input {
    /// The value that was given, as the flow will see it.
    ///
    /// # Errors
    /// When it does not fit the declared type or its rules; in words, without the value.
    pub(super) fn accept(&self, given: &Given) -> Result<Value, String> {
        let value = match given {
            Given::Text(text) => self.kind.parse(text).map_err(|error| error.to_string())?,
            Given::Value(value) => value.clone(),
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Whether a value fits the declared type and its rules.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        match fits(self.kind, &self.rules, value) {
            Err(_) if self.is_sensitive => Err("it breaks a rule of its declaration".to_owned()),
            fits => fits,
        }
    }

    /// What stands in the trigger for it, if it is found there.
    fn found(&self, trigger: &Value) -> Option<Given> {
        let value = match self.from.as_ref()?.pick(trigger).ok()? {
            Picked::Missing => return None,
            Picked::One(value) => value.clone(),
            Picked::Many(values) => values.into_iter().cloned().collect(),
        };
        match value {
            Value::Null => None,
            Value::String(text) => Some(Given::Text(text)),
            value => Some(Given::Value(value)),
        }
    }
}

/// Whether a value is of a type and keeps the rules beyond it.
pub(crate) fn fits(kind: Type, rules: &Value, value: &Value) -> Result<(), String> {
    kind.check(value).map_err(|error| error.to_string())?;
    jsonschema::validate(rules, value).map_err(|error| error.to_string())
}

impl Fits for Input {
    fn check(&self, value: &Value) -> Result<(), String> {
        Self::check(self, value)
    }
}

impl Flow {
    /// Takes what was given for the flow's inputs, or says everything that is wrong with it.
    ///
    /// Only declared inputs may be set from outside; what is not given has its default.
    ///
    /// # Errors
    /// One diagnostic for each unknown name, each value that does not fit, each input without a value.
    pub fn accept(&self, given: &BTreeMap<String, Given>) -> Result<Vec<(Slot, Value)>, Vec<Diagnostic>> {
        self.accept_from(given, &Value::Null, false)
    }

    /// The same, where something started the flow: `from` finds inputs in the trigger. If there is somebody to ask, an
    /// input with `ask` that nobody gave is left to the run, which asks for it before step one (L-1).
    ///
    /// # Errors
    /// As [`Flow::accept`].
    pub fn accept_from(
        &self,
        given: &BTreeMap<String, Given>,
        trigger: &Value,
        is_asked: bool,
    ) -> Result<Vec<(Slot, Value)>, Vec<Diagnostic>> {
        let unknown = given.keys().filter(|name| !self.inputs().iter().any(|input| input.name == **name));
        let mut problems: Vec<Diagnostic> = unknown.map(|name| self.unknown_input(name)).collect();
        let mut values = Vec::new();
        for input in self.inputs() {
            let found = given.get(&input.name).cloned().or_else(|| input.found(trigger));
            match found.map(|given| input.accept(&given)) {
                Some(Ok(value)) => values.push((input.slot, value)),
                Some(Err(wrong)) => problems.push(self.misfit(input, &wrong)),
                None if is_asked && input.ask.is_some() => {}
                None => match &input.default {
                    Some(default) => values.push((input.slot, default.clone())),
                    None => problems.push(self.unanswered(input)),
                },
            }
        }
        if problems.is_empty() { Ok(values) } else { Err(problems) }
    }

    fn unknown_input(&self, name: &str) -> Diagnostic {
        let known: Vec<&str> = self.inputs().iter().map(|input| input.name.as_str()).collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(other) => format!("did you mean `{other}`?"),
            None if known.is_empty() => "this flow takes no inputs".to_owned(),
            None => format!("its inputs are: {}", known.join(", ")),
        };
        Diagnostic::error(Code::UnknownInput, format!("the flow declares no input `{name}`"))
            .at(self.place("inputs", None))
            .help(help)
    }

    fn misfit(&self, input: &Input, wrong: &str) -> Diagnostic {
        Diagnostic::error(Code::InputValue, format!("the value of `{}` does not fit: {wrong}", input.name))
            .at(self.place(&format!("inputs.{}", input.name), None))
            .help(format!("it is declared as {}", input.kind))
    }

    fn unanswered(&self, input: &Input) -> Diagnostic {
        let diagnostic =
            Diagnostic::error(Code::InputMissing, format!("variable `{}` has no value", input.name))
                .at(self.place(&format!("inputs.{}", input.name), None))
                .help(format!("pass it with --var {}=...", input.name));
        match &input.ask {
            Some(question) => diagnostic.because(format!("nobody was asked: {question}")),
            None => diagnostic,
        }
    }
}
