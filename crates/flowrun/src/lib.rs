//! flowrun assembled: the crate an embedding service depends on.
