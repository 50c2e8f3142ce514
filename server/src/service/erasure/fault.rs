//! Why an erasure is not complete yet.

use crate::{
    audit::AuditError,
    erasure::LedgerError,
    keys::{KeyError, StatementError},
    lists::ListsError,
    pool::PoolError,
    service::Unanswered,
};

/// Why an erasure is not complete yet. It is carried on later.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// A store of the pool failed.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The deletion lists failed.
    #[error(transparent)]
    Lists(#[from] ListsError),
    /// The log failed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The certificate could not be signed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A certificate in the ledger is not what was signed.
    #[error("a certificate in the erasure ledger was changed: {0}")]
    Changed(#[from] StatementError),
    /// The certificate could not be written.
    #[error("the certificate could not be written: {0}")]
    Certificate(#[from] serde_json::Error),
    /// The log gave no receipt.
    #[error("the erasure could not be recorded")]
    Unrecorded,
}

impl From<Unanswered> for EraseError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Unrecorded(error) => EraseError::Audit(error),
            Unanswered::Refused { .. } => EraseError::Unrecorded,
        }
    }
}
