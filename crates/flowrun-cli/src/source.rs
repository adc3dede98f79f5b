//! Reads what the command line names: a file, or stdin for `-`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use flowrun::lang::Code;
use serde_json::{Map, Value};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// More than anything that is read whole: a flow, a document, variables.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The bytes of a file, or of stdin for `-`.
pub(crate) fn read(world: &World, path: &Path) -> Result<Vec<u8>, Complaint> {
    let opened: io::Result<Box<dyn Read>> = match path.to_str() {
        Some("-") => Ok(Box::new(io::stdin())),
        _ => fs::File::open(world.path(path)).map(|file| Box::new(file) as Box<dyn Read>),
    };
    let mut bytes = Vec::new();
    match opened.and_then(|source| source.take(MOST_BYTES + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > MOST_BYTES => Err(unreadable(path, "it has more than 64 MiB")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(unreadable(path, error)),
    }
}

/// A JSON value in a file or on stdin.
pub(crate) fn read_json(world: &World, path: &Path) -> Result<Value, Complaint> {
    serde_json::from_slice(&read(world, path)?).map_err(|error| {
        Complaint::new(Exit::Usage, format!("{} is not JSON", path.display())).because(error)
    })
}

/// A JSON object in a file or on stdin.
pub(crate) fn read_object(world: &World, path: &Path) -> Result<Map<String, Value>, Complaint> {
    match read_json(world, path)? {
        Value::Object(members) => Ok(members),
        _ => Err(Complaint::new(Exit::Usage, format!("{} is not a JSON object", path.display()))
            .help("write {\"name\": value, …}")),
    }
}

/// A file that could not be read.
pub(crate) fn unreadable(path: &Path, why: impl ToString) -> Complaint {
    Complaint::new(Exit::Usage, format!("{} cannot be read", path.display()))
        .with_code(Code::Unreadable)
        .because(why)
        .help("check the name and who may read it")
}
