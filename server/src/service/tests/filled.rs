//! Persons for pools that are filled without a matcher.
use jiff::Timestamp;
use likeness_matcher::embed::Embedding;

use super::Service;
use crate::{
    ids::{ImageId, SubjectId},
    pool::{Details, NewImageRecord, NewPerson, SubjectRecord, tests::image_record},
};

/// A template that is different for every seed.
pub(super) fn embedding(service: &Service, seed: usize) -> Embedding {
    let dimension = service.engine().dimension();
    let values = (0..dimension).map(|at| ((at * 7 + seed * 13) % 31) as f32 / 31.0).collect();
    Embedding::from_stored(service.engine().space(), values, dimension).unwrap()
}

/// The recognisable bytes of an image.
pub(super) fn bytes_of(reference: &str) -> Vec<u8> {
    format!("the very bytes of {reference} ").repeat(20).into_bytes()
}

/// A person with one searchable and one held image.
pub(super) fn person(
    service: &Service,
    reference: &str,
    seed: usize,
    at: Timestamp,
) -> (NewPerson, [NewImageRecord; 2]) {
    let person = NewPerson {
        id: SubjectId::at(at),
        record: SubjectRecord {
            source_system: "system".to_owned(),
            subject_reference: reference.to_owned(),
            details: Details::default(),
        },
    };
    let image = |number: usize| {
        let source_reference = format!("{reference}/{number}");
        NewImageRecord {
            id: ImageId::at(at),
            subject: person.id,
            bytes: bytes_of(&source_reference).into(),
            record: image_record(&source_reference, service.engine().space()),
            embedding: (number == 1).then(|| embedding(service, seed)),
            other: None,
        }
    };
    let images = [image(1), image(2)];
    (person, images)
}
