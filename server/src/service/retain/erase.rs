//! A person puts a record beyond use, or has it erased at once; and the certificates of what was erased.
use super::{Found, Service, begin, entry_about, no_such_subject};
use crate::{
    audit::{Content, Entry, Outcome, Phase, Submission},
    authorise::Action,
    erasure::{Erasure, ErasureReason, UnknownReason},
    ids::{ErasureId, SubjectId},
    records::State,
    retention::Disposition,
    service::{
        Answer, Asked, Refusal, RefusalKind, Rendered, SubjectChoice, Unanswered,
        case::{Case, named},
        erasure::Order,
        fields::Fields,
    },
};

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseRequest {
    /// The pool.
    pub pool: String,
    /// The subject.
    pub subject: SubjectChoice,
    /// Why: the code of a reason.
    pub reason: String,
    /// Erase now, and not when the time beyond use is over.
    pub at_once: bool,
}

/// What became of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseAnswer {
    /// The subject.
    pub subject: SubjectId,
    /// When it will be erased; absent when it is.
    pub erase_at: Option<jiff::Timestamp>,
    /// The signed certificate, when it is erased.
    pub certificate: Option<String>,
}

/// A certificate as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateAnswer {
    /// The line of the ledger.
    pub erasure: Erasure,
}

impl Service {
    /// Puts a record beyond use until it is erased, or erases it at once.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails. An erasure that failed half-way is carried on by the
    /// service itself.
    pub fn erase_subject<M>(
        &self,
        asked: Asked,
        request: &EraseRequest,
        render: impl FnOnce(&EraseAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::EraseSubject, asked);
        if let Some(reason) = crate::text::recordable(&request.reason, 64) {
            case.note("reason", reason);
        }
        let settled =
            self.find_kept(&mut case, token.as_deref(), &request.pool, &request.subject).and_then(|found| {
                let (assessment, _) = self.assessed(&found.pool, &found.retained);
                // A hold binds everybody, whatever the reason (R35).
                if let Disposition::Held { by, .. } = &assessment.disposition {
                    return Err(Refusal::invalid(
                        "held",
                        format!("the legal hold `{by}` keeps the record; lift it first, with the authority that it has"),
                    ));
                }
                if !request.at_once && found.retained.kept.state == State::BeyondUse {
                    return Err(Refusal::invalid(
                        "beyond_use",
                        "the record is beyond use already; ask for its erasure at once, or wait",
                    ));
                }
                let reason: ErasureReason =
                    request.reason.parse().map_err(|error: UnknownReason| {
                        Refusal::invalid("invalid_field", format!("`reason` is {error}"))
                    })?;
                Ok((found, reason))
            });
        let (found, reason) = match settled {
            Ok(settled) => settled,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        if request.at_once {
            self.erase_now(case, &found, reason, render)
        } else {
            self.put_beyond_use(case, &found, reason, render)
        }
    }

    fn put_beyond_use<M>(
        &self,
        mut case: Case<'_>,
        found: &Found,
        reason: ErasureReason,
        render: impl FnOnce(&EraseAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let subject = found.retained.kept.id;
        let mut intent = entry_about(&case, Phase::Intent, found);
        intent.operation = crate::audit::Operation::Alteration;
        let out = self.out_of_use(reason, None, &found.authority());
        intent.changes.insert("state".to_owned(), super::run::becomes_beyond_use());
        self.record_one(Submission::from(intent.clone()))?;
        let now = self.clock.now();
        let withdrawn = found.pool.withdraw(&found.permit, &[subject], State::BeyondUse, now, Some(&out));
        if let Err(error) = withdrawn {
            return Err(case.fail(&intent, error.into()));
        }
        let rendered = render(&EraseAnswer { subject, erase_at: Some(out.erase_at), certificate: None });
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    fn erase_now<M>(
        &self,
        mut case: Case<'_>,
        found: &Found,
        reason: ErasureReason,
        render: impl FnOnce(&EraseAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let subject = found.retained.kept.id;
        let order = Order { subject, reason, rule: None, rules: None };
        let _turn = self.erasing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let announce = |_: &crate::pool::Leaving, _: &Order| entry_about(&case, Phase::Intent, found);
        let begun = self.begin_erasures(&found.pool, &found.permit, &[order], &found.authority(), announce);
        let (erasure, intent) = match begun.map(|mut begun| begun.pop()) {
            Ok(Some(begun)) => begun,
            Ok(None) => {
                return Err(case.refuse(named(found.pool.definition().name.as_str()), no_such_subject()));
            }
            Err(error) => {
                return Err(case.refuse(named(found.pool.definition().name.as_str()), error.into()));
            }
        };
        let erased = match self.carry_out(&found.pool, &found.permit, &[erasure]).map(|mut all| all.pop()) {
            Ok(Some(erased)) => erased,
            Ok(None) => return Err(case.fail(&intent, no_such_subject())),
            Err(error) => return Err(case.fail(&intent, error.into())),
        };
        let rendered =
            render(&EraseAnswer { subject, erase_at: None, certificate: Some(erased.note.clone()) });
        // The request may name the person by reference: it is not kept. The answer holds no content.
        drop(case.take_request());
        let content = Content { probe: None, request: None, response: Some(rendered.bytes) };
        let entry = self.concluded(&intent, &erased);
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    /// Gives the certificate of an erasure, by its number or by the subject's id.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn erasure_certificate<M>(
        &self,
        asked: Asked,
        pool: &str,
        id: &str,
        render: impl FnOnce(&CertificateAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        match self.certificate(&mut case, token.as_deref(), pool, id) {
            Ok((answer, entry)) => case.answer(entry, None, render(&answer)),
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }

    fn certificate(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        id: &str,
    ) -> Result<(CertificateAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", pool, 1, 64);
        fields.text("id", id, 1, 64);
        let parsed = id.parse::<ErasureId>();
        if let (false, Err(error)) = (id.is_empty(), &parsed) {
            fields.wrong(format!("`id` is {error}"));
        }
        fields.finish()?;
        let none = || {
            Refusal::new(
                RefusalKind::NotFound,
                "no_such_erasure",
                "no erasure in this pool has this number, and no erased subject had this id",
            )
        };
        let id = parsed.map_err(|_| none())?;
        let (pool, _) = case.admit(&caller, pool, &context)?;
        let name = pool.definition().name.as_str();
        let unreadable = |error: crate::erasure::LedgerError| Refusal::fault("ledger", &error);
        let found = match self.ledger.erasure(id).map_err(unreadable)? {
            Some(found) => Some(found),
            None => {
                let subject = SubjectId::from_bytes(*id.as_bytes());
                self.ledger.of_subject(name, subject).map_err(unreadable)?
            }
        };
        let erasure = found.filter(|erasure| erasure.pool == name).ok_or_else(none)?;
        let mut entry = case.entry(Phase::Single, None, Some(crate::service::case::touched(&pool, None)));
        entry.notes.insert("erasure_id".to_owned(), erasure.id.to_string());
        Ok((CertificateAnswer { erasure }, entry))
    }
}
