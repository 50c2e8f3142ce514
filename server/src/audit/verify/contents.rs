//! Whether the content that should be there is there, and is what was sealed.

use super::finding::{Finding, FindingKind, Findings};
use super::{VerifyReport, structure};
use crate::audit::content::{self, Part};
use crate::audit::{StoredEntry, recover};
use crate::ids::{EventId, first_at};
use crate::keys::KeyStore;
use crate::seal::SealKey;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Statement, params};
use std::collections::HashSet;

/// Collects, over all entries, what is missing and what the log itself says about that.
pub(super) struct Contents<'a> {
    piece: Statement<'a>,
    keys: Option<&'a dyn KeyStore>,
    checked: u64,
    missing: Vec<(u64, EventId)>,
    purged_before: Option<Timestamp>,
    told: HashSet<EventId>,
    erased: HashSet<EventId>,
}

impl<'a> Contents<'a> {
    pub fn new(
        store: &'a Connection,
        keys: Option<&'a dyn KeyStore>,
        findings: &mut Findings,
    ) -> Result<Self, rusqlite::Error> {
        structure::check(store, &content::FORMAT, findings);
        // Prepared once: it is asked for every piece of every entry.
        let piece = store.prepare("SELECT sealed FROM content WHERE event = ?1 AND part = ?2")?;
        Ok(Self {
            piece,
            keys,
            checked: 0,
            missing: Vec::new(),
            purged_before: None,
            told: HashSet::new(),
            erased: HashSet::new(),
        })
    }

    /// Looks at one entry's content.
    pub fn visit(&mut self, stored: &StoredEntry, findings: &mut Findings) {
        let entry = &stored.entry;
        self.purged_before = self.purged_before.max(entry.content_purged_before);
        if entry.refusal.as_deref() == Some(recover::NOT_STORED) {
            self.told.extend(entry.related);
        }
        self.erased.extend(&entry.content_erased);
        let Some(digests) = &entry.content else { return };
        let event = entry.event_id;
        let mut complete = true;
        let key = match self.keys.map(|keys| keys.content_key(event)).transpose() {
            Ok(key) => key,
            Err(error) => {
                let why = format!("the key to its content cannot be read: {error}");
                findings.add(Finding::at(stored.index, FindingKind::Content, why));
                return;
            }
        };
        for (part, digest) in &digests.0 {
            match self.piece(key.as_ref().map(Option::as_ref), event, *part, digest) {
                Ok(found) => complete &= found,
                Err(why) => {
                    let why = format!("its {} {why}", part.as_str());
                    findings.add(Finding::at(stored.index, FindingKind::Content, why));
                }
            }
        }
        if !complete {
            // Judged at the end, when the purges that may explain it are known.
            self.missing.push((stored.index, event));
        }
    }

    /// `false` when the piece or its key is not there; `Err` says what is wrong with it. `key` is `None` when there is
    /// no key store to ask.
    fn piece(
        &mut self,
        key: Option<Option<&SealKey>>,
        event: EventId,
        part: Part,
        digest: &str,
    ) -> Result<bool, String> {
        let found =
            self.piece.query_row(params![event.as_bytes(), part.as_str()], |row| row.get::<_, Vec<u8>>(0));
        let found = found.optional().map_err(|error| format!("cannot be read: {error}"))?;
        let Some(sealed) = found else { return Ok(false) };
        let Some(key) = key else { return Ok(true) };
        let Some(key) = key else { return Ok(false) };
        let plain = content::open(key, event, part, &sealed)
            .map_err(|_| "was changed, or is sealed under another key".to_owned())?;
        if content::digest(key, part, &plain) != digest {
            return Err("is not what the entry was made with".into());
        }
        self.checked += 1;
        Ok(true)
    }

    /// Judges what is missing.
    pub fn finish(self, report: &mut VerifyReport, findings: &mut Findings) {
        report.contents_checked = self.checked;
        for (index, event) in self.missing {
            if self.purged_before.is_some_and(|before| event.as_bytes() < &first_at(before)) {
                report.contents_purged += 1;
            } else if self.erased.contains(&event) {
                report.contents_erased += 1;
            } else if !self.told.contains(&event) {
                let why = "its content or the key to it is missing, and no purge accounts for that";
                findings.add(Finding::at(index, FindingKind::Content, why));
            }
        }
    }
}
