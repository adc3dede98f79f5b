//! `paginate`: where a reply has its items, and how the next page is asked for.
//!
//! A page is one request. What follows it is told by its body, by its `Link` header (RFC 8288) or by counting; the engine
//! counts pages and ends them, see [`flowrun_step::Step::page`].

use flowrun_step::{Draft, Finding, Page, Reply, StepContext, StepError};
use flowrun_template::{Path, Picked};
use http::{HeaderMap, header};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::call::Call;
use crate::field::{Field, Scalar};
use crate::reply::read_json;
use crate::request::Defaults;

/// How a reply goes on over pages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Paginate {
    /// Where in a page its items are: `data`.
    pub items: String,
    /// Where the next page is: a path to its URL, `link` for the header, `{from, to}` for a value that goes into the
    /// query or the JSON body, `{page, start, step}` for a number.
    pub next: Next,
    /// Ends it: an expression over the page, which is called `item`.
    #[serde(default)]
    #[schemars(with = "String", extend("x-flowrun" = "until"))]
    pub until: Option<String>,
    /// The most pages; more are an error.
    #[serde(default = "max_pages")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_pages: u64,
}

/// Where the next page is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a path, `link`, {from, to} or {page, start, step}")]
#[schemars(inline)]
pub enum Next {
    /// Under this path in the body, as a URL; or `link`.
    Url(String),
    /// A value of the body that goes into the next request.
    Value(Carried),
    /// The number of the page goes into each request.
    Number(Numbered),
}

/// A value of a page that goes into the next request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Carried {
    /// Its path in the body.
    pub from: String,
    /// Where it goes: `query.cursor` or `json.page.after`.
    pub to: String,
}

/// A number that goes into each request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Numbered {
    /// Where it goes: `query.page` or `json.offset`.
    pub page: String,
    /// The number of the first page.
    #[serde(default = "one")]
    pub start: i64,
    /// How much is added for each.
    #[serde(default = "one")]
    pub step: i64,
}

const fn max_pages() -> u64 {
    100
}

const fn one() -> i64 {
    1
}

impl Defaults {
    /// Fetches one page: the first without a cursor, each other with that of the page before.
    ///
    /// # Errors
    /// As [`Defaults::exchange`]; `Refused` when the next page is somewhere else than the first; `Missing` and `Type` when
    /// the page has no list of items where it should.
    pub async fn page(
        &self,
        call: &Call,
        cx: &StepContext,
        cursor: Option<Value>,
    ) -> Result<Page, StepError> {
        let Some(paginate) = &call.paginate else {
            return Err(StepError::Type { what: "the step has no `paginate`".to_owned() });
        };
        let call = paginate.turned(call, cursor.as_ref())?;
        let reply = self.exchange(&call, cx).await?;
        let body = read_json(&reply)?;
        let items = paginate.items(&body)?;
        let next = paginate.next(&body, &reply, cursor.as_ref())?;
        Ok(Page { items, next, body })
    }
}

impl Paginate {
    /// The call of the page that the cursor leads to.
    fn turned(&self, call: &Call, cursor: Option<&Value>) -> Result<Call, StepError> {
        let mut turned = call.clone();
        match (&self.next, cursor) {
            (Next::Number(numbered), cursor) => {
                let number = cursor.cloned().unwrap_or_else(|| numbered.start.into());
                put(&mut turned, &numbered.page, number)?;
            }
            (_, None) => {}
            (Next::Url(_), Some(cursor)) => {
                turned.url = same_place(&call.url, cursor.as_str().unwrap_or_default())?;
                // What the first page was asked with, the next one's URL says by itself.
                turned.query = IndexMap::new();
            }
            (Next::Value(carried), Some(cursor)) => put(&mut turned, &carried.to, cursor.clone())?,
        }
        Ok(turned)
    }

