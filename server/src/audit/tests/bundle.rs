//! Bundles: what was exported is verified with the public key alone, and any change to it is found.

use super::tamper::build;
use super::*;
use crate::audit::bundle::{BundleWriter, verify_bundle};
use crate::audit::verify::FindingKind;
use crate::keys::VerifierKey;
use crate::seeded::Random;
use std::fs;

const FILES: [&str; 3] = ["entries.jsonl", "leaves", "checkpoint"];

fn export(log: &dyn AuditRead, folder: &Path) {
    let head = log.head().unwrap();
    let mut bundle = BundleWriter::create(folder).unwrap();
    while bundle.count() < head.size {
        for stored in log.entries(bundle.count(), 1000).unwrap() {
            bundle.push(&stored.body, &stored.hash).unwrap();
        }
    }
    bundle.finish(&head.checkpoint).unwrap();
}

/// A log of `entries` entries, exported.
fn exported(entries: u64, random: &mut Random) -> (Fixture, PathBuf, VerifierKey) {
    let fixture = build(entries, random);
    let folder = fixture.folder.path().join("bundle");
    let key = fixture.keys().audit_key();
    export(&AuditReader::open(&fixture.folder(), key.clone(), None).unwrap(), &folder);
    (fixture, folder, key)
}

/// One random change; says what was done. `None` when it would change nothing.
fn change(bytes: &[u8], random: &mut Random) -> Option<(String, Vec<u8>)> {
    let length = bytes.len() as u64;
    let (at, other) = (random.below(length) as usize, random.below(length) as usize);
    let mut changed = bytes.to_vec();
    let what = match random.below(6) {
        0 => {
            changed[at] ^= 1 << random.below(8);
            format!("bit of byte {at}")
        }
        1 => {
            changed[at] = random.below(256) as u8;
            format!("byte {at}")
        }
        2 => {
            changed.remove(at);
            format!("without byte {at}")
        }
        3 => {
            changed.truncate(at);
            format!("cut to {at} bytes")
        }
        4 => {
            changed.swap(at, other);
            format!("bytes {at} and {other} swapped")
        }
        _ => return lines_changed(bytes, random),
    };
    (changed != bytes).then_some((what, changed))
}

/// Whole lines removed, repeated, swapped or cut off.
fn lines_changed(bytes: &[u8], random: &mut Random) -> Option<(String, Vec<u8>)> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let count = lines.len() as u64;
    let (at, other) = (random.below(count) as usize, random.below(count) as usize);
    let what = match random.below(4) {
        0 => {
            lines.remove(at);
            format!("without line {at}")
        }
        1 => {
            lines.insert(other, lines[at]);
            format!("line {at} again before line {other}")
        }
        2 => {
            lines.swap(at, other);
            format!("lines {at} and {other} swapped")
        }
        _ => {
            lines.truncate(at);
            format!("cut to {at} lines")
        }
    };
    let changed = lines.concat();
    (changed != bytes).then_some((what, changed))
}

#[test]
fn a_thousand_random_changes_to_ten_thousand_entries_are_all_found() {
    const ROUNDS: usize = 1000;
    let mut random = Random::seeded();
    let (_fixture, folder, key) = exported(10_000, &mut random);
    let report = verify_bundle(&folder, &key, &[]);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.entries, report.checkpoints), (10_000, 1));
    let originals: Vec<Vec<u8>> = FILES.iter().map(|name| fs::read(folder.join(name)).unwrap()).collect();
    let (mut found, mut per_file) = (0, [0; 3]);
    while found < ROUNDS {
        // The files differ in size by a factor of 50,000: each gets its share of the changes.
        let file = random.below(3) as usize;
        let Some((what, changed)) = change(&originals[file], &mut random) else { continue };
        let path = folder.join(FILES[file]);
        fs::write(&path, changed).unwrap();
        let report = verify_bundle(&folder, &key, &[]);
        assert!(!report.is_sound(), "{}: {what}: not found", FILES[file]);
        fs::write(&path, &originals[file]).unwrap();
        per_file[file] += 1;
        found += 1;
    }
    assert!(verify_bundle(&folder, &key, &[]).is_sound());
    println!(
        "report: {found} of {ROUNDS} changes to a bundle of 10000 entries found ({per_file:?} in {FILES:?})"
    );
}

