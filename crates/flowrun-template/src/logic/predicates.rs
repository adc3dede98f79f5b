//! The tests after `is` (L-6): a closed list.

use std::cmp::Ordering;

use serde_json::Value;

use super::operators::Numeric;
use super::trouble::Trouble;
use super::worth::Worth;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Predicate {
    Defined,
    Undefined,
    None,
    Boolean,
    True,
    False,
    Integer,
    Float,
    Number,
    String,
    Sequence,
    Mapping,
    Odd,
    Even,
    DivisibleBy,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Containing,
    StartingWith,
    EndingWith,
    Lower,
    Upper,
}

/// Every test with the names it has, and how many arguments it takes.
const TABLE: [(Predicate, &[&str], usize); 27] = [
    (Predicate::Defined, &["defined"], 0),
    (Predicate::Undefined, &["undefined"], 0),
    (Predicate::None, &["none"], 0),
    (Predicate::Boolean, &["boolean"], 0),
    (Predicate::True, &["true"], 0),
    (Predicate::False, &["false"], 0),
    (Predicate::Integer, &["integer"], 0),
    (Predicate::Float, &["float"], 0),
    (Predicate::Number, &["number"], 0),
    (Predicate::String, &["string"], 0),
    (Predicate::Sequence, &["sequence", "iterable"], 0),
    (Predicate::Mapping, &["mapping"], 0),
    (Predicate::Odd, &["odd"], 0),
    (Predicate::Even, &["even"], 0),
    (Predicate::DivisibleBy, &["divisibleby"], 1),
    (Predicate::Equal, &["eq", "equalto", "=="], 1),
    (Predicate::NotEqual, &["ne", "!="], 1),
    (Predicate::Less, &["lt", "lessthan", "<"], 1),
    (Predicate::LessOrEqual, &["le", "<="], 1),
    (Predicate::Greater, &["gt", "greaterthan", ">"], 1),
    (Predicate::GreaterOrEqual, &["ge", ">="], 1),
    (Predicate::In, &["in"], 1),
    (Predicate::Containing, &["containing"], 1),
    (Predicate::StartingWith, &["startingwith"], 1),
    (Predicate::EndingWith, &["endingwith"], 1),
    (Predicate::Lower, &["lower"], 0),
    (Predicate::Upper, &["upper"], 0),
];

/// The names of every test.
pub(crate) fn all() -> impl Iterator<Item = &'static [&'static str]> {
    TABLE.iter().map(|(_, names, _)| *names)
}

impl Predicate {
    pub(crate) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1.contains(&name)).map(|row| row.0)
    }

    /// The names, for a message.
    pub(crate) fn names() -> String {
        TABLE.map(|row| row.1[0]).join(", ")
    }

    pub(crate) fn arguments(self) -> usize {
        TABLE.iter().find(|row| row.0 == self).map_or(0, |row| row.2)
    }

    /// Whether it holds for a value that is there.
    pub(crate) fn holds(self, value: &Worth<'_>, argument: Option<&Worth<'_>>) -> Result<bool, Trouble> {
        let json = value.json();
        let missing = || Trouble::argument("this test needs a value to compare with", "");
        let other = || argument.ok_or_else(missing);
        Ok(match self {
            Self::Defined => true,
            Self::Undefined => false,
            Self::None => json.is_some_and(Value::is_null),
            Self::Boolean => json.is_some_and(Value::is_boolean),
            Self::True => json == Some(&Value::Bool(true)),
            Self::False => json == Some(&Value::Bool(false)),
            Self::Integer => json.is_some_and(|json| json.is_i64() || json.is_u64()),
            Self::Float => json.is_some_and(Value::is_f64),
            Self::Number => json.is_some_and(Value::is_number),
            Self::String => json.is_some_and(Value::is_string),
            Self::Sequence => {
                json.is_none_or(Value::is_array) && matches!(value, Worth::List(_) | Worth::Json(_))
            }
            Self::Mapping => json.is_some_and(Value::is_object),
            Self::Odd => whole(value)? % 2 != 0,
            Self::Even => whole(value)? % 2 == 0,
            Self::DivisibleBy => match whole(other()?)? {
                0 => return Err(Trouble::not_finite("this divides by zero")),
                divisor => whole(value)? % divisor == 0,
            },
            Self::Equal => value.same(other()?),
            Self::NotEqual => !value.same(other()?),
            Self::Less => value.order(other()?)? == Ordering::Less,
            Self::LessOrEqual => value.order(other()?)? != Ordering::Greater,
            Self::Greater => value.order(other()?)? == Ordering::Greater,
            Self::GreaterOrEqual => value.order(other()?)? != Ordering::Less,
            Self::In => contains(other()?, value)?,
            Self::Containing => contains(value, other()?)?,
            Self::StartingWith => text(value)?.starts_with(text(other()?)?),
            Self::EndingWith => text(value)?.ends_with(text(other()?)?),
            Self::Lower => !text(value)?.chars().any(char::is_uppercase),
            Self::Upper => !text(value)?.chars().any(char::is_lowercase),
        })
    }
}

/// Whether a list has an element, a map a key, a text a part.
pub(crate) fn contains(container: &Worth<'_>, wanted: &Worth<'_>) -> Result<bool, Trouble> {
    match (container, container.json(), wanted.text()) {
        (Worth::List(items), ..) => Ok(items.iter().any(|item| item.same(wanted))),
        (_, Some(Value::Array(items)), _) => Ok(items.iter().any(|item| Worth::borrowed(item).same(wanted))),
        (_, Some(Value::Object(members)), Some(key)) => Ok(members.contains_key(key)),
        (_, Some(Value::String(text)), Some(part)) => Ok(text.contains(part)),
        _ => {
            let message = format!("{} cannot be looked for in {}", wanted.noun(), container.noun());
            Err(Trouble::types(message, "in a text stands text, in a map a key"))
        }
    }
}

fn whole(value: &Worth<'_>) -> Result<i128, Trouble> {
    match value.number().map(Numeric::of) {
        Some(Numeric::Whole(whole)) => Ok(whole),
        _ => Err(Trouble::types(format!("this needs a whole number, not {}", value.noun()), "value|int")),
    }
}

fn text<'w>(value: &'w Worth<'_>) -> Result<&'w str, Trouble> {
    value
        .text()
        .ok_or_else(|| Trouble::types(format!("this needs text, not {}", value.noun()), "value|string"))
}
