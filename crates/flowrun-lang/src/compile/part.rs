//! Compiles single parts: texts, values with texts in them, expressions, durations, each at its place.

use std::ops::Range;
use std::time::Duration;

use flowrun_machine::Placed;
use flowrun_template::{Logic, Place, SyntaxError, SyntaxErrorKind, Tree, duration};
use serde_json::Value;

use crate::code::Code;
use crate::compile::Compiler;
use crate::document::wrong_shape;
use crate::node::{Kind, Node, Style};
use crate::scalar::within;

/// What a place allows beyond its language.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spot {
    /// A setting of a step that calls a service (N2).
    pub(crate) may_hold_secrets: bool,
    /// An output: a variable that was never set is left out (L-14).
    pub(crate) may_be_unset: bool,
}

/// How the parser of expressions begins its words where a source ends too early.
const CUT_SHORT: &str = "unexpected end of input";
/// What to do then.
const COMPLETE: &str = "write what is missing, as in: status == \"open\"";

/// What to write where the language itself has no better advice.
fn usual(code: Code) -> &'static str {
    match code {
        Code::Expression => "write it as in: status == \"open\" and items|length > 3",
        Code::Path => "write it as in: data.items[0].name",
        Code::Duration => "write 500ms, 30s, 5m, 1h30m or 2d",
        Code::SecretHere => "use it in `headers`, `query`, `form`, `json` or `body` of a request",
        Code::IllegalName => "use a letter or `_`, then letters, digits or `_`",
        Code::WrongShape => "variables: { last_name: data.last_name }",
        _ => "write it as in: Hello {{name}}; quote braces that are meant as text: \\{{",
    }
}

