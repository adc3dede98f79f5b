//! The filters after `|` (L-6): a closed list. `select`, `reject` and `map` are the evaluator's, since they evaluate.

use std::borrow::Cow;
use std::cmp::Ordering;

use percent_encoding::utf8_percent_encode;
use serde_json::{Number, Value, json};

use super::meter::Meter;
use super::operators::{self, Numeric};
use super::program::Operator;
use super::trouble::Trouble;
use super::worth::Worth;
use crate::rendered::escape::UNRESERVED;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Abs,
    Capitalize,
    Default,
    First,
    Float,
    Int,
    Items,
    Join,
    Last,
    Length,
    List,
    Lower,
    Max,
    Min,
    Replace,
    Reverse,
    Round,
    Sort,
    Split,
    String,
    Sum,
    Title,
    ToJson,
    Trim,
    Unique,
    Upper,
    UrlEncode,
}

/// Every filter with its names and its parameters.
const TABLE: [(Filter, &[&str], &[&str]); 27] = [
    (Filter::Abs, &["abs"], &[]),
    (Filter::Capitalize, &["capitalize"], &[]),
    (Filter::Default, &["default", "d"], &["default_value", "boolean"]),
    (Filter::First, &["first"], &[]),
    (Filter::Float, &["float"], &["default"]),
    (Filter::Int, &["int"], &["default"]),
    (Filter::Items, &["items"], &[]),
    (Filter::Join, &["join"], &["d", "attribute"]),
    (Filter::Last, &["last"], &[]),
    (Filter::Length, &["length", "count"], &[]),
    (Filter::List, &["list"], &[]),
    (Filter::Lower, &["lower"], &[]),
    (Filter::Max, &["max"], &["case_sensitive", "attribute"]),
    (Filter::Min, &["min"], &["case_sensitive", "attribute"]),
    (Filter::Replace, &["replace"], &["old", "new"]),
    (Filter::Reverse, &["reverse"], &[]),
    (Filter::Round, &["round"], &["precision"]),
    (Filter::Sort, &["sort"], &["reverse", "case_sensitive", "attribute"]),
    (Filter::Split, &["split"], &["separator"]),
    (Filter::String, &["string"], &[]),
    (Filter::Sum, &["sum"], &["attribute", "start"]),
    (Filter::Title, &["title"], &[]),
    (Filter::ToJson, &["tojson"], &[]),
    (Filter::Trim, &["trim"], &[]),
    (Filter::Unique, &["unique"], &["case_sensitive", "attribute"]),
    (Filter::Upper, &["upper"], &[]),
    (Filter::UrlEncode, &["urlencode"], &[]),
];

/// The arguments of a call, in the order of the parameters.
pub(crate) struct Given<'a, 'v>(pub(crate) &'a [Option<Worth<'v>>]);

impl<'a, 'v> Given<'a, 'v> {
    fn at(&self, index: usize) -> Option<&'a Worth<'v>> {
        self.0.get(index).and_then(Option::as_ref)
    }

    fn text(&self, index: usize) -> Option<&'a str> {
        self.at(index).and_then(Worth::text)
    }

    fn is_true(&self, index: usize) -> bool {
        self.at(index).is_some_and(Worth::is_true)
    }
}

/// Every filter: its names and its parameters.
pub(crate) fn all() -> impl Iterator<Item = (&'static [&'static str], &'static [&'static str])> {
    TABLE.iter().map(|(_, names, parameters)| (*names, *parameters))
}

