//! A provider on loopback: it rotates refresh tokens as strictly as the certified one, and misbehaves on request.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
    /// The same, where the body is no text.
    SayBytes(u16, &'static str, Vec<u8>),
    /// Does what it is asked, then closes the connection instead of answering.
    HangUp,
    /// Answers in earnest, but only once it may.
    Wait(Arc<Semaphore>),
    /// Does what it is asked, and keeps its reply back until it may be sent.
    Hold(Arc<Semaphore>),
    /// Answers in earnest, a while later.
    Late(Duration),
    /// Has read the request and does nothing; the connection is reset.
    Reset,
}

/// Decides about each request to the token endpoint that nothing else was decided for.
type Whim = Box<dyn FnMut(&Seen) -> Option<Next> + Send>;

/// What the provider did, and what was asked of it that should not have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Codes redeemed.
    pub(crate) codes: u32,
    /// Refresh tokens exchanged.
    pub(crate) refreshes: u32,
    /// Those of them that came while the access token had more than half of its life before it.
    pub(crate) early: u32,
    /// Refresh tokens that came twice, or after their grant had ended.
    pub(crate) invalid_grant: u32,
}

/// What one person granted.
#[derive(Default)]
struct Grant {
    access: String,
    refresh: Option<String>,
    /// Refresh tokens that were replaced; one that comes again ends the grant.
    spent: Vec<String>,
    is_revoked: bool,
}

/// A request as the provider saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) head: String,
    pub(crate) form: BTreeMap<String, String>,
}

#[derive(Default)]
struct State {
    tokens: Vec<Seen>,
    calls: Vec<Seen>,
    next_token: VecDeque<Next>,
    next_call: VecDeque<Next>,
    whim: Option<Whim>,
    issued: u32,
    /// The newest last.
    grants: Vec<Grant>,
    tally: Tally,
    lifetime: Option<Duration>,
    issued_at: Option<Instant>,
    /// When the request for the newest token came, which is what its age counts from for whoever asked (OA-47).
    asked_at: Option<Instant>,
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

    /// Forgets the access tokens, so that the next call finds its own expired.
    pub(crate) fn expire(&self) {
        self.state.lock().unwrap().expire();
    }

    /// Whether the newest grant has been revoked, because a refresh token was used twice or somebody asked for it.
    pub(crate) fn is_revoked(&self) -> bool {
        self.state.lock().unwrap().grants.last().is_some_and(|grant| grant.is_revoked)
    }

    pub(crate) fn revoke(&self) {
        self.state.lock().unwrap().grants.iter_mut().for_each(|grant| grant.is_revoked = true);
    }

    /// What happened so far.
    pub(crate) fn tally(&self) -> Tally {
        self.state.lock().unwrap().tally
    }

    /// Access tokens live so long from now on, and no longer.
    pub(crate) fn tokens_live(&self, lifetime: Duration) {
        self.add(&format!("\"expires_in\":{}", lifetime.as_secs()));
        self.state.lock().unwrap().lifetime = Some(lifetime);
    }

    /// Asks `whim` about each request to the token endpoint that nothing else was decided for.
    pub(crate) fn each_token(&self, whim: impl FnMut(&Seen) -> Option<Next> + Send + 'static) {
        self.state.lock().unwrap().whim = Some(Box::new(whim));
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
    let next = state.lock().unwrap().next(&seen, is_token);
    match &next {
        Some(Next::Wait(gate)) => gate.acquire().await.unwrap().forget(),
        Some(Next::Late(wait)) => tokio::time::sleep(*wait).await,
        // What is closed with no time to linger is reset.
        Some(Next::Reset) => return stream.set_zero_linger().unwrap(),
        _ => {}
    }
    let (status, header, body) = match &next {
        Some(Next::Say(status, header, body)) => (*status, (*header).to_owned(), body.clone().into_bytes()),
        Some(Next::SayBytes(status, header, body)) => (*status, (*header).to_owned(), body.clone()),
        _ if is_token => state.lock().unwrap().grant(&seen),
        _ => state.lock().unwrap().serve(&seen),
    };
    match &next {
        Some(Next::HangUp) => return,
        Some(Next::Hold(gate)) => gate.acquire().await.unwrap().forget(),
        _ => {}
    }
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{header}\r\n");
    drop(stream.write_all(&[head.into_bytes(), body].concat()).await);
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
            return Some(Seen { at: Instant::now(), head: head.to_owned(), form });
        }
    }
}

