//! What is not in a backup, and what is not taken from one.
use std::collections::BTreeSet;

use super::*;

/// Bytes of a piece: longer than an id, which keys and records have in common.
const PIECE: usize = 24;

fn looks_random(piece: &[u8]) -> bool {
    let different: BTreeSet<&u8> = piece.iter().collect();
    different.len() >= 18 && piece.iter().filter(|byte| !byte.is_ascii()).count() >= 6
}

fn filled() -> Place {
    let place = Place::new();
    place.create("cells", PoolKind::Custody).unwrap();
    enrol(&place.service, "cells", "a", 0);
    enrol(&place.service, "cells", "b", 1);
    place
}

#[test]
fn no_key_is_in_a_backup() {
    let place = filled();
    let backup = back_up(&place, "backup");
    let keys = files(&place.data.keys());
    assert!(keys.len() >= 5, "{:?}", keys.keys());
    let copied = files(&backup);
    let mut looked_for = 0;
    for (name, bytes) in &keys {
        let mut needles = vec![bytes.clone()];
        // A key file: the digits, and the key itself.
        if name.ends_with(".key") {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let digits = text.lines().nth(2).unwrap().to_owned();
            needles.push(hex::decode(&digits).unwrap());
            needles.push(digits.into_bytes());
        }
        for needle in needles {
            looked_for += 1;
            let found = copied.iter().find(|(_, bytes)| memchr::memmem::find(bytes, &needle).is_some());
            assert!(found.is_none(), "{name} is in {:?}", found.map(|(path, _)| path));
        }
    }
    // Wrapped keys neither: no piece of the key store's databases that looks like one is anywhere in the copy.
    let windows: BTreeSet<&[u8]> = copied.values().flat_map(|bytes| bytes.windows(PIECE)).collect();
    for (name, bytes) in keys.iter().filter(|(name, _)| !name.ends_with(".pub")) {
        for piece in bytes.windows(PIECE).filter(|piece| looks_random(piece)) {
            looked_for += 1;
            assert!(!windows.contains(piece), "{PIECE} bytes of {name} are in the backup");
        }
    }
    assert!(looked_for > 500, "only {looked_for} pieces of keys were found in the key store");
    assert!(
        !copied
            .keys()
            .any(|path| path.starts_with("keys") || path.contains("lock") || path.ends_with("tree"))
    );
    // And nothing is readable: no image, no name.
    for plain in [bytes_of("a/1"), bytes_of("b/2")] {
        assert!(!copied.values().any(|bytes| memchr::memmem::find(bytes, &plain[..16]).is_some()));
    }
    println!("report: {looked_for} keys looked for in {} files", copied.len());
}

#[test]
fn every_name_in_a_data_directory_is_backed_up_or_left_out_on_purpose() {
    let place = filled();
    // A running service reads its revocations again with the next call: an empty list must be one.
    let none = crate::identity::Revocations::read(&place.data.revocations()).unwrap().to_toml().unwrap();
    for (file, text) in [("revocations.toml", none.as_str()), ("issuers.toml", ""), ("anomalies.toml", "")] {
        crate::durable::create_file(&place.data.path().join(file), text.as_bytes()).unwrap();
    }
    for folder in ["policies", "points", "retention", "erasure"] {
        crate::durable::create_dir(&place.data.path().join(folder)).unwrap();
        crate::durable::create_file(&place.data.path().join(folder).join("made.toml"), b"x").unwrap();
    }
    let left_out = ["keys", "lock", "siem-position"];
    let backup = back_up(&place, "backup");
    for entry in fs::read_dir(place.data.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let wanted = !left_out.contains(&name.as_str());
        assert_eq!(backup.join(&name).exists(), wanted, "`{name}`: decide whether a backup has it");
    }
    let mode =
        |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
    for entry in walkdir::WalkDir::new(&backup) {
        let entry = entry.unwrap();
        assert_eq!(mode(entry.path()) & 0o077, 0, "{}", entry.path().display());
    }
}

