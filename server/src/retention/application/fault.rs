//! Why a step of an application is refused.
use jiff::civil::Date;
use thiserror::Error;

use super::super::FactError;
use super::Seniority;

/// A step that is not taken; the application stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ApplicationError {
    /// A field that is missing, too long, hidden or in the future.
    #[error(transparent)]
    Field(#[from] FactError),
    /// Deciding twice.
    #[error("the application is already decided; a person who disagrees can appeal")]
    Decided,
    /// An appeal against nothing.
    #[error("there is no refusal that can be appealed against; an application has one appeal")]
    NothingRefused,
    /// A decision about no appeal.
    #[error("there is no appeal that waits for a decision")]
    NothingAppealed,
    /// A step dated before the one it follows.
    #[error("`{field}` lies before the step it follows; correct the date")]
    BeforeItsCause {
        /// The field.
        field: &'static str,
    },
    /// An appeal after its time.
    #[error("the time for an appeal ended on {by}; a new application can be made")]
    AppealTooLate {
        /// The last day.
        by: Date,
    },
    /// Who refused decides about the appeal.
    #[error("`decision.by` is the person who refused; somebody else decides an appeal")]
    SamePerson,
    /// A refusal without what the test asks for.
    #[error("`{field}` is missing: deletion is presumed, and a refusal must show it; give it, or agree")]
    TestNotMet {
        /// The field.
        field: &'static str,
    },
    /// The same text twice.
    #[error("`{field}` repeats another text of the decision; say what is particular to it")]
    Repeated {
        /// The field.
        field: &'static str,
    },
    /// Not senior enough.
    #[error("deletion is presumed: a refusal is decided by {}", senior(*.least))]
    NotSeniorEnough {
        /// The least.
        least: Seniority,
    },
}

fn senior(least: Seniority) -> &'static str {
    match least {
        Seniority::Handler => "somebody who handles applications",
        Seniority::Senior => "a senior officer",
        Seniority::ChiefOfficer => "the chief officer, for the image was taken under 18",
    }
}
