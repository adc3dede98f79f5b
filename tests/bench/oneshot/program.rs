//! One program of the comparison: started anew for each measurement.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A named command line.
pub(crate) struct Program {
    pub(crate) name: String,
    words: Vec<String>,
    home: PathBuf,
}

impl Program {
    /// Reads `NAME=COMMAND`; words are parted by blanks, and `{base}` becomes the provider's address.
    pub(crate) fn new(peer: &str, base: &str, home: &Path) -> Self {
        let (name, command) = peer.split_once('=').expect("a peer is NAME=COMMAND");
        let words = command.replace("{base}", base).split_whitespace().map(String::from).collect();
        Self { name: name.to_owned(), words, home: home.to_owned() }
    }

    /// Wall time from start to end.
    pub(crate) fn time(&self) -> Duration {
        let start = Instant::now();
        let ended = self.start().wait();
        let took = start.elapsed();
        assert!(ended.expect("a child can be waited for").success(), "{} failed", self.name);
        took
    }

    /// Largest resident memory, read from the kernel until the program ends; 0 where the kernel does not tell.
    pub(crate) fn peak_kib(&self) -> u64 {
        let mut child = self.start();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().expect("a child can be asked").is_none() {
            peak = high_water(&fs::read_to_string(&status).unwrap_or_default()).unwrap_or(peak);
        }
        peak
    }

    fn start(&self) -> Child {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env("HOME", &self.home);
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the program starts")
    }
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
