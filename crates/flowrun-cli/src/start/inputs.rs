//! What was given for a flow's inputs: `--vars` first, `--var` over it.

use std::collections::BTreeMap;
use std::path::Path;

use flowrun::lang::Given;

use crate::args::StartArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::pairs::pairs;
use crate::source;
use crate::world::World;

/// Everything that was given, by name.
pub(super) fn given(world: &World, arguments: &StartArguments) -> Result<BTreeMap<String, Given>, Complaint> {
    let mut given = BTreeMap::new();
    if let Some(file) = &arguments.inputs_file {
        let members = source::read_object(world, file)?;
        given.extend(members.into_iter().map(|(name, value)| (name, Given::Value(value))));
    }
    for (name, text) in pairs("--var", &arguments.inputs)? {
        let text = match text.strip_prefix('@') {
            Some(file) => content(world, Path::new(file))?,
            None => text,
        };
        given.insert(name, Given::Text(text));
    }
    Ok(given)
}

/// A file's text without its last line end, which editors add.
fn content(world: &World, file: &Path) -> Result<String, Complaint> {
    let text = String::from_utf8(source::read(world, file)?);
    let text = text.map_err(|_| Complaint::new(Exit::Usage, format!("{} is not UTF-8", file.display())))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
