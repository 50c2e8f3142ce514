//! What comes back, and what stays away.
use super::*;

const PEOPLE: [&str; 3] = ["a", "b", "c"];

/// Two pools with three persons each.
fn filled() -> Place {
    let place = Place::new();
    for pool in ["cells", "others"] {
        place.create(pool, PoolKind::Custody).unwrap();
        for (seed, person) in PEOPLE.iter().enumerate() {
            enrol(&place.service, pool, person, seed);
        }
    }
    place
}

#[test]
fn the_pools_come_back_and_the_log_goes_on() {
    let place = filled();
    let before = ["cells", "others"].map(|pool| answers(&place.service, pool, &PEOPLE));
    let backup = back_up(&place, "backup");
    let announced = place.entries();
    let [.., intent, outcome] = announced.as_slice() else { panic!("{} entries", announced.len()) };
    assert_eq!((intent.operation, intent.phase), (Operation::Disclosure, Phase::Intent));
    assert_eq!(intent.recipient.as_ref().unwrap().name, "p-1");
    assert_eq!((outcome.outcome, outcome.related), (Some(Outcome::Answered), Some(intent.event_id)));
    let digest = Backup::open(&backup).unwrap().digest().to_owned();
    assert_eq!(outcome.notes["manifest_digest"], digest);
    assert_eq!((outcome.counts["pools"], outcome.counts["images"]), (2, 12));

    // What changes afterwards: somebody new, somebody out of search, a new pool.
    let late = enrol(&place.service, "cells", "late", 9);
    let taken = permit("others", Action::SetEnrolled);
    let others = ready(&place.service, "others");
    let image = {
        let reader = others.reader(&taken).unwrap();
        let a = reader.subject_by_reference("system", "a").unwrap().seen().unwrap();
        reader.images_of(a.id).unwrap()[0].id
    };
    others.writer(&taken).unwrap().set_enrolled(image, None).unwrap();
    drop(others);
    place.create("newer", PoolKind::Custody).unwrap();
    enrol(&place.service, "newer", "n", 5);
    let newer = answers(&place.service, "newer", &["n"]);

    let entries_before = place.entries().len();
    let (place, refused) = closed(place, |data, token| restore(data, token, &backup, false).unwrap_err());
    assert_eq!(code(&refused), "newer_records");
    assert!(refused.to_string().contains("`cells`: 1 subjects and 2 images"), "{refused}");
    assert_eq!(answers(&place.service, "cells", &["late"]).len(), 1);
    assert!(
        ready(&place.service, "cells")
            .recorded(&permit("cells", Action::ReadImage), late.1[0])
            .unwrap()
            .is_some()
    );

    let (place, restored) = closed(place, |data, token| restore(data, token, &backup, true).unwrap());
    assert_eq!(restored.digest, digest);
    assert_eq!(restored.pools.len(), 2);
    assert_eq!(restored.kept, ["newer".parse().unwrap()]);
    assert_eq!(restored.lost.len(), 1);
    assert_eq!(restored.lost[0].newer, Some((1, 2)));
    let after = ["cells", "others"].map(|pool| answers(&place.service, pool, &PEOPLE));
    assert_eq!(before, after, "the same records, bytes and lists");
    assert_eq!(answers(&place.service, "newer", &["n"]), newer);
    let cells = ready(&place.service, "cells");
    assert_eq!(cells.recorded(&permit("cells", Action::ReadImage), late.1[0]).unwrap(), None);

    // The log has gone on: refused, announced, done.
    let entries = place.entries_after(entries_before);
    let told: Vec<_> = entries
        .iter()
        .filter(|entry| entry.rpc == "likeness.cli/Restore")
        .map(|entry| (entry.phase, entry.outcome, entry.operation))
        .collect();
    let alteration = Operation::Alteration;
    assert_eq!(
        told,
        [
            (Phase::Single, Some(Outcome::Rejected), alteration),
            (Phase::Intent, None, alteration),
            (Phase::Outcome, Some(Outcome::Answered), alteration)
        ]
    );
    assert!(place.service.audit().open_intents().unwrap().is_empty());
    for leftover in ["pools.restoring", "pools.restored", "pools.replaced"] {
        assert!(!place.data.path().join(leftover).exists(), "{leftover}");
    }
}

