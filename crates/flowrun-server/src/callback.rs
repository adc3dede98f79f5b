//! The URLs on which steps of runs wait for a call (N6): 128 bits that only this house can make, for one run and step.
//!
//! Nothing is kept for them but one key, so that a URL outlives the process that made it.

use std::fmt;
use std::io;
use std::path::Path;

use flowrun::engine::journal::RunKey;
use flowrun::step::Entropy;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::{hex, keep};

/// The file of the key in the data folder.
pub(crate) const FILE: &str = "callbacks.key";
/// How many bytes of a code are enough that nobody guesses it.
const BYTES: usize = 16;

/// Makes the URLs and knows them again.
pub struct Callbacks {
    base: Url,
    key: Zeroizing<[u8; 32]>,
}

impl Callbacks {
    /// Those of a data folder, beneath the URL by which the world knows the server; its key is made if there is none.
    ///
    /// # Errors
    /// When the key cannot be read or written.
    pub fn open(data_dir: &Path, base: Url, entropy: &dyn Entropy) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        let _lock = keep::lock(&path)?;
        let mut key = Zeroizing::new([0; 32]);
        match std::fs::read(&path).map(Zeroizing::new) {
            Ok(kept) => {
                let broken = || io::Error::new(io::ErrorKind::InvalidData, "the key has not 32 bytes");
                *key = kept.as_slice().try_into().map_err(|_| broken())?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                entropy.fill(&mut *key);
                keep::replace(&path, &*key)?;
            }
            Err(error) => return Err(error),
        }
        Ok(Self { base, key })
    }

    /// The URL for a step of a run, as an engine asks for it.
    #[must_use]
    pub fn url(&self, run: &RunKey, step: &str) -> String {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["hooks", "runs", run.id.as_str(), step, &self.code(run, step)]);
        }
        url.into()
    }

    /// Whether a code is the one of this step of this run; how long that takes tells nothing.
    pub(crate) fn holds(&self, run: &RunKey, step: &str, code: &str) -> bool {
        self.code(run, step).as_bytes().ct_eq(code.as_bytes()).into()
    }

    fn code(&self, run: &RunKey, step: &str) -> String {
        // The parts of the name cannot hold a zero byte, so no two names are one text.
        let name = format!("{}\0{}\0{step}", run.tenant, run.id);
        let made = Hmac::<Sha256>::new_from_slice(&*self.key).map(|mut mac| {
            mac.update(name.as_bytes());
            hex::of(&mac.finalize().into_bytes()[..BYTES])
        });
        made.unwrap_or_default()
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use flowrun::SystemEntropy;
    use flowrun::step::{RunId, Tenant};

    use super::*;

    #[test]
    fn a_url_is_for_one_step_of_one_run_and_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let base = Url::parse("https://flows.example.com").unwrap();
        let open = || Callbacks::open(folder.path(), base.clone(), &SystemEntropy).unwrap();
        let key = |id: &str| RunKey::new(Tenant::default(), RunId::new(id).unwrap());
        let url = open().url(&key("one"), "ok");
        let code = url.strip_prefix("https://flows.example.com/hooks/runs/one/ok/").unwrap();
        assert_eq!(code.len(), 2 * BYTES);
        assert!(open().holds(&key("one"), "ok", code));
        assert!(!open().holds(&key("two"), "ok", code));
        assert!(!open().holds(&key("one"), "no", code));
        assert!(!open().holds(&key("one"), "ok", ""));
    }
}
