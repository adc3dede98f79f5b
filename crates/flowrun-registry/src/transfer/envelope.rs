//! The form of an export: a line that says how the passphrase becomes a key, and a line that the key opens.
//!
//! The first line is associated data of the second: neither can be changed without the other noticing.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowrun_step::Entropy;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ImportError;
use crate::CustodyError;
use crate::custody::seal::{Tie, Unsealable, generation, of_export};

/// The format this version writes, and the only one it reads.
const FORMAT: u64 = 1;

/// RFC 9106's second choice, in one lane because one thread computes it; OWASP asks for 19 MiB and two passes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// More than any file of ours asks for, so that opening a stranger's cannot exhaust the machine.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    flowrun_export: u64,
    key: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

/// Seals contents by a passphrase.
pub(super) fn close(
    contents: &impl Serialize,
    passphrase: &SecretString,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CustodyError> {
    let failed = |error: serde_json::Error| CustodyError::Database(Box::new(error));
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let head = Head {
        flowrun_export: FORMAT,
        key: "argon2id".to_owned(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(salt),
    };
    let line = serde_json::to_string(&head).map_err(failed)?;
    let clear = Zeroizing::new(serde_json::to_vec(contents).map_err(failed)?);
    let key = key(&head, passphrase).map_err(|error| CustodyError::Database(error.to_string().into()))?;
    let sealed = of_export(&key).close(tie(&line), &clear, entropy);
    Ok(format!("{line}\n{}\n", STANDARD.encode(sealed)).into_bytes())
}

/// Unseals an export.
pub(super) fn open<T: DeserializeOwned>(file: &[u8], passphrase: &SecretString) -> Result<T, ImportError> {
    let text = std::str::from_utf8(file).map_err(|_| ImportError::NotAnExport)?;
    let (line, body) = text.split_once('\n').ok_or(ImportError::NotAnExport)?;
    let head = head(line)?;
    let sealed = STANDARD.decode(body.trim_end()).map_err(|_| ImportError::NotAnExport)?;
    if let Err(Unsealable::UnknownFormat(found)) = generation(&sealed) {
        return Err(ImportError::UnknownFormat { found: found.into() });
    }
    let opened = of_export(&*key(&head, passphrase)?).open(tie(line), &sealed);
    let clear = opened.map_err(|_| ImportError::DoesNotOpen)?;
    serde_json::from_slice(&clear).map_err(|_| ImportError::Newer)
}

fn head(line: &str) -> Result<Head, ImportError> {
    let value: serde_json::Value = serde_json::from_str(line).map_err(|_| ImportError::NotAnExport)?;
    let format = value.get("flowrun_export").ok_or(ImportError::NotAnExport)?;
    match format.as_u64() {
        Some(FORMAT) => {}
        Some(found) => return Err(ImportError::UnknownFormat { found }),
        None => return Err(ImportError::NotAnExport),
    }
    serde_json::from_value(value).map_err(|_| ImportError::NotAnExport)
}

fn key(head: &Head, passphrase: &SecretString) -> Result<Zeroizing<[u8; 32]>, ImportError> {
    let is_bearable =
        head.memory_kib <= MOST_MEMORY_KIB && head.passes <= MOST_PASSES && head.lanes <= MOST_LANES;
    if head.key != "argon2id" || !is_bearable {
        return Err(ImportError::UnknownKey);
    }
    let salt = STANDARD.decode(&head.salt).map_err(|_| ImportError::NotAnExport)?;
    let params = Params::new(head.memory_kib, head.passes, head.lanes, Some(32));
    let argon2 = params
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        .map_err(|_| ImportError::UnknownKey)?;
    let mut key = Zeroizing::new([0; 32]);
    let made = argon2.hash_password_into(passphrase.expose_secret().as_bytes(), &salt, key.as_mut());
    made.map_err(|_| ImportError::UnknownKey)?;
    Ok(key)
}

fn tie(line: &str) -> Tie<'_> {
    Tie { installation: line.as_bytes(), key: "export", generation: 0 }
}
