//! `flowrun.toml` (R15): everything a server is told, checked as a whole before anything is opened.
//!
//! A secret stands here by its name only. What a key may hold is said by the file's own types, in `file`; these are what
//! comes out once every rule holds.

mod check;
mod file;
mod over;
mod wrong;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use flowrun::engine::journal::History;
use ipnet::IpNet;
use url::Url;

pub use over::{Over, Said};
pub use wrong::BadConfig;

/// How a server is set up.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Where it listens and what it keeps.
    pub server: Server,
    /// Where its flows come from.
    pub flows: Flows,
    /// What it forgets.
    pub retention: Retention,
    /// What its flows may reach beside the public network.
    pub network: Network,
    /// The channels that need no Rust, by name (R20).
    pub channels: BTreeMap<String, Channel>,
    /// The webhooks that start flows.
    pub webhooks: Webhooks,
}

/// Where a server listens and what it keeps.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Server {
    /// The address it binds.
    pub listen: SocketAddr,
    /// How the world reaches it, if it is not on this machine.
    pub public_url: Option<Url>,
    /// Whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The folder of its journal, tokens and audit log.
    pub data_dir: PathBuf,
    /// The key of the registry, where it is not where the command line looks for it.
    pub key_file: Option<PathBuf>,
    /// How long calls may go on once it is told to stop (R19).
    pub drain: Duration,
}

/// Where the flows of a server come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flows {
    /// The folder they are read from at the start.
    pub folder: PathBuf,
    /// Who changes them afterwards.
    pub managed_by: ManagedBy,
}

/// Who changes the flows of a server (R18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagedBy {
    /// Nobody: the folder is read at the start, and a deploy is refused.
    #[default]
    Folder,
    /// `flowrun deploy`, or whoever else may use `PUT /api/flows`.
    Deploy,
    /// The page: a deploy is refused.
    Page,
}

/// What a server forgets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// How long a run is kept once it is over.
    pub runs: Duration,
    /// What stays of it until then; one that failed stays whole.
    pub history: History,
}

/// What flows may reach beside the public network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Network {
    /// Hosts with their ports, as `host:port`.
    pub allow: Vec<String>,
}

/// A channel over a webhook (R20): where messages go, and the secret that signs both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// Where messages of flows are posted.
    pub url: Url,
    /// The name of the secret.
    pub secret: String,
}

/// The webhooks that start flows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Webhooks {
    /// Paths that anybody may call; every other trigger needs `auth`.
    pub open: Vec<String>,
}

impl Config {
    /// Reads the text of the file of this name.
    ///
    /// # Errors
    /// When it is not TOML, a key is unknown or does not fit, or the address is refused (R16): where, and what to do.
    pub fn read(file: &str, text: &str) -> Result<Self, BadConfig> {
        Self::read_under(file, text, &Over::default())
    }

