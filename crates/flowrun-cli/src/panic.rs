//! What is said when flowrun itself is at fault: where it happened, and nothing that a run may have held (T4).

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};

use crate::net::Net;

/// Replaces the words of every later panic in this process.
pub(crate) fn watch(net: Net) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let trace = Backtrace::capture();
        net.say(&format!("error: a fault in flowrun at {place}: {}\n", words(info.payload())));
        if trace.status() == BacktraceStatus::Captured {
            net.say(&format!("{trace}\n"));
        }
        net.say("  = help: please report this line; RUST_BACKTRACE=1 shows how it came about\n");
    }));
}

/// A text of the program itself; what was put together while it ran may hold anything.
fn words(payload: &(dyn Any + Send)) -> &'static str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("its words are kept back, as they may hold a value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_shows_the_programs_own_words_and_no_value_t4() {
        let token = "canary-2b1f77d0".to_owned();
        let formatted = std::panic::catch_unwind(|| panic!("no use for {token}")).unwrap_err();
        assert_eq!(words(&*formatted), "its words are kept back, as they may hold a value");
        let literal = std::panic::catch_unwind(|| panic!("the plan has no such op")).unwrap_err();
        assert_eq!(words(&*literal), "the plan has no such op");
    }
}
