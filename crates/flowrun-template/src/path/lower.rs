//! Checks that a parsed path is well-typed (RFC 9535, 2.4.3) and translates it.
//!
//! The only file that knows jsonpath-rust's types. Its parser accepts functions of its own and some ill-typed
//! arguments; both are refused here.

use jsonpath_rust::parser::model;
use serde_json::Value;

use super::pattern::{self, Pattern};
use super::query::{Comparison, Condition, Operand, Query, Segment, Selector, Start};
use crate::error::SyntaxErrorKind;
use crate::limits;

/// Why a parsed path is refused: what, the word of the source it is about, and the fix.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: SyntaxErrorKind,
    pub(crate) message: String,
    pub(crate) word: String,
    pub(crate) help: Option<String>,
}

type Outcome<T> = Result<T, Refusal>;

fn refuse<T>(kind: SyntaxErrorKind, word: &str, message: impl Into<String>, help: &str) -> Outcome<T> {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Err(Refusal { kind, message: message.into(), word: word.to_owned(), help })
}

/// Translates a whole path.
pub(crate) fn lower(parsed: &model::JpQuery) -> Outcome<Query> {
    let mut lowering = Lowering { descents: 0 };
    lowering.query(Start::Root, &parsed.segments)
}

struct Lowering {
    descents: usize,
}

impl Lowering {
    fn query(&mut self, start: Start, segments: &[model::Segment]) -> Outcome<Query> {
        let segments = segments.iter().map(|segment| self.segment(segment, false));
        Ok(Query { start, segments: segments.collect::<Outcome<_>>()? })
    }

    fn segment(&mut self, segment: &model::Segment, descends: bool) -> Outcome<Segment> {
        let selectors = match segment {
            model::Segment::Descendant(inner) => {
                self.descents += 1;
                if self.descents > limits::PATH_DESCENTS {
                    let message = format!(
                        "a path can search all levels (`..`) {} times at most",
                        limits::PATH_DESCENTS
                    );
                    return refuse(SyntaxErrorKind::TooDeep, "..", message, "name the levels you know");
                }
                return self.segment(inner, true);
            }
            model::Segment::Selector(selector) => std::slice::from_ref(selector),
            model::Segment::Selectors(selectors) => selectors,
        };
        let selectors = selectors.iter().map(|selector| self.selector(selector)).collect::<Outcome<_>>()?;
        Ok(Segment { descends, selectors })
    }

    fn selector(&mut self, selector: &model::Selector) -> Outcome<Selector> {
        Ok(match selector {
            model::Selector::Name(name) => Selector::Name(name.clone()),
            model::Selector::Wildcard => Selector::Wildcard,
            model::Selector::Index(index) => Selector::Index(*index),
            model::Selector::Slice(start, end, step) => {
                Selector::Slice { start: *start, end: *end, step: step.unwrap_or(1) }
            }
            model::Selector::Filter(filter) => Selector::Filter(self.filter(filter)?),
        })
    }

    fn filter(&mut self, filter: &model::Filter) -> Outcome<Condition> {
        Ok(match filter {
            model::Filter::Or(filters) => Condition::Any(self.filters(filters)?),
            model::Filter::And(filters) => Condition::All(self.filters(filters)?),
            model::Filter::Atom(model::FilterAtom::Filter { expr, not }) => negate(self.filter(expr)?, *not),
            model::Filter::Atom(model::FilterAtom::Test { expr, not }) => negate(self.test(expr)?, *not),
            model::Filter::Atom(model::FilterAtom::Comparison(comparison)) => self.comparison(comparison)?,
        })
    }

    fn filters(&mut self, filters: &[model::Filter]) -> Outcome<Vec<Condition>> {
        filters.iter().map(|filter| self.filter(filter)).collect()
    }

    fn test(&mut self, test: &model::Test) -> Outcome<Condition> {
        let function = match test {
            model::Test::RelQuery(segments) => {
                return Ok(Condition::Exists(self.query(Start::Current, segments)?));
            }
            model::Test::AbsQuery(query) => {
                return Ok(Condition::Exists(self.query(Start::Root, &query.segments)?));
            }
            model::Test::Function(function) => function,
        };
        match &**function {
            model::TestFunction::Match(text, pattern) => self.matches("match", text, pattern, true),
            model::TestFunction::Search(text, pattern) => self.matches("search", text, pattern, false),
            other => {
                let name = name_of(other);
                let message = format!("`{name}` gives a value, not true or false");
                let help = format!("compare it: {name}(...) > 1");
                known(name)?;
                refuse(SyntaxErrorKind::IllTyped, name, message, &help)
            }
        }
    }

    fn matches(
        &mut self,
        name: &str,
        text: &model::FnArg,
        source: &model::FnArg,
        whole: bool,
    ) -> Outcome<Condition> {
        let text = self.argument(name, text)?;
        let pattern = match self.argument(name, source)? {
            Operand::Literal(Value::String(source)) => match pattern::compile(&source, whole) {
                Some(compiled) => Pattern::Literal(Some(compiled)),
                None => {
                    return refuse(
                        SyntaxErrorKind::Regex,
                        &source,
                        "this is not a regular expression (RFC 9485), or too large a one",
                        "",
                    );
                }
            },
            Operand::Literal(_) => Pattern::Literal(None),
            operand => Pattern::Document(Box::new(operand)),
        };
        Ok(Condition::Matches { text, pattern, whole })
    }

