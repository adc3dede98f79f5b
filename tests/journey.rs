//! The operator's journey in the terminal: add, authorise by loopback, run, and run again after a restart.
//!
//! The provider is a few lines on loopback; the browser is one GET, as a person's would be.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test whose parts do not start fails at once, and one that is skipped says so"
)]

#[path = "loopback.rs"]
mod loopback;
#[path = "person.rs"]
mod person;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use loopback::{Request, reply, serve};
use person::{Person, ended};
use rustix::process::{Pid, Signal, kill_process};

/// A provider with a token endpoint and one API call; it counts the codes it redeemed.
struct Provider {
    origin: String,
    redeemed: Arc<AtomicU32>,
}

impl Provider {
    fn start() -> Self {
        let redeemed = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&redeemed);
        Self { origin: serve(move |request| answer(request, &count)), redeemed }
    }
}

fn answer(request: &Request, redeemed: &AtomicU32) -> Option<String> {
    if request.is("POST /token") && request.body.contains("code=c&") {
        redeemed.fetch_add(1, Ordering::SeqCst);
        let token =
            r#"{"access_token":"token-1","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#;
        reply("200 OK", "", token)
    } else if request.head.contains("authorization: Bearer token-1") {
        reply("200 OK", "", r#"{"data":{"last_name":"Doe"}}"#)
    } else {
        reply("401 Unauthorized", "", "{}")
    }
}

/// A home with one integration, whose secret came from a file.
fn home(provider: &Provider) -> Person {
    let home = Person::new(&[("BROWSER", "./browser")]);
    let base = &provider.origin;
    home.write("secret", "a secret of the client\n");
    let flow = format!(
        "inputs:\n  id: {{ type: string }}\nsteps:\n  - id: contact\n    fetch_variables:\n      \
         url: {base}/contacts/{{{{id}}}}\n      integration: crm\n      variables: {{ last_name: data.last_name }}\n  \
         - send: Their last name is {{{{last_name}}}}.\n"
    );
    home.write("flow.yaml", &flow);
    let (authorize, token) = (format!("{base}/authorize"), format!("{base}/token"));
    let add = ["integrations", "add", "crm", "--client-id", "me", "--client-secret-file", "secret"];
    let add = [&add[..], &["--authorize-url", &authorize, "--token-url", &token]].concat();
    assert_eq!(home.flowrun(&add).code, Some(0));
    home
}

/// The address that flowrun asks to open.
fn authorization_url(program: &mut Child) -> url::Url {
    let lines = BufReader::new(program.stderr.take().expect("piped")).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains("/authorize?"));
    line.expect("the address is always printed").trim().parse().expect("an address")
}

fn parameter(url: &url::Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).expect("every authorization request has it")
}

/// Visits an address of this machine; gives the status and the whole reply.
fn visit(url: &str) -> (u16, String) {
    let url: url::Url = url.parse().expect("an address");
    let address = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let mut stream = TcpStream::connect(&address).expect("flowrun listens");
    let target = &url[url::Position::BeforePath..];
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {address}\r\n\r\n").expect("flowrun reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("flowrun answers");
    let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, reply)
}

fn ends_with(program: Child, code: i32, stdout: &str) {
    let ended = ended(program);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), stdout), "{}", ended.stderr);
}

/// OA-16, OA-17, OA-18, N5, SEED-13: strangers change nothing, the browser ends on a clean page.
#[test]
fn an_operator_authorises_by_loopback_and_every_later_process_finds_the_token() {
    let provider = Provider::start();
    let home = home(&provider);
    let mut authorize = home.start(&["integrations", "authorize", "crm", "--no-browser"]);
    let url = authorization_url(&mut authorize);
    let (callback, state) = (parameter(&url, "redirect_uri"), parameter(&url, "state"));
    assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    assert_eq!(visit(&callback.replace("/callback/", "/callback/x")).0, 404, "another path");
    assert_eq!(visit(&format!("{callback}?code=c&state=wrong")).0, 400, "another state");
    assert_eq!(provider.redeemed.load(Ordering::SeqCst), 0, "a stranger's code is never exchanged");

    let (status, reply) = visit(&format!("{callback}?code=c&state={state}"));
    assert_eq!(status, 303, "{reply}");
    let origin = url::Url::parse(&callback).expect("an address").origin().ascii_serialization();
    let (status, page) = visit(&format!("{origin}/oauth/end?authorized"));
    assert_eq!(status, 200);
    assert!(
        page.contains("All set!") && page.contains("no-store") && page.contains("default-src 'none'"),
        "{page}"
    );
    ends_with(authorize, 0, "All set! Your authorization is complete!\n");
    assert_eq!(provider.redeemed.load(Ordering::SeqCst), 1);

    for _ in 0..2 {
        let run = home.start(&["flow.yaml", "--var", "id=42"]);
        ends_with(run, 0, "Their last name is Doe.\n");
    }
}

