//! Putting the pools of a backup in the place of those that are there. The log and the keys stay: what happened since the backup
//! remains on record, and who was erased since remains erased.
use super::{
    Answer, Asked, OpenError, ReapplyError, Refusal, RefusalKind, Rendered, Service, Unanswered, case::Case,
};
use crate::{
    audit::{AuditError, Content, Outcome, Phase, Submission},
    authorise::{Action, Permit, Place},
    backup::{Backup, BackupError},
    data::{Step, swap},
    durable::{self, FileError},
    keys::PoolName,
    pool::{Pool, PoolError, Reapplied},
};

mod loss;
mod provenance;
mod stage;

pub use loss::LossCount;

/// How the log names it: there is no call for it, it is done on the data folder itself.
pub(super) const RPC: &str = "likeness.cli/Restore";
const WHY: &str = "the person may restore everything; what is in a pool, the person is not shown";

/// Onto what a backup is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// The service that made it: its log says so.
    Live,
    /// A data directory that was just made from the backup, log and all.
    New,
}

/// What the person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Onto what.
    pub onto: Onto,
    /// The digest that the backup's manifest must have, when the person knows it from the receipt.
    pub expect: Option<String>,
    /// Go on although records that came after the backup will be missing.
    pub accept_loss: bool,
}

/// One pool that is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRestored {
    /// Its name.
    pub name: PoolName,
    /// Subjects in it now.
    pub subjects: u64,
    /// Images in it now.
    pub images: u64,
    /// Images that a search finds.
    pub enrolled: u64,
    /// What was removed because it was erased after the backup was made.
    pub erased: Reapplied,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// SHA-256 of the backup's manifest, hex.
    pub digest: String,
    /// Entries of the log when the backup was made, and now.
    pub log_sizes: [u64; 2],
    /// The pools that came from the backup.
    pub pools: Vec<PoolRestored>,
    /// Pools that the backup does not have, and that stayed as they were.
    pub kept: Vec<PoolName>,
    /// Pools of the backup whose key was destroyed since: they were dropped, and stay so.
    pub dropped: Vec<PoolName>,
    /// What was recorded after the backup and is missing now, per pool; those that miss nothing are left out.
    pub lost: Vec<LossCount>,
}

/// Where a restore can be cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Point {
    /// A file was copied.
    Copied,
    /// What was erased is removed from the copy of a pool.
    Reapplied,
    /// The exchange came this far.
    Exchange(Step),
}

/// Why a restore did not happen.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Reapply(#[from] ReapplyError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Pack(#[from] Box<OpenError>),
    #[error("{0}")]
    OtherLog(&'static str),
    #[error("the backup's description has the digest {0}, not the one that was expected")]
    Unexpected(String),
}

impl From<RestoreError> for Refusal {
    fn from(error: RestoreError) -> Self {
        let said = error.to_string();
        match error {
            RestoreError::Backup(
                BackupError::Damaged { .. } | BackupError::NotABackup { .. } | BackupError::Version { .. },
            ) => Refusal::invalid("backup_damaged", said),
            RestoreError::OtherLog(_) => Refusal::invalid("backup_of_another_log", said),
            RestoreError::Unexpected(_) => Refusal::invalid("backup_unexpected", said),
            RestoreError::Pool(PoolError::KeyGone { .. })
            | RestoreError::Reapply(ReapplyError::Pool(PoolError::KeyGone { .. })) => {
                Refusal::new(RefusalKind::Unavailable, "keys_missing", said)
            }
            // The person runs the service: what failed names its files, and nothing of what is in them.
            _ => Refusal::new(RefusalKind::Fault, "restore_failed", said),
        }
    }
}

impl Service {
    /// Replaces the pools by those of a backup. Only on a service that was opened for it.
    ///
    /// Cut off anywhere, the next start finds either the old pools or the new ones, and says in the log which.
    ///
    /// # Errors
    /// [`Unanswered`]; the pools are as they were, unless the refusal says that the next start finishes it.
    pub fn restore<M>(
        &self,
        asked: Asked,
        backup: &Backup,
        request: &RestoreRequest,
        render: impl FnOnce(&Restored) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        self.restore_watched(asked, backup, request, render, &mut |_| ())
    }

