//! Why there is no socket, no owner, or no answer; each with what to do next.
//!
//! They name files and users only: what came over the socket is never repeated.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a socket cannot be where it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The system takes no path of this length for a socket, and there is no other folder.
    #[error("the path {0} is too long for a socket")]
    TooLong(PathBuf),
    /// Somebody else could put a socket into the folder, or stand behind it (N9).
    #[error("the folder {folder} {wrong}")]
    Unsafe {
        /// The folder.
        folder: PathBuf,
        /// What is wrong, to be read after the folder's name.
        wrong: &'static str,
        /// What to do about it.
        fix: String,
    },
    /// The folder could not be made or looked at.
    #[error("cannot {what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PlaceError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::TooLong(_) => {
                "set XDG_RUNTIME_DIR to a folder of yours, or use a data folder with a shorter path"
                    .to_owned()
            }
            Self::Unsafe { fix, .. } => fix.clone(),
            Self::File { .. } => "check the folder, its owner and its free space".to_owned(),
        }
    }
}

/// Why a process did not become the registry's owner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// There is no safe place for the socket.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Another process owns the registry; its socket stays.
    #[error("another process owns the registry and answers at {0}")]
    Owned(PathBuf),
    /// A file could not be used.
    #[error("cannot {what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Place(error) => error.help(),
            Self::Owned(_) => "use that one, or stop it first".to_owned(),
            Self::File { .. } => "check the folder, its owner and its free space".to_owned(),
        }
    }
}

/// Why the registry's owner gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Nobody answers there: no socket, or one that a dead owner left.
    #[error("no process answers at {0}")]
    NoOwner(PathBuf),
    /// The socket lies where others could have put it; nothing was sent.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A process of another user answers there; nothing was sent (N9).
    #[error("the process that answers at {socket} belongs to user {uid}, not to yours")]
    Foreign {
        /// The socket.
        socket: PathBuf,
        /// The user it runs as.
        uid: u32,
    },
    /// The owner ended, or broke off, before its answer was complete.
    #[error("the process that owns the registry broke off")]
    Gone,
    /// The owner did not answer in time.
    #[error("the process that owns the registry gave no answer within {0:?}")]
    Late(Duration),
    /// The owner speaks another protocol than this version of flowrun.
    #[error("the process that owns the registry and this one do not understand each other")]
    NotUnderstood,
    /// The owner cannot use the registry itself.
    #[error("{said}")]
    Owner {
        /// Why, in its words.
        said: String,
        /// What to do about it, in its words.
        help: String,
    },
}

impl AskError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoOwner(_) => "flowrun integrations serve".to_owned(),
            Self::Place(error) => error.help(),
            Self::Foreign { socket, .. } => {
                format!("find out who it is; then remove {}", socket.display())
            }
            Self::Gone | Self::Late(_) => "try again; start the owner anew if it hangs".to_owned(),
            Self::NotUnderstood => "start the owner anew with this version of flowrun".to_owned(),
            Self::Owner { help, .. } => help.clone(),
        }
    }

    /// Whether a process with a registry of its own goes on by itself: nobody is there, or nobody who can answer.
    ///
    /// A place or a process that cannot be trusted is no such case: it is to be seen, not stepped around.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::NoOwner(_) | Self::Gone | Self::Late(_) | Self::NotUnderstood)
    }

    /// Whether the same question may be answered a little later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Gone | Self::Late(_))
    }
}
