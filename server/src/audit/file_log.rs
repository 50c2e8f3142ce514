//! The log of a single machine: a folder with `audit.sqlite`, `content.sqlite` and `checkpoint`.

use super::checkpoint_file::{NAME as CHECKPOINT, Publisher};
use super::merkle::Frontier;
use super::note::Checkpoint;
use super::prepare::prepare;
use super::queue::{Job, Queue};
use super::reader::{CONTENT, LOG};
use super::tree_file::{NAME as TREE, PIECE, TreeFile};
use super::writer::{BATCH_ENTRIES, Writer};
use super::{
    AuditError, AuditLog, AuditRead, Consistency, Content, Entry, ErasedContent, Head, Inclusion,
    MetadataPurge, MetadataPurged, Naming, Operation, Outcome, Phase, Purged, Receipt, Recovery, StoredEntry,
    Stub, Submission, content, expiry, moment, naming, read, recover,
};
use crate::clock::Clock;
use crate::durable::{self, FileError};
use crate::ids::EventId;
use crate::keys::KeyStore;
use crate::sqlite::Database;
use jiff::{SignedDuration, Timestamp};
use rusqlite::params;
use std::fs::OpenOptions;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Limits of an open log.
#[derive(Copy, Clone, Debug)]
pub struct AuditOptions {
    /// Appends that may wait; the next is refused with [`AuditError::Busy`].
    pub queue_requests: usize,
    /// Bytes that waiting appends may hold together, sealed content included.
    pub queue_bytes: usize,
    /// How long an append waits to become durable.
    pub append_timeout: Duration,
}

impl Default for AuditOptions {
    /// 1,024 appends, 256 MiB, 10 s.
    fn default() -> Self {
        Self { queue_requests: 1024, queue_bytes: 256 << 20, append_timeout: Duration::from_secs(10) }
    }
}

/// An [`AuditLog`] in a folder. Must be the only one that is open there.
pub struct FileAudit {
    log: Arc<Database>,
    content: Arc<Database>,
    keys: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    queue: Arc<Queue>,
    publisher: Arc<Publisher>,
    threads: Vec<JoinHandle<()>>,
    timeout: Duration,
    tree: Mutex<TreeFile>,
}

impl FileAudit {
    /// Makes an empty log with a signed checkpoint of size 0. Refuses when there is one.
    pub fn create(folder: &Path, keys: &dyn KeyStore) -> Result<(), AuditError> {
        durable::create_dir(folder)?;
        Database::create(&folder.join(CONTENT), &content::FORMAT)?;
        let log = Database::create(&folder.join(LOG), &read::FORMAT)?;
        let origin = keys.audit_key().name().to_owned();
        let note = Checkpoint { origin, size: 0, root: Frontier::default().root(), commit: 0 }.sign(keys)?;
        log.write(|transaction| -> Result<(), AuditError> {
            transaction.execute("INSERT INTO head (one, size, frontier) VALUES (1, 0, x'')", [])?;
            transaction.execute("INSERT INTO checkpoint (size, note) VALUES (0, ?1)", params![note])?;
            Ok(())
        })?;
        Ok(durable::create_file(&folder.join(CHECKPOINT), note.as_bytes())?)
    }

    /// Opens the log, sets right what a crash left, and starts its threads.
    ///
    /// [`AuditError::Unsound`] when files contradict each other: then nothing is changed, so that it can be examined.
    pub fn open(
        folder: &Path,
        keys: Arc<dyn KeyStore>,
        clock: Arc<dyn Clock>,
        options: AuditOptions,
    ) -> Result<(Self, Recovery), AuditError> {
        let log = Arc::new(Database::open_upgrading(&folder.join(LOG), &read::FORMAT, &read::UPGRADES)?);
        let content = Arc::new(Database::open(&folder.join(CONTENT), &content::FORMAT)?);
        let (resume, open_intents, behind, orphans_removed, missing) = {
            let reader = log.reader()?;
            let resume = recover::resume(&reader, &keys.audit_key())?;
            let note = durable::read_private(&folder.join(CHECKPOINT))?;
            let note = String::from_utf8_lossy(&note);
            let behind = recover::check_file(&reader, &note, &keys.audit_key(), &resume.frontier)?;
            // Nothing is changed before this line: an unsound log stays as it is.
            let orphans = recover::remove_orphans(&reader, &content, &*keys)?;
            let open_intents = read::open_intents(&reader)?;
            recover::finish_purges(&open_intents, &log, &content, &*keys)?;
            let size = resume.frontier.size();
            let missing = recover::without_content(&reader, &*content.reader()?, &*keys, size)?;
            (resume, open_intents, behind, orphans, missing)
        };
        let opened = Self {
            queue: Arc::new(Queue::new(options.queue_requests, options.queue_bytes)),
            publisher: Arc::default(),
            threads: Vec::new(),
            timeout: options.append_timeout,
            log,
            content,
            keys,
            clock,
            tree: Mutex::new(open_tree(folder)?),
        };
        let opened = opened.started(folder, resume, &open_intents)?;
        if behind {
            opened.publisher.publish(opened.head()?.checkpoint.into());
        }
        opened.tell_missing(&missing)?;
        let recovery = Recovery {
            size: opened.head()?.size,
            open_intents,
            content_not_stored: missing.iter().map(|stored| stored.entry.event_id).collect(),
            orphans_removed,
        };
        Ok((opened, recovery))
    }

