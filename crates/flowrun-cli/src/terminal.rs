//! The two streams of the command line: data on stdout, everything said to a person on stderr.
//!
//! Data is exact where a program reads it and harmless where a terminal shows it; what is said to a person is
//! always harmless (N8). A reader that has gone away is no error: what was for it is dropped.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::escape::{escape, escape_json};

/// Where output goes.
pub(crate) struct Terminal {
    out: Sink,
    err: Sink,
    /// Whether what is said may be coloured.
    colour: AtomicBool,
}

/// One stream.
pub(crate) struct Sink {
    writer: Mutex<Box<dyn Write + Send>>,
    /// Whether a terminal shows it.
    pub(crate) is_terminal: bool,
}

impl Sink {
    /// A stream over this writer.
    pub(crate) fn new(writer: impl Write + Send + 'static, is_terminal: bool) -> Self {
        Self { writer: Mutex::new(Box::new(writer)), is_terminal }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.write_all(text.as_bytes()).and_then(|()| writer.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}

impl Terminal {
    /// A terminal over two streams, without colour.
    pub(crate) fn new(out: Sink, err: Sink) -> Self {
        Self { out, err, colour: AtomicBool::new(false) }
    }

    /// Whether what is said may be coloured.
    pub(crate) fn is_coloured(&self) -> bool {
        self.colour.load(Ordering::Relaxed)
    }

    /// Decides whether what is said may be coloured.
    pub(crate) fn colour(&self, colour: bool) {
        self.colour.store(colour, Ordering::Relaxed);
    }

    /// Whether what is said to a person appears on a terminal.
    pub(crate) fn is_watched(&self) -> bool {
        self.err.is_terminal
    }

    /// Writes one line of data.
    ///
    /// # Errors
    /// When it cannot be written, a full disk for instance; a closed pipe is none.
    pub(crate) fn data(&self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        self.out.write(&if self.out.is_terminal { escape(&line) } else { line.as_str().into() })
    }

    /// Writes one value as a line of JSON.
    ///
    /// # Errors
    /// As [`Terminal::data`].
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let line = serde_json::to_string(value)? + "\n";
        self.out.write(&if self.out.is_terminal { escape_json(&line) } else { line.as_str().into() })
    }

    /// Says one line to the person.
    pub(crate) fn say(&self, line: &str) {
        self.say_styled(&escape(line));
    }

    /// Says what already holds its own colours, and nothing else that a terminal would obey.
    pub(crate) fn say_styled(&self, line: &str) {
        // There is nobody left to tell when the stream for telling is gone.
        drop(self.err.write(&format!("{line}\n")));
    }

    /// Asks for something on the same line.
    pub(crate) fn prompt(&self, text: &str) {
        drop(self.err.write(&escape(text)));
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("colour", &self.colour).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// What has been written so far.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(is_terminal: bool, write: impl Fn(&Terminal)) -> (String, String) {
        let (out, err) = (Page::default(), Page::default());
        write(&Terminal::new(Sink::new(out.clone(), is_terminal), Sink::new(err.clone(), is_terminal)));
        let text = |page: Page| String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        (text(out), text(err))
    }

    #[test]
    fn a_pipe_gets_data_exactly_and_a_terminal_gets_it_inert_n8_t24() {
        let bell = |terminal: &Terminal| terminal.data("\u{7}").unwrap();
        assert_eq!(written(false, bell).0, "\u{7}\n");
        assert_eq!(written(true, bell).0, "\\u{7}\n");
    }

    #[test]
    fn what_is_said_to_a_person_is_inert_everywhere_n8_t24() {
        for is_terminal in [false, true] {
            assert_eq!(written(is_terminal, |terminal| terminal.say("\u{1b}[2J")).1, "\\u{1b}[2J\n");
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let terminal = Terminal::new(Sink::new(Gone, false), Sink::new(Gone, false));
        assert!(terminal.data("nobody reads this").is_ok());
    }
}
