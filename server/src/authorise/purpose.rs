//! Why anything may be done at all: the controlled list of purposes, and what each kind of pool may permit.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;
use thiserror::Error;

use crate::pool::PoolKind;

/// A purpose code from the controlled list; made by [`Purposes::purpose`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose(pub(super) String);

impl Purpose {
    /// The code.
    pub fn code(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The controlled list (R17), from `policies/purposes.toml`.
#[derive(Debug, Clone)]
pub struct Purposes {
    by_kind: BTreeMap<PoolKind, BTreeSet<Purpose>>,
    administrative: BTreeSet<Purpose>,
    audit: BTreeSet<Purpose>,
}

/// Why a list of purposes is refused.
#[derive(Debug, Error)]
pub enum PurposesError {
    /// Not TOML, or an unknown or missing key.
    #[error("the list of purposes is not valid")]
    Malformed(#[from] Box<toml::de::Error>),
    /// A version this program does not read.
    #[error("the list of purposes has version {0}; this program reads version 1")]
    Version(u32),
    /// A kind of pool that does not exist.
    #[error("the list of purposes names the pool kind `{0}`, which does not exist")]
    UnknownKind(String),
    /// A kind of pool without purposes.
    #[error("the list of purposes has none for `{0}` pools")]
    NoPurposes(PoolKind),
    /// A purpose in two lists that exclude each other.
    #[error(
        "the purpose `{0}` is in two lists: one for keeping records or auditing must not open a pool to searches"
    )]
    Mixed(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    kinds: BTreeMap<String, Vec<String>>,
    administrative: RawList,
    audit: RawList,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    purposes: Vec<String>,
}

impl Purposes {
    /// The list that this program was built with.
    ///
    /// # Errors
    /// [`PurposesError`], which a test rules out for the file in the repository.
    pub fn built_in() -> Result<Purposes, PurposesError> {
        Purposes::parse(include_str!("../../policies/purposes.toml"))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`PurposesError`] for an unknown key or kind, or a purpose in two lists.
    pub fn parse(text: &str) -> Result<Purposes, PurposesError> {
        let raw: Raw = toml::from_str(text).map_err(Box::new)?;
        if raw.version != 1 {
            return Err(PurposesError::Version(raw.version));
        }
        let mut by_kind = BTreeMap::new();
        for (kind, codes) in raw.kinds {
            let parsed: PoolKind = kind.parse().map_err(|_| PurposesError::UnknownKind(kind))?;
            by_kind.insert(parsed, codes.into_iter().map(Purpose).collect::<BTreeSet<_>>());
        }
        for kind in PoolKind::ALL {
            if by_kind.get(&kind).is_none_or(BTreeSet::is_empty) {
                return Err(PurposesError::NoPurposes(kind));
            }
        }
        let list = |list: RawList| list.purposes.into_iter().map(Purpose).collect::<BTreeSet<_>>();
        let purposes = Purposes { by_kind, administrative: list(raw.administrative), audit: list(raw.audit) };
        let twice = purposes
            .by_kind
            .values()
            .flatten()
            .find(|purpose| purposes.administrative.contains(purpose) || purposes.audit.contains(purpose))
            .or_else(|| purposes.administrative.intersection(&purposes.audit).next());
        match twice {
            Some(purpose) => Err(PurposesError::Mixed(purpose.0.clone())),
            None => Ok(purposes),
        }
    }

    /// The purpose with this code, when it is in the controlled list.
    pub fn purpose(&self, code: &str) -> Option<Purpose> {
        self.by_kind
            .values()
            .flatten()
            .chain(&self.administrative)
            .chain(&self.audit)
            .find(|purpose| purpose.code() == code)
            .cloned()
    }

    /// Every purpose, sorted by code.
    pub fn all(&self) -> BTreeSet<&Purpose> {
        self.by_kind.values().flatten().chain(&self.administrative).chain(&self.audit).collect()
    }

    /// What a pool of this kind may permit, which is also its default.
    pub fn of_kind(&self, kind: PoolKind) -> BTreeSet<Purpose> {
        self.by_kind.get(&kind).cloned().unwrap_or_default()
    }

    /// The purposes a log may be read for (s.62(4)).
    pub fn audit(&self) -> &BTreeSet<Purpose> {
        &self.audit
    }

    /// True for what a pool can permit; false for keeping records, running the service and auditing.
    pub fn is_operational(&self, purpose: &Purpose) -> bool {
        !self.administrative.contains(purpose) && !self.audit.contains(purpose)
    }
}
