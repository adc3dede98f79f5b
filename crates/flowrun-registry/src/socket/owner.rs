//! The owner's end: one socket, one question and one answer for each connection, a bounded number at a time.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::future::Future;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use super::answer::{Desk, answer};
use super::frame::{self, FrameError};
use super::wire::{Answer, Fault, Question, Refusal};
use super::{BindError, Place};
use crate::Registry;

/// How many are answered at a time; further ones wait in the system's queue.
const CONNECTIONS: usize = 128;

/// The time for one frame: whoever asks has its question ready, and takes the answer at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process that owns a registry, bound to its socket.
///
/// Its integrations are refreshed under the same locks as everybody's, so that a process which does not ask it does
/// no harm; what others change is seen with the next question. The socket is gone when it is dropped.
#[derive(Debug)]
pub struct Owner {
    registry: Registry,
    listener: StdListener,
    socket: SocketFile,
}

/// A socket file, with the lock that makes this process its owner; removed before the lock is let go.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    _lock: File,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // One that stays is known for a dead owner's by whoever finds it.
        drop(fs::remove_file(&self.path));
    }
}

impl Owner {
    /// Makes this process the owner: takes the place, and replaces the socket that a dead owner left.
    ///
    /// # Errors
    /// When the folder is not safe, another process owns the registry, or a file cannot be used.
    pub fn bind(registry: &Registry, place: &Place) -> Result<Self, BindError> {
        place.prepare()?;
        let path = place.socket();
        let failed = |what, source| BindError::File { what, path: path.clone(), source };
        let lock = lock(place)?;
        // With the lock in hand nobody else binds here; an owner without it could only be a stranger's program.
        match StdStream::connect(&path) {
            Ok(_) => return Err(BindError::Owned(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => fs::remove_file(&path).map_err(|source| failed("replace", source))?,
        }
        let listener = StdListener::bind(&path).map_err(|source| failed("bind", source))?;
        let socket = SocketFile { path: path.clone(), _lock: lock };
        let ready = fs::set_permissions(&path, Permissions::from_mode(0o600));
        ready.and_then(|()| listener.set_nonblocking(true)).map_err(|source| failed("prepare", source))?;
        Ok(Self { registry: registry.clone(), listener, socket })
    }

    /// Answers until `end`; then finishes what was asked before, and writes down what providers still answer.
    ///
    /// # Errors
    /// When the system gives no event loop for the socket.
    pub async fn serve(self, end: impl Future<Output = ()>) -> Result<(), BindError> {
        let Self { registry, listener, socket } = self;
        let listener = UnixListener::from_std(listener).map_err(|source| BindError::File {
            what: "listen at",
            path: socket.path.clone(),
            source,
        })?;
        let (tasks, slots) = (TaskTracker::new(), Arc::new(Semaphore::new(CONNECTIONS)));
        let desk = Arc::new(Desk::new(registry.clone()));
        tokio::select! {
            () = accept(&listener, &desk, &tasks, &slots) => {}
            () = end => {}
        }
        // Whoever comes now finds no owner, and uses the registry itself.
        drop((listener, socket));
        tasks.close();
        tasks.wait().await;
        registry.settle().await;
        Ok(())
    }
}

/// The right to own the registry: freed by the system when its holder ends, however it ends.
fn lock(place: &Place) -> Result<File, BindError> {
    let path = place.lock();
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let held = opened.map_err(TryLockError::Error).and_then(|file| file.try_lock().map(|()| file));
    held.map_err(|error| match error {
        TryLockError::WouldBlock => BindError::Owned(place.socket()),
        TryLockError::Error(source) => BindError::File { what: "lock", path, source },
    })
}

async fn accept(listener: &UnixListener, desk: &Arc<Desk>, tasks: &TaskTracker, slots: &Arc<Semaphore>) {
    // The semaphore is never closed.
    while let Ok(slot) = Arc::clone(slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) if is_ours(&stream) => {
                let desk = Arc::clone(desk);
                tasks.spawn(async move {
                    converse(stream, &desk).await;
                    drop(slot);
                });
            }
            // Another user's process gets no answer, and nothing it says is read.
            Ok(_) => tracing::warn!("a process of another user was turned away at the control socket"),
            Err(error) => {
                tracing::warn!(%error, "the control socket could not accept a process");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// N9: the user at the other end is ours, as the system says.
pub(super) fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

/// One question, one answer.
async fn converse(mut stream: UnixStream, desk: &Desk) {
    let question = match frame::read(&mut stream, PATIENCE).await {
        Ok(frame) => Question::read(&frame),
        Err(FrameError::TooLarge) => Err(Fault::TooLarge),
        Err(FrameError::Late) => Err(Fault::Late),
        Err(FrameError::Gone) => return,
    };
    let answer = match question {
        Ok(question) => {
            tracing::debug!(verb = question.verb(), "asked at the control socket");
            answer(desk, question).await
        }
        Err(fault) => Answer::Refused(Refusal::NotUnderstood { fault }),
    };
    if let Err(error) = frame::write(&mut stream, &written(&answer), PATIENCE).await {
        tracing::debug!(?error, "an answer was not taken");
    }
}

/// The answer as a frame, or the refusal of one that does not fit.
fn written(answer: &Answer) -> Zeroizing<Vec<u8>> {
    let frame = serde_json::to_vec(answer).map(Zeroizing::new);
    match frame {
        Ok(frame) if frame.len() <= frame::MOST => frame,
        _ => {
            let said = "an integration is too large for the control socket".to_owned();
            let help = "stop the owner, and use the registry without it".to_owned();
            let refusal = Answer::Refused(Refusal::Registry { said, help });
            Zeroizing::new(serde_json::to_vec(&refusal).unwrap_or_default())
        }
    }
}
