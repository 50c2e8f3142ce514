//! Pools: the folders of records that are kept, searched and forgotten apart from each other.
//!
//! A pool has its own folder, record file, blobs, index, key, purposes, quality policy and model space. What is in it can
//! be reached only through a [`Reader`] or [`Writer`], and those only with a [`crate::authorise::Permit`] for this pool.
use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    blobs::BlobError,
    durable::FileError,
    keys::{KeyError, PoolName},
    records::RecordError,
    seal::SealError,
};

mod application;
mod copy;
mod definition;
mod erase;
mod gather;
mod index;
mod listed;
mod migrate;
mod protection;
mod read;
mod reapply;
mod rebuild;
mod retain;
mod sealed;
mod serving;
mod store;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod write;

pub use application::Applied;
pub use copy::CopiedPool;
pub(crate) use definition::CheckedPool;
pub use definition::{DefinitionError, PoolDefinition, QualityRule};
pub use erase::Leaving;
pub use gather::Gathering;
pub use index::{CompressedPools, Compression, IndexOptions};
pub use migrate::MigrationStatus;
pub use protection::{ProtectedView, Protection, Sighted, Withheld};
pub use read::{OpenedImage, OpenedSubject, Ranked, Reader};
pub use reapply::Reapplied;
pub use rebuild::Loaded;
pub use retain::{HeldImage, Retained, Which};
pub use sealed::{Details, ImageRecord, SubjectRecord, SubjectSeal};
pub use serving::Geometry;
pub(crate) use store::names;
pub use store::{Pool, PoolParts};
pub use write::{NewImageRecord, NewPerson, Writer};

/// The kinds of pool. The kind decides which purposes and roles can ever reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// Images taken in custody.
    Custody,
    /// Images of persons of interest to an investigation.
    Person,
    /// Images of people reported missing.
    MissingPerson,
    /// Images of living people whose identity is not known.
    UnidentifiedPerson,
    /// Images of human remains whose identity is not known.
    UnidentifiedRemains,
}

impl PoolKind {
    /// Every kind.
    pub const ALL: [PoolKind; 5] = [
        PoolKind::Custody,
        PoolKind::Person,
        PoolKind::MissingPerson,
        PoolKind::UnidentifiedPerson,
        PoolKind::UnidentifiedRemains,
    ];

    /// The name used in files, on the command line and in the log.
    pub fn code(self) -> &'static str {
        match self {
            PoolKind::Custody => "custody",
            PoolKind::Person => "person",
            PoolKind::MissingPerson => "missing_person",
            PoolKind::UnidentifiedPerson => "unidentified_person",
            PoolKind::UnidentifiedRemains => "unidentified_remains",
        }
    }
}

impl fmt::Display for PoolKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A kind of pool that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a kind of pool; the kinds are custody, person, missing_person, unidentified_person and unidentified_remains"
)]
pub struct UnknownKind(String);

impl FromStr for PoolKind {
    type Err = UnknownKind;

    fn from_str(code: &str) -> Result<Self, UnknownKind> {
        PoolKind::ALL.into_iter().find(|kind| kind.code() == code).ok_or_else(|| UnknownKind(code.to_owned()))
    }
}

/// A pool to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPool {
    /// Lower-case letters, digits and hyphens, 1 to 48 characters.
    pub name: String,
    /// Its kind.
    pub kind: PoolKind,
    /// Why it exists, 8 to 1,000 characters.
    pub rationale: String,
    /// Purposes it permits; empty means all that its kind may permit.
    pub purposes: Vec<String>,
    /// Quality policy; empty means the default one.
    pub quality: Vec<QualityRule>,
}

/// What may be told about a pool to those who may list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSummary {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: PoolKind,
    /// Why it exists.
    pub rationale: String,
    /// Purposes it permits, sorted.
    pub purposes: Vec<String>,
    /// Name of the model pack it is pinned to.
    pub pack: String,
    /// Space of that pack, hex.
    pub space_id: String,
    /// Version of the matcher library that serves it.
    pub matcher_version: String,
    /// Persons in it.
    pub subjects: u64,
    /// Images held.
    pub images_held: u64,
    /// Images that can be found by a search.
    pub images_enrolled: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its quality policy.
    pub quality: Vec<QualityRule>,
}

/// Why a pool did not do what was asked.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The permit is for another pool, or for reading.
    #[error("the permit does not cover this access to pool `{pool}`")]
    WrongPermit {
        /// The pool that was asked.
        pool: PoolName,
    },
    /// `pool.toml` is missing, malformed, or contradicts the record file.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The pool was made with another model pack.
    #[error(
        "pool `{pool}` was made with model pack `{pack}` (space {pinned}), but the server runs space {serving}; set `matcher.pack` to the pool's pack"
    )]
    OtherSpace {
        /// The pool.
        pool: PoolName,
        /// The pack it names.
        pack: String,
        /// Its space.
        pinned: String,
        /// The server's space.
        serving: String,
    },
    /// Records and index, or records and image files, do not agree.
    #[error("pool `{pool}` does not agree with itself: {what}; restore it from a backup")]
    Disagrees {
        /// The pool.
        pool: PoolName,
        /// Which count or row differs.
        what: String,
    },
    /// An earlier failure left the index behind the records, so the pool answers nothing until it is rebuilt.
    #[error("pool `{pool}` is out of step after an earlier failure; restart the server to rebuild its index")]
    OutOfStep {
        /// The pool.
        pool: PoolName,
    },
    /// The pool was opened for administration only.
    #[error("pool `{pool}` is not loaded")]
    NotLoaded {
        /// The pool.
        pool: PoolName,
    },
    /// A subject's key is gone while its records are not.
    #[error(
        "a subject of pool `{pool}` has no key, and no tombstone says that it was erased; put back the newest copy of the key store (`keys/`) that belongs to these records"
    )]
    KeyGone {
        /// The pool.
        pool: PoolName,
    },
    /// The pool went over to another algorithm while the image was being worked on.
    #[error("pool `{pool}` went over to another algorithm meanwhile; send the request again")]
    Switched {
        /// The pool.
        pool: PoolName,
    },
    /// The search ran out of time.
    #[error("the search did not finish in the time allowed")]
    Deadline,
    /// The index failed.
    #[error(transparent)]
    Index(likeness_matcher::index::IndexFault),
    /// A stored template cannot be used.
    #[error(transparent)]
    Template(#[from] likeness_matcher::embed::EmbeddingError),
    /// The record store failed.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// The key store failed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Sealed data cannot be opened or made.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The image files failed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<likeness_matcher::index::IndexFault> for PoolError {
    fn from(fault: likeness_matcher::index::IndexFault) -> Self {
        match fault {
            likeness_matcher::index::IndexFault::DeadlineExceeded => PoolError::Deadline,
            other => PoolError::Index(other),
        }
    }
}
