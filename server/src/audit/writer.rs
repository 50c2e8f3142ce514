//! The one thread that writes the log: takes all waiting appends, gives them their places, commits, then answers.

use super::checkpoint_file::Publisher;
use super::content::{self, Part};
use super::merkle::Frontier;
use super::note::Checkpoint;
use super::prepare::Prepared;
use super::queue::{Job, Queue};
use super::{AuditError, Phase, Receipt, canonical};
use crate::ids::EventId;
use crate::keys::KeyStore;
use crate::seal::SealKey;
use crate::sqlite::{Database, to_row};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashSet;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

/// Most entries per commit, and so per append. Recovery looks at several times as many at the end of each file.
pub(super) const BATCH_ENTRIES: usize = 512;
/// Bytes per commit, so that one burst of large probes does not hold up everything behind it.
const BATCH_BYTES: usize = 64 << 20;

/// Everything the writer owns or shares.
pub(super) struct Writer {
    pub log: Arc<Database>,
    pub content: Arc<Database>,
    pub keys: Arc<dyn KeyStore>,
    pub queue: Arc<Queue>,
    pub publisher: Arc<Publisher>,
    pub frontier: Frontier,
    /// Number of the next checkpoint.
    pub commit: u64,
    /// Leaf hash of the last entry.
    pub previous: [u8; 32],
    /// Intents without outcome.
    pub open: HashSet<EventId>,
}

/// An entry with its place.
struct Placed {
    index: u64,
    event: EventId,
    body: Vec<u8>,
    hash: [u8; 32],
    opens: bool,
    closes: Option<EventId>,
}

/// One commit.
struct Batch {
    placed: Vec<Placed>,
    keys: Vec<(EventId, SealKey)>,
    parts: Vec<(EventId, Part, Vec<u8>)>,
    note: Arc<str>,
}

impl Writer {
    /// Runs until the queue is closed and empty, or until the first error.
    pub fn run(mut self) {
        let queue = self.queue.clone();
        // Whatever ends this thread, also a panic, must not leave callers waiting or the door open.
        let _guard = FailOnDrop(&queue);
        while let Some(jobs) = queue.take(BATCH_ENTRIES, BATCH_BYTES) {
            if let Err(error) = self.write(jobs) {
                tracing::error!(%error, "audit log closed: nothing is answered until it is opened again");
                queue.fail(&error.to_string());
                return;
            }
        }
    }

    fn write(&mut self, jobs: Vec<Job>) -> Result<(), AuditError> {
        let mut accepted = Vec::with_capacity(jobs.len());
        let sorted = self.sort_out(jobs, &mut accepted);
        if sorted.is_ok() && accepted.is_empty() {
            return Ok(());
        }
        let result = sorted.and_then(|()| {
            let batch = self.place(&mut accepted)?;
            self.commit(&batch).map(|()| batch)
        });
        match result {
            Ok(batch) => {
                self.answer(&batch, accepted);
                self.publisher.publish(batch.note);
                Ok(())
            }
            Err(error) => {
                let reason = error.to_string();
                for job in accepted {
                    job.answer(Err(AuditError::Failed { reason: reason.clone() }));
                }
                Err(error)
            }
        }
    }

    /// Hands out the receipts. INVARIANT: called after the commit, and from nowhere else.
    fn answer(&self, batch: &Batch, jobs: Vec<Job>) {
        let size = self.frontier.size();
        let mut placed = batch.placed.iter();
        for job in jobs {
            let receipt = |(prepared, placed): (&Prepared, &Placed)| {
                let occurred_at = prepared.entry.occurred_at;
                let note = batch.note.clone();
                Receipt::of_durable(placed.event, occurred_at, placed.index, placed.hash, size, note)
            };
            // The job's entries first: `zip` takes from its left side before it sees that the right one has ended.
            let receipts = job.entries.iter().zip(placed.by_ref()).map(receipt).collect();
            job.answer(Ok(receipts));
        }
    }

