//! Applications for deletion by the person: received, decided, appealed against, decided again (R29).
//!
//! Time limits are counted to the corresponding day, which still is in time; they are fixed when their time begins, so that
//! other rules do not move them. Agreeing does not erase: it is the reason for an erasure that the service carries out.
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::facts::{check_date, check_text};
use super::{ApplicationLimits, ApplicationTest, Presumption};

mod fault;
mod refusal;
mod standing;
mod statistics;

pub use fault::ApplicationError;
pub use refusal::RefusalNeeds;
pub use standing::{ApplicationState, Seniority, Verdict};
pub use statistics::{ApplicationCounts, ApplicationStatistics, ApplicationTally, PublishedApplications};

/// A decision about an application or an appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDecision {
    /// The day.
    pub on: Date,
    /// Who decided, 1 to 128 characters.
    pub by: String,
    /// How senior they are.
    pub seniority: Seniority,
    /// By which authority, such as the chief officer's delegation; 1 to 256 characters.
    pub authority: String,
    /// What was decided.
    pub verdict: Verdict,
    /// Why; 8 to 1,000 characters.
    pub reason: String,
    /// The policing purpose for which retention is necessary: for a refusal where deletion is presumed.
    pub policing_purpose: Option<String>,
    /// The exceptional reason: for a refusal where deletion is presumed. Another text than `reason`.
    pub exceptional_reason: Option<String>,
    /// Why the reason meets the higher test for an image taken under 18. Another text than the two above.
    pub why_highly_exceptional: Option<String>,
}

/// An appeal against a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appeal {
    /// The day on which it was received.
    pub received_on: Date,
    /// The grounds, 1 to 2,000 characters.
    pub grounds: String,
    /// The last day for deciding it.
    pub decide_by: Date,
    /// The decision.
    pub decision: Option<ApplicationDecision>,
}

/// One application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeletionApplication {
    /// Its id, 1 to 64 characters.
    pub id: String,
    /// The force that decides, 1 to 64 characters.
    pub force: String,
    /// The day on which it was received.
    pub received_on: Date,
    /// The person's grounds; may be empty: none are needed. At most 2,000 characters.
    pub grounds: String,
    /// Rule that says what a refusal must show.
    pub rule: String,
    /// What a refusal must show.
    pub test: ApplicationTest,
    /// The last day for deciding it.
    pub decide_by: Date,
    /// The decision.
    pub decision: Option<ApplicationDecision>,
    /// The last day for appealing, once refused.
    pub appeal_by: Option<Date>,
    /// The appeal.
    pub appeal: Option<Appeal>,
}

impl DeletionApplication {
    /// An application that came in on `received_on`. `presumption` is that of the assessment of this day.
    ///
    /// # Errors
    /// [`ApplicationError::Field`] for a field that is missing, too long or in the future.
    pub fn receive(
        id: impl Into<String>,
        force: impl Into<String>,
        grounds: impl Into<String>,
        received_on: Date,
        presumption: &Presumption,
        limits: ApplicationLimits,
        today: Date,
    ) -> Result<Self, ApplicationError> {
        let application = Self {
            id: id.into(),
            force: force.into(),
            received_on,
            grounds: grounds.into(),
            rule: presumption.rule.clone(),
            test: presumption.test_now(),
            decide_by: limits.decide.after(received_on),
            decision: None,
            appeal_by: None,
            appeal: None,
        };
        check_text("application.id", &application.id, 1, 64)?;
        check_text("application.force", &application.force, 1, 64)?;
        if !application.grounds.is_empty() {
            check_text("application.grounds", &application.grounds, 1, 2000)?;
        }
        check_date("application.received_on", received_on, today)?;
        Ok(application)
    }

    /// Where it stands.
    pub fn state(&self) -> ApplicationState {
        match (&self.decision, &self.appeal) {
            (None, _) => ApplicationState::Received,
            (Some(decision), None) if decision.verdict == Verdict::Agreed => ApplicationState::Agreed,
            (Some(_), None) => ApplicationState::Refused,
            (Some(_), Some(appeal)) => match appeal.decision.as_ref().map(|decision| decision.verdict) {
                None => ApplicationState::Appealed,
                Some(Verdict::Agreed) => ApplicationState::AgreedOnAppeal,
                Some(Verdict::Refused) => ApplicationState::RefusedOnAppeal,
            },
        }
    }

    /// Whether the record is to be erased for it.
    pub fn is_agreed(&self) -> bool {
        self.state().is_agreed()
    }

    /// The last day for what is to be decided next, if anything is.
    pub fn decide_by(&self) -> Option<Date> {
        match self.state() {
            ApplicationState::Received => Some(self.decide_by),
            ApplicationState::Appealed => self.appeal.as_ref().map(|appeal| appeal.decide_by),
            _ => None,
        }
    }

