//! Who was shown, and who was met and not shown.

use crate::audit::AuditError;
use crate::ids::{ImageId, SubjectId};
use serde::{Deserialize, Serialize};

/// One candidate that was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The image shown.
    pub image_id: ImageId,
    /// Whose image it is.
    pub subject_id: SubjectId,
    /// From 1.
    pub rank: u32,
    /// Six decimals, as text: a float has more than one spelling, and the entry is hashed.
    pub similarity: String,
}

impl Candidate {
    /// Refuses a similarity that is not a finite number.
    pub fn new(
        rank: u32,
        image_id: ImageId,
        subject_id: SubjectId,
        similarity: f64,
    ) -> Result<Self, AuditError> {
        if !similarity.is_finite() {
            return Err(AuditError::Invalid("a similarity is not a finite number"));
        }
        Ok(Self { image_id, subject_id, rank, similarity: format!("{similarity:.6}") })
    }
}

/// A subject that was kept from somebody by a protected view (R21). Read by auditors; the searching person is told nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// Whose record it is.
    pub subject_id: SubjectId,
    /// `existence_suppressed` or `contact_owner`.
    pub view: String,
    /// The unit that answers for the record, and is to be told.
    pub owner: String,
}
