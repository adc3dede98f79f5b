//! Translates Jinja's tree, as minijinja parses it, and finds every name an expression reads.
//!
//! Only these three files know minijinja's types: this one for values and paths, [`super::lower_operators`],
//! and [`super::lower_calls`], which refuses what is not on flowrun's lists.

use std::ops::Range;

use minijinja::machinery::{Span, ast, parse_expr};
use serde_json::Value;

use super::Comparing;
use super::program::{Kind, Node};
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::limits;
use crate::mention::{Mention, Root, Segment};
use crate::slot::Slots;

/// What an expression becomes.
pub(crate) struct Lowered {
    pub(crate) node: Node,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) comparings: Vec<Comparing>,
}

pub(super) type Outcome<T> = Result<T, SyntaxError>;

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

pub(super) struct Lowering<'s> {
    source: &'s str,
    slots: &'s mut Slots,
    mentions: Vec<Mention>,
    pub(super) comparings: Vec<Comparing>,
    depth: usize,
}

pub(super) fn refuse<T>(
    kind: SyntaxErrorKind,
    span: Range<usize>,
    message: impl Into<String>,
    help: &str,
) -> Outcome<T> {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Err(SyntaxError { kind, message: message.into(), span, help })
}

pub(super) fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

impl Lowering<'_> {
    /// Translates one expression; `tolerated` says that it may be undefined.
    pub(super) fn node(&mut self, expression: &ast::Expr<'_>, tolerated: bool) -> Outcome<Node> {
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

    pub(super) fn boxed(&mut self, expression: &ast::Expr<'_>) -> Outcome<Box<Node>> {
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

    fn slice(&mut self, slice: &ast::Slice<'_>) -> Outcome<Node> {
        let of = self.boxed(&slice.expr)?;
        let span = of.span.start..bytes_of_slice(slice, self.source, of.span.end);
        let mut bound =
            |bound: &Option<ast::Expr<'_>>| bound.as_ref().map(|bound| self.boxed(bound)).transpose();
        let bounds = [bound(&slice.start)?, bound(&slice.stop)?, bound(&slice.step)?];
        Ok(Node { kind: Kind::Slice { of, bounds }, span })
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

fn segment(constant: &Value) -> Option<Segment> {
    match constant {
        Value::String(key) => Some(Segment::Key(key.clone())),
        Value::Number(index) => index.as_i64().map(Segment::Index),
        _ => None,
    }
}
