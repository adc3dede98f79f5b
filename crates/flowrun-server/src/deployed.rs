//! The sets of flows that were deployed: the next process serves the last of them, and an operator can go back (R18).
//!
//! A set is known by its revision, a digest of its files; ten are kept. All of them stand in one file, so that what is kept
//! and which of it is served never disagree.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{hex, keep};

/// The file in the data folder.
pub(crate) const FILE: &str = "deployed.json";
/// How many sets are kept.
const KEPT: usize = 10;
/// How many bytes of a digest are enough to tell ten sets apart, and a set from what it was.
const BYTES: usize = 8;

/// The text of each file, by its path.
pub(crate) type Files = BTreeMap<String, String>;

/// A set of flows that was deployed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Set {
    pub(crate) revision: String,
    pub(crate) at: Timestamp,
    /// Who deployed it: a token's id and name.
    pub(crate) by: String,
    pub(crate) files: Files,
}

impl Set {
    pub(crate) fn new(files: Files, at: Timestamp, by: String) -> Self {
        Self { revision: revision(&files), at, by, files }
    }
}

/// The sets that are kept, in the order in which they were served; those after the served one were gone back from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deployed {
    sets: Vec<Set>,
    /// The one that is served.
    served: Option<String>,
}

impl Deployed {
    /// Those of a data folder; none if none was deployed.
    pub(crate) fn read(data_dir: &Path) -> io::Result<Self> {
        match std::fs::read(data_dir.join(FILE)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Keeps them; on disk once it comes back.
    pub(crate) fn keep(&self, data_dir: &Path) -> io::Result<()> {
        keep::replace(&data_dir.join(FILE), &serde_json::to_vec(self)?)
    }

    pub(crate) fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The set that is served, if one was deployed.
    pub(crate) fn served(&self) -> Option<&Set> {
        self.find(self.served.as_deref()?)
    }

    /// The revision of what is served; that of a set without files, where none was deployed.
    pub(crate) fn revision(&self) -> String {
        self.served().map_or_else(|| revision(&Files::new()), |set| set.revision.clone())
    }

    /// The set of a revision, if it is kept.
    pub(crate) fn find(&self, revision: &str) -> Option<&Set> {
        self.sets.iter().find(|set| set.revision == revision)
    }

    /// The set that was served before the one that is.
    pub(crate) fn before(&self) -> Option<&Set> {
        self.sets.iter().take_while(|set| Some(&set.revision) != self.served.as_ref()).last()
    }

    /// The same, serving a new set: what was served becomes the one before it, and the oldest is forgotten.
    pub(crate) fn with(mut self, set: Set) -> Self {
        let is_other = |kept: &Set| kept.revision != set.revision;
        let served = self.served().cloned().filter(is_other);
        self.sets.retain(|kept| is_other(kept) && Some(&kept.revision) != self.served.as_ref());
        self.served = Some(set.revision.clone());
        self.sets.extend(served);
        self.sets.push(set);
        self.sets.drain(..self.sets.len().saturating_sub(KEPT));
        self
    }

    /// The same, serving one that is kept.
    pub(crate) fn back_to(self, set: &Set) -> Self {
        Self { served: Some(set.revision.clone()), ..self }
    }
}

/// The files of the set that is served, by their paths; empty if none was deployed.
///
/// # Errors
/// When the file of the sets cannot be read.
pub fn deployed(data_dir: &Path) -> io::Result<Files> {
    Ok(Deployed::read(data_dir)?.served().map(|set| set.files.clone()).unwrap_or_default())
}

/// What a set is known by: the same for the same files, wherever they are.
#[must_use]
pub fn revision(files: &Files) -> String {
    // Each path and text with its length, so that nothing can pass from one into the other.
    let digest = files.iter().fold(Sha256::new(), |digest, (path, text)| {
        let part =
            |digest: Sha256, part: &str| digest.chain_update(part.len().to_be_bytes()).chain_update(part);
        part(part(digest, path), text)
    });
    hex::of(&digest.finalize()[..BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Set {
        let files = Files::from([("a.yaml".to_owned(), text.to_owned())]);
        Set::new(files, Timestamp::UNIX_EPOCH, "ci".to_owned())
    }

    /// Deploys these, and gives the texts that going back shows, one after the other.
    fn back(mut deployed: Deployed) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(before) = deployed.before().cloned() {
            seen.push(before.files["a.yaml"].clone());
            deployed = deployed.back_to(&before);
        }
        seen
    }

    fn of(texts: &[&str]) -> Deployed {
        texts.iter().fold(Deployed::default(), |deployed, text| deployed.with(set(text)))
    }

    #[test]
    fn going_back_goes_through_what_was_served_and_ten_are_kept_r18() {
        assert_eq!(back(of(&["a", "b", "c"])), ["b", "a"]);
        assert_eq!(back(of(&["a", "b", "b"])), ["a"], "the same set again is no other one");
        let many: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        let many = of(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(back(many), ["10", "9", "8", "7", "6", "5", "4", "3", "2"]);
    }

    #[test]
    fn what_was_gone_back_from_comes_after_what_was_served_since() {
        let deployed = of(&["a", "b", "c"]);
        let before = deployed.before().cloned().unwrap();
        assert_eq!(back(deployed.back_to(&before).with(set("d"))), ["b", "c", "a"]);
    }

    #[test]
    fn a_revision_is_of_names_and_texts_and_of_where_one_ends() {
        let of = |files: &[(&str, &str)]| {
            revision(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
        };
        assert_eq!(of(&[("a", "b")]), of(&[("a", "b")]));
        for other in [&[("a", "c")][..], &[("ab", "")], &[("", "ab")], &[], &[("a", "b"), ("c", "")]] {
            assert_ne!(of(&[("a", "b")]), of(other), "{other:?}");
        }
    }
}