/// SEED-15, T24: a denial ends it, and the provider's words reach neither page nor terminal as commands.
#[test]
fn a_denial_is_said_and_authorises_nothing() {
    let provider = Provider::start();
    let home = home(&provider);
    let mut authorize = home.start(&["integrations", "authorize", "crm", "--no-browser"]);
    let url = authorization_url(&mut authorize);
    let (callback, state) = (parameter(&url, "redirect_uri"), parameter(&url, "state"));
    let hostile = "error=access_denied&error_description=%3Cscript%3E%1b%5D52";
    let (status, reply) = visit(&format!("{callback}?{hostile}&state={state}"));
    assert_eq!(status, 303, "{reply}");
    let origin = url::Url::parse(&callback).expect("an address").origin().ascii_serialization();
    let (_, page) = visit(&format!("{origin}/oauth/end?refused"));
    assert!(!page.contains("<script>") && page.contains("Nothing was authorised"), "{page}");
    ends_with(authorize, 1, "");
    assert_eq!(provider.redeemed.load(Ordering::SeqCst), 0);
}

/// SEED-9, OA-3: at a terminal, `add` shows the callback URL first and then asks for what the provider's page shows;
/// what was left out is asked for by `edit`, and the secret is not shown while it is typed.
#[test]
fn an_operator_at_a_terminal_is_asked_for_the_client_seed_9() {
    let person = Person::new(&[]);
    let Some(said) = at_a_terminal(&person, "integrations add teamleader", "\n") else { return };
    let (url, question) =
        (said.find("Callback URL: http://127.0.0.1:"), said.find("Client id of teamleader"));
    assert!(url.zip(question).is_some_and(|(url, question)| url < question), "{said}");
    let said = at_a_terminal(&person, "integrations edit teamleader", "my-id\ncanary-typed-secret\n");
    let said = said.expect("a terminal was there before");
    assert!(said.contains("not shown") && !said.contains("canary"), "{said}");
    let shown = person.flowrun(&["integrations", "show", "teamleader", "--json"]).stdout;
    assert!(shown.contains(r#""client_id":"my-id","has_client_secret":true"#), "{shown}");
}

/// Runs flowrun at a terminal of its own, which `script` gives it; skipped aloud where there is no `script`.
fn at_a_terminal(person: &Person, words: &str, typed: &str) -> Option<String> {
    let command = format!("exec {} {words}", env!("CARGO_BIN_EXE_flowrun"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--flush", "--echo", "never", "--command", &command, "/dev/null"]);
    script.env("HOME", person.home()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut script) = script.spawn() else {
        eprintln!("skipped: no `script` here to give flowrun a terminal (Debian: bsdutils)");
        return None;
    };
    script.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("it reads");
    let output = script.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    Some(said)
}

fn authorise_by_paste(home: &Person) {
    let mut authorize = home.start(&["integrations", "authorize", "crm", "--paste"]);
    let url = authorization_url(&mut authorize);
    let (callback, state) = (parameter(&url, "redirect_uri"), parameter(&url, "state"));
    writeln!(authorize.stdin.take().expect("piped"), "{callback}?code=c&state={state}")
        .expect("flowrun reads");
    ends_with(authorize, 0, "All set! Your authorization is complete!\n");
}

/// OA-22: on a machine without a browser, the address it ended on elsewhere is pasted.
#[test]
fn an_operator_pastes_the_address_the_browser_ended_on() {
    let provider = Provider::start();
    let home = home(&provider);
    authorise_by_paste(&home);
}

/// N4: where a token may not go is said of the flow, with its line, and nothing is sent; the registry is asked, not the net.
#[test]
fn a_flow_that_would_carry_a_token_elsewhere_is_refused_before_it_runs_n4() {
    let provider = Provider::start();
    let home = home(&provider);
    authorise_by_paste(&home);
    let flow = fs::read_to_string(home.home().join("flow.yaml")).expect("written");
    home.write("elsewhere.yaml", &flow.replace(&provider.origin, "https://api.example.com"));
    assert_eq!(home.flowrun(&["check", "flow.yaml"]).code, Some(0));
    for words in [&["check", "elsewhere.yaml"][..], &["elsewhere.yaml", "--var", "id=42"]] {
        let ended = home.flowrun(words);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(
            ended.stderr.contains("error[F080]") && ended.stderr.contains("elsewhere.yaml:6:12"),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("flowrun integrations allow crm api.example.com"), "{ended:?}");
    }
}

/// OA-71: where nobody watches no browser is started, whatever is wrong; the exit code says that a person is needed.
#[test]
fn no_browser_is_started_where_nobody_watches_oa_71() {
    let provider = Provider::start();
    let home = home(&provider);
    let browser = home.write("browser", "#!/bin/sh\n: > \"$HOME/browser-was-started\"\n");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).expect("its owner may");
    let mut authorize = home.start(&["integrations", "authorize", "crm"]);
    let url = authorization_url(&mut authorize);
    visit(&format!("{}?code=c&state={}", parameter(&url, "redirect_uri"), parameter(&url, "state")));
    ends_with(authorize, 0, "All set! Your authorization is complete!\n");
    assert_eq!(home.flowrun(&["integrations", "edit", "crm", "--scopes", "other"]).code, Some(0));
    let run = home.flowrun(&["flow.yaml", "--var", "id=42"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stderr.contains("flowrun integrations authorize crm"), "{run:?}");
    assert!(!home.home().join("browser-was-started").exists());
}

/// OA-70: it never waits for ever.
#[test]
fn an_authorization_that_nobody_finishes_ends_by_itself() {
    let provider = Provider::start();
    let home = home(&provider);
    let authorize = home.start(&["integrations", "authorize", "crm", "--no-browser", "--timeout", "50ms"]);
    ends_with(authorize, 5, "");
}

/// Every line that a program says to a person, once it has ended.
fn said(program: Child) -> String {
    let ended = ended(program);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stderr
}

/// R17, N9: an owner is found without being named, said to be used, and nobody's loss when it ends.
#[test]
fn an_operator_lets_one_process_answer_all_the_others() {
    let provider = Provider::start();
    let home = home(&provider);
    authorise_by_paste(&home);

    let run = ["-v", "flow.yaml", "--var", "id=42"];
    assert!(said(home.start(&run)).contains("registry: this process's own"));
    let mut owner = home.start(&["integrations", "serve"]);
    let mut lines = BufReader::new(owner.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let answering = lines.next().expect("it says where it answers");
    let socket = answering.rsplit(' ').next().expect("a path").to_owned();
    assert!(socket.ends_with("/control/socket"), "{answering}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", owner.id())).expect("it runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert!(core.split_whitespace().filter(|word| *word == "0").count() == 2, "{core}");

    assert!(said(home.start(&run)).contains("registry: that of its owner"));
    ends_with(home.start(&["flow.yaml", "--var", "id=42"]), 0, "Their last name is Doe.\n");
    let listed = format!("crm  authorized    {}/token\n", provider.origin);
    ends_with(home.start(&["integrations", "list"]), 0, &listed);
    let second = home.flowrun(&["integrations", "serve"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("another process owns the registry"), "{second:?}");
    assert!(second.stderr.contains("= help: "), "{second:?}");

    let pid = Pid::from_child(&owner);
    kill_process(pid, Signal::TERM).expect("it runs");
    assert_eq!(owner.wait().expect("it ends").code(), Some(0));
    assert!(!fs::exists(&socket).expect("its folder can be read"), "it left its socket");
    assert!(said(home.start(&run)).contains("registry: this process's own"));
}
