#![allow(clippy::unwrap_used, reason = "tests")]

use jiff::{Timestamp, ToSpan as _};

use super::*;
use crate::{
    ids::{ErasureId, EventId, ImageId, SubjectId},
    keys::{FileKeyStore, KeyStore as _, verify_statement},
    seal::{LookupDigest, SealKey},
};

fn now() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().unwrap()
}

fn digest(what: &str) -> LookupDigest {
    SealKey::from_bytes([1; 32]).digest(&[what.as_bytes()])
}

fn begun(reason: ErasureReason, marks: &[&str]) -> Begun {
    Begun {
        id: ErasureId::at(now()),
        pool: "cells".into(),
        subject: SubjectId::at(now()),
        images: vec![ImageId::at(now()), ImageId::at(now())],
        indexed: 1,
        reason,
        rule: Some("custody.pending".into()),
        rules: Some("ab".repeat(32)),
        authority: "hampshire/p-1".into(),
        event: EventId::at(now()),
        begun_at: now(),
        marks: marks.iter().map(|what| Mark { digest: digest(what), of: MarkOf::Subject }).collect(),
    }
}

#[test]
fn what_has_begun_is_unfinished_until_it_is_certified_and_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("erasure")).unwrap();
    let (one, two) =
        (begun(ErasureReason::RetentionEnded, &["a"]), begun(ErasureReason::RightToErasure, &[]));
    ledger.begin(&[one.clone(), two.clone()]).unwrap();
    // Begun again under another number: the first one counts.
    ledger.begin(&[Begun { id: ErasureId::at(now()), ..one.clone() }]).unwrap();
    drop(ledger);
    let ledger = Ledger::open(&folder.path().join("erasure")).unwrap();
    let ids: Vec<ErasureId> = ledger.unfinished().unwrap().iter().map(|erasure| erasure.id).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&one.id) && ids.contains(&two.id));
    ledger.finish(&[(one.id, now(), "certificate".into())]).unwrap();
    ledger.finish(&[(one.id, now(), "another".into())]).unwrap();
    let done = ledger.of_subject("cells", one.subject).unwrap().unwrap();
    assert_eq!(done.certificate.as_deref(), Some("certificate"), "a certificate is given once");
    assert_eq!((done.images, done.indexed, done.rule), (one.images, 1, one.rule));
    assert_eq!(ledger.unfinished().unwrap().len(), 1);
    assert_eq!(ledger.subjects_of("cells").unwrap().len(), 2);
    assert!(ledger.subjects_of("other").unwrap().is_empty());
    assert_eq!(ledger.erasure(two.id).unwrap().unwrap().done_at, None);
}

#[test]
fn a_reference_is_recognised_held_back_decided_and_asked_about_anew() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("erasure")).unwrap();
    let one = begun(ErasureReason::RetentionEnded, &["person", "image"]);
    ledger.begin(std::slice::from_ref(&one)).unwrap();
    assert!(ledger.recognises("cells", &[digest("somebody else")]).unwrap().is_none());
    assert!(ledger.recognises("other", &[digest("person")]).unwrap().is_none(), "a pool knows its own only");
    let found = ledger.recognises("cells", &[digest("unknown"), digest("image")]).unwrap().unwrap();
    assert_eq!((found.erasure, found.digest), (one.id, digest("image")));

    let later = now() + 1.hour();
    let id = ledger.hold_back("cells", found.digest, "pnd", (Some(one.id), None), now()).unwrap();
    assert_eq!(ledger.hold_back("cells", found.digest, "pnd", (Some(one.id), None), later).unwrap(), id);
    let held = ledger.held_back("cells", false).unwrap();
    assert_eq!((held.len(), held[0].attempts, held[0].attempted), (1, 2, (now(), later)));
    let decision = ReimportDecision {
        resolution: Resolution::Allowed,
        authority: "hampshire/p-2".into(),
        reason: "arrested again".into(),
        at: later,
    };
    assert!(ledger.decide("other", id, &decision).unwrap().is_none());
    assert_eq!(ledger.decide("cells", id, &decision).unwrap().unwrap().decision, Some(decision.clone()));
    assert!(ledger.decide("cells", id, &decision).unwrap().is_none(), "decided once");
    assert!(ledger.recognises("cells", &[digest("person"), digest("image")]).unwrap().is_none());
    assert!(ledger.held_back("cells", false).unwrap().is_empty());

    // Erased once more and sent once more: a new question.
    let again = begun(ErasureReason::RetentionEnded, &["image"]);
    ledger.begin(std::slice::from_ref(&again)).unwrap();
    let found = ledger.recognises("cells", &[digest("image")]).unwrap().unwrap();
    assert_eq!(found.erasure, again.id);
    ledger.hold_back("cells", found.digest, "pnd", (Some(again.id), None), later).unwrap();
    assert_eq!(ledger.held_back("cells", false).unwrap().len(), 1);
}

#[test]
fn where_nothing_may_confirm_nothing_is_left_to_recognise() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("erasure")).unwrap();
    let one = begun(ErasureReason::RightToErasure, &[]);
    // It came again while it was beyond use; then it is erased, and the question with it.
    ledger.hold_back("cells", digest("person"), "pnd", (None, Some(one.subject)), now()).unwrap();
    ledger.begin(std::slice::from_ref(&one)).unwrap();
    assert!(ledger.held_back("cells", true).unwrap().is_empty());
    drop(ledger);
    let wanted = digest("person");
    for file in std::fs::read_dir(folder.path().join("erasure")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(32).any(|window| window == wanted.as_bytes()), "the digest is still there");
    }
    for reason in ErasureReason::ALL {
        assert_eq!(reason.code().parse(), Ok(reason));
    }
    assert_eq!("because".parse::<ErasureReason>(), Err(UnknownReason));
}

#[test]
fn a_certificate_verifies_with_the_public_key_and_with_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let keys = FileKeyStore::create(&folder.path().join("keys")).unwrap();
    let ledger = Ledger::open(&folder.path().join("erasure")).unwrap();
    let one = begun(ErasureReason::RightToErasure, &[]);
    ledger.begin(std::slice::from_ref(&one)).unwrap();
    let erasure = ledger.erasure(one.id).unwrap().unwrap();
    let destroyed =
        vec![Destroyed { store: Store::SubjectKey, count: 1, verified: "there is none".to_owned() }];
    let certificate = Certificate::of(&erasure, now(), destroyed);
    assert!(!certificate.recognised_again);
    let note = keys.sign_statement(&certificate.to_json().unwrap()).unwrap();
    let read: Certificate =
        serde_json::from_str(verify_statement(&note, &keys.audit_key()).unwrap()).unwrap();
    assert_eq!(read, certificate);
    for changed in [
        note.replace("\"count\": 1", "\"count\": 2"),
        note.replace('\u{2014}', "-"),
        certificate.to_json().unwrap(),
    ] {
        assert!(verify_statement(&changed, &keys.audit_key()).is_err());
    }
    // What is no statement is not signed: a checkpoint could otherwise be forged.
    for text in ["origin\n5\nroot\n", "{}", "{\n\n}\n"] {
        assert!(keys.sign_statement(text).is_err(), "{text:?}");
    }
}
