//! The bytes that are hashed and signed. A change here breaks every log that exists: raise the version instead.

use super::*;
use crate::audit::canonical::{body, leaf_hash, members, read};
use crate::audit::note::{Checkpoint, NoteError};

#[test]
fn an_entry_of_version_1_is_these_bytes() {
    let mut entry = Entry::new(start(), "Search.Search", Operation::Disclosure, Phase::Outcome);
    entry.event_id = "019b7c3a-0000-7000-8000-000000000001".parse().unwrap();
    entry.related = Some("019b7c3a-0000-7000-8000-000000000002".parse().unwrap());
    entry.outcome = Some(Outcome::Answered);
    entry.justification = Some("line\nbreak \"quoted\" é".into());
    entry.counts.insert("faces".into(), 2);
    entry.server_version = "0.1.0".into();
    let image = "019b7c3a-0000-7000-8000-000000000003".parse().unwrap();
    let subject = "019b7c3a-0000-7000-8000-000000000004".parse().unwrap();
    entry.candidates.push(Candidate::new(1, image, subject, 0.123_456_78).unwrap());
    entry.content_purged_before = Some(Timestamp::UNIX_EPOCH);
    let bytes = body(members(&entry).unwrap(), 7, &[0xab; 32]).unwrap();
    let expected = [
        r#"{"candidates":[{"image_id":"019b7c3a-0000-7000-8000-000000000003","rank":1,"similarity":"0.123457","#,
        r#""subject_id":"019b7c3a-0000-7000-8000-000000000004"}],"content_purged_before":"1970-01-01T00:00:00.000Z","#,
        r#""counts":{"faces":2},"event_id":"019b7c3a-0000-7000-8000-000000000001","index":7,"#,
        r#""justification":"line\nbreak \"quoted\" é","occurred_at":"2026-01-02T03:04:05.678Z","#,
        r#""operation":"disclosure","outcome":"answered","phase":"outcome","#,
        r#""prev":"abababababababababababababababababababababababababababababababab","#,
        r#""related":"019b7c3a-0000-7000-8000-000000000002","rpc":"Search.Search","server_version":"0.1.0","version":1}"#,
    ]
    .concat();
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    let stored = read(7, leaf_hash(&bytes), bytes.clone()).unwrap();
    assert_eq!((stored.entry, stored.previous), (entry, [0xab; 32]));
    assert!(read(8, leaf_hash(&bytes), bytes).is_err());
}

#[test]
fn an_entry_with_unknown_fields_or_version_is_not_half_understood() {
    let bytes = body(members(&entry(start(), 3)).unwrap(), 0, &[0; 32]).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for changed in
        [text.replace("\"version\":1", "\"version\":2"), text.replace("\"rpc\"", "\"rpd\":1,\"rpc\"")]
    {
        assert!(read(0, [0; 32], changed.into_bytes()).is_err());
    }
}

#[test]
fn checkpoints_are_notes_of_this_log_only() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let (keys, other) = (fixture.keys(), other.keys());
    let origin = keys.audit_key().name().to_owned();
    let checkpoint = Checkpoint { origin, size: 42, root: [5; 32], commit: 17 };
    let note = checkpoint.sign(&*keys).unwrap();
    assert_eq!(note.lines().count(), 6);
    assert_eq!(Checkpoint::open(&note, &keys.audit_key()).unwrap(), checkpoint);
    assert_eq!(Checkpoint::open(&note, &other.audit_key()), Err(NoteError::Origin));
    let forged = Checkpoint { size: 41, ..checkpoint.clone() }.sign(&*keys).unwrap();
    let (text, _) = forged.split_once("\n\n").unwrap();
    let (_, signature) = note.split_once("\n\n").unwrap();
    let mixed = format!("{text}\n\n{signature}");
    assert_eq!(Checkpoint::open(&mixed, &keys.audit_key()), Err(NoteError::Signature));
    // A witness may add its own signature.
    let witnessed =
        format!("{note}\u{2014} witness Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n");
    assert_eq!(Checkpoint::open(&witnessed, &keys.audit_key()).unwrap(), checkpoint);
    for bad in ["", "\n\n", "a\n\nb", &note.replace("42", "042"), &note.replace("commit 17\n", "")] {
        assert!(Checkpoint::open(bad, &keys.audit_key()).is_err(), "{bad}");
    }
}
