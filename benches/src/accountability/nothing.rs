//! A log that records nothing, in front of a real one: it answers every append with a copy of one receipt that was earned at the start.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use likeness_server::audit::{
    AuditError, AuditLog, AuditRead, Consistency, Content, Entry, ErasedContent, Head, Inclusion,
    MetadataPurged, Naming, Operation, Outcome, Phase, Purged, Receipt, StoredEntry, Stub, Submission,
};
use likeness_server::ids::EventId;

struct Nothing {
    real: Arc<dyn AuditLog>,
    receipt: Result<Receipt, String>,
}

/// Puts the log that records nothing in front of `real`.
pub(super) fn in_front_of(real: Arc<dyn AuditLog>) -> Arc<dyn AuditLog> {
    let mut entry =
        Entry::new(Timestamp::now(), "likeness-bench/audit", Operation::Consultation, Phase::Single);
    entry.outcome = Some(Outcome::Answered);
    let receipt = real.append(vec![entry.into()]).map_err(|error| error.to_string());
    let receipt = receipt.and_then(|mut receipts| receipts.pop().ok_or_else(|| "no receipt".to_owned()));
    Arc::new(Nothing { real, receipt })
}

impl AuditRead for Nothing {
    fn head(&self) -> Result<Head, AuditError> {
        self.real.head()
    }
    fn entry(&self, event: EventId) -> Result<Option<StoredEntry>, AuditError> {
        self.real.entry(event)
    }
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, AuditError> {
        self.real.entries(from, limit)
    }
    fn stubs(&self, from: u64, limit: usize) -> Result<Vec<Stub>, AuditError> {
        self.real.stubs(from, limit)
    }
    fn position(&self, event: EventId) -> Result<Option<u64>, AuditError> {
        self.real.position(event)
    }
    fn receipt(&self, event: EventId) -> Result<Option<Receipt>, AuditError> {
        self.real.receipt(event)
    }
    fn content(&self, event: EventId) -> Result<Option<Content>, AuditError> {
        self.real.content(event)
    }
    fn probe_digest(&self, event: EventId, sha256: &[u8; 32]) -> Result<Option<String>, AuditError> {
        self.real.probe_digest(event, sha256)
    }
    fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Range<u64>, AuditError> {
        self.real.span(from, until)
    }
    fn checkpoint(&self, size: u64) -> Result<Option<String>, AuditError> {
        self.real.checkpoint(size)
    }
    fn inclusion(&self, index: u64, size: u64) -> Result<Inclusion, AuditError> {
        self.real.inclusion(index, size)
    }
    fn consistency(&self, first: u64, second: u64) -> Result<Consistency, AuditError> {
        self.real.consistency(first, second)
    }
    fn walk(&self, naming: &mut Naming, limit: usize) -> Result<bool, AuditError> {
        self.real.walk(naming, limit)
    }
    fn open_intents(&self) -> Result<Vec<StoredEntry>, AuditError> {
        self.real.open_intents()
    }
}

impl AuditLog for Nothing {
    fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Receipt>, AuditError> {
        match &self.receipt {
            Ok(receipt) => Ok(submissions.iter().map(|_| receipt.clone()).collect()),
            Err(reason) => Err(AuditError::Failed { reason: reason.clone() }),
        }
    }
    fn purge_metadata(
        &self,
        before: Timestamp,
        days: u32,
        by: Entry,
    ) -> Result<Option<MetadataPurged>, AuditError> {
        self.real.purge_metadata(before, days, by)
    }
    fn purge_content(&self, before: Timestamp, by: Entry) -> Result<Purged, AuditError> {
        self.real.purge_content(before, by)
    }
    fn erase_content(&self, events: &[EventId]) -> Result<ErasedContent, AuditError> {
        self.real.erase_content(events)
    }
}
