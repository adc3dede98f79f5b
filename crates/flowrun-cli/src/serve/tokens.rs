//! `flowrun tokens` and `flowrun audit`: who may use the server's API, and what was done with it.

use std::sync::Arc;

use flowrun::{SystemClock, SystemEntropy};
use flowrun_server::{Audit, Scope, Tokens};
use secrecy::ExposeSecret as _;

use super::config;
use crate::args::{AuditArguments, ConfigArguments, ScopeName, TokensVerb};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::moment;
use crate::output::written;
use crate::world::World;

/// Does what the verb says.
pub(crate) fn tokens(world: &World, verb: &TokensVerb) -> Result<Exit, Complaint> {
    match verb {
        TokensVerb::Create { name, scope, expires, config } => {
            create(world, (name, scope, expires.as_deref()), config)
        }
        TokensVerb::List { config } => list(world, config),
        TokensVerb::Revoke { id, config } => {
            let known = of(world, config)?.revoke(id).map_err(failed)?;
            if known {
                world.terminal.say("it opens nothing any more");
                return Ok(Exit::Done);
            }
            let unknown = Complaint::new(Exit::Failed, format!("there is no token `{id}`"));
            Err(unknown.help("flowrun tokens list shows those there are"))
        }
    }
}

/// Checks the log of what was done.
pub(crate) fn audit(world: &World, arguments: &AuditArguments) -> Result<Exit, Complaint> {
    let config = config::read(world, &arguments.config)?;
    let verified = Audit::new(&config.server.data_dir, Arc::new(SystemClock)).verify();
    let verified = verified.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    world
        .terminal
        .say(&format!("{} lines, each as it was written; the last is {}", verified.lines, verified.head));
    Ok(Exit::Done)
}

fn of(world: &World, arguments: &ConfigArguments) -> Result<Tokens, Complaint> {
    let data = config::read(world, arguments)?.server.data_dir;
    std::fs::create_dir_all(&data).map_err(|error| {
        Complaint::new(Exit::Failed, format!("cannot make {}", data.display())).because(error)
    })?;
    Ok(Tokens::new(&data, Arc::new(SystemClock), Arc::new(SystemEntropy)))
}

fn failed(error: flowrun_server::TokenError) -> Complaint {
    Complaint::from_error(Exit::Failed, &error)
}

fn create(
    world: &World,
    (name, scopes, expires): (&str, &[ScopeName], Option<&str>),
    config: &ConfigArguments,
) -> Result<Exit, Complaint> {
    let scopes: Vec<Scope> = scopes.iter().map(|scope| (*scope).into()).collect();
    let expires = expires.map(moment::ahead).transpose()?;
    let (token, text) = of(world, config)?.create(name, &scopes, expires).map_err(failed)?;
    written(world.terminal.data(text.expose_secret()))?;
    world.terminal.say(&format!(
        "token {}, shown this once; end it with: flowrun tokens revoke {}",
        token.id, token.id
    ));
    Ok(Exit::Done)
}

fn list(world: &World, config: &ConfigArguments) -> Result<Exit, Complaint> {
    let tokens = of(world, config)?.list().map_err(failed)?;
    for token in &tokens {
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
        let until = token.expires.map_or_else(String::new, |end| format!("  until {end}"));
        written(world.terminal.data(&format!("{}  {}  {}{until}", token.id, token.name, scopes.join(","))))?;
    }
    if tokens.is_empty() {
        world
            .terminal
            .say("there is no token; flowrun tokens create NAME --scope start --scope read makes one");
    }
    Ok(Exit::Done)
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Start => Self::Start,
            ScopeName::Read => Self::Read,
            ScopeName::Deploy => Self::Deploy,
            ScopeName::Operate => Self::Operate,
        }
    }
}
