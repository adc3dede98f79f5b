//! The OAuth 2 protocol and the presets of known providers, without a socket or a store.
