//! A web service on loopback: answers each request as the test says, and remembers what it was sent.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running service; it ends with the test's runtime.
pub(crate) struct Provider {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

/// What to write, and whether to keep the connection open afterwards until the client gives up.
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) holds: bool,
}

impl Provider {
    /// A service that answers every request with what `answer` makes of its text.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer)
    }

    /// The same, on a listener of the test's choice.
    pub(crate) fn start_on(
        listener: TcpListener,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (address, seen) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let (remembered, answer) = (Arc::clone(&seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&remembered), Arc::clone(&answer));
                // A client that hangs up early is part of what is tested.
                tokio::spawn(async move { serve(stream, &seen, &*answer).await.ok() });
            }
        });
        Self { address, seen }
    }

    /// A URL of this service.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request it was sent, as text, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Answer {
    /// A complete reply.
    pub(crate) fn of(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Said\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        Self { bytes: [head.as_bytes(), body].concat(), holds: false }
    }

    /// A reply of JSON.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::of(status, &[("content-type", "application/json")], body)
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, answer: &dyn Answering) -> io::Result<()> {
    let request = read(&mut stream).await?;
    seen.lock().unwrap().push(request.clone());
    let Answer { bytes, holds } = answer.answer(&request);
    stream.write_all(&bytes).await?;
    while holds && stream.read(&mut [0; 64]).await? > 0 {}
    stream.shutdown().await
}

trait Answering: Send + Sync {
    fn answer(&self, request: &str) -> Answer;
}

impl<F: Fn(&str) -> Answer + Send + Sync> Answering for F {
    fn answer(&self, request: &str) -> Answer {
        self(request)
    }
}

/// Reads a head and as much body as it announces.
async fn read(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let announced = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= announced.unwrap_or(0) {
                return Ok(text);
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
