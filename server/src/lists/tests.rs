#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use tempfile::TempDir;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

fn heading(id: &str, force: &str) -> Heading {
    Heading {
        pool: "cells".to_owned(),
        id: id.to_owned(),
        force: force.to_owned(),
        made_at: now(),
        made_on: day("2026-03-01"),
        acknowledge_by: day("2026-03-29"),
        rules: "00".to_owned(),
        rules_version: "1".to_owned(),
        authority: "kent/p-1".to_owned(),
        event: EventId::at(now()),
        statement: "likeness deletion list 1".to_owned(),
    }
}

fn line(sealed: &[u8]) -> KeptLine {
    KeptLine {
        image: ImageId::at(now()),
        subject: SubjectId::at(now()),
        sealed: Some(sealed.to_vec()),
        said: None,
    }
}

fn said(answered: &str, reason: Option<&[u8]>) -> Said {
    Said {
        answered: answered.to_owned(),
        on: day("2026-03-05"),
        by: "kent/p-2".to_owned(),
        sealed_reason: reason.map(<[u8]>::to_vec),
    }
}

#[test]
fn what_was_kept_is_there_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("lists");
    let lines: Vec<KeptLine> = (0..5u8).map(|n| line(&[n; 40])).collect();
    let first = heading("dl-1", "kent");
    let number = {
        let lists = Lists::open(&place).unwrap();
        let number = lists.keep(&first, &lines).unwrap().unwrap();
        assert_eq!(lists.keep(&first, &lines).unwrap(), None, "the same list is not made twice");
        lists.keep(&heading("dl-2", "surrey"), &[line(b"another")]).unwrap().unwrap();
        lists.answer(number, &[(lines[1].image, said("deleted", None))]).unwrap();
        number
    };
    let lists = Lists::open(&place).unwrap();
    let kept = lists.list("cells", "dl-1").unwrap().unwrap();
    assert_eq!(kept, KeptList { number, heading: first });
    assert_eq!(lists.list("other", "dl-1").unwrap(), None, "lists of other pools are not there");
    let again = lists.lines(number).unwrap();
    assert_eq!(
        again.iter().map(|line| line.image).collect::<Vec<_>>(),
        lines.iter().map(|l| l.image).collect::<Vec<_>>()
    );
    assert_eq!(again[1].said, Some(said("deleted", None)));
    assert_eq!(lists.tally(number).unwrap(), Tally { lines: 5, open: 4, deleted: 1, ..Tally::default() });
    assert_eq!(lists.lists("cells", None, 0, 10).unwrap().len(), 2);
    assert_eq!(lists.lists("cells", Some("surrey"), 0, 10).unwrap()[0].heading.id, "dl-2");
    assert_eq!(lists.lists("cells", None, number, 10).unwrap().len(), 1);
    // Deleted is final, also for whoever checked before.
    lists.answer(number, &[(lines[1].image, said("not_found", None))]).unwrap();
    assert_eq!(lists.tally(number).unwrap().deleted, 1);
}

#[test]
fn images_are_on_a_list_once_made_and_settled_once_deleted() {
    let folder = TempDir::new().unwrap();
    let lists = Lists::open(&folder.path().join("lists")).unwrap();
    let lines = [line(b"a"), line(b"b")];
    let images = [lines[0].image, lines[1].image, ImageId::at(now())];
    let number = lists.keep(&heading("dl-1", "kent"), &lines).unwrap().unwrap();
    assert_eq!(lists.listed("cells", &images, false).unwrap(), BTreeSet::from([images[0], images[1]]));
    assert!(lists.listed("other", &images, false).unwrap().is_empty());
    assert!(lists.listed("cells", &images, true).unwrap().is_empty());
    lists
        .answer(number, &[(images[0], said("deleted", None)), (images[1], said("retained", Some(b"x")))])
        .unwrap();
    assert_eq!(lists.listed("cells", &images, true).unwrap(), BTreeSet::from([images[0]]));
}

#[test]
fn a_list_is_overdue_from_the_day_after_its_last() {
    let folder = TempDir::new().unwrap();
    let lists = Lists::open(&folder.path().join("lists")).unwrap();
    let one = line(b"a");
    let number = lists.keep(&heading("dl-1", "kent"), std::slice::from_ref(&one)).unwrap().unwrap();
    assert!(lists.overdue("cells", day("2026-03-29"), 0, 10).unwrap().is_empty());
    assert_eq!(lists.overdue("cells", day("2026-03-30"), 0, 10).unwrap().len(), 1);
    assert!(lists.overdue("cells", day("2026-03-30"), number, 10).unwrap().is_empty());
    lists.answer(number, &[(one.image, said("retained", None))]).unwrap();
    assert!(lists.overdue("cells", day("2026-03-30"), 0, 10).unwrap().is_empty(), "answered is answered");
}

#[test]
fn a_dropped_pool_takes_its_lists_with_it() {
    let folder = TempDir::new().unwrap();
    let lists = Lists::open(&folder.path().join("lists")).unwrap();
    let of = |pool: &str| Heading { pool: pool.to_owned(), ..heading("dl-1", "kent") };
    lists.keep(&of("cells"), &[line(b"a")]).unwrap().unwrap();
    let other = lists.keep(&of("persons"), &[line(b"b")]).unwrap().unwrap();
    lists.forget_pool("cells").unwrap();
    lists.forget_pool("cells").unwrap();
    assert_eq!(lists.list("cells", "dl-1").unwrap(), None);
    assert_eq!(lists.lines(other).unwrap().len(), 1);
    let again = lists.keep(&of("cells"), &[line(b"a")]).unwrap().unwrap();
    assert!(again > other, "a number is never used twice");
}

#[test]
fn what_is_forgotten_is_in_no_file() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("lists");
    let lists = Lists::open(&place).unwrap();
    let lines = [line(&[0xA7; 300]), line(&[0x5C; 300])];
    let number = lists.keep(&heading("dl-1", "kent"), &lines).unwrap().unwrap();
    lists.answer(number, &[(lines[0].image, said("retained", Some(&[0xB9; 200])))]).unwrap();
    let there = |byte: u8| {
        std::fs::read_dir(&place).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(24).any(|window| window == [byte; 24])
        })
    };
    assert!(there(0xA7) && there(0xB9) && there(0x5C));
    lists.forget(&[lines[0].subject]).unwrap();
    assert!(!there(0xA7) && !there(0xB9), "nothing is left of the one");
    assert!(there(0x5C), "and all of the other");
    lists.forget(&[lines[0].subject]).unwrap();
    assert_eq!(lists.lines_about(lines[0].subject).unwrap(), 1);
    let tally = lists.tally(number).unwrap();
    assert_eq!((tally.erased, tally.retained, tally.open), (1, 1, 1));
    assert_eq!(lists.lines(number).unwrap()[0].said, Some(said("retained", None)));
}
