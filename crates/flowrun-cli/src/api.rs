//! The API of a server, as a caller: one request, its answer, and what a problem means to the person.
//!
//! The token comes from the environment or a file, never from an argument, and goes over TLS or not off this machine.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use flowrun::lang::Code;
use flowrun::step::{Exposure, Outbound, Reply, Request, StepError};
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations;
use crate::source;
use crate::world::World;

/// The largest answer: a page of a thousand runs, or a run with its outputs.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A server that is asked.
pub(crate) struct Api {
    base: Url,
    token: SecretString,
    way_out: Arc<dyn Outbound>,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) body: Value,
    /// The revision of its flows, where it says one.
    pub(crate) revision: Option<String>,
}

/// A question: where, what, and which revision of the flows it is meant for.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    /// The parts of the path, as they are.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<Value>,
    pub(crate) if_revision: Option<&'a str>,
}

impl<'a> Question<'a> {
    pub(crate) fn get(path: &'a [&'a str]) -> Self {
        Self { method: Method::GET, path, query: &[], body: None, if_revision: None }
    }

    pub(crate) fn post(path: &'a [&'a str], body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }
}

/// A problem as RFC 9457 writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    detail: String,
    diagnostics: Vec<Said>,
}

/// What the server says of a flow.
#[derive(Debug, Deserialize)]
struct Said {
    code: String,
    message: String,
    place: Option<Place>,
    help: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Place {
    file: String,
    line: usize,
    column: usize,
}

impl Api {
    /// The server at this URL, with the token that the environment holds or names.
    pub(crate) fn at(world: &World, server: &str) -> Result<Self, Complaint> {
        let base = Url::parse(server).ok().filter(|url| url.has_host() && !url.cannot_be_a_base());
        let base = base.ok_or_else(|| {
            Complaint::new(Exit::Usage, "--server is not the URL of a server")
                .help("write it as https://flows.example.com")
        })?;
        let token = token(world)?;
        world.net.learn(&token);
        Ok(Self { base, token, way_out: integrations::plain() })
    }

    /// The server, as a person knows it.
    pub(crate) fn name(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Asks it, once.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Answer, Complaint> {
        let reply = self.way_out.send(self.request(question)?).await.map_err(unreached)?;
        if !reply.status.is_success() {
            return Err(self.refusal(&reply));
        }
        let tag = reply.headers.get(ETAG).and_then(|tag| tag.to_str().ok());
        let revision = tag.map(|tag| tag.trim_matches('"').to_owned());
        let body = match &reply.body[..] {
            [] => Value::Null,
            body => serde_json::from_slice(body).map_err(|_| self.stranger(reply.status))?,
        };
        Ok(Answer { body, revision })
    }

    fn request(&self, question: Question<'_>) -> Result<Request, Complaint> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("api").extend(question.path);
        }
        url.query_pairs_mut().extend_pairs(question.query);
        if question.query.is_empty() {
            url.set_query(None);
        }
        let mut request = Request::new(question.method, url);
        (request.max_bytes, request.exposure) = (LARGEST, Exposure::Credential);
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.token.expose_secret()));
        let mut bearer = bearer.map_err(|_| no_token("the token holds what no header may"))?;
        bearer.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, bearer);
        if let Some(revision) = question.if_revision {
            let tag = HeaderValue::try_from(format!("\"{revision}\""));
            let tag = tag.map_err(|_| Complaint::new(Exit::Usage, "--if-revision is not a revision"))?;
            request.headers.insert(IF_MATCH, tag);
        }
        if let Some(body) = question.body {
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request.body = body.to_string().into();
        }
        Ok(request)
    }

    /// What a bad answer means to the person, and what to do about it.
    fn refusal(&self, reply: &Reply) -> Complaint {
        let problem: Problem = serde_json::from_slice(&reply.body).unwrap_or_default();
        if problem.detail.is_empty() {
            return self.stranger(reply.status);
        }
        let exit = match reply.status {
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => Exit::Invalid,
            _ => Exit::Failed,
        };
        let mut complaint = Complaint::new(exit, format!("{} says: {}", self.name(), problem.detail));
        complaint.causes.extend(problem.diagnostics.iter().map(Said::in_words));
        match problem.kind.rsplit(':').next().and_then(|kind| help(kind)) {
            Some(help) => complaint.help(help),
            None => complaint,
        }
    }

    fn stranger(&self, status: StatusCode) -> Complaint {
        Complaint::new(
            Exit::Failed,
            format!("{} answered {status}, and not as a flowrun server does", self.name()),
        )
        .help("check the URL, and the proxy in front of the server")
    }
}

impl Said {
    fn in_words(&self) -> String {
        let place = self.place.as_ref();
        let place = place.map(|Place { file, line, column }| format!("{file}:{line}:{column}: "));
        let help = self.help.as_ref().map(|help| format!("; {help}"));
        let (place, help) = (place.unwrap_or_default(), help.unwrap_or_default());
        format!("{place}{}: {}{help}", self.code, self.message)
    }
}

/// What to do about a problem of this kind.
fn help(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "unauthenticated" => {
            "put a token of that server into FLOWRUN_TOKEN; it may have been revoked, or have ended"
        }
        "scope" => "flowrun tokens create NAME --scope SCOPE, at the server, makes one that reaches so far",
        "revision" => "look at what was deployed, then deploy with that revision",
        "misdirected" => "use the URL that server.public_url says",
        _ => return None,
    })
}

fn token(world: &World) -> Result<SecretString, Complaint> {
    if let Some(token) = world.text("FLOWRUN_TOKEN") {
        return Ok(token.trim().into());
    }
    let path = world.variable("FLOWRUN_TOKEN_FILE").map(|path| world.path(Path::new(path)));
    let path = path.ok_or_else(|| no_token("no token says who you are"))?;
    let found = fs::metadata(&path).map_err(|error| source::unreadable(&path, error))?;
    if found.mode() & 0o077 != 0 {
        let shown = path.display();
        return Err(Complaint::new(Exit::Usage, format!("the token file {shown} can be read by others"))
            .with_code(Code::Unreadable)
            .help(format!("chmod 600 {shown}")));
    }
    let text = fs::read_to_string(&path).map_err(|error| source::unreadable(&path, error))?;
    Ok(text.trim().into())
}

fn no_token(why: &str) -> Complaint {
    Complaint::new(Exit::Usage, why)
        .help("put a token of that server (flowrun tokens create) into FLOWRUN_TOKEN, or name its file in FLOWRUN_TOKEN_FILE")
}

fn unreached(error: StepError) -> Complaint {
    let complaint = Complaint::from_error(Exit::Failed, &error);
    match error {
        StepError::Refused { help, .. } => complaint.help(help),
        _ => complaint.help("see that the server runs, and that its URL is right"),
    }
}
