//! A provider on loopback: it rotates refresh tokens as strictly as the certified one, and misbehaves on request.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use url::{Url, form_urlencoded};

/// What the provider does with the next request to one of its endpoints.
#[derive(Clone)]
pub(crate) enum Next {
    /// Answers this instead, having done nothing.
    Say(u16, &'static str, String),
    /// Does what it is asked, then closes the connection instead of answering.
    HangUp,
    /// Answers in earnest, but only once it may.
    Wait(Arc<Semaphore>),
}

/// A request as the provider saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) form: BTreeMap<String, String>,
}

#[derive(Default)]
struct State {
    tokens: Vec<Seen>,
    calls: Vec<Seen>,
    next_token: VecDeque<Next>,
    next_call: VecDeque<Next>,
    issued: u32,
    access: String,
    refresh: Option<String>,
    is_revoked: bool,
    keeps_refresh_token: bool,
    extra: String,
    date: Option<String>,
}

/// The provider; it ends when dropped.
pub(crate) struct Provider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    listener: JoinHandle<()>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state, listener }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The callback address of a person who accepts.
    pub(crate) fn consent(&self, url: &Url) -> String {
        let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        format!("{}?code=canary-code&state={}", asked["redirect_uri"], asked["state"])
    }

    pub(crate) fn next_token(&self, next: Next) {
        self.state.lock().unwrap().next_token.push_back(next);
    }

    pub(crate) fn next_call(&self, next: Next) {
        self.state.lock().unwrap().next_call.push_back(next);
    }

    /// The requests to the token endpoint.
    pub(crate) fn token_requests(&self) -> Vec<Seen> {
        self.state.lock().unwrap().tokens.clone()
    }

    /// How many refreshes were asked for.
    pub(crate) fn refreshes(&self) -> usize {
        let is_refresh = |seen: &&Seen| seen.form.get("grant_type").is_some_and(|it| it == "refresh_token");
        self.token_requests().iter().filter(is_refresh).count()
    }

    /// The requests to everything else.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.state.lock().unwrap().calls.clone()
    }

    /// Forgets the access token, so that the next call finds it expired.
    pub(crate) fn expire(&self) {
        self.state.lock().unwrap().access.clear();
    }

    /// Whether the grant has been revoked because a refresh token was used twice.
    pub(crate) fn is_revoked(&self) -> bool {
        self.state.lock().unwrap().is_revoked
    }

    pub(crate) fn revoke(&self) {
        self.state.lock().unwrap().is_revoked = true;
    }

    /// No rotation: a refresh brings no new refresh token, as Zoho and Google have it.
    pub(crate) fn keep_refresh_token(&self) {
        self.state.lock().unwrap().keeps_refresh_token = true;
    }

    /// Dates every token reply, as servers do (RFC 9110 6.6.1).
    pub(crate) fn date(&self, date: &str) {
        self.state.lock().unwrap().date = Some(date.to_owned());
    }

    /// Adds fields to every token reply: `"expires_in":2`.
    pub(crate) fn add(&self, fields: &str) {
        self.state.lock().unwrap().extra = format!(",{fields}");
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(seen) = read(&mut stream).await else { return };
    let is_token = seen.head.starts_with("POST /token");
    let next = {
        let mut state = state.lock().unwrap();
        let (log, next) = if is_token { (&mut state.tokens, 0) } else { (&mut state.calls, 1) };
        log.push(seen.clone());
        if next == 0 { state.next_token.pop_front() } else { state.next_call.pop_front() }
    };
    if let Some(Next::Wait(gate)) = &next {
        gate.acquire().await.unwrap().forget();
    }
    let (status, header, body) = match &next {
        Some(Next::Say(status, header, body)) => (*status, (*header).to_owned(), body.clone()),
        _ if is_token => state.lock().unwrap().grant(&seen),
        _ => state.lock().unwrap().serve(&seen),
    };
    if matches!(next, Some(Next::HangUp)) {
        return;
    }
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{header}\r\n");
    drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
    drop(stream.shutdown().await);
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
            let form = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            return Some(Seen { head: head.to_owned(), form });
        }
    }
}

type Answer = (u16, String, String);

impl State {
    fn grant(&mut self, seen: &Seen) -> Answer {
        let date = self.date.as_ref().map(|date| format!("date: {date}\r\n")).unwrap_or_default();
        let json = |body: String| (200, format!("content-type: application/json\r\n{date}"), body);
        let given = seen.form.get("refresh_token");
        if given.is_some() && (self.is_revoked || given != self.refresh.as_ref()) {
            // As the certified provider does: a refresh token that comes twice ends the grant.
            self.is_revoked = true;
            return (400, String::new(), r#"{"error":"invalid_grant"}"#.to_owned());
        }
        self.issued += 1;
        self.access = format!("canary-access-{}", self.issued);
        if given.is_none() {
            self.is_revoked = false;
        }
        let keeps = given.is_some() && self.keeps_refresh_token;
        if !keeps {
            self.refresh = Some(format!("canary-refresh-{}", self.issued));
        }
        let (access, extra) = (&self.access, &self.extra);
        let usual = if extra.contains(r#""expires_in""#) { "" } else { r#","expires_in":3600"# };
        let refresh = self.refresh.as_ref().filter(|_| !keeps && !extra.contains(r#""refresh_token""#));
        let refresh = refresh.map(|it| format!(r#","refresh_token":"{it}""#)).unwrap_or_default();
        json(format!(r#"{{"access_token":"{access}","token_type":"bearer"{refresh}{usual}{extra}}}"#))
    }

    fn serve(&self, seen: &Seen) -> Answer {
        let expected = format!("authorization: Bearer {}", self.access);
        if seen.head.lines().any(|line| line == expected) && !self.is_revoked {
            (200, String::new(), r#"{"data":{"last_name":"Peeters"}}"#.to_owned())
        } else {
            (401, String::new(), r#"{"error":"invalid_token"}"#.to_owned())
        }
    }
}
