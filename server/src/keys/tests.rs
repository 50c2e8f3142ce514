#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use std::fs;
use std::path::{Path, PathBuf};

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn pool(name: &str) -> PoolName {
    name.parse().unwrap()
}

fn store() -> (tempfile::TempDir, FileKeyStore) {
    let folder = tempfile::tempdir().unwrap();
    let keys = FileKeyStore::create(&folder.path().join("keys")).unwrap();
    (folder, keys)
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let files = entries.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
}

fn holds(folder: &Path, needle: &[u8]) -> bool {
    files(folder).iter().any(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle))
}

fn rewrite(file: &Path, change: impl Fn(String) -> String) {
    fs::write(file, change(fs::read_to_string(file).unwrap())).unwrap();
}

#[test]
fn keys_survive_reopening() {
    let (folder, keys) = store();
    let created = keys.create_pool(&pool("custody")).unwrap();
    let subjects: Vec<_> = (0..5).map(|_| SubjectId::at(now())).collect();
    let first = keys.create_subject_keys(&created, &subjects, now()).unwrap();
    let event = EventId::at(now());
    keys.put_content_keys(&[(event, SealKey::from_bytes([9; 32]))]).unwrap();
    drop(keys);

    let keys = FileKeyStore::open(&folder.path().join("keys")).unwrap();
    assert!(matches!(keys.create_pool(&pool("custody")), Err(KeyError::PoolExists { .. })));
    let opened = keys.open_pool(&pool("custody"), &created.check()).unwrap();
    assert_eq!(opened.lookup_digest(&[b"x"]), created.lookup_digest(&[b"x"]));
    let again = keys.create_subject_keys(&opened, &subjects, now()).unwrap();
    let all = keys.subject_keys(&opened).unwrap();
    assert_eq!(all.len(), 5);
    for ((subject, a), b) in subjects.iter().zip(&first).zip(&again) {
        assert_eq!(a.expose(), b.expose());
        assert_eq!(all[subject].expose(), a.expose());
        assert!(!holds(folder.path(), a.expose()), "a subject's key lies open");
    }
    assert_eq!(keys.content_key(event).unwrap().unwrap().expose(), &[9; 32]);
    assert!(!holds(folder.path(), &[9; 32]));
    assert!(keys.subject_key(&opened, SubjectId::at(now())).unwrap().is_none());
}

#[test]
fn opening_a_pool_with_another_pools_key_fails() {
    let (folder, keys) = store();
    let (a, b) = (keys.create_pool(&pool("a")).unwrap(), keys.create_pool(&pool("b")).unwrap());
    assert_ne!(a.check(), b.check());
    assert!(matches!(keys.open_pool(&pool("a"), &b.check()), Err(KeyError::WrongPoolKey { .. })));
    assert!(matches!(keys.open_pool(&pool("c"), &b.check()), Err(KeyError::UnknownPool { .. })));

    let pools = folder.path().join("keys/pools");
    let right = fs::read(pools.join("a.key")).unwrap();
    fs::copy(pools.join("b.key"), pools.join("a.key")).unwrap();
    let error = keys.open_pool(&pool("a"), &a.check()).unwrap_err();
    assert_eq!(error.to_string(), "key file `a.key` holds the key of `pool b`, not of `pool a`");
    // The same with the label forged.
    rewrite(&pools.join("a.key"), |text| text.replace("pool b", "pool a"));
    let error = keys.open_pool(&pool("a"), &a.check()).unwrap_err();
    assert!(matches!(error, KeyError::WrongPoolKey { .. }));
    assert!(error.to_string().contains("`a`"), "{error}");
    fs::write(pools.join("a.key"), right).unwrap();
    keys.open_pool(&pool("a"), &a.check()).unwrap();

    // A subject's key under pool B's key: refused, although the file is the right one.
    let subject = SubjectId::at(now());
    keys.create_subject_keys(&a, &[subject], now()).unwrap();
    fs::copy(pools.join("a.sqlite"), pools.join("b.sqlite")).unwrap();
    fs::copy(pools.join("a.sqlite-wal"), pools.join("b.sqlite-wal")).unwrap();
    let keys = FileKeyStore::open(&folder.path().join("keys")).unwrap();
    let error = keys.subject_key(&b, subject).unwrap_err();
    assert!(matches!(error, KeyError::Seal(SealError::Refused)), "{error}");
}

