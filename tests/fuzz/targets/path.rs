//! Any text as a JSON path.
#![no_main]

use flowrun_fuzz::{document, within_a_second};
use flowrun_template::Path;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    within_a_second(|| {
        if let Ok(path) = Path::compile(source) {
            let _ = path.pick(&document());
        }
    });
});
