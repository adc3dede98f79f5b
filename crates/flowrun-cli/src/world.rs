//! The process as the rest of the command line sees it: environment, current folder, streams.
//!
//! It is read once, here and nowhere else in the house; folders and files are derived from it by the rules below.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowrun::engine::EngineBuilder;
use flowrun::step::{Clock, Outbound, StepSet};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::net::Net;
use crate::terminal::{Sink, Terminal};

/// What an invocation may see of the process it runs in.
#[derive(Debug)]
pub struct World {
    environment: BTreeMap<OsString, OsString>,
    directory: PathBuf,
    pub(crate) terminal: Arc<Terminal>,
    /// Knows the secrets that have been read.
    pub(crate) net: Net,
    /// Step kinds beside flowrun's own.
    pub(crate) steps: StepSet,
    /// Whether a person is typing on stdin.
    pub(crate) is_interactive: bool,
}

impl World {
    /// The world of this process.
    ///
    /// # Example
    /// ```
    /// use flowrun_cli::World;
    /// flowrun_cli::run(["flowrun", "explain", "F014"], World::of_process());
    /// ```
    #[must_use]
    pub fn of_process() -> Self {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
        Self {
            environment: std::env::vars_os().collect(),
            // Without a current folder only absolute paths work, and each other one says so when it is opened.
            directory: std::env::current_dir().unwrap_or_default(),
            terminal: Arc::new(Terminal::new(
                Sink::new(out, out_is_terminal),
                Sink::new(err, err_is_terminal),
            )),
            net: Net::default(),
            steps: StepSet::new(),
            is_interactive: std::io::stdin().is_terminal(),
        }
    }

    /// Begins an engine with every step kind of this house.
    pub(crate) fn engine(&self, clock: Arc<dyn Clock>, plain: Arc<dyn Outbound>) -> EngineBuilder {
        flowrun::engine(clock, plain).steps(&self.steps)
    }

    /// A variable of the environment; an empty one counts as absent.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty())
    }

    /// A variable of the environment that must be text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.variable(name)?.to_str()
    }

    /// The names of flowrun's own variables; some of them hold secrets.
    pub(crate) fn own_variables(&self) -> impl Iterator<Item = &OsString> {
        self.environment.keys().filter(|name| name.to_string_lossy().starts_with("FLOWRUN_"))
    }

    /// A path as the person meant it: relative to the current folder.
    pub(crate) fn path(&self, given: &Path) -> PathBuf {
        self.directory.join(given)
    }

    /// The folder of the registry: `FLOWRUN_HOME/data`, or `flowrun` in the XDG data folder.
    pub(crate) fn data_folder(&self) -> Result<PathBuf, Complaint> {
        self.folder("data", "XDG_DATA_HOME", ".local/share")
    }

    /// Where a socket goes whose path would be too long otherwise: `XDG_RUNTIME_DIR` (N9).
    pub(crate) fn runtime_folder(&self) -> Option<PathBuf> {
        self.variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The key that seals the registry: `FLOWRUN_KEY_FILE`, or `key` in the configuration folder (N9).
    pub(crate) fn key_file(&self) -> Result<PathBuf, Complaint> {
        self.file("FLOWRUN_KEY_FILE", "key")
    }

    /// The secrets of flows: `FLOWRUN_SECRETS_FILE`, or `secrets` in the configuration folder (N2).
    pub(crate) fn secrets_file(&self) -> Result<PathBuf, Complaint> {
        self.file("FLOWRUN_SECRETS_FILE", "secrets")
    }

    fn file(&self, variable: &str, name: &str) -> Result<PathBuf, Complaint> {
        match self.variable(variable) {
            Some(path) => Ok(self.path(Path::new(path))),
            None => Ok(self.folder("config", "XDG_CONFIG_HOME", ".config")?.join(name)),
        }
    }

    /// The XDG base directory specification: a relative path in its variables is to be ignored.
    fn folder(&self, of_home: &str, xdg: &str, default: &str) -> Result<PathBuf, Complaint> {
        if let Some(home) = self.variable("FLOWRUN_HOME") {
            return Ok(self.path(Path::new(home)).join(of_home));
        }
        let base = self.variable(xdg).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = base.or_else(|| Some(PathBuf::from(self.variable("HOME")?).join(default)));
        base.map(|base| base.join("flowrun")).ok_or_else(|| {
            Complaint::new(Exit::Usage, "there is no home folder to keep integrations in")
                .help("set HOME, or FLOWRUN_HOME to a folder of flowrun's own")
        })
    }

    /// Whether what is said may be coloured: what was asked for, else the conventions of the environment.
    pub(crate) fn wants_colour(&self) -> bool {
        if self.variable("NO_COLOR").is_some() {
            return false;
        }
        if self.text("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            return true;
        }
        self.terminal.is_watched() && self.text("TERM") != Some("dumb")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(environment: &[(&str, &str)]) -> World {
        World {
            environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            directory: "/here".into(),
            terminal: Arc::new(Terminal::new(
                Sink::new(std::io::sink(), false),
                Sink::new(std::io::sink(), false),
            )),
            net: Net::default(),
            steps: StepSet::new(),
            is_interactive: false,
        }
    }

    fn check(environment: &[(&str, &str)], data: &str, key: &str) {
        let world = world(environment);
        assert_eq!(world.data_folder().unwrap(), Path::new(data), "{environment:?}");
        assert_eq!(world.key_file().unwrap(), Path::new(key), "{environment:?}");
    }

    #[test]
    fn the_key_lies_in_the_configuration_folder_not_beside_the_data_n9() {
        check(&[("HOME", "/h")], "/h/.local/share/flowrun", "/h/.config/flowrun/key");
    }

    #[test]
    fn folders_follow_xdg_unless_flowrun_has_a_home_of_its_own() {
        let xdg = [("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "relative")];
        check(&xdg, "/d/flowrun", "/h/.config/flowrun/key");
        check(&[("HOME", "/h"), ("FLOWRUN_HOME", "own")], "/here/own/data", "/here/own/config/key");
        check(&[("HOME", "/h"), ("FLOWRUN_KEY_FILE", "/k")], "/h/.local/share/flowrun", "/k");
    }

    #[test]
    fn without_a_home_folder_the_way_out_is_named() {
        let complaint = world(&[]).data_folder().unwrap_err();
        assert!(complaint.help.unwrap().contains("FLOWRUN_HOME"));
    }

    #[test]
    fn colour_follows_the_conventions_of_the_environment() {
        for (environment, wanted) in [
            (&[][..], false),
            (&[("CLICOLOR_FORCE", "1")], true),
            (&[("CLICOLOR_FORCE", "0")], false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ] {
            assert_eq!(world(environment).wants_colour(), wanted, "{environment:?}");
        }
    }
}