impl Compiler<'_, '_, '_> {
    /// A text: its source counts, whatever YAML would make of it (L-7a).
    pub(crate) fn text(&mut self, node: &Node, path: &str) -> Placed<Tree> {
        self.text_for(node, path, Place::Text, Spot::default())
    }

    pub(crate) fn text_for(&mut self, node: &Node, path: &str, place: Place, spot: Spot) -> Placed<Tree> {
        let Some(text) = node.text() else {
            let key = path.rsplit('.').next().unwrap_or(path);
            let help = if node.is_null() {
                format!("{key}: Hello. (for an empty text, {key}: \"\")")
            } else {
                format!("{key}: \"a text\"")
            };
            wrong_shape(self.problems, (path, node), "a text belongs here", &help);
            return Placed { path: path.to_owned(), part: Tree::Constant(Value::Null) };
        };
        self.tree(&Value::String(text.to_owned()), node, path, (place, spot))
    }

    /// A value: YAML types count, texts in it are templates.
    pub(crate) fn value(&mut self, node: &Node, path: &str) -> Placed<Tree> {
        self.prints_as_written(node, path);
        self.tree(&node.value(), node, path, (Place::Value, Spot::default()))
    }

    /// An output: as a value, but a variable in it may be unset.
    pub(crate) fn output_value(&mut self, node: &Node, path: &str) -> Placed<Tree> {
        self.prints_as_written(node, path);
        self.tree(&node.value(), node, path, (Place::Value, Spot { may_be_unset: true, ..Spot::default() }))
    }

    /// Compiles every text of a value for one place, and judges what it mentions.
    pub(crate) fn tree(
        &mut self,
        value: &Value,
        node: &Node,
        path: &str,
        how: (Place, Spot),
    ) -> Placed<Tree> {
        let (place, spot) = how;
        let part = match Tree::compile(value, place, &mut self.slots) {
            Ok(tree) => tree,
            Err(errors) => {
                for (pointer, error) in errors {
                    self.syntax(&error, node, path, &pointer);
                }
                Tree::Constant(Value::Null)
            }
        };
        let mut mentions = Vec::new();
        part.visit_texts(&mut |pointer, text| {
            mentions.extend(text.mentions().iter().map(|mention| (pointer.to_owned(), mention.clone())));
        });
        for (pointer, mention) in mentions {
            let (path, bytes) = self.spot(node, path, &pointer, &mention.span);
            self.judge(&mention, spot, &path, bytes);
        }
        Placed { path: path.to_owned(), part }
    }

    /// An expression (L-6).
    pub(crate) fn logic(&mut self, node: &Node, path: &str) -> Option<Placed<Logic>> {
        let Some(text) = node.text() else {
            let key = path.rsplit('.').next().unwrap_or(path);
            let help = format!("{key}: status == \"open\"");
            wrong_shape(self.problems, (path, node), "an expression belongs here", &help);
            return None;
        };
        match Logic::compile(text, &mut self.slots) {
            Ok(logic) => {
                for mention in logic.mentions().to_vec() {
                    let (path, bytes) = self.spot(node, path, "", &mention.span);
                    self.judge(&mention, Spot::default(), &path, bytes);
                }
                self.judge_types(&logic, node, path);
                Some(Placed { path: path.to_owned(), part: logic })
            }
            Err(error) => {
                let bytes = within(self.problems.source().text(), node, &error.span);
                self.report(&error, Code::Expression, path, bytes);
                None
            }
        }
    }

    /// A duration such as `30s` (L-7).
    pub(crate) fn duration(&mut self, node: &Node, path: &str) -> Option<Duration> {
        let text = node.text().unwrap_or_default();
        match duration::parse(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.report(&error, Code::Duration, path, node.bytes.clone());
                None
            }
        }
    }

    /// A problem of a template at a JSON pointer beneath a node.
    pub(crate) fn syntax(&mut self, error: &SyntaxError, node: &Node, path: &str, pointer: &str) {
        let (path, bytes) = self.spot(node, path, pointer, &error.span);
        self.report(error, Code::Template, &path, bytes);
    }

    pub(crate) fn report(&mut self, error: &SyntaxError, language: Code, path: &str, bytes: Range<usize>) {
        let code = match error.kind {
            SyntaxErrorKind::Secret => Code::SecretHere,
            SyntaxErrorKind::Name => Code::IllegalName,
            SyntaxErrorKind::Shape => Code::WrongShape,
            _ => language,
        };
        let is_short = language == Code::Expression && error.message.starts_with(CUT_SHORT);
        let message = if is_short { "the expression ends before it is complete" } else { &error.message };
        let problem = self.problems.error(code, (path, bytes), message);
        problem.set_help(error.help.as_deref().unwrap_or(if is_short { COMPLETE } else { usual(code) }));
    }

    /// The path and the bytes of a span in the text at a JSON pointer beneath a node.
    pub(crate) fn spot(
        &self,
        node: &Node,
        path: &str,
        pointer: &str,
        span: &Range<usize>,
    ) -> (String, Range<usize>) {
        let leaf = node.find(pointer).unwrap_or(node);
        (format!("{path}{}", dotted(pointer)), within(self.problems.source().text(), leaf, span))
    }

    /// L-7a: a plain scalar whose value prints differently was probably meant as text.
    pub(crate) fn prints_as_written(&mut self, node: &Node, path: &str) {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.style == Style::Plain => {
                let value = scalar.value();
                let (text, printed) = (&scalar.text, value.to_string());
                if value.is_number() && *text != printed {
                    let message = format!("`{text}` is the number {value} here");
                    let problem =
                        self.problems.warning(Code::PrintsDifferently, (path, node.bytes.clone()), message);
                    problem
                        .set_help(format!("for the text, write \"{text}\"; for the number, write {value}"));
                }
            }
            Kind::Scalar(_) => {}
            Kind::List(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(at, item)| self.prints_as_written(item, &format!("{path}[{at}]")));
            }
            Kind::Map(entries) => {
                entries
                    .iter()
                    .for_each(|(key, item)| self.prints_as_written(item, &format!("{path}.{}", key.text)));
            }
        }
    }
}

/// A JSON pointer in the way paths of a flow are written: `/a/0/b` is `.a[0].b`.
pub(crate) fn dotted(pointer: &str) -> String {
    let segment = |segment: &str| {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if segment.bytes().all(|b| b.is_ascii_digit()) && !segment.is_empty() {
            format!("[{segment}]")
        } else {
            format!(".{segment}")
        }
    };
    pointer.split('/').skip(1).map(segment).collect()
}
