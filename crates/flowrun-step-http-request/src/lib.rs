//! The step that makes one HTTP request and keeps its whole reply.
