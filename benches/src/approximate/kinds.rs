//! The approximate indexes that are measured.

use std::sync::{Mutex, PoisonError};

use faiss::index::IndexImpl;
use faiss::index::autotune::ParameterSpace;
use faiss::selector::IdSelector;
use faiss::{Idx, Index as _, index_factory};
use likeness_models::Metric;

use crate::search::{Rival, by_probe, faiss_metric};

/// One of them, and the values of its setting to try.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) setting: &'static str,
    pub(super) values: Vec<usize>,
    pub(super) index: Box<dyn Approximate>,
}

/// An index that looks at a part of its rows.
pub(super) trait Approximate: Rival {
    /// How large a part.
    fn set(&mut self, value: usize) -> anyhow::Result<()>;
}

struct Faiss {
    // Searching needs `&mut` in this wrapper, though FAISS itself does not; it is asked from one thread only.
    index: Mutex<IndexImpl>,
    setting: &'static str,
    bytes: usize,
}

impl Faiss {
    fn boxed(
        description: &str,
        dimension: usize,
        metric: Metric,
        setting: &'static str,
        bytes: usize,
    ) -> anyhow::Result<Box<dyn Approximate>> {
        let index = index_factory(u32::try_from(dimension)?, description, faiss_metric(metric))?;
        if description.ends_with("RFlat") {
            // Four times as many rows as are asked for are compared in full precision.
            ParameterSpace::new()?.set_index_parameter(&index, "k_factor_rf", 4.0)?;
        }
        Ok(Box::new(Self { index: Mutex::new(index), setting, bytes }))
    }
}

impl Rival for Faiss {
    fn stated_bytes(&self) -> usize {
        self.bytes
    }

    fn train(&mut self, values: &[f32]) -> anyhow::Result<()> {
        Ok(self.index.get_mut().unwrap_or_else(PoisonError::into_inner).train(values)?)
    }

    fn add(&mut self, _first: u64, values: &[f32]) -> anyhow::Result<()> {
        Ok(self.index.get_mut().unwrap_or_else(PoisonError::into_inner).add(values)?)
    }

    fn search(&self, probes: &[f32], limit: usize) -> anyhow::Result<Vec<Vec<u64>>> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(by_probe(&index.search(probes, limit)?.labels, limit))
    }

    fn remove(&mut self, rows: &[u64]) -> anyhow::Result<usize> {
        let rows: Vec<Idx> = rows.iter().map(|&row| Idx::new(row)).collect();
        let index = self.index.get_mut().unwrap_or_else(PoisonError::into_inner);
        Ok(index.remove_ids(&IdSelector::batch(&rows)?)?)
    }
}

impl Approximate for Faiss {
    fn set(&mut self, value: usize) -> anyhow::Result<()> {
        let index = self.index.get_mut().unwrap_or_else(PoisonError::into_inner);
        Ok(ParameterSpace::new()?.set_index_parameter(index, self.setting, value as f64)?)
    }
}

/// Inverted files with as many lists as is usual: the power of two nearest to four times the root of the rows.
pub(super) fn inverted(rows: u64, dimension: usize, metric: Metric) -> anyhow::Result<Vec<Made>> {
    let lists = lists(rows);
    let values: Vec<usize> = [4, 16, 64, 256, 1024].into_iter().filter(|&value| value <= lists).collect();
    [("SQ8", dimension + 8), ("SQ8,RFlat", 5 * dimension + 8)]
        .into_iter()
        .map(|(codes, bytes)| {
            let description = format!("IVF{lists},{codes}");
            let index = Faiss::boxed(&description, dimension, metric, "nprobe", bytes)?;
            let name = format!("FAISS {description}");
            Ok(Made { name, setting: "nprobe", values: values.clone(), index })
        })
        .collect()
}

/// Lists of an inverted file over so many rows.
pub(super) fn lists(rows: u64) -> usize {
    let wanted = 4.0 * (rows as f64).sqrt();
    1 << (wanted.log2().round() as u32).clamp(4, 16)
}

/// Graphs with 32 links per row.
pub(super) fn graphs(dimension: usize, metric: Metric) -> anyhow::Result<Vec<Made>> {
    let values = vec![64, 128, 256, 512, 1024, 2048];
    let index = Faiss::boxed("HNSW32", dimension, metric, "efSearch", 4 * dimension + 272)?;
    let made = vec![Made {
        name: "FAISS HNSW32 f32".to_owned(),
        setting: "efSearch",
        values: values.clone(),
        index,
    }];
    #[cfg(feature = "usearch")]
    let made = {
        let mut made = made;
        let kinds = [
            ("usearch HNSW32 i8", usearch::ScalarKind::I8),
            ("usearch HNSW32 f16", usearch::ScalarKind::F16),
        ];
        for (name, scalars) in kinds {
            let index = crate::search::graph(dimension, metric, scalars, (32, 128, 64))?;
            made.push(Made {
                name: name.to_owned(),
                setting: "expansion",
                values: values.clone(),
                index: Box::new(index),
            });
        }
        made
    };
    Ok(made)
}

#[cfg(feature = "usearch")]
impl Approximate for crate::search::Usearch {
    fn set(&mut self, value: usize) -> anyhow::Result<()> {
        self.widen(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_rows_get_4096_lists() {
        assert_eq!(lists(1_000_000), 4096);
        assert_eq!(lists(100_000), 1024);
        assert_eq!(lists(1), 16);
    }
}
