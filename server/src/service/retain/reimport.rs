//! References that came again after their record was put beyond use or erased: held back, listed, decided (R34).
use super::{Service, authority, begin};
use crate::{
    audit::{Change, Content, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    erasure::{LedgerError, Reimport, ReimportDecision, Resolution},
    pool::Pool,
    service::{
        Answer, Asked, Refusal, RefusalKind, Rendered, Unanswered,
        case::{named, touched},
        fields::Fields,
    },
};

/// What was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReimportAnswer {
    /// The questions, oldest first.
    pub held_back: Vec<Reimport>,
}

/// A decision as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideRequest {
    /// The pool.
    pub pool: String,
    /// The question.
    pub id: u64,
    /// Let it in, or keep it out.
    pub allow: bool,
    /// Why, 8 to 1,000 characters.
    pub reason: String,
}

impl Service {
    /// Whether an image may not come in because its person, or it, was put beyond use or erased. The attempt is noted for a
    /// decision; nothing of the image is kept.
    pub(in crate::service) fn hold_back(
        &self,
        pool: &Pool,
        permit: &Permit,
        system: &str,
        subject_reference: &str,
        source_reference: &str,
    ) -> Result<(), Refusal> {
        let unreadable = |error: LedgerError| Refusal::fault("ledger", &error);
        let name = pool.definition().name.as_str();
        let marks =
            [pool.subject_mark(system, subject_reference), pool.source_mark(system, source_reference)];
        let (digest, of) = match pool.out_of_use(permit, system, subject_reference, source_reference)? {
            Some(kept) => (marks[0], (None, Some(kept.id))),
            None => match self.ledger.recognises(name, &marks).map_err(unreadable)? {
                Some(found) => (found.digest, (Some(found.erasure), None)),
                None => return Ok(()),
            },
        };
        let now = self.clock.now();
        self.ledger.hold_back(name, digest, system, of, now).map_err(unreadable)?;
        Err(Refusal::invalid(
            "held_for_decision",
            "the person or the image was put beyond use or erased in this pool; nothing was stored. A records manager decides \
             whether it may come in again (`likeness retention reimports`); send it again after that",
        ))
    }

    /// Lists what was held back.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn list_reimports<M>(
        &self,
        asked: Asked,
        pool: &str,
        also_decided: bool,
        render: impl FnOnce(&ReimportAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        let settled = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            let mut fields = Fields::default();
            fields.text("pool", pool, 1, 64);
            fields.finish()?;
            let (pool, _) = case.admit(&caller, pool, &context)?;
            let held_back = self
                .ledger
                .held_back(pool.definition().name.as_str(), also_decided)
                .map_err(|error| Refusal::fault("ledger", &error))?;
            Ok((pool, ReimportAnswer { held_back }))
        });
        match settled {
            Ok((pool, answer)) => {
                let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
                case.answer(entry, None, render(&answer))
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }

    /// Decides whether a reference may come in again.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn decide_reimport<M>(
        &self,
        asked: Asked,
        request: &DecideRequest,
        render: impl FnOnce(&ReimportAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReviewRetention, asked);
        let settled = case.introduce_person(token.as_deref()).and_then(|(caller, _, context)| {
            let mut fields = Fields::default();
            fields.text("pool", &request.pool, 1, 64);
            fields.text("reason", &request.reason, 8, 1000);
            fields.finish()?;
            let (pool, _) = case.admit(&caller, &request.pool, &context)?;
            let name = pool.definition().name.to_string();
            let open = self
                .ledger
                .held_back(&name, false)
                .map_err(|error| Refusal::fault("ledger", &error))?
                .into_iter()
                .find(|held| held.id == request.id)
                .ok_or_else(no_such_question)?;
            if request.allow && open.erasure.is_none() {
                return Err(Refusal::invalid(
                    "beyond_use",
                    "the person is still beyond use here; it can be let in again when the record is erased",
                ));
            }
            Ok((pool, authority(&caller), open))
        });
        let (pool, by, open) = match settled {
            Ok(settled) => settled,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        let resolution = if request.allow { Resolution::Allowed } else { Resolution::Refused };
        let mut intent = case.entry(Phase::Intent, None, Some(touched(&pool, None)));
        intent.notes.insert("reimport".to_owned(), request.id.to_string());
        if let Some(erasure) = open.erasure {
            intent.notes.insert("after_erasure".to_owned(), erasure.to_string());
        }
        let word = if request.allow { "allowed" } else { "refused" };
        intent.changes.insert(
            "reimport".to_owned(),
            Change { before: Some("held back".to_owned()), after: Some(word.to_owned()) },
        );
        self.record_one(Submission::from(intent.clone()))?;
        let decision = ReimportDecision {
            resolution,
            authority: by,
            reason: request.reason.clone(),
            at: self.clock.now(),
        };
        let decided = match self.ledger.decide(pool.definition().name.as_str(), request.id, &decision) {
            Ok(Some(decided)) => decided,
            Ok(None) => return Err(case.fail(&intent, no_such_question())),
            Err(error) => return Err(case.fail(&intent, Refusal::fault("ledger", &error))),
        };
        let rendered = render(&ReimportAnswer { held_back: vec![decided] });
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }
}

fn no_such_question() -> Refusal {
    Refusal::new(
        RefusalKind::NotFound,
        "no_such_reimport",
        "no undecided re-import of this pool has this number; `likeness retention reimports` lists them",
    )
}
