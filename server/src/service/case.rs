//! One request on its way to the audit log: everything known of it so far, ready to be recorded whatever happens.
use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::{
    Answer, Asked, Context, ContextFields, Peer, ProbeSource, Refusal, Rendered, Service, Unanswered,
};
use crate::{
    audit::{self, Content, Entry, Outcome, Phase, PoolTouched, Receipt, Submission, operations},
    authorise::{Action, Decision, Denied, Origin, Permit, Place},
    identity::{Actor, Caller, IdentityError, System},
    pool::{Pool, ProtectedView, Reader, Sighted, Withheld},
    text,
};

/// Longest request that is kept when it was refused: its fields are not bounded yet, and what is kept must be.
pub(super) const MOST_REFUSED_BYTES: usize = 128 * 1024;
/// Longest pool name that is recorded when there is no such pool.
const MOST_POOL_CHARS: usize = 64;
/// What the log has as the reason when something was not shown because of a protected view.
pub(super) const PROTECTED: &str = "protected_view";
/// Longest error of a policy that is recorded.
const MOST_ERROR_CHARS: usize = 512;

/// A request being worked on.
pub(super) struct Case<'s> {
    service: &'s Service,
    pub(super) action: Action,
    pub(super) rpc: &'static str,
    context: ContextFields,
    peer: Peer,
    actor: Option<Actor>,
    decision: Option<Decision>,
    probe: Option<audit::Probe>,
    /// Met and not shown.
    withheld: Vec<Withheld>,
    /// The encoded request without images.
    request: Vec<u8>,
    /// Settings that bear on the result.
    pub(super) notes: BTreeMap<String, String>,
    deadline: Instant,
}

impl<'s> Case<'s> {
    pub(super) fn begin(service: &'s Service, action: Action, asked: Asked) -> Self {
        Case {
            service,
            action,
            rpc: asked.rpc,
            context: asked.context,
            peer: asked.peer,
            actor: None,
            decision: None,
            probe: None,
            withheld: Vec::new(),
            request: asked.request,
            notes: BTreeMap::new(),
            deadline: asked.deadline,
        }
    }

    /// Who asks and why: system and person first, so that nobody unknown learns anything about fields or purposes.
    ///
    /// On this machine, where a system is known only by the name in the fields, the person comes first.
    pub(super) fn introduce(&mut self, token: Option<&str>) -> Result<(Caller, Context), Refusal> {
        let known = match self.peer {
            Peer::Local => None,
            Peer::Nobody | Peer::Certificate(_) => {
                Some(self.service.system_of(&self.peer, &self.context.system_name)?)
            }
        };
        let person = self.person(token, known.as_deref())?;
        self.actor.clone_from(&person);
        let context = self.context.check(self.service.authoriser.purposes())?;
        let system = match known {
            Some(system) => system,
            None => self.service.system_of(&self.peer, &context.system_name)?,
        };
        self.service.check_system(&system, &context, &self.context)?;
        Ok((Caller { system, person }, context))
    }

    /// The person at the system; nobody, where a feed brings no token for what feeds may do.
    fn person(&self, token: Option<&str>, known: Option<&System>) -> Result<Option<Actor>, Refusal> {
        if token.is_none() && self.action.is_open_to_feeds() {
            let feed = match known {
                Some(system) => system.feed,
                None => {
                    let named = self.service.system_of(&self.peer, &self.context.system_name);
                    named.is_ok_and(|system| system.feed)
                }
            };
            if feed {
                return Ok(None);
            }
        }
        self.service.person(token).map(Some)
    }

    /// The same for what only a person does.
    pub(super) fn introduce_person(
        &mut self,
        token: Option<&str>,
    ) -> Result<(Caller, Actor, Context), Refusal> {
        let (caller, context) = self.introduce(token)?;
        let actor = caller.person.clone().ok_or(IdentityError::Missing)?;
        Ok((caller, actor, context))
    }

    /// Decides about a pool, for the record and for the caller.
    pub(super) fn admit(
        &mut self,
        caller: &Caller,
        pool: &str,
        context: &Context,
    ) -> Result<(Arc<Pool>, Permit), Refusal> {
        let admitted = self.service.admit(caller, self.action, pool, Origin::Scene, context);
        let (pool, permit) = admitted.map_err(|denied| self.denied(&denied, "the pool"))?;
        self.decision = permit.decision().cloned();
        Ok((pool, permit))
    }

