//! A service on loopback that is a closure: one request a connection, a raw reply or none.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The request line and the headers, letter by letter.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    /// Whether it asks for this: `POST /token`.
    pub(crate) fn is(&self, method_and_path: &str) -> bool {
        self.head.starts_with(method_and_path)
    }
}

/// Starts a service; gives its origin. A closure that answers nothing hangs up.
pub(crate) fn serve(answer: impl Fn(&Request) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            exchange(stream, &answer);
        }
    });
    origin
}

/// A reply of JSON, or of whatever else `body` is.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    ))
}

fn exchange(mut stream: TcpStream, answer: &impl Fn(&Request) -> Option<String>) {
    let Some(request) = read(&stream) else { return };
    if let Some(reply) = answer(&request) {
        // A client that breaks off fails its own test.
        drop(stream.write_all(reply.as_bytes()));
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: String::from_utf8_lossy(&body).into_owned() })
}
