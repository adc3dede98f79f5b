//! Translates filters, tests and functions; what is not on flowrun's lists is refused, with its place (L-6).

use std::ops::Range;

use minijinja::machinery::ast;

use super::filters::Filter;
use super::lower::{Lowering, Outcome, bytes, refuse};
use super::predicates::Predicate;
use super::program::{Arguments, FUNCTIONS, Kind, Node};
use crate::error::{SyntaxError, SyntaxErrorKind};

impl Lowering<'_> {
    pub(super) fn filter(&mut self, filter: &ast::Filter<'_>, span: Range<usize>) -> Outcome<Node> {
        let Some(input) = &filter.expr else {
            return refuse(
                SyntaxErrorKind::Grammar,
                span,
                "a filter needs a value before it",
                "value|filter",
            );
        };
        let input = Box::new(self.node(input, matches!(filter.name, "default" | "d"))?);
        let kind = match filter.name {
            "select" | "reject" => {
                let test = self.named_test(&filter.args, &span)?;
                Kind::Select { input, attribute: None, test, wanted: filter.name == "select" }
            }
            "selectattr" | "rejectattr" => {
                let Some((attribute, rest)) =
                    filter.args.split_first().and_then(|(first, rest)| Some((constant_text(first)?, rest)))
                else {
                    let help = "selectattr(\"status\", \"eq\", \"won\")";
                    return refuse(
                        SyntaxErrorKind::Arguments,
                        span,
                        "this needs the name of an attribute",
                        help,
                    );
                };
                let test = self.named_test(rest, &span)?;
                Kind::Select { input, attribute: Some(attribute), test, wanted: filter.name == "selectattr" }
            }
            "map" => self.map(input, &filter.args, &span)?,
            name => {
                let Some(known) = Filter::named(name) else {
                    return Err(unknown("filter", name, span, &Filter::names()));
                };
                Kind::Filter {
                    filter: known,
                    input,
                    arguments: self.arguments(known, name, &filter.args, &span)?,
                }
            }
        };
        Ok(Node { kind, span })
    }

    fn map(
        &mut self,
        input: Box<Node>,
        arguments: &[ast::CallArg<'_>],
        span: &Range<usize>,
    ) -> Outcome<Kind> {
        let help = "map(attribute=\"name\") or map(\"upper\")";
        match arguments {
            [ast::CallArg::Kwarg("attribute", _), rest @ ..] if rest.len() <= 1 => {
                let Some(attribute) = arguments.first().and_then(constant_text) else {
                    return refuse(
                        SyntaxErrorKind::Arguments,
                        span.clone(),
                        "the name of an attribute is a constant text",
                        help,
                    );
                };
                let default = match rest {
                    [] => None,
                    [ast::CallArg::Kwarg("default", default)] => Some(self.boxed(default)?),
                    _ => {
                        return refuse(
                            SyntaxErrorKind::Arguments,
                            span.clone(),
                            "`map` cannot take this",
                            help,
                        );
                    }
                };
                Ok(Kind::Pluck { input, attribute, default })
            }
            [name @ ast::CallArg::Pos(_), rest @ ..] => {
                let Some(name) = constant_text(name) else {
                    return refuse(
                        SyntaxErrorKind::Arguments,
                        span.clone(),
                        "the name of a filter is a constant text",
                        help,
                    );
                };
                let Some(filter) = Filter::named(&name) else {
                    return Err(unknown("filter", &name, span.clone(), &Filter::names()));
                };
                Ok(Kind::Each { input, filter, arguments: self.arguments(filter, &name, rest, span)? })
            }
            _ => {
                refuse(SyntaxErrorKind::Arguments, span.clone(), "`map` needs an attribute or a filter", help)
            }
        }
    }

    /// The test of `select` and its relatives: a constant name and its arguments.
    fn named_test(
        &mut self,
        arguments: &[ast::CallArg<'_>],
        span: &Range<usize>,
    ) -> Outcome<Option<(Predicate, Vec<Node>)>> {
        let Some((name, rest)) = arguments.split_first() else { return Ok(None) };
        let Some(name) = constant_text(name) else {
            let help = "select(\"gt\", 3)";
            return refuse(
                SyntaxErrorKind::Arguments,
                span.clone(),
                "the name of a test is a constant text",
                help,
            );
        };
        let predicate = self.predicate(&name, rest, span)?;
        Ok(Some(predicate))
    }

    fn predicate(
        &mut self,
        name: &str,
        arguments: &[ast::CallArg<'_>],
        span: &Range<usize>,
    ) -> Outcome<(Predicate, Vec<Node>)> {
        let Some(predicate) = Predicate::named(name) else {
            return Err(unknown("test", name, span.clone(), &Predicate::names()));
        };
        if arguments.len() != predicate.arguments() {
            let message = format!("`{name}` takes {} values", predicate.arguments());
            return refuse(SyntaxErrorKind::Arguments, span.clone(), message, "");
        }
        let nodes = arguments.iter().map(|argument| match argument {
            ast::CallArg::Pos(expression) => self.node(expression, false),
            _ => refuse(SyntaxErrorKind::Arguments, span.clone(), "a test takes plain values", ""),
        });
        Ok((predicate, nodes.collect::<Outcome<_>>()?))
    }

    pub(super) fn test(&mut self, test: &ast::Test<'_>, span: Range<usize>) -> Outcome<Node> {
        let tolerated = matches!(test.name, "defined" | "undefined");
        let input = Box::new(self.node(&test.expr, tolerated)?);
        let (predicate, arguments) = self.predicate(test.name, &test.args, &span)?;
        let span = input.span.start.min(span.start)..span.end;
        Ok(Node { kind: Kind::Test { input, predicate, arguments }, span })
    }

    fn arguments(
        &mut self,
        filter: Filter,
        name: &str,
        given: &[ast::CallArg<'_>],
        span: &Range<usize>,
    ) -> Outcome<Arguments> {
        let parameters = filter.parameters();
        let mut arguments: Arguments = parameters.iter().map(|_| None).collect();
        for (position, argument) in given.iter().enumerate() {
            let (index, expression) = match argument {
                ast::CallArg::Pos(expression) => (Some(position), expression),
                ast::CallArg::Kwarg(key, expression) => {
                    (parameters.iter().position(|parameter| parameter == key), expression)
                }
                ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                    return refuse(
                        SyntaxErrorKind::Unsupported,
                        span.clone(),
                        "`*` cannot stand before an argument",
                        "",
                    );
                }
            };
            let Some(place) = index.and_then(|index| arguments.get_mut(index)) else {
                let message = match parameters {
                    [] => format!("`{name}` takes no arguments"),
                    _ => format!("`{name}` takes {}", parameters.join(", ")),
                };
                return refuse(SyntaxErrorKind::Arguments, span.clone(), message, "");
            };
            *place = Some(self.node(expression, false)?);
        }
        Ok(arguments)
    }

    pub(super) fn call(&mut self, call: &ast::Call<'_>, span: Range<usize>) -> Outcome<Node> {
        let names = FUNCTIONS.map(|row| row.1).join(", ");
        let name = match &call.expr {
            ast::Expr::Var(name) => name.id,
            ast::Expr::GetAttr(method) => {
                let help = format!("filters and tests do this: value|{0}, or value is {0}", method.name);
                let span = beginning(&method.expr)..span.end;
                return refuse(SyntaxErrorKind::Unsupported, span, "values have no methods", &help);
            }
            _ => return refuse(SyntaxErrorKind::Unsupported, span, "this cannot be called", &names),
        };
        let Some((function, _, counts, usage)) = FUNCTIONS.iter().find(|row| row.1 == name) else {
            return Err(unknown("function", name, span, &names));
        };
        let arguments = call.args.iter().map(|argument| match argument {
            ast::CallArg::Pos(expression) => self.node(expression, false),
            _ => refuse(
                SyntaxErrorKind::Arguments,
                span.clone(),
                format!("`{name}` takes plain values"),
                usage,
            ),
        });
        let arguments = arguments.collect::<Outcome<Vec<_>>>()?;
        if !counts.contains(&arguments.len()) {
            return refuse(
                SyntaxErrorKind::Arguments,
                span,
                format!("`{name}` has the wrong number of values"),
                usage,
            );
        }
        Ok(Node { kind: Kind::Call { function: *function, arguments }, span })
    }
}

/// Where an expression begins: a step's own span begins at the step.
fn beginning(expression: &ast::Expr<'_>) -> usize {
    match expression {
        ast::Expr::GetAttr(step) => beginning(&step.expr),
        ast::Expr::GetItem(step) => beginning(&step.expr),
        other => bytes(other.span()).start,
    }
}

fn unknown(what: &str, name: &str, span: Range<usize>, names: &str) -> SyntaxError {
    let message = format!("there is no {what} `{name}`");
    SyntaxError {
        kind: SyntaxErrorKind::UnknownName,
        message,
        span,
        help: Some(format!("the {what}s are {names}")),
    }
}

fn constant_text(argument: &ast::CallArg<'_>) -> Option<String> {
    match argument {
        ast::CallArg::Pos(ast::Expr::Const(constant))
        | ast::CallArg::Kwarg(_, ast::Expr::Const(constant)) => constant.value.as_str().map(str::to_owned),
        _ => None,
    }
}