    /// A reader of an admitted pool: with the protected views in it for whoever may see them for this purpose, without them for
    /// everybody else. Asked of everybody, so that it takes as long.
    pub(super) fn reader<'p>(
        &mut self,
        caller: &Caller,
        context: &Context,
        pool: &'p Pool,
        permit: &'p Permit,
    ) -> Result<Reader<'p>, Refusal> {
        let reader = pool.reader(permit)?;
        match self.service.sees_protected(caller, context, pool) {
            Some(sees) => {
                self.note("sees_protected", "true");
                Ok(reader.unveiled(&sees)?)
            }
            None => Ok(reader),
        }
    }

    /// What was looked for, unless it is not there or hidden; to the caller both are the same, except that a protected view may
    /// name whom to ask. What is hidden is recorded, and its owner told of it (`anomalies.toml`).
    pub(super) fn sighted<T>(&mut self, found: Sighted<T>, absent: Refusal) -> Result<T, Refusal> {
        match found {
            Sighted::Seen(found) => Ok(found),
            Sighted::Absent => Err(absent),
            Sighted::Withheld(withheld) => {
                let refusal = match withheld.view {
                    ProtectedView::ExistenceSuppressed => Refusal { inward: Some(PROTECTED), ..absent },
                    ProtectedView::ContactOwner => Refusal::contact_owner(&withheld.owner),
                };
                self.withheld.push(withheld);
                Err(refusal)
            }
        }
    }

    /// Decides about something that is no pool, for the record and for the caller.
    pub(super) fn admit_elsewhere(
        &mut self,
        caller: &Caller,
        place: Place<'_>,
        context: &Context,
    ) -> Result<Permit, Refusal> {
        let admitted = self.service.admit_elsewhere(caller, self.action, place, context);
        let permit = admitted.map_err(|denied| self.denied(&denied, "the operation"))?;
        self.decision = permit.decision().cloned();
        Ok(permit)
    }

    /// Keeps a denial for the record; what the caller is told says less.
    pub(super) fn denied(&mut self, denied: &Denied, what: &str) -> Refusal {
        self.decision = Some(denied.decision().clone());
        Refusal::denied(denied, what)
    }

    /// Keeps a decision for the record.
    pub(super) fn decided(&mut self, decision: Option<&Decision>) {
        self.decision = decision.cloned();
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Refuses when the answer is no longer wanted.
    pub(super) fn in_time(&self) -> Result<(), Refusal> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(Refusal::deadline()) }
    }

    pub(super) fn note(&mut self, name: &str, value: impl Into<String>) {
        self.notes.insert(name.to_owned(), value.into());
    }

    /// Records where the probe came from.
    pub(super) fn probe_source(&mut self, source: &ProbeSource) {
        let [source_type, acquired, investigation, offence, edits] = ProbeSource::MOST;
        self.probe = Some(audit::Probe {
            source_type: text::recordable(&source.source_type, source_type),
            acquired_under: text::recordable(&source.acquired_under, acquired),
            investigation_ref: text::recordable(&source.investigation_ref, investigation),
            offence_type: text::recordable(&source.offence_type, offence),
            edits: text::recordable(&source.edits, edits).into_iter().collect(),
            ..audit::Probe::default()
        });
    }

    /// Records what decoding found.
    pub(super) fn probe_image(&mut self, media_type: &str, width: u32, height: u32) {
        let probe = self.probe.get_or_insert_default();
        probe.media_type = Some(media_type.to_owned());
        probe.width = Some(width);
        probe.height = Some(height);
    }

    /// An entry with everything known so far.
    pub(super) fn entry(&self, phase: Phase, outcome: Option<Outcome>, pool: Option<PoolTouched>) -> Entry {
        let [system, reference, purpose, justification] = ContextFields::MOST;
        // The table of calls decides; what is not a call of the protocol is recorded as what its action is.
        let operation = operations::of(self.rpc).unwrap_or_else(|| self.action.operation());
        let mut entry = Entry::new(self.service.clock.now(), self.rpc, operation, phase);
        entry.outcome = outcome;
        entry.pool = pool;
        entry.system_name = text::recordable(&self.context.system_name, system);
        entry.reference_id = text::recordable(&self.context.reference_id, reference);
        entry.purpose_code = text::recordable(&self.context.purpose_code, purpose);
        entry.justification = text::recordable(&self.context.justification, justification);
        entry.actor = self.actor.as_ref().map(|actor| audit::Actor {
            subject: actor.subject.clone(),
            organisation: Some(actor.organisation.clone()),
            roles: actor.roles.iter().map(ToString::to_string).collect(),
        });
        entry.probe = self.probe.clone();
        entry.withheld = self.withheld.iter().map(kept_back).collect();
        entry.notes = self.notes.clone();
        if let Peer::Certificate(fingerprint) = &self.peer {
            entry.notes.insert("certificate".to_owned(), fingerprint.clone());
        }
        entry.decision = self.decision.as_ref().map(recorded);
        entry
    }

    /// The encoded request, for the content store. Given once: it belongs to one event.
    pub(super) fn take_request(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.request)).filter(|bytes| !bytes.is_empty())
    }

    /// The same, unless it is too long to keep for a request that was refused.
    pub(super) fn take_refused_request(&mut self) -> Option<Vec<u8>> {
        self.take_request().filter(|bytes| bytes.len() <= MOST_REFUSED_BYTES)
    }

    /// Records one entry and answers.
    pub(super) fn answer<M>(
        mut self,
        mut entry: Entry,
        probe: Option<Vec<u8>>,
        rendered: Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        entry.outcome = Some(Outcome::Answered);
        let content = Content { probe, request: self.take_request(), response: Some(rendered.bytes) };
        let receipt = self.service.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    /// Records a refusal that concerns `pool`, or none.
    pub(super) fn refuse(mut self, pool: Option<PoolTouched>, refusal: Refusal) -> Unanswered {
        let mut entry = self.entry(Phase::Single, Some(refusal.kind.outcome()), pool);
        entry.refusal = Some(refusal.audit_code().to_owned());
        let content = Content { request: self.take_refused_request(), ..Content::default() };
        self.service.refused(Submission { entry, content }, refusal)
    }

    /// Records that an announced change did not happen, or failed half-way.
    pub(super) fn fail(mut self, intent: &Entry, refusal: Refusal) -> Unanswered {
        let mut entry = intent.to_outcome(self.service.clock.now(), refusal.kind.outcome());
        entry.refusal = Some(refusal.audit_code().to_owned());
        let content = Content { request: self.take_request(), ..Content::default() };
        self.service.refused(Submission { entry, content }, refusal)
    }
}

