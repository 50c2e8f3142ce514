//! Write errors, a full queue, a disk that does not answer: no receipt, and the door stays shut.

use super::*;
use crate::keys::{KeyCheck, KeyError, KeyState, KeyStates, PoolKey, PoolName, VerifierKey};
use crate::seal::SealKey;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

/// A key store that can be made to fail or to hang where the log needs it.
pub(super) struct Faulty {
    keys: Arc<FileKeyStore>,
    refuse_keys: AtomicBool,
    panic_at_signing: AtomicBool,
    hang: Mutex<bool>,
    signing: AtomicUsize,
    released: Condvar,
}

impl Faulty {
    pub(super) fn new(keys: Arc<FileKeyStore>) -> Arc<Self> {
        Arc::new(Self {
            keys,
            refuse_keys: AtomicBool::new(false),
            panic_at_signing: AtomicBool::new(false),
            hang: Mutex::new(false),
            signing: AtomicUsize::new(0),
            released: Condvar::new(),
        })
    }

    /// How often a checkpoint was to be signed: the writer is in a commit.
    pub(super) fn signing(&self) -> usize {
        self.signing.load(Ordering::SeqCst)
    }

    pub(super) fn hang(&self, hang: bool) {
        *self.hang.lock().unwrap() = hang;
        self.released.notify_all();
    }
}

impl KeyStates for Faulty {
    fn key_states(&self, pool: &PoolKey, subjects: &[SubjectId]) -> Result<Vec<KeyState>, KeyError> {
        self.keys.key_states(pool, subjects)
    }
}

impl KeyStore for Faulty {
    fn create_pool(&self, pool: &PoolName) -> Result<PoolKey, KeyError> {
        self.keys.create_pool(pool)
    }
    fn open_pool(&self, pool: &PoolName, expected: &KeyCheck) -> Result<PoolKey, KeyError> {
        self.keys.open_pool(pool, expected)
    }
    fn destroy_pool(&self, pool: &PoolName) -> Result<(), KeyError> {
        self.keys.destroy_pool(pool)
    }
    fn create_subject_keys(
        &self,
        p: &PoolKey,
        s: &[SubjectId],
        now: Timestamp,
    ) -> Result<Vec<SealKey>, KeyError> {
        self.keys.create_subject_keys(p, s, now)
    }
    fn subject_key(&self, pool: &PoolKey, subject: SubjectId) -> Result<Option<SealKey>, KeyError> {
        self.keys.subject_key(pool, subject)
    }
    fn subject_keys(&self, pool: &PoolKey) -> Result<HashMap<SubjectId, SealKey>, KeyError> {
        self.keys.subject_keys(pool)
    }
    fn destroy_subject_keys(
        &self,
        pool: &PoolKey,
        subjects: &[SubjectId],
        now: Timestamp,
    ) -> Result<u64, KeyError> {
        self.keys.destroy_subject_keys(pool, subjects, now)
    }
    fn sign_statement(&self, json: &str) -> Result<String, KeyError> {
        self.keys.sign_statement(json)
    }
    fn put_content_keys(&self, keys: &[(EventId, SealKey)]) -> Result<(), KeyError> {
        if self.refuse_keys.load(Ordering::SeqCst) {
            return Err(KeyError::Malformed { file: "content.sqlite".into(), why: "the disk is full" });
        }
        self.keys.put_content_keys(keys)
    }
    fn content_key(&self, event: EventId) -> Result<Option<SealKey>, KeyError> {
        self.keys.content_key(event)
    }
    fn newest_content_keys(&self, limit: usize) -> Result<Vec<EventId>, KeyError> {
        self.keys.newest_content_keys(limit)
    }
    fn destroy_content_keys(&self, events: &[EventId]) -> Result<u64, KeyError> {
        self.keys.destroy_content_keys(events)
    }
    fn destroy_content_keys_before(&self, before: Timestamp) -> Result<u64, KeyError> {
        self.keys.destroy_content_keys_before(before)
    }
    fn audit_key(&self) -> VerifierKey {
        self.keys.audit_key()
    }
    fn sign_list(&self, statement: &str) -> Result<[u8; 64], KeyError> {
        self.keys.sign_list(statement)
    }
    fn sign_checkpoint(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        assert!(!self.panic_at_signing.load(Ordering::SeqCst), "a defect");
        self.signing.fetch_add(1, Ordering::SeqCst);
        let hang = self.hang.lock().unwrap();
        drop(self.released.wait_while(hang, |hang| *hang).unwrap());
        self.keys.sign_checkpoint(message)
    }
}

