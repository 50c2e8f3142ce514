//! Lists back to forces and the numbers, by a clock that is moved: made, kept, acknowledged, late, erased, compared, counted.
use std::collections::BTreeSet;

use super::*;
use crate::{
    ids::SubjectId,
    retention::{
        LegalHold,
        deletion_list::{DeletionList, Difference, NationalState, Statement},
        numbers::Division,
    },
};
use office::{Office, shown, told};

mod office;

const POOL: &str = "cells";

fn says(image_id: &str, answered: &str, reason: &str) -> LineAnswer {
    LineAnswer {
        image_id: image_id.to_owned(),
        answered: answered.to_owned(),
        reason: reason.to_owned(),
        on: String::new(),
    }
}

fn images(read: &DeletionListRead) -> Vec<String> {
    read.lines.iter().map(|line| line.progress.image_id.clone()).collect()
}

#[test]
fn a_list_is_made_for_one_force_signed_kept_and_made_once() {
    let mut office = Office::new();
    for (reference, force) in [("k1", "kent"), ("k22", "kent"), ("s333", "surrey")] {
        office.person(reference, Some(force));
    }
    office.person("nobody-says", None);
    let made = office.make("kent", &[]).unwrap();
    assert_eq!((made.list.tally.lines, made.list.tally.open, made.unattributed), (4, 4, 0));
    let id = made.list.heading.id.clone();

    // What is handed over verifies with the public key alone; a changed byte does not.
    let handed = office.read(&id, "records unit").unwrap();
    let files = handed.files.as_ref().unwrap();
    let key = office.service().keys.audit_key();
    let open = |note: &str| Statement::open(note, key.name(), key.id(), |text, by| key.verify(text, by));
    let note = handed.list.heading.statement.clone();
    let statement = open(&note).unwrap();
    let list = DeletionList::from_json(&files.json).unwrap();
    statement.is_about(&list).unwrap();
    statement.is_about_csv(files.csv.as_bytes()).unwrap();
    assert!(open(&note.replace("4 lines", "3 lines")).is_err());
    assert!(statement.is_about_csv(files.csv.replace("k1/1", "k1/9").as_bytes()).is_err());
    let references: BTreeSet<&str> = list.lines().iter().map(|line| line.source_reference.as_str()).collect();
    assert_eq!(references, BTreeSet::from(["k1/1", "k1/2", "k22/1", "k22/2"]));
    assert_eq!(list.lines()[0].rule, "custody.not_convicted");
    assert_eq!(images(&handed), list.lines().iter().map(|line| line.image_id.clone()).collect::<Vec<_>>());

    // Without a recipient nothing of the images is told.
    let looked = office.read(&id, "").unwrap();
    assert!(looked.files.is_none() && looked.lines.iter().all(|line| line.progress.line.is_none()));

    // Nothing goes onto a list twice by itself, and what nobody claims is counted.
    assert_eq!(office.make("kent", &[]).unwrap_err().code, "nothing_to_list");
    office.days(200);
    let refused = office.make("essex", &[]).unwrap_err();
    assert!(refused.code == "nothing_to_list" && refused.message.contains("2 images"), "{}", refused.message);
    let claimed = office.make("essex", &["system"]).unwrap();
    assert_eq!((claimed.list.tally.lines, claimed.unattributed), (2, 0));

    // A restart, and a pool that somebody put back, forget no list.
    office.restart();
    assert_eq!(office.read(&id, "records unit").unwrap().files, handed.files);
    let page = DeletionListsRequest { pool: POOL.to_owned(), ..DeletionListsRequest::default() };
    let lists = told(office.service().list_deletion_lists(office.manager(), &page, shown)).unwrap().lists;
    let told: Vec<_> = lists.iter().map(|list| list.heading.force.as_str()).collect();
    assert_eq!(told, ["kent", "essex"]);
    assert_eq!(office.read("dl-0000000000000000", "").unwrap_err().code, "no_such_list");
}

#[test]
fn a_list_takes_so_many_lines_of_a_period_and_lists_again_what_was_not_deleted() {
    let office = Office::new();
    office.person("k1", Some("kent"));
    office.days(10);
    let today = office.service().today().to_string();
    office.person("k22", Some("kent"));
    let make = |change: &dyn Fn(&mut MakeDeletionList)| {
        let mut request = MakeDeletionList {
            pool: POOL.to_owned(),
            force: "kent".to_owned(),
            ..MakeDeletionList::default()
        };
        change(&mut request);
        told(office.service().make_deletion_list(office.manager(), &request, shown))
    };
    assert_eq!(make(&|request| request.limit = 5_001).unwrap_err().code, "invalid_field");
    let backwards = make(&|request| {
        request.due_from.clone_from(&today);
        request.due_until = "2020-01-01".to_owned();
    });
    assert_eq!(backwards.unwrap_err().code, "invalid_field");
    // Of the period of the second person only, one line at a time.
    let of_today = |limit: u32| {
        make(&|request| {
            request.due_from.clone_from(&today);
            request.limit = limit;
        })
    };
    let first = of_today(1).unwrap();
    assert_eq!((first.list.tally.lines, first.more), (1, true));
    let second = of_today(1).unwrap();
    assert_eq!((second.list.tally.lines, second.more), (1, false));
    assert_eq!(of_today(0).unwrap_err().code, "nothing_to_list");
    let rest = make(&|_| ()).unwrap();
    assert_eq!((rest.list.tally.lines, rest.more), (2, false));

    // Again: what the force did not delete, and nothing that it did.
    let lines = images(&office.read(&rest.list.heading.id, "").unwrap());
    let said = [says(&lines[0], "deleted", ""), says(&lines[1], "retained", "needed at a trial")];
    office.acknowledge(office.manager(), &rest.list.heading.id, &said).unwrap();
    let again = make(&|request| request.again = true).unwrap();
    let listed = images(&office.read(&again.list.heading.id, "").unwrap());
    assert!(listed.len() == 3 && listed.contains(&lines[1]) && !listed.contains(&lines[0]));
    // The very same list, of the same day, is there already.
    assert_eq!(make(&|request| request.again = true).unwrap_err().code, "list_exists");
}

