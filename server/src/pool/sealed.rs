//! What is sealed under a subject's own key, and as what.
//!
//! The associated data of every sealed value names the pool, the subject and, where there is one, the image: moved anywhere
//! else, it does not open.
use std::collections::BTreeMap;

use jiff::civil::Date;
use likeness_matcher::{MediaType, detect::Face, embed::Embedding, quality::QualityReport};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{PoolError, Protection};
use crate::{
    ids::{ApplicationId, ImageId, SubjectId},
    keys::PoolName,
    records,
    retention::{Facts, application::DeletionApplication},
    seal::{LookupDigest, SealKey, associated},
};

/// Personal details of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// Free-form label shown to reviewers; may be empty.
    pub display_name: String,
    /// Date of birth, when known.
    pub date_of_birth: Option<Date>,
    /// Other attributes by name.
    pub attributes: BTreeMap<String, String>,
}

/// What is known of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectRecord {
    /// The system that enrolled the first image.
    pub source_system: String,
    /// That system's name for the person.
    pub subject_reference: String,
    /// Personal details, as given with the first image.
    pub details: Details,
}

/// What is known of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRecord {
    /// The system that enrolled it.
    pub source_system: String,
    /// That system's name for the image.
    pub source_reference: String,
    /// When it was taken, when known.
    pub capture_date: Option<Date>,
    /// For example `custody_suite`; may be empty.
    pub capture_circumstance: String,
    /// Format of the stored bytes.
    pub media_type: MediaType,
    /// Columns of the upright image.
    pub width: u32,
    /// Rows of the upright image.
    pub height: u32,
    /// The face that was embedded.
    pub face: Face,
    /// Its place among the faces of the image, largest first.
    pub face_index: usize,
    /// How many faces the image shows.
    pub faces: usize,
    /// True when it was taken as the largest of several.
    pub selected_largest: bool,
    /// Its quality.
    pub quality: QualityReport,
    /// Name of the model pack.
    pub pack: String,
    /// Space of that pack, hex.
    pub space: String,
    /// Version of the matcher library.
    pub matcher_version: String,
}

/// Seals and opens the values of one subject: who has the subject's key needs no permit any more.
pub struct SubjectSeal<'a> {
    pool: &'a PoolName,
    subject: SubjectId,
    key: SealKey,
}

impl<'a> SubjectSeal<'a> {
    /// With this key, for values in this pool.
    #[must_use]
    pub fn new(pool: &'a PoolName, subject: SubjectId, key: SealKey) -> Self {
        SubjectSeal { pool, subject, key }
    }

    fn about(&self, what: &str, image: Option<ImageId>) -> Vec<u8> {
        let image = image.map(|image| *image.as_bytes());
        associated(&[
            what.as_bytes(),
            self.pool.as_str().as_bytes(),
            self.subject.as_bytes(),
            image.as_ref().map_or(&[][..], |bytes| bytes),
        ])
    }

    /// Seals what is known of the subject.
    ///
    /// # Errors
    /// [`PoolError::Seal`] when the system gives no random numbers.
    pub fn seal_subject(&self, record: &SubjectRecord) -> Result<Vec<u8>, PoolError> {
        Ok(self.key.seal_json(&self.about("subject record", None), record)?)
    }

    pub(super) fn open_subject(&self, sealed: &[u8]) -> Result<SubjectRecord, PoolError> {
        Ok(self.key.open_json(&self.about("subject record", None), sealed)?)
    }

    /// Seals what decides how long the subject is kept.
    ///
    /// # Errors
    /// As [`SubjectSeal::seal_subject`].
    pub fn seal_facts(&self, facts: &Facts) -> Result<Vec<u8>, PoolError> {
        Ok(self.key.seal_json(&self.about("retention facts", None), facts)?)
    }

    pub(super) fn open_facts(&self, sealed: &[u8]) -> Result<Facts, PoolError> {
        Ok(self.key.open_json(&self.about("retention facts", None), sealed)?)
    }

