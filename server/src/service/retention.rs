//! Forgetting: probes and exact answers are kept for a bounded time, the entries that name their digests for a longer one, and
//! the hashes of entries for good.
use jiff::SignedDuration;

use super::Service;
use crate::audit::{AuditError, Entry, MetadataPurged, Operation, Phase, Purged};

/// How the log names the service's own housekeeping.
const RPC: &str = "likeness/retention";

impl Service {
    /// Forgets sealed content that is older than `audit.content_retention_days`, and records that it did. Nothing is
    /// recorded while no entry is that old.
    ///
    /// # Errors
    /// [`AuditError`] when the log or the key store fails.
    pub fn forget_old_content(&self) -> Result<Option<Purged>, AuditError> {
        let now = self.clock.now();
        let days = self.config.audit.content_retention_days;
        let Ok(before) = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))) else {
            return Ok(None);
        };
        let oldest = self.audit.entries(0, 1)?.into_iter().next();
        if oldest.is_none_or(|oldest| oldest.entry.occurred_at >= before) {
            return Ok(None);
        }
        let mut by = Entry::new(now, RPC, Operation::Erasure, Phase::Intent);
        by.notes.insert("policy".to_owned(), format!("audit.content_retention_days = {days}"));
        let purged = self.audit.purge_content(before, by)?;
        tracing::info!(
            keys = purged.keys,
            parts = purged.parts,
            "forgot content that was older than the retention time"
        );
        Ok(Some(purged))
    }

    /// Forgets entries that are older than `audit.metadata_retention_days`, and records that it did: their hashes stay, and
    /// with them every signed head and proof. After [`Service::forget_old_content`], so that nothing sealed outlives its entry.
    ///
    /// # Errors
    /// [`AuditError`] when the log fails.
    pub fn forget_old_entries(&self) -> Result<Option<MetadataPurged>, AuditError> {
        let now = self.clock.now();
        let days = self.config.audit.metadata_retention_days;
        let Ok(before) = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))) else {
            return Ok(None);
        };
        let mut by = Entry::new(now, RPC, Operation::Erasure, Phase::Intent);
        by.notes.insert("policy".to_owned(), format!("audit.metadata_retention_days = {days}"));
        let purged = self.audit.purge_metadata(before, days, by)?;
        if let Some(purged) = &purged {
            tracing::info!(
                bodies = purged.bodies,
                "forgot entries that were older than their retention time"
            );
        }
        Ok(purged)
    }
}
