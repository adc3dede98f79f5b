//! Which status codes are success: `2xx`, `200-204`, `404`, or a list of these.

use std::ops::RangeInclusive;

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The status codes an author counts as success.
///
/// # Example
/// ```
/// use flowrun_http::Expect;
/// let expect: Expect = serde_json::from_value(serde_json::json!(["2xx", 404])).unwrap();
/// assert!(expect.admits(http::StatusCode::NOT_FOUND));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Expect(Vec<RangeInclusive<u16>>);

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a status code, a class such as 2xx, a range such as 200-204, or a list"
)]
enum Written {
    One(Code),
    Many(Vec<Code>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u16),
    Text(String),
}

/// A text that names no status codes.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` names no status codes: write 200, 2xx or 200-204")]
struct NoStatus(String);

impl Expect {
    /// Whether the status is success.
    #[must_use]
    pub fn admits(&self, status: StatusCode) -> bool {
        self.0.iter().any(|range| range.contains(&status.as_u16()))
    }
}

impl Default for Expect {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl TryFrom<Written> for Expect {
    type Error = NoStatus;

    fn try_from(written: Written) -> Result<Self, NoStatus> {
        let codes = match written {
            Written::One(code) => vec![code],
            Written::Many(codes) => codes,
        };
        codes.into_iter().map(range).collect::<Result<_, _>>().map(Self)
    }
}

fn range(code: Code) -> Result<RangeInclusive<u16>, NoStatus> {
    let text = match code {
        Code::Number(number) => number.to_string(),
        Code::Text(text) => text,
    };
    parse(&text).ok_or(NoStatus(text))
}

fn parse(text: &str) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| text.parse().ok().filter(|code| (100..600).contains(code));
    if let Some(class) = text.strip_suffix("xx") {
        let first = code(&format!("{class}00"))?;
        return Some(first..=first + 99);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = code(first)?..=code(last)?;
    (!range.is_empty()).then_some(range)
}

impl JsonSchema for Expect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expect".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = serde_json::json!([
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": "^[1-5](xx|[0-9]{2}(-[1-5][0-9]{2})?)$" },
        ]);
        json_schema!({
            "anyOf": [{ "anyOf": one }, { "type": "array", "minItems": 1, "items": { "anyOf": one } }],
            "default": "2xx",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(written: Value, admitted: &[u16], others: &[u16]) {
        let expect: Expect = serde_json::from_value(written.clone()).unwrap();
        let admits = |code: &u16| expect.admits(StatusCode::from_u16(*code).unwrap());
        assert!(admitted.iter().all(admits), "{written} admits {admitted:?}");
        assert!(!others.iter().any(admits), "{written} admits none of {others:?}");
    }

    #[test]
    fn codes_classes_ranges_and_lists_of_them_are_success() {
        check(json!(200), &[200], &[201, 199]);
        check(json!("404"), &[404], &[403]);
        check(json!("2xx"), &[200, 299], &[199, 300]);
        check(json!("200-204"), &[200, 204], &[205]);
        check(json!(["2xx", 404]), &[204, 404], &[400, 500]);
    }

    #[test]
    fn what_names_no_status_is_said_so() {
        for text in ["", "xx", "6xx", "99", "600", "204-200", "2XX", "ok"] {
            let error = serde_json::from_value::<Expect>(json!(text)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{text}` names no status codes: write 200, 2xx or 200-204")
            );
        }
    }
}
