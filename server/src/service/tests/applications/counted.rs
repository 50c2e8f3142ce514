//! Counts by force stay right when records are erased, and small ones are not published.
use super::*;
use crate::retention::application::{ApplicationCounts, ApplicationStatistics};

fn statistics(office: &Office, publishable: bool) -> StatisticsAnswer {
    let shown = |answer: &StatisticsAnswer| Rendered { message: answer.clone(), bytes: b"answer".to_vec() };
    let asked = office.asked("p-1");
    answered(office.service().application_statistics(asked, POOL, publishable, shown)).unwrap()
}

fn of(statistics: &ApplicationStatistics, force: &str) -> ApplicationCounts {
    statistics.forces().get(force).copied().unwrap_or_default()
}

#[test]
fn an_erased_record_is_counted_still_and_named_nowhere() {
    let mut office = Office::new();
    assert!(statistics(&office, false).statistics.forces().is_empty());
    let subjects: Vec<SubjectId> = (0..8).map(|n| office.enrol(&"p".repeat(n + 1))).collect();
    let ids: Vec<ApplicationId> =
        subjects.iter().map(|subject| office.receive(*subject, "kent").unwrap().applied.id).collect();
    let last = office.receive(subjects[7], "surrey").unwrap().applied.id;
    for id in &ids[..5] {
        office.decide(*id, agreed()).unwrap();
    }
    office.decide(ids[5], refused()).unwrap();
    office.appeal(ids[5]).unwrap();
    let before = of(&statistics(&office, false).statistics, "kent");
    let expected = ApplicationCounts {
        received: 8,
        agreed: 5,
        refused: 1,
        undecided: 2,
        appealed: 1,
        ..ApplicationCounts::default()
    };
    assert_eq!(before, expected);

    office.turn();
    office.days(28);
    office.turn();
    assert_eq!(office.list("all"), [ids[5], ids[6], ids[7], last], "five are erased");
    office.open();
    assert_eq!(of(&statistics(&office, false).statistics, "kent"), expected);
    office.days(10);
    let late = of(&statistics(&office, false).statistics, "kent");
    assert_eq!(late, ApplicationCounts { overdue: 3, ..expected });

    // Erased for another reason while it waits: neither agreed nor for ever undecided.
    let request = EraseRequest {
        pool: POOL.to_owned(),
        subject: SubjectChoice::Id(subjects[7].to_string()),
        reason: "order".to_owned(),
        at_once: true,
    };
    let shown = |_: &EraseAnswer| Rendered { message: (), bytes: vec![] };
    answered(office.service().erase_subject(office.asked("p-1"), &request, shown)).unwrap();
    let all = statistics(&office, false).statistics;
    let overtaken = ApplicationCounts { undecided: 1, overtaken: 1, overdue: 2, ..expected };
    assert_eq!(of(&all, "kent"), overtaken);
    let one = ApplicationCounts { received: 1, overtaken: 1, ..ApplicationCounts::default() };
    assert_eq!(of(&all, "surrey"), one);
    let entry = office.last_entry();
    assert!(entry.subjects.is_empty(), "counting concerns nobody: {:?}", entry.subjects);

    // What may be published: no count of 1 to 4, and nothing that gives one away.
    let published = statistics(&office, true);
    assert!(published.publishable);
    let shown = published.statistics.publishable();
    for (force, counts) in &shown {
        for (name, count) in counts {
            assert!(count.is_none_or(|count| count == 0 || count >= 5), "{force} {name}: {count:?}");
        }
        assert_eq!(counts["received"], None, "{force}: a total gives away what is withheld");
    }
    assert_eq!(shown["kent"]["agreed"], Some(5));
    assert_eq!(shown["surrey"]["overtaken"], None);
}
