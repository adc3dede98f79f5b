//! Lines that a person types, or that a pipe gives.

use std::io::{self, BufRead as _};

use tokio::sync::mpsc;

/// Lines of stdin. A thread of its own waits for them, because such a wait cannot be cancelled.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (feed, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if feed.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
