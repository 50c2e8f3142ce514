//! Who the person is to the police: section 38(3) of the Data Protection Act 2018 asks for the distinction.
use serde::{Deserialize, Serialize};

use crate::pool::PoolKind;

/// The category of a data subject. There is no default: whoever records a person says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectCategory {
    /// Suspected of an offence.
    Suspect,
    /// Convicted of an offence.
    Convicted,
    /// A victim of an offence.
    Victim,
    /// A witness of an offence.
    Witness,
    /// Reported missing.
    Missing,
    /// Not known who it is, living or dead.
    Unidentified,
    /// Anybody else.
    Other,
}

impl SubjectCategory {
    /// Every category.
    pub const ALL: [SubjectCategory; 7] = [
        SubjectCategory::Suspect,
        SubjectCategory::Convicted,
        SubjectCategory::Victim,
        SubjectCategory::Witness,
        SubjectCategory::Missing,
        SubjectCategory::Unidentified,
        SubjectCategory::Other,
    ];

    /// The name used in files, on the command line and in the log.
    pub fn code(self) -> &'static str {
        match self {
            SubjectCategory::Suspect => "suspect",
            SubjectCategory::Convicted => "convicted",
            SubjectCategory::Victim => "victim",
            SubjectCategory::Witness => "witness",
            SubjectCategory::Missing => "missing",
            SubjectCategory::Unidentified => "unidentified",
            SubjectCategory::Other => "other",
        }
    }

    /// Whether a person of this category may be in a pool of this kind. Victims and witnesses never are in custody
    /// pools, whatever the rule file says.
    pub fn may_be_in(self, kind: PoolKind) -> bool {
        use SubjectCategory::{Convicted, Missing, Other, Suspect, Unidentified, Victim, Witness};
        match kind {
            PoolKind::Custody => matches!(self, Suspect | Convicted | Other),
            PoolKind::Person => matches!(self, Suspect | Convicted | Victim | Witness | Other),
            PoolKind::MissingPerson => matches!(self, Missing | Other),
            PoolKind::UnidentifiedPerson | PoolKind::UnidentifiedRemains => {
                matches!(self, Unidentified | Other)
            }
        }
    }
}