#[test]
fn the_erased_stay_erased_and_the_rest_is_identical() {
    let place = filled();
    let rest = ["a", "c"];
    let (erased, images) = enrol(&place.service, "cells", "gone", 7);
    let backup = back_up(&place, "backup");
    // As an erasure does it: the key, then what it sealed.
    let cells = ready(&place.service, "cells");
    let key = place.service.keys.open_pool(&cells.definition().name, &cells.definition().key_check).unwrap();
    assert_eq!(place.service.keys.destroy_subject_keys(&key, &[erased], moment()).unwrap(), 1);
    drop(cells);
    let sealed: Vec<Vec<u8>> = images
        .iter()
        .map(|image| {
            let file = format!("pools/cells/blobs/{}", crate::blobs::file_name(*image));
            fs::read(backup.join(file)).unwrap()
        })
        .collect();

    // The next start removes what is left of the person, before anything is served.
    let (place, ()) = closed(place, |_, _| ());
    let start = place.entries().len();
    let before = answers(&place.service, "cells", &rest);
    let [.., intent, outcome] = &place.entries()[..start] else { panic!("{start} entries") };
    assert_eq!((intent.rpc.as_str(), intent.operation), ("likeness/reapply", Operation::Erasure));
    assert_eq!(intent.subjects, [erased]);
    assert_eq!((outcome.related, outcome.counts["subjects"]), (Some(intent.event_id), 1));
    assert_eq!((outcome.counts["images"], outcome.counts["files"]), (2, 2));

    // The backup still has the person's rows and files, which nobody can open; a restore takes none of it over.
    let (place, restored) = closed(place, |data, token| restore(data, token, &backup, false).unwrap());
    let cells = restored.pools.iter().find(|pool| pool.name.as_str() == "cells").unwrap();
    assert_eq!((cells.erased.rows.subjects, cells.erased.rows.images, cells.erased.files), (1, 2, 2));
    assert_eq!((cells.subjects, cells.images), (3, 6));
    assert_eq!(answers(&place.service, "cells", &rest), before, "the rest is what it was");
    let found = ready(&place.service, "cells");
    for image in images {
        assert_eq!(found.recorded(&permit("cells", Action::ReadImage), image).unwrap(), None);
        assert!(!place.data.pools().join("cells/blobs").join(crate::blobs::file_name(image)).exists());
    }
    let look = permit("cells", Action::ReadSubject);
    assert!(found.reader(&look).unwrap().subject_by_reference("system", "gone").unwrap().seen().is_none());
    drop(found);
    for sealed in &sealed {
        assert!(
            !holds(&place.data.pools(), sealed),
            "sealed bytes of an erased image are in the data directory"
        );
    }
    // Once is enough: another start finds nothing to do.
    let entries = place.entries().len();
    let (place, ()) = closed(place, |_, _| ());
    assert_eq!(place.entries().len(), entries);
}

