//! Rules about folders and manifests: what stands at the root, which crate names which.

use crate::table::{self, Row, TABLE};
use crate::tree::{Broken, File, Tree};

/// What may stand at the root; `.git` and `target` are there in a working copy.
const ROOT: [&str; 18] = [
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".git",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "crates",
    "docs",
    "flows",
    "target",
    "tests",
];

/// Tables of a manifest that name other crates.
const SECTIONS: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

/// One line of a manifest that names another crate.
struct Dependency {
    name: String,
    for_tests: bool,
}

/// The root holds only the listed names.
pub(crate) fn root(tree: &Tree) -> Vec<Broken> {
    let stray = tree.root.iter().filter(|name| !ROOT.contains(&name.as_str()));
    stray.map(|name| Broken::whole(name, "stray at the root")).collect()
}

/// Crates are flat in `crates/`, folder = crate = row of the table, and each row has its crate.
pub(crate) fn rows(tree: &Tree) -> Vec<Broken> {
    let mut broken = Vec::new();
    for manifest in tree.under("crates/", "/Cargo.toml") {
        let folder = manifest.crate_name().unwrap_or_default();
        let named = parsed(manifest)
            .get("package")
            .and_then(|package| package.get("name")?.as_str().map(String::from));
        if manifest.path != format!("crates/{folder}/Cargo.toml") {
            broken.push(manifest.broken(0, "a crate inside a crate"));
        } else if named.as_deref() != Some(folder) {
            broken.push(manifest.broken(0, "the crate is not named as its folder"));
        } else if table::row_of(folder).is_none() {
            broken.push(manifest.broken(0, "the crate has no row in tests/house/table.rs"));
        }
    }
    let lost = TABLE.iter().filter(|row| tree.file(&manifest_path(row)).is_none());
    broken.extend(
        lost.map(|row| {
            Broken::whole(manifest_path(row), "the table has a row for a crate that is not there")
        }),
    );
    broken
}

/// A crate names only the crates its row lists; its tests may also name what those reach, and the test provider.
pub(crate) fn arrows(tree: &Tree) -> Vec<Broken> {
    each_dependency(tree, |row, dependency| {
        let ours = table::row_of(&dependency.name)?;
        let allowed =
            row.ours.contains(&ours.name) || dependency.for_tests && table::tests_may_name(row, ours.name);
        (!allowed).then(|| format!("forbidden arrow: {} -> {}", row.name, ours.name))
    })
}

/// A chosen library is named by one crate, and a runtime by none that must stay without; tests are free.
pub(crate) fn libraries(tree: &Tree) -> Vec<Broken> {
    each_dependency(tree, |row, dependency| {
        let library = dependency.name.as_str();
        if dependency.for_tests {
            return None;
        }
        if let Some(owner) = TABLE.iter().find(|other| other.alone.contains(&library)) {
            return (owner.name != row.name).then(|| format!("`{library}` is named by {} alone", owner.name));
        }
        let runtime = library.starts_with("tokio") || library.starts_with("tracing");
        let forbidden = runtime && table::WITHOUT_RUNTIME.contains(&row.name);
        forbidden.then(|| format!("`{library}` in {}, which has no runtime", row.name))
    })
}

/// Lints are set once, in the root manifest.
pub(crate) fn lints(tree: &Tree) -> Vec<Broken> {
    let takes =
        |manifest: &File| parsed(manifest).get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
    let without = tree.under("crates/", "/Cargo.toml").filter(|manifest| takes(manifest) != Some(true));
    without.map(|manifest| manifest.broken(0, "no `[lints] workspace = true`")).collect()
}

fn manifest_path(row: &Row) -> String {
    format!("crates/{}/Cargo.toml", row.name)
}

/// A manifest cargo cannot read never reaches these tests; an empty table stands for one.
fn parsed(manifest: &File) -> toml::Table {
    manifest.text.parse().unwrap_or_default()
}

fn each_dependency(tree: &Tree, breach: impl Fn(&Row, &Dependency) -> Option<String>) -> Vec<Broken> {
    let workspace = tree.file("Cargo.toml").map(parsed).unwrap_or_default();
    let shared = workspace.get("workspace").and_then(|table| table.get("dependencies")?.as_table());
    let mut broken = Vec::new();
    for row in &TABLE {
        let Some(manifest) = tree.file(&manifest_path(row)) else { continue };
        let named = dependencies(&parsed(manifest), shared);
        broken
            .extend(named.iter().filter_map(|dependency| Some(manifest.broken(0, breach(row, dependency)?))));
    }
    broken
}

/// Every dependency of a manifest under its real name, those of one platform too.
fn dependencies(manifest: &toml::Table, shared: Option<&toml::Table>) -> Vec<Dependency> {
    let platforms = manifest.get("target").and_then(toml::Value::as_table).into_iter();
    let tables = platforms.flat_map(toml::Table::values).filter_map(toml::Value::as_table);
    let mut found = Vec::new();
    for table in tables.chain([manifest]) {
        for section in SECTIONS {
            let named = table.get(section).and_then(toml::Value::as_table).into_iter().flatten();
            let for_tests = section == "dev-dependencies";
            found.extend(
                named.map(|(key, value)| Dependency { name: real_name(key, value, shared), for_tests }),
            );
        }
    }
    found
}

/// A dependency may be renamed where it stands or in the root manifest; the rules judge what it is.
fn real_name(key: &str, value: &toml::Value, shared: Option<&toml::Table>) -> String {
    let renamed = |value: &toml::Value| value.get("package").and_then(|name| name.as_str().map(String::from));
    renamed(value).or_else(|| renamed(shared?.get(key)?)).unwrap_or_else(|| String::from(key))
}
