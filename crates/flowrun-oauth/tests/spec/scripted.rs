//! A way out that answers from a script and keeps what it was asked, and what the tests of this crate share.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use flowrun_oauth::{BoxFuture, Exchange, ExchangeError, ExchangeErrorKind};

/// An [`Exchange`] that answers from a script, in order, and keeps each request.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Result<http::Response<Vec<u8>>, ExchangeError>>>,
    asked: Mutex<Vec<http::Request<Vec<u8>>>>,
}

impl Script {
    /// Answers with a status, headers and a body.
    pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let builder = http::Response::builder().status(status);
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        Self::answering(Ok(builder.body(body.as_bytes().to_vec()).unwrap()))
    }

    /// Answers with JSON and status 200.
    pub(crate) fn json(body: &str) -> Self {
        Self::reply(200, &[("content-type", "application/json")], body)
    }

    /// And then answers with this.
    pub(crate) fn then(self, next: Self) -> Self {
        self.answers.lock().unwrap().append(&mut next.answers.lock().unwrap());
        self
    }

    /// Gives no reply.
    pub(crate) fn silence(kind: ExchangeErrorKind) -> Self {
        Self::answering(Err(ExchangeError::new(kind, "as scripted")))
    }

    fn answering(answer: Result<http::Response<Vec<u8>>, ExchangeError>) -> Self {
        Self { answers: Mutex::new(VecDeque::from([answer])), ..Self::default() }
    }

    /// Whether there is an answer left.
    pub(crate) fn is_left(&self) -> bool {
        !self.answers.lock().unwrap().is_empty()
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<http::Request<Vec<u8>>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// The only request: its URL, its headers' texts and its body.
    pub(crate) fn one(&self) -> (String, http::HeaderMap, String) {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "one exchange, never a second (OA-25, OA-36)");
        let (parts, body) = asked.remove(0).into_parts();
        assert_eq!(parts.method, http::Method::POST, "OA-27");
        (parts.uri.to_string(), parts.headers, String::from_utf8(body).unwrap())
    }
}

impl Exchange for Script {
    fn exchange<'a>(
        &'a self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, ExchangeError>> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().expect("no more exchanges than scripted");
        Box::pin(std::future::ready(answer))
    }
}

/// Runs a future that never waits, as every future here must when its exchange does not. Each may move between threads.
pub(crate) fn now<T>(future: impl Future<Output = T> + Send) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("waits for something that is not the exchange"),
    }
}
