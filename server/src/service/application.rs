//! Applications for deletion (R29): received, decided, appealed against, and carried out.
//!
//! What an application is, and what a refusal must show, is in [`crate::retention::application`], which knows no store and no
//! clock. Agreeing erases nothing by itself: it is recorded as a review that disposes of the record, in the same step, and what
//! disposes of records by the rules does so here, too. So a legal hold binds it, and the erasure is the same with the same proof.
use jiff::civil::Date;

use super::{
    Refusal, RefusalKind, Rendered, Service, Unanswered,
    answer::Answer,
    case::{Case, touched},
    retain::{Found, entry_about, marks, no_such_subject, verdict},
};
use crate::{
    audit::{Change, Content, Outcome, Phase, PoolTouched, Submission},
    ids::SubjectId,
    pool::{Applied, Retained},
    records::State,
    retention::{
        Assessment, Disposition, Facts, Presumption, WouldBe,
        application::{ApplicationError, ApplicationState},
        assess,
    },
};

mod list;
mod read;
mod receive;
mod statistics;
mod step;

pub use list::{ApplicationPage, ApplicationsRequest};
pub use read::ApplicationsAnswer;
pub use receive::ReceiveRequest;
pub use statistics::StatisticsAnswer;
pub use step::{ApplicationStep, StatedDecision, StepRequest};

/// What becomes of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consequence {
    /// It stays in use, until its next review at least.
    Retained,
    /// Nothing retains it: it leaves use within moments.
    LeavesUse {
        /// When it is erased.
        erased_on: Date,
    },
    /// A legal hold keeps it.
    Held {
        /// Id of the hold.
        by: String,
        /// The first day on which it holds no more.
        until: Date,
        /// When it is erased after that; absent where something else retains it.
        erased_on: Option<Date>,
    },
    /// It is out of use.
    BeyondUse {
        /// When it is erased.
        erased_on: Option<Date>,
    },
}

impl Consequence {
    /// The name used in answers.
    pub fn code(&self) -> &'static str {
        match self {
            Consequence::Retained => "retained",
            Consequence::LeavesUse { .. } => "leaves_use",
            Consequence::Held { .. } => "held",
            Consequence::BeyondUse { .. } => "beyond_use",
        }
    }

    /// The same in a sentence.
    pub fn words(&self) -> String {
        match self {
            Consequence::Retained => {
                "The record stays in use until a rule or a review says otherwise.".to_owned()
            }
            Consequence::LeavesUse { erased_on } => {
                format!(
                    "The record leaves use within moments and is erased on {erased_on}; then there is a certificate."
                )
            }
            Consequence::Held { by, until, erased_on: Some(erased_on) } => format!(
                "The record is to be erased, but the legal hold `{by}` keeps it until {until}, unless it is lifted before. It leaves \
                 use when the hold ends, and is erased on {erased_on} at the latest if nothing else is placed on it."
            ),
            Consequence::Held { by, until, erased_on: None } => {
                format!("The legal hold `{by}` keeps the record until {until}, unless it is lifted before.")
            }
            Consequence::BeyondUse { erased_on: Some(erased_on) } => {
                format!("The record is out of use and is erased on {erased_on}; then there is a certificate.")
            }
            Consequence::BeyondUse { erased_on: None } => {
                "The record is out of use and is to be erased.".to_owned()
            }
        }
    }
}

/// An application after a step, with what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationAnswer {
    /// The pool.
    pub pool: String,
    /// The application.
    pub applied: Applied,
    /// Where the record stands.
    pub state: State,
    /// What becomes of the record.
    pub consequence: Consequence,
    /// When the need to keep it is reviewed next.
    pub next_review_on: Date,
    /// The day of the answer.
    pub today: Date,
}

/// A step that was checked and is to be kept.
struct Taken {
    applied: Applied,
    /// Where it stood; absent for a new one.
    before: Option<ApplicationState>,
    /// Facts of the record, where the step changes them.
    facts: Option<Facts>,
}

/// The pool and the subject that a step is about.
type About = (PoolTouched, SubjectId);

fn about(found: &Found) -> About {
    (touched(&found.pool, None), found.retained.kept.id)
}

fn no_such_application() -> Refusal {
    Refusal::new(
        RefusalKind::NotFound,
        "no_such_application",
        "there is no such application in this pool; when a record is erased, the applications about it go with it",
    )
}

impl From<ApplicationError> for Refusal {
    fn from(error: ApplicationError) -> Self {
        let (kind, code) = match error {
            ApplicationError::Field(_) => (RefusalKind::Invalid, super::refusal::INVALID_FIELD),
            ApplicationError::Decided
            | ApplicationError::NothingRefused
            | ApplicationError::NothingAppealed
            | ApplicationError::BeforeItsCause { .. }
            | ApplicationError::AppealTooLate { .. } => (RefusalKind::Invalid, "application_step"),
            ApplicationError::SamePerson => (RefusalKind::Denied, "same_person"),
            ApplicationError::TestNotMet { .. } | ApplicationError::Repeated { .. } => {
                (RefusalKind::Invalid, "presumption_of_deletion")
            }
            ApplicationError::NotSeniorEnough { .. } => (RefusalKind::Invalid, "not_senior_enough"),
        };
        Refusal::new(kind, code, error.to_string())
    }
}

