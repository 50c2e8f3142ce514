//! The engine alone: FAISS flat over the same templates, rows instead of subjects.

use faiss::{ConcurrentIndex, FlatIndex, Index as _, MetricType};
use likeness_models::Metric;

use super::each_block;
use crate::gallery::Gallery;

pub(super) struct Engine {
    index: FlatIndex,
    limit: usize,
}

impl Engine {
    /// An engine with these references, to be asked for `limit` rows.
    pub(super) fn build(
        gallery: Gallery,
        rows: u64,
        dimension: usize,
        metric: Metric,
        limit: usize,
    ) -> anyhow::Result<Self> {
        let kind = match metric {
            Metric::Euclidean => MetricType::L2,
            Metric::Cosine => MetricType::InnerProduct,
        };
        let mut index = FlatIndex::new(u32::try_from(dimension)?, kind)?;
        each_block(gallery, rows, |_, references| {
            let values: Vec<f32> = references.into_iter().flat_map(|reference| reference.values).collect();
            Ok(index.add(&values)?)
        })?;
        Ok(Self { index, limit })
    }

    /// Searches for the probes whose values these are, one after the other.
    pub(super) fn search(&self, probes: &[f32]) -> anyhow::Result<()> {
        ConcurrentIndex::search(&self.index, probes, self.limit)?;
        Ok(())
    }
}