    fn items(&self, body: &Value) -> Result<Vec<Value>, StepError> {
        match path(&self.items)?.pick(body).map_err(|error| StepError::Type { what: error.message })? {
            Picked::One(Value::Array(items)) => Ok(items.clone()),
            Picked::Many(items) => Ok(items.into_iter().cloned().collect()),
            Picked::One(Value::Null) => Ok(Vec::new()),
            Picked::Missing if body.is_null() => Ok(Vec::new()),
            Picked::Missing => Err(StepError::Missing {
                what: format!("the page has nothing at `{}`, where its items should be", self.items),
            }),
            Picked::One(_) => {
                Err(StepError::Type { what: format!("what the page has at `{}` is no list", self.items) })
            }
        }
    }

    /// What leads to the page after this one.
    fn next(&self, body: &Value, reply: &Reply, cursor: Option<&Value>) -> Result<Option<Value>, StepError> {
        let from = |source: &str| -> Result<Option<Value>, StepError> {
            let found = match path(source)?.pick(body) {
                Ok(Picked::One(value)) => Some(value.clone()),
                _ => None,
            };
            // Nothing leads on from an empty text, null or false.
            let leads = |value: &Value| match value {
                Value::Null | Value::Bool(false) => false,
                Value::String(text) => !text.is_empty(),
                _ => true,
            };
            Ok(found.filter(leads))
        };
        match &self.next {
            Next::Url(link) if link == "link" => Ok(linked(&reply.headers, &reply.url).map(Value::from)),
            Next::Url(source) => Ok(from(source)?.and_then(|url| {
                let url = url.as_str()?;
                Some(Value::from(reply.url.join(url).ok()?.as_str()))
            })),
            Next::Value(carried) => from(&carried.from),
            Next::Number(numbered) => {
                let number = cursor.and_then(Value::as_i64).unwrap_or(numbered.start);
                Ok(number.checked_add(numbered.step).map(Value::from))
            }
        }
    }
}

fn path(source: &str) -> Result<Path, StepError> {
    Path::compile(source).map_err(|error| StepError::Type { what: format!("`{source}`: {}", error.message) })
}

/// The next page is where the first was: a credential goes nowhere else because a reply says so (N1).
fn same_place(first: &str, next: &str) -> Result<String, StepError> {
    let parse = |url: &str| {
        Url::parse(url).map_err(|error| StepError::Type { what: format!("the url is not one: {error}") })
    };
    let (first, next) = (parse(first)?, parse(next)?);
    if first.origin() == next.origin() {
        return Ok(next.into());
    }
    let host = next.host_str().unwrap_or_default();
    Err(StepError::Refused {
        reason: format!("the next page is said to be at {host}, and the first was not"),
        help: "a page after the first must have the same scheme, host and port".to_owned(),
    })
}

/// Puts a value into the query or the JSON body.
fn put(call: &mut Call, to: &str, value: Value) -> Result<(), StepError> {
    let unfit =
        || StepError::Type { what: format!("what the page gives for `{to}` is neither text nor a number") };
    match to.split_once('.') {
        Some(("query", name)) => {
            let scalar = match value {
                Value::String(text) => Scalar::Text(text),
                Value::Number(number) => Scalar::Number(number),
                Value::Bool(truth) => Scalar::Truth(truth),
                _ => return Err(unfit()),
            };
            call.query.insert(name.to_owned(), Some(Field::One(scalar)));
            Ok(())
        }
        Some(("json", names)) => {
            let mut at = call.json.get_or_insert_with(|| Value::Object(Map::new()));
            for name in names.split('.') {
                let Value::Object(members) = at else {
                    return Err(StepError::Type {
                        what: format!("the `json` of the step has no place for `{to}`"),
                    });
                };
                at = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
            }
            *at = value;
            Ok(())
        }
        _ => Err(StepError::Type { what: format!("`{to}` is neither `query.NAME` nor `json.PATH`") }),
    }
}

