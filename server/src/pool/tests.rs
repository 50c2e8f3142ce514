#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use likeness_matcher::{BoundingBox, Face, MediaType, embed::Embedding, quality::QualityReport};
use likeness_models::{Metric, SpaceId};
use tempfile::TempDir;

use super::*;
use crate::{
    authorise::{Action, Permit, Purposes},
    clock::Calendar,
    config::{Config, Search},
    ids::{ImageId, SubjectId},
    keys::{FileKeyStore, KeyStore},
};

mod migration;
mod protection;
mod reapply;

/// An algorithm to move to.
fn second() -> Geometry {
    let space = "22".repeat(32).parse().unwrap();
    Geometry { pack: "second-pack".to_owned(), space, dimension: 3, metric: Metric::Cosine }
}

struct Place {
    folder: TempDir,
    keys: Arc<dyn KeyStore>,
    purposes: Purposes,
    space: SpaceId,
    calendar: Calendar,
    search: Search,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let keys: Arc<dyn KeyStore> = Arc::new(FileKeyStore::create(&folder.path().join("keys")).unwrap());
        crate::durable::create_dir(&folder.path().join("pools")).unwrap();
        Place {
            folder,
            keys,
            purposes: Purposes::built_in().unwrap(),
            space: "11".repeat(32).parse().unwrap(),
            calendar: Calendar::of("Europe/London").unwrap(),
            search: Config::parse("").unwrap().search,
        }
    }

    fn pools(&self) -> PathBuf {
        self.folder.path().join("pools")
    }

    fn parts<'a>(&'a self, folder: &'a Path) -> PoolParts<'a> {
        PoolParts {
            folder,
            keys: &self.keys,
            purposes: &self.purposes,
            pack: "test-pack",
            space: self.space,
            dimension: 4,
            metric: Metric::Euclidean,
            index: self.search.index,
            compressed: &self.search.compressed,
            others: vec![second()],
            calendar: &self.calendar,
        }
    }

    fn create(&self, name: &str) -> Pool {
        let new = NewPool {
            name: name.to_owned(),
            kind: PoolKind::Custody,
            rationale: "made by a test".to_owned(),
            purposes: vec![],
            quality: vec![],
        };
        let checked = CheckedPool::check(new, &self.purposes).unwrap();
        Pool::create(&self.parts(&self.pools()), checked, now()).unwrap()
    }

    fn open(&self, name: &str) -> Result<Pool, PoolError> {
        let pool = Pool::open(&self.parts(&self.pools()), &name.parse().unwrap())?;
        pool.load(&permit(name, Action::Search))?;
        Ok(pool)
    }

    fn embedding(&self, values: [f32; 4]) -> Embedding {
        Embedding::from_stored(self.space, values.to_vec(), 4).unwrap()
    }

    fn image(&self, subject: SubjectId, reference: &str, values: Option<[f32; 4]>) -> NewImageRecord {
        NewImageRecord {
            id: ImageId::at(now()),
            subject,
            record: image_record(reference, self.space),
            bytes: bytes::Bytes::from(format!("bytes of {reference}")),
            embedding: values.map(|values| self.embedding(values)),
            other: None,
        }
    }
}

