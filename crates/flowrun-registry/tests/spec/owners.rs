//! Whose the files are, seen by a process of a user without privileges (T22): root could read and write them all.
//!
//! These start a child under another uid, which only root may do; elsewhere each test says aloud that it is skipped.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use flowrun_registry::Registry;
use tempfile::TempDir;

use crate::processes::{Job, command};
use crate::world::{House, NAME, name};

/// The uid and gid of `nobody`.
const NOBODY: u32 = 65_534;

/// Whether this test can be run here.
fn is_root() -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    assert!(std::env::var_os("FLOWRUN_REQUIRE_ROOT").is_none(), "not root");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the capture of the test runner: a skipped test must be seen.
    let said = format!("skipped: {test}: only root can start a process of another user\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    false
}

/// What the child does: every way in is tried. Returns what was said, a line each.
pub(crate) async fn look(registry: &Registry) -> String {
    let list = match registry.list().await {
        Ok(all) => format!("{} known", all.len()),
        Err(error) => error.to_string(),
    };
    let checkup = registry.check(&name(NAME)).await.unwrap();
    let legs: Vec<_> = checkup.wrong().map(|it| it.leg.to_string()).collect();
    let rotated = registry.rotate_key().await.is_ok();
    format!("\nlist: {list}\nwrong: {}\nrotated: {rotated}\n", legs.join(" "))
}

/// A house that belongs to nobody, and a copy of this program that nobody can start.
struct Estate {
    house: House,
    programs: TempDir,
}

impl Estate {
    async fn new() -> Self {
        let house = House::new().await;
        house.authorized().await;
        give(house.folder.path());
        let programs = TempDir::new().unwrap();
        fs::set_permissions(programs.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(std::env::current_exe().unwrap(), programs.path().join("spec")).unwrap();
        Self { house, programs }
    }

    /// What nobody's process says about it.
    async fn seen(&self) -> String {
        let mut command = command(&self.house, &self.programs.path().join("spec"), Job::Look);
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().filter(|line| line.contains(": ")).map(|line| format!("{line}\n")).collect()
    }

    /// Every file there is, but for the snapshots that sled makes for itself.
    fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        crate::custody::files(self.house.folder.path(), &mut found);
        found.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with("snap."));
        found.sort();
        found
    }
}

fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path()));
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn its_owner_without_privileges_can_do_everything_t22() {
    if !is_root() {
        return;
    }
    let estate = Estate::new().await;
    let seen = estate.seen().await;
    assert!(seen.contains("list: 1 known\n") && seen.contains("wrong: \n"), "{seen}");
    assert!(seen.contains("rotated: true\n"), "{seen}");
}

#[tokio::test]
async fn missing_key_with_data_creates_nothing_for_a_user_without_privileges_t22() {
    if !is_root() {
        return;
    }
    let estate = Estate::new().await;
    fs::remove_file(estate.house.key()).unwrap();
    let before = estate.files();
    let seen = estate.seen().await;
    assert!(seen.contains("its key") && seen.contains("is not there\n"), "{seen}");
    assert!(seen.contains("wrong: key\n") && seen.contains("rotated: false\n"), "{seen}");
    assert_eq!(estate.files(), before);
}

/// T22: a key that is not as it should be, and what its user is told; nothing but an error comes of it.
async fn check(spoil: impl Fn(&Path), said: &str, legs: &str) {
    let estate = Estate::new().await;
    spoil(&estate.house.key());
    let seen = estate.seen().await;
    assert!(seen.contains(said), "`{said}` is not in: {seen}");
    assert!(seen.contains(&format!("wrong: {legs}\n")) && seen.contains("rotated: false\n"), "{seen}");
}

#[tokio::test]
async fn a_key_of_another_user_of_another_mode_or_behind_a_link_is_refused_t22() {
    if !is_root() {
        return;
    }
    let of_root = |key: &Path| {
        chown(key, Some(0), Some(0)).unwrap();
        chmod(key, 0o644);
    };
    check(of_root, "belongs to another user", "key permissions").await;
    let hidden = |key: &Path| chown(key, Some(0), Some(0)).unwrap();
    check(hidden, "cannot read", "permissions").await;
    for mode in [0o640, 0o604, 0o660] {
        check(|key| chmod(key, mode), "can be read or written by others", "key permissions").await;
    }
    let link = |key: &Path| {
        fs::rename(key, key.with_extension("real")).unwrap();
        symlink(key.with_extension("real"), key).unwrap();
        std::os::unix::fs::lchown(key, Some(NOBODY), Some(NOBODY)).unwrap();
    };
    check(link, "is a symbolic link", "key").await;
    let folder = |key: &Path| {
        fs::remove_file(key).unwrap();
        fs::create_dir(key).unwrap();
        chown(key, Some(NOBODY), Some(NOBODY)).unwrap();
    };
    check(folder, "is no plain file", "key permissions").await;
}

#[tokio::test]
async fn a_data_folder_that_belongs_to_somebody_else_is_named_t22() {
    if !is_root() {
        return;
    }
    let estate = Estate::new().await;
    let data = estate.house.folder.path().join("data");
    chown(&data, Some(0), Some(0)).unwrap();
    let seen = estate.seen().await;
    assert!(seen.contains("wrong: permissions\n") && seen.contains(&data.display().to_string()), "{seen}");
}