    fn sort_out(&mut self, jobs: Vec<Job>, accepted: &mut Vec<Job>) -> Result<(), AuditError> {
        let mut seen = HashSet::new();
        for job in jobs {
            match self.admit(&job, &mut seen) {
                Ok(None) => accepted.push(job),
                Ok(Some(refusal)) => job.answer(Err(refusal)),
                Err(error) => {
                    accepted.push(job);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Checks a job against the log and what this batch already holds. A refused job leaves no trace and does not
    /// disturb the others: a caller's mistake must not close the log.
    fn admit(&mut self, job: &Job, seen: &mut HashSet<EventId>) -> Result<Option<AuditError>, AuditError> {
        let reader = self.log.reader()?;
        let mut known = reader.prepare("SELECT 1 FROM entry WHERE event = ?1")?;
        let (mut events, mut intents, mut closed) = (HashSet::new(), HashSet::new(), HashSet::new());
        for prepared in &job.entries {
            let entry = &prepared.entry;
            let event = entry.event_id;
            let recorded = known.query_row([event.as_bytes()], |_| Ok(())).optional()?.is_some();
            if recorded || seen.contains(&event) || !events.insert(event) {
                return Ok(Some(AuditError::Invalid("its event is on record already")));
            }
            match (entry.phase, entry.related) {
                (Phase::Intent, _) => _ = intents.insert(event),
                (Phase::Outcome, Some(intent)) => {
                    let open = intents.contains(&intent) || self.open.contains(&intent);
                    if !open || !closed.insert(intent) {
                        return Ok(Some(AuditError::Invalid("it is the outcome of no open intent")));
                    }
                }
                (Phase::Outcome | Phase::Single, _) => {}
            }
        }
        self.open.extend(intents);
        for intent in &closed {
            self.open.remove(intent);
        }
        seen.extend(events);
        Ok(None)
    }

    fn place(&mut self, jobs: &mut [Job]) -> Result<Batch, AuditError> {
        let (mut placed, mut keys, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for prepared in jobs.iter_mut().flat_map(|job| &mut job.entries) {
            let event = prepared.entry.event_id;
            let index = self.frontier.size();
            let body = canonical::body(std::mem::take(&mut prepared.members), index, &self.previous)?;
            let hash = canonical::leaf_hash(&body);
            self.frontier.push(hash);
            self.previous = hash;
            keys.extend(prepared.key.take());
            parts.extend(prepared.parts.drain(..).map(|(part, sealed)| (event, part, sealed)));
            placed.push(Placed {
                index,
                event,
                body,
                hash,
                opens: prepared.entry.phase == Phase::Intent,
                closes: prepared.entry.related.filter(|_| prepared.entry.phase == Phase::Outcome),
            });
        }
        let origin = self.keys.audit_key().name().to_owned();
        let (size, root) = (self.frontier.size(), self.frontier.root());
        let checkpoint = Checkpoint { origin, size, root, commit: self.commit };
        self.commit += 1;
        Ok(Batch { placed, keys, parts, note: checkpoint.sign(&*self.keys)?.into() })
    }

    /// Commits keys, content and entries side by side; all three are durable when this returns `Ok`.
    fn commit(&self, batch: &Batch) -> Result<(), AuditError> {
        thread::scope(|scope| {
            let keys = (!batch.keys.is_empty())
                .then(|| scope.spawn(|| self.keys.put_content_keys(&batch.keys).map_err(AuditError::from)));
            let content = (!batch.parts.is_empty()).then(|| {
                let parts =
                    batch.parts.iter().map(|(event, part, sealed)| (*event, *part, sealed.as_slice()));
                scope.spawn(|| content::store(&self.content, parts))
            });
            let entries = self.log.write(|transaction| self.insert(transaction, batch));
            finish(keys).and(finish(content)).and(entries)
        })
    }

    fn insert(&self, transaction: &Transaction<'_>, batch: &Batch) -> Result<(), AuditError> {
        let mut entry =
            transaction.prepare("INSERT INTO entry (idx, event, body, hash) VALUES (?1, ?2, ?3, ?4)")?;
        let mut open = transaction.prepare("INSERT INTO open_intent (event, idx) VALUES (?1, ?2)")?;
        let mut close = transaction.prepare("DELETE FROM open_intent WHERE event = ?1")?;
        for placed in &batch.placed {
            let index = to_row(placed.index)?;
            entry.execute(params![index, placed.event.as_bytes(), placed.body, placed.hash])?;
            if placed.opens {
                open.execute(params![placed.event.as_bytes(), index])?;
            }
            if let Some(intent) = placed.closes {
                close.execute([intent.as_bytes()])?;
            }
        }
        let size = to_row(self.frontier.size())?;
        transaction
            .execute("INSERT INTO checkpoint (size, note) VALUES (?1, ?2)", params![size, &*batch.note])?;
        let head = "UPDATE head SET size = ?1, frontier = ?2";
        if transaction.execute(head, params![size, self.frontier.to_bytes()])? != 1 {
            return Err(AuditError::Unsound("its head is missing".into()));
        }
        Ok(())
    }
}

fn finish(commit: Option<ScopedJoinHandle<'_, Result<(), AuditError>>>) -> Result<(), AuditError> {
    let result = commit.map(ScopedJoinHandle::join).transpose();
    result.map_err(|_| AuditError::Thread("a committing thread panicked".into()))?.unwrap_or(Ok(()))
}

/// Closes the queue when the writer is gone.
struct FailOnDrop<'a>(&'a Queue);

impl Drop for FailOnDrop<'_> {
    fn drop(&mut self) {
        self.0.fail("the writer has stopped");
    }
}
