//! `kill -9` anywhere in a restore: the next start has the old pools or the new ones, whole, and the log says which.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
};

use super::*;
use crate::{
    data::Step,
    service::restore::{Point, RPC},
};

/// A copy of a folder with everything in it, as a disk image would be.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Restores, and stops dead at the given point (counted from 0); says which points were passed.
fn cut_at(data: &DataDir, token: &str, from: &Path, stop: usize) -> Vec<Point> {
    let mut passed = Vec::new();
    let service = Service::open(data, Arc::new(SystemClock), Opening::Restore).unwrap();
    let asked = Asked {
        peer: Peer::Local,
        rpc: RPC,
        token: Some(token.to_owned()),
        context: fields(),
        deadline: Instant::now() + Duration::from_secs(600),
        request: Vec::new(),
    };
    let backup = Backup::open(from).unwrap();
    // A panic unwinds past everything that would clean up, as a kill does; only open files are closed.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        service.restore_watched(
            asked,
            &backup,
            &request(true),
            |done| Rendered { message: done.clone(), bytes: Vec::new() },
            &mut |point| {
                passed.push(point);
                if passed.len() - 1 == stop {
                    panic!("cut here");
                }
            },
        )
    }));
    assert!(passed.len() - 1 == stop || ended.is_ok_and(|answer| answer.is_ok()));
    passed
}

#[test]
fn a_restore_that_is_cut_off_anywhere_leaves_the_old_or_the_new() {
    let place = Place::new();
    place.create("cells", PoolKind::Custody).unwrap();
    place.create("others", PoolKind::Custody).unwrap();
    let (erased, _) = enrol(&place.service, "cells", "gone", 3);
    enrol(&place.service, "cells", "a", 0);
    enrol(&place.service, "others", "b", 1);
    let backup = back_up(&place, "backup");
    let cells = ready(&place.service, "cells");
    let key = place.service.keys.open_pool(&cells.definition().name, &cells.definition().key_check).unwrap();
    place.service.keys.destroy_subject_keys(&key, &[erased], moment()).unwrap();
    drop(cells);
    enrol(&place.service, "cells", "late", 2);
    let token = place.token(&[Role::PoolAdmin]);
    let Place { _folder: folder, data, service } = place;
    drop(service);
    let root = folder.path();
    let people = ["gone", "a", "late", "b"];
    let state = |data: &DataDir| {
        let service = Service::open(data, Arc::new(SystemClock), Opening::Administer).unwrap();
        let all = ["cells", "others"].map(|pool| answers(&service, pool, &people));
        let open = service.audit().open_intents().unwrap().len();
        let found: Vec<String> = service
            .audit()
            .entries(0, 10_000)
            .unwrap()
            .into_iter()
            .filter(|stored| stored.entry.rpc == RPC && stored.entry.outcome == Some(Outcome::Failed))
            .filter_map(|stored| stored.entry.notes.get("found_at_start").cloned())
            .collect();
        (all, open, found)
    };
    let fresh = |name: String| {
        let to = root.join(name);
        copy(data.path(), &to);
        DataDir::at(to)
    };
    let (old, _, _) = state(&fresh("old".to_owned()));
    let whole = fresh("whole".to_owned());
    let points = cut_at(&whole, &token, &backup, usize::MAX);
    let (new, _, _) = state(&whole);
    assert_ne!(old, new);
    for step in Step::ALL {
        assert!(points.contains(&Point::Exchange(step)), "{step:?} is never passed");
    }
    let declared = points.iter().position(|point| *point == Point::Exchange(Step::Declared)).unwrap();

    for stop in 0..points.len() {
        let data = fresh(format!("cut-{stop}"));
        assert_eq!(cut_at(&data, &token, &backup, stop), points[..=stop]);
        let (all, open, found) = state(&data);
        let point = &points[stop];
        assert_eq!(all, if stop < declared { old.clone() } else { new.clone() }, "cut at {stop}: {point:?}");
        assert_eq!(open, 0, "{point:?}");
        match (stop < declared, point) {
            (_, Point::Exchange(Step::Swept)) => assert!(found.is_empty(), "{found:?}"),
            (true, _) => assert_eq!(found, ["the pools are those of before"], "{point:?}"),
            (false, _) => assert_eq!(found, ["the pools of the backup are in place"], "{point:?}"),
        }
        for leftover in ["pools.restoring", "pools.restored", "pools.replaced"] {
            assert!(!data.path().join(leftover).exists(), "{leftover} after a cut at {point:?}");
        }
        // The same command, repeated straight after the cut, does it.
        let data = fresh(format!("again-{stop}"));
        cut_at(&data, &token, &backup, stop);
        restore(&data, &token, &backup, true).unwrap();
        assert_eq!(state(&data).0, new, "repeated after a cut at {point:?}");
    }
    println!("report: a restore was cut off at each of its {} points", points.len());
}
