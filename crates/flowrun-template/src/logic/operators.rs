//! Arithmetic: whole numbers exactly, others as floats, times with durations; nothing silently infinite (L-6).

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::program::Operator;
use super::trouble::Trouble;
use super::worth::Worth;

/// A number, whole as long as it can be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numeric {
    Whole(i128),
    Float(f64),
}

impl Numeric {
    pub(crate) fn of(number: &Number) -> Self {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        whole.map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Whole)
    }

    fn float(self) -> f64 {
        match self {
            // Precision beyond 2^53 is lost as in every JSON number that has a fraction.
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }

    pub(crate) fn into_value(self) -> Result<Value, Trouble> {
        match self {
            Self::Whole(whole) => i64::try_from(whole)
                .map(Value::from)
                .or_else(|_| u64::try_from(whole).map(Value::from))
                .map_err(|_| {
                    Trouble::not_finite("the result is larger than any whole number here (64 bits)")
                }),
            Self::Float(float) => Number::from_f64(float)
                .map(Value::Number)
                .ok_or_else(|| Trouble::not_finite("the result is not a finite number")),
        }
    }
}

/// `left operator right`. The caller bounds what joining and repeating build.
pub(crate) fn apply<'v>(left: Worth<'v>, operator: Operator, right: Worth<'v>) -> Result<Worth<'v>, Trouble> {
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        let result = if operator == Operator::Join {
            None
        } else {
            Some(calculate(Numeric::of(left), operator, Numeric::of(right))?)
        };
        if let Some(result) = result {
            return result.into_value().map(Worth::from);
        }
    }
    match operator {
        Operator::Join => Ok(Worth::from(format!("{}{}", left.written()?, right.written()?))),
        Operator::Add => add(left, right),
        Operator::Multiply => repeat(left, right),
        _ => of_time(left, operator, right),
    }
}

fn calculate(left: Numeric, operator: Operator, right: Numeric) -> Result<Numeric, Trouble> {
    use Numeric::{Float, Whole};
    let too_large = || Trouble::not_finite("the result is larger than any whole number here (64 bits)");
    let by_zero = || Trouble::not_finite("this divides by zero");
    let divides = matches!(operator, Operator::Divide | Operator::DivideWhole | Operator::Remainder);
    if divides && right.float() == 0.0 {
        return Err(by_zero());
    }
    Ok(match (operator, left, right) {
        (Operator::Add, Whole(left), Whole(right)) => Whole(left + right),
        (Operator::Subtract, Whole(left), Whole(right)) => Whole(left - right),
        (Operator::Multiply, Whole(left), Whole(right)) => {
            Whole(left.checked_mul(right).ok_or_else(too_large)?)
        }
        (Operator::DivideWhole, Whole(left), Whole(right)) => Whole(floor(left, right)),
        (Operator::Remainder, Whole(left), Whole(right)) => Whole(left - right * floor(left, right)),
        (Operator::Power, Whole(left), Whole(right)) if right >= 0 => {
            let exponent = u32::try_from(right).map_err(|_| too_large())?;
            Whole(left.checked_pow(exponent).ok_or_else(too_large)?)
        }
        (Operator::Add, ..) => Float(left.float() + right.float()),
        (Operator::Subtract, ..) => Float(left.float() - right.float()),
        (Operator::Multiply, ..) => Float(left.float() * right.float()),
        (Operator::DivideWhole, ..) => Float((left.float() / right.float()).floor()),
        (Operator::Remainder, ..) => {
            Float(left.float() - right.float() * (left.float() / right.float()).floor())
        }
        (Operator::Power, ..) => Float(left.float().powf(right.float())),
        // `Join` never comes here: it makes text of numbers.
        (Operator::Divide | Operator::Join, ..) => Float(left.float() / right.float()),
    })
}

/// Division towards minus infinity, as in Python and Jinja.
fn floor(left: i128, right: i128) -> i128 {
    let quotient = left / right;
    if left % right != 0 && (left < 0) != (right < 0) { quotient - 1 } else { quotient }
}

