//! Changes to the files themselves, byte by byte, by somebody who knows nothing about them.
//!
//! A database file has bytes that mean nothing: unused space, counters that SQLite rewrites. So the property is: every
//! change is found, unless what is stored reads exactly as before.

use super::tamper::build;
use super::*;
use crate::seeded::Random;
use rusqlite::{Connection, OpenFlags, types::Value};
use std::fs;
use std::time::Instant;

/// Everything stored: schema and all rows of both databases, and the checkpoint file. `None` when unreadable.
fn stored(folder: &Path) -> Option<Vec<Vec<Value>>> {
    let mut all = vec![vec![Value::Blob(fs::read(folder.join("checkpoint")).ok()?)]];
    for (file, format) in
        [("audit.sqlite", &read::FORMAT), ("content.sqlite", &super::super::content::FORMAT)]
    {
        let database = crate::sqlite::open_read_only(&folder.join(file), format).ok()?;
        let tables = ["sqlite_schema", "entry", "checkpoint", "head", "open_intent", "content"];
        for table in tables {
            let exists = database.prepare(&format!("SELECT * FROM {table} LIMIT 0")).is_ok();
            if !exists {
                continue;
            }
            let mut statement = database.prepare(&format!("SELECT * FROM {table}")).ok()?;
            let columns = statement.column_count();
            let mut rows = statement.query([]).ok()?;
            while let Some(row) = rows.next().ok()? {
                all.push((0..columns).map(|column| row.get(column)).collect::<Result<_, _>>().ok()?);
            }
        }
    }
    Some(all)
}

#[derive(Default, Debug)]
struct Tally {
    found: u32,
    without_effect: u32,
}

impl Tally {
    fn judge(&mut self, folder: &Path, keys: &dyn KeyStore, before: &[Vec<Value>], what: &str) {
        let sound = verify_folder(folder, keys).is_sound();
        match (sound, stored(folder).as_deref() == Some(before)) {
            (false, _) => self.found += 1,
            (true, true) => self.without_effect += 1,
            (true, false) => panic!("not found: {what}"),
        }
    }
}

/// Flips one byte of a copy of `file`, `rounds` times.
fn flip_bytes(folder: &Path, keys: &dyn KeyStore, file: &str, rounds: u32, random: &mut Random) -> Tally {
    let mut tally = Tally::default();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(folder, copy.path());
    let before = stored(copy.path()).unwrap();
    for _ in 0..rounds {
        // From scratch every time: reading a copy with a write-ahead log may already change files.
        let copy = tempfile::tempdir().unwrap();
        copy_folder(folder, copy.path());
        let path = copy.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
        fs::write(&path, bytes).unwrap();
        tally.judge(copy.path(), keys, &before, &format!("byte {at} of {file}"));
    }
    eprintln!("{file}: {tally:?}");
    tally
}

#[test]
fn any_byte_of_any_file() {
    let mut random = Random::seeded();
    let fixture = build(2000, &mut random);
    let keys = fixture.keys();
    let log = flip_bytes(&fixture.folder(), &*keys, "audit.sqlite", 150, &mut random);
    assert!(log.found > 120, "{log:?}");
    let content = flip_bytes(&fixture.folder(), &*keys, "content.sqlite", 80, &mut random);
    assert!(content.found > 40, "{content:?}");
    let checkpoint = flip_bytes(&fixture.folder(), &*keys, "checkpoint", 100, &mut random);
    assert_eq!(checkpoint.without_effect, 0);
}

#[test]
fn any_byte_of_a_write_ahead_log() {
    let mut random = Random::seeded();
    let fixture = Fixture::new();
    let log = fixture.open();
    for n in 0..60 {
        log.append(submissions(start(), n * 5..n * 5 + 5)).unwrap();
    }
    let caught_up = |log: &FileAudit| {
        fs::read_to_string(fixture.folder().join("checkpoint")).unwrap() == log.head().unwrap().checkpoint
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while !caught_up(&log) {
        assert!(Instant::now() < deadline, "the checkpoint file does not catch up");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Nothing writes now, so a copy of the files is what a power cut would leave.
    let crashed = tempfile::tempdir().unwrap();
    copy_folder(&fixture.folder(), crashed.path());
    assert!(fs::metadata(crashed.path().join("audit.sqlite-wal")).unwrap().len() > 0);
    let keys = fixture.keys();
    let tally = flip_bytes(crashed.path(), &*keys, "audit.sqlite-wal", 60, &mut random);
    assert!(tally.found > 0);
    drop(log);
}

#[test]
fn files_cut_short_emptied_or_exchanged() {
    let mut random = Random::seeded();
    let fixture = build(400, &mut random);
    let keys = fixture.keys();
    let files = ["audit.sqlite", "content.sqlite", "checkpoint"];
    for round in 0..60 {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&fixture.folder(), copy.path());
        let file = files[round % 3];
        let path = copy.path().join(file);
        let bytes = fs::read(&path).unwrap();
        let keep = if round < 3 { 0 } else { random.below(bytes.len() as u64) as usize };
        fs::write(&path, &bytes[..keep]).unwrap();
        assert!(!verify_folder(copy.path(), &*keys).is_sound(), "{keep} bytes of {file}");
    }
    let other = build(400, &mut random);
    for file in files {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&fixture.folder(), copy.path());
        fs::copy(other.folder().join(file), copy.path().join(file)).unwrap();
        assert!(!verify_folder(copy.path(), &*keys).is_sound(), "another log's {file}");
    }
    // All of another log: sound in itself, and not ours.
    assert!(!verify_folder(&other.folder(), &*keys).is_sound());
}

#[test]
fn a_log_on_a_read_only_medium_can_be_verified() {
    let mut random = Random::seeded();
    let fixture = build(50, &mut random);
    let file = fixture.folder().join("audit.sqlite");
    let uri = format!("file:{}?immutable=1", file.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let count: i64 = Connection::open_with_flags(uri, flags)
        .unwrap()
        .query_row("SELECT count(*) FROM entry", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 50, "after closing, the file alone is the whole log");
    fixture.sound();
    assert!(!fixture.folder().join("audit.sqlite-wal").exists(), "verifying leaves nothing behind");
}
