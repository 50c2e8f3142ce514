//! Which entries have content about somebody: what an erasure has to reach in the content store.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;

use super::{AuditError, Phase, StoredEntry, canonical};
use crate::{
    ids::{EventId, SubjectId},
    sqlite::{from_row, to_row},
};

/// Length of an id as text.
const UUID: usize = 36;

/// A walk over the log, from its beginning or from where an earlier walk ended, that collects the events whose content is
/// about any of a set of subjects.
///
/// Three kinds of entry have such content: those that name the subject; the event of a whole search over several pools, which
/// names only its parts; and the replay of either.
#[derive(Debug)]
pub struct Naming {
    /// Ids whose mention makes an entry worth reading, with the subjects each stands for: the subjects themselves, and the
    /// events found so far.
    wanted: HashMap<[u8; 16], BTreeSet<SubjectId>>,
    /// Events with content, in the order of the log.
    found: Vec<(EventId, BTreeSet<SubjectId>)>,
    /// Where the next piece starts.
    next: u64,
}

impl Naming {
    /// A walk that looks for these subjects.
    pub fn of(subjects: impl IntoIterator<Item = SubjectId>) -> Self {
        let wanted = subjects.into_iter().map(|id| (*id.as_bytes(), BTreeSet::from([id]))).collect();
        Naming { wanted, found: Vec::new(), next: 0 }
    }

    /// The events found so far, each with the subjects its content is about. The walk forgets them and goes on where it was.
    pub fn take(&mut self) -> Vec<(EventId, BTreeSet<SubjectId>)> {
        std::mem::take(&mut self.found)
    }

    /// Entries looked at so far.
    pub fn walked(&self) -> u64 {
        self.next
    }

    fn look_at(&mut self, stored: &StoredEntry) {
        let entry = &stored.entry;
        let shown = entry.candidates.iter().map(|shown| shown.subject_id);
        let named = entry.subjects.iter().copied().chain(shown);
        let mut about: BTreeSet<SubjectId> =
            named.filter(|id| self.wanted.contains_key(id.as_bytes())).collect();
        if let Some(parts) = self.wanted.get(entry.event_id.as_bytes()) {
            about.extend(parts);
        }
        let replay = entry.rpc.ends_with("/Replay");
        if let Some(replayed) = entry.related.filter(|_| replay)
            && let Some(original) = self.wanted.get(replayed.as_bytes())
        {
            about.extend(original);
        }
        if about.is_empty() {
            return;
        }
        // The whole of which this is a part comes later in the log and names nobody.
        let whole = entry.related.filter(|_| entry.phase == Phase::Single && !replay);
        for event in std::iter::once(entry.event_id).chain(whole) {
            self.wanted.entry(*event.as_bytes()).or_default().extend(&about);
        }
        if entry.content.is_some() {
            self.found.push((entry.event_id, about));
        }
    }
}

/// Walks over up to `limit` further entries; `true` when the end is reached.
pub(super) fn walk(connection: &Connection, naming: &mut Naming, limit: usize) -> Result<bool, AuditError> {
    let mut statement =
        connection.prepare("SELECT idx, hash, body FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2")?;
    let limit_rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query([to_row(naming.next)?, limit_rows])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let index = from_row(row.get(0)?)?;
        naming.next = index + 1;
        seen += 1;
        // Most entries name nobody who is wanted: their text is looked through, and not read.
        let body = row.get_ref(2)?.as_bytes().unwrap_or_default();
        if !mentions(body, &naming.wanted) {
            continue;
        }
        let stored = canonical::read(index, row.get(1)?, body.to_vec())
            .map_err(|why| AuditError::Unsound(format!("entry {index} cannot be read: {why}")))?;
        naming.look_at(&stored);
    }
    Ok(seen < limit)
}

/// Whether one of the ids stands in the text as a quoted UUID.
fn mentions<T>(body: &[u8], ids: &HashMap<[u8; 16], T>) -> bool {
    memchr::memchr_iter(b'-', body).any(|at| {
        // The first hyphen of a UUID stands after eight digits; the others fail here and are passed over.
        let Some(start) = at.checked_sub(8) else { return false };
        let Some(text) = body.get(start..start + UUID) else { return false };
        uuid::Uuid::try_parse_ascii(text).is_ok_and(|id| ids.contains_key(id.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn an_id_is_found_wherever_it_stands() {
        let id = SubjectId::at(Timestamp::now());
        let ids: HashMap<[u8; 16], ()> = [(*id.as_bytes(), ())].into();
        for text in
            [format!("{{\"a\":\"{id}\"}}"), format!("x-y-{id}"), format!("{id}"), format!("12345678-{id}-")]
        {
            assert!(mentions(text.as_bytes(), &ids), "{text}");
        }
        let other = SubjectId::at(Timestamp::now());
        for text in [format!("{other}"), id.to_string()[1..].to_owned(), "a-b-c".to_owned(), String::new()] {
            assert!(!mentions(text.as_bytes(), &ids), "{text}");
        }
    }
}