fn assert_shut(log: &FileAudit) {
    for n in 100..103 {
        let error = log.append(vec![entry(start(), n).into()]).unwrap_err();
        assert!(matches!(error, AuditError::Failed { .. }), "{error}");
    }
}

#[test]
fn after_one_write_error_nothing_is_accepted_until_reopened() {
    let fixture = Fixture::new();
    let keys = Faulty::new(fixture.keys());
    let (log, _) = fixture.open_with(keys.clone(), AuditOptions::default()).unwrap();
    let good = log.append(submissions(start(), 0..5)).unwrap();
    keys.refuse_keys.store(true, Ordering::SeqCst);
    // Without content no key is needed, and none is missed.
    log.append(vec![entry(start(), 5).into()]).unwrap();
    let error = log.append(submissions(start(), 8..9)).unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    keys.refuse_keys.store(false, Ordering::SeqCst);
    assert_shut(&log);
    assert!(log.entry(good[4].event_id()).unwrap().is_some(), "reading goes on");
    drop(log);
    let (log, recovery) = fixture.open_with(keys, AuditOptions::default()).unwrap();
    // The failed append may have reached the log; if so, it is on record that its content did not.
    assert_eq!(recovery.content_not_stored.len(), 1);
    log.append(submissions(start(), 12..20)).unwrap();
    drop(log);
    fixture.sound();
}

#[test]
fn an_error_of_the_database_shuts_the_log() {
    let fixture = Fixture::new();
    let log = fixture.open();
    log.append(submissions(start(), 0..5)).unwrap();
    let connection = rusqlite::Connection::open(fixture.folder().join("audit.sqlite")).unwrap();
    connection.execute_batch("ALTER TABLE checkpoint RENAME TO elsewhere").unwrap();
    assert!(log.append(vec![entry(start(), 6).into()]).is_err());
    connection.execute_batch("ALTER TABLE elsewhere RENAME TO checkpoint").unwrap();
    assert_shut(&log);
    drop((log, connection));
    assert_eq!(fixture.verify().entries, 5);
    fixture.open().append(submissions(start(), 5..6)).unwrap();
}

#[test]
fn a_panic_in_the_writer_leaves_nobody_waiting() {
    let fixture = Fixture::new();
    let keys = Faulty::new(fixture.keys());
    let (log, _) = fixture.open_with(keys.clone(), AuditOptions::default()).unwrap();
    keys.panic_at_signing.store(true, Ordering::SeqCst);
    assert!(matches!(log.append(submissions(start(), 0..5)), Err(AuditError::Failed { .. })));
    keys.panic_at_signing.store(false, Ordering::SeqCst);
    assert_shut(&log);
    drop(log);
    assert_eq!(fixture.sound().entries, 0);
}

#[test]
fn a_full_queue_is_busy_and_a_hanging_disk_times_out() {
    let fixture = Fixture::new();
    let keys = Faulty::new(fixture.keys());
    let timeout = Duration::from_millis(300);
    let options = AuditOptions { queue_requests: 2, append_timeout: timeout, ..AuditOptions::default() };
    let (log, _) = fixture.open_with(keys.clone(), options).unwrap();
    keys.hang(true);
    let append = |n: u64| (n, log.append(vec![entry(start(), n).into()]));
    // The writer takes what is there, at most two, and hangs; two more wait; the others find the queue full.
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..12).map(|n| scope.spawn(move || append(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    keys.hang(false);
    let mut accepted = Vec::new();
    for (n, result) in results {
        match result.unwrap_err() {
            AuditError::TimedOut(_) => accepted.push(format!("ref-{n}")),
            AuditError::Busy => {}
            other => panic!("another error: {other}"),
        }
    }
    assert!((2..=4).contains(&accepted.len()), "{accepted:?}");
    // Those that timed out had been accepted: they are on record. Those refused as busy are not.
    while let Err(error) = append(20).1 {
        assert!(matches!(error, AuditError::Busy), "{error}");
        std::thread::sleep(Duration::from_millis(10));
    }
    accepted.push("ref-20".into());
    let recorded = log.entries(0, 20).unwrap().into_iter();
    let mut recorded: Vec<_> = recorded.map(|stored| stored.entry.reference_id.unwrap()).collect();
    recorded.sort();
    accepted.sort();
    assert_eq!(recorded, accepted);
    drop(log);
    fixture.sound();
}