    fn started(
        mut self,
        folder: &Path,
        resume: recover::Resume,
        open_intents: &[StoredEntry],
    ) -> Result<Self, AuditError> {
        let writer = Writer {
            log: self.log.clone(),
            content: self.content.clone(),
            keys: self.keys.clone(),
            queue: self.queue.clone(),
            publisher: self.publisher.clone(),
            frontier: resume.frontier,
            commit: resume.commit,
            previous: resume.previous,
            open: open_intents.iter().map(|stored| stored.entry.event_id).collect(),
        };
        let (publisher, queue, folder) = (self.publisher.clone(), self.queue.clone(), folder.to_owned());
        let failed = |error: std::io::Error| AuditError::Thread(error.to_string());
        // Kept one by one: when the second cannot start, dropping `self` ends the first.
        self.threads.push(Builder::new().name("audit".into()).spawn(move || writer.run()).map_err(failed)?);
        let publish = move || publisher.run(&folder, &queue);
        self.threads.push(Builder::new().name("checkpoint".into()).spawn(publish).map_err(failed)?);
        Ok(self)
    }

    /// Appends that wait for the writer.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Records that the content of these entries is lost, so that `verify` knows it was not removed.
    fn tell_missing(&self, missing: &[StoredEntry]) -> Result<(), AuditError> {
        let tell = |stored: &StoredEntry| {
            let mut entry = Entry::new(self.clock.now(), "recovery", stored.entry.operation, Phase::Single);
            entry.outcome = Some(Outcome::Failed);
            entry.pool = stored.entry.pool.clone();
            entry.refusal = Some(recover::NOT_STORED.into());
            entry.related = Some(stored.entry.event_id);
            Submission::from(entry)
        };
        for missing in missing.chunks(BATCH_ENTRIES) {
            self.append(missing.iter().map(tell).collect())?;
        }
        Ok(())
    }
}

fn open_tree(folder: &Path) -> Result<TreeFile, AuditError> {
    let path = folder.join(TREE);
    if !path.exists() {
        durable::create_file(&path, b"")?;
    }
    durable::check_private(&path, 0o600)?;
    let file = OpenOptions::new().read(true).write(true).open(&path).and_then(TreeFile::over);
    file.map_err(|source| FileError::Io { action: "use", path, source }.into())
}

impl Drop for FileAudit {
    fn drop(&mut self) {
        // The writer first: it finishes what was accepted, and its last checkpoint is then written too.
        self.queue.close();
        let mut threads = self.threads.drain(..);
        let writer = threads.next().map(JoinHandle::join);
        self.publisher.close();
        let publisher = threads.next().map(JoinHandle::join);
        if [writer, publisher].into_iter().flatten().any(|ended| ended.is_err()) {
            tracing::error!("a thread of the audit log panicked");
        }
    }
}

impl AuditRead for FileAudit {
    fn head(&self) -> Result<Head, AuditError> {
        read::head(&*self.log.reader()?, &self.keys.audit_key())
    }

