//! What a permit for writing opens: keys, then image files, then the records, then the index.
//!
//! Nothing exists before the record commit; everything needed to find it again is durable before that.
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    sync::MutexGuard,
};

use bytes::Bytes;
use jiff::Timestamp;
use likeness_matcher::{
    embed::Embedding,
    index::{IndexRow, RowKey, SubjectKey},
};

use super::{ImageRecord, PoolError, Reader, SubjectRecord, sealed::SubjectSeal};
use crate::{
    ids::{ImageId, SubjectId},
    records::{NewImage, NewSubject},
};

/// A pool, opened for writing. Holds the pool's turn to write until dropped.
pub struct Writer<'a> {
    pub(super) reader: Reader<'a>,
    _turn: MutexGuard<'a, ()>,
}

/// A subject that is not in the pool yet.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Its id.
    pub id: SubjectId,
    /// What is known of it.
    pub record: SubjectRecord,
}

/// An image that is not in the pool yet.
#[derive(Clone)]
pub struct NewImageRecord {
    /// Its id.
    pub id: ImageId,
    /// Whose it is: in the pool already, or among the new persons of the same call.
    pub subject: SubjectId,
    /// What is known of it.
    pub record: ImageRecord,
    /// The bytes as they came in.
    pub bytes: Bytes,
    /// Its template, when it is to be searchable.
    pub embedding: Option<Embedding>,
    /// What the algorithm that the pool moves to made of it: an embedding, or the stable code of its refusal.
    pub other: Option<Result<Embedding, String>>,
}

impl<'a> Deref for Writer<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> Writer<'a> {
    pub(super) fn new(reader: Reader<'a>, turn: MutexGuard<'a, ()>) -> Self {
        Writer { reader, _turn: turn }
    }

    /// Stores persons and images: all of them, or on any error none that a later start would keep.
    ///
    /// When this returns they are durable and every later search considers them.
    ///
    /// # Errors
    /// [`PoolError`]; when the index could not follow the records, the pool answers nothing more until a restart.
    pub fn store(
        &self,
        persons: &[NewPerson],
        images: &[NewImageRecord],
        now: Timestamp,
    ) -> Result<(), PoolError> {
        let pool = self.reader.pool;
        // Before anything is written: templates of another space must not reach the records.
        let foreign = |image: &NewImageRecord| {
            image.embedding.as_ref().is_some_and(|embedding| embedding.space() != self.reader.space())
        };
        if images.iter().any(foreign) {
            return Err(PoolError::Switched { pool: pool.definition.name.clone() });
        }
        let seals = self.seals(persons, images, now)?;
        let seal = |subject: &SubjectId| {
            seals.get(subject).ok_or_else(|| PoolError::KeyGone { pool: pool.definition.name.clone() })
        };

        let blobs = images
            .iter()
            .map(|image| Ok((image.id, seal(&image.subject)?.seal_bytes(image.id, &image.bytes)?)))
            .collect::<Result<Vec<_>, PoolError>>()?;
        let subjects = persons
            .iter()
            .map(|person| {
                Ok(NewSubject {
                    id: person.id,
                    reference_digest: self
                        .reference_digest(&person.record.source_system, &person.record.subject_reference),
                    sealed_details: seal(&person.id)?.seal_subject(&person.record)?,
                    created_at: now,
                })
            })
            .collect::<Result<Vec<_>, PoolError>>()?;
        let rows = images
            .iter()
            .map(|image| {
                let seal = seal(&image.subject)?;
                Ok(NewImage {
                    id: image.id,
                    subject: image.subject,
                    source_digest: self
                        .source_digest(&image.record.source_system, &image.record.source_reference),
                    content_digest: seal.content_digest(&image.bytes),
                    sealed_record: seal.seal_record(image.id, &image.record)?,
                    sealed_template: image
                        .embedding
                        .as_ref()
                        .map(|template| seal.seal_template(image.id, template))
                        .transpose()?,
                    other: self
                        .encoded_beside(image)
                        .map(|made| match made {
                            Ok(embedding) => seal.seal_template(image.id, embedding).map(Ok),
                            Err(code) => Ok(Err(code.clone())),
                        })
                        .transpose()?,
                    collected_at: now,
                })
            })
            .collect::<Result<Vec<_>, PoolError>>()?;

        let files: Vec<ImageId> = blobs.iter().map(|(id, _)| *id).collect();
        pool.blobs.put(blobs)?;
        let committed = match pool.records.commit_enrolments(&subjects, &rows) {
            Ok(committed) => committed,
            Err(error) => {
                // Whatever stays behind is swept at the next start: no record names it.
                for id in files {
                    if let Err(error) = pool.blobs.remove(id) {
                        tracing::warn!(pool = %pool.definition.name, %error, "an image file without a record stays until the next start");
                    }
                }
                return Err(error.into());
            }
        };
        self.index(images, &committed.images).inspect_err(|_| pool.set_out_of_step())
    }

