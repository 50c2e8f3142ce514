//! True erasure: what was destroyed, on record for ever without a byte of it.
//!
//! Erasing a person (R33) destroys, in this order, the content of audit entries about them, the key that everything of theirs
//! was sealed with, their image files, their records with their rows in the index, and last proves it. The [`Ledger`] is
//! written before the first of these steps and knows every erasure that is not finished: it is carried on at every start,
//! before anything is answered. It lies apart from the pools and is never restored from a backup: whoever is in it stays gone
//! (R34).

mod certificate;
mod ledger;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, Destroyed, Store};
pub use ledger::{
    Begun, Erasure, Ledger, LedgerError, Mark, MarkOf, Recognised, Reimport, ReimportDecision, Resolution,
};

use std::{fmt, str::FromStr};

/// Why somebody is erased.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureReason {
    /// No rule retains the record any more (R25, R30).
    RetentionEnded,
    /// An application for deletion was granted (R29).
    ApplicationGranted,
    /// The person's right to erasure (Data Protection Act 2018 s.47).
    RightToErasure,
    /// Consent was withdrawn (R52).
    ConsentWithdrawn,
    /// The person was found, or identified, and nothing else retains the record (R53).
    CaseClosed,
    /// A court or the Commissioner ordered it.
    Order,
    /// It should never have been recorded: the wrong person, the wrong pool, no lawful basis.
    RecordedInError,
}

impl ErasureReason {
    /// Every reason.
    pub const ALL: [ErasureReason; 7] = [
        ErasureReason::RetentionEnded,
        ErasureReason::ApplicationGranted,
        ErasureReason::RightToErasure,
        ErasureReason::ConsentWithdrawn,
        ErasureReason::CaseClosed,
        ErasureReason::Order,
        ErasureReason::RecordedInError,
    ];

    /// The word in requests, certificates and the log.
    pub fn code(self) -> &'static str {
        match self {
            ErasureReason::RetentionEnded => "retention_ended",
            ErasureReason::ApplicationGranted => "application_granted",
            ErasureReason::RightToErasure => "right_to_erasure",
            ErasureReason::ConsentWithdrawn => "consent_withdrawn",
            ErasureReason::CaseClosed => "case_closed",
            ErasureReason::Order => "order",
            ErasureReason::RecordedInError => "recorded_in_error",
        }
    }

    /// Whether anything may be left that recognises the person's references when a force sends them again.
    ///
    /// Where the person asked to be forgotten, or should never have been there, nothing may confirm that they were: the key of
    /// the digest is destroyed with the rest. Elsewhere a digest stays that holds a re-import for a decision (R34).
    pub fn leaves_a_mark(self) -> bool {
        match self {
            ErasureReason::RetentionEnded
            | ErasureReason::ApplicationGranted
            | ErasureReason::CaseClosed
            | ErasureReason::Order => true,
            ErasureReason::RightToErasure
            | ErasureReason::ConsentWithdrawn
            | ErasureReason::RecordedInError => false,
        }
    }
}

impl fmt::Display for ErasureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A reason that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a reason for erasure; the reasons are retention_ended, application_granted, right_to_erasure, consent_withdrawn, \
     case_closed, order and recorded_in_error"
)]
pub struct UnknownReason;

impl FromStr for ErasureReason {
    type Err = UnknownReason;

    fn from_str(code: &str) -> Result<Self, UnknownReason> {
        ErasureReason::ALL.into_iter().find(|reason| reason.code() == code).ok_or(UnknownReason)
    }
}
