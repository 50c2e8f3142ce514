//! The audit log as a test reads it: from its files, with nothing but the public key, while the server runs.
use std::fs;

use likeness_server::audit::{AuditRead as _, AuditReader};
use serde_json::Value;

use crate::service::Service;

/// Whole entries, oldest first.
///
/// # Panics
/// When the log cannot be read.
#[must_use]
pub fn entries(service: &Service) -> Vec<Value> {
    let key = fs::read_to_string(service.data().join("keys/audit.pub")).expect("the log's public key");
    let key = key.trim().parse().expect("a verifier key");
    let log = AuditReader::open(&service.data().join("audit"), key, None).expect("the log opens");
    let stored = log.entries(0, 100_000).expect("the log can be read");
    stored.into_iter().map(|stored| serde_json::to_value(stored.entry).expect("an entry is JSON")).collect()
}
