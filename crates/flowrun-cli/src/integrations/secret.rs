//! Takes a client secret from where others cannot see it: a file, a pipe, or fingers (OA-3).

use std::io::{self, Read};

use flowrun::step::IntegrationName;
use secrecy::SecretString;

use crate::args::SecretArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::source;
use crate::world::World;

/// The client secret, if one was announced.
pub(super) fn secret(
    world: &World,
    name: &IntegrationName,
    from: &SecretArguments,
) -> Result<Option<SecretString>, Complaint> {
    let text = if let Some(file) = &from.file {
        String::from_utf8(source::read(world, file)?).map_err(|_| useless("the file is not UTF-8"))?
    } else if from.stdin {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(|error| useless(&error.to_string()))?;
        text
    } else if from.prompt {
        typed(world, name)?
    } else {
        return Ok(None);
    };
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(useless("it is empty")),
        secret => {
            let secret = SecretString::from(secret);
            world.net.learn(&secret);
            Ok(Some(secret))
        }
    }
}

fn typed(world: &World, name: &IntegrationName) -> Result<String, Complaint> {
    if !world.is_interactive {
        return Err(Complaint::new(Exit::Usage, "nobody can be asked: stdin is no terminal")
            .help("use --client-secret-stdin or --client-secret-file"));
    }
    world.terminal.prompt(&format!("Client secret of {name} (not shown): "));
    rpassword::read_password().map_err(|error| useless(&error.to_string()))
}

fn useless(why: &str) -> Complaint {
    Complaint::new(Exit::Usage, "the client secret cannot be read").because(why).help("give it once more")
}