#[test]
fn a_destroyed_key_makes_the_seal_unreadable_for_good() {
    let (folder, keys) = store();
    let custody = keys.create_pool(&pool("custody")).unwrap();
    let subjects: Vec<_> = (0..100).map(|_| SubjectId::at(now())).collect();
    let created = keys.create_subject_keys(&custody, &subjects, now()).unwrap();
    let sealed = created[50].seal(b"image", b"pixels").unwrap();
    drop(created);
    let file = folder.path().join("keys/pools/custody.sqlite");
    let connection = rusqlite::Connection::open(file).unwrap();
    let wrapped: Vec<u8> = connection
        .query_row("SELECT wrapped FROM subject_key WHERE subject = ?1", [subjects[50].as_bytes()], |row| {
            row.get(0)
        })
        .unwrap();
    drop(connection);
    assert!(holds(folder.path(), &wrapped));

    assert_eq!(keys.destroy_subject_keys(&custody, &subjects[50..51], now()).unwrap(), 1);
    assert_eq!(keys.destroy_subject_keys(&custody, &subjects[50..51], now()).unwrap(), 0);
    let asked = [subjects[49], subjects[50], SubjectId::at(now())];
    let states = keys.key_states(&custody, &asked).unwrap();
    assert_eq!(states, [KeyState::Kept, KeyState::Destroyed, KeyState::Unknown]);
    assert!(!holds(folder.path(), &wrapped), "the wrapped key is still in a file");
    drop(keys);
    let keys = FileKeyStore::open(&folder.path().join("keys")).unwrap();
    assert!(keys.subject_key(&custody, subjects[50]).unwrap().is_none());
    assert_eq!(keys.subject_keys(&custody).unwrap().len(), 99);
    assert!(matches!(
        keys.create_subject_keys(&custody, &[SubjectId::at(now()), subjects[50]], now()),
        Err(KeyError::Destroyed { .. })
    ));
    assert_eq!(keys.subject_keys(&custody).unwrap().len(), 99, "a refused call leaves no key");
    for (_, key) in keys.subject_keys(&custody).unwrap() {
        assert!(key.open(b"image", &sealed).is_err());
    }
}

#[test]
fn destroying_a_pool_leaves_the_others_byte_identical() {
    let (folder, keys) = store();
    let (a, b) = (keys.create_pool(&pool("a")).unwrap(), keys.create_pool(&pool("b")).unwrap());
    for pool in [&a, &b] {
        keys.create_subject_keys(pool, &[SubjectId::at(now())], now()).unwrap();
    }
    let others = |folder: &Path| -> Vec<_> {
        files(folder)
            .into_iter()
            .filter(|(path, _)| !path.file_name().unwrap().to_string_lossy().starts_with("a."))
            .collect()
    };
    let before = others(folder.path());
    keys.destroy_pool(&pool("a")).unwrap();
    assert_eq!(others(folder.path()), before);
    assert!(files(folder.path()).len() < before.len() + 1);
    assert!(matches!(keys.open_pool(&pool("a"), &a.check()), Err(KeyError::UnknownPool { .. })));
    assert_ne!(keys.create_pool(&pool("a")).unwrap().check(), a.check());
}