#[test]
fn what_is_said_about_a_line_is_taken_whole_or_not_at_all() {
    let office = Office::new();
    office.person("k1", Some("kent"));
    office.person("k22", Some("kent"));
    let id = office.make("kent", &[]).unwrap().list.heading.id;
    let lines = images(&office.read(&id, "").unwrap());
    let deleted = says(&lines[0], "deleted", "");
    for (wrong, why) in [
        (says("dl-unknown", "deleted", ""), "no line with this image id"),
        (says(&lines[1], "retained", ""), "reason"),
        (says(&lines[1], "kept", ""), "`answered`"),
        (says(&lines[1], "deleted", "because it is so"), "`reason`"),
        (LineAnswer { on: "2020-01-01".to_owned(), ..says(&lines[1], "deleted", "") }, "before the day"),
        (LineAnswer { on: "2999-01-01".to_owned(), ..says(&lines[1], "deleted", "") }, "future"),
        (deleted.clone(), "twice"),
    ] {
        let refused = office.acknowledge(office.manager(), &id, &[deleted.clone(), wrong]).unwrap_err();
        assert_eq!(refused.code, "invalid_acknowledgement");
        assert!(refused.message.contains(why) && refused.message.contains("line 2"), "{}", refused.message);
    }
    assert_eq!(office.read(&id, "").unwrap().list.tally.open, 4, "nothing was taken");
    assert_eq!(office.acknowledge(office.manager(), &id, &[]).unwrap_err().code, "missing_field");

    let kept = says(&lines[1], "retained", "needed at a trial");
    let summary = office.acknowledge(office.manager(), &id, &[deleted, kept]).unwrap();
    let tally = summary.tally;
    assert_eq!((tally.open, tally.deleted, tally.retained), (2, 1, 1));
    let again = office.acknowledge(office.manager(), &id, &[says(&lines[0], "not_found", "")]).unwrap_err();
    assert!(again.message.contains("final"), "{}", again.message);
    let shown = office.read(&id, "").unwrap();
    let said = shown.lines[1].progress.acknowledgement.as_ref().unwrap();
    assert_eq!(said.by, "local/p-1");
    assert!(format!("{:?}", said.answered).contains("needed at a trial"));

    // The force's own people may; those of another do not learn that there is such a list.
    let systems = office.service().systems().unwrap();
    let mut system = crate::identity::System::clone(systems.get("likeness-cli").unwrap());
    system.agreement.organisations.extend(["kent".to_owned(), "surrey".to_owned()]);
    crate::identity::Registry::of([system], |_| true).unwrap().write(&office.data.systems()).unwrap();
    let third = [says(&lines[2], "not_found", "")];
    let other = office.acknowledge(office.asked(Role::Enroller, "surrey"), &id, &third).unwrap_err();
    assert_eq!(other.code, "no_such_list");
    let own = office.acknowledge(office.asked(Role::Enroller, "kent"), &id, &third).unwrap();
    assert_eq!(own.tally.not_found, 1);
    assert_eq!(
        office.acknowledge(office.asked(Role::Searcher, "kent"), &id, &third).unwrap_err().code,
        "not_permitted"
    );
}

