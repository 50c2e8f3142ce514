//! May they: role x pool kind x purpose x action, from a data file under review, and the pool's own purposes.
//!
//! Deny by default. A [`Permit`] is made here and nowhere else, and nothing of a pool can be reached without one.
use std::{collections::BTreeSet, fmt};

use thiserror::Error;

use crate::{audit::Operation, identity::Actor, keys::PoolName, pool::PoolKind};

mod matrix;
#[cfg(test)]
mod tests;

pub use matrix::{Matrix, MatrixError};

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Put an image into a pool.
    Enrol,
    /// Make a held image searchable, or take it out of search.
    SetEnrolled,
    /// Look for a probe in a pool.
    Search,
    /// Compare two images; touches no pool.
    Compare,
    /// Read what is held about a person.
    ReadSubject,
    /// Read one image.
    ReadImage,
    /// Make a pool.
    CreatePool,
    /// See which pools there are.
    ListPools,
    /// Get proofs about the audit log: hashes and signatures, none of its content.
    ReadProof,
    /// Read entries of the audit log, what was shown, and what can be counted from them.
    ReadAudit,
    /// Hand entries of the audit log to another body.
    ExportAudit,
    /// Approve an operating point, or end its approval; touches no pool.
    ApproveOperatingPoint,
    /// See which operating points there are; touches no pool.
    ListOperatingPoints,
    /// Collect what is held about a person, for them.
    CollectSubject,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 14] = [
        Action::Enrol,
        Action::SetEnrolled,
        Action::Search,
        Action::Compare,
        Action::ReadSubject,
        Action::ReadImage,
        Action::CreatePool,
        Action::ListPools,
        Action::ReadProof,
        Action::ReadAudit,
        Action::ExportAudit,
        Action::ApproveOperatingPoint,
        Action::ListOperatingPoints,
        Action::CollectSubject,
    ];

    /// The name used in the matrix.
    pub fn code(self) -> &'static str {
        match self {
            Action::Enrol => "enrol",
            Action::SetEnrolled => "set_enrolled",
            Action::Search => "search",
            Action::Compare => "compare",
            Action::ReadSubject => "read_subject",
            Action::ReadImage => "read_image",
            Action::CreatePool => "create_pool",
            Action::ListPools => "list_pools",
            Action::ReadProof => "read_proof",
            Action::ReadAudit => "read_audit",
            Action::ExportAudit => "export_audit",
            Action::ApproveOperatingPoint => "approve_operating_point",
            Action::ListOperatingPoints => "list_operating_points",
            Action::CollectSubject => "collect_subject",
        }
    }

    /// Which of the six logged operations it is (DPA 2018 s.62).
    pub fn operation(self) -> Operation {
        match self {
            Action::Enrol => Operation::Collection,
            Action::SetEnrolled | Action::CreatePool | Action::ApproveOperatingPoint => Operation::Alteration,
            Action::Search
            | Action::ReadSubject
            | Action::ReadImage
            | Action::ListPools
            | Action::ListOperatingPoints
            | Action::ReadProof
            | Action::ReadAudit => Operation::Consultation,
            Action::ExportAudit | Action::CollectSubject => Operation::Disclosure,
            // Two people's images are put together to see whether they are alike.
            Action::Compare => Operation::Combination,
        }
    }

    /// True when it changes what a pool holds.
    pub fn writes(self) -> bool {
        match self {
            Action::Enrol | Action::SetEnrolled | Action::CreatePool | Action::ApproveOperatingPoint => true,
            Action::Search
            | Action::Compare
            | Action::ReadSubject
            | Action::ReadImage
            | Action::ListPools
            | Action::ListOperatingPoints
            | Action::ReadProof
            | Action::ReadAudit
            | Action::ExportAudit
            | Action::CollectSubject => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A purpose code from the controlled list; made by [`Matrix::purpose`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose(String);

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

/// The right to do one thing in one pool (or without one) for one purpose. Only this module makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    pool: Option<PoolName>,
    action: Action,
    purpose: Option<Purpose>,
}

impl Permit {
    /// The pool it is for; none for an action that touches no pool.
    pub fn pool(&self) -> Option<&PoolName> {
        self.pool.as_ref()
    }

    /// What it allows.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Which logged operation that is.
    pub fn operation(&self) -> Operation {
        self.action.operation()
    }

    /// The purpose it was given for; none for the service's own upkeep.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// The service's own right to look after a pool when no person asks: rebuild its index, close what a crash left open.
    /// `why` is not used by the program; it makes every caller say, at the call, why no person is asked.
    pub(crate) fn for_upkeep(pool: &PoolName, action: Action, why: &'static str) -> Permit {
        tracing::debug!(%pool, %action, why, "upkeep");
        Permit { pool: Some(pool.clone()), action, purpose: None }
    }
}

/// What the authoriser knows about the pool of a request.
#[derive(Debug, Clone, Copy)]
pub struct PoolFacts<'a> {
    /// Its name.
    pub name: &'a PoolName,
    /// Its kind.
    pub kind: PoolKind,
    /// The purposes it permits.
    pub purposes: &'a BTreeSet<Purpose>,
}

/// Why a request was denied. For the audit log; the caller is told only that it is not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// There is no such pool.
    #[error("there is no such pool")]
    UnknownPool,
    /// No rule gives any of the person's roles this action in this kind of pool.
    #[error("no role of this person permits the action in this kind of pool")]
    Role,
    /// The roles would do, but not for this purpose, or the pool does not permit the purpose.
    #[error("the purpose does not permit the action in this pool")]
    Purpose,
}

impl Denied {
    /// A stable code for the audit log.
    pub fn code(self) -> &'static str {
        match self {
            Denied::UnknownPool => "unknown_pool",
            Denied::Role => "role_not_permitted",
            Denied::Purpose => "purpose_not_permitted",
        }
    }
}

impl Matrix {
    /// Decides one action in one pool.
    ///
    /// # Errors
    /// [`Denied`] unless a rule allows it and the pool permits the purpose.
    pub fn authorise(
        &self,
        actor: &Actor,
        action: Action,
        pool: PoolFacts<'_>,
        purpose: &Purpose,
    ) -> Result<Permit, Denied> {
        self.decide(&actor.roles, action, Some(pool.kind), purpose)?;
        if !self.is_administrative(purpose) && !pool.purposes.contains(purpose) {
            return Err(Denied::Purpose);
        }
        Ok(Permit { pool: Some(pool.name.clone()), action, purpose: Some(purpose.clone()) })
    }

    /// Whether this person may do this in pools of a kind at all, when the pool permits the purpose.
    ///
    /// # Errors
    /// [`Denied`] when no rule allows it.
    pub fn may(
        &self,
        actor: &Actor,
        action: Action,
        kind: PoolKind,
        purpose: &Purpose,
    ) -> Result<(), Denied> {
        self.decide(&actor.roles, action, Some(kind), purpose)
    }

    /// Decides one action that touches no pool.
    ///
    /// # Errors
    /// [`Denied`] unless a rule allows it.
    pub fn authorise_without_pool(
        &self,
        actor: &Actor,
        action: Action,
        purpose: &Purpose,
    ) -> Result<Permit, Denied> {
        self.decide(&actor.roles, action, None, purpose)?;
        Ok(Permit { pool: None, action, purpose: Some(purpose.clone()) })
    }
}
