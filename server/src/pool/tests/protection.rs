//! What a reader without the right to see protected views can find out about them: nothing, by no way of reading.
use super::*;
use crate::{
    authorise::{self, Authoriser, Origin, Question, explain},
    identity::Role,
};

/// A permit as a person gets it; unlike that of upkeep it does not see through the veil.
fn asked(pool: &Pool, action: Action, role: Role, purpose: &str) -> Permit {
    let authoriser = Authoriser::built_in().unwrap();
    let caller = explain::imagined(authoriser.purposes(), None, &[role], None).unwrap();
    let purpose = authoriser.purposes().purpose(purpose).unwrap();
    let place = authorise::Place::Pool(pool.facts());
    let question =
        Question { caller: &caller, action, place, purpose: &purpose, origin: Origin::Scene, now: now() };
    authoriser.authorise(&question).unwrap()
}

fn mark(view: ProtectedView) -> Protection {
    Protection {
        view,
        owner: "unit-7".to_owned(),
        reason: "made by a test".to_owned(),
        review_due: "2027-01-01".parse().unwrap(),
        ends_on: None,
    }
}

/// A pool with persons 0 to 9 at increasing distance from the origin, each with one image.
fn crowd(place: &Place) -> (Pool, Vec<SubjectId>, Vec<ImageId>) {
    let pool = place.create("cells");
    let people: Vec<NewPerson> = (0..10).map(|n| person(&format!("p{n}"))).collect();
    let images: Vec<NewImageRecord> = people
        .iter()
        .enumerate()
        .map(|(n, person)| place.image(person.id, &format!("p{n}/1"), Some([n as f32 / 10.0, 0.0, 0.0, 0.0])))
        .collect();
    let ids = images.iter().map(|image| image.id).collect();
    let subjects = people.iter().map(|person| person.id).collect();
    let permit = permit("cells", Action::Enrol);
    pool.writer(&permit).unwrap().store(&people, &images, now()).unwrap();
    (pool, subjects, ids)
}

fn protect(pool: &Pool, subject: SubjectId, mark: Option<&Protection>) {
    let permit = permit("cells", Action::Protect);
    pool.writer(&permit).unwrap().protect(&permit, subject, mark).unwrap();
}

fn names(reader: &Reader<'_>, ranked: &Ranked) -> Vec<String> {
    let opened = reader.enrolled(&ranked.hits).unwrap();
    opened.into_iter().map(|found| found.unwrap().0.record.source_reference).collect()
}

