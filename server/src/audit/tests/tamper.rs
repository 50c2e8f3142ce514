//! Changes to rows, by somebody who can write the database and knows its format. All of them are found, and
//! the first bad entry is named.

use super::*;
use crate::audit::canonical::{body, leaf_hash, members};
use crate::audit::merkle::Frontier;
use crate::audit::verify::{Finding, FindingKind};
use crate::seeded::Random;
use rusqlite::{Connection, params};
use std::fs;

const ENTRIES: u64 = 2000;
/// Changes of each kind.
const ROUNDS: usize = 20;

pub(super) const WITHOUT_TRIGGERS: &str = "DROP TRIGGER entry_stays; DROP TRIGGER entry_remains;
     DROP TRIGGER checkpoint_stays; DROP TRIGGER checkpoint_remains;";

/// A log of `entries` entries in commits of 1 to 40, every fourth entry with content, some intents left open.
pub(super) fn build(entries: u64, random: &mut Random) -> Fixture {
    let fixture = Fixture::new();
    let log = fixture.open();
    let mut next = 0;
    while next < entries {
        let end = (next + 1 + random.below(40)).min(entries);
        let mut batch = submissions(start(), next..end);
        for submission in batch.iter_mut().filter(|_| random.below(20) == 0) {
            (submission.entry.phase, submission.entry.outcome) = (Phase::Intent, None);
        }
        log.append(batch).unwrap();
        next = end;
    }
    drop(log);
    fixture
}

/// What an attacker holds: a copy of the log, its triggers put aside while it is changed.
struct Attack {
    folder: tempfile::TempDir,
    log: Connection,
    content: Connection,
}

impl Attack {
    fn on(fixture: &Fixture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&fixture.folder(), folder.path());
        let log = Connection::open(folder.path().join("audit.sqlite")).unwrap();
        let content = Connection::open(folder.path().join("content.sqlite")).unwrap();
        // The attacker need not survive a power cut; the test is faster.
        for connection in [&log, &content] {
            connection.pragma_update(None, "synchronous", "OFF").unwrap();
        }
        log.execute_batch(WITHOUT_TRIGGERS).unwrap();
        Self { folder, log, content }
    }

    fn body(&self, index: u64) -> Vec<u8> {
        self.log.query_row("SELECT body FROM entry WHERE idx = ?1", [index as i64], |row| row.get(0)).unwrap()
    }

    fn set(&self, index: u64, column: &str, value: &[u8]) {
        let statement = format!("UPDATE entry SET {column} = ?2 WHERE idx = ?1");
        assert_eq!(self.log.execute(&statement, params![index as i64, value]).unwrap(), 1);
    }

    /// Size that the last checkpoint below `size` is about.
    fn last_commit_before(&self, size: u64) -> u64 {
        let statement = "SELECT max(size) FROM checkpoint WHERE size < ?1";
        self.log.query_row(statement, [size as i64], |row| row.get::<_, i64>(0)).unwrap() as u64
    }

    /// Puts the triggers back and verifies.
    fn findings(self, fixture: &Fixture) -> Vec<Finding> {
        let triggers: Vec<&str> =
            read::FORMAT.tables.split_inclusive("END;").filter(|part| part.contains("TRIGGER")).collect();
        for trigger in triggers {
            let from = trigger.find("CREATE TRIGGER").unwrap();
            self.log.execute_batch(&trigger[from..]).unwrap();
        }
        drop((self.log, self.content));
        verify_folder(self.folder.path(), &*fixture.keys()).findings
    }
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len() as u64) as usize;
    bytes[at] ^= 1 + random.below(255) as u8;
}

/// Runs an attack many times; it returns which entry must be named first.
fn attack(kinds: &[FindingKind], mut change: impl FnMut(&Attack, &mut Random) -> Option<u64>) {
    let mut random = Random::seeded();
    let fixture = build(ENTRIES, &mut random);
    fixture.sound();
    for _ in 0..ROUNDS {
        let attack = Attack::on(&fixture);
        let entry = change(&attack, &mut random);
        let findings = attack.findings(&fixture);
        let first = findings.first().unwrap_or_else(|| panic!("not found: a change of entry {entry:?}"));
        assert!(kinds.contains(&first.kind), "{first:?}");
        assert_eq!(first.entry, entry, "{first}");
    }
}

#[test]
fn changed_bytes_of_a_body() {
    attack(&[FindingKind::Changed], |attack, random| {
        let index = random.below(ENTRIES);
        let mut body = attack.body(index);
        flip(&mut body, random);
        attack.set(index, "body", &body);
        Some(index)
    });
}

#[test]
fn changed_bytes_with_their_hash_made_to_fit() {
    // Then the entry itself is in order; the next one is linked to something else.
    attack(&[FindingKind::Unlinked], |attack, random| {
        let index = random.below(ENTRIES - 1);
        let before = String::from_utf8(attack.body(index)).unwrap();
        let after = before.replace("force-a", "force-b");
        attack.set(index, "body", after.as_bytes());
        attack.set(index, "hash", &leaf_hash(after.as_bytes()));
        Some(index)
    });
}

