//! The steps after receipt: decided, appealed against, decided again.
use jiff::civil::Date;

use super::{ApplicationAnswer, Taken, about, no_such_application};
use crate::{
    authorise::Action,
    ids::ApplicationId,
    pool::Which,
    records::State,
    retention::{
        Decision, NracAnswers, Review,
        application::{ApplicationDecision, Seniority, Verdict},
    },
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named},
        fields::Fields,
        retain::{Found, begin, fact},
    },
};

/// A decision as it was sent. Who decides is the caller, and the day is today: nobody signs for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedDecision {
    /// What is decided.
    pub verdict: Verdict,
    /// How senior the person who decides is, as they say.
    pub seniority: Seniority,
    /// By which authority.
    pub authority: String,
    /// Why.
    pub reason: String,
    /// For which policing purpose retention is necessary.
    pub policing_purpose: Option<String>,
    /// The exceptional reason.
    pub exceptional_reason: Option<String>,
    /// Why it meets the higher test.
    pub why_highly_exceptional: Option<String>,
}

/// One step; or what is wrong with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplicationStep {
    /// The application is decided.
    Decide(Result<StatedDecision, String>),
    /// An appeal comes in.
    Appeal {
        /// The day, today where none is given.
        received_on: Result<Option<Date>, String>,
        /// The grounds.
        grounds: String,
    },
    /// The appeal is decided.
    DecideAppeal(Result<StatedDecision, String>),
}

impl ApplicationStep {
    /// Which right it needs: what comes in is recorded by those who keep records, decided by those who answer for them.
    fn action(&self) -> Action {
        match self {
            ApplicationStep::Appeal { .. } => Action::RecordOutcome,
            ApplicationStep::Decide(_) | ApplicationStep::DecideAppeal(_) => Action::ReviewRetention,
        }
    }
}

/// A step as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRequest {
    /// The pool.
    pub pool: String,
    /// The application.
    pub application: String,
    /// The step.
    pub step: ApplicationStep,
}

fn wrong(what: &str) -> Refusal {
    Refusal::invalid("invalid_field", what)
}

impl Service {
    /// Takes a step with an application: decides it, takes an appeal in, or decides that.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn step_application<M>(
        &self,
        asked: Asked,
        request: &StepRequest,
        render: impl FnOnce(&ApplicationAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, request.step.action(), asked);
        if let ApplicationStep::Decide(Ok(stated)) | ApplicationStep::DecideAppeal(Ok(stated)) = &request.step
        {
            case.note("verdict", stated.verdict.code());
            // As it was stated: no token says how senior somebody is.
            case.note("seniority_stated", stated.seniority.code());
        }
        let (found, id) = match self.find_applied(&mut case, token.as_deref(), request) {
            Ok(found) => found,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        // One alteration of a pool at a time: what is checked below still holds when it is kept.
        let _turn = self.altering.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let about = about(&found);
        match Self::still_there(found).and_then(|found| Ok((self.taken(&found, id, &request.step)?, found))) {
            Ok((taken, found)) => self.keep_step(case, found, taken, render),
            Err(refusal) => Err(self.refuse_about(case, about, refusal)),
        }
    }

    /// Who asks, may they, and whose record the application is about.
    fn find_applied(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &StepRequest,
    ) -> Result<(Found, ApplicationId), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        let id = request.application.parse::<ApplicationId>();
        match &id {
            _ if request.application.is_empty() => fields.missing("application_id"),
            Ok(_) => {}
            Err(error) => fields.wrong(format!("`application_id` is {error}")),
        }
        fields.finish()?;
        let id = id.map_err(|error| wrong(&format!("`application_id` is {error}")))?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let applied = pool.application(&permit, id)?.ok_or_else(no_such_application)?;
        let retained = pool.retained(&permit, Which::Id(applied.subject))?;
        let retained =
            retained.filter(|found| found.kept.state != State::Erasing).ok_or_else(no_such_application)?;
        Ok((Found { caller, pool, permit, retained }, id))
    }

    fn taken(&self, found: &Found, id: ApplicationId, step: &ApplicationStep) -> Result<Taken, Refusal> {
        let mut applied = found.pool.application(&found.permit, id)?.ok_or_else(no_such_application)?;
        let before = Some(applied.application.state());
        let (limits, today) = (self.rules.now().set.application_limits(), self.today());
        let application = &mut applied.application;
        application.strengthen(&self.presumption(found));
        let stated = match step {
            ApplicationStep::Appeal { received_on, grounds } => {
                let received_on = received_on.clone().map_err(|what| wrong(&what))?;
                application.appeal(received_on.unwrap_or(today), grounds.as_str(), limits, today)?;
                // What the appeal is held to is that of the day on which it came in.
                application.strengthen(&self.presumption(found));
                return Ok(Taken { applied, before, facts: None });
            }
            ApplicationStep::Decide(stated) | ApplicationStep::DecideAppeal(stated) => stated,
        };
        let stated = stated.as_ref().map_err(|what| wrong(what))?;
        let out_of_use = found.retained.kept.state != State::Active;
        if out_of_use && stated.verdict == Verdict::Refused {
            return Err(Refusal::invalid(
                "beyond_use",
                "the record is out of use and will be erased: there is nothing left to refuse; agree, and tell the person so",
            ));
        }
        let decision = ApplicationDecision {
            on: today,
            by: found.authority(),
            seniority: stated.seniority,
            authority: stated.authority.clone(),
            verdict: stated.verdict,
            reason: stated.reason.clone(),
            policing_purpose: stated.policing_purpose.clone(),
            exceptional_reason: stated.exceptional_reason.clone(),
            why_highly_exceptional: stated.why_highly_exceptional.clone(),
        };
        match step {
            ApplicationStep::DecideAppeal(_) => application.decide_appeal(decision, today)?,
            _ => application.decide(decision, limits, today)?,
        }
        let facts = if application.is_agreed() && !out_of_use {
            let answers = NracAnswers { necessity: stated.reason.clone(), ..NracAnswers::default() };
            let review = Review::new(today, found.authority(), answers, Decision::Dispose, None);
            let mut facts = found.retained.facts.clone();
            review.and_then(|review| facts.add_review(review, today)).map_err(|error| fact(&error))?;
            Some(facts)
        } else {
            None
        };
        Ok(Taken { applied, before, facts })
    }
}
