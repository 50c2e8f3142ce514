//! How much of the right lists the index finds, measured on its own rows.

use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use zeroize::Zeroize as _;

use super::CompressedIndex;
use super::ask::Asked;
use super::nominees::Without;
use super::rotate::mixed;
use crate::index::best::Best;
use crate::index::blocks::BAND_ROWS;
use crate::index::geometry::Template;
use crate::index::score::{TOGETHER, similarities};
use crate::index::{Hit, IndexFault, RowKey, SubjectKey};

/// Rows drawn as probes.
const PROBES: usize = 64;

/// Lengths of lists that are told; the last is the longest that is asked for.
const LENGTHS: [usize; 2] = [10, 50];

/// Where the drawing begins. Any number would do: it makes the same rows be drawn again.
pub(super) const SEED: u64 = 0x7265_6361_6c6c;

/// A measurement is told no more once this share of the rows was inserted or removed since: one in so many.
const STALE: u64 = 10;

/// What was measured: of the rows that belong in a list by comparing the probe with *every* row in full precision, how
/// many the index listed.
///
/// Probes are templates of up to 64 rows of the index, drawn evenly, the same ones as long as they are there. A face
/// that was captured under worse conditions than those enrolled may fare worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recall {
    /// When.
    pub at: SystemTime,
    /// Rows that the index had.
    pub rows: usize,
    /// Drawn rows whose subject has others, each searched for with only that row left out: somebody enrolled is
    /// looked for. None when every subject has one row.
    pub mated_probes: usize,
    /// Drawn rows, each searched for with all rows of its subject left out: nobody enrolled is looked for.
    pub other_probes: usize,
    /// Of the mated probes whose subject belongs in the longest of these lists, those whose list has it, with that row.
    pub mates: Share,
    /// Of lists of mated probes.
    pub mated: [Share; LENGTHS.len()],
    /// Of lists of the others.
    pub others: [Share; LENGTHS.len()],
}

/// Rows listed, of those that belong in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Length of the list.
    pub list_length: usize,
    /// Rows that the index listed.
    pub found: u64,
    /// Rows that belong in the lists.
    pub of: u64,
}

impl Share {
    /// From 0 to 1; `None` when nothing belonged in any list.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.found as f64 / self.of as f64)
    }
}

/// The last measurement, and what changed since.
#[derive(Default)]
pub(super) struct Measured {
    /// Rows inserted or removed, ever.
    changes: AtomicU64,
    last: Mutex<Option<(Recall, u64)>>,
}

impl Measured {
    pub(super) fn changed(&self, rows: usize) {
        self.changes.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// The last measurement, unless too much changed since.
    pub(super) fn recall(&self) -> Option<Recall> {
        let (recall, then) = (*self.last.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = self.changes.load(Ordering::Relaxed).saturating_sub(then);
        (since <= recall.rows as u64 / STALE).then_some(recall)
    }

    fn keep(&self, recall: Option<(Recall, u64)>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = recall;
    }
}

/// A row that is searched for.
struct Drawn {
    keys: (RowKey, SubjectKey),
    template: Template<'static>,
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.template.values.to_mut().zeroize();
    }
}

/// The right lists of a drawn row.
struct Right {
    /// Whether the subject has other rows.
    has_mate: bool,
    without_row: Best,
    without_subject: Best,
}

impl CompressedIndex {
    /// See [`crate::index::IndexRead::measure`]: reads every template of the index once and compares it with all probes,
    /// on the calling thread: minutes for millions of rows. A write waits for the reading of 64 rows at most. Rows that are
    /// written meanwhile can only make the measured share smaller.
    pub(super) fn measure_recall(&self, at: SystemTime, cancelled: &AtomicBool) -> Result<(), IndexFault> {
        self.measured.keep(None);
        let changes = self.measured.changes.load(Ordering::Relaxed);
        let drawn = self.draw()?;
        if let Some(recall) = self.compare(&drawn, at, cancelled)? {
            self.measured.keep(Some((recall, changes)));
        }
        Ok(())
    }

    /// The rows whose keys come first in an order without meaning.
    fn draw(&self) -> Result<Vec<Drawn>, IndexFault> {
        let blocks = self.blocks.all();
        let mut first = BinaryHeap::with_capacity(PROBES + 1);
        for (number, block) in blocks.iter().enumerate() {
            let rows = block.read()?;
            for slot in rows.slots() {
                if let Some((row, _)) = rows.keys(slot) {
                    first.push((mixed(row.0 ^ SEED), number, slot));
                    if first.len() > PROBES {
                        first.pop();
                    }
                }
            }
        }
        let mut drawn = Vec::with_capacity(first.len());
        for (_, block, slot) in first.into_sorted_vec() {
            let mut scratch = vec![0.0; self.geometry.dimension];
            let rows = blocks[block].read()?;
            if let Some(keys) = rows.keys(slot) {
                let values = rows.template(slot, &mut scratch)?.to_vec();
                drawn.push(Drawn { keys, template: Template { values: values.into(), length: 0.0 } });
            }
            scratch.zeroize();
        }
        Ok(drawn)
    }

