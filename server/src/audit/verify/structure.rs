//! Whether the database is built as it should be, and what is derived from the entries fits them.

use super::finding::{Finding, FindingKind, Findings};
use crate::ids::EventId;
use crate::sqlite::Format;
use rusqlite::Connection;
use std::collections::HashSet;

/// Most complaints taken over from SQLite's own check.
const COMPLAINTS: usize = 20;

/// Compares tables and triggers with those of `format`, and has SQLite check its pages.
pub(super) fn check(database: &Connection, format: &Format, findings: &mut Findings) {
    let wanted = Connection::open_in_memory().and_then(|empty| {
        empty.execute_batch(format.tables)?;
        schema(&empty)
    });
    match (wanted, schema(database)) {
        (Ok(wanted), Ok(found)) if wanted == found => {}
        (Ok(_), Ok(_)) => {
            let why = format!("tables or triggers are not those of {}", format.what);
            findings.add(Finding::of_log(FindingKind::Structure, why));
        }
        (Err(error), _) | (_, Err(error)) => unreadable(&error, findings),
    }
    match complaints(database) {
        Ok(complaints) => {
            for complaint in complaints.into_iter().filter(|complaint| complaint != "ok") {
                findings
                    .add(Finding::of_log(FindingKind::Structure, format!("{}: {complaint}", format.what)));
            }
        }
        Err(error) => unreadable(&error, findings),
    }
}

/// Compares the head and the list of open intents with what the entries say.
pub(super) fn check_derived(
    log: &Connection,
    size: u64,
    frontier: &[u8],
    open: &HashSet<EventId>,
    findings: &mut Findings,
) {
    let mut bad = |why: &str| findings.add(Finding::of_log(FindingKind::Structure, why));
    match log.query_row("SELECT size, frontier FROM head", [], |row| Ok((row.get(0)?, row.get(1)?))) {
        Ok((found, peaks)) => {
            let (found, peaks): (i64, Vec<u8>) = (found, peaks);
            if u64::try_from(found) != Ok(size) || peaks != frontier {
                bad("its head does not fit its entries");
            }
        }
        Err(_) => bad("its head cannot be read"),
    }
    match listed(log) {
        Ok(listed) if listed == *open => {}
        Ok(_) => bad("its list of open intents does not fit its entries"),
        Err(_) => bad("its list of open intents cannot be read"),
    }
}

fn listed(log: &Connection) -> Result<HashSet<EventId>, rusqlite::Error> {
    let mut statement = log.prepare("SELECT event, idx FROM open_intent")?;
    let mut rows = statement.query([])?;
    let mut listed = HashSet::new();
    let mut position = log.prepare("SELECT idx FROM entry WHERE event = ?1")?;
    while let Some(row) = rows.next()? {
        let event = EventId::from_bytes(row.get(0)?);
        let (said, found): (i64, i64) =
            (row.get(1)?, position.query_row([event.as_bytes()], |row| row.get(0))?);
        if said == found {
            listed.insert(event);
        }
    }
    Ok(listed)
}

fn schema(database: &Connection) -> Result<Vec<[Option<String>; 4]>, rusqlite::Error> {
    let mut statement =
        database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")?;
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    rows.collect()
}

fn complaints(database: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let mut statement = database.prepare(&format!("PRAGMA integrity_check({COMPLAINTS})"))?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn unreadable(error: &rusqlite::Error, findings: &mut Findings) {
    findings.add(Finding::of_log(FindingKind::Unreadable, error.to_string()));
}
