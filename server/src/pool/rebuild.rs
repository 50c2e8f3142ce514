//! The index is a cache: filled from the records at every start, and checked against them before anyone may ask.
use likeness_matcher::index::{IndexRow, RowKey, SubjectKey};

use super::{Pool, PoolError, sealed::SubjectSeal};
use crate::authorise::Permit;

/// Templates opened at a time.
const PAGE: usize = 4096;

/// What was found and done when a pool was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Templates in the index.
    pub templates: u64,
    /// Image files without a record, removed: left by a crash before the record commit.
    pub orphans_removed: u64,
}

impl Pool {
    /// Fills the index from the records, checks that both agree row by row, and sweeps image files that no record names.
    ///
    /// # Errors
    /// [`PoolError::Disagrees`] when counts, rows, templates or image files differ; the pool stays closed.
    pub(crate) fn load(&self, permit: &Permit) -> Result<Loaded, PoolError> {
        self.admit(permit)?;
        let name = &self.definition.name;
        let disagrees = |what: String| PoolError::Disagrees { pool: name.clone(), what };

        let reconciled = self.blobs.reconcile(&self.records.image_ids()?)?;
        if let Some(first) = reconciled.missing.first() {
            return Err(disagrees(format!(
                "{} recorded images have no file, the first is {first}",
                reconciled.missing.len()
            )));
        }

        let keys = self.keys.subject_keys(&self.key)?;
        let (space, dimension) = (self.index.space(), self.index.dimension());
        let mut after = None;
        let mut rows = Vec::new();
        loop {
            let page = self.records.enrolled_after(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.row);
            let mut embeddings = Vec::with_capacity(page.len());
            for template in &page {
                let key =
                    keys.get(&template.subject).ok_or_else(|| PoolError::KeyGone { pool: name.clone() })?;
                let seal = SubjectSeal::new(name, template.subject, key.clone());
                embeddings.push(seal.open_template(
                    template.image,
                    &template.sealed_template,
                    space,
                    dimension,
                )?);
            }
            let entries: Vec<IndexRow<'_>> = page
                .iter()
                .zip(&embeddings)
                .map(|(template, embedding)| IndexRow {
                    row: RowKey(template.row.0),
                    subject: SubjectKey(template.subject_row.0),
                    embedding,
                })
                .collect();
            self.index.insert(&entries)?;
            for entry in &entries {
                if !self.index.agrees(entry)? {
                    return Err(disagrees(format!(
                        "row {} of the index is not what the records hold",
                        entry.row.0
                    )));
                }
                rows.push(entry.row);
            }
        }

        let recorded = self.records.counts()?.enrolled;
        if self.index.rows() != rows || rows.len() as u64 != recorded {
            return Err(disagrees(format!(
                "{recorded} images are recorded as enrolled, {} were read, {} are in the index",
                rows.len(),
                self.index.len()
            )));
        }
        self.set_ready();
        Ok(Loaded { templates: recorded, orphans_removed: reconciled.removed })
    }
}