    fn compare(
        &self,
        drawn: &[Drawn],
        at: SystemTime,
        cancelled: &AtomicBool,
    ) -> Result<Option<Recall>, IndexFault> {
        let longest = LENGTHS[LENGTHS.len() - 1];
        let rows = self.blocks.len();
        let listed = |without: fn(&Drawn) -> Without| {
            let asked: Vec<Asked<'_>> =
                drawn.iter().map(|drawn| self.asked(&drawn.template, without(drawn))).collect();
            self.ask(&asked, longest, None)
        };
        let mated = listed(|drawn| Without::Row(drawn.keys.0))?;
        let others = listed(|drawn| Without::Subject(drawn.keys.1))?;
        let Some(right) = self.right(drawn, longest, cancelled)? else { return Ok(None) };

        let mut recall = Recall {
            at,
            rows,
            mated_probes: 0,
            other_probes: drawn.len(),
            mates: Share { list_length: longest, found: 0, of: 0 },
            mated: LENGTHS.map(|list_length| Share { list_length, found: 0, of: 0 }),
            others: LENGTHS.map(|list_length| Share { list_length, found: 0, of: 0 }),
        };
        for (((drawn, right), mated), others) in drawn.iter().zip(right).zip(&mated).zip(&others) {
            if right.has_mate {
                let right = right.without_row.into_hits();
                let mate: Vec<Hit> =
                    right.iter().filter(|hit| hit.subject == drawn.keys.1).copied().collect();
                recall.mated_probes += 1;
                count(std::slice::from_mut(&mut recall.mates), mated, &mate);
                count(&mut recall.mated, mated, &right);
            }
            count(&mut recall.others, others, &right.without_subject.into_hits());
        }
        Ok(Some(recall))
    }

    /// Compares the drawn rows with every row in full precision; `None` when cancelled.
    fn right(
        &self,
        drawn: &[Drawn],
        longest: usize,
        cancelled: &AtomicBool,
    ) -> Result<Option<Vec<Right>>, IndexFault> {
        let mut right: Vec<Right> = drawn
            .iter()
            .map(|_| Right {
                has_mate: false,
                without_row: Best::new(longest),
                without_subject: Best::new(longest),
            })
            .collect();
        let dimension = self.geometry.dimension;
        let mut scratch = zeroize::Zeroizing::new(vec![0.0; dimension]);
        let mut values = zeroize::Zeroizing::new(Vec::with_capacity(BAND_ROWS * dimension));
        let mut keys = Vec::with_capacity(BAND_ROWS);
        for block in self.blocks.all().iter() {
            let mut slots = block.read()?.slots();
            while !slots.is_empty() {
                if cancelled.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                let band = slots.start..slots.end.min(slots.start + BAND_ROWS);
                slots.start = band.end;
                values.clear();
                keys.clear();
                {
                    let rows = block.read()?;
                    for slot in band {
                        if let Some(row) = rows.keys(slot) {
                            values.extend_from_slice(rows.template(slot, &mut scratch)?);
                            keys.push(row);
                        }
                    }
                }
                for (drawn, right) in drawn.iter().zip(&mut right) {
                    for (values, keys) in values.chunks(TOGETHER * dimension).zip(keys.chunks(TOGETHER)) {
                        let scores = similarities(&drawn.template.values, values, self.geometry.metric);
                        for (keys, similarity) in keys.iter().zip(scores) {
                            right.look_at(drawn, *keys, similarity);
                        }
                    }
                }
            }
        }
        Ok(Some(right))
    }
}

impl Right {
    fn look_at(&mut self, drawn: &Drawn, (row, subject): (RowKey, SubjectKey), similarity: f64) {
        let hit = Hit { row, subject, similarity };
        if row != drawn.keys.0 {
            self.has_mate |= subject == drawn.keys.1;
            self.without_row.offer(hit);
        }
        if subject != drawn.keys.1 {
            self.without_subject.offer(hit);
        }
    }
}

/// Counts the rows of the right list that were listed, at each length.
fn count(shares: &mut [Share], listed: &[Hit], right: &[Hit]) {
    for share in shares {
        let listed = &listed[..listed.len().min(share.list_length)];
        let right = &right[..right.len().min(share.list_length)];
        share.of += right.len() as u64;
        share.found +=
            right.iter().filter(|right| listed.iter().any(|listed| listed.row == right.row)).count() as u64;
    }
}
