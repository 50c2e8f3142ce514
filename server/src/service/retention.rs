//! Forgetting: probes and exact answers are kept for a bounded time. The entries that name their digests stay.
use jiff::SignedDuration;

use super::Service;
use crate::audit::{AuditError, Entry, Operation, Phase, Purged};

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
}
