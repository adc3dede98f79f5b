//! The address at which flowrun waits for the browser, as the rest of the machine sees it (OA-16 to OA-18, N5).
//!
//! It is a port of this machine that anybody here may talk to: what strangers do there changes nothing, keeps nobody
//! out, and learns nothing.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "loopback.rs"]
mod loopback;
#[path = "person.rs"]
mod person;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use loopback::{Request, reply, serve};
use person::{Person, ended};
use rustix::process::{Pid, Signal, kill_process};

/// An authorization that waits for its browser.
struct Waiting {
    program: Child,
    redirect_uri: url::Url,
    state: String,
    redeemed: Arc<AtomicU32>,
    _home: Person,
}

impl Waiting {
    fn start() -> Self {
        let redeemed = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&redeemed);
        let origin = serve(move |request| token(request, &count));
        let home = Person::new(&[]);
        home.write("secret", "a secret of the client\n");
        let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
        let add = ["integrations", "add", "crm", "--client-id", "me", "--client-secret-file", "secret"];
        let add = [&add[..], &["--authorize-url", &authorize, "--token-url", &token]].concat();
        assert_eq!(home.flowrun(&add).code, Some(0));
        let mut program = home.start(&["integrations", "authorize", "crm", "--no-browser"]);
        let lines = BufReader::new(program.stderr.take().expect("piped")).lines();
        let line = lines.map_while(Result::ok).find(|line| line.contains("/authorize?"));
        let url: url::Url = line.expect("it is printed").trim().parse().expect("an address");
        let parameter = |name| url.query_pairs().find(|(key, _)| key == name).expect("it is there").1;
        let redirect_uri = parameter("redirect_uri").parse().expect("an address");
        Self { state: parameter("state").into_owned(), program, redirect_uri, redeemed, _home: home }
    }

    fn port(&self) -> u16 {
        self.redirect_uri.port().expect("its own port")
    }

    /// The path and query with which the browser comes back.
    fn arrival(&self) -> String {
        format!("{}?code=c&state={}", self.redirect_uri.path(), self.state)
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port())).expect("flowrun listens")
    }

    /// What it answers to these bytes, whole; nothing if it hangs up.
    fn says(&self, bytes: &str) -> String {
        let mut stream = self.connect();
        // A listener that has heard enough may hang up before the end.
        drop(stream.write_all(bytes.as_bytes()));
        let mut said = Vec::new();
        drop(stream.read_to_end(&mut said));
        String::from_utf8_lossy(&said).into_owned()
    }

    fn get(&self, target: &str) -> String {
        self.says(&format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"))
    }

    /// The browser comes back, and fetches its last page.
    fn finish(self) {
        let came = self.get(&self.arrival());
        assert!(came.starts_with("HTTP/1.1 303"), "{came}");
        assert!(self.get("/oauth/end?authorized").contains("All set!"));
        let redeemed = Arc::clone(&self.redeemed);
        let ended = ended(self.program);
        assert_eq!((ended.code, &*ended.stdout), (Some(0), "All set! Your authorization is complete!\n"));
        assert_eq!(redeemed.load(Ordering::SeqCst), 1);
    }
}