#[test]
fn a_new_machine_is_made_from_backup_and_keys() {
    let place = filled();
    let before = ["cells", "others"].map(|pool| answers(&place.service, pool, &PEOPLE));
    let root = place.data.path().parent().unwrap().to_path_buf();
    let (with, without) = (root.join("with"), root.join("without"));
    try_back_up(&place, &with, false).unwrap();
    try_back_up(&place, &without, true).unwrap();
    assert!(with.join("issuer/issuer.key").exists() && !without.join("issuer").exists());
    let (erased, _) = enrol(&place.service, "cells", "after", 8);
    let token = place.token(&[Role::PoolAdmin]);
    let Place { _folder: folder, data, service } = place;
    drop(service);

    let keys = data.keys();
    let alone = offline::Apart { keys: keys.clone(), credentials: None };
    let whole = offline::Apart { keys, credentials: Some(data.path().to_path_buf()) };
    let asked = request(false);
    let refused =
        offline::restore_new(&root.join("new"), &token, &fields(), &without, &alone, &asked).unwrap_err();
    assert!(refused.to_string().contains("--credentials"), "{refused}");
    for (name, from, apart) in [("new", &with, &alone), ("newer", &without, &whole)] {
        let into = root.join(name);
        let restored = offline::restore_new(&into, &token, &fields(), from, apart, &asked).unwrap();
        assert_eq!(restored.pools.len(), 2);
        let made = Service::open(&DataDir::at(&into), Arc::new(SystemClock), Opening::Administer).unwrap();
        let after = ["cells", "others"].map(|pool| answers(&made, pool, &PEOPLE));
        assert_eq!(before, after);
        // Its log begins with that of the service the backup was made of, and goes on.
        let last = made.audit().entries(restored.log_sizes[0], 100).unwrap();
        assert!(last.iter().any(|stored| stored.entry.rpc == "likeness.cli/Restore"), "{}", last.len());
        drop(made);
        let again = offline::restore_new(&into, &token, &fields(), from, apart, &asked).unwrap_err();
        assert!(again.to_string().contains("not empty"), "{again}");
        let log = crate::audit::verify::verify(
            &into.join("audit"),
            &crate::keys::FileKeyStore::open(&into.join("keys")).unwrap().audit_key(),
            &Default::default(),
        )
        .unwrap();
        assert!(log.is_sound(), "{:?}", log.findings);
    }
    // The keys that were lent are as they were: somebody who came after the backup still has one.
    let keys = crate::keys::FileKeyStore::open(&data.keys()).unwrap();
    let definition = crate::pool::PoolDefinition::read(
        data.pools().join("cells/pool.toml"),
        &crate::authorise::Purposes::built_in().unwrap(),
    )
    .unwrap();
    let key = keys.open_pool(&definition.name, &definition.key_check).unwrap();
    assert!(keys.subject_key(&key, erased).unwrap().is_some());
    drop(folder);
}

#[test]
fn pools_that_a_disk_lost_or_damaged_come_back() {
    let mut place = filled();
    let before = answers(&place.service, "cells", &PEOPLE);
    let backup = back_up(&place, "backup");
    for damage in [
        (|data: &DataDir| fs::remove_dir_all(data.pools()).unwrap()) as fn(&DataDir),
        |data| fs::write(data.pools().join("cells/records.sqlite"), b"not a database").unwrap(),
        |data| fs::remove_dir_all(data.pools().join("cells/blobs")).unwrap(),
    ] {
        place = closed(place, |data, token| {
            damage(data);
            // What cannot be read may have held something newer, so the person has to say that it may be lost.
            restore(data, token, &backup, true).unwrap()
        })
        .0;
        assert_eq!(answers(&place.service, "cells", &PEOPLE), before);
    }
}

#[test]
fn a_pool_that_was_dropped_since_stays_dropped() {
    let place = filled();
    let backup = back_up(&place, "backup");
    let dropping = place.asked(&[Role::PoolAdmin], "system_administration");
    place.service.drop_pool(dropping, "others", summary).unwrap();
    let (place, restored) = closed(place, |data, token| restore(data, token, &backup, false).unwrap());
    assert_eq!(restored.dropped, ["others".parse().unwrap()]);
    assert!(place.service.pool("others").is_none() && place.service.pool("cells").is_some());
}

#[test]
fn a_backup_made_while_people_are_enrolled_and_erased_holds_together() {
    let place = filled();
    let root = place.data.path().parent().unwrap().to_path_buf();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let made: Vec<PathBuf> = std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            let mut number = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                enrol(&place.service, "cells", &format!("busy-{number}"), number);
                number += 1;
            }
            number
        });
        let made = (0..3).map(|number| back_up(&place, &format!("busy-{number}"))).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(busy.join().unwrap() > 0);
        made
    });
    let token = place.token(&[Role::PoolAdmin]);
    let Place { _folder: folder, data, service } = place;
    drop(service);
    for (number, from) in made.iter().enumerate() {
        let apart = offline::Apart { keys: data.keys(), credentials: None };
        let into = root.join(format!("again-{number}"));
        let restored = offline::restore_new(&into, &token, &fields(), from, &apart, &request(false)).unwrap();
        let made = Service::open(&DataDir::at(&into), Arc::new(SystemClock), Opening::Administer).unwrap();
        // Loading compares records, files and index row by row.
        ready(&made, "cells");
        let images = restored.pools.iter().map(|pool| pool.images).sum::<u64>();
        println!("report: backup {number} during enrolment holds {images} images, each with its record");
    }
    drop(folder);
}
