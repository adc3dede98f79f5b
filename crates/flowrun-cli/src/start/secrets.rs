//! Where `secrets.NAME` comes from: `FLOWRUN_SECRET_NAME`, or a file that only its owner can read (N2).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use flowrun::lang::{Code, Flow};
use flowrun::step::{BoxFuture, SecretSource, Tenant};
use secrecy::{ExposeSecret, SecretString};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::net::FEWEST_BYTES;
use crate::world::World;

/// The secrets one flow declares.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(BTreeMap<String, SecretString>);

impl Secrets {
    /// Finds every secret a flow declares, or says which are missing before anything is sent (T3).
    pub(crate) fn of(world: &World, flow: &Flow) -> Result<Self, Complaint> {
        let mut found = BTreeMap::new();
        for name in flow.secrets() {
            let secret = find(world, name)?.ok_or_else(|| missing(name))?;
            if secret.expose_secret().len() < FEWEST_BYTES {
                return Err(Complaint::new(
                    Exit::Invalid,
                    format!("secret `{name}` has less than {FEWEST_BYTES} bytes"),
                )
                .with_code(Code::Missing)
                .because("a shorter one could not be kept out of what is shown")
                .help("use a longer one"));
            }
            world.net.learn(&secret);
            found.insert(name.clone(), secret);
        }
        Ok(Self(found))
    }

    /// Every secret there is, for a house that does not know yet which flows it will run. One that is too short is none (N2).
    pub(crate) fn all(world: &World) -> Result<Self, Complaint> {
        let mut names = names_of_file(world)?;
        names.extend(
            world
                .own_variables()
                .filter_map(|name| name.to_str()?.strip_prefix("FLOWRUN_SECRET_").map(str::to_owned)),
        );
        let mut found = BTreeMap::new();
        for name in names {
            let secret = find(world, &name)?.filter(|secret| secret.expose_secret().len() >= FEWEST_BYTES);
            if let Some(secret) = secret {
                world.net.learn(&secret);
                found.insert(name, secret);
            }
        }
        Ok(Self(found))
    }

    /// Stands in for the secrets of a flow where the real ones must not be opened (N10).
    pub(crate) fn placeholders(flow: &Flow) -> Self {
        let placeholder = |name: &String| (name.clone(), format!("$FLOWRUN_SECRET_{name}").into());
        Self(flow.secrets().iter().map(placeholder).collect())
    }
}

impl SecretSource for Secrets {
    fn secret<'a>(&'a self, _tenant: &'a Tenant, name: &'a str) -> BoxFuture<'a, Option<SecretString>> {
        Box::pin(async move { self.0.get(name).cloned() })
    }
}

fn find(world: &World, name: &str) -> Result<Option<SecretString>, Complaint> {
    if let Some(secret) = world.text(&format!("FLOWRUN_SECRET_{name}")) {
        return Ok(Some(secret.into()));
    }
    let text = file(world)?;
    Ok(text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(Into::into))
}

/// The names of the secrets that stand in the file.
fn names_of_file(world: &World) -> Result<Vec<String>, Complaint> {
    let text = file(world)?;
    Ok(text.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect())
}

/// The secrets file; empty if there is none.
fn file(world: &World) -> Result<String, Complaint> {
    let Ok(path) = world.secrets_file() else { return Ok(String::new()) };
    let Ok(found) = fs::metadata(&path) else { return Ok(String::new()) };
    if found.mode() & 0o077 != 0 || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(unsafe_file(&path));
    }
    fs::read_to_string(&path).map_err(|error| crate::source::unreadable(&path, error))
}

fn unsafe_file(path: &Path) -> Complaint {
    Complaint::new(Exit::Invalid, format!("the secrets file {} can be read by others", path.display()))
        .with_code(Code::Unreadable)
        .help(format!("chmod 600 {}", path.display()))
}

fn missing(name: &str) -> Complaint {
    Complaint::new(Exit::Invalid, format!("secret `{name}` has no value"))
        .with_code(Code::Missing)
        .because("the flow declares it; only variables called FLOWRUN_SECRET_… are read")
        .help(format!("set FLOWRUN_SECRET_{name}, or write {name}=… into the secrets file"))
}
