//! Each rule is seen to fail on a violation planted in a temporary folder, and to let its lawful twin pass.

use std::fs;

use expect_test::{Expect, expect};

use crate::tree::{Rule, Tree};
use crate::{manifests, pages, requirements, sources, spelling};

/// Writes the files into a folder of their own and compares what the rule finds there.
#[track_caller]
fn check(rule: Rule, files: &[(&str, &str)], found: Expect) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }
    let tree = Tree::read(folder.path()).expect("the folder is readable");
    found.assert_eq(&tree.broken(rule));
}

#[test]
fn a_stray_root_file_is_found() {
    let files = [("Cargo.toml", ""), ("notes.txt", ""), ("examples/a.rs", ""), ("target/debug/a", "")];
    check(
        manifests::root,
        &files,
        expect![[r#"
        examples: stray at the root
        notes.txt: stray at the root
    "#]],
    );
}

/// Only tests count: what a source says of a requirement proves nothing.
#[test]
fn a_requirement_that_no_test_cites_is_found() {
    let all_but: String =
        (1..=72).filter(|number| ![7, 44].contains(number)).map(|n| format!("// OA-{n}\n")).collect();
    let files = [
        ("tests/spec.rs", all_but.as_str()),
        ("crates/a/src/lib.rs", "//! OA-7\n#[cfg(test)]\nmod tests {\n    fn it_waits_oa_44() {}\n}\n"),
    ];
    check(
        requirements::cited,
        &files,
        expect![[r#"
        tests: no test cites OA-7
    "#]],
    );
}

#[test]
fn a_crate_without_a_row_and_a_row_without_a_crate_are_found() {
    let named = |name: &str| format!("[package]\nname = \"{name}\"\n");
    let mut files: Vec<(String, String)> = crate::table::TABLE
        .iter()
        .skip(1)
        .map(|row| (format!("crates/{}/Cargo.toml", row.name), named(row.name)))
        .collect();
    files.push((String::from("crates/flowrun-utils/Cargo.toml"), named("flowrun-utils")));
    files.push((String::from("crates/flowrun-http/inner/Cargo.toml"), named("inner")));
    files.push((String::from("crates/other/Cargo.toml"), named("flowrun-other")));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    check(
        manifests::rows,
        &files,
        expect![[r#"
        crates/flowrun-http/inner/Cargo.toml: a crate inside a crate
        crates/flowrun-utils/Cargo.toml: the crate has no row in tests/house/table.rs
        crates/other/Cargo.toml: the crate is not named as its folder
        crates/flowrun-template/Cargo.toml: the table has a row for a crate that is not there
    "#]],
    );
}

#[test]
fn a_forbidden_arrow_is_found_in_every_kind_of_dependency() {
    let oauth = "[dependencies]\nflowrun-registry.workspace = true\nsecrecy.workspace = true\n";
    let engine = "[target.'cfg(unix)'.dependencies]\nhttp = { package = \"flowrun-http\", path = \"../flowrun-http\" }\n";
    let template = "[dev-dependencies]\nflowrun-machine.workspace = true\nflowrun-sandbox.workspace = true\n";
    let files = [
        ("crates/flowrun-oauth/Cargo.toml", oauth),
        ("crates/flowrun-engine/Cargo.toml", engine),
        ("crates/flowrun-template/Cargo.toml", template),
    ];
    check(
        manifests::arrows,
        &files,
        expect![[r#"
        crates/flowrun-template/Cargo.toml: forbidden arrow: flowrun-template -> flowrun-machine
        crates/flowrun-engine/Cargo.toml: forbidden arrow: flowrun-engine -> flowrun-http
        crates/flowrun-oauth/Cargo.toml: forbidden arrow: flowrun-oauth -> flowrun-registry
    "#]],
    );
}

#[test]
fn a_test_may_name_what_its_crate_reaches_and_the_test_provider() {
    let dependencies = "[dependencies]\nflowrun-http.workspace = true\n";
    let for_tests =
        "[dev-dependencies]\nflowrun-template.workspace = true\nflowrun-sandbox.workspace = true\n";
    let manifest = [dependencies, for_tests].concat();
    check(manifests::arrows, &[("crates/flowrun-step-http-request/Cargo.toml", &manifest)], expect![""]);
}

#[test]
fn a_chosen_library_in_the_wrong_crate_is_found_even_under_another_name() {
    let workspace = "[workspace.dependencies]\nstore = { package = \"sled\", version = \"0.34\" }\n";
    let engine = "[dependencies]\nstore.workspace = true\ntokio.workspace = true\n";
    let machine = "[build-dependencies]\ntokio-util = \"0.7\"\n[dev-dependencies]\nreqwest = \"0.13\"\n";
    let files = [
        ("Cargo.toml", workspace),
        ("crates/flowrun-engine/Cargo.toml", engine),
        ("crates/flowrun-machine/Cargo.toml", machine),
        ("crates/flowrun-registry/Cargo.toml", "[dependencies]\nsled.workspace = true\n"),
    ];
    check(
        manifests::libraries,
        &files,
        expect![[r#"
        crates/flowrun-machine/Cargo.toml: `tokio-util` in flowrun-machine, which has no runtime
        crates/flowrun-engine/Cargo.toml: `sled` is named by flowrun-registry alone
    "#]],
    );
}

#[test]
fn a_crate_without_the_lints_of_the_house_is_found() {
    let files =
        [("crates/a/Cargo.toml", "[lints]\nworkspace = true\n"), ("crates/b/Cargo.toml", "[package]\n")];
    check(
        manifests::lints,
        &files,
        expect![[r#"
        crates/b/Cargo.toml: no `[lints] workspace = true`
    "#]],
    );
}

#[test]
fn a_file_that_does_not_say_what_it_is_for_is_found() {
    let files = [("crates/a/src/lib.rs", "//! Adds.\n"), ("crates/a/src/b.rs", "/// Late.\nfn b() {}\n")];
    check(
        sources::module_docs,
        &files,
        expect![[r#"
        crates/a/src/b.rs:1: does not open with `//!`
    "#]],
    );
}

#[test]
fn a_mark_for_later_is_found_wherever_it_hides() {
    let rust = "//! Says METODO and a TODOS table.\n// TO\u{44}O: finish\nfn a() { todo\u{21}() }\n";
    let files = [("crates/a/src/lib.rs", rust), (".ci/run", "# FIX\u{4d}E\n")];
    check(
        sources::later_marks,
        &files,
        expect![
            "\
.ci/run:1: a `FIX\u{4d}E` mark
crates/a/src/lib.rs:2: a `TO\u{44}O` mark
crates/a/src/lib.rs:3: a `todo\u{21}` mark
"
        ],
    );
}

#[test]
fn a_test_switched_off_is_found() {
    let rust = "//! Tests.\n#[ignore = \"slow\"]\n    #[should_panic(expected = \"no\")]\nfn a() {}\n#[allow(dead_code)]\n";
    check(
        sources::attributes,
        &[("crates/a/tests/b.rs", rust)],
        expect![[r#"
        crates/a/tests/b.rs:2: `#[ignore`: a test is run or removed
        crates/a/tests/b.rs:3: `#[should_panic`: a test says what it expects as a value
        crates/a/tests/b.rs:5: `#[allow(`: silence a lint with #[expect(…, reason = …)]
    "#]],
    );
}

#[test]
fn a_long_file_without_a_reason_is_found_and_its_tests_are_not_counted() {
    let long = "fn a() {}\n".repeat(401);
    let reasoned = format!("// house: long because it is one table\n{long}");
    let tested = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    let files = [
        ("crates/a/src/long.rs", long.as_str()),
        ("crates/a/src/reasoned.rs", &reasoned),
        ("crates/a/src/tested.rs", &tested),
        ("crates/a/tests/long.rs", &long),
    ];
    check(
        sources::length,
        &files,
        expect![[r#"
        crates/a/src/long.rs: 401 lines without tests: split it, or say `// house: long because …`
    "#]],
    );
}

#[test]
fn a_library_that_reads_the_world_is_found() {
    let reads = "//! Reads.\n// env::var is the command line's\nfn a() { std::env::var(\"A\"); jiff::Timestamp::now(); }\n";
    let files = [
        ("crates/flowrun-engine/src/a.rs", reads),
        ("crates/flowrun-cli/src/a.rs", reads),
        ("crates/flowrun/src/a.rs", reads),
        ("crates/flowrun-engine/tests/a.rs", reads),
    ];
    check(
        sources::world,
        &files,
        expect![[r#"
        crates/flowrun-engine/src/a.rs:3: `env::var` outside flowrun-cli
        crates/flowrun/src/a.rs:3: `env::var` outside flowrun-cli
        crates/flowrun-cli/src/a.rs:3: `Timestamp::now` outside the facade's system clock
        crates/flowrun-engine/src/a.rs:3: `Timestamp::now` outside the facade's system clock
    "#]],
    );
}

#[test]
fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
    let rust = "//! F900 is only told here.\nconst A: &str = \"F001\";\nconst B: [&str; 2] = [\"F002\", \"F003\"];\n";
    let files = [
        ("crates/flowrun-lang/src/code.rs", rust),
        ("docs/errors/F001.md", "# F001: no value\n"),
        ("docs/errors/F003.md", "Something else\n"),
        ("docs/errors/F004.md", "# F004\n"),
    ];
    check(
        pages::errors,
        &files,
        expect![[r#"
        crates/flowrun-lang/src/code.rs:3: F002 has no page docs/errors/F002.md
        docs/errors/F003.md:1: the page does not open with `# F003`
        docs/errors/F004.md: no crate has the code F004
    "#]],
    );
}

#[test]
fn a_crate_missing_from_the_map_is_found() {
    let names: String = crate::table::TABLE.iter().skip(1).map(|row| format!("`{}`\n", row.name)).collect();
    let long = [names.as_str(), &"line\n".repeat(150)].concat();
    check(
        pages::architecture,
        &[("docs/architecture.md", &long)],
        expect![[r#"
            docs/architecture.md: 165 lines, not under 150
            docs/architecture.md: does not name `flowrun-template`
        "#]],
    );
    check(
        pages::architecture,
        &[],
        expect![[r#"
        docs/architecture.md: the page is not there
    "#]],
    );
}

#[test]
fn a_decision_missing_from_the_index_and_a_dead_link_are_found() {
    let files = [
        ("docs/decisions/README.md", "- [a](a.md)\n- [gone](gone.md)\n- [outside](../architecture.md)\n"),
        ("docs/decisions/a.md", ""),
        ("docs/decisions/b.md", ""),
    ];
    check(
        pages::decisions,
        &files,
        expect![[r#"
        docs/decisions/b.md: not linked from docs/decisions/README.md
        docs/decisions/README.md: links to gone.md, which is not there
    "#]],
    );
}

#[test]
fn a_lock_file_that_names_a_host_is_found() {
    let lock = "{\n  \"resolved\": \"https://host.test/a.tgz\"\n}\n";
    check(
        pages::lab_lock,
        &[("tests/lab/package-lock.json", lock)],
        expect![[r#"
        tests/lab/package-lock.json:2: names the host a package came from
    "#]],
    );
}

#[test]
fn a_second_spelling_is_found_in_prose_and_not_in_code() {
    let page = "Its `behavior` is a name.\nIts behavior is not.\n```\nbehavior\n```\n";
    let rust = "//! Serializes.\nfn normalize() {} // not at the start of the line\n";
    check(
        spelling::british,
        &[("docs/a.md", page), ("crates/a/src/lib.rs", rust)],
        expect![[r#"
        docs/a.md:2: `behavior` is spelled with `behaviour`
        crates/a/src/lib.rs:1: `serializes` is spelled with `serialis`
    "#]],
    );
}