type Answer = (u16, String, Vec<u8>);

impl State {
    /// Writes a request down, and decides about it.
    fn next(&mut self, seen: &Seen, is_token: bool) -> Option<Next> {
        if !is_token {
            self.calls.push(seen.clone());
            return self.next_call.pop_front();
        }
        self.tokens.push(seen.clone());
        self.next_token.pop_front().or_else(|| self.whim.as_mut()?(seen))
    }

    fn grant(&mut self, seen: &Seen) -> Answer {
        let given = seen.form.get("refresh_token");
        let Some(index) = self.grant_of(given) else {
            self.tally.invalid_grant += 1;
            return (400, String::new(), br#"{"error":"invalid_grant"}"#.to_vec());
        };
        self.count(given.is_some(), seen.at);
        self.issued += 1;
        let keeps = given.is_some() && self.keeps_refresh_token;
        let grant = &mut self.grants[index];
        grant.access = format!("canary-access-{}", self.issued);
        if !keeps {
            let fresh = format!("canary-refresh-{}", self.issued);
            grant.spent.extend(grant.refresh.replace(fresh));
        }
        let (access, extra) = (&grant.access, &self.extra);
        let usual = if extra.contains(r#""expires_in""#) { "" } else { r#","expires_in":3600"# };
        let refresh = grant.refresh.as_ref().filter(|_| !keeps && !extra.contains(r#""refresh_token""#));
        let refresh = refresh.map(|it| format!(r#","refresh_token":"{it}""#)).unwrap_or_default();
        let body = format!(r#"{{"access_token":"{access}","token_type":"bearer"{refresh}{usual}{extra}}}"#);
        let date = self.date.as_ref().map(|date| format!("date: {date}\r\n")).unwrap_or_default();
        (200, format!("content-type: application/json\r\n{date}"), body.into_bytes())
    }

    /// The grant to answer from: a new one, or that of a refresh token which may still be used.
    fn grant_of(&mut self, given: Option<&String>) -> Option<usize> {
        let Some(given) = given else {
            self.grants.push(Grant::default());
            return Some(self.grants.len() - 1);
        };
        // As the certified provider does: a refresh token that comes twice ends the grant.
        let reused = self.grants.iter_mut().filter(|grant| grant.spent.contains(given));
        reused.for_each(|grant| grant.is_revoked = true);
        self.grants.iter().position(|grant| grant.refresh.as_ref() == Some(given) && !grant.is_revoked)
    }

    fn count(&mut self, is_refresh: bool, asked_at: Instant) {
        let age = self.asked_at.replace(asked_at).map(|before| asked_at.duration_since(before));
        self.issued_at = Some(Instant::now());
        let is_early = |lifetime: Duration| age.is_some_and(|age| age < lifetime / 2);
        self.tally.codes += u32::from(!is_refresh);
        self.tally.refreshes += u32::from(is_refresh);
        self.tally.early += u32::from(is_refresh && self.lifetime.is_some_and(is_early));
    }

    fn expire(&mut self) {
        self.grants.iter_mut().for_each(|grant| grant.access.clear());
    }

    fn serve(&mut self, seen: &Seen) -> Answer {
        let age = self.issued_at.map(|at| at.elapsed());
        if self.lifetime.zip(age).is_some_and(|(lifetime, age)| age >= lifetime) {
            self.expire();
        }
        let given =
            seen.head.lines().find_map(|line| line.strip_prefix("authorization: Bearer canary-access-"));
        let is_good =
            |grant: &Grant| !grant.is_revoked && grant.access.strip_prefix("canary-access-") == given;
        if given.is_some() && self.grants.iter().any(is_good) {
            (200, String::new(), br#"{"data":{"last_name":"Peeters"}}"#.to_vec())
        } else {
            (401, String::new(), br#"{"error":"invalid_token"}"#.to_vec())
        }
    }
}