    fn entry(&self, event: EventId) -> Result<Option<StoredEntry>, AuditError> {
        read::entry(&*self.log.reader()?, event)
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, AuditError> {
        read::entries(&*self.log.reader()?, from, limit)
    }

    fn stubs(&self, from: u64, limit: usize) -> Result<Vec<Stub>, AuditError> {
        expiry::stubs(&*self.log.reader()?, from, limit)
    }

    fn position(&self, event: EventId) -> Result<Option<u64>, AuditError> {
        read::position(&*self.log.reader()?, event)
    }

    fn receipt(&self, event: EventId) -> Result<Option<Receipt>, AuditError> {
        read::receipt(&*self.log.reader()?, event)
    }

    fn content(&self, event: EventId) -> Result<Option<Content>, AuditError> {
        read::content(&*self.content.reader()?, &*self.keys, event)
    }

    fn probe_digest(&self, event: EventId, sha256: &[u8; 32]) -> Result<Option<String>, AuditError> {
        read::probe_digest(&*self.keys, event, sha256)
    }

    fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Range<u64>, AuditError> {
        read::span(&*self.log.reader()?, from, until)
    }

    fn checkpoint(&self, size: u64) -> Result<Option<String>, AuditError> {
        read::checkpoint(&*self.log.reader()?, size)
    }

    fn inclusion(&self, index: u64, size: u64) -> Result<Inclusion, AuditError> {
        if index >= size {
            return Err(AuditError::Invalid("the entry is not in a tree of this size"));
        }
        let log = self.log.reader()?;
        let root = read::signed_root(&log, &self.keys.audit_key(), size)?;
        let leaves = |from| read::hashes(&log, from, PIECE);
        self.tree.lock().unwrap_or_else(PoisonError::into_inner).inclusion(index, size, root, &leaves)
    }

    fn consistency(&self, first: u64, second: u64) -> Result<Consistency, AuditError> {
        if first == 0 || first > second {
            return Err(AuditError::Invalid("the earlier tree is empty or larger than the later one"));
        }
        let log = self.log.reader()?;
        let root = |size| read::signed_root(&log, &self.keys.audit_key(), size);
        let (sizes, roots) = ([first, second], [root(first)?, root(second)?]);
        let leaves = |from| read::hashes(&log, from, PIECE);
        self.tree.lock().unwrap_or_else(PoisonError::into_inner).consistency(sizes, roots, &leaves)
    }

    fn walk(&self, naming: &mut Naming, limit: usize) -> Result<bool, AuditError> {
        naming::walk(&*self.log.reader()?, naming, limit)
    }

    fn open_intents(&self) -> Result<Vec<StoredEntry>, AuditError> {
        read::open_intents(&*self.log.reader()?)
    }
}

impl AuditLog for FileAudit {
    fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Receipt>, AuditError> {
        if submissions.is_empty() {
            return Ok(Vec::new());
        }
        if submissions.len() > BATCH_ENTRIES {
            return Err(AuditError::Invalid("more than 512 entries in one append"));
        }
        let entries = submissions.into_iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        let (reply, answer) = sync_channel(1);
        self.queue.push(Job { entries, reply })?;
        answer.recv_timeout(self.timeout).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => AuditError::TimedOut(self.timeout),
                RecvTimeoutError::Disconnected => {
                    AuditError::Failed { reason: "the writer has stopped".into() }
                }
            })
        })
    }

    fn purge_content(&self, before: Timestamp, by: Entry) -> Result<Purged, AuditError> {
        let mut intent = by;
        if before > intent.occurred_at {
            return Err(AuditError::Invalid("content can be purged up to the present, not into the future"));
        }
        intent.phase = Phase::Intent;
        intent.outcome = None;
        intent.operation = Operation::Erasure;
        intent.content_purged_before = Some(before);
        let mut outcome = intent.to_outcome(self.clock.now(), Outcome::Answered);
        self.append(vec![intent.into()])?;
        let keys = self.keys.destroy_content_keys_before(before)?;
        let parts = content::remove_before(&self.content, before)?;
        outcome.counts.insert("content_keys_destroyed".into(), keys);
        outcome.counts.insert("content_parts_removed".into(), parts);
        let receipt = self.append(vec![outcome.into()])?.pop();
        let receipt = receipt.ok_or_else(|| AuditError::Unsound("an append gave no receipt".into()))?;
        Ok(Purged { keys, parts, receipt })
    }

    fn erase_content(&self, events: &[EventId]) -> Result<ErasedContent, AuditError> {
        let keys = self.keys.destroy_content_keys(events)?;
        let parts = content::remove(&self.content, events)?;
        Ok(ErasedContent { keys, parts })
    }

    fn purge_metadata(
        &self,
        before: Timestamp,
        days: u32,
        by: Entry,
    ) -> Result<Option<MetadataPurged>, AuditError> {
        let mut intent = by;
        // As it will be kept: entries have whole milliseconds.
        let before = moment::to_millisecond(before);
        let period = SignedDuration::from_hours(24 * i64::from(days));
        if days < expiry::LEAST_DAYS {
            return Err(AuditError::Invalid("entries are kept for 366 days at least"));
        }
        if intent.occurred_at.checked_sub(period).is_ok_and(|latest| before > latest) {
            return Err(AuditError::Invalid(
                "entries are forgotten when their retention is over, not before",
            ));
        }
        let mark = {
            let log = self.log.reader()?;
            let entries = expiry::reach(&log, before)?;
            if entries <= expiry::first_kept(&log)? {
                return Ok(None);
            }
            MetadataPurge { before, days, entries, stubs: expiry::digest_of(&log, entries)? }
        };
        let entries = mark.entries;
        intent.phase = Phase::Intent;
        intent.outcome = None;
        intent.operation = Operation::Erasure;
        intent.metadata_purged = Some(mark);
        let mut outcome = intent.to_outcome(self.clock.now(), Outcome::Answered);
        self.append(vec![intent.into()])?;
        let purged = expiry::remove_bodies(&self.log, entries)?;
        outcome.counts.insert("entries_forgotten".into(), purged.bodies);
        outcome.notes.insert("log_emptied".into(), purged.log_emptied.to_string());
        self.append(vec![outcome.into()])?;
        Ok(Some(purged))
    }
}
