//! What happens around a run, one way a scene: what the provider does, and how flowrun ends.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::loopback::reply;
use crate::provider::Sent;

type Answer = fn(&Sent<'_>) -> Option<String>;

/// One way things can go.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// What the token endpoint does, once an authorization has gone well.
    pub(crate) token: Answer,
    /// What the API does.
    pub(crate) api: Answer,
    /// Whether the token endpoint behaves so to the authorization too.
    pub(crate) spoils_exchange: bool,
    /// The exit code of the authorization.
    pub(crate) exchange_ends: i32,
    /// The exit code of the run.
    pub(crate) run_ends: i32,
}

/// What the API may do. The first is the scene in which all goes well.
pub(crate) const CALLS: &[Scene] = &[
    api("all goes well, and the API repeats what it is sent", repeat, 0),
    api("the API fails", |sent| reply("500 Internal Server Error", "", &echoed(sent)), 1),
    api("the API refuses every token", |sent| reply("401 Unauthorized", "", &echoed(sent)), 1),
    api("the API wants another scope", insufficient, 1),
    api("the API's reply is no JSON", |sent| reply("200 OK", "", &sent.echo), 1),
    api(
        "the API's reply has other fields",
        |sent| reply("200 OK", "", &json!({&sent.words: sent.words}).to_string()),
        1,
    ),
    api("the API's reply is too large", |sent| reply("200 OK", "", &sent.echo.repeat(200)), 1),
    api("the API sends elsewhere", elsewhere, 1),
    api("the API hangs up", |_| None, 1),
    api("the API is too slow", slow, 1),
    api("the API says nothing of HTTP", |sent| Some(sent.echo.clone()), 1),
];

/// What may become of a refresh, the token having expired.
pub(crate) const REFRESHES: &[Scene] = &[
    refresh("the refresh is refused", |sent| refused(sent, "400 Bad Request", "invalid_grant"), 1),
    refresh("the client is refused", |sent| refused(sent, "401 Unauthorized", "invalid_client"), 1),
    refresh("the refresh is refused with status 200", |sent| refused(sent, "200 OK", "invalid_code"), 1),
    refresh("the token endpoint fails", |sent| refused(sent, "503 Service Unavailable", "server_error"), 1),
    refresh(
        "the token endpoint answers a page",
        |sent| reply("200 OK", "", &format!("<p>{}{}", sent.echo, sent.grant)),
        1,
    ),
    refresh(
        "the token endpoint answers half",
        |sent| reply("200 OK", "", &sent.grant[..sent.grant.len() - 4]),
        1,
    ),
    refresh(
        "the token would break a header",
        |sent| reply("200 OK", "", &sent.grant.replace("+~\"", "+~\\r\\nX: 1\"")),
        1,
    ),
    refresh(
        "the token is of another type",
        |sent| reply("200 OK", "", &sent.grant.replace("Bearer", "mac")),
        1,
    ),
    refresh("the token endpoint sends elsewhere", elsewhere, 1),
    refresh("the token endpoint hangs up", |_| None, 1),
];

/// What may become of an authorization, so that there is nothing to run with.
pub(crate) const EXCHANGES: &[Scene] = &[
    exchange("the code is refused", |sent| refused(sent, "400 Bad Request", "invalid_grant")),
    exchange("the exchange answers a page", |sent| {
        reply("200 OK", "", &format!("<p>{}{}", sent.echo, sent.grant))
    }),
    exchange("the exchange hangs up", |_| None),
    exchange("the exchange sends elsewhere", elsewhere),
];

const fn api(name: &'static str, api: Answer, run_ends: i32) -> Scene {
    Scene {
        name,
        token: |sent| reply("200 OK", "", &sent.grant),
        api,
        spoils_exchange: false,
        exchange_ends: 0,
        run_ends,
    }
}

/// The token has expired, and something happens to its refresh.
const fn refresh(name: &'static str, token: Answer, run_ends: i32) -> Scene {
    Scene { token, ..api(name, expired, run_ends) }
}

/// Something happens to the authorization, so there is nothing to run with.
const fn exchange(name: &'static str, token: Answer) -> Scene {
    Scene { spoils_exchange: true, exchange_ends: 1, token, ..api(name, repeat, 4) }
}

/// A flow that puts a secret into every place that takes one, and keeps and says what comes back.
pub(crate) fn flow(origin: &str) -> String {
    format!(
        r#"
secrets: [KEY]
inputs:
  id: {{ type: string }}
steps:
  - id: contact
    fetch_variables:
      url: {origin}/contacts/{{{{id}}}}
      integration: crm
      timeout: 2s
      max_bytes: 16384
      query: {{ key: "{{{{secrets.KEY}}}}" }}
      headers: {{ X-Key: "{{{{secrets.KEY}}}}", X-Basic: "Basic {{{{base64 secrets.KEY}}}}" }}
      variables: {{ last_name: data.last_name }}
    on_error:
      - log: "{{{{error.message}}}}"
      - fail:
  - id: json
    http_request:
      url: {origin}/json
      headers: {{ Authorization: "Bearer {{{{secrets.KEY}}}}" }}
      json: {{ key: "{{{{secrets.KEY}}}}", text: "a {{{{secrets.KEY}}}} b" }}
    into: json_reply
  - id: form
    http_request:
      url: {origin}/form
      form: {{ key: "{{{{secrets.KEY}}}}", mac: '{{{{hmac_sha256 secrets.KEY "x" "hex"}}}}' }}
    into: form_reply
  - id: body
    http_request: {{ url: "{origin}/body", body: "{{{{secrets.KEY}}}}", content_type: text/plain, integration: crm }}
    into: body_reply
  - log: "{{{{json body_reply}}}}"
  - send: "{{{{last_name}}}} {{{{json json_reply}}}} {{{{json form_reply}}}}"
outputs:
  all: ["{{{{last_name}}}}", "{{{{body_reply}}}}"]
"#
    )
}

fn echoed(sent: &Sent<'_>) -> String {
    json!({"data": {"last_name": sent.echo}, "words": sent.words, &sent.words: 1}).to_string()
}

fn repeat(sent: &Sent<'_>) -> Option<String> {
    reply("200 OK", "", &echoed(sent))
}

fn insufficient(sent: &Sent<'_>) -> Option<String> {
    let challenge = format!(
        "www-authenticate: Bearer error=\"insufficient_scope\", scope=\"{}\"\r\n",
        sent.words.replace('"', "'")
    );
    reply("403 Forbidden", &challenge, &echoed(sent))
}

fn elsewhere(sent: &Sent<'_>) -> Option<String> {
    let words: String = url::form_urlencoded::byte_serialize(sent.words.as_bytes()).collect();
    reply("307 Temporary Redirect", &format!("location: http://localhost:9/{words}?key={words}\r\n"), "")
}

fn slow(sent: &Sent<'_>) -> Option<String> {
    thread::sleep(Duration::from_millis(2500));
    repeat(sent)
}

/// The first access token is no good any more.
fn expired(sent: &Sent<'_>) -> Option<String> {
    let is_first = sent.request.head.contains("canary-access/1");
    if is_first { reply("401 Unauthorized", "", &echoed(sent)) } else { repeat(sent) }
}

fn refused(sent: &Sent<'_>, status: &str, code: &str) -> Option<String> {
    let body =
        json!({"error": code, "error_description": sent.words, "hint": sent.echo, "message": sent.grant});
    reply(status, "", &body.to_string())
}