    /// The same, where some of it is said elsewhere.
    ///
    /// # Errors
    /// As [`Config::read`]; the place of a value that is said elsewhere is the flag or the variable.
    pub fn read_under(file: &str, text: &str, over: &Over) -> Result<Self, BadConfig> {
        let source = wrong::Source { file, text };
        let read: file::File = toml::from_str(text).map_err(|error| source.unread(&error))?;
        check::check(&source, read, over)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let said = match Config::read("flowrun.toml", text) {
            Ok(config) => format!("{config:#?}"),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn an_empty_file_is_a_server_for_this_machine() {
        check(
            "",
            expect![[r#"
            Config {
                server: Server {
                    listen: 127.0.0.1:7373,
                    public_url: None,
                    trusted_proxies: [],
                    data_dir: "data",
                    key_file: None,
                    drain: 30s,
                },
                flows: Flows {
                    folder: "flows",
                    managed_by: Folder,
                },
                retention: Retention {
                    runs: 604800s,
                    history: Full,
                },
                network: Network {
                    allow: [],
                },
                channels: {},
                webhooks: Webhooks {
                    open: [],
                },
            }"#]],
        );
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = "
            [server]
            listen = '0.0.0.0:7373'
            public_url = 'https://flows.example.com'
            trusted_proxies = ['10.0.0.0/8', '192.0.2.1']
            data_dir = '/var/lib/flowrun'
            key_file = '/etc/flowrun/key'
            drain = '1m'
            [flows]
            folder = '/etc/flowrun/flows'
            managed_by = 'deploy'
            [retention]
            runs = '2d'
            history = 'summary'
            [network]
            allow = ['crm.internal:8443']
            [channels.chat]
            url = 'https://chat.example.com/in'
            secret = 'chat_key'
            [webhooks]
            open = ['ping']
        ";
        let config = Config::read("flowrun.toml", text).unwrap();
        assert_eq!(
            config.server.trusted_proxies,
            ["10.0.0.0/8", "192.0.2.1/32"].map(|net| net.parse().unwrap())
        );
        assert_eq!(config.server.key_file, Some("/etc/flowrun/key".into()));
        assert_eq!(config.server.drain, Duration::from_secs(60));
        assert_eq!(config.flows.managed_by, ManagedBy::Deploy);
        assert_eq!(config.retention.runs, Duration::from_secs(2 * 86_400));
        assert_eq!(config.retention.history, History::Summary);
        assert_eq!(config.network.allow, ["crm.internal:8443"]);
        assert_eq!(config.channels["chat"].secret, "chat_key");
        assert_eq!(config.webhooks.open, ["ping"]);
    }

    #[test]
    fn an_unknown_key_names_its_place_and_what_was_meant_r15() {
        check(
            "[server]\nlissen = '127.0.0.1:1'",
            expect![[r#"
            unknown field `lissen`, expected one of `listen`, `public_url`, `trusted_proxies`, `data_dir`, `key_file`, `drain`
              --> flowrun.toml:2:1
               | lissen = '127.0.0.1:1'
               = help: take the key out, or write it as one of these"#]],
        );
        check(
            "[sever]",
            expect![[r#"
            unknown field `sever`, expected one of `server`, `flows`, `retention`, `network`, `channels`, `webhooks`
              --> flowrun.toml:1:2
               | [sever]
               = help: take the key out, or write it as one of these"#]],
        );
        check(
            "[server",
            expect![[r#"
            unclosed table, expected `]`
              --> flowrun.toml:1:8
               | [server
               = help: write it as `docs/serving.md` shows it"#]],
        );
    }

    #[test]
    fn an_address_off_loopback_without_a_public_url_is_refused_r16() {
        check(
            "[server]\nlisten = '0.0.0.0:7373'",
            expect![[r#"
            this address can be reached from other machines, and nothing says by which name
              --> flowrun.toml:2:10
               | listen = '0.0.0.0:7373'
               = help: say how the world reaches it, `public_url = "https://…"`, or listen at 127.0.0.1"#]],
        );
        check(
            "[server]\nlisten = '0.0.0.0:7373'\npublic_url = 'http://flows.example.com'",
            expect![[r#"
            this is not a URL with https
              --> flowrun.toml:3:14
               | public_url = 'http://flows.example.com'
               = help: write it as https://flows.example.com; TLS is the proxy's"#]],
        );
    }

    #[test]
    fn what_is_said_elsewhere_stands_before_the_file_and_is_checked_alike_r15() {
        let said = |value: &str| Some(Said { by: "--listen".to_owned(), value: value.to_owned() });
        let read = |listen: &str, public_url: &str| {
            let over = Over { listen: said(listen), public_url: said(public_url) };
            Config::read_under("flowrun.toml", "[server]\nlisten = 'nowhere'", &over)
        };
        let config = read("0.0.0.0:80", "https://flows.example.com").unwrap();
        assert_eq!(config.server.listen, "0.0.0.0:80".parse().unwrap());
        assert_eq!(config.server.public_url, Some("https://flows.example.com".parse().unwrap()));
        let wrong = read("here", "https://flows.example.com").unwrap_err().to_string();
        assert!(wrong.contains("--> --listen:1:1\n   | here\n"), "{wrong}");
    }

    #[test]
    fn a_value_that_does_not_fit_says_what_does() {
        check(
            "[server]\ndrain = '30'",
            expect![[r#"
            this duration has no unit
              --> flowrun.toml:2:9
               | drain = '30'
               = help: write 30s for seconds or 30ms for milliseconds"#]],
        );
        check(
            "[server]\ntrusted_proxies = ['10.0.0.0/8', 'proxy']",
            expect![[r#"
            this is neither a network nor an address
              --> flowrun.toml:2:34
               | trusted_proxies = ['10.0.0.0/8', 'proxy']
               = help: write it as 10.0.0.0/8 or 10.0.0.7"#]],
        );
        check(
            "[network]\nallow = ['crm.internal']",
            expect![[r#"
            this is not a host with its port
              --> flowrun.toml:2:10
               | allow = ['crm.internal']
               = help: write it as crm.internal:8443"#]],
        );
    }

    /// A value pasted where a name belongs is not printed again.
    #[test]
    fn a_secret_is_a_name_and_a_value_in_its_place_is_not_shown() {
        check(
            "[channels.chat]\nurl = 'https://c.example'\nsecret = 'hunter2+/='",
            expect![[r#"
            this is not the name of a secret
              --> flowrun.toml:3:10
               = help: write 1 to 64 letters, digits, `_` or `-`"#]],
        );
    }
}
