//! What was expected beside what came: line by line, the expected with `-`, the actual with `+`.

use serde_json::Value;

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Both have it.
    Both(String),
    /// Only the case has it.
    Expected(String),
    /// Only the run has it.
    Actual(String),
}

impl Line {
    /// The line as it is shown.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Both(line) => format!("  {line}"),
            Self::Expected(line) => format!("- {line}"),
            Self::Actual(line) => format!("+ {line}"),
        }
    }
}

/// The difference of two lists, if there is one; what stands alike at both ends is common to them.
pub(super) fn lines(expected: &[String], actual: &[String]) -> Option<Vec<Line>> {
    if expected == actual {
        return None;
    }
    let alike = |(one, other): &(&String, &String)| one == other;
    let start = expected.iter().zip(actual).take_while(alike).count();
    let (expected_rest, actual_rest) = (&expected[start..], &actual[start..]);
    let end = expected_rest.iter().rev().zip(actual_rest.iter().rev()).take_while(alike).count();
    let both = |lines: &[String]| lines.iter().cloned().map(Line::Both).collect::<Vec<_>>();
    let mut all = both(&expected[..start]);
    all.extend(expected_rest[..expected_rest.len() - end].iter().cloned().map(Line::Expected));
    all.extend(actual_rest[..actual_rest.len() - end].iter().cloned().map(Line::Actual));
    all.extend(both(&expected_rest[expected_rest.len() - end..]));
    Some(all)
}

/// Whether two values are the same; `1` and `1.0` are.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(key, value): (&String, &Value)| other.get(key).is_some_and(|it| same(value, it));
            one.len() == other.len() && one.iter().all(has)
        }
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Whether a value holds what is expected: a map may have further keys, at any depth.
pub(super) fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| value.get(key).is_some_and(|value| holds(value, expected)))
        }
        (Value::Array(value), Value::Array(expected)) => {
            value.len() == expected.len() && value.iter().zip(expected).all(|(value, it)| holds(value, it))
        }
        _ => same(value, expected),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(expected: &[&str], actual: &[&str], shown: &[&str]) {
        let owned = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let lines = lines(&owned(expected), &owned(actual)).unwrap_or_default();
        assert_eq!(lines.iter().map(Line::shown).collect::<Vec<_>>(), shown);
    }

    #[test]
    fn a_difference_shows_what_both_have_once() {
        check(&["a", "b", "c"], &["a", "x", "c"], &["  a", "- b", "+ x", "  c"]);
        check(&["a"], &["a", "a"], &["  a", "+ a"]);
        check(&["a", "b"], &[], &["- a", "- b"]);
        check(&["a"], &["a"], &[]);
    }

    #[test]
    fn a_body_may_hold_more_than_is_expected_and_outputs_may_not() {
        let body = json!({"a": 1, "b": {"c": [2.0, {"d": 1, "e": 2}]}});
        for (expected, does_hold) in [
            (json!({"b": {"c": [2, {"d": 1}]}}), true),
            (json!({"b": {"c": [2]}}), false),
            (json!({"x": null}), false),
        ] {
            assert_eq!(holds(&body, &expected), does_hold, "{expected}");
            assert!(!same(&body, &expected), "{expected}");
        }
        assert!(same(&json!({"a": 1, "b": [2]}), &json!({"b": [2.0], "a": 1})));
    }
}
