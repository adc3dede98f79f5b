//! The audit log (N12): who did what to what, when, and how it ended; never a value.
//!
//! Each line holds the digest of the line before, so that an edit, a removal or a swap is found. What is cut off at the
//! end is found by whoever keeps the last digest elsewhere: [`Verified::head`] is what to keep.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flowrun::step::Clock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{hex, keep};

/// The file in the data folder.
pub(crate) const FILE: &str = "audit.jsonl";
/// No entry is longer: its parts are cut.
const LONGEST: u64 = 16 * 1024;
/// The longest part of an entry, in characters.
const LONGEST_PART: usize = 256;

/// One thing that somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed<'a> {
    /// Who: a token's id and name, a user, a peer.
    pub who: &'a str,
    /// What was done, as `flows.deploy`.
    pub verb: &'a str,
    /// To what: a name or an id.
    pub subject: &'a str,
    /// How it ended, in a word.
    pub result: &'a str,
}

/// A line of the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: Timestamp,
    who: String,
    verb: String,
    subject: String,
    result: String,
    /// The digest of the line before, without its end.
    before: String,
}

/// The log of a data folder. Several processes may write one.
pub struct Audit {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    turn: Mutex<()>,
}

/// A log that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many lines it has.
    pub lines: usize,
    /// The digest of the last.
    pub head: String,
}

/// Why a log does not hold, or cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// It cannot be read or written.
    #[error("{} cannot be used", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// A line does not follow from the one before.
    #[error("line {line} of {} does not fit the line before: it, or that one, was changed, removed or moved", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

impl Audit {
    /// That of this folder; nothing is read or written yet.
    #[must_use]
    pub fn new(data_dir: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { path: data_dir.join(FILE), clock, turn: Mutex::new(()) }
    }

    /// Writes down what was done; on disk once it comes back.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, deed: Deed<'_>) -> Result<(), AuditError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.append(deed).map_err(|error| AuditError::File(self.path.clone(), error))
    }

    fn append(&self, deed: Deed<'_>) -> io::Result<()> {
        let _lock = keep::lock(&self.path)?;
        let is_new = !self.path.exists();
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        let before = digest(&last_line(&mut file)?);
        let cut = |text: &str| text.chars().take(LONGEST_PART).collect();
        let line = Line {
            at: self.clock.now(),
            who: cut(deed.who),
            verb: cut(deed.verb),
            subject: cut(deed.subject),
            result: cut(deed.result),
            before,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.sync_data()?;
        if is_new { keep::folder(&self.path) } else { Ok(()) }
    }

    /// Reads the whole log, and finds the first line that does not fit.
    ///
    /// # Errors
    /// When there is such a line, or the file cannot be read.
    pub fn verify(&self) -> Result<Verified, AuditError> {
        let failed = |error| AuditError::File(self.path.clone(), error);
        let mut verified = Verified { lines: 0, head: digest(b"") };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(verified),
            Err(error) => return Err(failed(error)),
        };
        for text in BufReader::new(file).split(b'\n') {
            let text = text.map_err(failed)?;
            verified.lines += 1;
            let follows = serde_json::from_slice(&text).is_ok_and(|line: Line| line.before == verified.head);
            if !follows {
                return Err(AuditError::Broken { path: self.path.clone(), line: verified.lines });
            }
            verified.head = digest(&text);
        }
        Ok(verified)
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The last line that is whole. One that is not was never said to be written: its process died, and it is taken out.
fn last_line(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * LONGEST);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if end < tail.len() {
        file.set_len(length - u64::try_from(tail.len() - end).unwrap_or_default())?;
        tail.truncate(end);
    }
    tail.pop();
    let begin = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Ok(tail.split_off(begin))
}

fn digest(line: &[u8]) -> String {
    hex::of(&Sha256::digest(line))
}

#[cfg(test)]
mod tests {
    use flowrun::SystemClock;

    use super::*;

    fn audit(folder: &Path) -> Audit {
        Audit::new(folder, Arc::new(SystemClock))
    }

    fn written(folder: &Path) -> Audit {
        let audit = audit(folder);
        for subject in ["a", "b", "c", "d"] {
            audit.write(Deed { who: "ci", verb: "runs.cancel", subject, result: "done" }).unwrap();
        }
        audit
    }

    /// Changes the lines of a whole log, and says which line is found.
    fn check(change: impl FnOnce(&mut Vec<String>), found: Option<usize>) {
        let folder = tempfile::tempdir().unwrap();
        let audit = written(folder.path());
        let path = folder.path().join(FILE);
        let mut lines: Vec<String> =
            std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        let broken = match audit.verify() {
            Err(AuditError::Broken { line, .. }) => Some(line),
            other => other.map(|_| None).unwrap(),
        };
        assert_eq!(broken, found);
    }

    #[test]
    fn an_edited_a_removed_and_a_swapped_line_are_found_n12() {
        check(|_| {}, None);
        check(|lines| lines[1] = lines[1].replace("\"b\"", "\"x\""), Some(3));
        check(|lines| drop(lines.remove(1)), Some(2));
        check(|lines| drop(lines.remove(0)), Some(1));
        check(|lines| lines.swap(1, 2), Some(2));
        check(|lines| lines.insert(1, "{}".to_owned()), Some(2));
    }

    /// The last line has no line after it that would tell: its digest does.
    #[test]
    fn what_is_changed_at_the_end_changes_the_head() {
        let folder = tempfile::tempdir().unwrap();
        let audit = written(folder.path());
        let head = audit.verify().unwrap().head;
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"d\"", "\"x\"")).unwrap();
        assert_ne!(audit.verify().unwrap().head, head);
    }

    #[test]
    fn a_line_that_a_death_cut_off_is_taken_out_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let audit = written(folder.path());
        let path = folder.path().join(FILE);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"at\":").unwrap();
        audit.write(Deed { who: "ci", verb: "v", subject: "e", result: "done" }).unwrap();
        assert_eq!(audit.verify().unwrap().lines, 5);
    }

    #[test]
    fn several_writers_make_one_chain() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| written(folder.path()));
            }
        });
        assert_eq!(audit(folder.path()).verify().unwrap().lines, 16);
    }
}
