//! The provider of the benchmark: a token endpoint, a contact behind the token, and a place for replies, on loopback.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const TOKEN: &str = "tok-1";
const CLIENT: [&str; 3] = ["grant_type=client_credentials", "client_id=id", "client_secret=secret"];

/// A provider that runs until this process ends.
pub(crate) struct Provider {
    /// Its address, `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    counters: Arc<[AtomicU32; 4]>,
}

/// How often each sort of call was made: tokens, contacts, replies, and calls that were refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls([u32; 4]);

struct Request {
    target: String,
    authorized: bool,
    body: String,
}

impl Provider {
    /// Listens on a free port and answers each connection in a thread of its own.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("it is bound"));
        let counters = Arc::new([const { AtomicU32::new(0) }; 4]);
        let shared = Arc::clone(&counters);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let counters = Arc::clone(&shared);
                // A peer that hangs up has said all it had to say.
                thread::spawn(move || drop(serve(&stream, &counters)));
            }
        });
        Self { base, counters }
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Calls {
        Calls([0, 1, 2, 3].map(|sort: usize| self.counters[sort].load(Ordering::SeqCst)))
    }
}

impl Calls {
    /// The calls made after `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self([0, 1, 2, 3].map(|sort: usize| self.0[sort] - before.0[sort]))
    }

    /// Whether the work was done, and nothing else.
    pub(crate) fn one_of_each(self) -> bool {
        self.0 == [1, 1, 1, 0]
    }
}

fn serve(stream: &TcpStream, counters: &[AtomicU32; 4]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = read(&mut reader)? {
        let (sort, status, body) = answer(&request);
        counters[sort].fetch_add(1, Ordering::SeqCst);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let target = first.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let (mut authorized, mut length) = (false, 0);
    for line in reader.by_ref().lines() {
        let line = line?.to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
            Some(("authorization", value)) => authorized = value.strip_prefix("bearer ") == Some(TOKEN),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { target, authorized, body: String::from_utf8_lossy(&body).into_owned() }))
}

/// The sort of call, and what it is answered.
fn answer(request: &Request) -> (usize, &'static str, String) {
    let path = request.target.split('?').next().unwrap_or_default();
    match (path, request.authorized) {
        ("POST /oauth2/access_token", _)
            if CLIENT.iter().all(|part| request.body.split('&').any(|had| had == *part)) =>
        {
            let life = r#""token_type":"Bearer","expires_in":3600"#;
            (0, "200 OK", format!(r#"{{"access_token":"{TOKEN}",{life}}}"#))
        }
        ("GET /contacts.info", true) => {
            let id = request.target.split("id=").nth(1).unwrap_or_default();
            (1, "200 OK", format!(r#"{{"data":{{"id":"{id}","first_name":"Ada","last_name":"Lovelace"}}}}"#))
        }
        ("POST /reply", true) if request.body.contains("Hello Lovelace") => {
            (2, "201 Created", String::from("{}"))
        }
        _ => (3, "400 Bad Request", String::from(r#"{"error":"invalid_request"}"#)),
    }
}