#[test]
fn lines_grow_late_are_erased_and_both_sides_are_compared() {
    let mut office = Office::new();
    let first = office.person("CANARY-77", Some("kent"));
    office.person("k22", Some("kent"));
    let held = office.person("k333", Some("kent"));
    office.alter(held, |facts, today| {
        let hold = LegalHold {
            id: "H1".to_owned(),
            authority: "Crown Court".to_owned(),
            scope: "all images".to_owned(),
            reason: "criminal proceedings".to_owned(),
            placed_on: today,
            placed_by: "local/p-1".to_owned(),
            expires_on: today.checked_add(jiff::Span::new().days(365)).unwrap(),
            lifted: None,
        };
        facts.place_hold(hold, today).unwrap();
    });
    office.turns();
    let unlisted = office.late().unlisted.unwrap();
    assert!(unlisted.images == 4 && unlisted.first_erased_at.is_some(), "{unlisted:?}");
    let made = office.make("kent", &[]).unwrap();
    assert_eq!(made.list.tally.lines, 4, "what a legal hold keeps is on no list");
    let id = made.list.heading.id.clone();
    assert_eq!(
        office.late(),
        AgeingAnswer { unlisted: Some(Unlisted::default()), ..AgeingAnswer::default() }
    );
    let lines = images(&office.read(&id, "").unwrap());
    let whose = |subject: SubjectId| -> Vec<String> {
        let read = office.read(&id, "").unwrap();
        let of = read.lines.iter().filter(|line| line.subject == subject);
        of.map(|line| line.progress.image_id.clone()).collect()
    };
    let of_first = whose(first);
    let kept = says(&of_first[0], "retained", "the officer J. Doe wants to keep it");
    office.acknowledge(office.manager(), &id, &[kept, says(&of_first[1], "deleted", "")]).unwrap();
    let differences = |found: &ListReconciled| -> Vec<(Difference, NationalState)> {
        found.differ.iter().map(|one| (one.difference, one.national)).collect()
    };
    let found = office.reconcile(&id);
    assert_eq!((found.agreed, found.differ.len()), (1, 3));
    assert!(differences(&found).contains(&(Difference::KeptByTheForce, NationalState::BeyondUse)));

    // The last day is in time; the next is not.
    office.days(27);
    office.turns();
    assert!(office.late().forces.is_empty());
    office.days(1);
    assert!(office.late().forces.is_empty(), "28 days after is in time");
    office.turns();
    office.days(2);
    let late = office.late();
    assert_eq!(
        late.forces,
        [ForceAgeing { force: "kent".to_owned(), lists: 1, lines: 2, most_days_late: 2 }]
    );
    assert!(late.late.iter().all(|one| lines.contains(&one.late.image_id) && one.late.line.is_none()));

    // Everybody on the list is erased by now: what the lines said is gone, from every file; that they were there is not.
    let read = office.read(&id, "").unwrap();
    assert_eq!(read.list.tally.erased, 4);
    assert!(read.lines.iter().all(|line| line.erased));
    let said = read.lines.iter().filter_map(|line| line.progress.acknowledgement.as_ref());
    assert!(!format!("{:?}", said.collect::<Vec<_>>()).contains("Doe"));
    assert_eq!(office.read(&id, "records unit").unwrap_err().code, "lines_erased");
    let certificate = office.service().ledger.of_subject(POOL, first).unwrap().unwrap().certificate.unwrap();
    assert!(certificate.contains("deletion_lists"), "{certificate}");
    office.restart();
    for entry in walkdir::WalkDir::new(office.data.path()).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            for needle in [&b"CANARY-77"[..], b"J. Doe"] {
                assert!(memchr::memmem::find(&bytes, needle).is_none(), "{}", entry.path().display());
            }
        }
    }
    let found = office.reconcile(&id);
    assert_eq!(found.agreed, 1);
    assert!(differences(&found).contains(&(Difference::KeptByTheForce, NationalState::Erased)));

    // The force answers late, about people who are erased: taken, but no reason is kept any more.
    let open: Vec<String> = lines.iter().filter(|image| !of_first.contains(image)).cloned().collect();
    let late = [says(&open[0], "deleted", ""), says(&open[1], "retained", "the officer J. Doe again")];
    office.acknowledge(office.manager(), &id, &late).unwrap();
    let found = office.reconcile(&id);
    assert_eq!((found.agreed, found.differ.len()), (2, 2));
    assert!(office.late().forces.is_empty());
}

#[test]
fn the_numbers_follow_the_records() {
    let office = Office::new();
    let nothing = office.numbers().unwrap();
    assert_eq!(nothing.total().persons, 0);
    office.person("k1", Some("kent"));
    office.person("k22", None);
    office.person("k333", None);
    let counted = office.numbers().unwrap();
    let total = counted.total();
    assert_eq!((total.persons, total.images, total.enrolled), (3, 6, 3));
    assert_eq!(counted.cell(Division::Disposition, "due").persons, 1);
    assert_eq!(counted.cell(Division::Outcome, "no_event").images, 4);
    // Beyond use an image is held and not searched.
    office.turns();
    let counted = office.numbers().unwrap();
    assert_eq!(counted.cell(Division::State, "beyond_use").enrolled, 0);
    assert_eq!((counted.total().persons, counted.total().enrolled), (3, 2));
    office.days(29);
    office.turns();
    let counted = office.numbers().unwrap();
    assert_eq!((counted.total().persons, counted.total().images), (2, 4), "what is erased is not counted");

    // For publication: nothing small, and no total that gives it away.
    let request = NumbersRequest { pool: POOL.to_owned(), publishable: true };
    let answer = told(office.service().retention_numbers(office.manager(), &request, shown)).unwrap();
    let NumbersShown::Published(published) = answer.shown else { panic!("not for publication") };
    assert_eq!(published.total, None);
}
