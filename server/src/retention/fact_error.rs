//! Why a fact is refused: which field, and what to do.
use thiserror::Error;

/// A fact that is not taken. Names the field and the remedy, and never repeats the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FactError {
    /// Nothing where something must be.
    #[error("`{field}` is missing; give it")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// Too short or too long.
    #[error("`{field}` has {length} characters, but must have {least} to {most}")]
    Length {
        /// The field.
        field: &'static str,
        /// Its length in characters.
        length: usize,
        /// Least.
        least: usize,
        /// Most.
        most: usize,
    },
    /// Characters that a reader cannot see.
    #[error("`{field}` contains control, zero-width or text-direction characters; remove them")]
    Hidden {
        /// The field.
        field: &'static str,
    },
    /// A date after today.
    #[error("`{field}` lies in the future; record what has happened, when it has happened")]
    Future {
        /// The field.
        field: &'static str,
    },
    /// A date that no living person's record can have.
    #[error("`{field}` lies before the year 1800; correct it")]
    TooEarly {
        /// The field.
        field: &'static str,
    },
    /// A date that contradicts another.
    #[error("`{field}` lies before `{earlier}`; correct one of the two")]
    Order {
        /// The field.
        field: &'static str,
        /// What it may not precede.
        earlier: &'static str,
    },
    /// A list is full.
    #[error("a record has at most {most} of `{field}`")]
    TooMany {
        /// The list.
        field: &'static str,
        /// Its bound.
        most: usize,
    },
    /// An outcome other than pending without its date.
    #[error("`outcome_on` is missing; an outcome other than pending has the date on which it was reached")]
    OutcomeWithoutDate,
    /// A date for an outcome that is still pending.
    #[error(
        "`outcome_on` is given for an outcome that is pending; leave it out, or say which outcome was reached"
    )]
    PendingWithDate,
    /// A conviction or caution for nothing.
    #[error("`offences` is empty; a caution, conviction or quashed conviction names at least one offence")]
    NoOffence,
    /// Retaining without saying when to look again.
    #[error("`next_review_on` is missing; retaining needs a date on which it is reviewed again")]
    NoNextReview,
    /// A next review that is not ahead.
    #[error("`next_review_on` must lie after the day of this review")]
    NextReviewNotAhead,
    /// A next review too far away.
    #[error("`next_review_on` lies more than {years} years after this review; choose an earlier date")]
    NextReviewTooFar {
        /// The bound.
        years: i16,
    },
    /// A next review for a record that shall go.
    #[error("`next_review_on` is given for a decision to dispose; leave it out, or decide to retain")]
    DisposeWithNextReview,
    /// A review before the last one.
    #[error("`on` lies before the last review of this record; reviews are added in their order")]
    ReviewOutOfOrder,
    /// A hold that would end before it begins.
    #[error("`expires_on` must lie after `placed_on`; a hold without an end is not possible")]
    HoldExpiry,
    /// A hold that would last too long.
    #[error("`expires_on` lies more than {years} years after `placed_on`; place a shorter hold and renew it")]
    HoldTooLong {
        /// The bound.
        years: i16,
    },
    /// A second hold with the same id.
    #[error("there already is a hold with this `id`; choose another id")]
    HoldExists,
    /// No such hold.
    #[error("there is no hold with this `id`; the record lists its holds")]
    HoldUnknown,
    /// Lifting twice.
    #[error("this hold is already lifted")]
    HoldLifted,
    /// A reason that this kind of pool does not know.
    #[error("`reason` does not apply to this kind of pool")]
    ReasonNotForKind,
    /// Closing twice.
    #[error("the case is already closed; reopen it first")]
    AlreadyClosed,
    /// Reopening what is open.
    #[error("the case is not closed")]
    NotClosed,
    /// A category that this kind of pool never holds.
    #[error("`category` may not be in this kind of pool; use a pool of the right kind")]
    CategoryNotInPool,
}
