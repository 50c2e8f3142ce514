//! Changing the certified index.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::block::{Block, Incoming};
use super::{CertifiedIndex, Place, Room};
use crate::index::geometry::Template;
use crate::index::{IndexFault, IndexRow, IndexWrite, RowKey};

/// Rows of one insert that go into one block.
struct Share<'a> {
    block: usize,
    incoming: Vec<Incoming<'a>>,
}

impl CertifiedIndex {
    fn refuse_duplicates(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        let places = self.places();
        let mut named = HashSet::with_capacity(rows.len());
        match rows.iter().find(|row| places.contains_key(&row.row) || !named.insert(row.row)) {
            Some(twice) => Err(IndexFault::Duplicate { row: twice.row }),
            None => Ok(()),
        }
    }

    /// Hands out free slots: of old blocks first, then of new ones, which are appended to `blocks` and to the room,
    /// but which no search knows yet.
    fn share_out<'a>(
        &self,
        blocks: &mut Vec<Arc<Block>>,
        room: &mut Room,
        rows: &[IndexRow<'_>],
        templates: &'a [Template<'a>],
    ) -> Result<Vec<Share<'a>>, IndexFault> {
        let mut shares = Vec::new();
        let mut rows = rows.iter().zip(templates);
        let mut block = 0;
        while rows.len() > 0 {
            if block == blocks.len() {
                let bands = room.bands_after(blocks.last().map(|last| last.capacity()));
                let before = blocks.iter().map(|block| block.capacity()).sum();
                blocks.push(Arc::new(self.new_block(room, bands, before)));
                room.vacant.push(blocks[block].capacity());
            }
            if room.vacant[block] > 0 {
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

    /// Writes templates where no search sees them: all of them, or none.
    fn stage(&self, blocks: &[Arc<Block>], shares: &[Share<'_>]) -> Result<(), IndexFault> {
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
}

impl IndexWrite for CertifiedIndex {
    fn insert(&self, rows: &[IndexRow<'_>]) -> Result<(), IndexFault> {
        let templates: Vec<Template<'_>> =
            rows.iter().map(|row| self.geometry.template(row.embedding)).collect::<Result<_, _>>()?;
        let mut room = self.writing();
        self.refuse_if_broken()?;
        self.refuse_duplicates(rows)?;

        // First everything that can fail, where no search can see it; then what cannot fail.
        let known = room.vacant.len();
        let mut blocks = self.blocks().to_vec();
        let shares = self.share_out(&mut blocks, &mut room, rows, &templates);
        let staged = shares.and_then(|shares| self.stage(&blocks, &shares).map(|()| shares));
        // New blocks stay, whatever became of their rows: the memory is the region's, and would be lost to it.
        if blocks.len() > known {
            *self.blocks.write().unwrap_or_else(PoisonError::into_inner) = blocks.clone().into();
        }
        let shares = staged?;
        let mut places = Vec::with_capacity(rows.len());
        for Share { block, incoming } in &shares {
            blocks[*block].publish(incoming)?;
            room.vacant[*block] -= incoming.len();
            // INVARIANT: both fit: blocks and slots are counted by the memory they take.
            #[expect(clippy::cast_possible_truncation, reason = "a block has at most 16,384 slots")]
            places.extend(
                incoming
                    .iter()
                    .map(|row| (row.keys.0, Place { block: *block as u32, slot: row.slot as u32 })),
            );
        }
        self.places_mut().extend(places);
        Ok(())
    }

    fn remove(&self, rows: &[RowKey]) -> Result<usize, IndexFault> {
        let mut room = self.writing();
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
        let blocks = self.blocks();
        for (block, slots) in doomed {
            if let Err(fault) = blocks[block].erase(&slots) {
                self.broken.store(true, Ordering::Release);
                return Err(fault);
            }
            room.vacant[block] += slots.len();
        }
        Ok(removed)
    }
}
