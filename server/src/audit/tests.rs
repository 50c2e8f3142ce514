#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod append;
mod bundle;
mod content;
mod crash;
mod expiry;
mod faults;
mod format;
mod group;
mod proofs;
mod recovery;
mod tamper;
mod tamper_bytes;

use super::verify::{VerifyOptions, VerifyReport, verify};
use super::*;
use crate::clock::{Clock, FixedClock};
use crate::ids::{ImageId, SubjectId};
use crate::keys::{FileKeyStore, KeyStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn start() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().unwrap()
}

/// A log in a temporary folder.
struct Fixture {
    folder: tempfile::TempDir,
    clock: Arc<FixedClock>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = FileKeyStore::create(&folder.path().join("keys")).unwrap();
        FileAudit::create(&folder.path().join("audit"), &keys).unwrap();
        Self { folder, clock: Arc::new(FixedClock::at(start())) }
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join("audit")
    }

    fn keys(&self) -> Arc<FileKeyStore> {
        Arc::new(FileKeyStore::open(&self.folder.path().join("keys")).unwrap())
    }

    fn open_with(
        &self,
        keys: Arc<dyn KeyStore>,
        options: AuditOptions,
    ) -> Result<(FileAudit, Recovery), AuditError> {
        FileAudit::open(&self.folder(), keys, self.clock.clone(), options)
    }

    fn open(&self) -> FileAudit {
        self.open_with(self.keys(), AuditOptions::default()).unwrap().0
    }

    fn verify(&self) -> VerifyReport {
        let keys = self.keys();
        verify_folder(&self.folder(), &*keys)
    }

    fn sound(&self) -> VerifyReport {
        let report = self.verify();
        assert!(report.is_sound(), "{:?}", report.findings);
        report
    }
}

fn verify_folder(folder: &Path, keys: &dyn KeyStore) -> VerifyReport {
    verify(folder, &keys.audit_key(), &VerifyOptions { keys: Some(keys), ..VerifyOptions::default() })
        .unwrap()
}

/// A search as the service would record it.
fn entry(now: Timestamp, n: u64) -> Entry {
    let mut entry = Entry::new(now, "Search.Search", Operation::Consultation, Phase::Single);
    entry.outcome = Some(Outcome::Answered);
    entry.pool = Some(PoolTouched { name: "custody".into(), gallery: Some(n), ..PoolTouched::default() });
    entry.system_name = Some("force-a".into());
    entry.reference_id = Some(format!("ref-{n}"));
    entry.justification = Some("a \"hostile\" text \u{7f} \u{2028} \\ é".into());
    entry.actor = Some(Actor { subject: "u1".into(), organisation: None, roles: vec!["searcher".into()] });
    for rank in 1..=(n % 4) as u32 {
        let (image, subject) = (ImageId::at(now), SubjectId::at(now));
        entry.candidates.push(Candidate::new(rank, image, subject, 0.9 / f64::from(rank)).unwrap());
    }
    entry
}

fn content(n: u64) -> Content {
    Content {
        probe: Some(format!("probe pixels {n}").repeat(20).into_bytes()),
        request: Some(format!("request {n}").into_bytes()),
        response: Some(format!("response {n}").into_bytes()),
    }
}

/// Entry `n`; every fourth one has content.
fn submission(now: Timestamp, n: u64) -> Submission {
    let content = if n.is_multiple_of(4) { content(n) } else { Content::default() };
    Submission { entry: entry(now, n), content }
}

fn submissions(now: Timestamp, numbers: std::ops::Range<u64>) -> Vec<Submission> {
    numbers.map(|n| submission(now, n)).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    // The key store refuses folders that others may read.
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
            continue;
        }
        // The shared-memory file is a cache that the next opener makes anew.
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
