//! The file as it is written: every key there is, and what stands where a key is left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flowrun::engine::journal::History;
use serde::Deserialize;
use toml::Spanned;

use super::ManagedBy;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) server: Server,
    pub(super) flows: Flows,
    pub(super) retention: Retention,
    pub(super) network: Network,
    pub(super) channels: BTreeMap<Spanned<String>, Channel>,
    pub(super) webhooks: Webhooks,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Server {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) public_url: Option<Spanned<String>>,
    pub(super) trusted_proxies: Vec<Spanned<String>>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) drain: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Flows {
    pub(super) folder: Option<PathBuf>,
    pub(super) managed_by: ManagedBy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Retention {
    pub(super) runs: Option<Spanned<String>>,
    pub(super) history: Option<History>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Network {
    pub(super) allow: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Channel {
    pub(super) url: Spanned<String>,
    pub(super) secret: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Webhooks {
    pub(super) open: Vec<String>,
}
