//! What a permit for reading opens.
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use jiff::Timestamp;
use likeness_matcher::{
    embed::Embedding,
    index::{Exactness, Hit},
};
use likeness_models::SpaceId;
use zeroize::Zeroizing;

use super::{
    ImageRecord, Pool, PoolDefinition, PoolError, Sighted, SubjectRecord, Withheld, protection::Marks,
    sealed::SubjectSeal, serving::Serving,
};
use crate::{
    ids::{ImageId, SubjectId},
    records::{ImageRow, StoredImage, StoredSubject},
    seal::LookupDigest,
};

/// A pool, opened for reading.
pub struct Reader<'a> {
    pub(super) pool: &'a Pool,
    /// The algorithm that was active when the reader was made: one search uses one.
    pub(super) serving: Arc<Serving>,
    /// The protected views that are hidden from it.
    pub(super) veil: Option<Arc<Marks>>,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// What may be shown, best first.
    pub hits: Vec<Hit>,
    /// What would have been among them but for a protected view.
    pub withheld: Vec<(Withheld, f64)>,
    /// Both in one list, as they rank.
    pub unfiltered: Vec<Hit>,
}

/// An image with its sealed record opened.
#[derive(Debug, Clone)]
pub struct OpenedImage {
    /// Its id.
    pub id: ImageId,
    /// Whose it is.
    pub subject: SubjectId,
    /// True when a search can find it.
    pub enrolled: bool,
    /// When it came in.
    pub collected_at: Timestamp,
    /// What is known of it.
    pub record: ImageRecord,
}

/// A subject with the sealed record opened.
#[derive(Debug, Clone)]
pub struct OpenedSubject {
    /// Its id.
    pub id: SubjectId,
    /// What is known of it.
    pub record: SubjectRecord,
}

impl<'a> Reader<'a> {
    pub(super) fn new(pool: &'a Pool, veil: Option<Arc<Marks>>) -> Self {
        Reader { pool, serving: pool.active(), veil }
    }

    /// The space that this reader searches in.
    pub fn space(&self) -> SpaceId {
        self.serving.geometry.space
    }

