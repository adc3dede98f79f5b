//! What may be said about drawing a flow.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What to draw, and in which language.
#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// The flow's file; `-` reads it from stdin.
    #[arg(value_name = "FLOW")]
    pub(crate) flow: PathBuf,
    /// The language of the picture.
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    pub(crate) format: GraphFormat,
}

/// The language of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Mermaid, which many pages and editors draw.
    Mermaid,
    /// Graphviz' DOT: `flowrun graph x.flow.yaml --format dot | dot -Tsvg`.
    Dot,
    /// A picture that browsers and documents show as it is.
    Svg,
}
