//! Approved operating points: one file each in `points/`, held in memory while the service runs.
//!
//! A file alone approves nothing: at every start its record must verify with the tester's key, and the event of its approval
//! must be in the audit log with the record's digest.
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{OperatingPoint, PointId, Shipped, SignedError, shipped::shipped, signed};
use crate::{
    audit::{AuditError, AuditRead, Phase},
    durable::{self, FileError},
    ids::EventId,
    keys::VerifierKey,
};

/// Name of the note, in the entry of an approval, that holds the record's digest.
pub(crate) const DIGEST_NOTE: &str = "record_digest";
/// The call that approves.
pub(crate) const APPROVE: &str = "likeness.v1.OperatingPointService/ApproveOperatingPoint";

/// Who approved a record, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// Id of the person.
    pub by: String,
    /// Their organisation.
    pub organisation: String,
    /// When.
    pub at: Timestamp,
    /// The audit event that announced it.
    pub event: EventId,
}

/// Who ended an approval, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    /// Id of the person.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The audit event that announced it.
    pub event: EventId,
    /// In their words.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    note: String,
    tester_key: String,
    approval: Approval,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocation: Option<Revocation>,
}

/// An approved operating point.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub id: PointId,
    /// What was measured.
    pub point: OperatingPoint,
    /// The signed record, as it was approved.
    pub note: String,
    /// The tester's public key.
    pub tester_key: VerifierKey,
    pub(crate) approval: Approval,
    pub(crate) revocation: Option<Revocation>,
}

/// What decides whether an operating point may be used.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Now.
    pub now: Timestamp,
    /// Space of the algorithm that is running, hex.
    pub space: &'a str,
    /// Whether records measured on synthetic images may be used, for demonstration.
    pub demonstration: bool,
}

/// Whether an operating point may be used now, leaving pool and purpose aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It may.
    InForce,
    /// Its last day is over.
    Expired,
    /// Its approval was ended.
    Revoked,
    /// It was measured on synthetic images, and the server does not allow that.
    DemonstrationNotAllowed,
    /// It was measured with another algorithm.
    OtherAlgorithm,
}

impl State {
    /// The name on the wire.
    pub fn code(self) -> &'static str {
        match self {
            State::InForce => "in_force",
            State::Expired => "expired",
            State::Revoked => "revoked",
            State::DemonstrationNotAllowed => "demonstration_not_allowed",
            State::OtherAlgorithm => "other_algorithm",
        }
    }
}

impl Kept {
    /// SHA-256 of the signed note, hex: what the approval's audit entry holds.
    pub fn digest(&self) -> String {
        digest(&self.note)
    }

    /// Whether it may be used now.
    pub fn state(&self, situation: Situation<'_>) -> State {
        if self.revocation.is_some() {
            State::Revoked
        } else if situation.now.to_zoned(TimeZone::UTC).date() > self.point.expires_on {
            State::Expired
        } else if self.point.algorithm.space_id != situation.space {
            State::OtherAlgorithm
        } else if self.point.demonstration_only && !situation.demonstration {
            State::DemonstrationNotAllowed
        } else {
            State::InForce
        }
    }
}

/// What went wrong with the stored operating points.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file holds something else.
    #[error("`{}` is not an approved operating point: {why}; remove the file, and approve the record again", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A record does not verify.
    #[error("`{}`: {source}; remove the file, and approve the record again", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: SignedError,
    },
    /// What comes with the program does not verify.
    #[error("the operating point that comes with the program: {0}; install the program again")]
    Shipped(#[source] SignedError),
    /// The audit log cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// It is approved already.
    #[error("this record is approved already, as `{0}`")]
    Exists(PointId),
    /// There is no such record.
    #[error("there is no operating point `{0}`; `likeness operating-point list` shows them")]
    Unknown(String),
}

/// The approved operating points of a data directory.
pub(crate) struct Store {
    folder: PathBuf,
    points: RwLock<BTreeMap<PointId, Arc<Kept>>>,
    shipped: Vec<Arc<Shipped>>,
}

