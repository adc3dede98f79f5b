//! One question to the owner: a connection of its own, the owner's user checked before a byte is sent.

use std::fs;
use std::io;
use std::time::Duration;

use tokio::net::UnixStream;

use super::frame::{self, FrameError};
use super::wire::{Answer, Question};
use super::{AskError, Place};

/// The time to get through to an owner, and for one that is asked who it is.
const GREETING: Duration = Duration::from_secs(5);

/// The time for any other answer: the owner may wait 45 s for another process's refresh, and 20 s for its own.
const ANSWER: Duration = Duration::from_secs(75);

/// How long a full queue of the owner's is given before it is tried again.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn ask(place: &Place, question: &Question) -> Result<Answer, AskError> {
    let mut stream = connect(place).await?;
    let frame = serde_json::to_vec(question).map_err(|_| AskError::NotUnderstood)?;
    frame::write(&mut stream, &frame, GREETING).await.map_err(|error| failed(&error, GREETING))?;
    let limit = if matches!(question, Question::Hello {}) { GREETING } else { ANSWER };
    let answer = frame::read(&mut stream, limit).await.map_err(|error| failed(&error, limit))?;
    // An answer that cannot be read is not repeated: it may hold a token.
    serde_json::from_slice(&answer).map_err(|_| AskError::NotUnderstood)
}

async fn connect(place: &Place) -> Result<UnixStream, AskError> {
    let socket = place.socket();
    // Where there is no socket there is nothing to trust, and nobody to tell about the folder.
    if fs::symlink_metadata(&socket).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Err(AskError::NoOwner(socket));
    }
    place.check()?;
    let stream = tokio::time::timeout(GREETING, dial(place)).await.map_err(|_| AskError::Late(GREETING))?;
    let stream = stream.map_err(|_| AskError::NoOwner(socket.clone()))?;
    let peer = stream.peer_cred().map_err(|_| AskError::Gone)?;
    match super::owner::is_ours(&stream) {
        true => Ok(stream),
        false => Err(AskError::Foreign { socket, uid: peer.uid() }),
    }
}

async fn dial(place: &Place) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(place.socket()).await {
            // The queue of an owner that has its hands full.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(PAUSE).await,
            dialled => return dialled,
        }
    }
}

fn failed(error: &FrameError, limit: Duration) -> AskError {
    match error {
        FrameError::TooLarge => AskError::NotUnderstood,
        FrameError::Late => AskError::Late(limit),
        FrameError::Gone => AskError::Gone,
    }
}