impl Filter {
    pub(crate) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1.contains(&name)).map(|row| row.0)
    }

    /// The names, for a message.
    pub(crate) fn names() -> String {
        let names: Vec<&str> = TABLE.iter().map(|row| row.1[0]).collect();
        format!("{}, map, select, reject, selectattr, rejectattr", names.join(", "))
    }

    pub(crate) fn parameters(self) -> &'static [&'static str] {
        TABLE.iter().find(|row| row.0 == self).map_or(&[], |row| row.2)
    }

    pub(crate) fn apply<'v>(
        self,
        input: Worth<'v>,
        given: &Given<'_, 'v>,
        meter: &mut Meter,
    ) -> Result<Worth<'v>, Trouble> {
        match self {
            Self::Default => Ok(match given.at(0) {
                Some(fallback) if given.is_true(1) && !input.is_true() => fallback.clone(),
                _ => input,
            }),
            Self::Abs | Self::Float | Self::Int | Self::Round => self.of_number(&input, given),
            Self::Length => input.length().map(Worth::from),
            Self::ToJson => {
                let text = input.into_value(meter)?.to_string();
                meter.build(text.len())?;
                Ok(text.into())
            }
            Self::String => Ok(input.written()?.into_owned().into()),
            Self::Items => items(input),
            Self::Capitalize
            | Self::Lower
            | Self::Upper
            | Self::Title
            | Self::Trim
            | Self::UrlEncode
            | Self::Replace
            | Self::Split => self.of_text(&input, given, meter),
            _ => self.of_list(input, given, meter),
        }
    }

    fn of_number<'v>(self, input: &Worth<'v>, given: &Given<'_, 'v>) -> Result<Worth<'v>, Trouble> {
        let parsed = match input.json() {
            Some(Value::Number(number)) => Some(Numeric::of(number)),
            Some(Value::String(text)) if matches!(self, Self::Int | Self::Float) => parse(text.trim()),
            Some(Value::Bool(flag)) if matches!(self, Self::Int | Self::Float) => {
                Some(Numeric::Whole((*flag).into()))
            }
            _ => None,
        };
        let number = match (parsed, given.at(0)) {
            (Some(number), _) => number,
            (None, Some(fallback)) if matches!(self, Self::Int | Self::Float) => return Ok(fallback.clone()),
            _ => {
                return Err(Trouble::types(
                    format!("{} is no number", input.noun()),
                    "value|int(0) gives 0 instead",
                ));
            }
        };
        let number = match (self, number) {
            (Self::Abs, Numeric::Whole(whole)) => Numeric::Whole(whole.abs()),
            (Self::Abs, Numeric::Float(float)) => Numeric::Float(float.abs()),
            (Self::Int, Numeric::Float(float)) => whole_of(float)?,
            (Self::Float, Numeric::Whole(whole)) => Numeric::Float(whole as f64),
            (Self::Round, Numeric::Float(float)) => round(float, given.at(0)),
            (_, number) => number,
        };
        number.into_value().map(Worth::from)
    }

    fn of_text<'v>(
        self,
        input: &Worth<'v>,
        given: &Given<'_, 'v>,
        meter: &mut Meter,
    ) -> Result<Worth<'v>, Trouble> {
        let text = input.written()?;
        let built = match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Title => title(&text),
            Self::Capitalize => capitalize(&text),
            Self::UrlEncode => utf8_percent_encode(&text, UNRESERVED).to_string(),
            Self::Replace => {
                let (Some(old), Some(new)) = (given.text(0), given.text(1)) else {
                    return Err(Trouble::argument(
                        "`replace` needs two texts",
                        "value|replace(\"a\", \"b\")",
                    ));
                };
                // What it may become is counted before it is built.
                meter.build(text.matches(old).count().saturating_mul(new.len()))?;
                text.replace(old, new)
            }
            Self::Split => return split(&text, given.text(0), meter),
            _ => text.trim().to_owned(),
        };
        meter.build(built.len())?;
        Ok(built.into())
    }

    fn of_list<'v>(
        self,
        input: Worth<'v>,
        given: &Given<'_, 'v>,
        meter: &mut Meter,
    ) -> Result<Worth<'v>, Trouble> {
        let mut items = match input.text() {
            Some(text) => text.chars().map(|c| Worth::from(c.to_string())).collect(),
            None => input.into_items()?,
        };
        meter.spend(items.len())?;
        match self {
            Self::First | Self::Last => {
                let item = if self == Self::First { items.into_iter().next() } else { items.pop() };
                item.ok_or_else(|| Trouble::undefined("the list is empty", "list|first|default(none)"))
            }
            Self::Reverse => {
                items.reverse();
                Ok(Worth::List(items))
            }
            Self::Join => join(items, given, meter),
            Self::Sum => sum(items, given),
            Self::Min => extreme(items, given, Ordering::Less),
            Self::Max => extreme(items, given, Ordering::Greater),
            Self::Sort => sort(items, given, meter),
            Self::Unique => unique(items, given, meter),
            _ => Ok(Worth::List(items)),
        }
    }
}

/// The member of a list's element that `attribute` leads to, dots being steps.
pub(crate) fn attribute<'v>(item: Worth<'v>, attribute: &str) -> Option<Worth<'v>> {
    attribute.split('.').try_fold(item, |item, step| match step.parse::<i64>() {
        Ok(index) => item.element(index),
        Err(_) => item.member(step),
    })
}

fn pluck<'v>(item: Worth<'v>, name: Option<&str>) -> Result<Worth<'v>, Trouble> {
    let Some(name) = name else { return Ok(item) };
    attribute(item, name).ok_or_else(|| {
        Trouble::undefined(format!("an element has no `{name}`"), "select those that have it first")
    })
}

fn parse(text: &str) -> Option<Numeric> {
    let whole = text.parse::<i128>().ok().map(Numeric::Whole);
    whole.or_else(|| text.parse::<f64>().ok().filter(|float| float.is_finite()).map(Numeric::Float))
}

