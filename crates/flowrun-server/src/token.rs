//! API tokens (R16): 256 random bits, shown once, kept as a digest.
//!
//! The file is read for every check, so that a token which was just revoked opens nothing more. How long a check
//! takes tells nothing about the secret.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowrun::step::{Clock, Entropy};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{hex, keep};

/// The file in the data folder.
pub(crate) const FILE: &str = "tokens.json";

/// How far a token reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Starts runs, and hands messages and events over.
    Start,
    /// Reads flows, runs and their values.
    Read,
    /// Publishes flows.
    Deploy,
    /// Cancels runs and says what becomes of calls in doubt.
    Operate,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Start, Self::Read, Self::Deploy, Self::Operate];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Operate => "operate",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Operate => "operate",
        })
    }
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Token {
    /// Its id, which its text begins with.
    pub id: String,
    /// What it is for, as its maker says.
    pub name: String,
    /// How far it reaches.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends, if it does.
    pub expires: Option<Timestamp>,
}

/// A token as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    token: Token,
    sha256: String,
}

/// Why the tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("{} cannot be used", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// The file is not what this program wrote.
    #[error("{} holds no tokens", .0.display())]
    Broken(PathBuf, #[source] serde_json::Error),
}

/// The tokens of a data folder.
pub struct Tokens {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Tokens {
    /// Those of this folder; nothing is read yet.
    #[must_use]
    pub fn new(data_dir: &Path, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { path: data_dir.join(FILE), clock, entropy }
    }

    /// Makes a token; its text is shown here and never again.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn create(
        &self,
        name: &str,
        scopes: &[Scope],
        expires: Option<Timestamp>,
    ) -> Result<(Token, SecretString), TokenError> {
        let (id, secret) = (hex::of(&self.random::<8>()), hex::of(&self.random::<32>()));
        let (name, scopes, created) = (name.to_owned(), scopes.to_vec(), self.clock.now());
        let token = Token { id, name, scopes, created, expires };
        let text = format!("fr_{}_{secret}", token.id).into();
        let record = Record { token: token.clone(), sha256: hex::of(&Sha256::digest(&secret)) };
        self.change(|records| records.push(record))?;
        Ok((token, text))
    }

    /// Every token, the oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self) -> Result<Vec<Token>, TokenError> {
        Ok(self.read()?.into_iter().map(|record| record.token).collect())
    }

    /// Ends a token by its id; says whether there was one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn revoke(&self, id: &str) -> Result<bool, TokenError> {
        self.change(|records| {
            let before = records.len();
            records.retain(|record| record.token.id != id);
            records.len() < before
        })
    }

    /// The token of this text, if it is one and has not ended.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, text: &SecretString) -> Result<Option<Token>, TokenError> {
        let parts = text.expose_secret().strip_prefix("fr_").and_then(|rest| rest.split_once('_'));
        let Some((id, secret)) = parts else { return Ok(None) };
        let found = self.read()?.into_iter().find(|record| record.token.id == id);
        let shown = hex::of(&Sha256::digest(secret));
        let is_it = |record: &Record| bool::from(shown.as_bytes().ct_eq(record.sha256.as_bytes()));
        let token = found.filter(is_it).map(|record| record.token);
        let now = self.clock.now();
        Ok(token.filter(|token| token.expires.is_none_or(|end| now < end)))
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Record>) -> T) -> Result<T, TokenError> {
        let _lock = keep::lock(&self.path).map_err(|error| self.failed(error))?;
        let mut records = self.read()?;
        let changed = change(&mut records);
        let text = serde_json::to_vec_pretty(&records)
            .map_err(|error| TokenError::Broken(self.path.clone(), error))?;
        keep::replace(&self.path, &text).map_err(|error| self.failed(error))?;
        Ok(changed)
    }

    fn read(&self) -> Result<Vec<Record>, TokenError> {
        match std::fs::read(&self.path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|error| TokenError::Broken(self.path.clone(), error))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, error: io::Error) -> TokenError {
        TokenError::File(self.path.clone(), error)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use flowrun::{SystemClock, SystemEntropy};

    use super::*;

    fn tokens(folder: &Path) -> Tokens {
        Tokens::new(folder, Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    #[test]
    fn a_token_opens_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(folder.path());
        let (token, text) = tokens.create("ci", &[Scope::Deploy], None).unwrap();
        let (other, _) = tokens.create("page", &[Scope::Read], None).unwrap();
        assert_eq!(tokens.find(&text).unwrap(), Some(token.clone()));
        assert_eq!(tokens.list().unwrap(), [token.clone(), other]);
        assert!(tokens.revoke(&token.id).unwrap());
        assert!(!tokens.revoke(&token.id).unwrap());
        assert_eq!(tokens.find(&text).unwrap(), None);
    }

    #[test]
    fn a_token_that_is_wrong_or_has_ended_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(folder.path());
        let (token, text) = tokens.create("ci", &[Scope::Deploy], None).unwrap();
        let (_, ended) = tokens.create("old", &[Scope::Read], Some(Timestamp::UNIX_EPOCH)).unwrap();
        let cut = text.expose_secret().len() - 1;
        let almost = format!("{}x", &text.expose_secret()[..cut]).into();
        let foreign = format!("fr_{}_", token.id).into();
        for wrong in [ended, almost, foreign, "fr_".into(), String::new().into()] {
            assert_eq!(tokens.find(&wrong).unwrap(), None);
        }
    }

    #[test]
    fn the_file_holds_no_secret_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (_, text) = tokens(folder.path()).create("ci", &[Scope::Start], None).unwrap();
        let path = folder.path().join(FILE);
        let secret = text.expose_secret().rsplit_once('_').unwrap().1.to_owned();
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&secret));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn tokens_made_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| tokens(folder.path()).create("ci", &[Scope::Start], None).unwrap());
            }
        });
        assert_eq!(tokens(folder.path()).list().unwrap().len(), 8);
    }
}
