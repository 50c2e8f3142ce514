//! What decides how long a subject is kept: opened for the rules, and sealed again with what they said.
use jiff::{Timestamp, civil::Date};

use super::{OpenedImage, OpenedSubject, Pool, PoolError, PoolKind, Reader};
use crate::{
    authorise::Permit,
    ids::{ImageId, SubjectId},
    records::{Counts, Kept, Marks, RetentionCounts, State, SubjectRow, Worklist},
    retention::{Facts, SubjectCategory},
};

/// A subject in any state, with the facts that decide about it.
#[derive(Debug, Clone)]
pub struct Retained {
    /// Where it stands, and what the rules said last.
    pub kept: Kept,
    /// The facts.
    pub facts: Facts,
}

/// An image of a subject in any state, as far as keeping it needs it.
#[derive(Debug, Clone)]
pub struct HeldImage {
    /// Its id.
    pub id: ImageId,
    /// Whether it was made searchable; beyond use no search finds it nevertheless.
    pub enrolled: bool,
    /// When it was taken; when it came in, where that is not known.
    pub taken_on: Date,
    /// The system that it came from.
    pub source_system: String,
    /// That system's name for it.
    pub source_reference: String,
}

/// Which subject is meant.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// By its id.
    Id(SubjectId),
    /// By a system's name for it.
    Reference(&'a str, &'a str),
}

impl PoolKind {
    /// What a person is to the police when nothing more is known than in which kind of pool they are (R40).
    pub fn usual_category(self) -> SubjectCategory {
        match self {
            PoolKind::Custody => SubjectCategory::Suspect,
            PoolKind::Person => SubjectCategory::Other,
            PoolKind::MissingPerson => SubjectCategory::Missing,
            PoolKind::UnidentifiedPerson | PoolKind::UnidentifiedRemains => SubjectCategory::Unidentified,
        }
    }
}