#[test]
fn damage_to_any_file_is_noticed_and_named() {
    let place = filled();
    let backup = back_up(&place, "backup");
    let token = place.token(&[Role::PoolAdmin]);
    let Place { _folder: folder, data, service } = place;
    drop(service);
    let whole = files(&backup);
    let look = |path: &str| match Backup::open(&backup).and_then(|backup| backup.verify_all()) {
        Err(error) => error.to_string(),
        Ok(()) => panic!("{path}: not noticed"),
    };
    let mut tried = 0;
    for (path, bytes) in &whole {
        let file = backup.join(path);
        let mut damaged: Vec<Option<Vec<u8>>> = vec![None, Some([bytes.as_slice(), b"\n"].concat())];
        if !bytes.is_empty() {
            let mut flipped = bytes.clone();
            flipped[bytes.len() / 2] ^= 1;
            damaged.extend([Some(flipped), Some(bytes[..bytes.len() - 1].to_vec()), Some(Vec::new())]);
        }
        for content in damaged {
            match content {
                None => fs::remove_file(&file).unwrap(),
                Some(content) => fs::write(&file, content).unwrap(),
            }
            // Of the description one more line break changes nothing it says; the log has its digest and refuses it.
            if let Ok(Ok(())) = Backup::open(&backup).map(|backup| backup.verify_all()) {
                assert_eq!(path, "backup.json");
                let error = restore(&data, &token, &backup, false).unwrap_err();
                assert_eq!(code(&error), "backup_of_another_log");
            } else {
                let said = look(path);
                assert!(
                    said.contains(path.as_str()) || path == "backup.json" || path == "SHA256SUMS",
                    "{path}: {said}"
                );
            }
            tried += 1;
            fs::write(&file, bytes).unwrap();
        }
    }
    fs::write(backup.join("pools/cells/extra"), b"x").unwrap();
    assert!(look("extra").contains("list does not name"));
    fs::remove_file(backup.join("pools/cells/extra")).unwrap();
    // Through the command, too: refused, on record, and nothing changed.
    let blob = whole.keys().find(|path| path.contains("/blobs/")).unwrap();
    fs::write(backup.join(blob), b"other bytes").unwrap();
    let error = restore(&data, &token, &backup, false).unwrap_err();
    assert!(code(&error) == "backup_damaged" && error.to_string().contains(blob), "{error}");
    fs::write(backup.join(blob), &whole[blob]).unwrap();
    restore(&data, &token, &backup, false).unwrap();
    println!("report: {tried} damages to {} files, each noticed", whole.len());
    drop(folder);
}

#[test]
fn a_place_that_cannot_be_used_is_refused_and_left_alone() {
    let place = filled();
    let root = place.data.path().parent().unwrap().to_path_buf();
    fs::create_dir(root.join("there")).unwrap();
    fs::create_dir(root.join("cut.partial")).unwrap();
    let refused = |to: &Path| match try_back_up(&place, to, false).unwrap_err() {
        Unanswered::Refused { refusal, .. } => (refusal.code, refusal.message),
        Unanswered::Unrecorded(error) => panic!("{error}"),
    };
    for (to, said) in [
        (root.join("there"), "exists already"),
        (place.data.path().join("inside"), "lies in the data directory"),
        (place.data.pools().join("../../data/inside"), "lies in the data directory"),
        (PathBuf::from("relative"), "not an absolute path"),
        (root.join("no/such/parent"), "is not there"),
        (root.join("cut"), "cut short"),
    ] {
        let (code, message) = refused(&to);
        assert!(code == "backup_destination" && message.contains(said), "{}: {message}", to.display());
    }
    let mut asked = place.asked(&[Role::Searcher, Role::Enroller, Role::Auditor], "system_administration");
    asked.rpc = "likeness.v1.BackupService/CreateBackup";
    let request = BackupRequest {
        destination: root.join("mine").to_str().unwrap().to_owned(),
        without_credentials: false,
    };
    let denied =
        place.service.back_up(asked, &request, |_| Rendered { message: (), bytes: vec![] }).unwrap_err();
    assert_eq!(refusal(denied).kind, RefusalKind::Denied);
    assert!(!root.join("mine").exists() && !root.join("mine.partial").exists());
    assert_eq!(place.entries().last().unwrap().outcome, Some(Outcome::Denied));
}

