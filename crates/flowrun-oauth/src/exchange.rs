//! The door through which every OAuth request leaves: one HTTP exchange, brought by the caller.
//!
//! This crate opens no socket. What it promises about the network (no redirect is followed, OA-28; a reply is
//! capped and has a deadline, OA-33; only permitted addresses are dialled, N7) is the exchange's to keep, because
//! only the client that dials can keep it.

use std::{fmt, future::Future, pin::Pin};

/// A future that can be boxed, sent to another thread and borrowed from its maker.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes one HTTP exchange: one request, one reply, nothing in between.
///
/// An implementation follows no redirect, never repeats a request, caps the reply's size after decompression and
/// holds a deadline. A reply of any status is `Ok`; an error means that there is no reply to read.
pub trait Exchange: Send + Sync {
    /// Sends `request` and returns the reply.
    ///
    /// # Errors
    /// An [`ExchangeError`] whose [`ExchangeErrorKind`] says how far the request came.
    fn exchange<'a>(
        &'a self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, ExchangeError>>;
}

/// Why an exchange has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct ExchangeError {
    /// How far the request came, which decides whether it may be made again (OA-36, OA-44, OA-45).
    pub kind: ExchangeErrorKind,
    /// The client's own words. They name a host at most: a URL, header or body may hold a secret.
    pub message: String,
}

impl ExchangeError {
    /// An error of `kind`, in the client's own words.
    pub fn new(kind: ExchangeErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// How far a request came that has no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeErrorKind {
    /// The request was never sent: no address, no connection, no TLS.
    Unreachable,
    /// The deadline passed after the connection stood: the server may have acted.
    TimedOut,
    /// The request was sent and the connection ended before a whole reply was read: the server may have acted.
    ReplyLost,
    /// The reply is larger than the cap: the server has acted, what it said is unknown.
    TooLarge,
    /// Policy forbids the address, so nothing was sent (N7).
    Refused,
}

impl fmt::Display for ExchangeErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Unreachable => "the server cannot be reached",
            Self::TimedOut => "the server did not answer in time",
            Self::ReplyLost => "the connection ended before the reply",
            Self::TooLarge => "the reply is too large",
            Self::Refused => "the address is not permitted",
        })
    }
}
