//! A request as the providers see it, and what they answer: plain values, no sockets.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

/// Names and values of a query, a form or a flat JSON object, in the order they came.
#[derive(Default, Clone)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text, such as a query.
    pub(crate) fn from_form(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// Reads the strings and numbers of a JSON object; anything else has no names to give.
    pub(crate) fn from_json(text: &[u8]) -> Self {
        let Ok(Value::Object(members)) = serde_json::from_slice(text) else { return Self::default() };
        let plain = |value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Self(members.into_iter().filter_map(|(name, value)| Some((name, plain(value)?))).collect())
    }

    /// The value of this name, unless it is empty or given twice (RFC 6749 section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next().filter(|value| !value.is_empty());
        if values.next().is_some() { None } else { first }
    }

    /// These and others, which come after.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

/// One request to one host of the sandbox.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Params,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Why no provider is asked: the request is for another host, or too large.
    pub(crate) fault: Option<StatusCode>,
}

impl Call {
    /// The body's names and values, whether it is a form or JSON.
    pub(crate) fn body_params(&self) -> Params {
        if self.header(&header::CONTENT_TYPE).is_some_and(|kind| kind.contains("json")) {
            Params::from_json(&self.body)
        } else {
            Params::from_form(&self.body)
        }
    }

    /// The credentials of the `Authorization` header, if its scheme is this one (RFC 9110 section 11.1).
    pub(crate) fn credentials(&self, scheme: &str) -> Option<&str> {
        let (given, credentials) = self.header(&header::AUTHORIZATION)?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
    }

    /// The value of this cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.header(&header::COOKIE)?;
        let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a provider answers.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether the request was turned down; Zoho does so with status 200.
    pub(crate) refused: bool,
}

impl Reply {
    /// This JSON; a status of 400 or more counts as refused.
    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        let reply = Self::new(status, value.to_string().into_bytes());
        reply.with(header::CONTENT_TYPE, "application/json;charset=UTF-8")
    }

    /// No body at all.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::new(status, Vec::new())
    }

    /// A page for a person.
    pub(crate) fn html(status: StatusCode, page: String) -> Self {
        Self::new(status, page.into_bytes()).with(header::CONTENT_TYPE, "text/html;charset=UTF-8")
    }

    /// The same reply with one more header; a value that is no header value is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same reply, counted as refused whatever its status.
    pub(crate) fn into_refusal(mut self) -> Self {
        self.refused = true;
        self
    }

    fn new(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, headers: HeaderMap::new(), body, refused: status.as_u16() >= 400 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 section 3.1: "parameters MUST NOT be included more than once".
    #[test]
    fn a_parameter_given_twice_or_without_a_value_is_not_given() {
        let params = Params::from_form(b"code=a&code=b&state=&scope=x%20y");
        assert_eq!((params.get("code"), params.get("state"), params.get("scope")), (None, None, Some("x y")));
    }

    #[test]
    fn a_json_body_gives_its_strings_and_numbers() {
        let params = Params::from_json(br#"{"id":42,"name":"x","tags":[1],"none":null}"#);
        assert_eq!((params.get("id"), params.get("name")), (Some("42"), Some("x")));
        assert_eq!((params.get("tags"), params.get("none")), (None, None));
    }
}