/// A decision as it is recorded.
pub(super) fn recorded(decision: &Decision) -> audit::Authorisation {
    audit::Authorisation {
        allowed: decision.allowed,
        policies: decision.policies.clone(),
        errors: decision
            .errors
            .iter()
            .filter_map(|error| text::recordable(error, MOST_ERROR_CHARS))
            .collect(),
        red_line: decision.red_line.clone(),
        policy_set: decision.policy_set.to_string(),
    }
}

/// What is recorded of a subject that was not shown.
pub(super) fn kept_back(withheld: &Withheld) -> audit::Withheld {
    audit::Withheld {
        subject_id: withheld.subject,
        view: withheld.view.code().to_owned(),
        owner: withheld.owner.clone(),
    }
}

/// What is recorded of a pool that was reached.
pub(super) fn touched(pool: &Pool, gallery: Option<u64>) -> PoolTouched {
    let definition = pool.definition();
    PoolTouched {
        name: definition.name.to_string(),
        kind: Some(definition.kind.code().to_owned()),
        space: Some(pool.space().to_string()),
        gallery,
    }
}

/// What is recorded of a pool that was only named.
pub(super) fn named(pool: &str) -> Option<PoolTouched> {
    text::recordable(pool, MOST_POOL_CHARS).map(|name| PoolTouched { name, ..PoolTouched::default() })
}

impl Service {
    /// Appends entries; returns when they are durable.
    pub(super) fn record(&self, mut submissions: Vec<Submission>) -> Result<Vec<Receipt>, Unanswered> {
        let wanted = submissions.len();
        // Held until the entries are durable: an erasure that begins meanwhile waits, and then finds them in the log.
        let leaving = self.leaving.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.without_leaving(&mut submissions, &leaving);
        let receipts = self.audit.append(submissions).map_err(unrecorded)?;
        if receipts.len() == wanted {
            Ok(receipts)
        } else {
            Err(unrecorded(audit::AuditError::Invalid(
                "the log gave another number of receipts than entries",
            )))
        }
    }

    pub(super) fn record_one(&self, submission: Submission) -> Result<Receipt, Unanswered> {
        self.record(vec![submission])?
            .pop()
            .ok_or_else(|| unrecorded(audit::AuditError::Invalid("the log gave no receipt")))
    }

    pub(super) fn refused(&self, submission: Submission, refusal: Refusal) -> Unanswered {
        match self.record_one(submission) {
            Ok(receipt) => Unanswered::Refused { refusal: Box::new(refusal), receipt: Box::new(receipt) },
            Err(unanswered) => unanswered,
        }
    }
}

fn unrecorded(error: audit::AuditError) -> Unanswered {
    tracing::error!(%error, "the audit log could not record a request; it gets no answer");
    Unanswered::Unrecorded(error)
}