#[test]
fn the_last_entry_changed_with_its_hash_made_to_fit() {
    attack(&[FindingKind::Rewritten], |attack, _| {
        let after = String::from_utf8(attack.body(ENTRIES - 1)).unwrap().replace("force-a", "force-b");
        attack.set(ENTRIES - 1, "body", after.as_bytes());
        attack.set(ENTRIES - 1, "hash", &leaf_hash(after.as_bytes()));
        Some(attack.last_commit_before(ENTRIES))
    });
}

#[test]
fn changed_hashes_and_events() {
    attack(&[FindingKind::Changed], |attack, random| {
        let index = random.below(ENTRIES);
        let (column, length) = if random.below(2) == 0 { ("hash", 32) } else { ("event", 16) };
        let statement = format!("SELECT {column} FROM entry WHERE idx = ?1");
        let mut bytes: Vec<u8> = attack.log.query_row(&statement, [index as i64], |row| row.get(0)).unwrap();
        assert_eq!(bytes.len(), length);
        flip(&mut bytes, random);
        attack.set(index, column, &bytes);
        Some(index)
    });
}

#[test]
fn removed_entries() {
    attack(&[FindingKind::Removed], |attack, random| {
        let index = random.below(ENTRIES - 1);
        let until = (index + 1 + random.below(5)).min(ENTRIES - 1);
        attack
            .log
            .execute("DELETE FROM entry WHERE idx >= ?1 AND idx < ?2", [index as i64, until as i64])
            .unwrap();
        Some(index)
    });
}

#[test]
fn removed_entries_with_the_others_moved_up() {
    attack(&[FindingKind::Moved], |attack, random| {
        let index = random.below(ENTRIES - 1) as i64;
        attack.log.execute("DELETE FROM entry WHERE idx = ?1", [index]).unwrap();
        // In two steps, because a number may not be in use twice on the way.
        attack.log.execute("UPDATE entry SET idx = idx + 100000 WHERE idx > ?1", [index]).unwrap();
        attack.log.execute("UPDATE entry SET idx = idx - 100001 WHERE idx > 100000", []).unwrap();
        Some(index as u64)
    });
}

#[test]
fn swapped_entries() {
    attack(&[FindingKind::Moved], |attack, random| {
        let (a, b) = (random.below(ENTRIES), random.below(ENTRIES));
        let b = if a == b { (a + 1) % ENTRIES } else { b };
        for (from, to) in [(a, 999_999), (b, a), (999_999, b)] {
            attack.log.execute("UPDATE entry SET idx = ?2 WHERE idx = ?1", [from as i64, to as i64]).unwrap();
        }
        Some(a.min(b))
    });
}

#[test]
fn a_tail_cut_off_with_everything_in_the_database_made_to_fit() {
    attack(&[FindingKind::Truncated], |attack, random| {
        // At a commit, so that an older checkpoint signs for exactly what is left.
        let size = attack.last_commit_before(1 + random.below(ENTRIES - 1)) as i64;
        let mut frontier = Frontier::default();
        for index in 0..size as u64 {
            frontier.push(leaf_hash(&attack.body(index)));
        }
        let peaks = frontier.to_bytes();
        attack.log.execute("DELETE FROM entry WHERE idx >= ?1", [size]).unwrap();
        attack.log.execute("DELETE FROM checkpoint WHERE size > ?1", [size]).unwrap();
        attack.log.execute("DELETE FROM open_intent WHERE idx >= ?1", [size]).unwrap();
        attack.log.execute("UPDATE head SET size = ?1, frontier = ?2", params![size, peaks]).unwrap();
        Some(size as u64)
    });
}

#[test]
fn a_history_written_anew_from_some_entry_on() {
    // Every hash and link fits; only the signatures cannot be made.
    attack(&[FindingKind::Rewritten], |attack, random| {
        let index = random.below(ENTRIES);
        let agreed = attack.last_commit_before(index + 1);
        let mut previous = if index == 0 { [0; 32] } else { leaf_hash(&attack.body(index - 1)) };
        attack.log.execute_batch("BEGIN").unwrap();
        for index in index..ENTRIES {
            let stored = canonical::read(index, [0; 32], attack.body(index)).unwrap();
            let mut entry = stored.entry;
            entry.rpc = "Search.Other".into();
            let body = body(members(&entry).unwrap(), index, &previous).unwrap();
            previous = leaf_hash(&body);
            attack.set(index, "body", &body);
            attack.set(index, "hash", &previous);
        }
        attack.log.execute_batch("COMMIT").unwrap();
        Some(agreed)
    });
}

#[test]
fn entries_added_at_the_end() {
    attack(&[FindingKind::Unsigned], |attack, _| {
        let previous = leaf_hash(&attack.body(ENTRIES - 1));
        let added = entry(start(), 5);
        let body = body(members(&added).unwrap(), ENTRIES, &previous).unwrap();
        let statement = "INSERT INTO entry (idx, event, body, hash) VALUES (?1, ?2, ?3, ?4)";
        let values = params![ENTRIES as i64, added.event_id.as_bytes(), body, leaf_hash(&body)];
        attack.log.execute(statement, values).unwrap();
        Some(ENTRIES)
    });
}

