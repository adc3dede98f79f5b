//! Comparisons whose sides are of different types in every run (L-6): `id > 5`, where `id` is a text.
//!
//! A type is known of a constant, and of an input that no step writes. Anything else may be whatever it is.

use flowrun_template::{Comparing, Logic, Side, Type};

use crate::code::Code;
use crate::compile::Compiler;
use crate::node::Node;

impl Compiler<'_, '_, '_> {
    /// Judges the comparisons of one expression.
    pub(super) fn judge_types(&mut self, logic: &Logic, node: &Node, path: &str) {
        for comparing in logic.comparings() {
            let (Some(left), Some(right)) = (self.type_of(comparing.left), self.type_of(comparing.right))
            else {
                continue;
            };
            if noun(left) == noun(right) {
                continue;
            }
            let source = logic.source().get(comparing.span.clone()).unwrap_or_default();
            let message = format!("`{source}` compares {} with {}", noun(left), noun(right));
            let help = self.one_type(comparing, (left, right));
            let (path, bytes) = self.spot(node, path, "", &comparing.span);
            self.problems.error(Code::Incomparable, (&path, bytes), message).set_help(help);
        }
    }

    /// The type of one side, if it is the same in every run.
    fn type_of(&self, side: Side) -> Option<Type> {
        let known = match side {
            Side::Slot(slot) => self.types.get(&slot).copied(),
            Side::Type(constant) => Some(constant),
        };
        known.filter(|known| *known != Type::Any)
    }

    /// How both sides come to be of one type.
    fn one_type(&self, comparing: &Comparing, (left, right): (Type, Type)) -> String {
        let name = |side| match side {
            Side::Slot(slot) => Some(self.slots.name(slot)),
            Side::Type(_) => None,
        };
        match (name(comparing.left), name(comparing.right)) {
            (Some(input), None) => declare(input, (left, right)),
            (None, Some(input)) => declare(input, (right, left)),
            (Some(one), Some(other)) => {
                format!(
                    "declare both with one type: {one}: {{ type: {right} }}, or {other}: {{ type: {left} }}"
                )
            }
            (None, None) => "compare two constants of one type, or leave the comparison out".to_owned(),
        }
    }
}

/// An input of one type beside a constant of another.
fn declare(input: &str, (declared, constant): (Type, Type)) -> String {
    let also = match (noun(declared), noun(constant)) {
        ("a text", "a number") => format!("; or write {input}|int; or quote the number"),
        (_, "a text") => "; or write the constant without its quotes".to_owned(),
        _ => String::new(),
    };
    format!("declare the input as {}: {input}: {{ type: {constant} }}{also}", noun(constant))
}

/// What values of a type are when they are compared.
fn noun(of: Type) -> &'static str {
    match of {
        Type::String | Type::Timestamp | Type::Duration => "a text",
        Type::Integer | Type::Number => "a number",
        Type::Boolean => "true or false",
        Type::Object => "a map",
        Type::Array => "a list",
        Type::Any => "anything",
    }
}
