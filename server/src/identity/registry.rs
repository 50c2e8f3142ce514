//! The registry of calling systems: a reviewed file, `systems.toml`, in the data directory.
use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{System, SystemError};
use crate::durable::{self, FileError};

/// Version of the file that this program writes and reads.
const VERSION: u32 = 1;
/// Longest file that is read, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Every registered system, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    systems: BTreeMap<String, Arc<System>>,
    /// Who changed it last, as `likeness system` was told or found out.
    changed_by: String,
}

/// Why a registry cannot be used or changed.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The file cannot be read.
    #[error("cannot read the registry of systems `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Longer than a registry can sensibly be.
    #[error("the registry of systems `{}` is longer than {MAX_BYTES} bytes", .0.display())]
    TooLong(PathBuf),
    /// Not TOML, or an unknown or missing key.
    #[error("the registry of systems `{}` is not valid: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        source: Box<toml::de::Error>,
    },
    /// A version this program does not read.
    #[error("the registry of systems has version {0}; this program reads version {VERSION}")]
    Version(u32),
    /// A registration that is not acceptable.
    #[error("the registration of `{name}` is not valid: {source}")]
    System {
        /// Of which system.
        name: String,
        /// What is wrong with it.
        source: SystemError,
    },
    /// Two systems of one name.
    #[error("there are two systems called `{0}`")]
    Twice(String),
    /// A certificate that two systems would come with.
    #[error("`{one}` and `{other}` are registered with the same certificate")]
    SharedCertificate {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Nothing of this name.
    #[error("no system is registered as `{0}`; `likeness system list` shows those that are")]
    Unknown(String),
    /// The registry cannot be put into TOML.
    #[error("the registry of systems cannot be written: {0}")]
    Unwritable(#[from] toml::ser::Error),
    /// The file cannot be written, or is open to other users.
    #[error(transparent)]
    File(#[from] FileError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    changed_by: String,
    #[serde(default)]
    system: Vec<System>,
}

impl Registry {
    /// A registry of these systems.
    ///
    /// # Errors
    /// [`RegistryError`] for a registration that is not valid, or two of one name or certificate.
    pub fn of(
        systems: impl IntoIterator<Item = System>,
        is_purpose: impl Fn(&str) -> bool,
    ) -> Result<Registry, RegistryError> {
        let mut registry = Registry::default();
        for system in systems {
            system
                .check(&is_purpose)
                .map_err(|source| RegistryError::System { name: system.name.clone(), source })?;
            if let Some(other) =
                registry.systems.values().find(|other| !other.certificates.is_disjoint(&system.certificates))
            {
                return Err(RegistryError::SharedCertificate {
                    one: other.name.clone(),
                    other: system.name.clone(),
                });
            }
            let name = system.name.clone();
            if registry.systems.insert(name.clone(), Arc::new(system)).is_some() {
                return Err(RegistryError::Twice(name));
            }
        }
        Ok(registry)
    }

    /// Reads a registry. The file is private to the service's user: whoever writes it decides who may call.
    ///
    /// # Errors
    /// [`RegistryError`] when the file is missing, open to others or not valid.
    pub fn read(path: &Path, is_purpose: impl Fn(&str) -> bool) -> Result<Registry, RegistryError> {
        let failed = |source| RegistryError::Unreadable { path: path.to_path_buf(), source };
        durable::check_private(path, 0o600)?;
        if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
            return Err(RegistryError::TooLong(path.to_path_buf()));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let raw: Raw = toml::from_str(&text).map_err(|source| RegistryError::Malformed {
            path: path.to_path_buf(),
            source: Box::new(source),
        })?;
        if raw.version != VERSION {
            return Err(RegistryError::Version(raw.version));
        }
        Ok(Registry::of(raw.system, is_purpose)?.changed_by(raw.changed_by))
    }

    /// The same, changed last by this operator.
    #[must_use]
    pub fn changed_by(self, operator: String) -> Registry {
        Registry { changed_by: operator, ..self }
    }

    /// Who changed it last; empty when that is not known.
    pub fn last_changed_by(&self) -> &str {
        &self.changed_by
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RegistryError> {
        durable::replace_file(path, self.to_toml()?.as_bytes())?;
        Ok(())
    }

    /// What differs between two registries, in words for the log: systems that came, went, were revoked or changed.
    pub fn changes_since(&self, before: &Registry) -> Vec<String> {
        let mut changes = Vec::new();
        for (name, system) in &self.systems {
            match before.systems.get(name) {
                None => changes.push(format!("{name} registered")),
                Some(old) if old == system => {}
                Some(old) if old.revoked_at.is_none() && system.revoked_at.is_some() => {
                    changes.push(format!("{name} revoked"));
                }
                Some(_) => changes.push(format!("{name} changed")),
            }
        }
        let gone = before.systems.keys().filter(|name| !self.systems.contains_key(*name));
        changes.extend(gone.map(|name| format!("{name} removed")));
        changes
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`RegistryError::Unwritable`].
    pub fn to_toml(&self) -> Result<String, RegistryError> {
        let raw = Raw {
            version: VERSION,
            changed_by: self.changed_by.clone(),
            system: self.systems.values().map(|system| System::clone(system)).collect(),
        };
        Ok(format!(
            "# The systems that may call this service (R74). Written by `likeness system`; a running server takes changes\n\
             # up within seconds and records them.\n{}",
            toml::to_string(&raw)?
        ))
    }

    /// The system of this name, revoked or not.
    pub fn get(&self, name: &str) -> Option<&Arc<System>> {
        self.systems.get(name)
    }

    /// The system that comes with this certificate (SHA-256, lower-case hex).
    pub fn by_certificate(&self, fingerprint: &str) -> Option<&Arc<System>> {
        self.systems.values().find(|system| system.certificates.contains(fingerprint))
    }

    /// Every system, by name.
    pub fn systems(&self) -> impl Iterator<Item = &Arc<System>> {
        self.systems.values()
    }
}
