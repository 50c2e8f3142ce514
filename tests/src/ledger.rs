//! What calls are recorded as.
use std::collections::BTreeSet;

use likeness_server::audit::{Operation, Outcome};

use crate::{auditing::recorded, service::Service};

/// Checks the entries that one call left behind, and forgets where it began.
pub struct Ledger<'a> {
    service: &'a Service,
    /// Position of the first entry that was not looked at yet.
    pub from: u64,
    /// Calls, each with an operation it was recorded as.
    pub seen: BTreeSet<(String, &'static str)>,
}

/// What the service records by itself and is no call: that a test registered another organisation, that content went with somebody
/// who was erased.
const UPKEEP: [&str; 2] = ["likeness/registry", "likeness/erasure"];

impl<'a> Ledger<'a> {
    /// Over the log of a service, from its beginning.
    #[must_use]
    pub fn of(service: &'a Service) -> Self {
        Ledger { service, from: 0, seen: BTreeSet::new() }
    }

    /// Checks what `call` left.
    ///
    /// # Panics
    /// When an entry is not what it must be, or there is none.
    pub fn check(&mut self, call: &str) {
        let entries = recorded(self.service, self.from);
        self.from += entries.len() as u64;
        let name = format!("likeness.v1.{call}");
        assert!(!entries.is_empty(), "{call} left no entry");
        for entry in entries.into_iter().filter(|entry| !UPKEEP.contains(&entry.rpc.as_str())) {
            assert_eq!(entry.rpc, name);
            // R2: who, when, why, for which system, under which reference.
            assert!(entry.actor.is_some() && entry.occurred_at > jiff::Timestamp::UNIX_EPOCH, "{call}");
            assert!(entry.purpose_code.is_some() && entry.justification.is_some(), "{call}");
            assert!(entry.system_name.is_some() && entry.reference_id.is_some(), "{call}");
            assert_ne!(entry.outcome, Some(Outcome::Failed), "{call}: {:?}", entry.refusal);
            // R3: to whom.
            assert_eq!(entry.recipient.is_some(), entry.operation == Operation::Disclosure, "{call}");
            self.seen.insert((name.clone(), entry.operation.code()));
        }
    }
}