#[test]
fn content_keys_are_destroyed_by_age() {
    let (_folder, keys) = store();
    let day = |day: i64| Timestamp::from_second(86_400 * day).unwrap();
    let events: Vec<_> = (0..10).map(|n| EventId::at(day(n))).collect();
    let new: Vec<_> = events.iter().map(|event| (*event, SealKey::generate().unwrap())).collect();
    keys.put_content_keys(&new).unwrap();
    assert_eq!(keys.newest_content_keys(3).unwrap(), [events[9], events[8], events[7]]);
    assert_eq!(keys.destroy_content_keys_before(day(4)).unwrap(), 4);
    assert!(keys.content_key(events[3]).unwrap().is_none());
    assert!(keys.content_key(events[4]).unwrap().is_some());
    assert_eq!(keys.destroy_content_keys(&events[..6]).unwrap(), 2);
    assert!(keys.put_content_keys(&[new[9].clone()]).is_err(), "a content key is never replaced");
}

#[test]
fn a_store_that_is_not_whole_or_not_private_does_not_open() {
    let (folder, keys) = store();
    drop(keys);
    let root = folder.path().join("keys");
    assert!(matches!(FileKeyStore::create(&root), Err(KeyError::File(FileError::Exists(_)))));
    let refused = |file: &str, change: fn(String) -> String| {
        let path = root.join(file);
        let right = fs::read(&path).unwrap();
        rewrite(&path, change);
        let error = FileKeyStore::open(&root).unwrap_err();
        fs::write(&path, right).unwrap();
        error.to_string()
    };
    assert!(refused("root.key", |text| text.replace("key 1", "key 2")).contains("another version"));
    assert!(refused("root.key", |text| text.replace("root", "audit")).contains("not of `root`"));
    assert!(refused("root.key", |text| text[..40].into()).contains("64 hexadecimal digits"));
    assert!(refused("root.key", |text| text + "more").contains("more than three lines"));
    assert!(refused("audit.pub", |_| "x+1+2".into()).contains("not a verifier key"));
    assert!(
        refused("audit.key", |text| text.replace(['a', 'b', 'c'], "0").replace("0udit", "audit"))
            .contains("public half")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(root.join("root.key"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(FileKeyStore::open(&root), Err(KeyError::File(FileError::Exposed { .. }))));
        fs::set_permissions(root.join("root.key"), fs::Permissions::from_mode(0o600)).unwrap();
    }
    FileKeyStore::open(&root).unwrap();
    fs::remove_file(root.join("content.sqlite")).unwrap();
    assert!(FileKeyStore::open(&root).is_err());
}

#[test]
fn content_keys_need_the_root_key_they_were_wrapped_with() {
    let (folder, keys) = store();
    let (other_folder, other) = store();
    let event = EventId::at(now());
    keys.put_content_keys(&[(event, SealKey::generate().unwrap())]).unwrap();
    drop((keys, other));
    let roots = [folder, other_folder].map(|folder| (folder.path().join("keys/root.key"), folder));
    fs::copy(&roots[1].0, &roots[0].0).unwrap();
    let keys = FileKeyStore::open(&roots[0].1.path().join("keys")).unwrap();
    assert!(matches!(keys.content_key(event), Err(KeyError::Seal(SealError::Refused))));
}

#[test]
fn checkpoints_are_signed_with_the_published_key() {
    let (folder, keys) = store();
    let signature = keys.sign_checkpoint(b"text").unwrap();
    let published = fs::read_to_string(folder.path().join("keys/audit.pub")).unwrap();
    let published: VerifierKey = published.parse().unwrap();
    assert_eq!(published, keys.audit_key());
    assert!(published.verify(b"text", &signature));
    assert!(!published.verify(b"Text", &signature));
}

#[test]
fn only_a_statement_about_a_list_is_signed_as_one() {
    let (_folder, keys) = store();
    let text = "likeness deletion list 1\ndl-0\n";
    assert!(keys.audit_key().verify(text.as_bytes(), &keys.sign_list(text).unwrap()));
    for other in ["", "{\n}\n", "likeness-audit-0\n5\nroot\n", " likeness deletion list 1\n"] {
        assert!(keys.sign_list(other).is_err(), "{other:?}");
    }
}
