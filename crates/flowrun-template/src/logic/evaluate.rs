//! The value of an expression: strict, counted, and borrowing what it reads (L-6).

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::filters::{Filter, Given, attribute};
use super::functions;
use super::meter::Meter;
use super::operators;
use super::predicates::{Predicate, contains};
use super::program::{Arguments, Comparison, Function, Kind, Node, Operator};
use super::trouble::Trouble;
use super::worth::Worth;
use super::{LogicError, LogicErrorKind};
use crate::slot::{Scope, Slot};
use crate::value_type::outline;

/// One evaluation.
pub(crate) struct Evaluation<'v> {
    pub(crate) scope: &'v dyn Scope,
    pub(crate) now: Timestamp,
    pub(crate) source: &'v str,
    pub(crate) meter: Meter,
}

type Outcome<T> = Result<T, LogicError>;

impl<'v> Evaluation<'v> {
    /// The finished value of the whole expression.
    pub(crate) fn value(&mut self, node: &'v Node) -> Outcome<Value> {
        let worth = self.worth(node)?;
        worth.into_value(&mut self.meter).map_err(|trouble| trouble.at(node.span.clone()))
    }

    /// The value of `node`.
    pub(crate) fn worth(&mut self, node: &'v Node) -> Outcome<Worth<'v>> {
        self.meter.spend(1).map_err(|trouble| trouble.at(node.span.clone()))?;
        let at = |trouble: Trouble| trouble.at(node.span.clone());
        match &node.kind {
            Kind::Constant(value) => Ok(Worth::borrowed(value)),
            Kind::Name(slot) => self.name(*slot, node),
            Kind::Now => Ok(Worth::Moment(self.now)),
            Kind::Member(base, key) => {
                let base = self.worth(base)?;
                member(base, key).map_err(|there| self.nothing(node, &there))
            }
            Kind::Item(base, index) => self.item(base, index, node),
            Kind::Slice { of, bounds } => self.slice(of, bounds, node),
            Kind::Not(inner) => Ok((!self.worth(inner)?.is_true()).into()),
            Kind::Negate(inner) => {
                let zero = Value::from(0).into();
                let value = self.worth(inner)?;
                operators::apply(zero, Operator::Subtract, value).map_err(at)
            }
            Kind::All(nodes) => self.deciding(nodes, false),
            Kind::Any(nodes) => self.deciding(nodes, true),
            Kind::Chain { first, rest } => self.chain(first, rest),
            Kind::Compare { first, rest } => self.compare(first, rest),
            Kind::Choose { condition, then, otherwise } => {
                let chosen = if self.worth(condition)?.is_true() { then } else { otherwise };
                self.worth(chosen)
            }
            Kind::Filter { filter, input, arguments } => self.filter(*filter, input, arguments, node),
            Kind::Test { input, predicate, arguments } => self.test(input, *predicate, arguments, node),
            Kind::Select { input, attribute, test, wanted } => {
                self.select(input, attribute.as_deref(), test.as_ref(), *wanted)
            }
            Kind::Pluck { input, attribute, default } => {
                self.pluck(input, attribute, default.as_deref(), node)
            }
            Kind::Each { input, filter, arguments } => self.each(input, *filter, arguments, node),
            Kind::Call { function, arguments } => self.call(*function, arguments, node),
            Kind::List(nodes) => {
                nodes.iter().map(|node| self.worth(node)).collect::<Outcome<_>>().map(Worth::List)
            }
            Kind::Map(members) => self.map(members),
        }
    }

    fn name(&self, slot: Slot, node: &Node) -> Outcome<Worth<'v>> {
        self.scope.value(slot).map(Worth::borrowed).ok_or_else(|| {
            let name = &self.source[node.span.clone()];
            let help = format!("{name} is defined, or {name}|default(none)");
            Trouble::undefined(format!("`{name}` has no value"), &help).at(node.span.clone())
        })
    }

    #[cold]
    fn nothing(&self, node: &Node, there: &str) -> LogicError {
        let written = &self.source[node.span.clone()];
        let help = format!("{written} is defined, or {written}|default(none)");
        Trouble::undefined(format!("`{written}` is undefined: {there}"), &help).at(node.span.clone())
    }

    fn item(&mut self, base: &'v Node, index: &'v Node, node: &'v Node) -> Outcome<Worth<'v>> {
        let base = self.worth(base)?;
        let index = self.worth(index)?;
        if let Some(key) = index.text() {
            return member(base, key).map_err(|there| self.nothing(node, &there));
        }
        let Some(position) = index.number().and_then(Number::as_i64) else {
            let message = format!("{} is neither a position nor a key", index.noun());
            return Err(Trouble::types(message, "list[0] or map['key']").at(node.span.clone()));
        };
        let there = describe(&base);
        base.element(position)
            .ok_or_else(|| self.nothing(node, &format!("there is no element {position} in {there}")))
    }

    fn slice(
        &mut self,
        of: &'v Node,
        bounds: &'v [Option<Box<Node>>; 3],
        node: &'v Node,
    ) -> Outcome<Worth<'v>> {
        let sliced = self.worth(of)?;
        let mut numbers = [None; 3];
        for (number, bound) in numbers.iter_mut().zip(bounds) {
            let Some(bound) = bound else { continue };
            let value = self.worth(bound)?;
            *number = value.number().and_then(Number::as_i64);
            if number.is_none() {
                return Err(
                    Trouble::types("a slice needs whole numbers", "list[0:10]").at(bound.span.clone())
                );
            }
        }
        functions::slice(sliced, numbers, &mut self.meter).map_err(|trouble| trouble.at(node.span.clone()))
    }