    /// What the pool is.
    pub fn definition(&self) -> &'a PoolDefinition {
        &self.pool.definition
    }

    /// Images that a search compares with, without those that are hidden from this reader.
    ///
    /// # Errors
    /// [`PoolError`] when the records fail.
    pub fn gallery_size(&self) -> Result<u64, PoolError> {
        let all = self.serving.index.len() as u64;
        match &self.veil {
            Some(veil) if veil.len() > 0 => {
                Ok(all.saturating_sub(self.pool.records.marked_counts()?.enrolled))
            }
            _ => Ok(all),
        }
    }

    /// What is promised of the lists of [`Reader::search`], now.
    pub fn exactness(&self) -> Exactness {
        self.serving.index.exactness()
    }

    /// Measures what [`Exactness::Approximate`] tells, when that is due; says whether it was. Nobody is shown anything of it, and
    /// nothing is kept but counts. Takes long, and ends soon after `cancelled` is set.
    ///
    /// # Errors
    /// [`PoolError`] when the index fails.
    pub fn measure(&self, at: Timestamp, cancelled: &AtomicBool) -> Result<bool, PoolError> {
        let due = self.serving.index.measure_due();
        if due {
            self.serving.index.measure(at.into(), cancelled)?;
        }
        Ok(due)
    }

    /// The `limit` subjects most like the probe, best first.
    ///
    /// As many more are looked for as are hidden, whoever they are: the list is as long, and the search takes as long, whether
    /// or not a hidden one is among the best.
    ///
    /// # Errors
    /// [`PoolError::Deadline`] when time runs out; never a partial list.
    pub fn search(&self, probe: &Embedding, limit: usize, deadline: Instant) -> Result<Ranked, PoolError> {
        if probe.space() != self.space() {
            return Err(PoolError::Switched { pool: self.pool.definition.name.clone() });
        }
        let hidden = self.veil.as_ref().map_or(0, |veil| veil.len());
        let wanted = limit.saturating_add(hidden);
        let mut all = self.serving.gather.search(self.serving.index.as_ref(), probe, wanted, deadline)?;
        let hides = |hit: &Hit| self.veil.as_ref().and_then(|veil| veil.withheld(hit.subject));
        let withheld = all.iter().take(limit).filter_map(|hit| Some((hides(hit)?, hit.similarity))).collect();
        let hits = all.iter().filter(|hit| hides(hit).is_none()).take(limit).copied().collect();
        all.truncate(limit);
        Ok(Ranked { hits, withheld, unfiltered: all })
    }

    /// Image and subject of each hit, opened; absent where the image was taken out of search since the index was asked.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub fn enrolled(&self, hits: &[Hit]) -> Result<Vec<Option<(OpenedImage, OpenedSubject)>>, PoolError> {
        let rows: Vec<ImageRow> = hits.iter().map(|hit| ImageRow(hit.row.0)).collect();
        let mut opened = Vec::with_capacity(hits.len());
        for stored in self.pool.records.images_by_row(&rows)? {
            let Some(stored) = stored.filter(|stored| stored.enrolled) else {
                opened.push(None);
                continue;
            };
            let Some(subject) = self.pool.records.subject(stored.subject)? else {
                return Err(PoolError::Disagrees {
                    pool: self.pool.definition.name.clone(),
                    what: format!("image {} has no subject", stored.id),
                });
            };
            // One look-up of the key for both.
            let seal = self.pool.seal_of(stored.subject)?;
            let record = seal.open_subject(&subject.sealed_details)?;
            opened.push(Some((opened_image(stored, &seal)?, OpenedSubject { id: subject.id, record })));
        }
        Ok(opened)
    }

    /// One image.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub fn image(&self, id: ImageId) -> Result<Sighted<OpenedImage>, PoolError> {
        let Some(stored) = self.pool.records.image(id)? else { return Ok(Sighted::Absent) };
        match self.veiled(stored.subject) {
            Some(withheld) => Ok(Sighted::Withheld(withheld)),
            None => Ok(Sighted::Seen(self.open(stored)?)),
        }
    }

    /// The bytes of an image as they came in.
    ///
    /// # Errors
    /// [`PoolError::Disagrees`] when the image is recorded but its file is gone.
    pub fn image_bytes(&self, image: &OpenedImage) -> Result<Zeroizing<Vec<u8>>, PoolError> {
        let Some(sealed) = self.pool.blobs.get(image.id)? else {
            return Err(PoolError::Disagrees {
                pool: self.pool.definition.name.clone(),
                what: format!("the file of image {} is missing", image.id),
            });
        };
        self.pool.seal_of(image.subject)?.open_bytes(image.id, &sealed)
    }

    /// One subject by id.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub fn subject(&self, id: SubjectId) -> Result<Sighted<OpenedSubject>, PoolError> {
        self.sighted(self.pool.records.subject(id)?)
    }

    /// One subject by the name a system gave it.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub fn subject_by_reference(
        &self,
        system: &str,
        reference: &str,
    ) -> Result<Sighted<OpenedSubject>, PoolError> {
        let found = self.pool.records.subjects_by_reference(&[self.reference_digest(system, reference)])?;
        self.sighted(found.into_iter().flatten().next())
    }

    fn sighted(&self, found: Option<StoredSubject>) -> Result<Sighted<OpenedSubject>, PoolError> {
        let Some(stored) = found else { return Ok(Sighted::Absent) };
        match self.veiled(stored.id) {
            Some(withheld) => Ok(Sighted::Withheld(withheld)),
            None => Ok(Sighted::Seen(self.open_subject(stored)?)),
        }
    }

    /// Every image of a subject, oldest first; none of one that is hidden from this reader.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub fn images_of(&self, subject: SubjectId) -> Result<Vec<OpenedImage>, PoolError> {
        if self.veiled(subject).is_some() {
            return Ok(Vec::new());
        }
        self.pool.records.images_of(subject)?.into_iter().map(|image| self.open(image)).collect()
    }

    /// The image that a system enrolled under a reference, and whether its bytes are `bytes`.
    ///
    /// # Errors
    /// [`PoolError`] when the records or keys fail.
    pub fn known_source(
        &self,
        system: &str,
        source_reference: &str,
        bytes: &[u8],
    ) -> Result<Option<(OpenedImage, bool)>, PoolError> {
        let found = self.pool.records.images_by_source(&[self.source_digest(system, source_reference)])?;
        let Some(stored) = found.into_iter().flatten().next() else { return Ok(None) };
        let same = self.pool.seal_of(stored.subject)?.content_digest(bytes) == stored.content_digest;
        Ok(Some((self.open(stored)?, same)))
    }

    pub(super) fn reference_digest(&self, system: &str, reference: &str) -> LookupDigest {
        self.pool.key.lookup_digest(&[b"subject reference", system.as_bytes(), reference.as_bytes()])
    }

    pub(super) fn source_digest(&self, system: &str, source_reference: &str) -> LookupDigest {
        self.pool.key.lookup_digest(&[b"source reference", system.as_bytes(), source_reference.as_bytes()])
    }

    fn open(&self, stored: StoredImage) -> Result<OpenedImage, PoolError> {
        let seal = self.pool.seal_of(stored.subject)?;
        opened_image(stored, &seal)
    }

    fn open_subject(&self, stored: StoredSubject) -> Result<OpenedSubject, PoolError> {
        let record = self.pool.seal_of(stored.id)?.open_subject(&stored.sealed_details)?;
        Ok(OpenedSubject { id: stored.id, record })
    }
}

pub(super) fn opened_image(stored: StoredImage, seal: &SubjectSeal<'_>) -> Result<OpenedImage, PoolError> {
    Ok(OpenedImage {
        id: stored.id,
        subject: stored.subject,
        enrolled: stored.enrolled,
        collected_at: stored.collected_at,
        record: seal.open_record(stored.id, &stored.sealed_record)?,
    })
}
