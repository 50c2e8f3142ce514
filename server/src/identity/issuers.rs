//! The issuers whose tokens are accepted beside the local one: `issuers.toml`, read when the server starts.
use std::{fs, io, path::Path};

use serde::Deserialize;

use super::jwks::Keys;
use crate::durable;

/// Version of the file that this program reads.
const VERSION: u32 = 1;
/// Most issuers.
const MAX: usize = 64;

/// An issuer.
pub(super) struct Issuer {
    /// What its tokens say in `iss`.
    pub(super) name: String,
    /// What its tokens must say in `aud`.
    pub(super) audience: String,
    /// Its keys.
    pub(super) keys: Keys,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    issuer: Vec<RawIssuer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIssuer {
    issuer: String,
    audience: String,
    /// A JWKS: a file beside this one, or an `https://` address.
    keys: String,
}

/// Reads the file; one that is absent names nobody.
///
/// # Errors
/// What is wrong with it, in words for the operator.
pub(super) fn read(path: &Path) -> Result<Vec<Issuer>, String> {
    let told = |error: &dyn std::fmt::Display| format!("cannot read `{}`: {error}", path.display());
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(told(&error)),
        Ok(_) => {}
    }
    let bytes = durable::read_private(path).map_err(|error| told(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| told(&error))?;
    let raw: Raw = toml::from_str(&text).map_err(|error| told(&error))?;
    if raw.version != VERSION {
        return Err(told(&format!("it has version {}; this program reads version {VERSION}", raw.version)));
    }
    if raw.issuer.len() > MAX {
        return Err(told(&format!("it names more than {MAX} issuers")));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut issuers: Vec<Issuer> = Vec::with_capacity(raw.issuer.len());
    for RawIssuer { issuer, audience, keys } in raw.issuer {
        if issuer.trim().is_empty() || audience.trim().is_empty() {
            return Err(told(&"`issuer` and `audience` must not be empty"));
        }
        if issuers.iter().any(|other| other.name == issuer) {
            return Err(told(&format!("`{issuer}` is there twice")));
        }
        let keys = Keys::at(&keys, folder).map_err(|error| told(&error))?;
        issuers.push(Issuer { name: issuer, audience, keys });
    }
    Ok(issuers)
}
