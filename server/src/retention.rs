//! What is kept, why, until when: facts about a record, rules as data, and the assessment that follows from both.
//!
//! Everything here is a pure function of its arguments: no clock, no store, no wire. [`Facts`] are what is known about one
//! record; a [`RuleSet`] is one version of the rule file; [`assess()`] says what follows on a day. The default is to delete:
//! a record is kept only while a rule gives a live reason, and no rule keeps without a date on which somebody looks again
//! (`docs/retention-rules.md`).
//!
//! A date on which something ends is the first day on which it no longer holds: a period of six years from 15 March 2020
//! keeps until 14 March 2026 and is over on 15 March 2026.
mod age;
pub mod application;
mod assess;
mod category;
mod closure;
mod custody_event;
pub mod deletion_list;
mod fact_error;
mod facts;
mod hold;
pub mod numbers;
mod period;
mod publishable;
mod review;
mod rules;
mod simulate;
#[cfg(test)]
mod tests;

pub use age::{AgeBand, LeapDayBirthday, birthday};
pub use assess::{
    Assessment, Disposition, OutcomeStatus, Presumption, RULE_CATEGORY, RULE_DISPOSED, WouldBe, assess,
    explain,
};
pub use category::SubjectCategory;
pub use closure::{Closure, ClosureReason};
pub use custody_event::{CustodyEvent, CustodyOutcome, MopiGroup, Offence};
pub use fact_error::FactError;
pub use facts::Facts;
pub use hold::{LegalHold, Lifted};
pub use period::Period;
pub use review::{Answer, Decision, NracAnswers, Review};
pub use rules::{ApplicationLimits, ApplicationTest, Confirmation, RuleError, RuleSet, SHIPPED, Source};
pub use simulate::{Change, simulate};
