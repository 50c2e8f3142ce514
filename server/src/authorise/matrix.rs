//! The matrix: a data file, read once, with every code in it checked.
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use super::{Action, Denied, Purpose};
use crate::{identity::Role, pool::PoolKind};

/// The rules in `config/matrix.toml`.
#[derive(Debug, Clone)]
pub struct Matrix {
    by_kind: BTreeMap<PoolKind, BTreeSet<Purpose>>,
    administrative: BTreeSet<Purpose>,
    /// Every allowed combination, written out; what is absent is denied. `None`: without a pool.
    allowed: BTreeSet<(Role, Action, Option<PoolKind>, Purpose)>,
}

/// Why a matrix is refused.
#[derive(Debug, Error)]
pub enum MatrixError {
    /// Not TOML, or an unknown or missing key.
    #[error("the authorisation matrix is not valid")]
    Malformed(#[from] Box<toml::de::Error>),
    /// A version this program does not read.
    #[error("the authorisation matrix has version {0}; this program reads version 1")]
    Version(u32),
    /// A code that does not exist.
    #[error("the authorisation matrix names the {what} `{code}`, which does not exist")]
    Unknown {
        /// Role, action, kind or purpose.
        what: &'static str,
        /// As written.
        code: String,
    },
    /// A kind of pool without a list of purposes.
    #[error("the authorisation matrix has no purposes for `{0}` pools")]
    NoPurposes(PoolKind),
    /// An administrative purpose that a pool's list names, too.
    #[error("the purpose `{0}` is administrative and cannot be in the list of a pool kind")]
    Mixed(String),
    /// An administrative purpose that would open a search.
    #[error("the purpose `{0}` is administrative and cannot permit `search`")]
    SearchByAdministration(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMatrix {
    version: u32,
    purposes: BTreeMap<String, Vec<String>>,
    administrative: RawAdministrative,
    allow: Vec<RawRule>,
    allow_without_pool: Vec<RawPoolless>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAdministrative {
    purposes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    roles: Vec<String>,
    actions: Vec<String>,
    kinds: Vec<String>,
    purposes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPoolless {
    roles: Vec<String>,
    actions: Vec<String>,
    purposes: Vec<String>,
}

impl Matrix {
    /// The matrix that this program was built with.
    ///
    /// # Errors
    /// [`MatrixError`], which a test rules out for the file in the repository.
    pub fn built_in() -> Result<Matrix, MatrixError> {
        Matrix::parse(include_str!("../../config/matrix.toml"))
    }

    /// Reads a matrix.
    ///
    /// # Errors
    /// [`MatrixError`] for an unknown key or code, or a rule that contradicts itself.
    pub fn parse(text: &str) -> Result<Matrix, MatrixError> {
        let raw: RawMatrix = toml::from_str(text).map_err(Box::new)?;
        if raw.version != 1 {
            return Err(MatrixError::Version(raw.version));
        }
        let mut by_kind = BTreeMap::new();
        for (kind, codes) in raw.purposes {
            by_kind.insert(pool_kind(&kind)?, codes.into_iter().map(Purpose).collect::<BTreeSet<_>>());
        }
        for kind in PoolKind::ALL {
            if by_kind.get(&kind).is_none_or(BTreeSet::is_empty) {
                return Err(MatrixError::NoPurposes(kind));
            }
        }
        let administrative: BTreeSet<Purpose> =
            raw.administrative.purposes.into_iter().map(Purpose).collect();
        if let Some(mixed) = by_kind.values().flatten().find(|purpose| administrative.contains(purpose)) {
            return Err(MatrixError::Mixed(mixed.0.clone()));
        }
        let mut matrix = Matrix { by_kind, administrative, allowed: BTreeSet::new() };
        for rule in &raw.allow {
            let kinds =
                rule.kinds.iter().map(|kind| pool_kind(kind).map(Some)).collect::<Result<Vec<_>, _>>()?;
            matrix.add(&rule.roles, &rule.actions, &kinds, &rule.purposes)?;
        }
        for rule in &raw.allow_without_pool {
            matrix.add(&rule.roles, &rule.actions, &[None], &rule.purposes)?;
        }
        Ok(matrix)
    }

    fn add(
        &mut self,
        roles: &[String],
        actions: &[String],
        kinds: &[Option<PoolKind>],
        purposes: &[String],
    ) -> Result<(), MatrixError> {
        for role in roles {
            let role: Role = role.parse().map_err(|_| unknown("role", role))?;
            for action in actions {
                let action = Action::ALL
                    .into_iter()
                    .find(|a| a.code() == action)
                    .ok_or_else(|| unknown("action", action))?;
                for purpose in purposes {
                    let purpose = self.purpose(purpose).ok_or_else(|| unknown("purpose", purpose))?;
                    if action == Action::Search && self.administrative.contains(&purpose) {
                        return Err(MatrixError::SearchByAdministration(purpose.0));
                    }
                    for kind in kinds {
                        self.allowed.insert((role, action, *kind, purpose.clone()));
                    }
                }
            }
        }
        Ok(())
    }

    /// The purpose with this code, when it is in the controlled list.
    pub fn purpose(&self, code: &str) -> Option<Purpose> {
        let purpose = Purpose(code.to_owned());
        let known = self.administrative.contains(&purpose)
            || self.by_kind.values().any(|list| list.contains(&purpose));
        known.then_some(purpose)
    }

    /// Every purpose code, sorted.
    pub fn purposes(&self) -> BTreeSet<&Purpose> {
        self.administrative.iter().chain(self.by_kind.values().flatten()).collect()
    }

    /// What a pool of this kind may permit, which is also its default.
    pub fn purposes_of(&self, kind: PoolKind) -> BTreeSet<Purpose> {
        self.by_kind.get(&kind).cloned().unwrap_or_default()
    }

    /// True for the purposes of keeping records and running the service.
    pub fn is_administrative(&self, purpose: &Purpose) -> bool {
        self.administrative.contains(purpose)
    }

    pub(super) fn decide(
        &self,
        roles: &BTreeSet<Role>,
        action: Action,
        kind: Option<PoolKind>,
        purpose: &Purpose,
    ) -> Result<(), Denied> {
        if roles.iter().any(|role| self.allowed.contains(&(*role, action, kind, purpose.clone()))) {
            return Ok(());
        }
        let other_purpose =
            self.allowed.iter().any(|(role, a, k, _)| roles.contains(role) && *a == action && *k == kind);
        Err(if other_purpose { Denied::Purpose } else { Denied::Role })
    }
}

fn pool_kind(code: &str) -> Result<PoolKind, MatrixError> {
    code.parse().map_err(|_| unknown("pool kind", code))
}

fn unknown(what: &'static str, code: &str) -> MatrixError {
    MatrixError::Unknown { what, code: code.to_owned() }
}