/// The record of an image that no matcher saw.
pub(crate) fn image_record(reference: &str, space: SpaceId) -> ImageRecord {
    ImageRecord {
        source_system: "system".to_owned(),
        source_reference: reference.to_owned(),
        capture_date: None,
        capture_circumstance: String::new(),
        media_type: MediaType::Png,
        width: 10,
        height: 10,
        face: Face {
            bounding_box: BoundingBox { left: 0.0, top: 0.0, width: 5.0, height: 5.0 },
            confidence: 0.9,
        },
        face_index: 0,
        faces: 1,
        selected_largest: false,
        quality: QualityReport { measures: vec![], flags: vec![] },
        pack: "test-pack".to_owned(),
        space: space.to_string(),
        matcher_version: "0".to_owned(),
    }
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn permit(pool: &str, action: Action) -> Permit {
    Permit::for_upkeep(&pool.parse().unwrap(), action, "a test")
}

fn person(reference: &str) -> NewPerson {
    NewPerson {
        id: SubjectId::at(now()),
        record: SubjectRecord {
            source_system: "system".to_owned(),
            subject_reference: reference.to_owned(),
            details: Details::default(),
        },
    }
}

fn found(pool: &Pool, probe: &Embedding) -> Vec<String> {
    let permit = permit(pool.definition().name.as_str(), Action::Search);
    let reader = pool.reader(&permit).unwrap();
    let hits = reader.search(probe, 10, Instant::now() + Duration::from_secs(5)).unwrap();
    let opened = reader.enrolled(&hits.hits).unwrap();
    opened.into_iter().map(|found| found.unwrap().0.record.source_reference).collect()
}

/// A pool with two persons: `a` with two images, one of them held only, and `b` with one.
fn filled(place: &Place, name: &str) -> (Pool, Vec<ImageId>) {
    let pool = place.create(name);
    let (a, b) = (person("a"), person("b"));
    let images = vec![
        place.image(a.id, "a/1", Some([0.0, 0.0, 0.0, 0.0])),
        place.image(a.id, "a/2", None),
        place.image(b.id, "b/1", Some([1.0, 0.0, 0.0, 0.0])),
    ];
    let ids = images.iter().map(|image| image.id).collect();
    let permit = permit(name, Action::Enrol);
    pool.writer(&permit).unwrap().store(&[a, b], &images, now()).unwrap();
    (pool, ids)
}

#[test]
fn what_is_stored_is_found_again_after_a_reopening() {
    let place = Place::new();
    let (pool, ids) = filled(&place, "cells");
    let probe = place.embedding([0.1, 0.0, 0.0, 0.0]);
    assert_eq!(found(&pool, &probe), ["a/1", "b/1"]);
    drop(pool);

    let pool = place.open("cells").unwrap();
    assert_eq!(found(&pool, &probe), ["a/1", "b/1"]);
    let read = permit("cells", Action::ReadImage);
    let reader = pool.reader(&read).unwrap();
    let held = reader.image(ids[1]).unwrap().seen().unwrap();
    assert!(!held.enrolled);
    assert_eq!(reader.image_bytes(&held).unwrap().as_slice(), b"bytes of a/2");
    let a = reader.subject_by_reference("system", "a").unwrap().seen().unwrap();
    assert_eq!(reader.images_of(a.id).unwrap().len(), 2);
    assert!(reader.subject_by_reference("another system", "a").unwrap().seen().is_none());
    assert!(reader.known_source("system", "a/1", b"bytes of a/1").unwrap().unwrap().1);
    assert!(!reader.known_source("system", "a/1", b"other bytes").unwrap().unwrap().1);
    let summary = pool.summary(&permit("cells", Action::ListPools), None).unwrap();
    assert_eq!((summary.subjects, summary.images_held, summary.images_enrolled), (2, 3, 2));
}

#[test]
fn taking_out_and_putting_back_survive_a_reopening() {
    let place = Place::new();
    let (pool, ids) = filled(&place, "cells");
    let probe = place.embedding([0.0; 4]);
    let write = permit("cells", Action::SetEnrolled);
    pool.writer(&write).unwrap().set_enrolled(ids[0], None).unwrap();
    assert_eq!(found(&pool, &probe), ["b/1"]);
    drop(pool);
    let pool = place.open("cells").unwrap();
    assert_eq!(found(&pool, &probe), ["b/1"]);
    pool.writer(&write).unwrap().set_enrolled(ids[1], Some(&probe)).unwrap();
    assert_eq!(found(&pool, &probe), ["a/2", "b/1"]);
    drop(pool);
    assert_eq!(found(&place.open("cells").unwrap(), &probe), ["a/2", "b/1"]);
}

#[test]
fn a_permit_for_another_pool_or_for_reading_opens_nothing() {
    let place = Place::new();
    let (pool, _) = filled(&place, "cells");
    for action in Action::ALL {
        assert!(matches!(pool.reader(&permit("other", action)), Err(PoolError::WrongPermit { .. })));
        assert!(matches!(pool.writer(&permit("other", action)), Err(PoolError::WrongPermit { .. })));
        assert!(pool.summary(&permit("other", action), None).is_err());
    }
    for action in [Action::Search, Action::ReadImage, Action::ReadSubject, Action::ListPools, Action::Compare]
    {
        assert!(
            matches!(pool.writer(&permit("cells", action)), Err(PoolError::WrongPermit { .. })),
            "{action}"
        );
    }
}

#[test]
fn an_unloaded_pool_answers_nothing() {
    let place = Place::new();
    drop(filled(&place, "cells"));
    let pool = Pool::open(&place.parts(&place.pools()), &"cells".parse().unwrap()).unwrap();
    assert!(matches!(pool.reader(&permit("cells", Action::Search)), Err(PoolError::NotLoaded { .. })));
    assert_eq!(pool.summary(&permit("cells", Action::ListPools), None).unwrap().images_held, 3);
}

#[test]
fn a_reference_is_taken_once_and_a_failed_group_leaves_nothing() {
    let place = Place::new();
    let (pool, _) = filled(&place, "cells");
    let c = person("c");
    let images = vec![place.image(c.id, "c/1", Some([0.5; 4])), place.image(c.id, "a/1", Some([0.6; 4]))];
    let write = permit("cells", Action::Enrol);
    assert!(pool.writer(&write).unwrap().store(&[c], &images, now()).is_err());
    assert_eq!(found(&pool, &place.embedding([0.5; 4])), ["a/1", "b/1"]);
    let summary = pool.summary(&permit("cells", Action::ListPools), None).unwrap();
    assert_eq!((summary.subjects, summary.images_held), (2, 3));
    drop(pool);
    assert_eq!(found(&place.open("cells").unwrap(), &place.embedding([0.5; 4])), ["a/1", "b/1"]);
}

#[test]
fn a_pool_with_another_pools_key_space_or_definition_does_not_open() {
    let mut place = Place::new();
    drop(filled(&place, "one"));
    drop(filled(&place, "two"));
    let definition = place.pools().join("one/pool.toml");
    let kept = fs::read_to_string(&definition).unwrap();
    for (from, to) in [
        ("kind = \"custody\"", "kind = \"person\""),
        ("name = \"one\"", "name = \"two\""),
        ("version = 1", "version = 2"),
        ("version = 1", "version = 1\nextra = 1"),
        ("\"criminal_investigation\"", "\"locate_missing_person\""),
    ] {
        assert!(kept.contains(from), "{from} in {kept}");
        fs::write(&definition, kept.replace(from, to)).unwrap();
        assert!(place.open("one").is_err(), "opened with `{to}`");
    }
    fs::write(
        &definition,
        fs::read_to_string(place.pools().join("two/pool.toml")).unwrap().replace("\"two\"", "\"one\""),
    )
    .unwrap();
    assert!(place.open("one").is_err(), "opened with the key check of another pool");
    fs::write(&definition, &kept).unwrap();
    assert!(place.open("one").is_ok());
    place.space = "22".repeat(32).parse().unwrap();
    let Err(PoolError::OtherSpace { pack, .. }) = place.open("one") else {
        panic!("opened in another space")
    };
    assert_eq!(pack, "test-pack");
}

#[test]
fn a_lost_image_file_and_a_moved_template_keep_the_pool_closed() {
    let place = Place::new();
    drop(filled(&place, "cells"));
    let mut files = Vec::new();
    let mut folders = vec![place.pools().join("cells/blobs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert_eq!(files.len(), 3);
    let kept = fs::read(&files[0]).unwrap();
    fs::remove_file(&files[0]).unwrap();
    let Err(PoolError::Disagrees { what, .. }) = place.open("cells") else {
        panic!("opened without an image file")
    };
    assert!(what.contains("no file"), "{what}");
    fs::write(&files[0], kept).unwrap();
    assert!(place.open("cells").is_ok());
}

#[test]
fn names_purposes_and_rules_that_cannot_be_are_refused() {
    let purposes = Purposes::built_in().unwrap();
    let good = NewPool {
        name: "cells".to_owned(),
        kind: PoolKind::Custody,
        rationale: "made by a test".to_owned(),
        purposes: vec!["criminal_investigation".to_owned()],
        quality: vec![QualityRule { component: "*".to_owned(), refuse_below: Some(5), flag_below: None }],
    };
    assert!(CheckedPool::check(good.clone(), &purposes).is_ok());
    let rule = |component: &str, refuse_below, flag_below| {
        vec![QualityRule { component: component.to_owned(), refuse_below, flag_below }]
    };
    let bad = [
        NewPool { name: String::new(), ..good.clone() },
        NewPool { name: "Cells".to_owned(), ..good.clone() },
        NewPool { name: "../cells".to_owned(), ..good.clone() },
        NewPool { name: "a".repeat(49), ..good.clone() },
        NewPool { name: "a_b".to_owned(), ..good.clone() },
        NewPool { rationale: "short".to_owned(), ..good.clone() },
        NewPool { rationale: "with a\nline".to_owned(), ..good.clone() },
        NewPool { purposes: vec!["locate_missing_person".to_owned()], ..good.clone() },
        NewPool { purposes: vec!["record_management".to_owned()], ..good.clone() },
        NewPool { purposes: vec!["no_such_purpose".to_owned()], ..good.clone() },
        NewPool { quality: rule("no_such_component", Some(1), None), ..good.clone() },
        NewPool { quality: rule("sharpness", Some(101), None), ..good.clone() },
        NewPool { quality: rule("sharpness", None, None), ..good.clone() },
        NewPool {
            quality: [rule("sharpness", Some(1), None), rule("sharpness", None, Some(2))].concat(),
            ..good.clone()
        },
    ];
    for new in bad {
        assert!(CheckedPool::check(new.clone(), &purposes).is_err(), "{new:?}");
    }
}

#[test]
fn an_unfinished_pool_is_swept_and_its_name_is_free_again() {
    let place = Place::new();
    drop(place.create("cells"));
    let folder = place.pools();
    // As if the last step, the rename, had not happened.
    fs::rename(folder.join("cells"), folder.join(".new-cells")).unwrap();
    assert!(names(&folder).unwrap().is_empty());
    Pool::sweep_unfinished(&place.parts(&folder), &"cells".parse().unwrap()).unwrap();
    drop(place.create("cells"));
    assert_eq!(names(&folder).unwrap().len(), 1);
    // A pool that exists is never swept.
    Pool::sweep_unfinished(&place.parts(&folder), &"cells".parse().unwrap()).unwrap();
    assert!(place.open("cells").is_ok());
}
