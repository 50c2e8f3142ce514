//! Looking at one item: fields, whether it is known, and the image itself. Changes nothing.
use std::time::Instant;

use super::{EnrolItem, Enrolment, Prepared, RawDetails, Ready, State};
use crate::{
    pool::{Details, OpenedImage, Reader},
    service::{Refusal, RefusalKind, fields::Fields, migrate::embed_again},
};

/// Most attributes of a person.
const MAX_ATTRIBUTES: usize = 32;

impl Enrolment {
    /// Looks at one item. Many may be prepared at once; this is where the processor time goes.
    pub fn prepare(&self, item: EnrolItem, deadline: Instant) -> Prepared {
        let state = match self.look_at(&item, deadline) {
            Ok(state) => state,
            Err(refusal) => match refusal.kind {
                RefusalKind::Invalid | RefusalKind::AlreadyExists | RefusalKind::NotFound => {
                    State::Refused(Box::new(refusal))
                }
                RefusalKind::Unauthenticated
                | RefusalKind::Denied
                | RefusalKind::Busy
                | RefusalKind::Deadline
                | RefusalKind::Unavailable
                | RefusalKind::Fault => State::Failed(Box::new(refusal)),
            },
        };
        Prepared { item, state }
    }

    /// An item that is refused before it was looked at, for example because its message names another pool.
    pub fn refused_item(&self, item: EnrolItem, refusal: Refusal) -> Prepared {
        Prepared { item, state: State::Refused(Box::new(refusal)) }
    }

    fn look_at(&self, item: &EnrolItem, deadline: Instant) -> Result<State, Refusal> {
        let mut fields = Fields::default();
        fields.text("subject_reference", &item.subject_reference, 1, 256);
        fields.text("source_reference", &item.source_reference, 1, 512);
        if item.image.is_empty() {
            fields.missing("image");
        }
        let now = self.service.clock.now();
        let capture_date = fields.date("capture_date", &item.capture_date, now);
        fields.optional("capture_circumstance", &item.capture_circumstance, 64);
        let details = checked_details(&item.details, &mut fields, now);
        fields.finish()?;

        // Before the expensive look: re-running a bulk enrolment must be cheap for what is there already.
        {
            let reader = self.pool.reader(&self.permit)?;
            if let Some(known) = self.known(&reader, item)? {
                return Ok(State::Known(Box::new(known)));
            }
        }
        let system = &self.context.system_name;
        let (subject, source) = (&item.subject_reference, &item.source_reference);
        self.service.hold_back(&self.pool, &self.permit, system, subject, source)?;
        if Instant::now() >= deadline {
            return Err(Refusal::deadline());
        }
        let policy = &self.pool.definition().policy;
        let engine = self.service.engine_of(&self.pool)?;
        let analysed = engine.analyse(&item.image, &item.selection, policy)?;
        let other = match self.pool.other_space() {
            Some(space) if !item.hold_only => {
                let face = analysed.faces[analysed.chosen].bounding_box;
                Some(embed_again(&*self.service.engine_with(space)?, &item.image, face)?)
            }
            _ => None,
        };
        let pack = engine.pack().to_owned();
        Ok(State::Ready(Box::new(Ready { analysed, pack, other, capture_date, details })))
    }

    /// The image that is enrolled under the item's reference, when it is the same image of the same person.
    ///
    /// # Errors
    /// A refusal when the reference is taken by another image or for another person.
    pub(super) fn known(
        &self,
        reader: &Reader<'_>,
        item: &EnrolItem,
    ) -> Result<Option<OpenedImage>, Refusal> {
        let system = &self.context.system_name;
        let Some((known, same)) = reader.known_source(system, &item.source_reference, &item.image)? else {
            return Ok(None);
        };
        if !same {
            return Err(taken("another image"));
        }
        let subject = reader.subject_by_reference(system, &item.subject_reference)?.seen();
        if subject.is_some_and(|subject| subject.id == known.subject) {
            Ok(Some(known))
        } else {
            Err(taken("another subject"))
        }
    }
}

pub(super) fn taken(by: &str) -> Refusal {
    Refusal::invalid(
        "source_reference_taken",
        format!(
            "`source_reference` is already used for {by} of this system in this pool; give each image a reference of its own"
        ),
    )
}

fn checked_details(raw: &RawDetails, fields: &mut Fields, now: jiff::Timestamp) -> Details {
    fields.optional("details.display_name", &raw.display_name, 256);
    let date_of_birth = fields.date("details.date_of_birth", &raw.date_of_birth, now);
    if raw.attributes.len() > MAX_ATTRIBUTES {
        fields.wrong(format!(
            "`details.attributes` has {} entries, but may have at most {MAX_ATTRIBUTES}",
            raw.attributes.len()
        ));
    } else {
        for (at, (key, value)) in raw.attributes.iter().enumerate() {
            // By position: a key can be as personal as its value, and this text goes into messages.
            fields.text(&format!("details.attributes[{at}] (key)"), key, 1, 64);
            fields.optional(&format!("details.attributes[{at}] (value)"), value, 512);
        }
    }
    Details { display_name: raw.display_name.clone(), date_of_birth, attributes: raw.attributes.clone() }
}
