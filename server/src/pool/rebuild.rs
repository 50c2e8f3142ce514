//! The index is a cache: filled from the records at every start, and checked against them before anyone may ask.
use std::collections::HashMap;

use likeness_matcher::index::{IndexRow, RowKey, SubjectKey};

use super::{Pool, PoolError, sealed::SubjectSeal, serving::Serving};
use crate::{
    authorise::Permit,
    ids::SubjectId,
    records::{EnrolledTemplate, ImageRow, RecordError},
    seal::SealKey,
};

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
        let active = self.active();
        let rows = self.fill(&active, &keys, |after| self.records.enrolled_after(after, PAGE))?;
        if let Some(other) = self.other() {
            self.fill(&other, &keys, |after| self.records.other_after(after, PAGE))?;
        }

        let recorded = self.records.counts()?.enrolled;
        if rows.len() as u64 != recorded {
            return Err(disagrees(format!(
                "{recorded} images are recorded as enrolled, {} were read, {} are in the index",
                rows.len(),
                active.index.len()
            )));
        }
        self.set_ready();
        Ok(Loaded { templates: recorded, orphans_removed: reconciled.removed })
    }

    /// Puts every template that `page` gives into an algorithm's index, and checks that it holds them and no other.
    fn fill(
        &self,
        serving: &Serving,
        keys: &HashMap<SubjectId, SealKey>,
        page: impl Fn(Option<ImageRow>) -> Result<Vec<EnrolledTemplate>, RecordError>,
    ) -> Result<Vec<RowKey>, PoolError> {
        let name = &self.definition.name;
        let disagrees = |what: String| PoolError::Disagrees { pool: name.clone(), what };
        let index = &serving.index;
        let (space, dimension) = (index.space(), index.dimension());
        let mut after = None;
        let mut rows = Vec::new();
        loop {
            let page = page(after)?;
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
            index.insert(&entries)?;
            for entry in &entries {
                if !index.agrees(entry)? {
                    return Err(disagrees(format!(
                        "row {} of the index is not what the records hold",
                        entry.row.0
                    )));
                }
                rows.push(entry.row);
            }
        }

        if index.rows() == rows {
            Ok(rows)
        } else {
            Err(disagrees(format!("{} templates were read, {} are in the index", rows.len(), index.len())))
        }
    }
}