    /// The same, telling where it is.
    pub(super) fn restore_watched<M>(
        &self,
        asked: Asked,
        backup: &Backup,
        request: &RestoreRequest,
        render: impl FnOnce(&Restored) -> Rendered<M>,
        at: &mut dyn FnMut(Point),
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::Restore, asked);
        let manifest = backup.manifest();
        case.note("manifest_digest", backup.digest());
        case.note("backup_made_at", manifest.made_at.to_string());
        case.note("backup_audit_size", manifest.audit.size.to_string());
        case.note("backup_audit_root", manifest.audit.root.chars().take(64).collect::<String>());
        let decided = case.introduce_person(token.as_deref()).and_then(|(caller, _, context)| {
            case.admit_elsewhere(&caller, Place::Service, &context)?;
            let (names, dropped) = self.check(backup, request)?;
            let lost = loss::count(&self.data.pools(), backup, &names);
            loss::accepted(&lost, request.accept_loss)?;
            Ok((names, dropped, lost))
        });
        let (names, dropped, lost) = match decided {
            Ok(decided) => decided,
            Err(refusal) => return Err(case.refuse(None, refusal)),
        };
        let mut intent = case.entry(Phase::Intent, None, None);
        loss::tell(&lost, &mut intent.counts);
        self.record_one(Submission::from(intent.clone()))?;
        let (pools, kept) = match self.stage(backup, &names, at) {
            Ok(staged) => staged,
            Err(error) => {
                if let Err(error) = durable::remove_folder(&self.data.pools_restoring()) {
                    tracing::warn!(%error, "unfinished pools are removed at the next start");
                }
                return Err(case.fail(&intent, error.into()));
            }
        };
        if let Err(error) = swap::exchange(&self.data, &mut |step| at(Point::Exchange(step))) {
            let said =
                format!("{error}; start the service or repeat the command: either finishes or undoes it");
            let refusal = Refusal::new(RefusalKind::Fault, "restore_unfinished", said);
            return Err(case.fail(&intent, refusal));
        }
        let log = [manifest.audit.size, self.audit.head().map_or(manifest.audit.size, |head| head.size)];
        let restored =
            Restored { digest: backup.digest().to_owned(), log_sizes: log, pools, kept, dropped, lost };
        let rendered = render(&restored);
        let mut entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        for (name, count) in [
            ("pools", restored.pools.len() as u64),
            ("subjects", restored.pools.iter().map(|pool| pool.subjects).sum()),
            ("images", restored.pools.iter().map(|pool| pool.images).sum()),
            ("erased_subjects", restored.pools.iter().map(|pool| pool.erased.rows.subjects).sum()),
        ] {
            entry.counts.insert(name.to_owned(), count);
        }
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        // Only now: until its end is on record, the old pools show that it was done.
        if let Err(error) = swap::sweep(&self.data) {
            tracing::warn!(%error, "the pools of before are removed at the next start");
        }
        at(Point::Exchange(Step::Swept));
        Ok(Answer::new(rendered.message, receipt))
    }

    /// Whether the backup is whole, is one of this service, and its pools have their keys: those to restore, and those dropped since.
    fn check(
        &self,
        backup: &Backup,
        request: &RestoreRequest,
    ) -> Result<(Vec<PoolName>, Vec<PoolName>), Refusal> {
        if let Some(expected) = &request.expect
            && !expected.eq_ignore_ascii_case(backup.digest())
        {
            return Err(RestoreError::Unexpected(backup.digest().to_owned()).into());
        }
        self.check_provenance(backup, request.onto)?;
        backup.verify_all().map_err(RestoreError::from)?;
        Ok(self.sort_pools(backup)?)
    }

    /// Opens the copy of a pool as a start would, and removes from it who was erased since.
    fn settle_pool(&self, folder: &std::path::Path, name: &PoolName) -> Result<PoolRestored, RestoreError> {
        for pack in Pool::packs_of(folder, self.authoriser.purposes(), name)? {
            self.open_pack(&pack).map_err(Box::new)?;
        }
        let pool = Pool::open(&self.parts(folder), name)?;
        let erased = self.reapply_erasures(&pool)?;
        let permit = Permit::for_upkeep(name, Action::Restore, WHY);
        pool.check_files(&permit)?;
        let summary = pool.summary(&permit, None)?;
        Ok(PoolRestored {
            name: name.clone(),
            subjects: summary.subjects,
            images: summary.images_held,
            enrolled: summary.images_enrolled,
            erased,
        })
    }
}
