//! A provider that knows every secret it has seen or given, and repeats what it is sent.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::{Url, form_urlencoded};

use crate::loopback::{Request, reply, serve};
use crate::person::Ended;
use crate::scene::Scene;

pub(crate) const CLIENT_SECRET: &str = "canary client/secret+~1";
const CODE: &str = "canary-code/1+~x";

pub(crate) struct Provider {
    pub(crate) origin: String,
    state: Arc<Mutex<State>>,
}

struct State {
    scene: &'static Scene,
    issued: u32,
    secrets: Vec<String>,
    in_arguments: Vec<String>,
}

/// A request, and what may be said to it.
pub(crate) struct Sent<'a> {
    pub(crate) request: &'a Request,
    /// All that was sent, and the values in it decoded.
    pub(crate) echo: String,
    /// The secrets alone, for places that take few words.
    pub(crate) words: String,
    /// New tokens, in the form of RFC 6749 5.1.
    pub(crate) grant: String,
}

impl Provider {
    /// Starts one that plays a scene.
    pub(crate) fn start(scene: &'static Scene) -> Self {
        let secrets = vec![CLIENT_SECRET.to_owned(), CODE.to_owned()];
        let state = State { scene, issued: 0, secrets, in_arguments: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        Self { origin: serve(move |request| lock(&shared).answer(request)), state }
    }

    /// Every secret of the integration so far.
    pub(crate) fn secrets(&self) -> Vec<String> {
        lock(&self.state).secrets.clone()
    }

    /// Arguments of processes in which a secret stood while a request was answered.
    pub(crate) fn seen_in_arguments(&self) -> Vec<String> {
        lock(&self.state).in_arguments.clone()
    }

    /// Plays the person and the browser: consents to the address that is printed, and pastes where that ends.
    pub(crate) fn consent(&self, mut program: Child) -> Ended {
        let mut lines = BufReader::new(program.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let mut stderr = String::new();
        let url = lines.by_ref().find_map(|line| {
            stderr += &format!("{line}\n");
            line.contains("/authorize?").then(|| Url::parse(line.trim()).expect("an address"))
        });
        let asked: BTreeMap<_, _> = url.expect("the address is printed").query_pairs().into_owned().collect();
        let mut callback = Url::parse(&asked["redirect_uri"]).expect("an address");
        callback.query_pairs_mut().append_pair("code", CODE).append_pair("state", &asked["state"]);
        writeln!(program.stdin.take().expect("piped"), "{callback}").expect("flowrun reads");
        stderr.extend(lines.map(|line| line + "\n"));
        let mut stdout = String::new();
        program.stdout.take().expect("piped").read_to_string(&mut stdout).expect("text");
        Ended { code: program.wait().expect("flowrun ends").code(), stdout, stderr }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no answer panics")
}

impl State {
    fn answer(&mut self, request: &Request) -> Option<String> {
        self.look_at_arguments();
        if request.is("POST /token") {
            self.issued += 1;
            let (access, refresh) =
                (format!("canary-access/{}+~", self.issued), format!("canary-refresh/{}+~", self.issued));
            let verifier = form(&request.body).into_iter().find(|(name, _)| name == "code_verifier");
            self.secrets.extend(verifier.map(|(_, verifier)| verifier));
            self.secrets.extend([access.clone(), refresh.clone()]);
            let grant = json!({"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600});
            let is_first = self.issued == 1;
            let honest = is_first && !self.scene.spoils_exchange;
            let sent = sent(request, grant.to_string());
            return if honest { reply("200 OK", "", &sent.grant) } else { (self.scene.token)(&sent) };
        }
        if request.is("POST /revoke") || request.is("POST /introspect") {
            return reply(
                "200 OK",
                "",
                &json!({"active": true, "words": sent(request, String::new()).echo}).to_string(),
            );
        }
        (self.scene.api)(&sent(request, String::new()))
    }

    fn look_at_arguments(&mut self) {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let arguments = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
        let arguments = arguments.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
        let found = arguments.filter(|text| text.contains("flowrun") && text.contains("canary"));
        // The test program itself is called so.
        self.in_arguments
            .extend(found.filter(|text| self.secrets.iter().any(|secret| text.contains(secret))));
    }
}

fn sent(request: &Request, grant: String) -> Sent<'_> {
    let target = request.head.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let values = form(query).into_iter().chain(form(&request.body)).map(|(_, value)| value);
    let words: Vec<String> = values.chain(credentials(&request.head)).collect();
    let words = words.join(" ");
    Sent { request, echo: format!("{}{}\n{words}", request.head, request.body), words, grant }
}

/// What stands behind the scheme of an `Authorization`, decoded if it is Basic.
fn credentials(head: &str) -> Vec<String> {
    let given = head.lines().filter_map(|line| line.strip_prefix("authorization: "));
    let given = given.filter_map(|value| value.split_once(' '));
    given
        .flat_map(|(_, value)| {
            let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.map(|pair| {
                form(&pair.replace(':', "&")).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
            });
            [value.to_owned()].into_iter().chain(decoded)
        })
        .collect()
}

fn form(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}
