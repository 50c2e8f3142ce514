//! The part of an append that needs no order: done on the caller's thread, so that it runs side by side.

use super::content::{self, Part};
use super::{AuditError, Entry, Submission, canonical};
use crate::ids::EventId;
use crate::seal::SealKey;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Longest entry, in bytes of canonical JSON. A candidate takes about 150.
pub(super) const LONGEST_ENTRY: usize = 1 << 20;
/// Room for what the writer adds to an entry: position and link.
const LINK_BYTES: usize = 128;

/// An entry that lacks only its place in the log.
pub(super) struct Prepared {
    pub entry: Entry,
    pub members: Map<String, Value>,
    pub key: Option<(EventId, SealKey)>,
    pub parts: Vec<(Part, Vec<u8>)>,
    /// Bytes it occupies while it waits.
    pub bytes: usize,
}

/// Seals the content, fills in its digests, and refuses what could never be written.
pub(super) fn prepare(submission: Submission) -> Result<Prepared, AuditError> {
    let Submission { mut entry, content } = submission;
    entry.check()?;
    let event = entry.event_id;
    let (key, parts) = match content::seal(event, &content)? {
        Some(sealed) => {
            if let (Some(image), Some(probe)) = (&content.probe, &mut entry.probe) {
                probe.digest = Some(content::probe_digest(&sealed.key, &Sha256::digest(image).into()));
            }
            entry.content = Some(sealed.digests);
            (Some((event, sealed.key)), sealed.parts)
        }
        None => {
            entry.content = None;
            (None, Vec::new())
        }
    };
    let members = canonical::members(&entry)?;
    let length = canonical::body(members.clone(), u64::MAX, &[0; 32])?.len();
    if length > LONGEST_ENTRY {
        return Err(AuditError::TooLarge { bytes: length, limit: LONGEST_ENTRY });
    }
    let bytes = length + LINK_BYTES + parts.iter().map(|(_, sealed)| sealed.len()).sum::<usize>();
    Ok(Prepared { entry, members, key, parts, bytes })
}
