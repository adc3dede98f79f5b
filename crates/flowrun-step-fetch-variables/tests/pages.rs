//! `paginate` against services on loopback that page as real ones do: what each page is asked with, and when it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../../flowrun-http/tests/provider/house.rs"]
mod house;
#[path = "../../flowrun-http/tests/provider/mod.rs"]
mod provider;

use flowrun_step::ErasedStep;
use flowrun_step::serde_json::{Value, json};
use flowrun_step_fetch_variables::FetchVariables;
use provider::{Answer, Provider};

/// Fetches pages until there is no next one; the request line of each, and the items of all or what went wrong.
async fn pages(mut settings: Value, answer: fn(&str) -> Answer) -> (Vec<String>, Result<Vec<Value>, String>) {
    let provider = Provider::start(answer).await;
    settings["url"] = provider.url("/contacts?limit=2").into();
    let (mut cursor, mut all) = (None, Vec::new());
    let ended = loop {
        let page = ErasedStep::page(&FetchVariables, house::context(), settings.clone(), cursor).await;
        match page {
            Ok(page) if page.items.is_empty() => break Ok(all),
            Ok(page) => {
                all.extend(page.items);
                if page.next.is_none() {
                    break Ok(all);
                }
                cursor = page.next;
            }
            Err(error) => break Err(error.to_string()),
        }
    };
    let line = |request: &String| request.lines().next().unwrap_or_default().to_owned();
    let seen = provider.seen().iter().map(line).collect();
    (seen, ended)
}

fn is_asked(request: &str, part: &str) -> bool {
    request.contains(part)
}