    /// Whether a decision is late.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.decide_by().is_some_and(|by| today > by)
    }

    /// Holds what is still to be decided to the presumption of a later day, where that one is stronger: an outcome that came
    /// since receipt counts for the person. A weaker one changes nothing.
    pub fn strengthen(&mut self, presumption: &Presumption) {
        let test = presumption.test_now();
        if self.state().is_open() && test > self.test {
            self.test = test;
            self.rule.clone_from(&presumption.rule);
        }
    }

    /// Decides it.
    ///
    /// # Errors
    /// [`ApplicationError`] when it is decided already, for a decision that is incomplete, and for a refusal that does not
    /// meet the test.
    pub fn decide(
        &mut self,
        decision: ApplicationDecision,
        limits: ApplicationLimits,
        today: Date,
    ) -> Result<(), ApplicationError> {
        if self.decision.is_some() {
            return Err(ApplicationError::Decided);
        }
        self.meets(&decision, self.received_on, today)?;
        if decision.verdict == Verdict::Refused {
            self.appeal_by = Some(limits.appeal.after(decision.on));
        }
        self.decision = Some(decision);
        Ok(())
    }

    /// Takes an appeal.
    ///
    /// # Errors
    /// [`ApplicationError`] when nothing was refused, an appeal was made before, or its time is over.
    pub fn appeal(
        &mut self,
        received_on: Date,
        grounds: impl Into<String>,
        limits: ApplicationLimits,
        today: Date,
    ) -> Result<(), ApplicationError> {
        let (ApplicationState::Refused, Some(by), Some(refused)) =
            (self.state(), self.appeal_by, self.decision.as_ref())
        else {
            return Err(ApplicationError::NothingRefused);
        };
        check_date("appeal.received_on", received_on, today)?;
        if received_on < refused.on {
            return Err(ApplicationError::BeforeItsCause { field: "appeal.received_on" });
        }
        if received_on > by {
            return Err(ApplicationError::AppealTooLate { by });
        }
        let grounds = grounds.into();
        check_text("appeal.grounds", &grounds, 1, 2000)?;
        let decide_by = limits.decide_appeal.after(received_on);
        self.appeal = Some(Appeal { received_on, grounds, decide_by, decision: None });
        Ok(())
    }

    /// Decides the appeal: another person than the one who refused.
    ///
    /// # Errors
    /// As [`DeletionApplication::decide`]; [`ApplicationError::SamePerson`].
    pub fn decide_appeal(
        &mut self,
        decision: ApplicationDecision,
        today: Date,
    ) -> Result<(), ApplicationError> {
        let (ApplicationState::Appealed, Some(appeal)) = (self.state(), &self.appeal) else {
            return Err(ApplicationError::NothingAppealed);
        };
        if self.decision.as_ref().is_some_and(|first| first.by.trim() == decision.by.trim()) {
            return Err(ApplicationError::SamePerson);
        }
        self.meets(&decision, appeal.received_on, today)?;
        if let Some(appeal) = &mut self.appeal {
            appeal.decision = Some(decision);
        }
        Ok(())
    }

    /// Whether a decision is complete and, where it refuses, meets the test.
    fn meets(
        &self,
        decision: &ApplicationDecision,
        not_before: Date,
        today: Date,
    ) -> Result<(), ApplicationError> {
        check_date("decision.on", decision.on, today)?;
        if decision.on < not_before {
            return Err(ApplicationError::BeforeItsCause { field: "decision.on" });
        }
        check_text("decision.by", &decision.by, 1, 128)?;
        check_text("decision.authority", &decision.authority, 1, 256)?;
        check_text("decision.reason", &decision.reason, 8, 1000)?;
        let texts = [
            ("decision.policing_purpose", &decision.policing_purpose),
            ("decision.exceptional_reason", &decision.exceptional_reason),
            ("decision.why_highly_exceptional", &decision.why_highly_exceptional),
        ];
        let needs = match decision.verdict {
            Verdict::Agreed => ApplicationTest::None,
            Verdict::Refused => self.test,
        }
        .refusal();
        let mut said = vec![decision.reason.trim()];
        for (at, (field, text)) in texts.into_iter().enumerate() {
            match text {
                None if at < needs.fields.len() => return Err(ApplicationError::TestNotMet { field }),
                None => {}
                Some(text) => {
                    check_text(field, text, 8, 1000)?;
                    if said.contains(&text.trim()) {
                        return Err(ApplicationError::Repeated { field });
                    }
                    said.push(text.trim());
                }
            }
        }
        if decision.seniority < needs.least {
            return Err(ApplicationError::NotSeniorEnough { least: needs.least });
        }
        Ok(())
    }
}
