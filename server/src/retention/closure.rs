//! The end of the case that a record is for (R52, R53, R55).
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    FactError,
    facts::{check_date, check_text},
};
use crate::pool::PoolKind;

/// Why a case is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosureReason {
    /// The missing person was found.
    Found,
    /// By other means than a search it is known who it is.
    Identified,
    /// Whoever consented does so no longer.
    ConsentWithdrawn,
    /// The person's death was registered.
    DeathRegistered,
}

impl ClosureReason {
    /// Every reason.
    pub const ALL: [ClosureReason; 4] = [
        ClosureReason::Found,
        ClosureReason::Identified,
        ClosureReason::ConsentWithdrawn,
        ClosureReason::DeathRegistered,
    ];

    /// The name used in files, on the command line and in the log.
    pub fn code(self) -> &'static str {
        match self {
            ClosureReason::Found => "found",
            ClosureReason::Identified => "identified",
            ClosureReason::ConsentWithdrawn => "consent_withdrawn",
            ClosureReason::DeathRegistered => "death_registered",
        }
    }

    /// Whether a record in a pool of this kind can be closed for this reason.
    pub fn applies_to(self, kind: PoolKind) -> bool {
        match self {
            ClosureReason::Found => kind == PoolKind::MissingPerson,
            ClosureReason::Identified => {
                matches!(
                    kind,
                    PoolKind::UnidentifiedPerson | PoolKind::UnidentifiedRemains | PoolKind::Person
                )
            }
            ClosureReason::ConsentWithdrawn | ClosureReason::DeathRegistered => true,
        }
    }
}

/// That a case was closed. It is never told here where a person was found: they may not want it known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// Why.
    pub reason: ClosureReason,
    /// The day.
    pub on: Date,
    /// Who says so, 1 to 128 characters.
    pub by: String,
}

impl Closure {
    /// Whether it is complete.
    ///
    /// # Errors
    /// [`FactError`] for the first field that is wrong.
    pub fn check(&self, today: Date) -> Result<(), FactError> {
        check_text("closure.by", &self.by, 1, 128)?;
        check_date("closure.on", self.on, today)
    }
}