impl Pool {
    /// A subject, whatever its state.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub(crate) fn retained(&self, permit: &Permit, which: Which<'_>) -> Result<Option<Retained>, PoolError> {
        self.admit(permit)?;
        let kept = match which {
            Which::Id(id) => self.records.kept(id)?,
            Which::Reference(system, reference) => {
                self.records.kept_by_reference(&self.subject_mark(system, reference))?
            }
        };
        kept.map(|kept| self.with_facts(kept)).transpose()
    }

    /// The facts of a subject. Its images are looked at anew: those that came since are days of capture, too.
    pub(crate) fn with_facts(&self, kept: Kept) -> Result<Retained, PoolError> {
        Ok(self.with_images(kept)?.0)
    }

    /// The same, with the images that were looked at, in the order they were recorded.
    pub(crate) fn with_images(&self, kept: Kept) -> Result<(Retained, Vec<HeldImage>), PoolError> {
        let seal = self.seal_of(kept.id)?;
        let mut facts = match &kept.sealed_facts {
            Some(sealed) => seal.open_facts(sealed)?,
            None => {
                let mut facts =
                    Facts::new(self.definition.kind.usual_category(), self.calendar.day(kept.created_at));
                facts.date_of_birth = seal.open_subject(&kept.sealed_details)?.details.date_of_birth;
                facts
            }
        };
        let mut images = Vec::new();
        for image in self.records.kept_images(kept.id)? {
            let record = seal.open_record(image.id, &image.sealed_record)?;
            let taken = record.capture_date.unwrap_or_else(|| self.calendar.day(image.collected_at));
            if let Err(at) = facts.captures.binary_search(&taken) {
                facts.captures.insert(at, taken);
            }
            images.push(HeldImage {
                id: image.id,
                enrolled: image.enrolled,
                taken_on: taken,
                source_system: record.source_system,
                source_reference: record.source_reference,
            });
        }
        Ok((Retained { kept, facts }, images))
    }

    /// As [`Pool::with_images`], of a subject that was read a moment ago; `None` when its erasure has begun since.
    pub(crate) fn with_images_unless_erased(
        &self,
        kept: Kept,
    ) -> Result<Option<(Retained, Vec<HeldImage>)>, PoolError> {
        let id = kept.id;
        match self.with_images(kept) {
            Err(error @ PoolError::KeyGone { .. }) => match self.records.kept(id)? {
                Some(still) if still.state != State::Erasing => Err(error),
                Some(_) | None => Ok(None),
            },
            done => done.map(Some),
        }
    }

    /// Keeps facts and what the rules say of them; `false` when the subject is gone or being erased.
    pub(crate) fn keep_facts(
        &self,
        permit: &Permit,
        subject: SubjectId,
        facts: &Facts,
        marks: &Marks,
    ) -> Result<bool, PoolError> {
        self.admit(permit)?;
        let sealed = self.seal_of(subject)?.seal_facts(facts)?;
        Ok(self.records.set_facts(subject, &sealed, marks)?)
    }

    /// Subjects that must be assessed under these rules today, with their facts.
    pub(crate) fn to_assess(
        &self,
        permit: &Permit,
        rules: &str,
        today: Date,
        limit: usize,
    ) -> Result<Vec<Retained>, PoolError> {
        self.admit(permit)?;
        self.records.to_assess(rules, today, limit)?.into_iter().map(|kept| self.with_facts(kept)).collect()
    }

    /// Keeps what the rules say.
    pub(crate) fn mark(&self, permit: &Permit, marks: &[(SubjectRow, Marks)]) -> Result<(), PoolError> {
        self.admit(permit)?;
        Ok(self.records.set_marks(marks)?)
    }

    /// The next subjects of a list.
    pub(crate) fn worklist(
        &self,
        permit: &Permit,
        list: Worklist,
        today: Date,
        after: Option<SubjectRow>,
        limit: usize,
    ) -> Result<Vec<Kept>, PoolError> {
        self.admit(permit)?;
        Ok(self.records.worklist(list, today, after, limit)?)
    }

    /// The next subjects in any state.
    pub(crate) fn kept_after(
        &self,
        permit: &Permit,
        after: Option<SubjectRow>,
        limit: usize,
    ) -> Result<Vec<Kept>, PoolError> {
        self.admit(permit)?;
        Ok(self.records.kept_after(after, limit)?)
    }

    /// Subjects beyond use whose time has come.
    pub(crate) fn dwelt_out(
        &self,
        permit: &Permit,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Kept>, PoolError> {
        self.admit(permit)?;
        Ok(self.records.dwelt_out(now, limit)?)
    }

    /// Moves the time at which a subject beyond use is erased.
    pub(crate) fn put_off(
        &self,
        permit: &Permit,
        subject: SubjectId,
        until: Timestamp,
    ) -> Result<bool, PoolError> {
        self.admit(permit)?;
        Ok(self.records.set_erase_at(subject, until)?)
    }

    /// How many subjects are where.
    pub(crate) fn retention_counts(
        &self,
        permit: &Permit,
        today: Date,
    ) -> Result<RetentionCounts, PoolError> {
        self.admit(permit)?;
        Ok(self.records.retention_counts(today)?)
    }

    /// Rows of the record store, those that are being erased left out; searchable are images in use only.
    pub(crate) fn rows_held(&self, permit: &Permit) -> Result<Counts, PoolError> {
        self.admit(permit)?;
        Ok(self.records.rows_held()?)
    }

    /// A subject beyond use with its images, for an auditor.
    pub(crate) fn withdrawn(
        &self,
        permit: &Permit,
        kept: &Kept,
    ) -> Result<(OpenedSubject, Vec<OpenedImage>), PoolError> {
        self.admit(permit)?;
        let seal = self.seal_of(kept.id)?;
        let subject = OpenedSubject { id: kept.id, record: seal.open_subject(&kept.sealed_details)? };
        let images = self.records.kept_images(kept.id)?;
        let images = images.into_iter().map(|image| super::read::opened_image(image, &seal));
        Ok((subject, images.collect::<Result<_, _>>()?))
    }

    /// The bytes of an image of a subject beyond use.
    pub(crate) fn withdrawn_bytes(
        &self,
        permit: &Permit,
        image: &OpenedImage,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, PoolError> {
        self.admit(permit)?;
        Reader::new(self, None).image_bytes(image)
    }

    /// Who has this reference or image reference although no reading shows them: beyond use, or being erased.
    pub(crate) fn out_of_use(
        &self,
        permit: &Permit,
        system: &str,
        subject_reference: &str,
        source_reference: &str,
    ) -> Result<Option<Kept>, PoolError> {
        self.admit(permit)?;
        let person = self.records.kept_by_reference(&self.subject_mark(system, subject_reference))?;
        let found = match person {
            Some(person) => Some(person),
            None => self.records.kept_by_source(&self.source_mark(system, source_reference))?,
        };
        Ok(found.filter(|kept| kept.state != State::Active))
    }

    /// The digest that recognises a system's name for a person.
    pub(crate) fn subject_mark(&self, system: &str, reference: &str) -> crate::seal::LookupDigest {
        Reader::new(self, None).reference_digest(system, reference)
    }

    /// The digest that recognises a system's name for an image.
    pub(crate) fn source_mark(&self, system: &str, reference: &str) -> crate::seal::LookupDigest {
        Reader::new(self, None).source_digest(system, reference)
    }
}
