//! What a pool is: its `pool.toml`, written once when it is made.
use std::{collections::BTreeSet, fs, path::PathBuf};

use jiff::Timestamp;
use likeness_matcher::quality::{Component, QualityLimit, QualityPolicy};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{NewPool, PoolKind};
use crate::{
    authorise::{Purpose, Purposes},
    keys::{KeyCheck, PoolName},
    text,
};

/// Version of `pool.toml` that this program writes and reads.
const VERSION: u32 = 1;
/// Most quality rules a pool may have.
const MAX_RULES: usize = 64;

/// One rule of a quality policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityRule {
    /// Name of a quality component; `*` is the lowest of all.
    pub component: String,
    /// Refuse enrolment below this scalar, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse_below: Option<u8>,
    /// Flag below this scalar, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag_below: Option<u8>,
}

/// A valid definition.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolDefinition {
    /// Its name, also the name of its folder.
    pub name: PoolName,
    /// Its kind.
    pub kind: PoolKind,
    /// Why it exists.
    pub rationale: String,
    /// Purposes it permits.
    pub purposes: BTreeSet<Purpose>,
    /// Its quality rules as given; empty means the default policy.
    pub rules: Vec<QualityRule>,
    /// The policy those rules make.
    pub policy: QualityPolicy,
    /// When it was made.
    pub created_at: Timestamp,
    /// Name of the model pack it was made with.
    pub pack: String,
    /// Space of that pack, hex.
    pub space: String,
    /// Tells the right key from a wrong one.
    pub key_check: KeyCheck,
}

/// What is wrong with a new pool, or with a `pool.toml`.
#[derive(Debug, Error)]
pub enum DefinitionError {
    /// The name cannot be used.
    #[error(
        "a pool's name has lower-case letters, digits and hyphens, 1 to 48 characters, and starts with a letter or digit"
    )]
    Name,
    /// The rationale cannot be used.
    #[error("`rationale` says why the pool exists, in 8 to 1,000 characters without control characters")]
    Rationale,
    /// A purpose that the kind may not permit.
    #[error("a `{kind}` pool cannot permit the purpose `{purpose}`; it can permit {allowed}")]
    Purpose {
        /// The kind of pool.
        kind: PoolKind,
        /// As given, at most 64 characters.
        purpose: String,
        /// What the kind may permit.
        allowed: String,
    },
    /// A quality rule that cannot be applied.
    #[error("the quality rule for `{component}` cannot be applied: {reason}")]
    Rule {
        /// As given, at most 64 characters.
        component: String,
        /// Why not.
        reason: &'static str,
    },
    /// Too many quality rules.
    #[error("a quality policy has at most {MAX_RULES} rules")]
    TooManyRules,
    /// `pool.toml` cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// `pool.toml` is malformed.
    #[error("`{}` is not valid: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        source: Box<toml::de::Error>,
    },
    /// `pool.toml` is of a version this program does not read.
    #[error("`{}` has version {version}; this program reads version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// As written.
        version: u32,
    },
    /// `pool.toml`, the folder's name and the record file contradict each other.
    #[error("`{}` does not belong to the records beside it: `{field}` differs", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// What differs.
        field: &'static str,
    },
    /// The definition cannot be put into TOML.
    #[error("the pool's definition cannot be written: {0}")]
    Unwritable(#[from] toml::ser::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDefinition {
    version: u32,
    name: String,
    kind: PoolKind,
    rationale: String,
    purposes: BTreeSet<String>,
    created_at: Timestamp,
    pack: String,
    space: String,
    key_check: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quality: Vec<QualityRule>,
}

/// The parts of a new pool that a caller chooses, checked.
pub(crate) struct CheckedPool {
    pub(crate) name: PoolName,
    pub(crate) kind: PoolKind,
    pub(crate) rationale: String,
    pub(crate) purposes: BTreeSet<Purpose>,
    pub(crate) rules: Vec<QualityRule>,
    pub(crate) policy: QualityPolicy,
}

impl CheckedPool {
    /// Checks what a caller asked for.
    pub(crate) fn check(new: NewPool, known: &Purposes) -> Result<CheckedPool, DefinitionError> {
        let name = pool_name(&new.name)?;
        let length = new.rationale.chars().count();
        if !(8..=1000).contains(&length) || new.rationale.chars().any(text::is_hidden) {
            return Err(DefinitionError::Rationale);
        }
        let purposes = purposes(&new.purposes, new.kind, known)?;
        let policy = policy(&new.quality)?;
        Ok(CheckedPool {
            name,
            kind: new.kind,
            rationale: new.rationale,
            purposes,
            rules: new.quality,
            policy,
        })
    }
}

