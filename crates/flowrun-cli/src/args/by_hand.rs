//! What may be said of a provider that no preset knows, or knows differently.

use clap::{Args, ValueEnum};

/// The rest of a provider: what few need, one option for each thing that differs.
#[derive(Debug, Args)]
#[command(next_help_heading = "The provider in detail")]
pub(crate) struct ByHandArguments {
    /// The issuer, whose published metadata says all this once (RFC 8414, OpenID Connect Discovery).
    #[arg(long, value_name = "URL", conflicts_with_all = ["preset", "token_url", "authorize_url"])]
    pub(crate) issuer: Option<String>,
    /// Where tokens are refreshed, if not at the token endpoint.
    #[arg(long, value_name = "URL")]
    pub(crate) refresh_url: Option<String>,
    /// Where tokens are given back (RFC 7009).
    #[arg(long, value_name = "URL")]
    pub(crate) revoke_url: Option<String>,
    /// Where the provider says whether a token is still good (RFC 7662).
    #[arg(long, value_name = "URL")]
    pub(crate) introspect_url: Option<String>,
    /// Where a device without a browser asks for a code (RFC 8628).
    #[arg(long, value_name = "URL")]
    pub(crate) device_url: Option<String>,
    /// A service the token is meant for (RFC 8707).
    #[arg(long = "resource", value_name = "URI")]
    pub(crate) resources: Vec<String>,
    /// What stands between two scopes.
    #[arg(long, value_name = "SIGN")]
    pub(crate) scope_separator: Option<SeparatorName>,
    /// Whether the provider takes PKCE (RFC 7636).
    #[arg(long, value_name = "WHEN")]
    pub(crate) pkce: Option<PkceName>,
    /// A reply, besides 401, that means an expired token: `403`, or `200:/error/code=Expired,Invalid`.
    #[arg(long, value_name = "STATUS[:JSON_POINTER[=VALUE,…]]")]
    pub(crate) expired_when: Vec<String>,
    /// The header that carries the token, with the word before it: `Authorization: Token`, or `X-Access-Token`.
    #[arg(long, value_name = "NAME[: SCHEME]")]
    pub(crate) token_header: Option<String>,
}

/// What stands between two scopes, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum SeparatorName {
    /// A space, as RFC 6749 says.
    Space,
    /// A comma.
    Comma,
}

/// Whether PKCE is used, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum PkceName {
    /// The provider refuses an attempt without it.
    Required,
    /// It is sent, though the provider does not say that it looks.
    Try,
    /// It is not sent: the provider refuses what it does not know.
    Off,
}
