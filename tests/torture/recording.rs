//! What a program did to its files and what it said to the world, in order, as strace saw it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::operator::Operator;

/// What is recorded; `close`, because a number that is free may stand for something else next.
const CALLS: &str = "openat,creat,close,write,pwrite64,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,\
     mkdir,mkdirat,fsync,fdatasync,writev,sendto";

/// One thing a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Did {
    /// Made a file if there was none; emptied it if there was one and it was to be.
    Opened {
        path: PathBuf,
        empties: bool,
    },
    Wrote {
        path: PathBuf,
        at: u64,
        bytes: Vec<u8>,
    },
    Cut {
        path: PathBuf,
        length: u64,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Linked {
        from: PathBuf,
        to: PathBuf,
    },
    Removed(PathBuf),
    MadeFolder(PathBuf),
    /// `fsync`, of a file or a folder. `sync_file_range` is not recorded: it promises nothing.
    Synced(PathBuf),
    /// Sent to a socket, or written to a stream.
    Said(String),
}

/// Makes flowrun's command one that is recorded in `trace`.
pub(crate) fn recorded(operator: &Operator, words: &[&str], trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-xx", "-s", "2000000", "-e", &format!("trace={CALLS}"), "-o"]).arg(trace);
    strace.arg(env!("CARGO_BIN_EXE_flowrun")).args(words);
    operator.at_home(strace)
}

/// Reads what was recorded.
pub(crate) fn read(home: &Path, trace: &Path) -> Vec<Did> {
    let text = fs::read_to_string(trace).expect("strace wrote it");
    let mut reader = Reader { home: home.to_owned(), open: HashMap::new() };
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut all = Vec::new();
    for line in text.lines() {
        let Some((thread, said)) = line.split_once(' ') else { continue };
        let said = said.trim_start();
        if let Some(start) = said.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start);
            continue;
        }
        let rest = said.strip_prefix("<... ").and_then(|said| said.split_once(" resumed>"));
        let whole = match rest {
            Some((_, rest)) => format!("{}{rest}", begun.remove(thread).unwrap_or_default()),
            None => said.to_owned(),
        };
        all.extend(reader.call(&whole));
    }
    all
}

/// An open file: which, and where the next write goes.
struct Open {
    path: PathBuf,
    at: u64,
}

struct Reader {
    home: PathBuf,
    open: HashMap<i64, Open>,
}

impl Reader {
    fn call(&mut self, line: &str) -> Option<Did> {
        let (name, rest) = line.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        let result: i64 = result.split(' ').next()?.parse().ok().filter(|it| *it >= 0)?;
        let arguments: Vec<&str> = arguments.trim_end().trim_end_matches(')').split(", ").collect();
        let path = |index: usize| Some(self.home.join(PathBuf::from(text(arguments.get(index)?))));
        let number = |index: usize| arguments.get(index)?.parse::<i64>().ok();
        match name {
            "openat" => {
                let (path, flags) = (path(1)?, arguments.get(2)?);
                self.open.insert(result, Open { path: path.clone(), at: 0 });
                let empties = flags.contains("O_TRUNC");
                (flags.contains("O_CREAT") || empties).then_some(Did::Opened { path, empties })
            }
            "close" => {
                self.open.remove(&number(0)?);
                None
            }
            "write" | "sendto" | "writev" => self.wrote(number(0)?, &bytes(line), result),
            "pwrite64" => {
                let path = self.open.get(&number(0)?)?.path.clone();
                Some(Did::Wrote { path, at: u64::try_from(number(3)?).ok()?, bytes: bytes(line) })
            }
            "ftruncate" => {
                let path = self.open.get(&number(0)?)?.path.clone();
                Some(Did::Cut { path, length: u64::try_from(number(1)?).ok()? })
            }
            "rename" => Some(Did::Renamed { from: path(0)?, to: path(1)? }),
            "renameat" | "renameat2" => Some(Did::Renamed { from: path(1)?, to: path(3)? }),
            "link" => Some(Did::Linked { from: path(0)?, to: path(1)? }),
            "linkat" => Some(Did::Linked { from: path(1)?, to: path(3)? }),
            "unlink" => Some(Did::Removed(path(0)?)),
            "unlinkat" => Some(Did::Removed(path(1)?)),
            "mkdir" => Some(Did::MadeFolder(path(0)?)),
            "mkdirat" => Some(Did::MadeFolder(path(1)?)),
            "fsync" | "fdatasync" => Some(Did::Synced(self.open.get(&number(0)?)?.path.clone())),
            _ => panic!("a call that is recorded and not understood: {name}"),
        }
    }

    /// To a file that was opened by name, or to something else: a stream, a socket.
    fn wrote(&mut self, number: i64, bytes: &[u8], written: i64) -> Option<Did> {
        let Some(open) = self.open.get_mut(&number) else {
            return Some(Did::Said(String::from_utf8_lossy(bytes).into_owned()));
        };
        let at = open.at;
        open.at += u64::try_from(written).ok()?;
        Some(Did::Wrote { path: open.path.clone(), at, bytes: bytes.to_vec() })
    }
}

/// All text and data of a line; `-xx` writes each byte as `\x2f`, so quotes stand only around it.
fn bytes(line: &str) -> Vec<u8> {
    line.split('"').skip(1).step_by(2).flat_map(hex).collect()
}

fn text(quoted: &str) -> String {
    String::from_utf8_lossy(&hex(quoted.trim_matches('"'))).into_owned()
}

fn hex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|pair| u8::from_str_radix(pair, 16).expect("two digits")).collect()
}
