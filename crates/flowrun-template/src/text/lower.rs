//! Translates Handlebars' tree into a program, and decides how each value is escaped where it stands.
//!
//! The only file that knows Handlebars' types. Placeholders lead back to what [`super::scan`] resolved.

use std::ops::Range;

use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

use super::helper::Helper;
use super::json_state::JsonState;
use super::program::{Expression, Part, Reference};
use super::scan::Entry;
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::place::Place;
use crate::rendered::Escape;

/// Parses the rewritten text and translates it.
///
/// # Errors
/// Helpers with wrong arguments, late names where they cannot be filled, blocks that cut a JSON string.
pub(crate) fn lower(rewritten: &str, table: &[Entry], place: Place) -> Result<Vec<Part>, Vec<SyntaxError>> {
    let template = Template::compile(rewritten).map_err(|error| {
        let message = format!("this text cannot be read: {}", error.reason());
        vec![SyntaxError { kind: SyntaxErrorKind::Grammar, message, span: 0..0, help: None }]
    })?;
    let mut lowering = Lowering { table, place, json: JsonState::default(), first: true, errors: Vec::new() };
    let parts = lowering.template(&template);
    if lowering.errors.is_empty() { Ok(parts) } else { Err(lowering.errors) }
}

struct Lowering<'t> {
    table: &'t [Entry],
    place: Place,
    json: JsonState,
    /// Whether nothing was written yet: where a URL has its base.
    first: bool,
    errors: Vec<SyntaxError>,
}

impl Lowering<'_> {
    fn template(&mut self, template: &Template) -> Vec<Part> {
        template.elements.iter().filter_map(|element| self.element(element)).collect()
    }

    fn element(&mut self, element: &TemplateElement) -> Option<Part> {
        let part = match element {
            TemplateElement::RawString(text) if text.is_empty() => None,
            TemplateElement::RawString(text) => {
                self.json.read(text);
                Some(Part::Literal(text.clone()))
            }
            TemplateElement::Expression(tag) | TemplateElement::HtmlExpression(tag) => self.write(tag),
            TemplateElement::HelperBlock(block) => self.block(block),
            // A comment writes nothing; the scanner let nothing else through.
            _ => return None,
        };
        self.first = false;
        part
    }

    fn write(&mut self, tag: &HelperTemplate) -> Option<Part> {
        let expression = self.expression(&tag.name, &tag.params)?;
        let escape = match self.place {
            Place::Text | Place::Body | Place::Value => Escape::Plain,
            Place::Header => Escape::Header,
            Place::Form => Escape::Percent,
            Place::Url if self.first => Escape::Origin,
            Place::Url => Escape::Percent,
            Place::Json if self.json.in_string() => Escape::JsonString,
            Place::Json => Escape::JsonValue,
        };
        Some(Part::Write { expression: without_double_escape(expression, escape), escape })
    }

    fn block(&mut self, block: &HelperTemplate) -> Option<Part> {
        let opener = block.name.as_name().unwrap_or_default();
        let reference = self.looks_at(block.params.first()?)?;
        let span = reference.span.clone();
        let before = self.json.clone();
        let body = block.template.as_ref().map(|body| self.template(body)).unwrap_or_default();
        let after = std::mem::replace(&mut self.json, before.clone());
        let otherwise = block.inverse.as_ref().map(|body| self.template(body)).unwrap_or_default();
        let balanced = after == self.json && (opener != "each" || after == before);
        if self.place == Place::Json && !balanced {
            let message = "a block opens or closes a JSON string that it does not close or open again";
            self.error(
                SyntaxErrorKind::Grammar,
                span,
                message,
                "put both quotes inside the block, or both outside",
            );
        }
        Some(match opener {
            "each" => Part::Each { items: reference, body, otherwise },
            _ => Part::If { condition: reference, negated: opener == "unless", then: body, otherwise },
        })
    }

    fn looks_at(&mut self, parameter: &Parameter) -> Option<Reference> {
        match self.entry(parameter)? {
            Entry::Value(Expression::Read(reference)) => Some(reference.clone()),
            _ => None,
        }
    }

    fn entry(&self, parameter: &Parameter) -> Option<&Entry> {
        let index = parameter.as_name()?.get(1..)?.parse::<usize>().ok()?;
        self.table.get(index)
    }

    fn expression(&mut self, name: &Parameter, parameters: &[Parameter]) -> Option<Expression> {
        match self.entry(name)?.clone() {
            Entry::Value(expression) => Some(expression),
            Entry::Helper(helper, span) => {
                let arguments: Vec<_> =
                    parameters.iter().filter_map(|parameter| self.argument(parameter)).collect();
                self.check(helper, &arguments, &span);
                Some(Expression::Call { helper, arguments, span })
            }
        }
    }

    fn argument(&mut self, parameter: &Parameter) -> Option<Expression> {
        match parameter {
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(tag) => self.expression(&tag.name, &tag.params),
                _ => None,
            },
            _ => self.expression(parameter, &[]),
        }
    }

    fn check(&mut self, helper: Helper, arguments: &[Expression], span: &Range<usize>) {
        if !helper.takes(arguments.len()) {
            let message = format!("`{}` has the wrong number of values", helper.name());
            self.error(SyntaxErrorKind::Arguments, span.clone(), &message, helper.usage());
        }
        if arguments.iter().any(Expression::is_late) && !helper.takes_secrets() {
            let message = format!("`{}` cannot work over a secret", helper.name());
            self.error(
                SyntaxErrorKind::Secret,
                span.clone(),
                &message,
                "base64, url_encode and hmac_sha256 can",
            );
        }
        let constants: Option<Vec<_>> = arguments.iter().skip(1).map(Expression::constant).collect();
        if let (Helper::Date, Some(constants)) = (helper, constants) {
            // The format and the zone are usually constants: whether they are any good shows on any moment.
            let epoch = serde_json::Value::from(0);
            let trial: Vec<_> = std::iter::once(&epoch).chain(constants).collect();
            if let Err(fault) = helper.apply(&trial) {
                let help = fault.help.unwrap_or_default();
                self.error(SyntaxErrorKind::Arguments, span.clone(), &fault.message, &help);
            }
        }
    }

    fn error(&mut self, kind: SyntaxErrorKind, span: Range<usize>, message: &str, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.errors.push(SyntaxError { kind, message: message.to_owned(), span, help });
    }
}

/// `json` in JSON and `url_encode` in a URL say what the place does anyway; doing both would do it twice.
fn without_double_escape(expression: Expression, escape: Escape) -> Expression {
    match expression {
        Expression::Call { helper: Helper::Json, mut arguments, .. }
            if escape == Escape::JsonValue && arguments.len() == 1 =>
        {
            arguments.remove(0)
        }
        Expression::Call { helper: Helper::UrlEncode, mut arguments, .. }
            if escape == Escape::Percent && arguments.len() == 1 =>
        {
            arguments.remove(0)
        }
        other => other,
    }
}
