//! A disk that loses power: what it keeps of files is what was synced, and of the rest as much as it likes.
//!
//! The strict disk keeps nothing else: a file's bytes as of its last `fsync`, a name as of the last `fsync` of its
//! folder (POSIX promises no more; a file's own `fsync` does not keep its name). The lax disk keeps, of what was not
//! synced, any of the writes, whole or up to a page, and names up to any moment, in their order, as a file system with
//! a journal does. Both drop what they drop at once, with no sign left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::chance::Chance;
use crate::recording::Did;

/// Where a write may break off.
const PAGE: u64 = 4096;

/// Which file or folder a name stands for.
type Node = usize;
type Names = BTreeMap<PathBuf, Node>;

/// Files and folders as a program sees them, and as they will be after a power cut.
#[derive(Clone)]
pub(crate) struct Disk {
    home: PathBuf,
    nodes: Vec<Content>,
    /// As the program sees them.
    names: Names,
    /// As they were when their folders were synced.
    kept_names: Names,
    /// Names as they were after each change since then.
    since: Vec<Names>,
}

#[derive(Clone, Default)]
struct Content {
    is_folder: bool,
    bytes: Vec<u8>,
    kept: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Cut(u64),
}

/// What is left after a power cut: folders and files, by their paths within the home folder.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Left(BTreeMap<PathBuf, Option<Vec<u8>>>);

impl Disk {
    /// The home folder as it is, all of it synced.
    pub(crate) fn of(home: &Path) -> Self {
        let mut disk = Self {
            home: home.to_owned(),
            nodes: Vec::new(),
            names: Names::new(),
            kept_names: Names::new(),
            since: Vec::new(),
        };
        disk.take(home);
        disk.kept_names.clone_from(&disk.names);
        disk
    }

