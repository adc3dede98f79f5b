//! What the fuzz targets share: a limit of one second for each input, and a scope in which every name is the same value.

use std::time::Duration;

use flowrun_template::{Scope, Slot};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// Works on one input; more than a second of the processor's time is a find. What the machine does beside it is not counted.
pub fn within_a_second<T>(work: impl FnOnce() -> T) -> T {
    let began = spent();
    let done = work();
    let took = spent() - began;
    assert!(took < Duration::from_secs(1), "one input took {took:?}");
    done
}

fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Every name has this value.
pub struct Always(pub Value);

impl Scope for Always {
    fn value(&self, _: Slot) -> Option<&Value> {
        Some(&self.0)
    }
}

/// A document with something of everything.
pub fn document() -> Value {
    serde_json::json!({
        "data": { "last_name": "Doe", "odd key": [1, 2.5, null, true, "é"], "nested": { "a": [{ "b": 1 }, { "b": 2 }] } },
        "items": [{ "id": 1, "status": "open" }, { "id": 2, "status": "won" }],
        "at": "2026-03-03T08:00:00Z",
    })
}
