//! Erasing people from every store, in one order, whatever interrupts it.
//!
//! Announced (audit intent, ledger), out of use, key, audit content, files, records, checked, certified, concluded. Every step can be
//! taken twice. What has been announced is finished: here, by the scheduler, or at the next start before anything is answered.
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::PoisonError,
};

use sha2::{Digest as _, Sha256};

use super::{Refusal, Service};
use crate::{
    audit::{Entry, Naming, Operation, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    erasure::{Begun, Certificate, Destroyed, Erasure, ErasureReason, Store},
    ids::{ErasureId, EventId, SubjectId},
    pool::{Leaving, Pool, PoolError},
    records::State,
};

mod fault;
mod resume;
mod step;

pub use fault::EraseError;
pub use step::{ErasureObserver, ErasureStep};

/// How the log names the removal of content about somebody who is erased.
const RPC: &str = "likeness/erasure";
/// Subjects erased together: each durable step is shared, and each step is short.
pub(super) const TOGETHER: usize = 256;
/// Events whose content one entry declares as erased: keeps the entry far below the longest that the log takes.
const DECLARED: usize = 1000;
/// Entries of the log looked through at a time.
const WALKED: usize = 8192;

const WHY: &str = "an erasure that was announced is finished; no person asks";

/// Somebody to be erased, and why.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) subject: SubjectId,
    pub(super) reason: ErasureReason,
    pub(super) rule: Option<String>,
    pub(super) rules: Option<String>,
}

/// An erasure that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The certificate.
    pub certificate: Certificate,
    /// The certificate as a signed note.
    pub note: String,
}

impl From<EraseError> for Refusal {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Pool(error) => error.into(),
            other => Refusal::fault("erasure", &other),
        }
    }
}

impl Service {
    /// Has every step of every erasure told to `observer`, on the thread that takes it. For progress, and for tests of
    /// interruption.
    pub fn observe_erasures(&self, observer: ErasureObserver) {
        *self.erasure_observer.write().unwrap_or_else(PoisonError::into_inner) = Some(observer);
    }

    fn took(&self, step: ErasureStep) {
        if let Some(observer) = &*self.erasure_observer.read().unwrap_or_else(PoisonError::into_inner) {
            observer(step);
        }
    }

    /// Announces erasures: first in the log, then in the ledger. `announce` makes the intent of one.
    pub(super) fn begin_erasures(
        &self,
        pool: &Pool,
        permit: &Permit,
        orders: &[Order],
        authority: &str,
        announce: impl Fn(&Leaving, &Order) -> Entry,
    ) -> Result<Vec<(Erasure, Entry)>, EraseError> {
        let name = pool.definition().name.to_string();
        let (mut intents, mut begun) = (Vec::new(), Vec::new());
        for order in orders {
            let Some(leaving) = pool.leaving(permit, order.subject)? else { continue };
            let id = ErasureId::at(self.clock.now());
            let mut intent = announce(&leaving, order);
            intent.phase = Phase::Intent;
            intent.operation = Operation::Erasure;
            intent.subjects = vec![leaving.subject];
            intent.images.clone_from(&leaving.images);
            intent.notes.insert("erasure_id".to_owned(), id.to_string());
            intent.notes.insert("reason".to_owned(), order.reason.code().to_owned());
            if let Some(rule) = &order.rule {
                intent.notes.insert("rule".to_owned(), rule.clone());
            }
            if let Some(rules) = &order.rules {
                intent.notes.insert("rules".to_owned(), rules.clone());
            }
            begun.push(Begun {
                id,
                pool: name.clone(),
                subject: leaving.subject,
                indexed: leaving.indexed,
                images: leaving.images,
                reason: order.reason,
                rule: order.rule.clone(),
                rules: order.rules.clone(),
                authority: authority.to_owned(),
                event: intent.event_id,
                begun_at: self.clock.now(),
                marks: if order.reason.leaves_a_mark() { leaving.marks } else { Vec::new() },
            });
            intents.push(intent);
        }
        if begun.is_empty() {
            return Ok(Vec::new());
        }
        self.record(intents.iter().cloned().map(Submission::from).collect())?;
        self.took(ErasureStep::Announced);
        self.ledger.begin(&begun)?;
        self.took(ErasureStep::Begun);
        let mut erasures = Vec::with_capacity(begun.len());
        for (begun, intent) in begun.iter().zip(intents) {
            // As the ledger has it: when the subject was announced before, that announcement counts.
            if let Some(erasure) = self.ledger.of_subject(&begun.pool, begun.subject)? {
                erasures.push((erasure, intent));
            }
        }
        Ok(erasures)
    }