#[test]
fn a_backup_of_another_service_or_with_another_description_is_refused() {
    let (place, other) = (filled(), filled());
    let (mine, theirs) = (back_up(&place, "backup"), back_up(&other, "backup"));
    let (place, error) = closed(place, |data, token| restore(data, token, &theirs, true).unwrap_err());
    assert_eq!(code(&error), "backup_of_another_log");
    let expect = |expect: String| RestoreRequest { expect: Some(expect), ..request(true) };
    let (place, error) = closed(place, |data, token| {
        offline::restore(data.path(), token, &fields(), &mine, &expect("0".repeat(64))).unwrap_err()
    });
    assert_eq!(code(&error), "backup_unexpected");
    let digest = Backup::open(&mine).unwrap().digest().to_owned();
    // A person who may not, and a server that runs.
    let searcher = place.token(&[Role::Searcher]);
    let locked = restore(&place.data, &searcher, &mine, true).unwrap_err();
    assert!(matches!(locked, offline::OfflineError::Locked(_)), "{locked}");
    let (place, error) = closed(place, |data, _| restore(data, &searcher, &mine, true).unwrap_err());
    assert!(matches!(error, offline::OfflineError::Refused { denied: true, .. }), "{error}");
    closed(place, |data, token| {
        offline::restore(data.path(), token, &fields(), &mine, &expect(digest)).unwrap();
    });
}

#[test]
fn a_key_store_that_does_not_know_a_subject_removes_nothing_and_opens_nothing() {
    let place = filled();
    let root = place.data.path().parent().unwrap().to_path_buf();
    // The key store as it was before somebody came.
    fs::create_dir(root.join("old")).unwrap();
    let (place, ()) = closed(place, |data, _| {
        assert!(
            std::process::Command::new("cp")
                .arg("-a")
                .arg(data.keys())
                .arg(root.join("old"))
                .status()
                .unwrap()
                .success()
        );
    });
    let (_, images) = enrol(&place.service, "cells", "late", 2);
    let backup = back_up(&place, "backup");
    let token = place.token(&[Role::PoolAdmin]);
    let Place { _folder: folder, data, service } = place;
    drop(service);
    let apart = offline::Apart { keys: root.join("old/keys"), credentials: None };
    let into = root.join("new");
    let error = offline::restore_new(&into, &token, &fields(), &backup, &apart, &request(false)).unwrap_err();
    assert_eq!(code(&error), "keys_missing");
    assert!(error.to_string().contains("newest copy of the key store"), "{error}");
    assert!(!into.exists() && !root.join("new.partial").exists());
    // The same at a start.
    fs::rename(data.keys(), root.join("right")).unwrap();
    fs::rename(root.join("old/keys"), data.keys()).unwrap();
    let opened = Service::open(&data, Arc::new(SystemClock), Opening::Administer);
    let Err(OpenError::Reapply(error)) = opened else { panic!("it opened with the wrong keys") };
    assert!(error.to_string().contains("no tombstone"), "{error}");
    for image in images {
        assert!(data.pools().join("cells/blobs").join(crate::blobs::file_name(image)).exists());
    }
    drop(folder);
}

#[test]
fn an_image_erased_meanwhile_is_left_out_and_a_lost_one_stops_the_backup() {
    let place = filled();
    let root = place.data.path().parent().unwrap().to_path_buf();
    let (erased, images) = enrol(&place.service, "cells", "gone", 3);
    let blob = |image| place.data.pools().join("cells/blobs").join(crate::blobs::file_name(image));
    fs::remove_file(blob(images[0])).unwrap();
    let Unanswered::Refused { refusal, .. } = try_back_up(&place, &root.join("lost"), false).unwrap_err()
    else {
        panic!("not recorded")
    };
    assert!(
        refusal.code == "backup_failed" && refusal.message.contains(&images[0].to_string()),
        "{refusal:?}"
    );
    assert!(!root.join("lost").exists() && !root.join("lost.partial").exists(), "nothing is left of it");
    assert!(place.service.audit().open_intents().unwrap().is_empty());

    let cells = ready(&place.service, "cells");
    let key = place.service.keys.open_pool(&cells.definition().name, &cells.definition().key_check).unwrap();
    place.service.keys.destroy_subject_keys(&key, &[erased], moment()).unwrap();
    drop(cells);
    let made = try_back_up(&place, &root.join("made"), false).unwrap();
    assert_eq!((made.manifest.pools[0].erased_meanwhile, made.manifest.pools[0].images), (1, 5));
    let (_place, restored) =
        closed(place, |data, token| restore(data, token, &root.join("made"), true).unwrap());
    assert_eq!((restored.pools[0].subjects, restored.pools[0].images), (2, 4));
}
