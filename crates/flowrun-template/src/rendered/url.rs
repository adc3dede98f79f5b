//! The rules of a URL (N3): a value can never change where a request goes.
//!
//! The author's literal text decides origin, segments and their number. Values arrive percent-encoded, so that
//! none of them holds a separator; what is checked here is the rest: a base that is more than a base, and
//! segments that vanish (empty) or climb (`.`, `..`), which URL parsers fold away silently.

use std::ops::Range;

use percent_encoding::percent_decode_str;
use url::Url;

use super::Piece;

/// Why a URL is refused; worded for an author.
pub(crate) type Refusal = &'static str;

/// The base at the start of a URL: an absolute http(s) origin, perhaps with a path; without its last slash.
pub(crate) fn origin(text: &str) -> Result<String, Refusal> {
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("the base of a URL has a blank, a control character or a backslash");
    }
    let url = Url::parse(text)
        .map_err(|_| "the base of a URL is not an absolute URL such as https://api.example.com")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the base of a URL is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err("the base of a URL has a user or password in it");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the base of a URL has a query or a fragment");
    }
    if text[path_of(text)].split('/').any(climbs) {
        return Err("the base of a URL has a `.` or `..` segment");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Joins the pieces to a URL and proves that no value changed its route.
pub(crate) fn assemble(pieces: &[Piece<'_>]) -> Result<String, Refusal> {
    let mut joined = String::with_capacity(pieces.iter().map(|piece| piece.text().len()).sum());
    let mut values = Vec::new();
    for piece in pieces {
        if matches!(piece, Piece::Value(_)) {
            values.push(joined.len()..joined.len() + piece.text().len());
        }
        joined.push_str(piece.text());
    }
    let path = &joined[path_of(&joined)];
    let mut at = path_of(&joined).start;
    for segment in path.split('/') {
        let end = at + segment.len();
        let rendered = values.iter().any(|value| value.start >= at && value.end <= end);
        if rendered && segment.is_empty() {
            return Err("a value leaves a segment of the URL empty");
        }
        if climbs(segment) {
            return Err("a segment of the URL is `.` or `..`");
        }
        at = end + 1;
    }
    let url = Url::parse(&joined).map_err(|_| "this is not a URL")?;
    // What the parser reads must be what was written: nothing folded, nothing moved.
    let same_path = url.path() == path || (path.is_empty() && url.path() == "/");
    let same_origin = joined.starts_with(url.origin().ascii_serialization().as_str());
    if same_path && same_origin && url.username().is_empty() {
        Ok(joined)
    } else {
        Err("a value changes the route of the URL")
    }
}

/// Where in an absolute URL its path stands, as it is written.
pub(crate) fn path_of(url: &str) -> Range<usize> {
    let authority = url.find("://").map_or(url.len(), |at| at + 3);
    let start = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
    let end = url[start..].find(['?', '#']).map_or(url.len(), |at| start + at);
    start..end
}

/// Whether a URL parser would take the segment for `.` or `..`, however it is encoded.
fn climbs(segment: &str) -> bool {
    segment.len() <= 6 && {
        let decoded: Vec<u8> = percent_decode_str(segment).collect();
        matches!(decoded.as_slice(), b"." | b"..")
    }
}
