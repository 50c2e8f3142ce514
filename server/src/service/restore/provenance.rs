//! Whether a backup is one of this service, and is what it was when the service made it.
use super::{Onto, RestoreError};
use crate::{
    audit::Checkpoint,
    backup::Backup,
    service::{Service, backup as making},
};

/// Entries read at a time.
const PAGE: usize = 256;

impl Service {
    /// The log that the backup holds must be the beginning of the one that is here; and that one must say, with the digest of its
    /// description, that the backup was made. (A data directory made from the backup has the log that ends before that.)
    pub(super) fn check_provenance(&self, backup: &Backup, onto: Onto) -> Result<(), RestoreError> {
        let there = &backup.manifest().audit;
        let here = self.audit.head()?;
        let Some(note) = self.audit.checkpoint(there.size)? else {
            return Err(RestoreError::OtherLog(
                "the backup was made of another log, or of a later state of this one: this log was never as long as the backup's",
            ));
        };
        let signed = Checkpoint::open(&note, &self.keys.audit_key());
        let other = "the backup was made of another log: at that length, this one had another root";
        if !signed.is_ok_and(|signed| hex::encode(signed.root) == there.root) {
            return Err(RestoreError::OtherLog(other));
        }
        if there.size > 0 && self.audit.consistency(there.size, here.size).is_err() {
            return Err(RestoreError::OtherLog(other));
        }
        if onto == Onto::New { Ok(()) } else { self.check_announced(backup) }
    }

    fn check_announced(&self, backup: &Backup) -> Result<(), RestoreError> {
        let event = backup.manifest().event;
        let unknown = "this log does not know that a backup was begun as the description says";
        let intent = self.audit.entry(event)?.filter(|stored| stored.entry.rpc == making::RPC);
        let mut next = intent.ok_or(RestoreError::OtherLog(unknown))?.index + 1;
        loop {
            let page = self.audit.entries(next, PAGE)?;
            let Some(last) = page.last() else {
                return Err(RestoreError::OtherLog(
                    "this log does not say that the backup was completed; use another one",
                ));
            };
            next = last.index + 1;
            if let Some(outcome) = page.iter().find(|stored| stored.entry.related == Some(event)) {
                let said = outcome.entry.notes.get(making::MANIFEST_NOTE).map(String::as_str);
                return match said {
                    Some(digest) if digest == backup.digest() => Ok(()),
                    Some(_) => Err(RestoreError::OtherLog(
                        "the description of the backup is not the one that this log has the digest of: it was changed",
                    )),
                    None => Err(RestoreError::OtherLog(
                        "this log says that the backup was cut short or failed; use another one",
                    )),
                };
            }
        }
    }
}
