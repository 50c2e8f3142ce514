//! Making a backup while the service works.
use std::path::{Path, PathBuf};

use super::{Answer, Asked, Refusal, RefusalKind, Rendered, Service, Unanswered, case::Case, fields::Fields};
use crate::{
    audit::{Content, Entry, Outcome, Phase, Recipient, Submission},
    authorise::{Action, Permit, Place},
    backup::{self, AuditHead, BackupError, Copying, Destination, Manifest},
};

/// The call that makes one.
pub(super) const RPC: &str = "likeness.v1.BackupService/CreateBackup";
/// Name of the note, in the outcome, that holds the digest of the manifest.
pub(super) const MANIFEST_NOTE: &str = "manifest_digest";
/// Longest path of a backup, in characters.
const MOST_PATH_CHARS: usize = 1024;
const WHY: &str = "the person may back everything up; what that is, the person does not choose";

/// What to copy, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRequest {
    /// Absolute path of a new folder on this machine.
    pub destination: String,
    /// Whether profile, certificates and issuer are left out.
    pub without_credentials: bool,
}

/// A backup that is whole and on stable storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupMade {
    /// Where.
    pub folder: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// SHA-256 of the manifest, hex.
    pub digest: String,
    /// Merkle tree hash of the log in it.
    pub root: [u8; 32],
}

impl Service {
    /// Makes a backup. Enrolments, searches and erasures go on meanwhile; one backup is made at a time.
    ///
    /// # Errors
    /// [`Unanswered`] when the destination cannot be used, the person may not, or copying fails; then nothing is left of it.
    pub fn back_up<M>(
        &self,
        asked: Asked,
        request: &BackupRequest,
        render: impl FnOnce(&BackupMade) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::BackUp, asked);
        let decided = case.introduce_person(token.as_deref()).and_then(|(caller, actor, context)| {
            case.admit_elsewhere(&caller, Place::Service, &context)?;
            let mut fields = Fields::default();
            fields.text("destination", &request.destination, 1, MOST_PATH_CHARS);
            fields.finish()?;
            let destination = Destination::check(Path::new(&request.destination), &self.data)
                .map_err(|error| Refusal::invalid("backup_destination", error.to_string()))?;
            Ok((actor, destination))
        });
        let (actor, destination) = match decided {
            Ok(decided) => decided,
            Err(refusal) => return Err(case.refuse(None, refusal)),
        };
        let Ok(_turn) = self.copying.try_lock() else {
            let refusal = Refusal::new(
                RefusalKind::Busy,
                "backup_running",
                "another backup is being made; wait until it is done",
            );
            return Err(case.refuse(None, refusal));
        };
        case.note("destination", destination.folder().display().to_string());
        case.note("credentials", if request.without_credentials { "left out" } else { "included" });
        let mut intent = case.entry(Phase::Intent, None, None);
        intent.recipient = Some(Recipient { name: actor.subject, organisation: actor.organisation });
        self.record_one(Submission::from(intent.clone()))?;
        let made = match self.copy_everything(&intent, &destination, !request.without_credentials) {
            Ok(made) => made,
            Err(error) => {
                Copying::give_up(&destination);
                tracing::error!(%error, "a backup failed");
                // What is said names files of the service and what the operating system said of them, and the person runs it.
                let refusal = Refusal::new(RefusalKind::Fault, "backup_failed", error.to_string());
                return Err(case.fail(&intent, refusal));
            }
        };
        let rendered = render(&made);
        let mut entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        entry.notes.insert(MANIFEST_NOTE.to_owned(), made.digest.clone());
        for (name, count) in [
            ("files", made.manifest.files),
            ("bytes", made.manifest.bytes),
            ("pools", made.manifest.pools.len() as u64),
            ("images", made.manifest.pools.iter().map(|pool| pool.images).sum()),
            ("audit_entries", made.manifest.audit.size),
        ] {
            entry.counts.insert(name.to_owned(), count);
        }
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    fn copy_everything(
        &self,
        intent: &Entry,
        destination: &Destination,
        credentials: bool,
    ) -> Result<BackupMade, BackupError> {
        let log_size_at_start = self.audit.head()?.size;
        let mut copying = Copying::begin(destination.clone())?;
        backup::copy_settings(&self.data, credentials, &mut copying)?;
        let mut pools = Vec::new();
        for pool in self.pools() {
            let permit = Permit::for_upkeep(&pool.definition().name, Action::BackUp, WHY);
            pools.push(pool.copy_into(&permit, &mut copying)?);
        }
        // Last: whatever was read of the records before is in the log.
        let head = backup::copy_audit(&self.data, &self.keys.audit_key(), &mut copying)?;
        let manifest = Manifest::new(
            intent.occurred_at,
            intent.event_id,
            log_size_at_start,
            credentials,
            AuditHead { size: head.size, root: hex::encode(head.root), checkpoint: head.checkpoint },
            pools,
        );
        let (manifest, digest) = copying.finish(manifest)?;
        Ok(BackupMade { folder: destination.folder().to_path_buf(), manifest, digest, root: head.root })
    }
}