    /// Seals an application for deletion.
    ///
    /// # Errors
    /// As [`SubjectSeal::seal_subject`].
    pub fn seal_application(
        &self,
        id: ApplicationId,
        application: &DeletionApplication,
    ) -> Result<Vec<u8>, PoolError> {
        Ok(self.key.seal_json(&self.about(&application_label(id), None), application)?)
    }

    pub(super) fn open_application(
        &self,
        id: ApplicationId,
        sealed: &[u8],
    ) -> Result<DeletionApplication, PoolError> {
        Ok(self.key.open_json(&self.about(&application_label(id), None), sealed)?)
    }

    /// Seals the mark of a protected view.
    ///
    /// # Errors
    /// As [`SubjectSeal::seal_subject`].
    pub fn seal_mark(&self, mark: &Protection) -> Result<Vec<u8>, PoolError> {
        Ok(self.key.seal_json(&self.about("protected view", None), mark)?)
    }

    pub(super) fn open_mark(&self, sealed: &[u8]) -> Result<Protection, PoolError> {
        Ok(self.key.open_json(&self.about("protected view", None), sealed)?)
    }

    /// Seals what is known of an image.
    ///
    /// # Errors
    /// As [`SubjectSeal::seal_subject`].
    pub fn seal_record(&self, image: ImageId, record: &ImageRecord) -> Result<Vec<u8>, PoolError> {
        Ok(self.key.seal_json(&self.about("image record", Some(image)), record)?)
    }

    pub(super) fn open_record(&self, image: ImageId, sealed: &[u8]) -> Result<ImageRecord, PoolError> {
        Ok(self.key.open_json(&self.about("image record", Some(image)), sealed)?)
    }

    /// Seals what a deletion list says of an image, so that it goes when the subject does. `what` is told apart by the list.
    ///
    /// # Errors
    /// As [`SubjectSeal::seal_subject`].
    pub(super) fn seal_listed<T: Serialize>(
        &self,
        list: &str,
        image: ImageId,
        what: &T,
    ) -> Result<Vec<u8>, PoolError> {
        Ok(self.key.seal_json(&self.about(&format!("deletion list {list}"), Some(image)), what)?)
    }

    pub(super) fn open_listed<T: DeserializeOwned>(
        &self,
        list: &str,
        image: ImageId,
        sealed: &[u8],
    ) -> Result<T, PoolError> {
        Ok(self.key.open_json(&self.about(&format!("deletion list {list}"), Some(image)), sealed)?)
    }

    /// Seals an image's template.
    ///
    /// # Errors
    /// As [`SubjectSeal::seal_subject`].
    pub fn seal_template(&self, image: ImageId, embedding: &Embedding) -> Result<Vec<u8>, PoolError> {
        let bytes = Zeroizing::new(records::template_bytes(embedding.values()));
        let what = format!("template {}", embedding.space());
        Ok(self.key.seal(&self.about(&what, Some(image)), &bytes)?)
    }

    pub(super) fn open_template(
        &self,
        image: ImageId,
        sealed: &[u8],
        space: likeness_models::SpaceId,
        dimension: usize,
    ) -> Result<Embedding, PoolError> {
        let what = format!("template {space}");
        let values = records::template_values(&self.key.open(&self.about(&what, Some(image)), sealed)?)?;
        Ok(Embedding::from_stored(space, values, dimension)?)
    }

    /// Seals an image.
    ///
    /// # Errors
    /// As [`SubjectSeal::seal_subject`].
    pub fn seal_bytes(&self, image: ImageId, bytes: &[u8]) -> Result<Vec<u8>, PoolError> {
        Ok(self.key.seal(&self.about("image bytes", Some(image)), bytes)?)
    }

    pub(super) fn open_bytes(&self, image: ImageId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, PoolError> {
        Ok(self.key.open(&self.about("image bytes", Some(image)), sealed)?)
    }

    /// A digest of an image that cannot be computed, or checked against a guess, once the subject's key is destroyed.
    #[must_use]
    pub fn content_digest(&self, bytes: &[u8]) -> LookupDigest {
        self.key.digest(&[b"image content", bytes])
    }
}

fn application_label(id: ApplicationId) -> String {
    format!("application for deletion {id}")
}
