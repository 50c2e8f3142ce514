//! Erasing people from every store, in one order, whatever interrupts it.
//!
//! Announced (audit intent, ledger), out of use, key, audit content, files, records, checked, certified, concluded. Every step can be
//! taken twice. What has been announced is finished: here, by the scheduler, or at the next start before anything is answered.
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::{Refusal, Service, Unanswered};
use crate::{
    audit::{AuditError, Entry, Naming, Operation, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    erasure::{Begun, Certificate, Destroyed, Erasure, ErasureReason, LedgerError, Store},
    ids::{ErasureId, EventId, SubjectId},
    keys::{KeyError, StatementError, verify_statement},
    pool::{Leaving, Pool, PoolError},
    records::State,
};

/// How the log names the removal of content about somebody who is erased.
const RPC: &str = "likeness/erasure";
/// Subjects erased together: each durable step is shared, and each step is short.
pub(super) const TOGETHER: usize = 256;
/// Events whose content one entry declares as erased: keeps the entry far below the longest that the log takes.
const DECLARED: usize = 1000;
/// Entries of the log looked through at a time.
const WALKED: usize = 8192;

const WHY: &str = "an erasure that was announced is finished; no person asks";

/// The steps of an erasure, in their order. A stop between any two is finished later.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErasureStep {
    /// The intent is in the audit log.
    Announced,
    /// The ledger has it: from here on it will be finished.
    Begun,
    /// Out of the index, and invisible.
    Withdrawn,
    /// The key is destroyed.
    KeyDestroyed,
    /// The log says which content goes.
    ContentDeclared,
    /// Content of the audit log about the subject is gone.
    ContentErased,
    /// The image files are gone.
    FilesErased,
    /// The records are gone.
    RowsErased,
    /// Every store was looked at again.
    Checked,
    /// The ledger has the certificate.
    Certified,
}

impl ErasureStep {
    /// Every step.
    pub const ALL: [ErasureStep; 10] = [
        ErasureStep::Announced,
        ErasureStep::Begun,
        ErasureStep::Withdrawn,
        ErasureStep::KeyDestroyed,
        ErasureStep::ContentDeclared,
        ErasureStep::ContentErased,
        ErasureStep::FilesErased,
        ErasureStep::RowsErased,
        ErasureStep::Checked,
        ErasureStep::Certified,
    ];
}

/// Told of each step when it is done.
pub type ErasureObserver = Box<dyn Fn(ErasureStep) + Send + Sync>;

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