    /// The first value whose truth is `decides`, or the last one.
    fn deciding(&mut self, nodes: &'v [Node], decides: bool) -> Outcome<Worth<'v>> {
        let mut last = Worth::from(decides);
        for node in nodes {
            last = self.worth(node)?;
            if last.is_true() == decides {
                break;
            }
        }
        Ok(last)
    }

    fn chain(&mut self, first: &'v Node, rest: &'v [(Operator, Node)]) -> Outcome<Worth<'v>> {
        let mut value = self.worth(first)?;
        for (operator, node) in rest {
            let right = self.worth(node)?;
            let span = first.span.start..node.span.end;
            value = operators::apply(value, *operator, right).map_err(|trouble| trouble.at(span.clone()))?;
            let (bytes, steps) = match &value {
                Worth::Json(Cow::Owned(Value::String(text))) => (text.len(), 1),
                Worth::List(items) => (0, items.len()),
                _ => (0, 1),
            };
            let spent = self.meter.build(bytes).and_then(|()| self.meter.spend(steps));
            spent.map_err(|trouble| trouble.at(span))?;
        }
        Ok(value)
    }

    fn compare(&mut self, first: &'v Node, rest: &'v [(Comparison, Node)]) -> Outcome<Worth<'v>> {
        let mut left = self.worth(first)?;
        let mut start = first.span.start;
        for (how, node) in rest {
            let right = self.worth(node)?;
            let span = start..node.span.end;
            let effort = left.effort().max(right.effort());
            let holds = self.meter.spend(effort).and_then(|()| compares(&left, *how, &right));
            if !holds.map_err(|trouble| trouble.at(span))? {
                return Ok(false.into());
            }
            start = node.span.start;
            left = right;
        }
        Ok(true.into())
    }

    fn arguments(&mut self, arguments: &'v Arguments) -> Outcome<Vec<Option<Worth<'v>>>> {
        arguments.iter().map(|argument| argument.as_ref().map(|node| self.worth(node)).transpose()).collect()
    }

    fn filter(
        &mut self,
        filter: Filter,
        input: &'v Node,
        arguments: &'v Arguments,
        node: &'v Node,
    ) -> Outcome<Worth<'v>> {
        let value = self.worth(input);
        let value = match value {
            Err(error) if filter == Filter::Default && error.kind == LogicErrorKind::Undefined => {
                return match arguments.first() {
                    Some(Some(fallback)) => self.worth(fallback),
                    _ => Ok(String::new().into()),
                };
            }
            value => value?,
        };
        let arguments = self.arguments(arguments)?;
        self.apply(filter, value, &arguments).map_err(|trouble| trouble.at(node.span.clone()))
    }

    fn test(
        &mut self,
        input: &'v Node,
        predicate: Predicate,
        arguments: &'v [Node],
        node: &'v Node,
    ) -> Outcome<Worth<'v>> {
        let asks_whether_defined = matches!(predicate, Predicate::Defined | Predicate::Undefined);
        let value = match self.worth(input) {
            Err(error) if asks_whether_defined && error.kind == LogicErrorKind::Undefined => {
                return Ok((predicate == Predicate::Undefined).into());
            }
            value => value?,
        };
        let argument = arguments.first().map(|argument| self.worth(argument)).transpose()?;
        let holds = self.holds(predicate, &value, argument.as_ref());
        holds.map(Worth::from).map_err(|trouble| trouble.at(node.span.clone()))
    }

    fn holds(
        &mut self,
        predicate: Predicate,
        value: &Worth<'v>,
        argument: Option<&Worth<'v>>,
    ) -> Result<bool, Trouble> {
        self.meter.spend(value.effort().saturating_add(argument.map_or(0, Worth::effort)))?;
        predicate.holds(value, argument)
    }

    fn apply(
        &mut self,
        filter: Filter,
        input: Worth<'v>,
        arguments: &[Option<Worth<'v>>],
    ) -> Result<Worth<'v>, Trouble> {
        self.meter.spend(input.effort())?;
        filter.apply(input, &Given(arguments), &mut self.meter)
    }

    fn items(&mut self, input: &'v Node) -> Outcome<Vec<Worth<'v>>> {
        let items = self.worth(input)?.into_items().map_err(|trouble| trouble.at(input.span.clone()))?;
        self.meter.spend(items.len()).map_err(|trouble| trouble.at(input.span.clone()))?;
        Ok(items)
    }

    fn select(
        &mut self,
        input: &'v Node,
        name: Option<&str>,
        test: Option<&'v (Predicate, Vec<Node>)>,
        wanted: bool,
    ) -> Outcome<Worth<'v>> {
        let items = self.items(input)?;
        let argument = test.and_then(|(_, arguments)| arguments.first());
        let argument = argument.map(|argument| self.worth(argument)).transpose()?;
        let mut kept = Vec::new();
        for item in items {
            let looked_at = match name {
                Some(name) => attribute(item.clone(), name),
                None => Some(item.clone()),
            };
            let holds = match (test, &looked_at) {
                (None, value) => Ok(value.as_ref().is_some_and(Worth::is_true)),
                (Some((Predicate::Defined, _)), value) => Ok(value.is_some()),
                (Some((Predicate::Undefined, _)), value) => Ok(value.is_none()),
                // An element without the attribute is like none of those that have it.
                (Some(_), None) => Ok(false),
                (Some((predicate, _)), Some(value)) => self.holds(*predicate, value, argument.as_ref()),
            };
            if holds.map_err(|trouble| trouble.at(input.span.clone()))? == wanted {
                kept.push(item);
            }
        }
        Ok(Worth::List(kept))
    }

    fn pluck(
        &mut self,
        input: &'v Node,
        name: &str,
        default: Option<&'v Node>,
        node: &'v Node,
    ) -> Outcome<Worth<'v>> {
        let items = self.items(input)?;
        let mut plucked = Vec::with_capacity(items.len());
        for item in items {
            match (attribute(item, name), default) {
                (Some(value), _) => plucked.push(value),
                (None, Some(default)) => plucked.push(self.worth(default)?),
                (None, None) => {
                    let help =
                        format!("map(attribute=\"{name}\", default=none), or selectattr(\"{name}\") first");
                    let trouble = Trouble::undefined(format!("an element has no `{name}`"), &help);
                    return Err(trouble.at(node.span.clone()));
                }
            }
        }
        Ok(Worth::List(plucked))
    }

    fn each(
        &mut self,
        input: &'v Node,
        filter: Filter,
        arguments: &'v Arguments,
        node: &'v Node,
    ) -> Outcome<Worth<'v>> {
        let items = self.items(input)?;
        let arguments = self.arguments(arguments)?;
        let mapped = items.into_iter().map(|item| self.apply(filter, item, &arguments));
        mapped.collect::<Result<_, _>>().map(Worth::List).map_err(|trouble| trouble.at(node.span.clone()))
    }

    fn call(&mut self, function: Function, arguments: &'v [Node], node: &'v Node) -> Outcome<Worth<'v>> {
        let arguments = arguments.iter().map(|argument| self.worth(argument)).collect::<Outcome<Vec<_>>>()?;
        functions::call(function, &arguments, &mut self.meter)
            .map_err(|trouble| trouble.at(node.span.clone()))
    }

    fn map(&mut self, members: &'v [(Node, Node)]) -> Outcome<Worth<'v>> {
        let mut map = Map::new();
        for (key, value) in members {
            let name = self.worth(key)?;
            let Some(name) = name.text() else {
                return Err(
                    Trouble::types("the key of a map is text", "{\"key\": value}").at(key.span.clone())
                );
            };
            let name = name.to_owned();
            let member = self.worth(value)?.into_value(&mut self.meter);
            map.insert(name, member.map_err(|trouble| trouble.at(value.span.clone()))?);
        }
        Ok(Value::Object(map).into())
    }
}

