//! Translates Jinja's tree, as minijinja parses it, and finds every name an expression reads.
//!
//! The only file that knows minijinja's types. What is not on flowrun's lists of functions, filters and tests
//! is refused here, with its place.

use std::ops::Range;

use minijinja::machinery::{Span, ast, parse_expr};
use serde_json::Value;

use super::filters::Filter;
use super::predicates::Predicate;
use super::program::{Arguments, Comparison, FUNCTIONS, Kind, Node, Operator};
use super::{Comparing, Side};
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::limits;
use crate::mention::{Mention, Root, Segment};
use crate::slot::Slots;
use crate::value_type::Type;

/// What an expression becomes.
pub(crate) struct Lowered {
    pub(crate) node: Node,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) comparings: Vec<Comparing>,
}

type Outcome<T> = Result<T, SyntaxError>;

/// Parses and translates `source`.
pub(crate) fn lower(source: &str, slots: &mut Slots) -> Outcome<Lowered> {
    let parsed = parse_expr(source).map_err(|error| {
        let span = error.range().map_or(0..source.len(), |range| whole_characters(source, range));
        let message = error.detail().unwrap_or("this is not an expression").to_owned();
        let too_deep = message.contains("recursion");
        let kind = if too_deep { SyntaxErrorKind::TooDeep } else { SyntaxErrorKind::Grammar };
        let message = if too_deep { too_deep_message() } else { message };
        SyntaxError { kind, message, span, help: None }
    })?;
    let mut lowering = Lowering { source, slots, mentions: Vec::new(), comparings: Vec::new(), depth: 0 };
    let node = lowering.node(&parsed, false)?;
    let mut mentions = lowering.mentions;
    mentions.sort_by_key(|mention| mention.span.start);
    Ok(Lowered { node, mentions, comparings: lowering.comparings })
}

struct Lowering<'s> {
    source: &'s str,
    slots: &'s mut Slots,
    mentions: Vec<Mention>,
    comparings: Vec<Comparing>,
    depth: usize,
}

fn refuse<T>(
    kind: SyntaxErrorKind,
    span: Range<usize>,
    message: impl Into<String>,
    help: &str,
) -> Outcome<T> {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Err(SyntaxError { kind, message: message.into(), span, help })
}

fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

