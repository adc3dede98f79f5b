//! Translates operators: chains and junctions become one level, however long they are.

use std::ops::Range;

use minijinja::machinery::ast;
use serde_json::Value;

use super::lower::{Lowering, Outcome, refuse};
use super::program::{Comparison, Kind, Node, Operator};
use super::{Comparing, Side};
use crate::error::SyntaxErrorKind;
use crate::value_type::Type;

impl Lowering<'_> {
    pub(super) fn unary(&mut self, operation: &ast::UnaryOp<'_>, span: Range<usize>) -> Outcome<Node> {
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

    pub(super) fn binary(&mut self, operation: &ast::BinOp<'_>) -> Outcome<Node> {
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

    pub(super) fn comparison(&mut self, comparison: &ast::Compare<'_>) -> Outcome<Node> {
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

    pub(super) fn choice(&mut self, choice: &ast::IfExpr<'_>, span: Range<usize>) -> Outcome<Node> {
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
}

fn negative(number: &serde_json::Number) -> Option<Value> {
    match number.as_i64() {
        Some(whole) => whole.checked_neg().map(Value::from),
        None if number.is_f64() => number.as_f64().map(|float| Value::from(-float)),
        None => None,
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
