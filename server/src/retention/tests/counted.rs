//! The numbers add up, and what is published points at nobody.
use super::numbers::*;
use super::*;
use crate::seeded::Random;

fn of_random_records(random: &mut Random, records: usize) -> (Numbers, Counts) {
    let rules = shipped();
    let today = day("2025-06-01");
    let (mut numbers, mut rows) = (Numbers::default(), Counts::default());
    for case in 0..records {
        let kind = PoolKind::ALL[case % 5];
        let facts = changes::any(random, kind, today);
        let assessment = assess(&rules, kind, &facts, today);
        let images = random.below(4);
        let enrolled = random.below(images + 1);
        numbers.add(&assessment, random.below(10) == 0, images, enrolled);
        rows = Counts {
            persons: rows.persons + 1,
            images: rows.images + images,
            enrolled: rows.enrolled + enrolled,
        };
    }
    (numbers, rows)
}

#[test]
fn every_division_adds_up_to_the_rows() {
    let mut random = Random::seeded();
    let (mut numbers, rows) = of_random_records(&mut random, 1_000);
    assert_eq!(numbers.reconcile(rows), Ok(()));
    let (other, others) = of_random_records(&mut random, 37);
    numbers.merge(&other);
    let both = Counts {
        persons: rows.persons + others.persons,
        images: rows.images + others.images,
        enrolled: rows.enrolled + others.enrolled,
    };
    assert_eq!(numbers.reconcile(both), Ok(()));
    let lost = Counts { images: both.images + 1, ..both };
    assert_eq!(numbers.reconcile(lost), Err(NumbersError::Rows { total: both, rows: lost }));
    for division in Division::ALL {
        let persons: u64 =
            division.cells().into_iter().map(|cell| numbers.cell(division, cell).persons).sum();
        assert_eq!(persons, both.persons, "{}", division.code());
    }
    assert_eq!(Numbers::default().reconcile(Counts::default()), Ok(()));
}

#[test]
fn a_record_is_counted_where_it_belongs() {
    let rules = shipped();
    let today = day("2025-06-01");
    let mut numbers = Numbers::default();
    let mut add = |facts: &Facts, beyond_use| {
        numbers.add(&assess(&rules, PoolKind::Custody, facts, today), beyond_use, 3, 2);
    };
    add(&custody(&[event("2015-01-01", CustodyOutcome::Convicted, "2015-02-01", 1)]), false);
    let mut held = custody(&[event("2025-01-10", CustodyOutcome::Acquitted, "2025-03-01", 3)]);
    held.holds = vec![hold("A", "2025-02-01", "2026-06-01")];
    add(&held, false);
    held.holds.clear();
    held.date_of_birth = None;
    add(&held, true);
    let persons = |division, cell| numbers.cell(division, cell).persons;
    assert_eq!(numbers.cell(Division::State, "beyond_use"), Counts { persons: 1, images: 3, enrolled: 2 });
    for (cell, count) in [("retained", 1), ("due", 1), ("held_retained", 0), ("held_due", 1)] {
        assert_eq!(persons(Division::Disposition, cell), count, "{cell}");
    }
    assert_eq!(persons(Division::Group, "group_1"), 1);
    assert_eq!(persons(Division::Group, "none"), 2);
    assert_eq!(persons(Division::Outcome, "not_convicted"), 2);
    assert_eq!(persons(Division::AgeAtCapture, "unknown"), 1);
    assert_eq!(persons(Division::Review, "overdue"), 1);
    assert_eq!(persons(Division::OnApplication, "deletable"), 2);
}

#[test]
fn nothing_small_and_nothing_to_subtract_it_from_is_published() {
    let mut random = Random::seeded();
    let mut withheld = 0;
    for records in [0, 1, 3, 4, 5, 6, 40, 500, 3_000] {
        let (numbers, rows) = of_random_records(&mut random, records);
        let shown = numbers.publishable();
        let cells = || shown.divisions.values().flat_map(|cells| cells.values());
        for counts in cells().flatten() {
            for count in [counts.persons, counts.images, counts.enrolled] {
                assert!(count == 0 || count >= 5, "{records}: {counts:?}");
            }
        }
        if cells().all(Option::is_some) {
            assert_eq!(shown.total, Some(rows));
            continue;
        }
        withheld += 1;
        assert_eq!(shown.total, None);
        for (division, cells) in &shown.divisions {
            // No division is complete, and none lacks a single cell while it has others that are not empty.
            let hidden = cells.values().filter(|counts| counts.is_none()).count();
            let others = cells.values().flatten().filter(|counts| counts.persons > 0).count();
            assert!(hidden >= 2 || (hidden == 1 && others == 0), "{records}, {division}: {cells:?}");
        }
    }
    assert!(withheld > 3);
}
