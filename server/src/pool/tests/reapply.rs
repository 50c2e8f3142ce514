//! What a restore brought back of erased people is removed: in batches, once, and nothing else.
use super::*;

/// Persons without images, so that there is more than one batch, around two with images.
fn crowd(pool: &Pool, place: &Place) -> (Vec<SubjectId>, Vec<ImageId>) {
    let (first, last) = (person("first"), person("last"));
    let images = vec![
        place.image(first.id, "first/1", Some([0.0, 0.0, 0.0, 0.0])),
        place.image(last.id, "last/1", Some([1.0, 0.0, 0.0, 0.0])),
        place.image(last.id, "last/2", None),
    ];
    let ids = images.iter().map(|image| image.id).collect();
    let mut people = vec![first];
    people.extend((0..300).map(|number| person(&format!("p{number}"))));
    people.push(last);
    let subjects = people.iter().map(|person| person.id).collect();
    let permit = permit("cells", Action::Enrol);
    pool.writer(&permit).unwrap().store(&people, &images, now()).unwrap();
    (subjects, ids)
}

#[test]
fn removal_goes_in_batches_and_is_finished_after_a_cut() {
    let place = Place::new();
    let pool = place.create("cells");
    let kept = person("kept");
    let image = place.image(kept.id, "kept/1", Some([0.5, 0.0, 0.0, 0.0]));
    let enrol = permit("cells", Action::Enrol);
    pool.writer(&enrol).unwrap().store(&[kept], &[image], now()).unwrap();
    let (subjects, images) = crowd(&pool, &place);
    assert_eq!(place.keys.destroy_subject_keys(&pool.key, &subjects, now()).unwrap(), subjects.len() as u64);
    drop(pool);

    let parts_folder = place.pools();
    let pool = Pool::open(&place.parts(&parts_folder), &"cells".parse().unwrap()).unwrap();
    let upkeep = permit("cells", Action::DropPool);
    // Cut off before the second batch, and with the file of an image of it gone already: files go before rows.
    let mut sizes = Vec::new();
    let cut = pool.reapply_erasures(&upkeep, |batch, remove| {
        sizes.push(batch.len());
        if sizes.len() == 2 {
            return Err(PoolError::Deadline);
        }
        let removed = remove()?;
        assert_eq!((removed.rows.subjects, removed.rows.images, removed.files), (256, 1, 1));
        Ok(())
    });
    assert!(matches!(cut, Err(PoolError::Deadline)));
    assert_eq!(pool.blobs.erase(&images[1..2]).unwrap(), 1);

    let mut all = Reapplied::default();
    let mut run = || -> Result<usize, PoolError> {
        let mut batches = 0;
        pool.reapply_erasures(&upkeep, |batch, remove| -> Result<(), PoolError> {
            assert!(batch.len() <= 256);
            batches += 1;
            all = remove()?;
            Ok(())
        })?;
        Ok(batches)
    };
    assert_eq!(run().unwrap(), 1);
    assert_eq!(run().unwrap(), 0, "done is done");
    assert_eq!((all.rows.subjects, all.rows.images, all.files), (46, 2, 1));
    pool.load(&permit("cells", Action::Search)).unwrap();
    assert_eq!(found(&pool, &place.embedding([0.0; 4])), ["kept/1"]);
    let summary = pool.summary(&permit("cells", Action::ListPools), None).unwrap();
    assert_eq!((summary.subjects, summary.images_held), (1, 1));
    // No byte of the rows is left in the file or beside it.
    let records = ["records.sqlite", "records.sqlite-wal"].map(|name| parts_folder.join("cells").join(name));
    for file in records.iter().filter(|file| file.exists()) {
        let bytes = fs::read(file).unwrap();
        for id in [subjects[0], subjects[301]] {
            assert!(memchr::memmem::find(&bytes, id.as_bytes()).is_none(), "{}", file.display());
        }
    }
}

#[test]
fn a_subject_without_key_and_tombstone_stops_everything() {
    let place = Place::new();
    let (pool, ids) = filled(&place, "cells");
    let others = place.folder.path().join("other-keys");
    let other: Arc<dyn KeyStore> = Arc::new(FileKeyStore::create(&others).unwrap());
    drop(pool);
    // The pool's key is the right one; the store of its subjects' keys is empty.
    let copied =
        |name: &str| (place.folder.path().join("keys/pools").join(name), others.join("pools").join(name));
    other.create_pool(&"cells".parse().unwrap()).unwrap();
    let (from, to) = copied("cells.key");
    fs::copy(from, to).unwrap();
    let folder = place.pools();
    let parts = PoolParts { keys: &other, ..place.parts(&folder) };
    let pool = Pool::open(&parts, &"cells".parse().unwrap()).unwrap();
    let upkeep = permit("cells", Action::DropPool);
    let stopped =
        pool.reapply_erasures(&upkeep, |_, _| -> Result<(), PoolError> { panic!("nothing is removed") });
    assert!(matches!(stopped, Err(PoolError::KeyGone { .. })));
    assert_eq!(pool.records.image_ids().unwrap(), ids.into_iter().collect());
}
