//! Runs flows: drivers, the one place where a call is made, and the words for what failed.
