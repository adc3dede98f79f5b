//! Whether the next character of JSON text stands inside a string.

/// Where a reader of JSON text is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JsonState {
    in_string: bool,
    escaped: bool,
}

impl JsonState {
    /// Reads on over literal text; values never change the state, because they are escaped for it.
    pub(crate) fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
    }

    pub(crate) fn in_string(&self) -> bool {
        self.in_string
    }
}