/// The URL of `rel="next"` in `Link` (RFC 8288, 3), against the page's own.
fn linked(headers: &HeaderMap, page: &Url) -> Option<String> {
    let values = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let next = values.flat_map(links).find(|(_, parameters)| is_next(parameters))?.0;
    Some(page.join(next).ok()?.into())
}

/// Each `<URL>; parameters` of a header.
fn links(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split('<').skip(1).filter_map(|link| link.split_once('>'))
}

fn is_next(parameters: &str) -> bool {
    parameters.split([';', ',']).any(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let relations = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().eq_ignore_ascii_case("rel") && relations.split_ascii_whitespace().any(|rel| rel == "next")
    })
}

/// What is wrong with `paginate` as written.
pub(crate) fn check(draft: &Draft<'_>) -> Vec<Finding> {
    let Some(written) = draft.source().get("paginate") else { return Vec::new() };
    let text = |at: &[&str]| {
        let found = at.iter().try_fold(written, |value, key| value.get(key))?;
        Some((format!("paginate.{}", at.join(".")), found.as_str()?))
    };
    let paths = [text(&["items"]), text(&["next"]), text(&["next", "from"])];
    let wrong_path = paths.into_iter().flatten().filter_map(|(at, source)| {
        let error = Path::compile(source).err()?;
        let help = error.help.or_else(|| Some("write it as in: data.contacts".to_owned()));
        Some(Finding { path: at, message: error.message, help })
    });
    let places = [text(&["next", "to"]), text(&["next", "page"])];
    let wrong_place = places.into_iter().flatten().filter_map(|(at, to)| {
        let is_place = to.split_once('.').is_some_and(|(root, rest)| {
            matches!(root, "query" | "json") && !rest.is_empty() && (root == "json" || !rest.contains('.'))
        });
        let message = format!("`{to}` is neither `query.NAME` nor `json.PATH`");
        (!is_place).then(|| Finding {
            path: at,
            message,
            help: Some("query.page, or json.page.after".to_owned()),
        })
    });
    let leads = [text(&["next"]), text(&["next", "from"])];
    let many = leads.into_iter().flatten().filter_map(|(at, source)| {
        // What gives a list, perhaps of one, would end the pages silently.
        let message = format!("`{source}` gives a list, and one value leads to the next page");
        let help = Some("name one: data[-1].id is that of the last item".to_owned());
        Path::compile(source).is_ok_and(|path| !path.is_singular()).then_some(Finding {
            path: at,
            message,
            help,
        })
    });
    wrong_path.chain(many).chain(wrong_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn links_to(header: &str, expected: Option<&str>) {
        let headers = [(header::LINK, header.parse().unwrap())].into_iter().collect();
        let page = "https://api.example.com/a/b?page=1".parse().unwrap();
        assert_eq!(linked(&headers, &page).as_deref(), expected, "{header}");
    }

    /// RFC 8288, 3: several links in one header, quoted or not, several relations in one link, relative URLs.
    #[test]
    fn the_next_link_is_found_among_others() {
        let next = Some("https://api.example.com/a/b?page=2");
        links_to("<https://api.example.com/a/b?page=2>; rel=\"next\"", next);
        links_to("<https://api.example.com/x>; rel=last, <?page=2>; title=\"a; b\"; rel=\"prev NEXT\"", next);
        links_to("</a/b?page=2>;rel=next", next);
        links_to("<https://api.example.com/x>; rel=\"last\"", None);
        links_to("rel=next", None);
    }

    #[test]
    fn a_page_elsewhere_is_refused_n1() {
        for (next, is_same) in [
            ("https://api.example.com/b", true),
            ("https://evil.example/b", false),
            ("http://api.example.com/b", false),
            ("https://api.example.com:8443/b", false),
        ] {
            assert_eq!(same_place("https://api.example.com/a", next).is_ok(), is_same, "{next}");
        }
    }
}
