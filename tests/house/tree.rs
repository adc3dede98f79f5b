//! The files of the house, read once, and the form in which a rule says what it found.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// Folders that hold what tools wrote, at any depth.
const WRITTEN_BY_TOOLS: [&str; 3] = [".git", "target", "node_modules"];

/// One text file, by its path from the root, with `/` between the parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every text file of the house.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    /// What stands at the root, files and folders, those of tools too.
    pub(crate) root: Vec<String>,
}

/// A place that breaks a rule.
pub(crate) struct Broken {
    path: String,
    line: usize,
    says: String,
}

/// A rule names every place that breaks it.
pub(crate) type Rule = fn(&Tree) -> Vec<Broken>;

impl Tree {
    /// Reads every file beneath `root`.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        files.sort_by(|a: &File, b| a.path.cmp(&b.path));
        let mut root = fs::read_dir(root)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        root.sort();
        Ok(Self { files, root })
    }

    /// What the rule found, one place a line; empty if the rule holds.
    pub(crate) fn broken(&self, rule: Rule) -> String {
        rule(self).iter().map(|broken| format!("{broken}\n")).collect()
    }

    /// The file at exactly this path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files beneath a folder whose names end so.
    pub(crate) fn under<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder) && file.path.ends_with(ending))
    }
}

impl File {
    /// The crate whose folder holds the file.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether all of the file is tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The lines, numbered from 1, up to the tests at the end; none in a file that is all tests.
    pub(crate) fn lines_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = lines.windows(2).position(|pair| {
            pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        });
        let kept = if self.is_test() { 0 } else { tests.unwrap_or(lines.len()) };
        (1..).zip(lines).take(kept)
    }

    /// A place in this file that breaks a rule.
    pub(crate) fn broken(&self, line: usize, says: impl Into<String>) -> Broken {
        Broken { path: self.path.clone(), line, says: says.into() }
    }
}

impl Broken {
    /// A breach by a whole file or folder, or by its absence.
    pub(crate) fn whole(path: impl Into<String>, says: impl Into<String>) -> Self {
        Self { path: path.into(), line: 0, says: says.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.says),
            line => write!(f, "{}:{line}: {}", self.path, self.says),
        }
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
            files.push(File { path, text });
        } else if !WRITTEN_BY_TOOLS.contains(&name.as_str()) {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        }
    }
    Ok(())
}
