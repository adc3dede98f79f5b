//! The server's configuration, from the file that was named or the one that lies here.

use std::path::Path;

use flowrun_server::Config;

use crate::args::ConfigArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// The file that is read where none is named.
const FILE: &str = "flowrun.toml";

/// Reads it; its paths are relative to its folder.
pub(super) fn read(world: &World, arguments: &ConfigArguments) -> Result<Config, Complaint> {
    let named = arguments.config.as_deref();
    let path = world.path(named.unwrap_or(Path::new(FILE)));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(crate::source::unreadable(&path, error)),
    };
    let shown = named.unwrap_or(Path::new(FILE)).display().to_string();
    let wrong = |error| Complaint::new(Exit::Invalid, format!("{error}"));
    let mut config = Config::read(&shown, &text).map_err(wrong)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    config.server.data_dir = folder.join(&config.server.data_dir);
    config.flows.folder = folder.join(&config.flows.folder);
    Ok(config)
}
