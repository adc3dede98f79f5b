//! What was given for a flow's inputs: `--vars` first, `--var` over it.

use std::collections::BTreeMap;
use std::path::Path;

use flowrun::SystemClock;
use flowrun::lang::{Flow, Given};
use flowrun::step::Clock as _;
use serde_json::{Map, Value};

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

/// What starts the flow, as it reads `trigger`; null for one that nothing starts.
pub(super) fn trigger(world: &World, arguments: &StartArguments, flow: &Flow) -> Result<Value, Complaint> {
    let given = arguments.trigger.as_ref().map(|text| members(world, text)).transpose()?;
    match (flow.trigger(), given) {
        (None, None) => Ok(Value::Null),
        (None, Some(_)) => {
            Err(Complaint::new(Exit::Usage, "the flow has no `trigger` to read what is given")
                .help("leave --trigger out, or give the flow a trigger"))
        }
        (Some(trigger), given) => {
            let now = SystemClock.now();
            trigger.opened(given.unwrap_or_default(), now).map_err(|wrong| {
                Complaint::new(Exit::Usage, "what --trigger gives does not fit the flow's trigger")
                    .because(wrong)
                    .help(format!("its fields are: {}", trigger.fields().join(", ")))
            })
        }
    }
}

fn members(world: &World, text: &str) -> Result<Map<String, Value>, Complaint> {
    if let Some(file) = text.strip_prefix('@') {
        return source::read_object(world, Path::new(file));
    }
    serde_json::from_str(text).map_err(|error| {
        Complaint::new(Exit::Usage, "what --trigger gives is no JSON object")
            .because(error)
            .help("--trigger '{\"text\": \"hello\"}', or --trigger @file")
    })
}

/// A file's text without its last line end, which editors add.
fn content(world: &World, file: &Path) -> Result<String, Complaint> {
    let text = String::from_utf8(source::read(world, file)?);
    let text = text.map_err(|_| Complaint::new(Exit::Usage, format!("{} is not UTF-8", file.display())))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