    /// Takes every step for erasures that are in the ledger. What was done before is found done.
    pub(super) fn carry_out(
        &self,
        pool: &Pool,
        permit: &Permit,
        erasures: &[Erasure],
    ) -> Result<Vec<Erased>, EraseError> {
        let subjects: Vec<SubjectId> = erasures.iter().map(|erasure| erasure.subject).collect();
        let images: Vec<_> = erasures.iter().flat_map(|erasure| erasure.images.iter().copied()).collect();
        pool.withdraw(permit, &subjects, State::Erasing, self.clock.now(), None)?;
        self.took(ErasureStep::Withdrawn);
        pool.destroy_keys(permit, &subjects, self.clock.now())?;
        self.took(ErasureStep::KeyDestroyed);
        let contents = self.erase_content_about(pool, &subjects)?;
        pool.erase_files(permit, &images)?;
        self.took(ErasureStep::FilesErased);
        self.lists.forget(&subjects)?;
        self.took(ErasureStep::ListsForgotten);
        let mut indexed = 0;
        for subject in &subjects {
            indexed += pool.rows_left(*subject)?;
        }
        if indexed > 0 {
            return Err(PoolError::Disagrees {
                pool: pool.definition().name.clone(),
                what: format!("{indexed} rows of erased subjects are still in the index"),
            }
            .into());
        }
        pool.erase_rows(permit, &subjects)?;
        self.took(ErasureStep::RowsErased);
        for erasure in erasures {
            pool.check_gone(permit, erasure.subject, &erasure.images)?;
            self.lists.check_forgotten(erasure.subject)?;
        }
        self.took(ErasureStep::Checked);

        let now = self.clock.now();
        let mut erased = Vec::with_capacity(erasures.len());
        for erasure in erasures {
            let contents = contents.get(&erasure.subject).copied().unwrap_or_default();
            let lines = self.lists.lines_about(erasure.subject)?;
            let certificate = Certificate::of(erasure, now, destroyed(erasure, contents, lines));
            let note = self.keys.sign_statement(&certificate.to_json()?)?;
            erased.push(Erased { certificate, note });
        }
        let done: Vec<_> =
            erased.iter().map(|one| (one.certificate.erasure_id, now, one.note.clone())).collect();
        self.ledger.finish(&done)?;
        self.took(ErasureStep::Certified);
        Ok(erased)
    }

