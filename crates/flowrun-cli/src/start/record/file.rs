//! The test file that takes one more case: a new one, or one that stands and keeps every line it has.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use flowrun::lang::case::{self, Suite};
use flowrun::lang::{Flow, SourceText};

use super::case::Case;
use super::yaml;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::test::flow_of;
use crate::world::World;

/// The file, as it was when the run began.
pub(super) struct TestFile {
    path: PathBuf,
    shown: String,
    old: Option<Old>,
    /// The flow's file as a new test file names it.
    flow: String,
}

struct Old {
    text: String,
    names: Vec<String>,
    permissions: fs::Permissions,
}

/// The file with the case in it, read back.
pub(super) struct Extended {
    pub(super) text: String,
    pub(super) suite: Suite,
}

impl TestFile {
    /// Looks at the file before anything is sent, so that no run is lost to a file that takes no case.
    pub(super) fn open(
        world: &World,
        (file, flow_file): (&Path, &Path),
        flow: &Flow,
    ) -> Result<Self, Complaint> {
        let shown = file.display().to_string();
        let refused = |why: &str, help: &str| {
            let message = format!("the run cannot be recorded in {shown}");
            Complaint::new(Exit::Usage, message).because(why).help(help)
        };
        let another = "give a file of its own: --record recorded.test.yaml";
        let Ok(flow_path) = world.path(flow_file).canonicalize() else {
            return Err(refused(
                "the flow is in no file that a test could name",
                "write the flow into a file",
            ));
        };
        let path = world.path(file);
        let path = path.canonicalize().unwrap_or(path);
        let Some(folder) = path.parent().and_then(|folder| folder.canonicalize().ok()) else {
            return Err(refused("its folder does not exist", "create the folder"));
        };
        let flow_name = between(&folder, &flow_path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, shown, old: None, flow: flow_name });
            }
            Err(error) => return Err(refused(&error.to_string(), another)),
        };
        let suite = read(&shown, &text).map_err(|why| refused(&why, "mend it: flowrun test says where"))?;
        let its_flow = flow_of(&path, suite.flow.as_ref().map(|flow| flow.is.as_str()));
        if its_flow.canonicalize().ok().as_ref() != Some(&flow_path) {
            return Err(refused("it holds the cases of another flow", another));
        }
        if let Some(misfit) = suite.misfits(&shown, flow).into_iter().next() {
            let help = misfit.help.unwrap_or_else(|| another.to_owned());
            return Err(refused(&misfit.message, &help));
        }
        let permissions =
            fs::metadata(&path).map_err(|error| refused(&error.to_string(), another))?.permissions();
        let names = suite.cases.iter().map(|case| case.name.is.clone()).collect();
        if place(&text).is_none() {
            return Err(refused("its `cases` are not a list with a line for each dash", another));
        }
        Ok(Self { path, shown, old: Some(Old { text, names, permissions }), flow: flow_name })
    }

    pub(super) fn shown(&self) -> String {
        self.shown.clone()
    }

    /// The file with one more case, which is read back: nothing else of it may have become another.
    pub(super) fn with(&self, item: &str, case: &Case, flow: &Flow) -> Result<Extended, Complaint> {
        let text = match &self.old {
            Some(old) => added(&old.text, item),
            None => Some(self.fresh(item, case)),
        };
        let names = self.old.iter().flat_map(|old| old.names.iter()).chain([&case.name]);
        let names: Vec<&str> = names.map(String::as_str).collect();
        let read_back = text.ok_or_else(|| "it takes no further case".to_owned());
        let read_back = read_back.and_then(|text| Ok((read(&self.shown, &text)?, text)));
        let checked = read_back.and_then(|(suite, text)| {
            if suite.cases.iter().map(|case| case.name.is.as_str()).ne(names.iter().copied()) {
                return Err("its other cases would become others".to_owned());
            }
            match suite.misfits(&self.shown, flow).into_iter().next() {
                Some(misfit) => Err(misfit.message),
                None => Ok(Extended { text, suite }),
            }
        });
        checked.map_err(|why| {
            Complaint::new(Exit::Failed, format!("the run was not recorded; {} is as it was", self.shown))
                .because(why)
                .help("a test file holds 1 MiB at most: record a run with smaller replies, or into a file of its own")
        })
    }

    fn fresh(&self, item: &str, case: &Case) -> String {
        let mut head = serde_json::Map::from_iter([("flow".to_owned(), self.flow.clone().into())]);
        if !case.integrations.is_empty() {
            head.insert("integrations".to_owned(), case.integrations.clone().into());
        }
        let mut text = String::from(
            "# Recorded by flowrun --record, without tokens and secrets. Look at it before you share it.",
        );
        yaml::behind(&head.into(), 0, &mut text);
        format!("{text}\ncases:\n{item}")
    }

    /// Puts the file in its place whole. A new one is its owner's: replies may hold anything.
    pub(super) fn write(&self, text: &str) -> Result<(), Complaint> {
        let written = || -> io::Result<()> {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
            fresh.write_all(text.as_bytes())?;
            if let Some(old) = &self.old {
                fresh.as_file().set_permissions(old.permissions.clone())?;
            }
            fresh.as_file().sync_all()?;
            fresh.persist(&self.path)?;
            Ok(())
        };
        written().map_err(|error| {
            Complaint::new(Exit::Failed, format!("{} cannot be written", self.shown))
                .because(error)
                .help("check who may write into its folder")
        })
    }
}

