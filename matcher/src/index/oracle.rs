//! The right answer by definition: every row compared, every comparison sorted.

use std::collections::{BTreeMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use likeness_models::{Metric, SpaceId};

use super::best::Ranked;
use super::geometry::Geometry;
use super::{Exactness, Hit, IndexFault, IndexRead, IndexRow, IndexWrite, RowKey, SubjectKey};
use crate::embed::{Embedding, similarity};

/// An index that does nothing clever, to check the clever ones against. Useful for tests and for verifying an
/// answer; too slow for a pool of any size, and a write holds up every search.
pub struct OracleIndex {
    geometry: Geometry,
    rows: RwLock<Rows>,
}

type Rows = BTreeMap<RowKey, (SubjectKey, Vec<f32>)>;

impl OracleIndex {
    /// An empty index.
    ///
    /// # Errors
    /// [`IndexFault::UnusableDimension`].
    pub fn new(space: SpaceId, dimension: usize, metric: Metric) -> Result<Self, IndexFault> {
        Ok(Self { geometry: Geometry::new(space, dimension, metric)?, rows: RwLock::default() })
    }

    // A panic elsewhere cannot leave the map half changed: each change is one call on it, made after all checks.
    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IndexRead for OracleIndex {
    fn space(&self) -> SpaceId {
        self.geometry.space
    }

    fn dimension(&self) -> usize {
        self.geometry.dimension
    }

    fn metric(&self) -> Metric {
        self.geometry.metric
    }

    fn len(&self) -> usize {
        self.read().len()
    }

    fn contains(&self, row: RowKey) -> bool {
        self.read().contains_key(&row)
    }

    fn rows(&self) -> Vec<RowKey> {
        self.read().keys().copied().collect()
    }

    fn exactness(&self) -> Exactness {
        Exactness::Exact
    }

    fn agrees(&self, expected: &IndexRow<'_>) -> Result<bool, IndexFault> {
        let template = self.geometry.template(expected.embedding)?;
        Ok(self.read().get(&expected.row).is_some_and(|(subject, values)| {
            *subject == expected.subject && same_bits(values, &template.values)
        }))
    }

    fn search_batch(
        &self,
        probes: &[&Embedding],
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<Hit>>, IndexFault> {
        let rows = self.read();
        let mut answers = Vec::with_capacity(probes.len());
        for probe in probes {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(IndexFault::DeadlineExceeded);
            }
            let probe = self.geometry.template(probe)?;
            let mut ranked: Vec<Ranked> = rows
                .iter()
                .map(|(&row, (subject, values))| {
                    let similarity = similarity(&probe.values, values, self.geometry.metric);
                    Ranked(Hit { row, subject: *subject, similarity })
                })
                .collect();
            ranked.sort_unstable();
            let mut seen = HashSet::new();
            let best = ranked.into_iter().filter(|hit| seen.insert(hit.0.subject)).take(limit);
            answers.push(best.map(|hit| hit.0).collect());
        }
        Ok(answers)
    }
}

impl IndexWrite for OracleIndex {
    fn insert(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        let mut held = self.write();
        let mut added = Rows::new();
        for row in rows {
            let template = self.geometry.template(row.embedding)?;
            let fresh = (row.subject, template.values.into_owned());
            if held.contains_key(&row.row) || added.insert(row.row, fresh).is_some() {
                return Err(IndexFault::Duplicate { row: row.row });
            }
        }
        held.append(&mut added);
        Ok(())
    }

    fn remove(&self, rows: &[RowKey]) -> Result<usize, IndexFault> {
        let mut held = self.write();
        let mut removed = 0;
        for row in rows {
            if let Some((_, mut values)) = held.remove(row) {
                values.fill(0.0);
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Equal as stored, not merely as compared: 0 and -0 differ.
pub(super) fn same_bits(left: &[f32], right: &[f32]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.to_bits() == right.to_bits())
}