#[test]
fn a_list_is_filled_up_from_the_next_and_counts_leave_the_hidden_out() {
    let place = Place::new();
    let (pool, subjects, images) = crowd(&place);
    let probe = place.embedding([0.0; 4]);
    let soon = || Instant::now() + Duration::from_secs(5);
    protect(&pool, subjects[0], Some(&mark(ProtectedView::ExistenceSuppressed)));
    protect(&pool, subjects[2], Some(&mark(ProtectedView::ContactOwner)));
    protect(&pool, subjects[9], Some(&mark(ProtectedView::ExistenceSuppressed)));

    for again in [false, true] {
        let pool = if again { &place.open("cells").unwrap_or_else(|_| panic!("reopens")) } else { &pool };
        let search = asked(pool, Action::Search, Role::Searcher, "criminal_investigation");
        let reader = pool.reader(&search).unwrap();
        let ranked = reader.search(&probe, 4, soon()).unwrap();
        assert_eq!(names(&reader, &ranked), ["p1/1", "p3/1", "p4/1", "p5/1"]);
        // Only what would have been shown was met: not the one at the far end.
        let met: Vec<_> = ranked.withheld.iter().map(|(kept, _)| (kept.subject, kept.view)).collect();
        assert_eq!(
            met,
            [(subjects[0], ProtectedView::ExistenceSuppressed), (subjects[2], ProtectedView::ContactOwner)]
        );
        assert_eq!(reader.gallery_size().unwrap(), 7);
        // Everybody there is, and no more.
        assert_eq!(reader.search(&probe, 50, soon()).unwrap().hits.len(), 7);
        // No other way of reading finds them.
        for (subject, image) in [(0, 0), (2, 2), (9, 9)] {
            assert!(matches!(reader.subject(subjects[subject]).unwrap(), Sighted::Withheld(_)));
            let found = reader.subject_by_reference("system", &format!("p{subject}")).unwrap();
            assert!(matches!(found, Sighted::Withheld(_)));
            assert!(matches!(reader.image(images[image]).unwrap(), Sighted::Withheld(_)));
            assert!(reader.images_of(subjects[subject]).unwrap().is_empty());
            assert!(reader.protection(subjects[subject]).is_none());
        }
        assert!(reader.protections().is_empty());
        assert!(matches!(reader.subject(subjects[1]).unwrap(), Sighted::Seen(_)));
        let list = asked(pool, Action::ListPools, Role::PoolAdmin, "system_administration");
        let summary = pool.summary(&list, None).unwrap();
        assert_eq!((summary.subjects, summary.images_held, summary.images_enrolled), (7, 7, 7));
        if again {
            break;
        }
        // The same pool from disk, once nobody has it open.
        let sees = asked(pool, Action::SeeProtected, Role::ProtectedViewer, "criminal_investigation");
        let all = pool.reader(&search).unwrap().unveiled(&sees).unwrap();
        let ranked = all.search(&probe, 4, soon()).unwrap();
        assert_eq!(names(&all, &ranked), ["p0/1", "p1/1", "p2/1", "p3/1"]);
        assert!(ranked.withheld.is_empty());
        assert_eq!((all.gallery_size().unwrap(), all.protections().len()), (10, 3));
        assert_eq!(all.protection(subjects[2]).unwrap().owner, "unit-7");
        assert_eq!(pool.summary(&list, Some(&sees)).unwrap().subjects, 10);
        // Only the right itself lifts the veil.
        for other in [
            asked(pool, Action::Search, Role::Searcher, "criminal_investigation"),
            asked(pool, Action::ReadSubject, Role::Searcher, "criminal_investigation"),
        ] {
            assert!(pool.reader(&search).unwrap().unveiled(&other).is_err());
            assert_eq!(pool.summary(&list, Some(&other)).unwrap().subjects, 7);
        }
    }
}

#[test]
fn a_lifted_mark_hides_nothing_and_only_its_own_permit_puts_one() {
    let place = Place::new();
    let (pool, subjects, _) = crowd(&place);
    protect(&pool, subjects[0], Some(&mark(ProtectedView::ExistenceSuppressed)));
    protect(&pool, subjects[0], None);
    let search = asked(&pool, Action::Search, Role::Searcher, "criminal_investigation");
    let reader = pool.reader(&search).unwrap();
    assert!(matches!(reader.subject(subjects[0]).unwrap(), Sighted::Seen(_)));
    assert_eq!(reader.gallery_size().unwrap(), 10);
    let enrol = permit("cells", Action::Enrol);
    let wrong = pool.writer(&enrol).unwrap().protect(&enrol, subjects[0], None);
    assert!(matches!(wrong, Err(PoolError::WrongPermit { .. })));
    // An image that comes in for a hidden person is hidden with them, and is no second person.
    protect(&pool, subjects[0], Some(&mark(ProtectedView::ExistenceSuppressed)));
    let known = pool.writer(&enrol).unwrap().subject_by_reference("system", "p0").unwrap().seen().unwrap();
    let image = place.image(known.id, "p0/2", Some([0.0; 4]));
    pool.writer(&enrol).unwrap().store(&[], std::slice::from_ref(&image), now()).unwrap();
    assert!(matches!(pool.reader(&search).unwrap().image(image.id).unwrap(), Sighted::Withheld(_)));
    assert_eq!(pool.reader(&search).unwrap().gallery_size().unwrap(), 9);
}
