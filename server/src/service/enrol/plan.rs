//! Deciding, inside the pool's turn to write, what a group of prepared items becomes.
use std::collections::BTreeMap;

use super::{EnrolItem, EnrolOutcome, EnrolResult, Enrolment, Prepared, Ready, State, prepare::taken};
use crate::{
    ids::{ImageId, SubjectId},
    pool::{ImageRecord, NewImageRecord, NewPerson, OpenedImage, SubjectRecord, Writer},
    service::{MATCHER_VERSION, Refusal},
};

/// What is to be written, and for each item what it will be told.
pub(super) struct Plan {
    pub(super) persons: Vec<NewPerson>,
    pub(super) images: Vec<NewImageRecord>,
    pub(super) items: Vec<PlannedItem>,
}

/// One item of the group, in its order.
pub(super) struct PlannedItem {
    pub(super) result: EnrolResult,
    pub(super) request: Vec<u8>,
    /// Position among the images to be written.
    pub(super) writes: Option<usize>,
    pub(super) selection: String,
    pub(super) media: Option<(&'static str, u32, u32)>,
}

impl Enrolment {
    /// Looks again at what each item meets, now that nobody else writes: another stream, or an earlier item of this group,
    /// may have brought the same image.
    ///
    /// # Errors
    /// The refusal of the first item that failed without being at fault; then nothing of the group is written.
    pub(super) fn plan(&self, writer: &Writer<'_>, group: Vec<Prepared>) -> Result<Plan, Refusal> {
        let mut plan =
            Plan { persons: Vec::new(), images: Vec::new(), items: Vec::with_capacity(group.len()) };
        let mut subjects: BTreeMap<String, SubjectId> = BTreeMap::new();
        let mut sources: BTreeMap<String, usize> = BTreeMap::new();
        for Prepared { mut item, state } in group {
            let request = std::mem::take(&mut item.request);
            let selection = super::selection_note(&item.selection);
            let mut media = None;
            let mut writes = None;
            let result = match state {
                State::Failed(refusal) => return Err(*refusal),
                State::Refused(refusal) => refused(&item, *refusal),
                State::Known(known) => there_already(&item, &known),
                State::Ready(ready) => {
                    media = Some((
                        ready.analysed.media_type.as_str(),
                        ready.analysed.width,
                        ready.analysed.height,
                    ));
                    if let Some(&earlier) = sources.get(&item.source_reference) {
                        twice(&item, &plan.images[earlier], &subjects)
                    } else {
                        match self.known(writer, &item) {
                            Ok(Some(known)) => there_already(&item, &known),
                            Ok(None) => {
                                let subject =
                                    self.subject(writer, &item, &ready, &mut plan.persons, &mut subjects)?;
                                sources.insert(item.source_reference.clone(), plan.images.len());
                                writes = Some(plan.images.len());
                                let (image, result) = self.new_image(item, *ready, subject);
                                plan.images.push(image);
                                result
                            }
                            Err(refusal) => refused(&item, refusal),
                        }
                    }
                }
            };
            plan.items.push(PlannedItem { result, request, writes, selection, media });
        }
        Ok(plan)
    }

    fn subject(
        &self,
        writer: &Writer<'_>,
        item: &EnrolItem,
        ready: &Ready,
        persons: &mut Vec<NewPerson>,
        subjects: &mut BTreeMap<String, SubjectId>,
    ) -> Result<SubjectId, Refusal> {
        if let Some(id) = subjects.get(&item.subject_reference) {
            return Ok(*id);
        }
        let system = &self.context.system_name;
        let id = match writer.subject_by_reference(system, &item.subject_reference)?.seen() {
            Some(subject) => subject.id,
            None => {
                let id = SubjectId::at(self.service.clock.now());
                persons.push(NewPerson {
                    id,
                    record: SubjectRecord {
                        source_system: system.clone(),
                        subject_reference: item.subject_reference.clone(),
                        details: ready.details.clone(),
                    },
                });
                id
            }
        };
        subjects.insert(item.subject_reference.clone(), id);
        Ok(id)
    }

    fn new_image(&self, item: EnrolItem, ready: Ready, subject: SubjectId) -> (NewImageRecord, EnrolResult) {
        let analysed = ready.analysed;
        let id = ImageId::at(self.service.clock.now());
        let face = analysed.faces[analysed.chosen];
        // The policy of choosing is worth a mark only when there was something to choose.
        let selected_largest = analysed.selected_largest && analysed.faces.len() > 1;
        let result = EnrolResult {
            outcome: if item.hold_only { EnrolOutcome::Held } else { EnrolOutcome::Enrolled },
            source_reference: item.source_reference.clone(),
            stored: Some((subject, id)),
            face: Some((face, analysed.chosen)),
            quality: Some(analysed.quality.clone()),
            refusal: None,
            selected_largest,
        };
        let record = ImageRecord {
            source_system: self.context.system_name.clone(),
            source_reference: item.source_reference,
            capture_date: ready.capture_date,
            capture_circumstance: item.capture_circumstance,
            media_type: analysed.media_type,
            width: analysed.width,
            height: analysed.height,
            face,
            face_index: analysed.chosen,
            faces: analysed.faces.len(),
            selected_largest,
            quality: analysed.quality,
            pack: ready.pack,
            space: analysed.embedding.space().to_string(),
            matcher_version: MATCHER_VERSION.to_owned(),
        };
        let embedding = (!item.hold_only).then_some(analysed.embedding);
        (NewImageRecord { id, subject, record, bytes: item.image, embedding, other: ready.other }, result)
    }
}

fn refused(item: &EnrolItem, refusal: Refusal) -> EnrolResult {
    EnrolResult {
        outcome: EnrolOutcome::Refused,
        source_reference: item.source_reference.clone(),
        stored: None,
        face: None,
        quality: refusal.quality.as_deref().cloned(),
        refusal: Some(refusal),
        selected_largest: false,
    }
}

fn there_already(item: &EnrolItem, known: &OpenedImage) -> EnrolResult {
    EnrolResult {
        outcome: if known.enrolled { EnrolOutcome::AlreadyEnrolled } else { EnrolOutcome::Held },
        source_reference: item.source_reference.clone(),
        stored: Some((known.subject, known.id)),
        face: Some((known.record.face, known.record.face_index)),
        quality: Some(known.record.quality.clone()),
        refusal: None,
        selected_largest: known.record.selected_largest,
    }
}

/// The second item of a group under one reference.
fn twice(item: &EnrolItem, earlier: &NewImageRecord, subjects: &BTreeMap<String, SubjectId>) -> EnrolResult {
    if earlier.bytes != item.image {
        return refused(item, taken("another image"));
    }
    if subjects.get(&item.subject_reference) != Some(&earlier.subject) {
        return refused(item, taken("another subject"));
    }
    EnrolResult {
        outcome: if earlier.embedding.is_some() { EnrolOutcome::AlreadyEnrolled } else { EnrolOutcome::Held },
        source_reference: item.source_reference.clone(),
        stored: Some((earlier.subject, earlier.id)),
        face: Some((earlier.record.face, earlier.record.face_index)),
        quality: Some(earlier.record.quality.clone()),
        refusal: None,
        selected_largest: earlier.record.selected_largest,
    }
}
