//! Moving a pool to another algorithm: encode beside, go over, go back, retire. All of it under the pool's turn to write.
use std::sync::Arc;

use jiff::Timestamp;
use likeness_matcher::{
    embed::Embedding,
    index::{IndexRow, RowKey, SubjectKey},
};

use super::{
    Geometry, PoolError, Reader, Writer,
    serving::{Algorithms, Serving},
};
use crate::{
    ids::{EventId, ImageId},
    records::{Agreement, AlgorithmName, Completeness, StoredMigration, Unencoded},
};

/// Where a pool stands on its way to another algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrationStatus {
    /// What searches use now.
    pub active: AlgorithmName,
    /// The migration, when one is under way.
    pub migration: Option<StoredMigration>,
    /// How far the other algorithm has come.
    pub completeness: Completeness,
    /// Images it refused, the first hundred, with the reason.
    pub refused: Vec<(ImageId, String)>,
    /// How both agreed on live probes.
    pub agreement: Agreement,
}

/// Most refused images named in a status.
const MOST_REFUSED: usize = 100;

impl Reader<'_> {
    /// Where the pool stands.
    ///
    /// # Errors
    /// [`PoolError`] when the records fail.
    pub fn migration_status(&self) -> Result<MigrationStatus, PoolError> {
        let records = &self.pool.records;
        let migration = records.migration()?;
        let under_way = migration.is_some();
        Ok(MigrationStatus {
            active: self.serving.geometry.name(),
            completeness: if under_way { records.completeness()? } else { Completeness::default() },
            refused: if under_way { records.refused(MOST_REFUSED)? } else { Vec::new() },
            agreement: records.agreement()?,
            migration,
        })
    }

    /// The migration that is under way, and some of the images that the other algorithm has not seen yet.
    ///
    /// # Errors
    /// [`PoolError`] when the records fail.
    pub fn to_encode(&self, limit: usize) -> Result<Option<(StoredMigration, Vec<Unencoded>)>, PoolError> {
        match self.pool.records.migration()? {
            None => Ok(None),
            Some(migration) if migration.retiring => Ok(Some((migration, Vec::new()))),
            Some(migration) => Ok(Some((migration, self.pool.records.unencoded(limit)?))),
        }
    }

    /// The rows of the other algorithm that are most like a probe of its space; absent when there is none, or it is another.
    ///
    /// # Errors
    /// [`PoolError`] when the index fails.
    pub fn search_other(
        &self,
        probe: &Embedding,
        limit: usize,
        deadline: std::time::Instant,
    ) -> Result<Option<Vec<likeness_matcher::index::Hit>>, PoolError> {
        match self.pool.other().filter(|other| other.geometry.space == probe.space()) {
            Some(other) => Ok(Some(other.gather.search(other.index.as_ref(), probe, limit, deadline)?)),
            None => Ok(None),
        }
    }

    /// Adds what was seen on live probes.
    ///
    /// # Errors
    /// [`PoolError`] when the records fail.
    pub fn add_agreement(&self, more: Agreement) -> Result<(), PoolError> {
        Ok(self.pool.records.add_agreement(more)?)
    }
}

impl Writer<'_> {
    /// Begins to move to another algorithm.
    ///
    /// # Errors
    /// [`PoolError`] when a migration is under way already, or the records fail.
    pub fn begin_migration(&self, to: Geometry, event: EventId, now: Timestamp) -> Result<(), PoolError> {
        let pool = self.reader.pool;
        let other = Serving::empty(to, pool.options, &pool.folder)?;
        pool.records.begin_migration(&other.geometry.name(), event, now)?;
        pool.set_algorithms(Algorithms { active: pool.active(), other: Some(other) });
        Ok(())
    }

    /// Keeps what the other algorithm made of images: an embedding, or the stable code of its refusal.
    ///
    /// # Errors
    /// [`PoolError`]; when the index could not follow the records, the pool answers nothing more until a restart.
    pub fn put_encoded(&self, made: &[(Unencoded, Result<Embedding, String>)]) -> Result<(), PoolError> {
        let pool = self.reader.pool;
        let Some(other) = pool.other() else { return Ok(()) };
        let rows: Vec<_> = made.iter().map(|(at, _)| at.row).collect();
        let mut sealed = Vec::with_capacity(made.len());
        let mut entries = Vec::with_capacity(made.len());
        for ((at, encoded), stored) in made.iter().zip(pool.records.images_by_row(&rows)?) {
            // Taken out of search since it was read: it is wanted by neither algorithm.
            if stored.is_none_or(|stored| stored.id != at.image || !stored.enrolled) {
                continue;
            }
            match encoded {
                Ok(embedding) if embedding.space() == other.geometry.space => {
                    sealed
                        .push((at.image, Ok(pool.seal_of(at.subject)?.seal_template(at.image, embedding)?)));
                    entries.push(IndexRow {
                        row: RowKey(at.row.0),
                        subject: SubjectKey(at.subject_row.0),
                        embedding,
                    });
                }
                // Encoded for an algorithm that is no longer the other one.
                Ok(_) => {}
                Err(code) => sealed.push((at.image, Err(code.clone()))),
            }
        }
        pool.records.put_encoded(&sealed)?;
        other.index.insert(&entries).inspect_err(|_| pool.set_out_of_step())?;
        Ok(())
    }

    /// Makes the other algorithm the active one, or goes back: the same step. Searches that began before end with the old
    /// one; those that begin after use the new one.
    ///
    /// # Errors
    /// [`PoolError`] when images were not encoded yet, or more were refused than `refused_accepted`; nothing changed then.
    pub fn exchange(&self, refused_accepted: u64) -> Result<(), PoolError> {
        let pool = self.reader.pool;
        let (active, Some(other)) = (pool.active(), pool.other()) else {
            return Err(crate::records::RecordError::NotMigrating.into());
        };
        pool.records.exchange(&active.geometry.name(), refused_accepted)?;
        pool.set_algorithms(Algorithms { active: other, other: Some(active) });
        Ok(())
    }

    /// Erases some of the inactive templates; `true` when none is left and the migration is over. From the first call on
    /// there is no way back.
    ///
    /// # Errors
    /// [`PoolError`] when the records fail.
    pub fn retire(&self, limit: usize) -> Result<bool, PoolError> {
        let pool = self.reader.pool;
        pool.set_algorithms(Algorithms { active: Arc::clone(&self.reader.serving), other: None });
        Ok(pool.records.retire(limit)?)
    }
}
