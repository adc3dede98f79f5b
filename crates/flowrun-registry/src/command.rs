//! The commands an error tells a person to type.

use flowrun_step::IntegrationName;

/// `flowrun integrations VERB NAME`, the name quoted where a shell would split it.
pub(crate) fn command(verb: &str, name: &IntegrationName) -> String {
    if name.as_str().contains(' ') {
        format!("flowrun integrations {verb} '{name}'")
    } else {
        format!("flowrun integrations {verb} {name}")
    }
}
