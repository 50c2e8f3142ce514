//! What a person may do, as their issuer says: the words that policies are written about.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a person may do, before purpose and pool are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Searches, compares and reads what a search returned.
    Searcher,
    /// Puts images in and takes them out of search.
    Enroller,
    /// Reviews candidates.
    Reviewer,
    /// Makes and lists pools.
    PoolAdmin,
    /// Reads what their own organisation's people did.
    Auditor,
    /// Reads what the people of every organisation did.
    NationalAuditor,
    /// Is shown records under a protected view (R21).
    ProtectedViewer,
    /// Answers for how long records are kept: reviews, holds, erases.
    RecordsManager,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 8] = [
        Role::Searcher,
        Role::Enroller,
        Role::Reviewer,
        Role::PoolAdmin,
        Role::Auditor,
        Role::NationalAuditor,
        Role::ProtectedViewer,
        Role::RecordsManager,
    ];

    /// The name used in tokens and policies.
    pub fn code(self) -> &'static str {
        match self {
            Role::Searcher => "searcher",
            Role::Enroller => "enroller",
            Role::Reviewer => "reviewer",
            Role::PoolAdmin => "pool_admin",
            Role::Auditor => "auditor",
            Role::NationalAuditor => "national_auditor",
            Role::ProtectedViewer => "protected_viewer",
            Role::RecordsManager => "records_manager",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A role that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a role; the roles are searcher, enroller, reviewer, pool_admin, auditor, national_auditor and protected_viewer"
)]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(code: &str) -> Result<Self, UnknownRole> {
        Role::ALL.into_iter().find(|role| role.code() == code).ok_or_else(|| UnknownRole(code.to_owned()))
    }
}
