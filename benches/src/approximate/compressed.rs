//! Our own approximate index, among the others: full precision in a sealed file, as on a machine whose memory the pool
//! does not fit.

use std::num::NonZeroUsize;

use anyhow::Context as _;
use likeness_matcher::embed::Embedding;
use likeness_matcher::index::compressed::Bits;
use likeness_matcher::index::{
    CompressedIndex, IndexRead as _, IndexRow, IndexWrite as _, RowKey, SubjectKey,
};
use likeness_models::Metric;

use super::kinds::{Approximate, Made};
use crate::gallery::{embedding, space};
use crate::search::Rival;

/// Rows compared in full precision per probe.
const RESCORED: [usize; 3] = [250, 1000, 4000];

struct Compressed {
    index: Option<CompressedIndex>,
    dimension: usize,
    bytes: usize,
}

impl Compressed {
    fn index(&self) -> anyhow::Result<&CompressedIndex> {
        self.index.as_ref().context("the index is gone")
    }

    fn embeddings(&self, values: &[f32]) -> anyhow::Result<Vec<Embedding>> {
        let space = space()?;
        Ok(values
            .chunks(self.dimension)
            .map(|values| embedding(space, values.to_vec()))
            .collect::<Result<_, _>>()?)
    }
}

impl Rival for Compressed {
    fn stated_bytes(&self) -> usize {
        self.bytes
    }

    fn train(&mut self, _values: &[f32]) -> anyhow::Result<()> {
        Ok(())
    }

    /// Each row as a subject of its own: the others list rows, too.
    fn add(&mut self, first: u64, values: &[f32]) -> anyhow::Result<()> {
        let embeddings = self.embeddings(values)?;
        let rows: Vec<IndexRow<'_>> = (first..)
            .zip(&embeddings)
            .map(|(row, embedding)| IndexRow { row: RowKey(row), subject: SubjectKey(row), embedding })
            .collect();
        Ok(self.index()?.insert(&rows)?)
    }

    fn search(&self, probes: &[f32], limit: usize) -> anyhow::Result<Vec<Vec<u64>>> {
        let probes = self.embeddings(probes)?;
        let lists = self.index()?.search_batch(&probes.iter().collect::<Vec<_>>(), limit, None)?;
        Ok(lists.into_iter().map(|list| list.into_iter().map(|hit| hit.row.0).collect()).collect())
    }

    fn remove(&mut self, rows: &[u64]) -> anyhow::Result<usize> {
        Ok(self.index()?.remove(&rows.iter().map(|&row| RowKey(row)).collect::<Vec<_>>())?)
    }
}

impl Approximate for Compressed {
    fn set(&mut self, value: usize) -> anyhow::Result<()> {
        let rows = NonZeroUsize::new(value).context("no rows are compared")?;
        self.index = self.index.take().map(|index| index.with_rescored(rows));
        Ok(())
    }
}

/// With each number of bits.
pub(super) fn compressed(dimension: usize, metric: Metric) -> anyhow::Result<Vec<Made>> {
    [(Bits::One, "1 bit"), (Bits::Two, "2 bits"), (Bits::Four, "4 bits")]
        .into_iter()
        .map(|(bits, name)| {
            let index = CompressedIndex::new(space()?, dimension, metric, bits)?
                .with_sealed_tier(&std::env::temp_dir(), 0)?;
            let bytes = dimension.next_power_of_two() * bits.count() / 8 + 60;
            let index = Compressed { index: Some(index), dimension, bytes };
            Ok(Made {
                name: format!("ours, compressed, {name}"),
                setting: "rescored",
                values: RESCORED.to_vec(),
                index: Box::new(index),
            })
        })
        .collect()
}