impl Lowering<'_> {
    /// Translates one expression; `tolerated` says that it may be undefined.
    fn node(&mut self, expression: &ast::Expr<'_>, tolerated: bool) -> Outcome<Node> {
        self.depth += 1;
        let span = bytes(expression.span());
        if self.depth > limits::LOGIC_DEPTH {
            let message = format!("this expression is nested more than {} deep", limits::LOGIC_DEPTH);
            return refuse(
                SyntaxErrorKind::TooDeep,
                span,
                message,
                "calculate parts of it in `compute:` first",
            );
        }
        let node = match expression {
            ast::Expr::Var(_) | ast::Expr::GetAttr(_) | ast::Expr::GetItem(_) => {
                self.path(expression, tolerated)?.0
            }
            ast::Expr::Const(constant) => {
                Node { kind: Kind::Constant(constant_value(constant, &span)?), span }
            }
            ast::Expr::UnaryOp(operation) => self.unary(operation, span)?,
            ast::Expr::BinOp(operation) => self.binary(operation)?,
            ast::Expr::Compare(comparison) => self.comparison(comparison)?,
            ast::Expr::IfExpr(choice) => self.choice(choice, span)?,
            ast::Expr::Slice(slice) => self.slice(slice)?,
            ast::Expr::Filter(filter) => self.filter(filter, span)?,
            ast::Expr::Test(test) => self.test(test, span)?,
            ast::Expr::Call(call) => self.call(call, span)?,
            ast::Expr::List(list) => Node { kind: Kind::List(self.nodes(&list.items)?), span },
            ast::Expr::Tuple(tuple) => Node { kind: Kind::List(self.nodes(&tuple.items)?), span },
            ast::Expr::Map(map) => {
                let members = self.nodes(&map.keys)?.into_iter().zip(self.nodes(&map.values)?);
                Node { kind: Kind::Map(members.collect()), span }
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn nodes(&mut self, expressions: &[ast::Expr<'_>]) -> Outcome<Vec<Node>> {
        expressions.iter().map(|expression| self.node(expression, false)).collect()
    }

    fn boxed(&mut self, expression: &ast::Expr<'_>) -> Outcome<Box<Node>> {
        self.node(expression, false).map(Box::new)
    }

    /// A name and the steps after it; the second value is the mention to which constant steps still belong.
    fn path(&mut self, expression: &ast::Expr<'_>, tolerated: bool) -> Outcome<(Node, Option<usize>)> {
        match expression {
            ast::Expr::Var(name) => self.name(name.id, bytes(name.span()), tolerated),
            ast::Expr::GetAttr(step) => {
                let (base, mention) = self.base(&step.expr, tolerated)?;
                let span = base.span.start..bytes(step.span()).end;
                self.extend(mention, Segment::Key(step.name.to_owned()), span.end);
                Ok((Node { kind: Kind::Member(Box::new(base), step.name.to_owned()), span }, mention))
            }
            ast::Expr::GetItem(step) => {
                let (base, mention) = self.base(&step.expr, tolerated)?;
                let index = self.node(&step.subscript_expr, false)?;
                let span = base.span.start..bytes(step.span()).end;
                let mention = match index.constant().and_then(segment) {
                    Some(segment) => {
                        self.extend(mention, segment, span.end);
                        mention
                    }
                    None => None,
                };
                Ok((Node { kind: Kind::Item(Box::new(base), Box::new(index)), span }, mention))
            }
            other => self.node(other, tolerated).map(|node| (node, None)),
        }
    }

    fn base(&mut self, expression: &ast::Expr<'_>, tolerated: bool) -> Outcome<(Node, Option<usize>)> {
        self.depth += 1;
        if self.depth > limits::LOGIC_DEPTH {
            return self.node(expression, tolerated).map(|node| (node, None));
        }
        let base = self.path(expression, tolerated);
        self.depth -= 1;
        base
    }

    fn extend(&mut self, mention: Option<usize>, segment: Segment, end: usize) {
        if let Some(mention) = mention.and_then(|index| self.mentions.get_mut(index)) {
            mention.path.push(segment);
            mention.span.end = end;
        }
    }

    fn name(&mut self, name: &str, span: Range<usize>, tolerated: bool) -> Outcome<(Node, Option<usize>)> {
        match name {
            "now" => return Ok((Node { kind: Kind::Now, span }, None)),
            // YAML and JSON say null where Jinja says none.
            "null" => return Ok((Node { kind: Kind::Constant(Value::Null), span }, None)),
            "secrets" => {
                let help = "send it in `headers:`, `query:` or the body of a request";
                return refuse(SyntaxErrorKind::Secret, span, "an expression cannot see secrets", help);
            }
            "integrations" => {
                let help = "a kept field can only start a `url:`";
                return refuse(
                    SyntaxErrorKind::Integration,
                    span,
                    "an expression cannot see integrations",
                    help,
                );
            }
            _ => {}
        }
        let slot = self.slots.intern(name);
        let root = Root::Slot(slot);
        self.mentions.push(Mention {
            root,
            path: Vec::new(),
            span: span.clone(),
            tolerated,
            within_each: false,
        });
        Ok((Node { kind: Kind::Name(slot), span }, Some(self.mentions.len() - 1)))
    }

    fn unary(&mut self, operation: &ast::UnaryOp<'_>, span: Range<usize>) -> Outcome<Node> {
        let inner = self.boxed(&operation.expr)?;
        let span = span.start.min(inner.span.start)..inner.span.end;
        if let (ast::UnaryOpKind::Neg, Some(Value::Number(number))) = (&operation.op, inner.constant()) {
            // A negative constant is a constant, so that `list[-1]` is a constant step.
            if let Some(value) = negative(number) {
                return Ok(Node { kind: Kind::Constant(value), span });
            }
        }
        // `a not in b` comes as the negation of one comparison.
        Ok(match operation.op {
            ast::UnaryOpKind::Not => Node { kind: Kind::Not(inner), span },
            ast::UnaryOpKind::Neg => Node { kind: Kind::Negate(inner), span },
        })
    }

    fn binary(&mut self, operation: &ast::BinOp<'_>) -> Outcome<Node> {
        if let Some(how) = comparison(operation.op) {
            let first = self.boxed(&operation.left)?;
            let right = self.node(&operation.right, false)?;
            return Ok(self.compared(first, vec![(how, right)]));
        }
        if matches!(operation.op, ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr) {
            return self.junction(operation);
        }
        // A chain leans to the left: walking down it with a loop keeps it one level deep.
        let mut reversed = vec![(operator(operation.op), &operation.right)];
        let mut first = &operation.left;
        while let ast::Expr::BinOp(inner) = first {
            if comparison(inner.op).is_some()
                || matches!(inner.op, ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr)
            {
                break;
            }
            reversed.push((operator(inner.op), &inner.right));
            first = &inner.left;
        }
        let first = self.boxed(first)?;
        let rest =
            reversed.into_iter().rev().map(|(operator, right)| Ok((operator, self.node(right, false)?)));
        let rest = rest.collect::<Outcome<Vec<_>>>()?;
        let span = first.span.start..rest.last().map_or(first.span.end, |(_, node)| node.span.end);
        Ok(Node { kind: Kind::Chain { first, rest }, span })
    }

    fn junction(&mut self, operation: &ast::BinOp<'_>) -> Outcome<Node> {
        let is_any = matches!(operation.op, ast::BinOpKind::ScOr);
        let mut reversed = vec![&operation.right];
        let mut first = &operation.left;
        while let ast::Expr::BinOp(inner) = first {
            if matches!(inner.op, ast::BinOpKind::ScOr) != is_any
                || !matches!(inner.op, ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr)
            {
                break;
            }
            reversed.push(&inner.right);
            first = &inner.left;
        }
        reversed.push(first);
        let nodes =
            reversed.into_iter().rev().map(|node| self.node(node, false)).collect::<Outcome<Vec<_>>>()?;
        let start = nodes.first().map_or(0, |node| node.span.start);
        let span = start..nodes.last().map_or(start, |node| node.span.end);
        Ok(Node { kind: if is_any { Kind::Any(nodes) } else { Kind::All(nodes) }, span })
    }

    fn comparison(&mut self, comparison: &ast::Compare<'_>) -> Outcome<Node> {
        let first = self.boxed(&comparison.expr)?;
        let rest = comparison.ops.iter().map(|step| {
            let how = match step.op {
                ast::CompareOpKind::Eq => Comparison::Equal,
                ast::CompareOpKind::Ne => Comparison::NotEqual,
                ast::CompareOpKind::Lt => Comparison::Less,
                ast::CompareOpKind::Lte => Comparison::LessOrEqual,
                ast::CompareOpKind::Gt => Comparison::Greater,
                ast::CompareOpKind::Gte => Comparison::GreaterOrEqual,
                ast::CompareOpKind::In => Comparison::In,
                ast::CompareOpKind::NotIn => Comparison::NotIn,
            };
            Ok((how, self.node(&step.expr, false)?))
        });
        let rest = rest.collect::<Outcome<_>>()?;
        Ok(self.compared(first, rest))
    }

    fn compared(&mut self, first: Box<Node>, rest: Vec<(Comparison, Node)>) -> Node {
        let mut left: &Node = &first;
        for (how, right) in &rest {
            let by_membership = matches!(how, Comparison::In | Comparison::NotIn);
            if let (false, Some(left), Some(right_side)) = (by_membership, side(left), side(right)) {
                self.comparings.push(Comparing {
                    left,
                    right: right_side,
                    span: first.span.start..right.span.end,
                });
            }
            left = right;
        }
        let span = first.span.start..left.span.end;
        Node { kind: Kind::Compare { first, rest }, span }
    }

    fn choice(&mut self, choice: &ast::IfExpr<'_>, span: Range<usize>) -> Outcome<Node> {
        let Some(otherwise) = &choice.false_expr else {
            return refuse(
                SyntaxErrorKind::Grammar,
                span,
                "this choice has no `else`",
                "a if condition else none",
            );
        };
        let condition = self.boxed(&choice.test_expr)?;
        let then = self.boxed(&choice.true_expr)?;
        let otherwise = self.boxed(otherwise)?;
        let span = then.span.start..otherwise.span.end;
        Ok(Node { kind: Kind::Choose { condition, then, otherwise }, span })
    }

    fn slice(&mut self, slice: &ast::Slice<'_>) -> Outcome<Node> {
        let of = self.boxed(&slice.expr)?;
        let span = of.span.start..bytes_of_slice(slice, self.source, of.span.end);
        let mut bound =
            |bound: &Option<ast::Expr<'_>>| bound.as_ref().map(|bound| self.boxed(bound)).transpose();
        let bounds = [bound(&slice.start)?, bound(&slice.stop)?, bound(&slice.step)?];
        Ok(Node { kind: Kind::Slice { of, bounds }, span })
    }

    fn filter(&mut self, filter: &ast::Filter<'_>, span: Range<usize>) -> Outcome<Node> {
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

    fn test(&mut self, test: &ast::Test<'_>, span: Range<usize>) -> Outcome<Node> {
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

    fn call(&mut self, call: &ast::Call<'_>, span: Range<usize>) -> Outcome<Node> {
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

/// The parser may end a span inside of a character.
fn whole_characters(source: &str, range: Range<usize>) -> Range<usize> {
    let start = source.floor_char_boundary(range.start.min(source.len()));
    start..source.ceil_char_boundary(range.end.clamp(start, source.len()))
}

fn too_deep_message() -> String {
    format!("this expression is nested more than {} deep", limits::LOGIC_DEPTH)
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

fn bytes_of_slice(slice: &ast::Slice<'_>, source: &str, after: usize) -> usize {
    let bounds = [&slice.start, &slice.stop, &slice.step];
    let last = bounds.into_iter().flatten().map(|bound| bytes(bound.span()).end).max().unwrap_or(after);
    source[last..].find(']').map_or(source.len(), |at| last + at + 1)
}

fn constant_value(constant: &ast::Const, span: &Range<usize>) -> Outcome<Value> {
    let unfit = || SyntaxError {
        kind: SyntaxErrorKind::Grammar,
        message: "this number is too large (64 bits)".to_owned(),
        span: span.clone(),
        help: None,
    };
    serde_json::to_value(&constant.value).map_err(|_| unfit()).and_then(|value| {
        let fits = !constant.value.is_number() || value.is_number();
        if fits { Ok(value) } else { Err(unfit()) }
    })
}

fn constant_text(argument: &ast::CallArg<'_>) -> Option<String> {
    match argument {
        ast::CallArg::Pos(ast::Expr::Const(constant))
        | ast::CallArg::Kwarg(_, ast::Expr::Const(constant)) => constant.value.as_str().map(str::to_owned),
        _ => None,
    }
}

fn negative(number: &serde_json::Number) -> Option<Value> {
    match number.as_i64() {
        Some(whole) => whole.checked_neg().map(Value::from),
        None if number.is_f64() => number.as_f64().map(|float| Value::from(-float)),
        None => None,
    }
}

fn segment(constant: &Value) -> Option<Segment> {
    match constant {
        Value::String(key) => Some(Segment::Key(key.clone())),
        Value::Number(index) => index.as_i64().map(Segment::Index),
        _ => None,
    }
}

fn side(node: &Node) -> Option<Side> {
    match &node.kind {
        Kind::Name(slot) => Some(Side::Slot(*slot)),
        Kind::Constant(value) => Some(Side::Type(Type::of(value))),
        Kind::Now => Some(Side::Type(Type::Timestamp)),
        _ => None,
    }
}

fn comparison(operator: ast::BinOpKind) -> Option<Comparison> {
    Some(match operator {
        ast::BinOpKind::Eq => Comparison::Equal,
        ast::BinOpKind::Ne => Comparison::NotEqual,
        ast::BinOpKind::Lt => Comparison::Less,
        ast::BinOpKind::Lte => Comparison::LessOrEqual,
        ast::BinOpKind::Gt => Comparison::Greater,
        ast::BinOpKind::Gte => Comparison::GreaterOrEqual,
        ast::BinOpKind::In => Comparison::In,
        _ => return None,
    })
}

fn operator(operator: ast::BinOpKind) -> Operator {
    match operator {
        ast::BinOpKind::Sub => Operator::Subtract,
        ast::BinOpKind::Mul => Operator::Multiply,
        ast::BinOpKind::Div => Operator::Divide,
        ast::BinOpKind::FloorDiv => Operator::DivideWhole,
        ast::BinOpKind::Rem => Operator::Remainder,
        ast::BinOpKind::Pow => Operator::Power,
        ast::BinOpKind::Concat => Operator::Join,
        // What is left is `+`: comparisons and junctions were taken before.
        _ => Operator::Add,
    }
}