fn add<'v>(left: Worth<'v>, right: Worth<'v>) -> Result<Worth<'v>, Trouble> {
    if let (Some(left), Some(right)) = (left.text(), right.text()) {
        return Ok(Worth::from(format!("{left}{right}")));
    }
    let is_list = |worth: &Worth<'_>| {
        matches!(
            worth,
            Worth::List(_) | Worth::Json(Cow::Borrowed(Value::Array(_)) | Cow::Owned(Value::Array(_)))
        )
    };
    if is_list(&left) && is_list(&right) {
        let mut items = left.into_items()?;
        items.extend(right.into_items()?);
        return Ok(Worth::List(items));
    }
    of_time(left, Operator::Add, right)
}

fn repeat<'v>(left: Worth<'v>, right: Worth<'v>) -> Result<Worth<'v>, Trouble> {
    let (what, times) = if right.number().is_some() { (left, right) } else { (right, left) };
    let Some(count) = times.number().and_then(Number::as_i64) else {
        return of_time(what, Operator::Multiply, times);
    };
    let count = usize::try_from(count).unwrap_or(0);
    let too_long =
        || Trouble::budget(format!("this builds more than {} bytes", crate::limits::LOGIC_RESULT_BYTES));
    if let Some(text) = what.text() {
        let length =
            text.len().checked_mul(count).filter(|length| *length <= crate::limits::LOGIC_RESULT_BYTES);
        return length.map(|_| Worth::from(text.repeat(count))).ok_or_else(too_long);
    }
    if let Worth::Span(span) = what {
        let times = i32::try_from(count).map_err(|_| too_long())?;
        return span.checked_mul(times).map(Worth::Span).ok_or_else(too_long);
    }
    let weight =
        what.weight().checked_mul(count).filter(|weight| *weight <= crate::limits::LOGIC_RESULT_BYTES);
    let items = what
        .into_items()
        .map_err(|_| Trouble::types("this cannot be multiplied", "value|int makes a number of text"))?;
    let length = items
        .len()
        .checked_mul(count)
        .filter(|length| weight.is_some() && *length <= crate::limits::LOGIC_RANGE);
    let length = length.ok_or_else(too_long)?;
    Ok(Worth::List(items.into_iter().cycle().take(length).collect()))
}

fn of_time<'v>(left: Worth<'v>, operator: Operator, right: Worth<'v>) -> Result<Worth<'v>, Trouble> {
    let out_of_range = || Trouble::not_finite("this time is out of range");
    match (left, operator, right) {
        (Worth::Moment(moment), Operator::Add, Worth::Span(span))
        | (Worth::Span(span), Operator::Add, Worth::Moment(moment)) => {
            moment.checked_add(span).map(Worth::Moment).map_err(|_| out_of_range())
        }
        (Worth::Moment(moment), Operator::Subtract, Worth::Span(span)) => {
            moment.checked_sub(span).map(Worth::Moment).map_err(|_| out_of_range())
        }
        (Worth::Moment(left), Operator::Subtract, Worth::Moment(right)) => {
            Ok(Worth::Span(left.duration_since(right)))
        }
        (Worth::Span(left), Operator::Add, Worth::Span(right)) => {
            left.checked_add(right).map(Worth::Span).ok_or_else(out_of_range)
        }
        (Worth::Span(left), Operator::Subtract, Worth::Span(right)) => {
            left.checked_sub(right).map(Worth::Span).ok_or_else(out_of_range)
        }
        (Worth::Span(left), Operator::Divide, Worth::Span(right)) if !right.is_zero() => {
            Numeric::Float(left.as_secs_f64() / right.as_secs_f64()).into_value().map(Worth::from)
        }
        (left, operator, right) => Err(Trouble::types(
            format!("{} cannot be {} {}", left.noun(), word(operator), right.noun()),
            "value|int and value|float make numbers; ~ joins values to text",
        )),
    }
}

fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "added to",
        Operator::Subtract => "used with `-` and",
        Operator::Multiply => "multiplied by",
        Operator::Divide | Operator::DivideWhole => "divided by",
        Operator::Remainder => "used with `%` and",
        Operator::Power => "raised to",
        Operator::Join => "joined to",
    }
}
