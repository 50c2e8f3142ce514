//! A pool between two algorithms: which index answers, what goes to both, and that nothing is ever mixed.
use super::*;
use crate::{ids::EventId, records::RecordError};

fn other(values: [f32; 3]) -> Embedding {
    Embedding::from_stored(second().space, values.to_vec(), 3).unwrap()
}

fn migrate(name: &str) -> Permit {
    permit(name, Action::MigratePool)
}

fn begin(pool: &Pool) {
    let permit = migrate("cells");
    pool.writer(&permit).unwrap().begin_migration(second(), EventId::at(now()), now()).unwrap();
}

/// Encodes everything that waits; the second algorithm orders people the other way round.
fn encode(pool: &Pool) {
    let permit = migrate("cells");
    while let Some((_, waiting)) = pool.reader(&permit).unwrap().to_encode(1).unwrap() {
        if waiting.is_empty() {
            return;
        }
        let made: Vec<_> = waiting
            .into_iter()
            .map(|at| {
                let row = at.row.0 as f32;
                (at, Ok(other([row, 1.0, 0.0])))
            })
            .collect();
        pool.writer(&permit).unwrap().put_encoded(&made).unwrap();
    }
}

#[test]
fn each_algorithm_answers_with_its_own_index_and_going_back_is_exact() {
    let place = Place::new();
    let (pool, _) = filled(&place, "cells");
    let (first, new) = (place.embedding([0.1, 0.0, 0.0, 0.0]), other([3.0, 1.0, 0.0]));
    let before = found(&pool, &first);
    begin(&pool);
    let permit = migrate("cells");
    let refused = pool.writer(&permit).unwrap().exchange(0).unwrap_err();
    assert!(matches!(refused, PoolError::Records(RecordError::Incomplete { waiting: 2, .. })), "{refused}");
    encode(&pool);
    assert_eq!(found(&pool, &first), before, "encoding changes no search");
    pool.writer(&permit).unwrap().exchange(0).unwrap();
    assert_eq!(pool.pack(), "second-pack");
    assert_eq!(found(&pool, &new), ["b/1", "a/1"]);
    let reader = pool.reader(&permit).unwrap();
    let foreign = reader.search(&first, 5, Instant::now() + Duration::from_secs(5));
    assert!(matches!(foreign, Err(PoolError::Switched { .. })), "a probe of the old space is not compared");
    drop(reader);

    // The same after a reopening, and back again.
    drop(pool);
    let pool = place.open("cells").unwrap();
    assert_eq!(
        (pool.pack().as_str(), found(&pool, &new)),
        ("second-pack", vec!["b/1".to_owned(), "a/1".to_owned()])
    );
    pool.writer(&permit).unwrap().exchange(0).unwrap();
    assert_eq!((pool.pack().as_str(), found(&pool, &first)), ("test-pack", before.clone()));
    drop(pool);
    let pool = place.open("cells").unwrap();
    assert_eq!(found(&pool, &first), before);

    // Giving up erases what was encoded and nothing else.
    let writer = pool.writer(&permit).unwrap();
    while !writer.retire(1).unwrap() {}
    drop(writer);
    assert_eq!(found(&pool, &first), before);
    assert!(pool.reader(&permit).unwrap().migration_status().unwrap().migration.is_none());
}

#[test]
fn templates_of_another_space_never_reach_the_records() {
    let place = Place::new();
    let (pool, ids) = filled(&place, "cells");
    let enrol = permit("cells", Action::Enrol);
    let newcomer = person("c");
    let mut image = place.image(newcomer.id, "c/1", None);
    image.embedding = Some(other([1.0, 0.0, 0.0]));
    let store = |image: NewImageRecord| {
        pool.writer(&enrol).unwrap().store(std::slice::from_ref(&newcomer), &[image], now())
    };
    assert!(matches!(store(image.clone()), Err(PoolError::Switched { .. })));
    assert!(pool.is_ready(), "a refused write leaves the pool as it was");
    let set = permit("cells", Action::SetEnrolled);
    let refused = pool.writer(&set).unwrap().set_enrolled(ids[1], Some(&other([1.0, 0.0, 0.0])));
    assert!(matches!(refused, Err(PoolError::Switched { .. })));

    // While it moves, an image brings both; either algorithm finds it at once.
    begin(&pool);
    encode(&pool);
    image.embedding = Some(place.embedding([5.0, 0.0, 0.0, 0.0]));
    image.other = Some(Ok(other([0.0, 0.0, 1.0])));
    store(image).unwrap();
    let move_it = migrate("cells");
    pool.writer(&move_it).unwrap().exchange(0).unwrap();
    assert_eq!(found(&pool, &other([0.0, 0.0, 1.0]))[0], "c/1");
    pool.writer(&move_it).unwrap().exchange(0).unwrap();
    assert_eq!(found(&pool, &place.embedding([5.0, 0.0, 0.0, 0.0]))[0], "c/1");
    // Taken out of search, it is out of both.
    let image = pool.reader(&move_it).unwrap().known_source("system", "c/1", b"").unwrap().unwrap().0.id;
    pool.writer(&set).unwrap().set_enrolled(image, None).unwrap();
    pool.writer(&move_it).unwrap().exchange(0).unwrap();
    assert!(!found(&pool, &other([0.0, 0.0, 1.0])).contains(&"c/1".to_owned()));
}

#[test]
fn a_pool_whose_algorithm_is_not_loaded_does_not_open() {
    let place = Place::new();
    let (pool, _) = filled(&place, "cells");
    begin(&pool);
    encode(&pool);
    pool.writer(&migrate("cells")).unwrap().exchange(0).unwrap();
    drop(pool);
    let folder = place.pools();
    assert_eq!(
        Pool::packs_of(&folder, &place.purposes, &"cells".parse().unwrap()).unwrap(),
        ["second-pack", "test-pack"]
    );
    let parts = PoolParts { others: vec![], ..place.parts(&folder) };
    let Err(error) = Pool::open(&parts, &"cells".parse().unwrap()) else {
        panic!("opened without its algorithm")
    };
    assert!(matches!(&error, PoolError::OtherSpace { pack, .. } if pack == "second-pack"), "{error}");
}
