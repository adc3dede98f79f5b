//! The table of crates: who may name whom, and who alone names a chosen library.
//!
//! A crate is added here by the work that first uses it; the same table in words is `docs/architecture.md`.

/// What one crate may name.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Crates of ours it may depend on.
    pub(crate) ours: &'static [&'static str],
    /// Libraries that no other crate may depend on.
    pub(crate) alone: &'static [&'static str],
}

/// Every crate, those below first.
pub(crate) const TABLE: [Row; 16] = [
    row("flowrun-template", &[], &["handlebars", "jsonpath-rust", "minijinja"]),
    row("flowrun-machine", &["flowrun-template"], &[]),
    row("flowrun-step", &["flowrun-template"], &[]),
    row(
        "flowrun-lang",
        &["flowrun-template", "flowrun-machine", "flowrun-step"],
        &["serde_yaml", "saphyr-parser", "dagre"],
    ),
    row("flowrun-engine", &["flowrun-template", "flowrun-machine", "flowrun-step", "flowrun-lang"], &[]),
    row("flowrun-http", &["flowrun-template", "flowrun-step"], &["reqwest"]),
    row("flowrun-step-fetch-variables", &["flowrun-step", "flowrun-http"], &[]),
    row("flowrun-step-http-request", &["flowrun-step", "flowrun-http"], &[]),
    row("flowrun-oauth", &["flowrun-template"], &["oauth2"]),
    row("flowrun-seal", &["flowrun-step"], &["chacha20poly1305", "hkdf"]),
    row(
        "flowrun-registry",
        &["flowrun-template", "flowrun-step", "flowrun-oauth", "flowrun-seal"],
        &["sled"],
    ),
    row("flowrun-journal", &["flowrun-step", "flowrun-engine", "flowrun-seal"], &["rusqlite"]),
    row(
        "flowrun",
        &[
            "flowrun-template",
            "flowrun-machine",
            "flowrun-step",
            "flowrun-lang",
            "flowrun-engine",
            "flowrun-http",
            "flowrun-step-fetch-variables",
            "flowrun-step-http-request",
            "flowrun-oauth",
            "flowrun-registry",
            "flowrun-journal",
        ],
        &[],
    ),
    row("flowrun-sandbox", &[], &[]),
    row("flowrun-server", &["flowrun"], &["axum", "prometheus-client"]),
    row("flowrun-cli", &["flowrun", "flowrun-sandbox", "flowrun-server"], &["clap"]),
];

/// Crates without a runtime: nothing in them waits, and nothing in them logs.
pub(crate) const WITHOUT_RUNTIME: [&str; 5] =
    ["flowrun-template", "flowrun-machine", "flowrun-step", "flowrun-lang", "flowrun-oauth"];

/// The provider that tests of any crate may run against; it names no crate of ours.
pub(crate) const TEST_PROVIDER: &str = "flowrun-sandbox";

/// The seeded mistakes of `tests/cases` are checked with the two real HTTP steps, not with stand-ins.
const CHECKED_WITH: (&str, [&str; 2]) =
    ("flowrun-lang", ["flowrun-step-fetch-variables", "flowrun-step-http-request"]);

const fn row(name: &'static str, ours: &'static [&'static str], alone: &'static [&'static str]) -> Row {
    Row { name, ours, alone }
}

/// The row of a crate.
pub(crate) fn row_of(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// Whether tests of `from` may name `to`: what the crate reaches by its arrows, itself, or the test provider.
pub(crate) fn tests_may_name(from: &Row, to: &str) -> bool {
    let reaches = |name: &&'static str| row_of(name).is_some_and(|below| tests_may_name(below, to));
    let checks_with = from.name == CHECKED_WITH.0 && CHECKED_WITH.1.contains(&to);
    checks_with || to == TEST_PROVIDER || to == from.name || from.ours.iter().any(reaches)
}
