//! Random operations against the store and against maps, reopening in between.

use super::*;
use crate::seeded::runner;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    /// Record these subjects and images (image, subject) in one call.
    Commit(Vec<u32>, Vec<(u32, u32)>),
    /// Give an image this template, or take it away.
    SetEnrolled(u32, Option<Vec<u8>>),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let commit = (prop::collection::vec(0u32..12, 0..3), prop::collection::vec((0u32..40, 0u32..12), 0..4));
    let template = prop::option::of(prop::collection::vec(any::<u8>(), 0..60));
    let step = prop_oneof![
        6 => commit.prop_map(|(subjects, images)| Step::Commit(subjects, images)),
        3 => (0u32..40, template).prop_map(|(image, template)| Step::SetEnrolled(image, template)),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// What the store should hold. Rows are given in order, also to what a failed call then takes back.
#[derive(Clone, Debug, Default)]
struct Model {
    subjects: BTreeMap<u32, u64>,
    images: BTreeMap<u32, (u64, u32, Option<Vec<u8>>)>,
}

impl Model {
    fn commit(&mut self, subjects: &[u32], images: &[(u32, u32)]) -> Result<(), String> {
        let mut next = self.clone();
        for (position, n) in subjects.iter().enumerate() {
            let row = next.subjects.len() as u64 + 1;
            if next.subjects.insert(*n, row).is_some() {
                return Err(format!("subject {position} "));
            }
        }
        for (position, (n, subject)) in images.iter().enumerate() {
            if !next.subjects.contains_key(subject) {
                return Err(format!("image {position} of this call names"));
            }
            let row = next.images.len() as u64 + 1;
            if next.images.insert(*n, (row, *subject, new_image(*n, *subject).sealed_template)).is_some() {
                return Err(format!("image {position} of this call is recorded"));
            }
        }
        *self = next;
        Ok(())
    }

    fn stored(&self, n: u32) -> Option<StoredImage> {
        let (row, subject, template) = self.images.get(&n)?;
        let new = new_image(n, *subject);
        Some(StoredImage {
            id: new.id,
            row: ImageRow(*row),
            subject: new.subject,
            subject_row: SubjectRow(self.subjects[subject]),
            source_digest: new.source_digest,
            content_digest: new.content_digest,
            sealed_record: new.sealed_record,
            enrolled: template.is_some(),
            collected_at: new.collected_at,
        })
    }

    fn check(&self, records: &SqliteRecords) {
        let enrolled: Vec<_> = {
            let mut rows: Vec<_> =
                self.images.iter().filter(|(_, (_, _, template))| template.is_some()).collect();
            rows.sort_by_key(|(_, (row, ..))| *row);
            rows.into_iter()
                .map(|(n, (row, _, template))| (ImageRow(*row), *n, template.clone().unwrap()))
                .collect()
        };
        let counts = Counts {
            subjects: self.subjects.len() as u64,
            images: self.images.len() as u64,
            enrolled: enrolled.len() as u64,
        };
        assert_eq!(records.counts().unwrap(), counts);
        let numbers: Vec<u32> = (0..40).collect();
        let expected: Vec<_> = numbers.iter().map(|n| self.stored(*n)).collect();
        let digests: Vec<_> = numbers.iter().map(|n| new_image(*n, 0).source_digest).collect();
        assert_eq!(records.images_by_source(&digests).unwrap(), expected);
        for (n, expected) in numbers.iter().zip(&expected) {
            let id = new_image(*n, 0).id;
            assert_eq!(&records.image(id).unwrap(), expected);
            let template = self.images.get(n).and_then(|(_, _, template)| template.clone());
            assert_eq!(records.template(id).unwrap(), template);
        }
        let rows: Vec<_> = (0..50).map(ImageRow).chain([ImageRow(u64::MAX)]).collect();
        for (row, found) in rows.iter().zip(records.images_by_row(&rows).unwrap()) {
            assert_eq!(found, expected.iter().flatten().find(|stored| stored.row == *row).cloned());
        }
        for n in 0..12 {
            let new = new_subject(n);
            let found = records.subject(new.id).unwrap();
            assert_eq!(found.as_ref().map(|found| found.row.0), self.subjects.get(&n).copied());
            assert_eq!(records.subjects_by_reference(&[new.reference_digest]).unwrap(), [found]);
            let mut images: Vec<_> =
                expected.iter().flatten().filter(|stored| stored.subject == new.id).cloned().collect();
            images.sort_by_key(|stored| stored.row);
            assert_eq!(records.images_of(new.id).unwrap(), images);
        }
        let ids: BTreeSet<_> = expected.iter().flatten().map(|stored| stored.id).collect();
        assert_eq!(records.image_ids().unwrap(), ids);
        // In pages of three, as a rebuild reads them.
        let (mut after, mut paged) = (None, Vec::new());
        loop {
            let page = records.enrolled_after(after, 3).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.row);
            paged.extend(page);
        }
        assert_eq!(paged.len(), enrolled.len());
        for (found, (row, n, template)) in paged.into_iter().zip(enrolled) {
            let stored = self.stored(n).unwrap();
            assert_eq!((found.row, found.image, found.sealed_template), (row, stored.id, template));
            assert_eq!((found.subject, found.subject_row), (stored.subject, stored.subject_row));
        }
    }
}

#[test]
fn agrees_with_maps_over_random_operations_and_reopening() {
    let checked = runner(48).run(&steps(), |steps| {
        let (fixture, mut records) = Fixture::new();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Commit(subjects, images) => {
                    let new_subjects: Vec<_> = subjects.iter().map(|n| new_subject(*n)).collect();
                    let new_images: Vec<_> =
                        images.iter().map(|(n, subject)| new_image(*n, *subject)).collect();
                    let result = records.commit_enrolments(&new_subjects, &new_images);
                    match (model.commit(&subjects, &images), result) {
                        (Ok(()), Ok(committed)) => {
                            let rows: Vec<_> =
                                images.iter().map(|(n, _)| ImageRow(model.images[n].0)).collect();
                            prop_assert_eq!(committed.images, rows);
                        }
                        (Err(expected), Err(error)) => {
                            prop_assert!(
                                error.to_string().starts_with(&expected),
                                "{} / {}",
                                error,
                                expected
                            );
                        }
                        (expected, found) => prop_assert!(false, "{:?} / {:?}", expected, found),
                    }
                }
                Step::SetEnrolled(n, template) => {
                    let found = records.set_enrolled(new_image(n, 0).id, template.as_deref()).unwrap();
                    prop_assert_eq!(found, model.images.contains_key(&n));
                    if let Some((_, _, kept)) = model.images.get_mut(&n) {
                        *kept = template;
                    }
                }
                Step::Reopen => {
                    drop(records);
                    records = SqliteRecords::open(&fixture.file).unwrap();
                }
            }
        }
        model.check(&records);
        Ok(())
    });
    checked.unwrap();
}