    /// Adds the searchable ones of images that are now recorded in `rows`.
    fn index(&self, images: &[NewImageRecord], rows: &[crate::records::ImageRow]) -> Result<(), PoolError> {
        let pool = self.reader.pool;
        let stored = pool.records.images_by_row(rows)?;
        let mut entries = Vec::with_capacity(images.len());
        let mut beside = Vec::new();
        for ((image, row), stored) in images.iter().zip(rows).zip(&stored) {
            let Some(embedding) = &image.embedding else { continue };
            let Some(stored) = stored.as_ref().filter(|stored| stored.id == image.id) else {
                return Err(PoolError::Disagrees {
                    pool: pool.definition.name.clone(),
                    what: format!("row {} does not hold the image that was just recorded in it", row.0),
                });
            };
            let (row, subject) = (RowKey(row.0), SubjectKey(stored.subject_row.0));
            entries.push(IndexRow { row, subject, embedding });
            if let Some(Ok(embedding)) = self.encoded_beside(image) {
                beside.push(IndexRow { row, subject, embedding });
            }
        }
        if let Some(other) = pool.other() {
            other.index.insert(&beside)?;
            pool.set_pending();
        }
        Ok(self.reader.serving.index.insert(&entries)?)
    }

    /// What the other algorithm made of a searchable image, when it is the one that the pool moves to now. What is missing
    /// here is encoded later.
    fn encoded_beside<'i>(&self, image: &'i NewImageRecord) -> Option<Result<&'i Embedding, &'i String>> {
        let other = self.reader.pool.other()?;
        image.embedding.as_ref()?;
        match image.other.as_ref()?.as_ref() {
            Ok(embedding) if embedding.space() != other.geometry.space => None,
            made => Some(made),
        }
    }

    /// Whether an image is searchable; `None` when it is not held.
    ///
    /// # Errors
    /// [`PoolError`] when the records fail.
    pub fn is_enrolled(&self, image: ImageId) -> Result<Option<bool>, PoolError> {
        Ok(self.reader.pool.records.image(image)?.map(|stored| stored.enrolled))
    }

    /// Makes an image searchable with `embedding`, or takes it out of search and forgets its template.
    ///
    /// # Errors
    /// [`PoolError`]; when the index could not follow the records, the pool answers nothing more until a restart.
    pub fn set_enrolled(&self, image: ImageId, embedding: Option<&Embedding>) -> Result<(), PoolError> {
        let pool = self.reader.pool;
        let gone = || PoolError::Disagrees {
            pool: pool.definition.name.clone(),
            what: format!("image {image} is no longer recorded"),
        };
        if embedding.is_some_and(|embedding| embedding.space() != self.reader.space()) {
            return Err(PoolError::Switched { pool: pool.definition.name.clone() });
        }
        let stored = pool.records.image(image)?.ok_or_else(gone)?;
        let template = match embedding {
            Some(embedding) => Some(pool.seal_of(stored.subject)?.seal_template(image, embedding)?),
            None => None,
        };
        if !pool.records.set_enrolled(image, template.as_deref())? {
            return Err(gone());
        }
        let row = RowKey(stored.row.0);
        pool.set_pending();
        let index = &self.reader.serving.index;
        // The records forgot the other algorithm's template, too; it is encoded anew when it is wanted.
        let beside = match pool.other() {
            Some(other) => other.index.remove(&[row]).map(|_| ()),
            None => Ok(()),
        };
        let followed = beside.and_then(|()| match embedding {
            Some(embedding) => {
                index.insert(&[IndexRow { row, subject: SubjectKey(stored.subject_row.0), embedding }])
            }
            None => index.remove(&[row]).map(|_| ()),
        });
        followed.inspect_err(|_| pool.set_out_of_step())?;
        Ok(())
    }

    /// Keys of every subject in the call; those of new persons are made here and durable on return.
    fn seals(
        &self,
        persons: &[NewPerson],
        images: &[NewImageRecord],
        now: Timestamp,
    ) -> Result<BTreeMap<SubjectId, SubjectSeal<'a>>, PoolError> {
        let pool = self.reader.pool;
        let new: Vec<SubjectId> = persons.iter().map(|person| person.id).collect();
        let mut seals = BTreeMap::new();
        if !new.is_empty() {
            for (id, key) in new.iter().zip(pool.keys.create_subject_keys(&pool.key, &new, now)?) {
                seals.insert(*id, SubjectSeal::new(&pool.definition.name, *id, key));
            }
        }
        let old: BTreeSet<SubjectId> =
            images.iter().map(|image| image.subject).filter(|id| !seals.contains_key(id)).collect();
        for id in old {
            // Never made anew: a subject whose key is gone was erased.
            seals.insert(id, pool.seal_of(id)?);
        }
        Ok(seals)
    }
}
