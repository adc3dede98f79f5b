//! The server's configuration: what is said on the command line, else in the environment, else in the file that was named or
//! lies here (R15).

use std::path::Path;

use flowrun_server::Config;
use flowrun_server::config::{Over, Said};

use crate::args::{ConfigArguments, ServeArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// The file that is read where none is named.
const FILE: &str = "flowrun.toml";

/// Reads what a server is to be started with.
pub(super) fn of_serve(world: &World, arguments: &ServeArguments) -> Result<Config, Complaint> {
    let said = |flag: &str, given: &Option<String>, variable: &str| {
        let given = given.clone().map(|value| Said { by: format!("--{flag}"), value });
        let stands =
            || world.text(variable).map(|value| Said { by: variable.to_owned(), value: value.to_owned() });
        given.or_else(stands)
    };
    let over = Over {
        listen: said("listen", &arguments.listen, "FLOWRUN_SERVER_LISTEN"),
        public_url: said("public-url", &arguments.public_url, "FLOWRUN_SERVER_PUBLIC_URL"),
    };
    read_under(world, &arguments.config, &over)
}

/// Reads where a server keeps what it keeps.
pub(super) fn read(world: &World, arguments: &ConfigArguments) -> Result<Config, Complaint> {
    read_under(world, arguments, &Over::default())
}

/// The file's own paths are relative to its folder, the others to the current one; its key file is known afterwards.
fn read_under(world: &World, arguments: &ConfigArguments, over: &Over) -> Result<Config, Complaint> {
    let named = arguments.config.as_deref();
    let path = world.path(named.unwrap_or(Path::new(FILE)));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(crate::source::unreadable(&path, error)),
    };
    let shown = named.unwrap_or(Path::new(FILE)).display().to_string();
    let wrong = |error| Complaint::new(Exit::Invalid, format!("{error}"));
    let mut config = Config::read_under(&shown, &text, over).map_err(wrong)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let said = |given: &Option<_>, variable: &str| {
        let given = given.as_deref().or_else(|| world.variable(variable).map(Path::new));
        given.map(|path: &Path| world.path(path))
    };
    let server = &mut config.server;
    server.data_dir =
        said(&arguments.data_dir, "FLOWRUN_SERVER_DATA_DIR").unwrap_or_else(|| folder.join(&server.data_dir));
    server.key_file = match said(&arguments.key_file, "FLOWRUN_KEY_FILE") {
        Some(said) => Some(said),
        None => server.key_file.as_ref().map(|file| folder.join(file)),
    };
    config.flows.folder = folder.join(&config.flows.folder);
    Ok(config)
}
