//! What one pool holds: subjects, images, and which of them may be searched.
//!
//! The record store is the truth; the index is a cache of it. Nothing in it is readable without keys: details,
//! records and templates come in sealed, and whatever is looked up by is a keyed digest. Held and searchable are
//! separate states (R81): an image without a template is held, and no search can return it.

mod application;
mod migration;
mod protection;
mod read;
mod reapply;
mod retention;
mod sqlite_store;
mod template;
#[cfg(test)]
mod tests;
mod write;

pub use application::{ApplicationList, ApplicationRecords, StoredApplication};
pub use migration::{
    Agreement, AlgorithmName, Completeness, Encoded, MigrationRecords, StoredMigration, Unencoded,
};
pub use protection::{ProtectionRecords, StoredMark};
pub use reapply::{ReapplyRecords, Recorded, RowsRemoved};
pub(crate) use reapply::{recorded, take_out};
pub use retention::{Kept, Marks, OutOfUse, RetentionCounts, RetentionRecords, State, Worklist};
pub use sqlite_store::SqliteRecords;
pub use template::{template_bytes, template_values};

use crate::ids::{ImageId, SubjectId};
use crate::keys::{KeyCheck, PoolName};
use crate::seal::LookupDigest;
use crate::sqlite::DatabaseError;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What a record store says about its pool. Fixed when the pool is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolMeta {
    /// The pool's name.
    pub pool: PoolName,
    /// The pool's kind, for example `custody`.
    pub kind: String,
    /// The embedding space all its templates are in, in hex.
    pub space: String,
    /// Check value of the key everything in it is sealed with.
    pub key_check: KeyCheck,
    /// When the pool was created, to the millisecond.
    pub created_at: Timestamp,
}

/// Number of a subject within its pool, from 1. Never used twice.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectRow(pub u64);

/// Number of an image within its pool, from 1. Never used twice.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageRow(pub u64);

/// A subject to be recorded.
#[derive(Clone, Debug)]
pub struct NewSubject {
    /// Fresh id.
    pub id: SubjectId,
    /// Digest of source system and subject reference; unique in the pool.
    pub reference_digest: LookupDigest,
    /// Personal details, sealed under the subject's key.
    pub sealed_details: Vec<u8>,
    /// When it was recorded; milliseconds are kept.
    pub created_at: Timestamp,
}

/// An image to be recorded.
#[derive(Clone, Debug)]
pub struct NewImage {
    /// Fresh id; also the name of its blob.
    pub id: ImageId,
    /// Whose image it is: recorded before, or in the same call.
    pub subject: SubjectId,
    /// Digest of source system and source reference; unique in the pool. Makes enrolment idempotent.
    pub source_digest: LookupDigest,
    /// Digest of the image bytes under the subject's key: tells a repetition from a conflict.
    pub content_digest: LookupDigest,
    /// Everything known about the image, sealed under the subject's key.
    pub sealed_record: Vec<u8>,
    /// The template, sealed under the subject's key. `None`: held, not searchable.
    pub sealed_template: Option<Vec<u8>>,
    /// What a second algorithm made of it, while the pool moves to one.
    pub other: Option<Encoded>,
    /// When it was collected; milliseconds are kept.
    pub collected_at: Timestamp,
}

/// A recorded subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSubject {
    /// Its id.
    pub id: SubjectId,
    /// Its number in this pool.
    pub row: SubjectRow,
    /// Digest of source system and subject reference.
    pub reference_digest: LookupDigest,
    /// Personal details, sealed under the subject's key.
    pub sealed_details: Vec<u8>,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// A recorded image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// Its id.
    pub id: ImageId,
    /// Its number in this pool.
    pub row: ImageRow,
    /// Whose image it is.
    pub subject: SubjectId,
    /// That subject's number.
    pub subject_row: SubjectRow,
    /// Digest of source system and source reference.
    pub source_digest: LookupDigest,
    /// Digest of the image bytes under the subject's key.
    pub content_digest: LookupDigest,
    /// Everything known about the image, sealed under the subject's key.
    pub sealed_record: Vec<u8>,
    /// Whether it may be searched.
    pub enrolled: bool,
    /// When it was collected.
    pub collected_at: Timestamp,
}

/// A searchable template, for building the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledTemplate {
    /// The image's number.
    pub row: ImageRow,
    /// The image.
    pub image: ImageId,
    /// Whose image it is.
    pub subject: SubjectId,
    /// That subject's number.
    pub subject_row: SubjectRow,
    /// The template, sealed under the subject's key.
    pub sealed_template: Vec<u8>,
}

