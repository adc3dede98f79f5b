//! The lines a child program writes, as they come, with a limit on how long one waits for the next.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// Longest wait for one line; node takes seconds to start on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Lines of one or several streams, in the order they arrived.
pub(crate) struct Lines {
    arrive: Receiver<String>,
    /// Every line taken so far, for the message when the expected one does not come.
    seen: Vec<String>,
}

impl Lines {
    /// The lines of all these streams, until the last of them ends.
    pub(crate) fn of(streams: impl IntoIterator<Item = Box<dyn Read + Send>>) -> Self {
        let (feed, arrive) = mpsc::channel();
        for stream in streams {
            let feed = feed.clone();
            thread::spawn(move || pass_on(stream, &feed));
        }
        Self { arrive, seen: Vec::new() }
    }

    /// The next line.
    pub(crate) fn next_line(&mut self) -> String {
        let line = self.arrive.recv_timeout(LIMIT);
        let line = line.unwrap_or_else(|error| panic!("no further line ({error}) after {:#?}", self.seen));
        self.seen.push(line.clone());
        line
    }

    /// The next line in which the text stands, from where it starts.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.next_line();
            if let Some(start) = line.find(text) {
                return line[start..].to_owned();
            }
        }
    }
}

fn pass_on(stream: impl Read, feed: &Sender<String>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if feed.send(line).is_err() {
            break;
        }
    }
}