#[test]
fn changed_checkpoints_head_intents_and_triggers() {
    let kinds = [FindingKind::Checkpoint, FindingKind::Structure, FindingKind::Unsigned];
    let mut round = 0;
    attack(&kinds, |attack, random| {
        round += 1;
        let rows: i64 =
            attack.log.query_row("SELECT count(*) FROM checkpoint", [], |row| row.get(0)).unwrap();
        let pick = random.below(rows as u64 - 1) as i64;
        let size: i64 = attack
            .log
            .query_row("SELECT size FROM checkpoint ORDER BY size LIMIT 1 OFFSET ?1", [pick], |row| {
                row.get(0)
            })
            .unwrap();
        let statement = match round % 8 {
            0 => format!("DELETE FROM checkpoint WHERE size = {size}"),
            1 => format!("UPDATE checkpoint SET note = 'x' || note WHERE size = {size}"),
            2 => format!("UPDATE checkpoint SET size = 1000000 + size WHERE size = {size}"),
            3 => "UPDATE head SET frontier = zeroblob(length(frontier))".into(),
            4 => "UPDATE head SET size = size - 1".into(),
            5 => "DELETE FROM open_intent WHERE idx = (SELECT max(idx) FROM open_intent)".into(),
            6 => "CREATE TRIGGER more AFTER INSERT ON entry BEGIN DELETE FROM open_intent; END".into(),
            _ => "INSERT INTO open_intent (event, idx) SELECT event, idx FROM entry WHERE event NOT IN
                  (SELECT event FROM open_intent) LIMIT 1"
                .into(),
        };
        assert!(attack.log.execute(&statement, []).unwrap() > 0 || statement.starts_with("CREATE"));
        None
    });
}

#[test]
fn removed_triggers() {
    let mut random = Random::seeded();
    let fixture = build(20, &mut random);
    let attack = Attack::on(&fixture);
    drop((attack.log, attack.content));
    let findings = verify_folder(attack.folder.path(), &*fixture.keys()).findings;
    assert_eq!(findings[0].kind, FindingKind::Structure);
}

#[test]
fn changed_removed_or_swapped_content() {
    attack(&[FindingKind::Content], |attack, random| {
        let index = 4 * random.below(ENTRIES / 4);
        let event = |index: u64| -> Vec<u8> {
            attack
                .log
                .query_row("SELECT event FROM entry WHERE idx = ?1", [index as i64], |row| row.get(0))
                .unwrap()
        };
        let sealed = |index: u64| -> Vec<u8> {
            let statement = "SELECT sealed FROM content WHERE event = ?1 AND part = 'response'";
            attack.content.query_row(statement, [event(index)], |row| row.get(0)).unwrap()
        };
        let put = |index: u64, sealed: Vec<u8>| {
            let statement = "UPDATE content SET sealed = ?2 WHERE event = ?1 AND part = 'response'";
            assert_eq!(attack.content.execute(statement, params![event(index), sealed]).unwrap(), 1);
        };
        match random.below(3) {
            0 => {
                let mut sealed = sealed(index);
                flip(&mut sealed, random);
                put(index, sealed);
                Some(index)
            }
            1 => {
                attack.content.execute("DELETE FROM content WHERE event = ?1", [event(index)]).unwrap();
                Some(index)
            }
            _ => {
                let other = if index == 0 { 4 } else { 0 };
                let (a, b) = (sealed(index), sealed(other));
                put(index, b);
                put(other, a);
                Some(index.min(other))
            }
        }
    });
}

#[test]
fn an_older_state_as_a_whole_contradicts_a_receipt() {
    let mut random = Random::seeded();
    let fixture = build(100, &mut random);
    let saved = tempfile::tempdir().unwrap();
    copy_folder(&fixture.folder(), saved.path());
    let receipt = fixture.open().append(vec![entry(start(), 1).into()]).unwrap().pop().unwrap();
    let keys = fixture.keys();
    // On its own the older state is sound: nothing in it says that there was more.
    assert!(verify_folder(saved.path(), &*keys).is_sound());
    let options =
        VerifyOptions { expected: vec![receipt.checkpoint().to_owned()], ..VerifyOptions::default() };
    let report = verify(saved.path(), &keys.audit_key(), &options).unwrap();
    assert_eq!((report.findings[0].kind, report.findings[0].entry), (FindingKind::Truncated, Some(100)));
    assert!(verify(&fixture.folder(), &keys.audit_key(), &options).unwrap().is_sound());
    let nonsense = VerifyOptions { expected: vec!["nonsense".into()], ..VerifyOptions::default() };
    assert!(verify(&fixture.folder(), &keys.audit_key(), &nonsense).is_err());
    fs::remove_file(saved.path().join("content.sqlite")).unwrap();
    let report = verify_folder(saved.path(), &*keys);
    assert_eq!(
        (report.findings[0].kind, report.entries),
        (FindingKind::Content, 100),
        "entries are checked all the same"
    );
    fs::remove_file(saved.path().join("audit.sqlite")).unwrap();
    assert!(!verify_folder(saved.path(), &*keys).is_sound(), "a missing log is not a sound one");
}