fn token(request: &Request, redeemed: &AtomicU32) -> Option<String> {
    assert!(request.is("POST /token") && request.body.contains("code=c&"), "{request:?}");
    redeemed.fetch_add(1, Ordering::SeqCst);
    reply("200 OK", "", r#"{"access_token":"token-1","token_type":"Bearer","expires_in":3600}"#)
}

/// The addresses at which this machine listens on a port, as the kernel lists them.
fn listened(port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let local = rows.filter_map(|row| {
        let mut columns = row.split_whitespace();
        let (address, state) = (columns.nth(1)?, columns.nth(1)?);
        let (host, at) = address.rsplit_once(':')?;
        (state == LISTEN && u16::from_str_radix(at, 16) == Ok(port)).then(|| host.to_owned())
    });
    local.collect()
}

/// OA-16: what `ss -ltn` shows is one address, 127.0.0.1, and nothing afterwards.
#[test]
fn one_address_of_this_machine_is_listened_on_until_the_browser_has_come() {
    let waiting = Waiting::start();
    let port = waiting.port();
    // 127.0.0.1 in the kernel's spelling, the lowest byte first.
    assert_eq!(listened(port), ["0100007F"]);
    waiting.finish();
    assert_eq!(listened(port), Vec::<String>::new());
}

/// OA-17: favicons, other methods, heads without end and connections that never ask.
#[test]
fn strangers_and_slow_ones_keep_the_browser_neither_waiting_nor_out() {
    let waiting = Waiting::start();
    let path = waiting.redirect_uri.path().to_owned();
    let slow: Vec<TcpStream> = (0..12)
        .map(|_| {
            let mut stream = waiting.connect();
            write!(stream, "GET {path} HTTP/1.1\r\nhost:").expect("it is taken");
            stream
        })
        .collect();
    for (request, status) in [
        ("GET /favicon.ico HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), "404"),
        ("GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), "404"),
        (format!("GET {path}/x HTTP/1.1\r\nhost: x\r\n\r\n"), "404"),
        (format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\ncode=c"), "405"),
        (format!("HEAD {} HTTP/1.1\r\nhost: x\r\n\r\n", waiting.arrival()), "405"),
        (format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"), "400"),
        (format!("GET {path}?code=c&state=wrong HTTP/1.1\r\nhost: x\r\n\r\n"), "400"),
        (format!("GET {}&state=again HTTP/1.1\r\nhost: x\r\n\r\n", waiting.arrival()), "400"),
        (format!("GET {path} HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(64 * 1024)), "431"),
    ] {
        let said = waiting.says(&request);
        let shown: String = request.chars().take(80).collect();
        assert_eq!(said.split(' ').nth(1).unwrap_or_default(), status, "{shown}: {said}");
    }
    assert_eq!(waiting.redeemed.load(Ordering::SeqCst), 0);
    waiting.finish();
    drop(slow);
}

/// OA-17, OA-10: whoever comes second with the same code gets nothing for it.
#[test]
fn a_callback_that_comes_twice_is_redeemed_once() {
    let waiting = Waiting::start();
    let (port, request) = (waiting.port(), format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", waiting.arrival()));
    assert!(waiting.get(&waiting.arrival()).starts_with("HTTP/1.1 303"));
    let second = thread::spawn(move || {
        let mut said = Vec::new();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            drop(stream.write_all(request.as_bytes()));
            drop(stream.read_to_end(&mut said));
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    let redeemed = Arc::clone(&waiting.redeemed);
    assert_eq!(ended(waiting.program).code, Some(0));
    let second = second.join().expect("it ends");
    assert!(!second.contains("303") && !second.contains("authorized"), "{second}");
    assert_eq!(redeemed.load(Ordering::SeqCst), 1);
}

/// OA-18, T24: no page repeats what was asked, and none may be kept, framed, or tell where it came from.
#[test]
fn no_page_repeats_what_was_asked_and_none_is_kept() {
    let waiting = Waiting::start();
    let path = waiting.redirect_uri.path().to_owned();
    let hostile = "%3Cscript%3E-canary-9f2c";
    for target in [
        format!("/{hostile}"),
        format!("{path}?code={hostile}&state={hostile}"),
        format!("{path}?error={hostile}&error_description={hostile}&state=wrong"),
        format!("/oauth/end?{hostile}"),
    ] {
        let said = waiting.get(&target).to_ascii_lowercase();
        assert!(!said.contains("canary") && !said.contains("<script"), "{target}: {said}");
        for header in [
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
        ] {
            assert!(said.contains(header), "{target}: {header} is not in {said}");
        }
    }
    waiting.finish();
}

/// OA-17: Ctrl-C leaves nothing behind.
#[test]
fn an_interrupted_authorization_stops_listening_and_is_not_used() {
    for signal in [Signal::INT, Signal::TERM] {
        let waiting = Waiting::start();
        let port = waiting.port();
        let id = i32::try_from(waiting.program.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process has an id"), signal).expect("it has not ended");
        let redeemed = Arc::clone(&waiting.redeemed);
        assert_eq!(ended(waiting.program).code, Some(130));
        assert_eq!(listened(port), Vec::<String>::new());
        assert_eq!(redeemed.load(Ordering::SeqCst), 0);
    }
}
