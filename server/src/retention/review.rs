//! Reviews: somebody looked, answered the questions, and decided (R31).
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    FactError, Period,
    facts::{check_date, check_text},
};

/// Longest time to the next review, in years. The rule file may set less.
pub const MOST_REVIEW_YEARS: u16 = 10;

/// An answer with its grounds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Yes or no.
    pub yes: bool,
    /// The grounds, 8 to 1,000 characters for a yes; may be empty for a no.
    pub text: String,
}

/// Answers to the National Retention Assessment Criteria, as the review form of the College of Policing asks them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NracAnswers {
    /// Is there evidence of a capacity to inflict serious harm?
    pub serious_harm: Answer,
    /// Are there concerns about children or vulnerable adults?
    pub children_or_vulnerable: Answer,
    /// Did the behaviour involve a breach of trust?
    pub breach_of_trust: Answer,
    /// Are there links or associations which might increase the risk of harm?
    pub links_that_raise_risk: Answer,
    /// Are there concerns about substance misuse?
    pub substance_misuse: Answer,
    /// Are there concerns that the person's mental state might raise the risk?
    pub mental_state: Answer,
    /// For which policing purpose it is, or is not, necessary and proportionate to keep the record now; 8 to 1,000 characters.
    pub necessity: String,
}

impl NracAnswers {
    /// The answers with the names of their questions, in the order of the form.
    pub fn each(&self) -> [(&'static str, &Answer); 6] {
        [
            ("answers.serious_harm", &self.serious_harm),
            ("answers.children_or_vulnerable", &self.children_or_vulnerable),
            ("answers.breach_of_trust", &self.breach_of_trust),
            ("answers.links_that_raise_risk", &self.links_that_raise_risk),
            ("answers.substance_misuse", &self.substance_misuse),
            ("answers.mental_state", &self.mental_state),
        ]
    }
}

/// What a review decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Keep it, until the next review at most.
    Retain,
    /// Let it go.
    Dispose,
}

/// One review of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The day.
    pub on: Date,
    /// Who decided, 1 to 128 characters.
    pub author: String,
    /// The answers.
    pub answers: NracAnswers,
    /// The decision.
    pub decision: Decision,
    /// When it is reviewed again: there for every decision to retain, and for no other.
    pub next_review_on: Option<Date>,
}

impl Review {
    /// A review that is complete.
    ///
    /// # Errors
    /// [`FactError`]: retaining without answers, author and a next review ahead is refused.
    pub fn new(
        on: Date,
        author: impl Into<String>,
        answers: NracAnswers,
        decision: Decision,
        next_review_on: Option<Date>,
    ) -> Result<Self, FactError> {
        let review = Self { on, author: author.into(), answers, decision, next_review_on };
        review.check(on)?;
        Ok(review)
    }

    /// Whether it is complete.
    ///
    /// # Errors
    /// [`FactError`] for the first field that is wrong.
    pub fn check(&self, today: Date) -> Result<(), FactError> {
        check_date("review.on", self.on, today)?;
        check_text("review.author", &self.author, 1, 128)?;
        check_text("answers.necessity", &self.answers.necessity, 8, 1000)?;
        for (field, answer) in self.answers.each() {
            if answer.yes {
                check_text(field, &answer.text, 8, 1000)?;
            } else if !answer.text.is_empty() {
                check_text(field, &answer.text, 1, 1000)?;
            }
        }
        match (self.decision, self.next_review_on) {
            (Decision::Dispose, None) => Ok(()),
            (Decision::Dispose, Some(_)) => Err(FactError::DisposeWithNextReview),
            (Decision::Retain, None) => Err(FactError::NoNextReview),
            (Decision::Retain, Some(next)) if next <= self.on => Err(FactError::NextReviewNotAhead),
            (Decision::Retain, Some(next)) if next > Period::years(MOST_REVIEW_YEARS).after(self.on) => {
                Err(FactError::NextReviewTooFar { years: MOST_REVIEW_YEARS.cast_signed() })
            }
            (Decision::Retain, Some(_)) => Ok(()),
        }
    }
}
