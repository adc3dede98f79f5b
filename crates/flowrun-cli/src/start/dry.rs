//! `--dry-run`: each request as a curl command, and none is sent.
//!
//! It stands where a way out would, above the registry: secrets are placeholders by then, and a token is never
//! asked for. A reply that nothing wants is taken to be an empty 200; where the flow wants something of it, the dry
//! run ends, because no one knows what it would be.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flowrun::step::{BoxFuture, IntegrationName, Outbound, Reply, Request, StepError};
use http::{HeaderMap, StatusCode};

use super::scene::Scene;

/// A way out that leads nowhere.
pub(super) struct Nowhere {
    pub(super) scene: Arc<Scene>,
    pub(super) integration: Option<IntegrationName>,
}

impl Outbound for Nowhere {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        self.scene.show(&curl(&request, self.integration.as_ref()));
        Box::pin(async move {
            let step = &request.asker.step;
            if let Some(wants) = self.scene.wants_of(step) {
                self.scene.end_here(step, &wants);
                std::future::pending::<()>().await;
            }
            let (status, headers, body) = (StatusCode::OK, HeaderMap::new(), Bytes::new());
            Ok(Reply { status, headers, body, url: request.url })
        })
    }
}

/// The request as somebody could type it.
fn curl(request: &Request, integration: Option<&IntegrationName>) -> String {
    let mut command = format!("curl -X {} {}", request.method, quoted(request.url.as_str()));
    for (name, value) in &request.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        // Writing into a String cannot fail.
        let _ = write!(command, " \\\n  -H {}", quoted(&format!("{name}: {value}")));
    }
    if let Some(name) = integration {
        let _ = write!(command, " \\\n  -H {}", quoted(&format!("authorization: [token of {name}]")));
    }
    if !request.body.is_empty() {
        let _ = write!(command, " \\\n  --data-raw {}", quoted(&String::from_utf8_lossy(&request.body)));
    }
    command
}

/// One word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    #[test]
    fn a_request_can_be_typed_with_a_placeholder_for_its_token() {
        let mut request = Request::new(Method::POST, "https://api.example.com/a?b=c%26d".parse().unwrap());
        request.headers.insert("content-type", HeaderValue::from_static("application/json"));
        request.body = Bytes::from_static(br#"{"name":"O'Hara"}"#);
        let name = IntegrationName::new("crm").unwrap();
        let expected = r#"curl -X POST 'https://api.example.com/a?b=c%26d' \
  -H 'content-type: application/json' \
  -H 'authorization: [token of crm]' \
  --data-raw '{"name":"O'\''Hara"}'"#;
        assert_eq!(curl(&request, Some(&name)), expected);
    }
}
