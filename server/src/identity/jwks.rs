//! Keys of other issuers (OpenID Connect): a JWKS, in a file or at a URL, kept for a while and fetched again when a token names
//! a key that is not in it.
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, JwkSet, KeyAlgorithm},
};
use thiserror::Error;
use ureq::Agent;

#[cfg(test)]
mod tests;

/// How long keys are used before they are looked at again.
const FRESH: Duration = Duration::from_secs(300);
/// How long keys are used when they cannot be fetched. After that nobody of that issuer gets in.
const STALE: Duration = Duration::from_secs(3600);
/// How soon a key that is not known is looked for again: a forged key id must not become a flood of fetches.
const AGAIN: Duration = Duration::from_secs(5);
/// Longest wait for keys.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest key set, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Why keys cannot be had.
#[derive(Debug, Clone, Error)]
pub enum KeysError {
    /// Neither a file nor a safe URL.
    #[error("`{0}` is neither a file nor an `https://` address (`http://` only on loopback)")]
    Source(String),
    /// The file cannot be read, or the server does not answer.
    #[error("cannot get the keys at `{from}`: {reason}")]
    Unreachable {
        /// Where they should be.
        from: String,
        /// What was said.
        reason: String,
    },
}

/// The keys of one issuer.
pub struct Keys {
    from: Whence,
    again: Duration,
    kept: Mutex<Option<Kept>>,
}

enum Whence {
    File(PathBuf),
    Url(Box<Agent>, String),
}

#[derive(Clone)]
struct Kept {
    /// When they were got.
    got: Instant,
    /// When that was last tried.
    tried: Instant,
    keys: Arc<JwkSet>,
}

impl Keys {
    /// Keys in a file of `folder`, or at a URL. Nothing is fetched yet: the server starts when an issuer is down.
    ///
    /// # Errors
    /// [`KeysError::Source`] for an address that anybody on the way could answer for.
    pub fn at(source: &str, folder: &std::path::Path) -> Result<Keys, KeysError> {
        let from = match source.split_once("://") {
            None => Whence::File(folder.join(source)),
            Some(("https", _)) => Whence::Url(Box::new(agent(true)), source.to_owned()),
            Some(("http", rest)) if is_loopback(rest) => {
                Whence::Url(Box::new(agent(false)), source.to_owned())
            }
            Some(_) => return Err(KeysError::Source(source.to_owned())),
        };
        Ok(Keys { from, again: AGAIN, kept: Mutex::new(None) })
    }

    /// The key that a token names, with the only algorithm it may be used with.
    ///
    /// # Errors
    /// [`KeysError`] when there are no keys, and none that are not too old.
    pub fn find(&self, key_id: Option<&str>) -> Result<Option<(DecodingKey, Algorithm)>, KeysError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = kept.as_ref().is_none_or(|kept| {
            let missing = pick(&kept.keys, key_id).is_none();
            kept.got.elapsed() >= FRESH && kept.tried.elapsed() >= self.again
                || missing && kept.tried.elapsed() >= self.again
        });
        if due {
            let now = Instant::now();
            match self.fetch() {
                Ok(keys) => *kept = Some(Kept { got: now, tried: now, keys: Arc::new(keys) }),
                Err(error) => match kept.as_mut() {
                    Some(kept) if kept.got.elapsed() < STALE => {
                        tracing::warn!(%error, "the keys of an issuer cannot be renewed; the ones that are kept are used");
                        kept.tried = now;
                    }
                    _ => {
                        *kept = None;
                        return Err(error);
                    }
                },
            }
        }
        let Some(kept) = kept.as_ref() else { return Ok(None) };
        Ok(pick(&kept.keys, key_id).and_then(usable))
    }

    fn fetch(&self) -> Result<JwkSet, KeysError> {
        let (from, bytes) = match &self.from {
            Whence::File(path) => (path.display().to_string(), read(path)),
            Whence::Url(agent, url) => (url.clone(), get(agent, url)),
        };
        let unreachable = |reason: String| KeysError::Unreachable { from: from.clone(), reason };
        let bytes = bytes.map_err(unreachable)?;
        serde_json::from_slice(&bytes).map_err(|error| unreachable(format!("not a JWKS: {error}")))
    }
}

/// The key of this id; without one, the only key there is.
fn pick<'a>(keys: &'a JwkSet, key_id: Option<&str>) -> Option<&'a Jwk> {
    match (key_id, keys.keys.as_slice()) {
        (Some(id), _) => keys.find(id),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

/// Only signatures with a public half: a shared secret among the keys would let every holder of it make tokens.
fn usable(key: &Jwk) -> Option<(DecodingKey, Algorithm)> {
    let algorithm = match key.common.key_algorithm? {
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        KeyAlgorithm::ES256 => Algorithm::ES256,
        KeyAlgorithm::ES384 => Algorithm::ES384,
        KeyAlgorithm::RS256 => Algorithm::RS256,
        KeyAlgorithm::RS384 => Algorithm::RS384,
        KeyAlgorithm::RS512 => Algorithm::RS512,
        KeyAlgorithm::PS256 => Algorithm::PS256,
        KeyAlgorithm::PS384 => Algorithm::PS384,
        KeyAlgorithm::PS512 => Algorithm::PS512,
        _ => return None,
    };
    DecodingKey::from_jwk(key).ok().map(|key| (key, algorithm))
}

fn read(path: &PathBuf) -> Result<Vec<u8>, String> {
    if fs::metadata(path).map_err(|error| error.to_string())?.len() > MAX_BYTES {
        return Err("longer than any key set".to_owned());
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn get(agent: &Agent, url: &str) -> Result<Vec<u8>, String> {
    let mut answer = agent.get(url).call().map_err(|error| error.to_string())?;
    answer.body_mut().with_config().limit(MAX_BYTES).read_to_vec().map_err(|error| error.to_string())
}

fn agent(https_only: bool) -> Agent {
    Agent::config_builder()
        .https_only(https_only)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .build()
        .new_agent()
}

fn is_loopback(rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
