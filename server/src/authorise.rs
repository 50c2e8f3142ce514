//! May they: Cedar policies under review, the purposes of the pool, the caller's agreement, and red lines above all.
//!
//! Deny by default. A [`Permit`] is made here and nowhere else, and nothing of a pool can be reached without one.
//!
//! ```text
//! who (system, person) + action + place + purpose + origin + time -> policies -> red lines -> Permit, or Denied with reasons
//! ```
use crate::{audit::Operation, keys::PoolName};

mod action;
mod authoriser;
mod decision;
pub mod explain;
mod facts;
pub mod lint;
pub mod matrix;
mod policies;
mod probes;
mod purpose;
mod question;
mod red_lines;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use authoriser::Authoriser;
pub use decision::{Decision, Denied};
pub use policies::{
    Described, PolicyError, PolicyFile, built_in as built_in_policies, read as read_policies,
};
pub use purpose::{Purpose, Purposes, PurposesError};
pub use question::{Origin, Place, PoolFacts, Question};
pub use red_lines::{RedLine, RedLines, RedLinesError};

/// The right to do one thing in one pool (or without one) for one purpose. Only this module makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    pool: Option<PoolName>,
    action: Action,
    purpose: Option<Purpose>,
    decision: Option<Decision>,
}

impl Permit {
    fn decided(pool: Option<PoolName>, action: Action, purpose: Purpose, decision: Decision) -> Permit {
        Permit { pool, action, purpose: Some(purpose), decision: Some(decision) }
    }

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

    /// What it rests on; none for the service's own upkeep.
    pub fn decision(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }

    /// The service's own right to look after a pool when no person asks: rebuild its index, close what a crash left open.
    /// `why` is not used by the program; it makes every caller say, at the call, why no person is asked.
    pub(crate) fn for_upkeep(pool: &PoolName, action: Action, why: &'static str) -> Permit {
        tracing::debug!(%pool, %action, why, "upkeep");
        Permit { pool: Some(pool.clone()), action, purpose: None, decision: None }
    }
}
