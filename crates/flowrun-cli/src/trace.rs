//! Traces on stderr, only when asked for: `-v`, or `FLOWRUN_LOG` with a filter.
//!
//! Secrets that have been read are cut out by value on the way to the stream, whatever was traced (N2, T4).

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::net::Net;
use crate::world::World;

/// Begins tracing, if somebody wants it.
pub(crate) fn begin(world: &World, verbose: u8) {
    let level = match verbose {
        0 => None,
        1 => Some("flowrun=debug"),
        _ => Some("flowrun=trace"),
    };
    let Some(filter) = world.text("FLOWRUN_LOG").or(level) else { return };
    let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_ansi(false);
    // A second invocation in one process keeps the first one's subscriber.
    drop(subscriber.with_writer(Redacted(world.net.clone())).try_init());
}

/// Stderr behind the net.
struct Redacted(Net);

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { net: self.0.clone(), text: Vec::new() }
    }
}

/// One event: it is written whole, so that no secret is cut in two and missed.
struct Line {
    net: Net,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.net.say(&String::from_utf8_lossy(&self.text));
    }
}