#[test]
fn the_first_bad_entry_is_named() {
    let mut random = Random::seeded();
    let (_fixture, folder, key) = exported(300, &mut random);
    let path = folder.join("entries.jsonl");
    let original = fs::read(&path).unwrap();
    let lines: Vec<&[u8]> = original.split_inclusive(|byte| *byte == b'\n').collect();
    for _ in 0..60 {
        let at = random.below(299) as usize;
        let mut changed = lines.clone();
        let text = String::from_utf8(lines[at].to_vec()).unwrap().replace("force-a", "force-b");
        let (kind, named) = match random.below(4) {
            0 => {
                changed[at] = text.as_bytes();
                (FindingKind::Changed, at)
            }
            1 => {
                changed.remove(at);
                (FindingKind::Removed, at)
            }
            2 => {
                changed.swap(at, at + 1);
                (FindingKind::Removed, at)
            }
            _ => {
                changed.truncate(at);
                (FindingKind::Truncated, at)
            }
        };
        fs::write(&path, changed.concat()).unwrap();
        let report = verify_bundle(&folder, &key, &[]);
        let first = &report.findings[0];
        assert_eq!((first.entry, first.kind), (Some(named as u64), kind), "{first}");
    }
    fs::write(&path, &original).unwrap();
    // Something else in the folder, and a key that is another log's.
    fs::write(folder.join("notes.txt"), "x").unwrap();
    assert_eq!(verify_bundle(&folder, &key, &[]).findings[0].kind, FindingKind::Structure);
    fs::remove_file(folder.join("notes.txt")).unwrap();
    let other = Fixture::new().keys().audit_key();
    assert_eq!(verify_bundle(&folder, &other, &[]).findings[0].kind, FindingKind::Checkpoint);
}

#[test]
fn a_bundle_that_was_forged_as_a_whole_contradicts_a_kept_receipt() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let kept = log.append(submissions(start(), 0..30)).unwrap()[0].checkpoint().to_owned();
    log.append(submissions(start(), 30..50)).unwrap();
    let key = fixture.keys().audit_key();
    let folder = fixture.folder.path().join("bundle");
    export(&log, &folder);
    assert!(verify_bundle(&folder, &key, std::slice::from_ref(&kept)).is_sound());
    // The same key, another history: what only its holder could make.
    let forged = Fixture::new();
    drop(log);
    fs::remove_dir_all(forged.folder.path().join("keys")).unwrap();
    copy_folder(&fixture.folder.path().join("keys"), &forged.folder.path().join("keys"));
    fs::remove_dir_all(forged.folder()).unwrap();
    FileAudit::create(&forged.folder(), &*forged.keys()).unwrap();
    let log = forged.open();
    log.append(submissions(start(), 100..150)).unwrap();
    let folder = forged.folder.path().join("bundle");
    export(&log, &folder);
    assert!(verify_bundle(&folder, &key, &[]).is_sound(), "by itself it is a log of this key");
    let report = verify_bundle(&folder, &key, &[kept]);
    assert!(
        report.findings.iter().any(|finding| finding.kind == FindingKind::Rewritten),
        "{:?}",
        report.findings
    );
}

#[test]
fn an_empty_log_makes_a_bundle_and_a_folder_with_one_is_left_alone() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let folder = fixture.folder.path().join("bundle");
    export(&log, &folder);
    let key = fixture.keys().audit_key();
    assert!(verify_bundle(&folder, &key, &[]).is_sound());
    assert!(BundleWriter::create(&folder).is_err());
    fs::write(folder.join("leaves"), "\n").unwrap();
    assert!(!verify_bundle(&folder, &key, &[]).is_sound());
    fs::remove_file(folder.join("leaves")).unwrap();
    assert!(!verify_bundle(&folder, &key, &[]).is_sound());
}
