//! What the service states, and signs, about an erasure: which stores were emptied and how that was checked. No content (R15).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ErasureReason;
use crate::ids::{ErasureId, EventId, SubjectId};

/// Where something was destroyed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// The key store: the subject's data key.
    SubjectKey,
    /// Image files.
    ImageFiles,
    /// The record file: subject, images, templates, retention facts.
    Records,
    /// The search index in memory, and its second tier.
    Index,
    /// Probes, requests and answers kept with the audit log.
    AuditContent,
    /// Deletion lists: what their lines say of the subject's images.
    DeletionLists,
}

/// What happened in one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destroyed {
    /// The store.
    pub store: Store,
    /// Things destroyed: keys, files, rows, pieces of content. Counted when the erasure began.
    pub count: u64,
    /// How it was checked afterwards that nothing is left.
    pub verified: String,
}

/// The certificate of one erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Says what this is.
    pub statement: String,
    /// Version of the form.
    pub version: u32,
    /// Its number.
    pub erasure_id: ErasureId,
    /// The pool.
    pub pool: String,
    /// The subject's id in that pool: random, and nothing is known under it any more.
    pub subject_id: SubjectId,
    /// Why.
    pub reason: ErasureReason,
    /// The retention rule that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Digest of the rule file it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// On whose authority: a person's id, or the scheduler.
    pub authority: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was complete and checked.
    pub completed_at: Timestamp,
    /// What was destroyed, store by store.
    pub destroyed: Vec<Destroyed>,
    /// What stays: entries of the audit log without content, and this certificate.
    pub staying: Vec<String>,
    /// Whether the same reference would be recognised.
    pub recognised_again: bool,
    /// What this means for copies of the data that were made before.
    pub backups: String,
    /// The audit entry that announced it.
    pub event_id: EventId,
}

/// Of the form.
const VERSION: u32 = 1;

impl Certificate {
    /// The words that are the same in all.
    pub(crate) fn of(erasure: &super::Erasure, completed_at: Timestamp, destroyed: Vec<Destroyed>) -> Self {
        Certificate {
            statement: "likeness certificate of erasure".to_owned(),
            version: VERSION,
            erasure_id: erasure.id,
            pool: erasure.pool.clone(),
            subject_id: erasure.subject,
            reason: erasure.reason,
            rule: erasure.rule.clone(),
            rules: erasure.rules.clone(),
            authority: erasure.authority.clone(),
            begun_at: erasure.begun_at,
            completed_at,
            destroyed,
            staying: vec![
                "entries of the audit log: who did what, when and why, with the subject's id and without content".to_owned(),
                "this certificate and its line in the erasure ledger".to_owned(),
            ],
            recognised_again: erasure.reason.leaves_a_mark(),
            backups: "sealed copies in backups made before can no longer be opened: the only key was in the key store, which is \
                      in no backup"
                .to_owned(),
            event_id: erasure.event,
        }
    }

    /// As JSON, one field per line, ending with a line break: the bytes that are signed.
    ///
    /// # Errors
    /// Never for a certificate that `Certificate::of` made.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}
