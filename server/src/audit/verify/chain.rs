//! Entry by entry: what is hashed, what is linked, and what was signed.

use super::contents::Contents;
use super::expired::Expired;
use super::finding::{Finding, FindingKind, Findings};
use super::tree::{self, Growing};
use super::witness::{Witness, Witnesses};
use super::{VerifyReport, structure};
use crate::audit::canonical::{self, ReadError};
use crate::audit::{Phase, StoredEntry};
use crate::ids::EventId;
use crate::keys::VerifierKey;
use rusqlite::{Connection, Row};
use std::collections::HashSet;

/// Where the reading stands.
struct Chain<'a> {
    /// Index the next entry must have.
    next: u64,
    /// What the next entry may name as the hash before it: the hash of the last body, and the one stored with it.
    /// When only one of them fits, that entry was changed, and is reported; its successor is not to blame.
    /// Empty after a gap.
    previous: Vec<[u8; 32]>,
    tree: Growing,
    open: HashSet<EventId>,
    expired: Expired,
    findings: &'a mut Findings,
}

/// Reads the whole log as of one moment.
pub(super) fn check(
    log: &Connection,
    key: &VerifierKey,
    outside: Vec<Witness>,
    contents: Option<&mut Contents<'_>>,
    least_days: Option<u32>,
    report: &mut VerifyReport,
    findings: &mut Findings,
) {
    // One snapshot for every statement below.
    let result = log.execute_batch("BEGIN").map_err(|error| error.to_string()).and_then(|()| {
        structure::check(log, &crate::audit::read::FORMAT, findings);
        let witnesses = Witnesses::load(log, key, outside, findings)?;
        read(log, witnesses, contents, least_days, report, findings)
    });
    if let Err(why) = result {
        findings.add(Finding::of_log(FindingKind::Unreadable, why));
    }
}

fn read(
    log: &Connection,
    mut witnesses: Witnesses,
    mut contents: Option<&mut Contents<'_>>,
    least_days: Option<u32>,
    report: &mut VerifyReport,
    findings: &mut Findings,
) -> Result<(), String> {
    let mut chain = Chain {
        next: 0,
        previous: vec![[0; 32]],
        tree: Growing::default(),
        open: HashSet::new(),
        expired: Expired::default(),
        findings,
    };
    witnesses.compare(0, chain.tree.root());
    let mut statement = log
        .prepare("SELECT idx, event, hash, body FROM entry ORDER BY idx")
        .map_err(|error| error.to_string())?;
    let mut rows = statement.query([]).map_err(|error| error.to_string())?;
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                let stored = chain.step(row, witnesses.agreed());
                if let (Some(stored), Some(contents)) = (stored, contents.as_mut()) {
                    contents.visit(&stored, chain.findings);
                }
                report.entries += 1;
                witnesses.compare(chain.next, chain.tree.root());
            }
            Ok(None) => break,
            Err(error) => {
                let why = format!("it and what follows cannot be read: {error}");
                chain.findings.add(Finding::at(chain.next, FindingKind::Unreadable, why));
                break;
            }
        }
    }
    witnesses.finish(chain.next, chain.findings);
    report.root = chain.tree.root();
    report.checkpoints = witnesses.compared();
    report.open_intents = chain.open.len() as u64;
    report.expired = chain.expired.count();
    if report.expired > 0 {
        let stubs = stubs(log)?;
        for finding in chain.expired.judge(least_days, stubs.into_iter()) {
            chain.findings.add(finding);
        }
    }
    let size = chain.next;
    structure::check_derived(log, size, &chain.tree.frontier(), &chain.open, chain.findings);
    Ok(())
}

impl Chain<'_> {
    /// Checks one row; returns the entry when it can be read. Entries before `agreed` are known to be right.
    fn step(&mut self, row: &Row<'_>, agreed: u64) -> Option<StoredEntry> {
        let (index, event, hash, body) = match columns(row) {
            Ok(columns) => columns,
            Err(error) => {
                self.add(self.next, FindingKind::Unreadable, format!("its row cannot be read: {error}"));
                self.next += 1;
                self.previous.clear();
                return None;
            }
        };
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        if index != self.next {
            self.gap(index);
        }
        self.next = index.saturating_add(1);
        if body.is_empty() {
            if !self.expired.gone(index) {
                let why = "its body is gone, although an older one is there";
                self.add(index, FindingKind::Removed, why);
            }
            self.tree.push(hash);
            self.previous = vec![hash];
            return None;
        }
        let computed = tree::leaf(&body);
        self.tree.push(computed);
        let intact = computed == hash;
        let read = canonical::read(index, hash, body);
        match &read {
            _ if !intact => self.add(index, FindingKind::Changed, "its bytes are not those that were hashed"),
            Err(ReadError::Position) => {
                self.add(index, FindingKind::Moved, "it says that it belongs to another position");
            }
            Err(ReadError::Form(why)) => self.add(index, FindingKind::Changed, *why),
            Ok(stored) if !self.previous.is_empty() && !self.previous.contains(&stored.previous) => {
                // Either of the two may be the changed one, unless the first is vouched for.
                let (first, why) = if agreed >= index {
                    (index, "it is linked to another entry than the one before it")
                } else {
                    (
                        index.saturating_sub(1),
                        "it or the next one was changed: the link between them does not fit",
                    )
                };
                self.add(first, FindingKind::Unlinked, why);
            }
            Ok(stored) if stored.entry.event_id.as_bytes() != &event => {
                self.add(index, FindingKind::Changed, "it is listed under another event");
            }
            Ok(_) => {}
        }
        self.previous = vec![computed, hash];
        let stored = read.ok()?;
        if let Some(mark) = &stored.entry.metadata_purged {
            self.expired.recorded(index, stored.entry.occurred_at, mark.clone());
        }
        match (stored.entry.phase, stored.entry.related) {
            (Phase::Intent, _) => _ = self.open.insert(stored.entry.event_id),
            (Phase::Outcome, Some(intent)) => _ = self.open.remove(&intent),
            (Phase::Outcome | Phase::Single, _) => {}
        }
        Some(stored)
    }

    fn gap(&mut self, index: u64) {
        let (kind, why) = if index > self.next {
            (FindingKind::Removed, format!("removed: the next one there is {index}"))
        } else {
            (FindingKind::Structure, format!("entry {index} stands in its place"))
        };
        self.add(self.next, kind, why);
        self.previous.clear();
    }

    fn add(&mut self, entry: u64, kind: FindingKind, why: impl Into<String>) {
        self.findings.add(Finding::at(entry, kind, why));
    }
}

/// Event id and leaf hash.
type Leaf = ([u8; 16], [u8; 32]);

/// Event id and leaf hash of every entry, up to the first whose columns have another form.
fn stubs(log: &Connection) -> Result<Vec<Leaf>, String> {
    let failed = |error: rusqlite::Error| error.to_string();
    let mut statement = log.prepare("SELECT event, hash FROM entry ORDER BY idx").map_err(failed)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    Ok(rows.map_while(Result::ok).collect())
}

type Columns = (i64, [u8; 16], [u8; 32], Vec<u8>);

fn columns(row: &Row<'_>) -> Result<Columns, rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}
