//! Where a text stands decides how values are escaped in it (N3).

use serde::{Deserialize, Serialize};

/// The place a text is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Plain text for a person or a log: nothing is escaped.
    Text,
    /// Plain text that only a service reads, as a request's body: nothing is escaped, and secrets may stand in it (N2).
    Body,
    /// A whole URL: origin, segments and query are each guarded by their own rule.
    Url,
    /// A header's value: visible ASCII, space and tab.
    Header,
    /// JSON text: escaped inside a string, serialised outside, and the result must parse.
    Json,
    /// `application/x-www-form-urlencoded` text: values are percent-encoded.
    Form,
    /// One leaf of a structure that is serialised later (`set`, `json`, `query`, `form`, outputs).
    Value,
}