fn read(shown: &str, text: &str) -> Result<Suite, String> {
    let source = SourceText::new(shown, text.as_bytes().to_vec()).map_err(|mistake| mistake.message)?;
    case::read(&source)
        .map_err(|mistakes| mistakes.into_iter().map(|mistake| mistake.message).next().unwrap_or_default())
}

/// Where in a text the next case goes, and how far in its dash stands.
fn place(text: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    let (mut depth, mut is_in) = (None, false);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches(' ');
        let is_said = !bare.trim().is_empty() && !bare.starts_with('#');
        match (is_in, depth) {
            (false, _) => is_in = line.strip_prefix("cases:").is_some_and(is_blank),
            (true, None) if is_said => {
                bare.starts_with("- ").then_some(())?;
                depth = Some(line.len() - bare.len());
            }
            (true, Some(_)) if is_said && bare.len() == line.len() && !bare.starts_with('-') => break,
            _ => {}
        }
        at += line.len();
    }
    Some((at, depth?))
}

fn is_blank(rest: &str) -> bool {
    rest.trim().is_empty() || rest.trim_start().starts_with('#')
}

/// A text with one more case, its lines where the others stand.
fn added(text: &str, item: &str) -> Option<String> {
    let (at, depth) = place(text)?;
    let (before, after) = text.split_at(at);
    let gap = if before.ends_with('\n') { "" } else { "\n" };
    let lines = item.lines().map(|line| format!("{:depth$}{}\n", "", line.get(2..).unwrap_or_default()));
    Some(format!("{before}{gap}{}{after}", lines.collect::<String>()))
}

/// The way from a folder to a file, both without links.
fn between(folder: &Path, file: &Path) -> String {
    let (mut from, mut to) = (folder.components().peekable(), file.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up = from.map(|_| Component::ParentDir);
    up.chain(to).collect::<PathBuf>().display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_goes_after_the_others_and_before_what_follows() {
        let item = "  - name: new\n    now: x\n";
        for (text, expected) in [
            ("cases:\n  - name: a\n", "cases:\n  - name: a\n  - name: new\n    now: x\n"),
            ("cases: # all\n- name: a", "cases: # all\n- name: a\n- name: new\n  now: x\n"),
            (
                "cases:\n    # one\n    - name: a\n# end\nflow: f\n",
                "cases:\n    # one\n    - name: a\n# end\n    - name: new\n      now: x\nflow: f\n",
            ),
        ] {
            assert_eq!(added(text, item).as_deref(), Some(expected));
        }
        assert_eq!(added("cases: [{ name: a }]\n", item), None);
    }

    #[test]
    fn a_flow_is_named_from_where_the_test_file_is() {
        for (folder, file, expected) in
            [("/a/b", "/a/b/f.yaml", "f.yaml"), ("/a/tests", "/a/flows/f.yaml", "../flows/f.yaml")]
        {
            assert_eq!(between(Path::new(folder), Path::new(file)), expected);
        }
    }
}