    /// Erases what the audit log keeps of what was asked and shown about these subjects. The entries stay; they hold no content.
    /// Gives the events per subject.
    fn erase_content_about(
        &self,
        pool: &Pool,
        subjects: &[SubjectId],
    ) -> Result<BTreeMap<SubjectId, u64>, EraseError> {
        // From here on no content about them is taken in: an answer that was under way is recorded without it. Appends that had
        // begun before are durable when this lock is had, and so are found by the walk.
        self.leaving.write().unwrap_or_else(PoisonError::into_inner).extend(subjects);
        let mut naming = Naming::of(subjects.iter().copied());
        let mut found: Vec<(EventId, BTreeSet<SubjectId>)> = Vec::new();
        loop {
            let over = self.audit.walk(&mut naming, WALKED)?;
            found.extend(naming.take());
            if over {
                break;
            }
        }
        let mut counts = BTreeMap::new();
        for piece in found.chunks(DECLARED) {
            let mut entry = Entry::new(self.clock.now(), RPC, Operation::Erasure, Phase::Single);
            entry.outcome = Some(Outcome::Answered);
            entry.pool = Some(super::case::touched(pool, None));
            entry.content_erased = piece.iter().map(|(event, _)| *event).collect();
            entry.counts.insert("events".to_owned(), piece.len() as u64);
            entry.notes.insert(
                "why".to_owned(),
                "what was asked and shown about people who are erased is erased with them".to_owned(),
            );
            self.record_one(Submission::from(entry))?;
            for subject in piece.iter().flat_map(|(_, about)| about) {
                *counts.entry(*subject).or_default() += 1;
            }
        }
        self.took(ErasureStep::ContentDeclared);
        let events: Vec<EventId> = found.into_iter().map(|(event, _)| event).collect();
        for piece in events.chunks(DECLARED) {
            self.audit.erase_content(piece)?;
        }
        self.took(ErasureStep::ContentErased);
        Ok(counts)
    }

    /// The outcome of an erasure, ready to be recorded.
    pub(super) fn concluded(&self, intent: &Entry, erased: &Erased) -> Entry {
        let mut entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        for destroyed in &erased.certificate.destroyed {
            let store = serde_json::to_value(destroyed.store).ok();
            if let Some(store) = store.as_ref().and_then(serde_json::Value::as_str) {
                entry.counts.insert(store.to_owned(), destroyed.count);
            }
        }
        let digest = hex::encode(Sha256::digest(erased.note.as_bytes()));
        entry.notes.insert("certificate_sha256".to_owned(), digest);
        entry
    }

    /// Takes content about people who are being erased out of what is about to be recorded.
    pub(super) fn without_leaving(&self, submissions: &mut [Submission], leaving: &HashSet<SubjectId>) {
        if leaving.is_empty() {
            return;
        }
        for submission in submissions {
            let entry = &mut submission.entry;
            // What is recorded of the erasure itself holds no content about them.
            if entry.operation == Operation::Erasure {
                continue;
            }
            let shown = entry.candidates.iter().map(|candidate| &candidate.subject_id);
            if entry.subjects.iter().chain(shown).any(|subject| leaving.contains(subject)) {
                submission.content = crate::audit::Content::default();
                entry.notes.insert(
                    "content_withheld".to_owned(),
                    "it was about somebody who was erased meanwhile".to_owned(),
                );
            }
        }
    }
}

/// A permit for finishing what was decided.
pub(super) fn upkeep(pool: &Pool) -> Permit {
    Permit::for_upkeep(&pool.definition().name, Action::DropPool, WHY)
}

fn destroyed(erasure: &Erasure, contents: u64, lines: u64) -> Vec<Destroyed> {
    let images = erasure.images.len() as u64;
    let of = |store, count, verified: &str| Destroyed { store, count, verified: verified.to_owned() };
    let mut destroyed = vec![
        of(
            Store::SubjectKey,
            1,
            "the key store has no key for the subject, and a tombstone that keeps one from being made again",
        ),
        of(
            Store::Index,
            erasure.indexed,
            "no row of the subject is in any index; the memory of those removed was overwritten",
        ),
        of(
            Store::AuditContent,
            contents,
            "the log declares the content as erased; keys and sealed bytes were removed",
        ),
        of(
            Store::ImageFiles,
            images,
            "overwritten and removed; no file has the name of an image of the subject",
        ),
        of(
            Store::Records,
            images + 1,
            "no row of the subject or its images; deleted pages were overwritten and the log emptied",
        ),
    ];
    if lines > 0 {
        destroyed.push(of(
            Store::DeletionLists,
            lines,
            "no line of a deletion list says anything of the subject; what it said was overwritten and the log emptied",
        ));
    }
    destroyed
}