/// Why an erasure is not complete yet. It is carried on later.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// A store of the pool failed.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log failed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The certificate could not be signed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A certificate in the ledger is not what was signed.
    #[error("a certificate in the erasure ledger was changed: {0}")]
    Changed(#[from] StatementError),
    /// The certificate could not be written.
    #[error("the certificate could not be written: {0}")]
    Certificate(#[from] serde_json::Error),
    /// The log gave no receipt.
    #[error("the erasure could not be recorded")]
    Unrecorded,
}

impl From<Unanswered> for EraseError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Unrecorded(error) => EraseError::Audit(error),
            Unanswered::Refused { .. } => EraseError::Unrecorded,
        }
    }
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
        }
        self.took(ErasureStep::Checked);

        let now = self.clock.now();
        let mut erased = Vec::with_capacity(erasures.len());
        for erasure in erasures {
            let contents = contents.get(&erasure.subject).copied().unwrap_or_default();
            let certificate = Certificate::of(erasure, now, destroyed(erasure, contents));
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

    /// Finishes every erasure that has begun, and records how each ended. `open` are the intents without an outcome. Gives the
    /// events that are concluded now.
    pub(super) fn finish_erasures(&self, open: &HashSet<EventId>) -> Result<HashSet<EventId>, EraseError> {
        let unfinished = self.ledger.unfinished()?;
        let finished: Vec<(ErasureId, EventId)> =
            unfinished.iter().map(|erasure| (erasure.id, erasure.event)).collect();
        let mut by_pool: BTreeMap<String, Vec<Erasure>> = BTreeMap::new();
        for erasure in unfinished {
            by_pool.entry(erasure.pool.clone()).or_default().push(erasure);
        }
        for (name, erasures) in by_pool {
            // A pool that was dropped took everything with it: keys, files and records.
            let Some(pool) = self.pool(&name) else { continue };
            let permit = upkeep(&pool);
            for piece in erasures.chunks(TOGETHER) {
                self.carry_out(&pool, &permit, piece)?;
                tracing::info!(
                    pool = name,
                    subjects = piece.len(),
                    "finished erasures that had been interrupted"
                );
            }
        }
        let mut concluded = HashSet::new();
        for event in open {
            let Some(stored) = self.audit.entry(*event)? else { continue };
            let id = stored.entry.notes.get("erasure_id").and_then(|id| id.parse::<ErasureId>().ok());
            let Some(erased) = id.map(|id| self.certified(id)).transpose()?.flatten() else { continue };
            self.record_finished(self.concluded(&stored.entry, &erased))?;
            concluded.insert(*event);
        }
        // Whose intent was closed as failed when the erasure broke off: that it was finished is an event of its own.
        for (id, event) in finished.into_iter().filter(|(_, event)| !open.contains(event)) {
            let (Some(stored), Some(erased)) = (self.audit.entry(event)?, self.certified(id)?) else {
                continue;
            };
            let mut entry = self.concluded(&stored.entry, &erased);
            entry.phase = Phase::Single;
            self.record_finished(entry)?;
        }
        Ok(concluded)
    }

    /// A complete erasure, from the ledger.
    fn certified(&self, id: ErasureId) -> Result<Option<Erased>, EraseError> {
        let Some(note) = self.ledger.erasure(id)?.and_then(|erasure| erasure.certificate) else {
            return Ok(None);
        };
        let text = verify_statement(&note, &self.keys.audit_key())?;
        Ok(Some(Erased { certificate: serde_json::from_str(text)?, note }))
    }

    fn record_finished(&self, mut entry: Entry) -> Result<(), EraseError> {
        entry.notes.insert("finished".to_owned(), "after an interruption".to_owned());
        self.record_one(Submission::from(entry))?;
        Ok(())
    }

    /// Erases again whoever an older copy of the records brought back.
    pub(super) fn keep_erased(&self, pool: &Arc<Pool>) -> Result<u64, EraseError> {
        let permit = upkeep(pool);
        let name = pool.definition().name.as_str();
        let back = pool.still_recorded(&permit, &self.ledger.subjects_of(name)?)?;
        for piece in back.chunks(TOGETHER) {
            let mut images = Vec::new();
            for subject in piece {
                images.extend(
                    pool.leaving(&permit, *subject)?.map(|leaving| leaving.images).unwrap_or_default(),
                );
            }
            let mut intent = Entry::new(self.clock.now(), RPC, Operation::Erasure, Phase::Intent);
            intent.pool = Some(super::case::touched(pool, None));
            intent.subjects = piece.to_vec();
            intent.counts.insert("subjects".to_owned(), piece.len() as u64);
            intent.counts.insert("images".to_owned(), images.len() as u64);
            intent
                .notes
                .insert("why".to_owned(), "the records were older than the erasure ledger".to_owned());
            self.record_one(Submission::from(intent.clone()))?;
            pool.withdraw(&permit, piece, State::Erasing, self.clock.now(), None)?;
            pool.destroy_keys(&permit, piece, self.clock.now())?;
            pool.erase_files(&permit, &images)?;
            pool.erase_rows(&permit, piece)?;
            for subject in piece {
                pool.check_gone(&permit, *subject, &[])?;
            }
            let outcome = intent.to_outcome(self.clock.now(), Outcome::Answered);
            self.record_one(Submission::from(outcome))?;
        }
        if !back.is_empty() {
            tracing::warn!(
                pool = name,
                subjects = back.len(),
                "erased again whom an older copy of the records had brought back"
            );
        }
        Ok(back.len() as u64)
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

fn destroyed(erasure: &Erasure, contents: u64) -> Vec<Destroyed> {
    let images = erasure.images.len() as u64;
    let of = |store, count, verified: &str| Destroyed { store, count, verified: verified.to_owned() };
    vec![
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
    ]
}
