//! New facts and decisions about one record: a custody event or its outcome, a review, a hold. Each is announced, sealed with the
//! record together with what the rules make of it, and recorded.
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Found, RetentionAnswer, Service, begin, entry_about, fact, marks, verdict};
use crate::{
    audit::{Change, Content, Outcome, Phase, Submission},
    authorise::Action,
    records::State,
    retention::{
        Closure, ClosureReason, CustodyEvent, Decision, Disposition, FactError, Facts, LegalHold, Lifted,
        NracAnswers, Review, SubjectCategory, assess,
    },
    service::{
        Answer, Asked, Refusal, Rendered, SubjectChoice, Unanswered,
        case::{named, touched},
    },
};

/// What is to be changed. Who says so is the caller: nobody signs for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alteration {
    /// A custody event, or another outcome of one that is known.
    CustodyEvent(CustodyEvent),
    /// Who the person is to the police.
    Category(SubjectCategory),
    /// The day of birth, or that it is not known.
    DateOfBirth(Option<Date>),
    /// The case is closed.
    Close {
        /// Why.
        reason: ClosureReason,
        /// The day.
        on: Date,
    },
    /// It was closed by mistake, or opened again.
    Reopen,
    /// A review.
    Review {
        /// The answers to the National Retention Assessment Criteria.
        answers: Box<NracAnswers>,
        /// Keep it or let it go.
        decision: Decision,
        /// When it is reviewed again.
        next_review_on: Option<Date>,
    },
    /// A legal hold.
    PlaceHold {
        /// Its id, unique in the record.
        id: String,
        /// Who may demand it.
        authority: String,
        /// What it covers.
        scope: String,
        /// Why.
        reason: String,
        /// The first day on which it holds no more.
        expires_on: Date,
    },
    /// The end of a hold before its time.
    LiftHold {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
}

impl Alteration {
    /// Which right it needs: facts come from the custody system, decisions from those who answer for records.
    fn action(&self) -> Action {
        match self {
            Alteration::CustodyEvent(_)
            | Alteration::Category(_)
            | Alteration::DateOfBirth(_)
            | Alteration::Close { .. }
            | Alteration::Reopen => Action::RecordOutcome,
            Alteration::Review { .. } | Alteration::PlaceHold { .. } | Alteration::LiftHold { .. } => {
                Action::ReviewRetention
            }
        }
    }

    /// The name in the log.
    fn name(&self) -> &'static str {
        match self {
            Alteration::CustodyEvent(_) => "custody_event",
            Alteration::Category(_) => "category",
            Alteration::DateOfBirth(_) => "date_of_birth",
            Alteration::Close { .. } => "closure",
            Alteration::Reopen => "reopening",
            Alteration::Review { .. } => "review",
            Alteration::PlaceHold { .. } => "hold_placed",
            Alteration::LiftHold { .. } => "hold_lifted",
        }
    }

    fn apply(
        &self,
        facts: &mut Facts,
        by: &str,
        kind: crate::pool::PoolKind,
        today: Date,
    ) -> Result<(), FactError> {
        match self {
            Alteration::CustodyEvent(event) => facts.record_event(event.clone(), today),
            Alteration::Category(category) => facts.recategorise(*category, kind),
            Alteration::DateOfBirth(born) => facts.set_date_of_birth(*born, today),
            Alteration::Close { reason, on } => {
                facts.close(Closure { reason: *reason, on: *on, by: by.to_owned() }, kind, today)
            }
            Alteration::Reopen => facts.reopen(),
            Alteration::Review { answers, decision, next_review_on } => {
                let review = Review::new(today, by, (**answers).clone(), *decision, *next_review_on)?;
                facts.add_review(review, today)
            }
            Alteration::PlaceHold { id, authority, scope, reason, expires_on } => facts.place_hold(
                LegalHold {
                    id: id.clone(),
                    authority: authority.clone(),
                    scope: scope.clone(),
                    reason: reason.clone(),
                    placed_on: today,
                    placed_by: by.to_owned(),
                    expires_on: *expires_on,
                    lifted: None,
                },
                today,
            ),
            Alteration::LiftHold { id, reason } => {
                facts.lift_hold(id, Lifted { on: today, by: by.to_owned(), reason: reason.clone() }, today)
            }
        }
    }
}

/// An alteration as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterRequest {
    /// The pool.
    pub pool: String,
    /// The subject.
    pub subject: SubjectChoice,
    /// What is to be changed; or what is wrong with the message.
    pub alteration: Result<Alteration, String>,
}

fn wrong(what: &str) -> Refusal {
    Refusal::invalid("invalid_field", what)
}