    fn take(&mut self, folder: &Path) {
        self.add(folder, Content { is_folder: true, ..Content::default() });
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                self.take(&path);
            } else {
                let bytes = fs::read(&path).expect("readable");
                self.add(&path, Content { kept: bytes.clone(), bytes, ..Content::default() });
            }
        }
    }

    fn add(&mut self, path: &Path, content: Content) {
        self.nodes.push(content);
        self.names.insert(path.to_owned(), self.nodes.len() - 1);
    }

    /// Takes part in what a program did.
    pub(crate) fn apply(&mut self, did: &Did) {
        match did {
            Did::Opened { path, empties } => self.opened(path, *empties),
            Did::Wrote { path, at, bytes } => self.change(path, &Change::Write(*at, bytes.clone())),
            Did::Cut { path, length } => self.change(path, &Change::Cut(*length)),
            Did::Synced(path) => self.sync(path),
            Did::MadeFolder(path) => {
                self.rename(|disk| disk.add(path, Content { is_folder: true, ..Content::default() }))
            }
            Did::Removed(path) => self.rename(|disk| {
                disk.names.remove(path);
            }),
            Did::Renamed { from, to } => self.rename(|disk| {
                if let Some(node) = disk.names.remove(from) {
                    disk.names.insert(to.clone(), node);
                }
            }),
            Did::Linked { from, to } => self.rename(|disk| {
                if let Some(node) = disk.names.get(from).copied() {
                    disk.names.insert(to.clone(), node);
                }
            }),
            Did::Said(_) => {}
        }
    }

    fn opened(&mut self, path: &Path, empties: bool) {
        if !path.starts_with(&self.home) {
            return;
        }
        if !self.names.contains_key(path) {
            self.rename(|disk| disk.add(path, Content::default()));
        } else if empties {
            self.change(path, &Change::Cut(0));
        }
    }

    fn change(&mut self, path: &Path, change: &Change) {
        if let Some(node) = self.names.get(path) {
            let content = &mut self.nodes[*node];
            change.make(&mut content.bytes);
            content.since.push(change.clone());
        }
    }

    fn sync(&mut self, path: &Path) {
        let Some(node) = self.names.get(path) else { return };
        let content = &mut self.nodes[*node];
        content.kept.clone_from(&content.bytes);
        content.since.clear();
        if content.is_folder {
            let inside = |name: &Path| name.parent() == Some(path);
            self.kept_names.retain(|name, _| !inside(name));
            self.kept_names.extend(
                self.names.iter().filter(|(name, _)| inside(name)).map(|(name, node)| (name.clone(), *node)),
            );
            // The changes elsewhere are still not kept; a journal would have kept them too, by their order.
            self.since.clear();
        }
    }

    fn rename(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.since.push(self.names.clone());
    }

    /// What the program sees.
    pub(crate) fn live(&self) -> Left {
        self.left(&self.names, |content| content.bytes.clone())
    }

    /// What the strict disk keeps.
    pub(crate) fn strict(&self) -> Left {
        self.left(&self.kept_names, |content| content.kept.clone())
    }

    /// What a lax disk keeps.
    pub(crate) fn lax(&self, chance: &mut Chance) -> Left {
        let moments = self.since.len() as u64;
        let moment = usize::try_from(chance.below(moments + 1)).expect("small");
        let names = moment.checked_sub(1).map_or(&self.kept_names, |last| &self.since[last]);
        self.left(names, |content| {
            let mut bytes = content.kept.clone();
            let kept = content.since.iter().filter_map(|change| change.kept(chance));
            kept.for_each(|change| change.make(&mut bytes));
            bytes
        })
    }

    fn left(&self, names: &Names, mut bytes: impl FnMut(&Content) -> Vec<u8>) -> Left {
        let mut left = BTreeMap::new();
        // In the order of paths, so that a folder comes before what is in it: nothing hangs in the air.
        for (path, node) in names {
            let inside = path.strip_prefix(&self.home).expect("within the home folder").to_owned();
            let has_folder =
                path == &self.home || inside.parent().is_some_and(|folder| left.contains_key(folder));
            if has_folder {
                let content = &self.nodes[*node];
                left.insert(inside, (!content.is_folder).then(|| bytes(content)));
            }
        }
        Left(left)
    }
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        let long = |number: u64| usize::try_from(number).expect("no file is so long");
        match self {
            Self::Cut(length) => bytes.resize(long(*length), 0),
            Self::Write(at, written) => {
                let (start, end) = (long(*at), long(*at) + written.len());
                bytes.resize(bytes.len().max(end), 0);
                bytes[start..end].copy_from_slice(written);
            }
        }
    }

    /// All of it, nothing, or what comes before a page's end.
    fn kept(&self, chance: &mut Chance) -> Option<Self> {
        match (chance.below(4), self) {
            (0, _) => None,
            (1, Self::Write(at, bytes)) => {
                let pages = (at + bytes.len() as u64) / PAGE - at / PAGE;
                let end = (at / PAGE + 1 + chance.below(pages + 1)) * PAGE;
                let length = usize::try_from(end - at).expect("small").min(bytes.len());
                Some(Self::Write(*at, bytes[..length].to_vec()))
            }
            _ => Some(self.clone()),
        }
    }
}

impl Left {
    /// The same, with one folder as it is in another.
    pub(crate) fn with(mut self, other: &Self, folder: &Path) -> Self {
        self.0.retain(|path, _| !path.starts_with(folder));
        let theirs = other.0.iter().filter(|(path, _)| path.starts_with(folder));
        self.0.extend(theirs.map(|(path, bytes)| (path.clone(), bytes.clone())));
        self
    }

    /// Lays it out in a folder, for its owner alone.
    pub(crate) fn lay_out(&self, home: &Path) {
        for (inside, bytes) in &self.0 {
            let path = home.join(inside);
            let mode = match bytes {
                None => fs::create_dir_all(&path).map(|()| 0o700),
                Some(bytes) => fs::write(&path, bytes).map(|()| 0o600),
            };
            let mode = fs::Permissions::from_mode(mode.expect("writable"));
            fs::set_permissions(&path, mode).expect("our own");
        }
    }
}