impl PoolDefinition {
    /// Reads and checks a `pool.toml`.
    ///
    /// # Errors
    /// [`DefinitionError`] when it is missing or not valid.
    pub fn read(path: PathBuf, known: &Purposes) -> Result<PoolDefinition, DefinitionError> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(DefinitionError::Unreadable { path, source }),
        };
        let raw: RawDefinition = match toml::from_str(&text) {
            Ok(raw) => raw,
            Err(source) => return Err(DefinitionError::Malformed { path, source: Box::new(source) }),
        };
        if raw.version != VERSION {
            return Err(DefinitionError::Version { path, version: raw.version });
        }
        let Ok(key_check) = raw.key_check.parse() else {
            return Err(DefinitionError::Contradiction { path, field: "key_check" });
        };
        let codes: Vec<String> = raw.purposes.into_iter().collect();
        // A pool always lists its purposes: an empty list here is not "the default" but a file that was changed.
        if codes.is_empty() {
            return Err(DefinitionError::Contradiction { path, field: "purposes" });
        }
        Ok(PoolDefinition {
            name: pool_name(&raw.name)?,
            kind: raw.kind,
            rationale: raw.rationale,
            purposes: purposes(&codes, raw.kind, known)?,
            policy: policy(&raw.quality)?,
            rules: raw.quality,
            created_at: raw.created_at,
            pack: raw.pack,
            space: raw.space,
            key_check,
        })
    }

    /// The text of `pool.toml`.
    pub(crate) fn to_toml(&self) -> Result<String, DefinitionError> {
        Ok(toml::to_string(&RawDefinition {
            version: VERSION,
            name: self.name.to_string(),
            kind: self.kind,
            rationale: self.rationale.clone(),
            purposes: self.purposes.iter().map(|purpose| purpose.code().to_owned()).collect(),
            created_at: self.created_at,
            pack: self.pack.clone(),
            space: self.space.clone(),
            key_check: self.key_check.to_string(),
            quality: self.rules.clone(),
        })?)
    }
}

fn pool_name(name: &str) -> Result<PoolName, DefinitionError> {
    if name.len() > 48 || name.contains('_') {
        return Err(DefinitionError::Name);
    }
    name.parse().map_err(|_| DefinitionError::Name)
}

fn purposes(
    codes: &[String],
    kind: PoolKind,
    known: &Purposes,
) -> Result<BTreeSet<Purpose>, DefinitionError> {
    let allowed = known.of_kind(kind);
    if codes.is_empty() {
        return Ok(allowed);
    }
    let mut chosen = BTreeSet::new();
    for code in codes {
        match known.purpose(code).filter(|purpose| allowed.contains(purpose)) {
            Some(purpose) => chosen.insert(purpose),
            None => {
                return Err(DefinitionError::Purpose {
                    kind,
                    purpose: text::recordable(code, 64).unwrap_or_default(),
                    allowed: allowed.iter().map(Purpose::code).collect::<Vec<_>>().join(", "),
                });
            }
        };
    }
    Ok(chosen)
}

fn policy(rules: &[QualityRule]) -> Result<QualityPolicy, DefinitionError> {
    if rules.is_empty() {
        return Ok(QualityPolicy::default());
    }
    if rules.len() > MAX_RULES {
        return Err(DefinitionError::TooManyRules);
    }
    let mut limits: Vec<QualityLimit> = Vec::with_capacity(rules.len());
    for rule in rules {
        let bad = |reason| DefinitionError::Rule {
            component: text::recordable(&rule.component, 64).unwrap_or_default(),
            reason,
        };
        let component = match rule.component.as_str() {
            "*" => None,
            name => Some(
                Component::ALL
                    .into_iter()
                    .find(|component| component.name() == name)
                    .ok_or_else(|| bad("there is no such component"))?,
            ),
        };
        if rule.refuse_below.is_none() && rule.flag_below.is_none() {
            return Err(bad("it neither refuses nor flags anything"));
        }
        if rule.refuse_below.into_iter().chain(rule.flag_below).any(|scalar| scalar > 100) {
            return Err(bad("a scalar is 0 to 100"));
        }
        if limits.iter().any(|limit| limit.component == component) {
            return Err(bad("it is there twice"));
        }
        limits.push(QualityLimit { component, refuse_below: rule.refuse_below, flag_below: rule.flag_below });
    }
    QualityPolicy::new(limits)
        .map_err(|_| DefinitionError::Rule { component: "*".to_owned(), reason: "a rule is out of range" })
}