impl Service {
    /// Records a fact or a decision that bears on how long a record is kept.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn alter_retention<M>(
        &self,
        asked: Asked,
        request: &AlterRequest,
        render: impl FnOnce(&RetentionAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let action = request.alteration.as_ref().map_or(Action::RecordOutcome, Alteration::action);
        let (mut case, token) = begin(self, action, asked);
        if let Ok(alteration) = &request.alteration {
            case.note("alteration", alteration.name());
        }
        let found = self
            .find_kept(&mut case, token.as_deref(), &request.pool, &request.subject)
            .and_then(|found| Ok((found, request.alteration.as_ref().map_err(|what| wrong(what))?)));
        let (found, alteration) = match found {
            Ok(found) => found,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        // One alteration of a pool at a time: what is checked below still holds when it is kept.
        let _turn = self.altering.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (found, facts) = match self.altered(found, alteration) {
            Ok(altered) => altered,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        let kind = found.pool.definition().kind;
        let rules = self.rules.now();
        let before = assess(&rules.set, kind, &found.retained.facts, self.today());
        let after = assess(&rules.set, kind, &facts, self.today());
        let mut intent = entry_about(&case, Phase::Intent, &found);
        intent.changes.insert(
            "retention".to_owned(),
            Change { before: Some(verdict(&before)), after: Some(verdict(&after)) },
        );
        intent.notes.insert("rules".to_owned(), rules.digest.clone());
        self.record_one(Submission::from(intent.clone()))?;

        let Found { pool, permit, mut retained, .. } = found;
        let subject = retained.kept.id;
        let mut kept = pool.keep_facts(&permit, subject, &facts, &marks(&rules.digest, &after));
        if retained.kept.state == State::BeyondUse
            && let Some(until) = self.erase_after(&facts)
            && matches!(kept, Ok(true))
        {
            kept = pool.put_off(&permit, subject, until);
            retained.kept.erase_at = Some(until);
        }
        match kept {
            Ok(true) => {}
            Ok(false) => return Err(case.fail(&intent, super::no_such_subject())),
            Err(error) => return Err(case.fail(&intent, error.into())),
        }
        if matches!(after.disposition, Disposition::Due { .. }) {
            // Out of search within moments, not at the scheduler's next turn (R26).
            self.wake_retention();
        }
        retained.facts = facts;
        let name = pool.definition().name.as_str();
        let rendered = render(&RetentionAnswer::of(name, retained, after, rules.digest.clone()));
        let mut entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        entry.pool = Some(touched(&pool, None));
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    /// The facts with the alteration, or why it cannot be.
    fn altered(&self, found: Found, alteration: &Alteration) -> Result<(Found, Facts), Refusal> {
        // Read again under the lock: another alteration may have come first.
        let id = found.retained.kept.id;
        let retained = found.pool.retained(&found.permit, crate::pool::Which::Id(id))?;
        let retained =
            retained.filter(|found| found.kept.state != State::Erasing).ok_or_else(super::no_such_subject)?;
        let holds = matches!(alteration, Alteration::PlaceHold { .. } | Alteration::LiftHold { .. });
        if retained.kept.state == State::BeyondUse && !holds {
            return Err(Refusal::invalid(
                "beyond_use",
                "the record is beyond use and will be erased; only a legal hold can be placed on it or lifted",
            ));
        }
        let keeps = matches!(alteration, Alteration::Review { decision: Decision::Retain, .. });
        if keeps && found.pool.is_applied_for(&found.permit, id)? {
            return Err(Refusal::invalid(
                "application_agreed",
                "an application for the deletion of this record was agreed; no review can retain it",
            ));
        }
        let mut facts = retained.facts.clone();
        let kind = found.pool.definition().kind;
        alteration.apply(&mut facts, &found.authority(), kind, self.today()).map_err(|error| fact(&error))?;
        Ok((Found { retained, ..found }, facts))
    }

    /// When a record beyond use is erased, given its holds: when the last of them ends, or after the dwell that starts now when
    /// none stands any more. `None` when it never had one.
    fn erase_after(&self, facts: &Facts) -> Option<Timestamp> {
        let last = facts.holds.iter().map(LegalHold::ends_on).max()?;
        let calendar = &self.config.retention.calendar;
        let now = self.clock.now();
        let dwell = calendar.start_of(self.rules.now().set.beyond_use().after(self.today()));
        let held = calendar.start_of(last);
        // A hold that ends first leaves the time that was planned; one that was just lifted gives a whole new one.
        Some(if held > now { held.max(dwell) } else { dwell.max(now + SignedDuration::from_hours(1)) })
    }
}
