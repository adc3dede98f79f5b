//! Takes client secrets and passphrases from where others cannot see them: a file, a pipe, or fingers (OA-3).

use std::io::{self, Read};
use std::path::Path;

use flowrun::step::IntegrationName;
use secrecy::{ExposeSecret, SecretString};

use crate::args::{PassphraseArguments, SecretArguments};
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
    if let Some(file) = &from.file {
        CLIENT_SECRET.in_file(world, file).map(Some)
    } else if from.stdin {
        CLIENT_SECRET.piped(world).map(Some)
    } else if from.prompt {
        typed(world, name).map(Some)
    } else {
        Ok(None)
    }
}

/// The client secret, from a person at the terminal.
pub(super) fn typed(world: &World, name: &IntegrationName) -> Result<SecretString, Complaint> {
    CLIENT_SECRET.typed(world, &format!("Client secret of {name} (not shown): "))
}

/// The passphrase of an export that is there already.
pub(super) fn passphrase(world: &World, from: &PassphraseArguments) -> Result<SecretString, Complaint> {
    match (&from.from, from.by_stdin) {
        (Some(file), _) => PASSPHRASE.in_file(world, file),
        (None, true) => PASSPHRASE.piped(world),
        (None, false) => PASSPHRASE.typed(world, "Passphrase (not shown): "),
    }
}

/// The passphrase of an export that is to be: typed twice, since nobody could open it with a slip in it.
pub(super) fn new_passphrase(world: &World, from: &PassphraseArguments) -> Result<SecretString, Complaint> {
    let first = passphrase(world, from)?;
    if from.from.is_some() || from.by_stdin {
        return Ok(first);
    }
    let second = PASSPHRASE.typed(world, "The same passphrase again: ")?;
    if first.expose_secret() == second.expose_secret() {
        Ok(first)
    } else {
        Err(PASSPHRASE.useless("it was typed differently the second time"))
    }
}

const CLIENT_SECRET: Kind =
    Kind { name: "client secret", options: "--client-secret-stdin or --client-secret-file" };
const PASSPHRASE: Kind = Kind { name: "passphrase", options: "--passphrase-stdin or --passphrase-file" };

/// What is taken: what it is called, and the options that give it where nobody can be asked.
struct Kind {
    name: &'static str,
    options: &'static str,
}

impl Kind {
    fn in_file(&self, world: &World, file: &Path) -> Result<SecretString, Complaint> {
        let text = String::from_utf8(source::read(world, file)?);
        self.one_line(world, text.map_err(|_| self.useless("the file is not UTF-8"))?)
    }

    fn piped(&self, world: &World) -> Result<SecretString, Complaint> {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(|error| self.useless(&error.to_string()))?;
        self.one_line(world, text)
    }

    fn typed(&self, world: &World, prompt: &str) -> Result<SecretString, Complaint> {
        if !world.is_interactive {
            return Err(Complaint::new(Exit::Usage, "nobody can be asked: stdin is no terminal")
                .help(format!("use {}", self.options)));
        }
        world.terminal.prompt(prompt);
        self.one_line(world, rpassword::read_password().map_err(|error| self.useless(&error.to_string()))?)
    }

    fn one_line(&self, world: &World, text: String) -> Result<SecretString, Complaint> {
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(self.useless("it is empty")),
            secret => {
                let secret = SecretString::from(secret);
                world.net.learn(&secret);
                Ok(secret)
            }
        }
    }

    fn useless(&self, why: &str) -> Complaint {
        Complaint::new(Exit::Usage, format!("the {} cannot be read", self.name))
            .because(why)
            .help("give it once more")
    }
}
