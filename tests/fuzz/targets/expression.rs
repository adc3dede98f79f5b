//! Any text as an expression.
#![no_main]

use flowrun_fuzz::{Always, document, within_a_second};
use flowrun_template::{Logic, Slots};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    within_a_second(|| {
        if let Ok(logic) = Logic::compile(source, &mut Slots::new()) {
            let _ = logic.evaluate(&Always(document()), jiff::Timestamp::UNIX_EPOCH);
        }
    });
});
