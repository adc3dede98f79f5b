//! Opens an address in the person's browser.

use std::process::{Command, Stdio};

use url::Url;

use crate::world::World;

/// Tries to open it; whether a browser came up cannot be known, so the address has been printed before.
pub(super) fn open(world: &World, url: &Url) {
    let program =
        world.text("BROWSER").unwrap_or(if cfg!(target_os = "macos") { "open" } else { "xdg-open" });
    let mut command = Command::new(program);
    command.arg(url.as_str()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // N9: no secret of ours is handed to a program we know nothing of.
    for name in world.own_variables() {
        command.env_remove(name);
    }
    if command.spawn().is_err() {
        world.terminal.say("no browser could be started; open the address yourself");
    }
}
