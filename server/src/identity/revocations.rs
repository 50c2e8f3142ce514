//! Tokens that are not accepted any more, although they have not expired: `revocations.toml`, written by `likeness token revoke`.
use std::{collections::BTreeMap, fs, io, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::durable;

/// Version of the file that this program writes and reads.
const VERSION: u32 = 1;
/// Longest file that is read, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Every revocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocations {
    tokens: BTreeMap<String, Timestamp>,
    persons: BTreeMap<String, Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    /// Ids of single tokens, and when they were revoked.
    #[serde(default)]
    tokens: BTreeMap<String, Timestamp>,
    /// Persons, and until when tokens issued to them are void.
    #[serde(default)]
    persons: BTreeMap<String, Timestamp>,
}

impl Revocations {
    /// Reads the file; one that is absent revokes nothing.
    ///
    /// # Errors
    /// Why it cannot be read, in words for the operator.
    pub fn read(path: &Path) -> Result<Revocations, String> {
        let told = |error: &dyn std::fmt::Display| format!("cannot read `{}`: {error}", path.display());
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Revocations::default()),
            Err(error) => return Err(told(&error)),
            Ok(found) if found.len() > MAX_BYTES => return Err(told(&"it is too long")),
            Ok(_) => {}
        }
        let bytes = durable::read_private(path).map_err(|error| told(&error))?;
        let text = String::from_utf8(bytes).map_err(|error| told(&error))?;
        let raw: Raw = toml::from_str(&text).map_err(|error| told(&error))?;
        if raw.version != VERSION {
            return Err(told(&format!(
                "it has version {}; this program reads version {VERSION}",
                raw.version
            )));
        }
        Ok(Revocations { tokens: raw.tokens, persons: raw.persons })
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn to_toml(&self) -> Result<String, String> {
        let raw = Raw { version: VERSION, tokens: self.tokens.clone(), persons: self.persons.clone() };
        let text = toml::to_string(&raw).map_err(|error| error.to_string())?;
        Ok(format!(
            "# Tokens that are not accepted any more. Written by `likeness token revoke`; a running server takes changes up\n\
             # within seconds and records them.\n{text}"
        ))
    }

    /// Revokes one token by its id.
    pub fn revoke_token(&mut self, id: &str, now: Timestamp) {
        self.tokens.entry(id.to_owned()).or_insert(now);
    }

    /// Revokes every token issued to a person up to now.
    pub fn revoke_person(&mut self, subject: &str, now: Timestamp) {
        self.persons.insert(subject.to_owned(), now);
    }

    /// True when the token is void.
    pub fn void(&self, subject: &str, token: Option<&str>, issued: i64) -> bool {
        token.is_some_and(|id| self.tokens.contains_key(id))
            || self.persons.get(subject).is_some_and(|until| issued <= until.as_second())
    }

    /// How many there are, and which persons are among them: what a change of the file is recorded by.
    pub fn summary(&self) -> String {
        let persons: Vec<&str> = self.persons.keys().map(String::as_str).collect();
        format!("{} tokens, persons: {}", self.tokens.len(), persons.join(" "))
    }
}