fn whole_of(float: f64) -> Result<Numeric, Trouble> {
    if float.abs() < 2f64.powi(64) {
        return Ok(Numeric::Whole(float.trunc() as i128));
    }
    Err(Trouble::not_finite("the number is larger than any whole number here (64 bits)"))
}

fn round(float: f64, precision: Option<&Worth<'_>>) -> Numeric {
    let precision = precision.and_then(Worth::number).and_then(Number::as_i64).unwrap_or(0).clamp(-15, 15);
    let scale = 10f64.powi(i32::try_from(precision).unwrap_or(0));
    Numeric::Float((float * scale).round() / scale)
}

fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + &characters.as_str().to_lowercase()
    })
}

fn title(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '\'');
    words.map(capitalize).collect()
}

fn items<'v>(input: Worth<'v>) -> Result<Worth<'v>, Trouble> {
    let Worth::Json(value) = input else { return Err(Trouble::argument("`items` needs a map", "")) };
    match value.into_owned() {
        Value::Object(members) => {
            Ok(Worth::List(members.into_iter().map(|(key, value)| json!([key, value]).into()).collect()))
        }
        _ => Err(Trouble::argument("`items` needs a map", "")),
    }
}

fn split<'v>(text: &str, separator: Option<&str>, meter: &mut Meter) -> Result<Worth<'v>, Trouble> {
    let parts: Vec<&str> = match separator {
        None => text.split_whitespace().collect(),
        Some("") => return Err(Trouble::argument("`split` needs a separator", "text|split(\",\")")),
        Some(separator) => text.split(separator).collect(),
    };
    meter.spend(parts.len())?;
    meter.build(text.len())?;
    Ok(Worth::List(parts.into_iter().map(|part| Worth::from(part.to_owned())).collect()))
}

fn join<'v>(items: Vec<Worth<'v>>, given: &Given<'_, 'v>, meter: &mut Meter) -> Result<Worth<'v>, Trouble> {
    let separator = given.at(0).map_or(Ok(Cow::Borrowed("")), Worth::written)?;
    let mut joined = String::new();
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            joined.push_str(&separator);
        }
        let before = joined.len();
        joined.push_str(&pluck(item, given.text(1))?.written()?);
        meter.build(joined.len() - before + separator.len())?;
    }
    Ok(joined.into())
}

fn sum<'v>(items: Vec<Worth<'v>>, given: &Given<'_, 'v>) -> Result<Worth<'v>, Trouble> {
    let start = given.at(1).cloned().unwrap_or_else(|| Value::from(0).into());
    items.into_iter().try_fold(start, |sum, item| {
        let item = pluck(item, given.text(0))?;
        operators::apply(sum, Operator::Add, item)
    })
}

/// Text without case, unless asked for with it, as in Jinja.
fn folded<'v>(item: Worth<'v>, case_sensitive: bool) -> Worth<'v> {
    match item.text() {
        Some(text) if !case_sensitive => text.to_lowercase().into(),
        _ => item,
    }
}

fn extreme<'v>(items: Vec<Worth<'v>>, given: &Given<'_, 'v>, wanted: Ordering) -> Result<Worth<'v>, Trouble> {
    let mut best: Option<(Worth<'v>, Worth<'v>)> = None;
    for item in items {
        let key = folded(pluck(item.clone(), given.text(1))?, given.is_true(0));
        let better = match &best {
            None => true,
            Some((best, _)) => key.order(best)? == wanted,
        };
        if better {
            best = Some((key, item));
        }
    }
    best.map(|(_, item)| item).ok_or_else(|| Trouble::undefined("the list is empty", "list|max|default(0)"))
}

fn sort<'v>(items: Vec<Worth<'v>>, given: &Given<'_, 'v>, meter: &mut Meter) -> Result<Worth<'v>, Trouble> {
    // A sort looks at each element about log2(n) times.
    meter.spend(items.len().saturating_mul(items.len().max(1).ilog2() as usize))?;
    let mut trouble = None;
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((folded(pluck(item.clone(), given.text(2))?, given.is_true(1)), item));
    }
    keyed.sort_by(|(left, _), (right, _)| {
        left.order(right).unwrap_or_else(|error| {
            trouble.get_or_insert(error);
            Ordering::Equal
        })
    });
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    if given.is_true(0) {
        keyed.reverse();
    }
    Ok(Worth::List(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn unique<'v>(items: Vec<Worth<'v>>, given: &Given<'_, 'v>, meter: &mut Meter) -> Result<Worth<'v>, Trouble> {
    let mut seen: Vec<Worth<'v>> = Vec::new();
    let mut kept = Vec::new();
    for item in items {
        let key = folded(pluck(item.clone(), given.text(1))?, given.is_true(0));
        meter.spend(seen.len())?;
        if !seen.iter().any(|other| other.same(&key)) {
            seen.push(key);
            kept.push(item);
        }
    }
    Ok(Worth::List(kept))
}