fn describe(worth: &Worth<'_>) -> String {
    match worth {
        Worth::Json(value) => outline(value),
        Worth::List(items) => format!("a list of {}", items.len()),
        other => other.noun().to_owned(),
    }
}

/// The member, or what is there instead.
fn member<'v>(base: Worth<'v>, key: &str) -> Result<Worth<'v>, String> {
    let there = |base: &Worth<'_>| format!("there is no `{key}` in {}", describe(base));
    match base {
        Worth::Json(Cow::Borrowed(value)) => {
            let found = value.as_object().and_then(|members| members.get(key));
            found.map(Worth::borrowed).ok_or_else(|| there(&Worth::borrowed(value)))
        }
        other => {
            let message = there(&other);
            other.member(key).ok_or(message)
        }
    }
}

fn compares(left: &Worth<'_>, how: Comparison, right: &Worth<'_>) -> Result<bool, Trouble> {
    Ok(match how {
        Comparison::Equal => left.same(right),
        Comparison::NotEqual => !left.same(right),
        Comparison::Less => left.order(right)? == Ordering::Less,
        Comparison::LessOrEqual => left.order(right)? != Ordering::Greater,
        Comparison::Greater => left.order(right)? == Ordering::Greater,
        Comparison::GreaterOrEqual => left.order(right)? != Ordering::Less,
        Comparison::In => contains(right, left)?,
        Comparison::NotIn => !contains(right, left)?,
    })
}