impl Store {
    /// Opens the folder, making it when it is missing, and checks every file in it.
    pub fn open(folder: &Path, audit: &dyn AuditRead) -> Result<Store, StoreError> {
        durable::create_dir(folder)?;
        durable::check_private(folder, 0o700)?;
        let failed = |source| FileError::Io { action: "list", path: folder.to_path_buf(), source };
        let mut points = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // What a crash left of a file that was being written: it approved nothing.
            if path.extension().is_some_and(|extension| extension == "new") {
                durable::remove(&path)?;
                continue;
            }
            let kept = read(&path)?;
            check_approval(&path, &kept, audit)?;
            points.insert(kept.id.clone(), Arc::new(kept));
        }
        let shipped = shipped().map_err(StoreError::Shipped)?;
        Ok(Store { folder: folder.to_path_buf(), points: RwLock::new(points), shipped })
    }

    /// What came with the program for this algorithm, until its last day, or until a record measured on people was approved.
    pub fn demonstration(&self, now: Timestamp, space: &str) -> Option<Arc<Shipped>> {
        let of_people =
            |kept: &Arc<Kept>| kept.point.algorithm.space_id == space && !kept.point.demonstration_only;
        if self.all().iter().any(of_people) {
            return None;
        }
        let today = now.to_zoned(TimeZone::UTC).date();
        let fits = |shipped: &&Arc<Shipped>| {
            shipped.point.algorithm.space_id == space && today <= shipped.point.expires_on
        };
        self.shipped.iter().find(fits).cloned()
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<Kept>> {
        self.points.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// One of them.
    pub fn get(&self, id: &PointId) -> Option<Arc<Kept>> {
        self.points.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Keeps a new one, or a changed one; durable on return.
    pub fn put(&self, kept: Kept) -> Result<Arc<Kept>, StoreError> {
        let path = self.folder.join(format!("{}.json", kept.id));
        let file = File {
            format: 1,
            note: kept.note.clone(),
            tester_key: kept.tester_key.to_string(),
            approval: kept.approval.clone(),
            revocation: kept.revocation.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&file)
            .map_err(|error| StoreError::Foreign { path: path.clone(), why: error.to_string() })?;
        durable::replace_file(&path, &bytes)?;
        let kept = Arc::new(kept);
        self.points
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(kept.id.clone(), Arc::clone(&kept));
        Ok(kept)
    }
}

/// SHA-256 of a signed note, hex.
pub(crate) fn digest(note: &str) -> String {
    hex::encode(Sha256::digest(note.as_bytes()))
}

fn read(path: &Path) -> Result<Kept, StoreError> {
    let foreign = |why: &str| StoreError::Foreign { path: path.to_path_buf(), why: why.to_owned() };
    let bytes = durable::read_private(path)?;
    let file: File = serde_json::from_slice(&bytes)
        .map_err(|error| foreign(&format!("line {}, column {}", error.line(), error.column())))?;
    if file.format != 1 {
        return Err(foreign("its format is not 1, the one this program reads"));
    }
    let tester_key: VerifierKey = file.tester_key.parse().map_err(|_| foreign("its key cannot be read"))?;
    let (id, point) = signed::open(&file.note, &tester_key)
        .map_err(|source| StoreError::Record { path: path.to_path_buf(), source })?;
    if path.file_name().is_none_or(|name| name.to_string_lossy() != format!("{id}.json")) {
        return Err(foreign("its name is not that of the record in it"));
    }
    Ok(Kept { id, point, note: file.note, tester_key, approval: file.approval, revocation: file.revocation })
}

/// The log knows of the approval, of this very record, by this person.
fn check_approval(path: &Path, kept: &Kept, audit: &dyn AuditRead) -> Result<(), StoreError> {
    let found = audit.entry(kept.approval.event)?.filter(|stored| {
        let entry = &stored.entry;
        entry.rpc == APPROVE
            && entry.phase == Phase::Intent
            && entry.notes.get(DIGEST_NOTE).is_some_and(|found| *found == kept.digest())
            && entry.actor.as_ref().is_some_and(|actor| actor.subject == kept.approval.by)
    });
    match found {
        Some(_) => Ok(()),
        // Past its retention: the log still knows the event, and no longer what it was. A record that has expired since cannot be
        // used anyway.
        None if is_over(kept, audit)? && is_forgotten(kept, audit)? => Ok(()),
        None => Err(StoreError::Foreign {
            path: path.to_path_buf(),
            why: "the audit log has no approval of it".to_owned(),
        }),
    }
}

/// Whether the entry of the approval is past its retention.
fn is_forgotten(kept: &Kept, audit: &dyn AuditRead) -> Result<bool, StoreError> {
    let event = kept.approval.event;
    Ok(audit.entry(event)?.is_none() && audit.position(event)?.is_some())
}

/// Whether the last day of the record was over when the newest entry was made.
fn is_over(kept: &Kept, audit: &dyn AuditRead) -> Result<bool, StoreError> {
    let newest = audit.entries(audit.head()?.size.saturating_sub(1), 1)?;
    let today = newest.last().map(|stored| stored.entry.occurred_at.to_zoned(jiff::tz::TimeZone::UTC).date());
    Ok(today.is_some_and(|today| today > kept.point.expires_on))
}
