//! The values of a query and a form: texts, numbers, truths, lists of them, or nothing.

use indexmap::IndexMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Number;
use url::{Url, form_urlencoded};

/// Keys with their values, in the author's order; null stands for leaving the key out.
pub(crate) type Fields = IndexMap<String, Option<Field>>;

/// One key's value.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected text, a number, true, false, null, or a list of texts and numbers")]
#[schemars(inline)]
pub enum Field {
    /// The key stands once.
    One(Scalar),
    /// The key stands once for each.
    Many(Vec<Scalar>),
}

/// A value that has one way to be written.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A number, written as JSON writes it.
    Number(Number),
    /// `true` or `false`.
    Truth(bool),
}

impl Field {
    fn values(&self) -> &[Scalar] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl Scalar {
    fn written(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

/// Everything but RFC 3986's unreserved characters: no server reads `%20` wrongly, some read `+` so.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Puts the fields into the URL's query: a key replaces what the URL had under it, null removes it.
pub(crate) fn merge_query(url: &mut Url, fields: &Fields) {
    if fields.is_empty() {
        return;
    }
    let kept = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_replaced(pair, fields));
    let mut parts: Vec<String> = kept.map(str::to_owned).collect();
    parts.extend(pairs(fields).map(|(key, value)| {
        format!("{}={}", utf8_percent_encode(key, QUERY), utf8_percent_encode(&value, QUERY))
    }));
    url.set_query((!parts.is_empty()).then(|| parts.join("&")).as_deref());
}

/// The fields as `application/x-www-form-urlencoded`.
pub(crate) fn to_form(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs(fields)).finish()
}

fn is_replaced(pair: &str, fields: &Fields) -> bool {
    form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(key, _)| fields.contains_key(key.as_ref()))
}

fn pairs(fields: &Fields) -> impl Iterator<Item = (&str, String)> {
    let present = fields.iter().filter_map(|(key, field)| Some((key, field.as_ref()?)));
    present.flat_map(|(key, field)| field.values().iter().map(|value| (key.as_str(), value.written())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(url: &str, fields: serde_json::Value, expected: &str) {
        let mut url = Url::parse(url).unwrap();
        merge_query(&mut url, &serde_json::from_value(fields).unwrap());
        assert_eq!(url.as_str(), expected);
    }

    #[test]
    fn a_query_is_merged_into_the_urls() {
        check(
            "https://a.example/b",
            json!({"q": "x y", "n": 3, "f": true}),
            "https://a.example/b?q=x%20y&n=3&f=true",
        );
        check("https://a.example/b?z=1", json!({"q": "&="}), "https://a.example/b?z=1&q=%26%3D");
        check("https://a.example/b?q=1&z=%20", json!({"q": 2}), "https://a.example/b?z=%20&q=2");
    }

    #[test]
    fn null_drops_the_key_and_a_list_repeats_it() {
        check("https://a.example/?a=1", json!({"a": null, "b": null}), "https://a.example/");
        check("https://a.example/", json!({"id": [1, "2", false]}), "https://a.example/?id=1&id=2&id=false");
        check("https://a.example/", json!({"id": []}), "https://a.example/");
    }

    #[test]
    fn a_form_encodes_what_could_be_read_as_structure_n3() {
        let fields: Fields =
            serde_json::from_value(json!({"a b": "1&b=2", "quote": "\"'", "none": null})).unwrap();
        assert_eq!(to_form(&fields), "a+b=1%26b%3D2&quote=%22%27");
    }

    #[test]
    fn a_map_is_no_value_of_a_query() {
        let error = serde_json::from_value::<Fields>(json!({"a": {"b": 1}})).unwrap_err();
        assert!(error.to_string().starts_with("expected text, a number"), "{error}");
    }

    proptest! {
        #[test]
        fn any_query_reads_back_and_leaves_the_rest_of_the_url_alone_t9(
            pairs in proptest::collection::vec((any::<String>(), any::<String>()), 0..6),
        ) {
            let fields: Fields = pairs.into_iter().map(|(key, value)| (key, Some(Field::One(Scalar::Text(value))))).collect();
            let mut url = Url::parse("https://api.example.com:8443/a/b").unwrap();
            merge_query(&mut url, &fields);
            let reparsed = Url::parse(url.as_str()).unwrap();
            let read: Vec<(String, String)> = reparsed.query_pairs().into_owned().collect();
            let written: Vec<(String, String)> = super::pairs(&fields).map(|(key, value)| (key.to_owned(), value)).collect();
            prop_assert_eq!(read, written);
            prop_assert_eq!((reparsed.origin(), reparsed.path(), reparsed.fragment()), (url.origin(), "/a/b", None));
        }
    }
}
