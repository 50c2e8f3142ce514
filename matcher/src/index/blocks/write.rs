//! Changing the rows of an index.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::{Block, Blocks, Incoming, Place};
use crate::index::geometry::{Geometry, Template};
use crate::index::{IndexFault, IndexRow, RowKey};

/// Rows of one insert that go into one block.
struct Share<'a> {
    block: usize,
    incoming: Vec<Incoming<'a>>,
}

impl<B: Block> Blocks<B> {
    fn refuse_duplicates(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        let places = self.places();
        let mut named = HashSet::with_capacity(rows.len());
        match rows.iter().find(|row| places.contains_key(&row.row) || !named.insert(row.row)) {
            Some(twice) => Err(IndexFault::Duplicate { row: twice.row }),
            None => Ok(()),
        }
    }

    /// Hands out free slots: of old blocks first, then of new ones, which are appended to `blocks` and `vacant`,
    /// but which no search knows yet.
    fn share_out<'a>(
        &self,
        blocks: &mut Vec<Arc<B>>,
        vacant: &mut Vec<usize>,
        rows: &[IndexRow<'_>],
        templates: &'a [Template<'a>],
        new: impl Fn(Option<&B>, usize) -> B,
    ) -> Result<Vec<Share<'a>>, IndexFault> {
        let mut shares = Vec::new();
        let mut rows = rows.iter().zip(templates);
        let mut block = 0;
        while rows.len() > 0 {
            if block == blocks.len() {
                let before = blocks.iter().map(|block| block.capacity()).sum();
                blocks.push(Arc::new(new(blocks.last().map(Arc::as_ref), before)));
                vacant.push(blocks[block].capacity());
            }
            if vacant[block] > 0 {
                let slots = blocks[block].vacancies(rows.len())?;
                let incoming = slots
                    .into_iter()
                    .zip(rows.by_ref())
                    .map(|(slot, (row, template))| Incoming {
                        slot,
                        keys: (row.row, row.subject),
                        values: &template.values,
                    })
                    .collect();
                shares.push(Share { block, incoming });
            }
            block += 1;
        }
        Ok(shares)
    }

    /// See [`crate::index::IndexWrite::insert`]. `new` makes the block that follows the given last one, and so many
    /// slots in all.
    pub(in crate::index) fn insert(
        &self,
        geometry: &Geometry,
        rows: &[IndexRow<'_>],
        new: impl Fn(Option<&B>, usize) -> B,
    ) -> Result<(), IndexFault> {
        let templates: Vec<Template<'_>> =
            rows.iter().map(|row| geometry.template(row.embedding)).collect::<Result<_, _>>()?;
        let mut vacant = self.writing();
        self.refuse_if_broken()?;
        self.refuse_duplicates(rows)?;

        // First everything that can fail, where no search can see it; then what cannot fail.
        let known = vacant.len();
        let mut blocks = self.all().to_vec();
        let shares = self.share_out(&mut blocks, &mut vacant, rows, &templates, new);
        let staged = shares.and_then(|shares| self.stage(&blocks, &shares).map(|()| shares));
        // New blocks stay, whatever became of their rows: what they were cut from, and the file, cannot take them back.
        if blocks.len() > known {
            *self.blocks.write().unwrap_or_else(PoisonError::into_inner) = blocks.clone().into();
        }
        let shares = staged?;
        let mut places = Vec::with_capacity(rows.len());
        for Share { block, incoming } in &shares {
            blocks[*block].publish(incoming)?;
            vacant[*block] -= incoming.len();
            // INVARIANT: both fit: blocks and slots are counted by the memory they take.
            #[expect(clippy::cast_possible_truncation, reason = "a block has a few thousand slots")]
            places.extend(
                incoming
                    .iter()
                    .map(|row| (row.keys.0, Place { block: *block as u32, slot: row.slot as u32 })),
            );
        }
        self.places_mut().extend(places);
        Ok(())
    }

    /// Writes templates where no search sees them: all of them, or none.
    fn stage(&self, blocks: &[Arc<B>], shares: &[Share<'_>]) -> Result<(), IndexFault> {
        for (done, share) in shares.iter().enumerate() {
            if let Err(fault) = blocks[share.block].stage(&share.incoming) {
                for share in &shares[..=done] {
                    let slots: Vec<usize> = share.incoming.iter().map(|row| row.slot).collect();
                    if blocks[share.block].erase(&slots).is_err() {
                        self.broken.store(true, Ordering::Release);
                    }
                }
                return Err(fault);
            }
        }
        Ok(())
    }

    /// See [`crate::index::IndexWrite::remove`].
    pub(in crate::index) fn remove(&self, rows: &[RowKey]) -> Result<usize, IndexFault> {
        let mut vacant = self.writing();
        self.refuse_if_broken()?;
        let mut doomed: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut removed = 0;
        {
            let mut places = self.places_mut();
            for row in rows {
                if let Some(place) = places.remove(row) {
                    doomed.entry(place.block()).or_default().push(place.slot());
                    removed += 1;
                }
            }
        }
        let blocks = self.all();
        for (block, slots) in doomed {
            if let Err(fault) = blocks[block].erase(&slots) {
                self.broken.store(true, Ordering::Release);
                return Err(fault);
            }
            vacant[block] += slots.len();
        }
        Ok(removed)
    }
}
