//! Random lives of applications against a map: what is listed and what is counted, over removals and reopenings.
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::seeded::runner;

const SUBJECTS: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// This application stands so, new or changed.
    Put(u8, ApplicationState),
    /// Its subject is erased.
    Remove(u32),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let put = (0u8..9, 0usize..ApplicationState::ALL.len());
    let step = prop_oneof![
        8 => put.prop_map(|(n, state)| Step::Put(n, ApplicationState::ALL[state])),
        1 => (0..SUBJECTS).prop_map(Step::Remove),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..30)
}

/// An application of a subject and a force that follow from its number.
fn numbered(n: u8, state: ApplicationState) -> StoredApplication {
    let force = if n.is_multiple_of(2) { "kent" } else { "surrey" };
    application(n, u32::from(n) % SUBJECTS + 1, force, state)
}

type Counted = BTreeMap<(String, ApplicationState, bool, bool), (u64, u64)>;

fn count(counted: &mut Counted, one: &StoredApplication, erased: bool) {
    let late = one.decide_by.is_some() && !erased;
    let counts = counted.entry((one.force.clone(), one.state, one.appealed, erased)).or_default();
    counts.0 += 1;
    counts.1 += u64::from(late);
}

#[test]
fn what_is_listed_and_counted_is_what_a_map_says() {
    let late = day("2026-04-02");
    runner(60)
        .run(&steps(), |steps| {
            let (fixture, mut records) = Fixture::new();
            let subjects: Vec<NewSubject> = (1..=SUBJECTS).map(new_subject).collect();
            records.commit_enrolments(&subjects, &[]).unwrap();
            // In the order in which they came first; and those of whom only a number is left.
            let mut live: Vec<StoredApplication> = Vec::new();
            let mut gone: Vec<SubjectId> = Vec::new();
            let mut erased = Counted::new();
            for step in &steps {
                match step {
                    Step::Put(n, state) => {
                        let one = numbered(*n, *state);
                        let there = !gone.contains(&one.subject);
                        prop_assert_eq!(records.put_application(&one, None).unwrap(), there);
                        match live.iter_mut().find(|known| known.id == one.id) {
                            Some(known) => *known = one,
                            None if there => live.push(one),
                            None => {}
                        }
                    }
                    Step::Remove(subject) => {
                        let id = subjects[*subject as usize].id;
                        records.remove_subjects(&[id]).unwrap();
                        live.iter()
                            .filter(|one| one.subject == id)
                            .for_each(|one| count(&mut erased, one, true));
                        live.retain(|one| one.subject != id);
                        gone.push(id);
                    }
                    Step::Reopen => {
                        drop(records);
                        records = SqliteRecords::open(&fixture.file).unwrap();
                    }
                }
                let mut counted = erased.clone();
                live.iter().for_each(|one| count(&mut counted, one, false));
                let mut tallied = Counted::new();
                for tally in records.application_tallies(late).unwrap() {
                    let key = (tally.force, tally.state, tally.appealed, tally.erased);
                    prop_assert!(tallied.insert(key, (tally.number, tally.overdue)).is_none());
                }
                prop_assert_eq!(tallied, counted);
                for list in [ApplicationList::All, ApplicationList::Overdue, ApplicationList::Agreed] {
                    let wanted = live.iter().filter(|one| match list {
                        ApplicationList::Agreed => one.state.is_agreed(),
                        ApplicationList::Open | ApplicationList::Overdue => one.state.is_open(),
                        ApplicationList::All => true,
                    });
                    let listed = records.applications(list, late, 0, 100).unwrap();
                    let listed: Vec<_> = listed.iter().map(|one| (one.id, one.state)).collect();
                    prop_assert_eq!(listed, wanted.map(|one| (one.id, one.state)).collect::<Vec<_>>());
                }
            }
            Ok(())
        })
        .unwrap();
}