impl Service {
    /// What becomes of a record that is assessed like this.
    fn consequence(&self, retained: &Retained, facts: &Facts, assessment: &Assessment) -> Consequence {
        let dwell = self.rules.now().set.beyond_use();
        if retained.kept.state != State::Active {
            return Consequence::BeyondUse {
                erased_on: retained.kept.erase_at.map(|at| self.config.retention.calendar.day(at)),
            };
        }
        match &assessment.disposition {
            Disposition::Retain => Consequence::Retained,
            Disposition::Due { .. } => Consequence::LeavesUse { erased_on: dwell.after(self.today()) },
            Disposition::Held { by, would_be } => {
                let hold = facts.holds.iter().find(|hold| hold.id == *by);
                let until = hold.map_or(self.today(), crate::retention::LegalHold::ends_on);
                let erased_on = matches!(would_be, WouldBe::Due { .. }).then(|| dwell.after(until));
                Consequence::Held { by: by.clone(), until, erased_on }
            }
        }
    }

    /// What an application that came in today would meet.
    fn presumption(&self, found: &Found) -> Presumption {
        let (assessment, _) = self.assessed(&found.pool, &found.retained);
        assessment.presumption
    }

    /// The subject again, as it is now that nobody else alters it.
    fn still_there(found: Found) -> Result<Found, Refusal> {
        let id = found.retained.kept.id;
        let retained = found.pool.retained(&found.permit, crate::pool::Which::Id(id))?;
        let retained =
            retained.filter(|found| found.kept.state != State::Erasing).ok_or_else(no_such_subject)?;
        Ok(Found { retained, ..found })
    }

    /// Records a refusal with the subject it is about, so that what was asked is erased with them.
    fn refuse_about(&self, mut case: Case<'_>, about: About, refusal: Refusal) -> Unanswered {
        let mut entry = case.entry(Phase::Single, Some(refusal.kind.outcome()), Some(about.0));
        entry.subjects.push(about.1);
        entry.refusal = Some(refusal.audit_code().to_owned());
        let content = Content { request: case.take_refused_request(), ..Content::default() };
        self.refused(Submission { entry, content }, refusal)
    }

    /// Announces a step, keeps it, and records what came of it. The caller holds the lock on altering.
    fn keep_step<M>(
        &self,
        mut case: Case<'_>,
        found: Found,
        taken: Taken,
        render: impl FnOnce(&ApplicationAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let Taken { applied, before, facts } = taken;
        let (rules, kind, today) = (self.rules.now(), found.pool.definition().kind, self.today());
        let application = &applied.application;
        let mut intent = entry_about(&case, Phase::Intent, &found);
        let was = assess(&rules.set, kind, &found.retained.facts, today);
        let is = facts.as_ref().map_or_else(|| was.clone(), |facts| assess(&rules.set, kind, facts, today));
        let after = Some(application.state().code().to_owned());
        let before = before.map(|state| state.code().to_owned());
        intent.changes.insert("application".to_owned(), Change { before, after });
        if facts.is_some() {
            let change = Change { before: Some(verdict(&was)), after: Some(verdict(&is)) };
            intent.changes.insert("retention".to_owned(), change);
        }
        for (name, value) in [
            ("application_id", applied.id.to_string()),
            ("force", application.force.clone()),
            ("presumption", application.test.code().to_owned()),
            ("rules", rules.digest.clone()),
        ] {
            intent.notes.insert(name.to_owned(), value);
        }
        self.record_one(Submission::from(intent.clone()))?;

        let Found { pool, permit, retained, .. } = found;
        let marks = marks(&rules.digest, &is);
        match pool.keep_application(&permit, &applied, facts.as_ref().map(|facts| (facts, &marks))) {
            Ok(true) => {}
            Ok(false) => return Err(case.fail(&intent, no_such_subject())),
            Err(error) => return Err(case.fail(&intent, error.into())),
        }
        if facts.is_some() && is.is_due() {
            // Out of search within moments, not at the scheduler's next turn.
            self.wake_retention();
        }
        let answer = ApplicationAnswer {
            pool: pool.definition().name.to_string(),
            state: retained.kept.state,
            consequence: self.consequence(&retained, facts.as_ref().unwrap_or(&retained.facts), &is),
            next_review_on: is.next_review_on,
            applied,
            today,
        };
        let rendered = render(&answer);
        let mut entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        entry.pool = Some(touched(&pool, None));
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }
}
