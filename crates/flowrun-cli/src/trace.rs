//! Traces on stderr, only when asked for: `-v`, or `FLOWRUN_LOG` with a filter.
//!
//! Secrets of flows are cut out by value on the way to the stream, whatever was traced (N2, T4).

use std::io::{self, Write};
use std::sync::Arc;

use flowrun::template::Redactor;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::escape::escape;
use crate::start::secrets;
use crate::world::World;

/// Begins tracing, if somebody wants it.
pub(crate) fn begin(world: &World, verbose: u8) {
    let level = match verbose {
        0 => None,
        1 => Some("flowrun=debug"),
        _ => Some("flowrun=trace"),
    };
    let Some(filter) = world.text("FLOWRUN_LOG").or(level) else { return };
    let sink = Redacted(Arc::new(secrets::redactor(world)));
    let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_ansi(false);
    // A second invocation in one process keeps the first one's subscriber.
    drop(subscriber.with_writer(sink).try_init());
}

/// Stderr behind the net.
struct Redacted(Arc<Redactor>);

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { redactor: Arc::clone(&self.0), text: Vec::new() }
    }
}

/// One event: it is written whole, so that no secret is cut in two and missed.
struct Line {
    redactor: Arc<Redactor>,
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
        let text = String::from_utf8_lossy(&self.text);
        // There is nobody to tell that a trace was lost.
        drop(io::stderr().write_all(escape(&self.redactor.redact(&text)).as_bytes()));
    }
}
