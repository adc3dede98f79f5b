//! What may be said about trying one expression.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

/// One path, template or expression, and what it works on.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("language").required(true).args(["path", "template", "expr"])))]
pub(crate) struct EvalArguments {
    /// A JSON path (RFC 9535; `$.` may be left out): a singular one gives its value, any other a list.
    #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// A template.
    #[arg(long, value_name = "TEXT")]
    pub(crate) template: Option<String>,
    /// An expression.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) expr: Option<String>,
    /// The JSON document a path picks from; stdin if absent or `-`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["template", "expr"])]
    pub(crate) doc: Option<PathBuf>,
    /// A JSON object of variables; none if absent, stdin if `-`.
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    pub(crate) vars: Option<PathBuf>,
    /// Where the template stands, which decides how values are written.
    #[arg(long, default_value = "text", requires = "template")]
    pub(crate) place: PlaceName,
    /// Reads `{"path", "doc"}` a line on stdin; answers `{"values"}` or `{"error"}` a line.
    #[arg(long, requires = "path", conflicts_with_all = ["doc", "template", "expr"])]
    pub(crate) jsonl: bool,
}

/// A place of a template, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlaceName {
    /// A message.
    Text,
    /// A JSON text.
    Json,
    /// A URL.
    Url,
    /// A header's value.
    Header,
    /// A form's text.
    Form,
}
