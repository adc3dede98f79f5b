//! Slices, and the functions of an expression: `range`, `duration`, `timestamp`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::meter::Meter;
use super::program::Function;
use super::trouble::Trouble;
use super::worth::Worth;
use crate::limits;

/// The value of `function(arguments)`.
pub(crate) fn call<'v>(
    function: Function,
    arguments: &[Worth<'v>],
    meter: &mut Meter,
) -> Result<Worth<'v>, Trouble> {
    match (function, arguments) {
        (Function::Duration, [text]) => duration(text),
        (Function::Timestamp, [value]) => timestamp(value),
        (_, bounds) => range(bounds, meter),
    }
}

/// Python's slice: bounds beyond the end are the end.
pub(crate) fn slice<'v>(
    of: Worth<'v>,
    bounds: [Option<i64>; 3],
    meter: &mut Meter,
) -> Result<Worth<'v>, Trouble> {
    let text = of.text().map(|text| text.chars().map(|c| Worth::from(c.to_string())).collect::<Vec<_>>());
    let is_text = text.is_some();
    let items = text.map_or_else(|| of.into_items(), Ok)?;
    meter.spend(items.len())?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let step = bounds[2].unwrap_or(1);
    if step == 0 {
        return Err(Trouble::argument("a slice cannot have steps of 0", "list[::2]"));
    }
    let within = |bound: i64| if bound < 0 { length.saturating_add(bound) } else { bound };
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let (from, to) = if step > 0 { (0, length) } else { (length - 1, -1) };
    let start = bounds[0].map_or(from, within).clamp(low, high);
    let stop = bounds[1].map_or(to, within).clamp(low, high);
    let mut kept = Vec::new();
    let mut at = start;
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        kept.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
        at = at.saturating_add(step);
    }
    if !is_text {
        return Ok(Worth::List(kept));
    }
    Ok(kept.iter().filter_map(Worth::text).collect::<String>().into())
}

fn duration<'v>(text: &Worth<'v>) -> Result<Worth<'v>, Trouble> {
    let help = "duration(\"1h30m\")";
    let text = text.text().ok_or_else(|| Trouble::argument("`duration` needs text", help))?;
    let parsed = crate::duration::parse(text).map_err(|error| Trouble::argument(error.message, help))?;
    let span =
        SignedDuration::try_from(parsed).map_err(|_| Trouble::argument("this duration is too long", help))?;
    Ok(Worth::Span(span))
}

fn timestamp<'v>(value: &Worth<'v>) -> Result<Worth<'v>, Trouble> {
    let moment = match value {
        Worth::Moment(moment) => Some(*moment),
        _ => match value.json() {
            Some(Value::String(text)) => text.parse::<Timestamp>().ok(),
            Some(Value::Number(seconds)) => {
                seconds.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok())
            }
            _ => None,
        },
    };
    let help = "a time is written 2026-01-31T12:00:00Z, or in seconds since 1970";
    moment.map(Worth::Moment).ok_or_else(|| Trouble::argument("this is no time", help))
}

fn range<'v>(bounds: &[Worth<'v>], meter: &mut Meter) -> Result<Worth<'v>, Trouble> {
    let numbers: Option<Vec<i64>> = bounds.iter().map(|bound| bound.number()?.as_i64()).collect();
    let (start, stop, step) = match numbers.as_deref() {
        Some([stop]) => (0, *stop, 1),
        Some([start, stop]) => (*start, *stop, 1),
        Some([start, stop, step]) if *step != 0 => (*start, *stop, *step),
        _ => {
            return Err(Trouble::argument(
                "`range` needs whole numbers, and steps other than 0",
                "range(0, 10, 2)",
            ));
        }
    };
    let mut numbers = Vec::new();
    let mut at = start;
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        if numbers.len() == limits::LOGIC_RANGE {
            return Err(Trouble::budget(format!("`range` gives {} numbers at most", limits::LOGIC_RANGE)));
        }
        numbers.push(Value::from(at).into());
        at = at.saturating_add(step);
    }
    meter.spend(numbers.len())?;
    Ok(Worth::List(numbers))
}
