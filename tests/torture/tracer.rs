//! strace, and its absence.
//!
//! Only a tracer sees every write of a program it does not change, and can stop it between two of them; nothing in
//! flowrun has to know, so no user can set it off. Where strace is missing a test says so and is skipped, or fails
//! where `FLOWRUN_REQUIRE_LAB` is set, as in `.ci/run`.

use std::env;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// Everything that changes a file, a folder, or what is known of either on the disk; opening may create.
pub(crate) const WRITES: &str = "openat,write,writev,pwrite64,pwritev,ftruncate,fallocate,rename,renameat,renameat2,unlink,\
     unlinkat,mkdir,mkdirat,link,linkat,symlink,fsync,fdatasync,sync_file_range,sendto,sendmsg";

/// Whether there is a strace that may trace here; says so if not.
pub(crate) fn is_there() -> bool {
    let mut asked = Command::new("strace");
    let ran = asked.args(["-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let missing = match ran {
        Ok(status) if status.success() => return true,
        Ok(_) => "strace may not trace here",
        Err(_) => "strace is not installed (apt-get install strace)",
    };
    assert!(env::var_os("FLOWRUN_REQUIRE_LAB").is_none(), "{missing}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Written past the capture of the test runner: a skipped test must be seen.
    writeln!(io::stderr(), "skipped: {test}: {missing}").expect("stderr is open");
    false
}