/// Numbers given by [`RecordStore::commit_enrolments`], in the order of its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Of the subjects.
    pub subjects: Vec<SubjectRow>,
    /// Of the images.
    pub images: Vec<ImageRow>,
}

/// How much a pool holds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Subjects.
    pub subjects: u64,
    /// Images held.
    pub images: u64,
    /// Images that may be searched.
    pub enrolled: u64,
}

/// The records of one pool.
///
/// A write that returned `Ok` is on stable storage and seen by every later read, from any thread. A write that returned
/// one of the refusals below changed nothing; after [`RecordError::Database`] it may or may not have happened.
/// Dropping a store writes nothing.
pub trait RecordStore:
    ApplicationRecords + MigrationRecords + ProtectionRecords + ReapplyRecords + RetentionRecords + Send + Sync
{
    /// What the store says about its pool.
    fn meta(&self) -> &PoolMeta;

    /// Records subjects, then images, in one transaction: all of them or none.
    ///
    /// [`RecordError::SubjectExists`], [`RecordError::SourceExists`], [`RecordError::UnknownSubject`] name the
    /// first offender by its position in the slice; a digest given twice in one call is an offender too.
    fn commit_enrolments(
        &self,
        subjects: &[NewSubject],
        images: &[NewImage],
    ) -> Result<Committed, RecordError>;

    /// Makes an image searchable with this template, or (`None`) held only; `false` when there is no such image.
    fn set_enrolled(&self, image: ImageId, sealed_template: Option<&[u8]>) -> Result<bool, RecordError>;

    /// The subject with this id.
    fn subject(&self, subject: SubjectId) -> Result<Option<StoredSubject>, RecordError>;

    /// The subjects with these reference digests, in the order asked.
    fn subjects_by_reference(
        &self,
        digests: &[LookupDigest],
    ) -> Result<Vec<Option<StoredSubject>>, RecordError>;

    /// The image with this id.
    fn image(&self, image: ImageId) -> Result<Option<StoredImage>, RecordError>;

    /// The images with these source digests, in the order asked.
    fn images_by_source(&self, digests: &[LookupDigest]) -> Result<Vec<Option<StoredImage>>, RecordError>;

    /// The images with these numbers, in the order asked.
    fn images_by_row(&self, rows: &[ImageRow]) -> Result<Vec<Option<StoredImage>>, RecordError>;

    /// All images of a subject, in the order they were recorded.
    fn images_of(&self, subject: SubjectId) -> Result<Vec<StoredImage>, RecordError>;

    /// The image's sealed template; `None` when it is not searchable or not there.
    fn template(&self, image: ImageId) -> Result<Option<Vec<u8>>, RecordError>;

    /// The next `limit` searchable templates after number `after` (`None`: from the start), ascending.
    fn enrolled_after(
        &self,
        after: Option<ImageRow>,
        limit: usize,
    ) -> Result<Vec<EnrolledTemplate>, RecordError>;

    /// The ids of all images held.
    fn image_ids(&self) -> Result<BTreeSet<ImageId>, RecordError>;

    /// How much there is.
    fn counts(&self) -> Result<Counts, RecordError>;
}

/// What went wrong with records.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A subject with this id or reference digest is recorded already.
    #[error("subject {position} of this call is recorded already")]
    SubjectExists {
        /// Position in the slice, from 0.
        position: usize,
    },
    /// An image with this id or source digest is recorded already.
    #[error("image {position} of this call is recorded already")]
    SourceExists {
        /// Position in the slice, from 0.
        position: usize,
    },
    /// The image names a subject that is neither recorded nor in the same call.
    #[error("image {position} of this call names a subject that is not recorded")]
    UnknownSubject {
        /// Position in the slice, from 0.
        position: usize,
    },
    /// A migration is under way already.
    #[error("a migration is under way already")]
    Migrating,
    /// No migration is under way, or its way back is closed.
    #[error("no migration is under way")]
    NotMigrating,
    /// The other algorithm has not seen every image, or refused more than was accepted.
    #[error("{waiting} images were not encoded yet, and {refused} were refused")]
    Incomplete {
        /// Not seen yet.
        waiting: u64,
        /// Refused.
        refused: u64,
    },
    /// The file holds something that this program did not write.
    #[error("record store: {what} has an unexpected form; restore the file from a backup")]
    Malformed {
        /// What is malformed.
        what: &'static str,
    },
    /// The file could not be read or written.
    #[error("record store: {0}")]
    Database(#[from] DatabaseError),
}

impl From<rusqlite::Error> for RecordError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}
