//! The step that calls a web service and keeps parts of its reply as variables.