    fn comparison(&mut self, comparison: &model::Comparison) -> Outcome<Condition> {
        use model::Comparison as Parsed;
        let how = match comparison {
            Parsed::Eq(..) => Comparison::Equal,
            Parsed::Ne(..) => Comparison::NotEqual,
            Parsed::Gt(..) => Comparison::Greater,
            Parsed::Gte(..) => Comparison::GreaterOrEqual,
            Parsed::Lt(..) => Comparison::Less,
            Parsed::Lte(..) => Comparison::LessOrEqual,
        };
        let (left, right) = comparison.vals();
        Ok(Condition::Compare { left: self.comparable(left)?, how, right: self.comparable(right)? })
    }

    fn comparable(&mut self, comparable: &model::Comparable) -> Outcome<Operand> {
        Ok(match comparable {
            model::Comparable::Literal(value) => Operand::Literal(literal(value)),
            model::Comparable::Function(function) => self.function(function)?,
            model::Comparable::SingularQuery(model::SingularQuery::Current(segments)) => {
                Operand::Singular(singular(Start::Current, segments))
            }
            model::Comparable::SingularQuery(model::SingularQuery::Root(segments)) => {
                Operand::Singular(singular(Start::Root, segments))
            }
        })
    }

    /// A function of `ValueType`.
    fn function(&mut self, function: &model::TestFunction) -> Outcome<Operand> {
        match function {
            model::TestFunction::Length(argument) => {
                Ok(Operand::Length(Box::new(self.argument("length", argument)?)))
            }
            model::TestFunction::Count(argument) => Ok(Operand::Count(self.nodes("count", argument)?)),
            model::TestFunction::Value(argument) => Ok(Operand::Value(self.nodes("value", argument)?)),
            other => {
                let name = name_of(other);
                known(name)?;
                let message = format!("`{name}` gives true or false, which is no value");
                refuse(
                    SyntaxErrorKind::IllTyped,
                    name,
                    message,
                    "combine it with && and ||, without comparing it",
                )
            }
        }
    }

    /// An argument of `ValueType`: a literal, a singular query, or a function that gives a value.
    fn argument(&mut self, function: &str, argument: &model::FnArg) -> Outcome<Operand> {
        let query = match argument {
            model::FnArg::Literal(value) => return Ok(Operand::Literal(literal(value))),
            model::FnArg::Test(test) => match &**test {
                model::Test::Function(inner) => return self.function(inner),
                model::Test::RelQuery(segments) => self.query(Start::Current, segments)?,
                model::Test::AbsQuery(query) => self.query(Start::Root, &query.segments)?,
            },
            model::FnArg::Filter(_) => {
                let message = format!("`{function}` takes a value, not a condition");
                return refuse(SyntaxErrorKind::IllTyped, function, message, "");
            }
        };
        if query.is_singular() {
            return Ok(Operand::Singular(query));
        }
        let message = format!("`{function}` takes one value, and this query can find several");
        refuse(
            SyntaxErrorKind::IllTyped,
            function,
            message,
            "value(...) takes the only one, count(...) their number",
        )
    }

    /// An argument of `NodesType`: a query.
    fn nodes(&mut self, function: &str, argument: &model::FnArg) -> Outcome<Query> {
        if let model::FnArg::Test(test) = argument {
            match &**test {
                model::Test::RelQuery(segments) => return self.query(Start::Current, segments),
                model::Test::AbsQuery(query) => return self.query(Start::Root, &query.segments),
                model::Test::Function(_) => {}
            }
        }
        let message = format!("`{function}` takes a query such as @.items[*]");
        refuse(SyntaxErrorKind::IllTyped, function, message, "")
    }
}

fn negate(condition: Condition, not: bool) -> Condition {
    if not { Condition::Not(Box::new(condition)) } else { condition }
}

fn singular(start: Start, segments: &[model::SingularQuerySegment]) -> Query {
    let segments = segments.iter().map(|segment| {
        let selector = match segment {
            model::SingularQuerySegment::Index(index) => Selector::Index(*index),
            model::SingularQuerySegment::Name(name) => Selector::Name(name.clone()),
        };
        Segment { descends: false, selectors: vec![selector] }
    });
    Query { start, segments: segments.collect() }
}

fn literal(literal: &model::Literal) -> Value {
    match literal {
        model::Literal::Int(number) => (*number).into(),
        model::Literal::Float(number) => (*number).into(),
        model::Literal::String(text) => text.clone().into(),
        model::Literal::Bool(flag) => (*flag).into(),
        model::Literal::Null => Value::Null,
    }
}

fn name_of(function: &model::TestFunction) -> &str {
    match function {
        model::TestFunction::Custom(name, _) => name,
        model::TestFunction::Length(_) => "length",
        model::TestFunction::Value(_) => "value",
        model::TestFunction::Count(_) => "count",
        model::TestFunction::Search(..) => "search",
        model::TestFunction::Match(..) => "match",
    }
}

/// Refuses the functions jsonpath-rust adds to the RFC's.
fn known(name: &str) -> Outcome<()> {
    if ["length", "value", "count", "search", "match"].contains(&name) {
        return Ok(());
    }
    let help = "the functions are length, count, value, match and search";
    refuse(SyntaxErrorKind::UnknownName, name, format!("`{name}` is not a function of a path"), help)
}