/// HubSpot: `paging.next.after` goes into the query.
#[tokio::test]
async fn a_value_of_the_page_goes_into_the_query() {
    let paginate =
        json!({ "items": "results", "next": { "from": "paging.next.after", "to": "query.after" } });
    let answer = |request: &str| match is_asked(request, "after=c%2F2") {
        false => Answer::json(200, r#"{"results":[1,2],"paging":{"next":{"after":"c/2"}}}"#),
        true => Answer::json(200, r#"{"results":[3]}"#),
    };
    let (seen, all) = pages(json!({ "paginate": paginate }), answer).await;
    assert_eq!(all, Ok(vec![json!(1), json!(2), json!(3)]));
    assert_eq!(seen, ["GET /contacts?limit=2 HTTP/1.1", "GET /contacts?limit=2&after=c%2F2 HTTP/1.1"]);
}

/// Zoho CRM (Get Records): a token of the page beside `more_records`; it is null on the last.
#[tokio::test]
async fn a_token_of_the_page_goes_into_the_query_and_null_is_the_end() {
    let next = json!({ "from": "info.next_page_token", "to": "query.page_token" });
    let answer = |request: &str| match is_asked(request, "page_token=t2") {
        false => {
            Answer::json(200, r#"{"data":[{"id":"1"}],"info":{"more_records":true,"next_page_token":"t2"}}"#)
        }
        true => {
            Answer::json(200, r#"{"data":[{"id":"2"}],"info":{"more_records":false,"next_page_token":null}}"#)
        }
    };
    let (seen, all) = pages(json!({ "paginate": { "items": "data", "next": next } }), answer).await;
    assert_eq!(all, Ok(vec![json!({"id": "1"}), json!({"id": "2"})]));
    assert_eq!(seen, ["GET /contacts?limit=2 HTTP/1.1", "GET /contacts?limit=2&page_token=t2 HTTP/1.1"]);
}

/// Stripe (auto-pagination by hand): the next page starts after the last item of this one. Without `until: not item.has_more`
/// one page more is asked for, which is empty.
#[tokio::test]
async fn the_last_item_of_a_page_leads_to_the_next_one() {
    let next = json!({ "from": "data[-1].id", "to": "query.starting_after" });
    let answer = |request: &str| match (
        is_asked(request, "starting_after=ch_2"),
        is_asked(request, "starting_after=ch_3"),
    ) {
        (false, false) => Answer::json(200, r#"{"data":[{"id":"ch_1"},{"id":"ch_2"}],"has_more":true}"#),
        (true, _) => Answer::json(200, r#"{"data":[{"id":"ch_3"}],"has_more":false}"#),
        (_, true) => Answer::json(200, r#"{"data":[],"has_more":false}"#),
    };
    let (seen, all) = pages(json!({ "paginate": { "items": "data", "next": next } }), answer).await;
    let ids: Vec<String> = all.unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["ch_1", "ch_2", "ch_3"]);
    assert_eq!(seen.last().unwrap(), "GET /contacts?limit=2&starting_after=ch_3 HTTP/1.1");
}

/// Teamleader and others: a number of the page, here in the body of a POST that reads.
#[tokio::test]
async fn a_number_goes_into_the_body_and_an_empty_page_is_the_end() {
    let paginate = json!({ "items": "data", "next": { "page": "json.page.number", "start": 0, "step": 10 } });
    let answer = |request: &str| match is_asked(request, r#"{"page":{"size":10,"number":20}}"#) {
        false => Answer::json(200, r#"{"data":[{"id":1}]}"#),
        true => Answer::json(200, r#"{"data":[]}"#),
    };
    let settings = json!({ "method": "POST", "json": { "page": { "size": 10 } }, "paginate": paginate });
    let (seen, all) = pages(settings, answer).await;
    assert_eq!((seen.len(), all.unwrap().len()), (3, 2));
}

/// GitHub: RFC 8288's `Link`, whose URL says everything.
#[tokio::test]
async fn the_link_of_the_header_is_followed_as_it_is() {
    let paginate = json!({ "items": "$", "next": "link" });
    let answer = |request: &str| match is_asked(request, "page=2") {
        false => Answer::of(200, &[("link", "</contacts?page=2>; rel=\"next\", <x>; rel=\"last\"")], "[1]"),
        true => Answer::of(200, &[("link", "</contacts?page=1>; rel=\"prev\"")], "[2]"),
    };
    let (seen, all) = pages(json!({ "query": { "state": "open" }, "paginate": paginate }), answer).await;
    assert_eq!(all, Ok(vec![json!(1), json!(2)]));
    assert_eq!(seen, ["GET /contacts?limit=2&state=open HTTP/1.1", "GET /contacts?page=2 HTTP/1.1"]);
}

/// Zendesk and Salesforce: the URL of the next page is in the body, absolute or not; null or nothing is the end.
#[tokio::test]
async fn a_url_in_the_body_is_followed_and_null_is_the_end() {
    let paginate = json!({ "items": "users", "next": "next_page" });
    let answer = |request: &str| match is_asked(request, "/more") {
        false => Answer::json(200, r#"{"users":[1],"next_page":"/more?x=1"}"#),
        true => Answer::json(200, r#"{"users":[2],"next_page":null}"#),
    };
    let (seen, all) = pages(json!({ "paginate": paginate }), answer).await;
    assert_eq!((seen.len(), all), (2, Ok(vec![json!(1), json!(2)])));
}

/// N1: a reply cannot send a request, and the credential with it, to another place.
#[tokio::test]
async fn a_next_page_at_another_host_is_refused_n1() {
    let paginate = json!({ "items": "users", "next": "next_page" });
    let answer = |_: &str| Answer::json(200, r#"{"users":[1],"next_page":"https://evil.example/users"}"#);
    let (seen, all) = pages(json!({ "paginate": paginate }), answer).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(all, Err("the next page is said to be at evil.example, and the first was not".to_owned()));
}

#[tokio::test]
async fn a_page_without_items_where_they_should_be_says_where_it_looked() {
    let paginate = json!({ "items": "data.contacts", "next": "link" });
    let (_, all) = pages(json!({ "paginate": paginate }), |_| Answer::json(200, r#"{"data":{}}"#)).await;
    assert_eq!(all, Err("the page has nothing at `data.contacts`, where its items should be".to_owned()));
    let paginate = json!({ "items": "data", "next": "link" });
    let (_, all) = pages(json!({ "paginate": paginate }), |_| Answer::json(200, r#"{"data":{}}"#)).await;
    assert_eq!(all, Err("what the page has at `data` is no list".to_owned()));
}
