//! `usearch`'s exact search.
//!
//! It is a search of its graph index that looks at every member, so a graph has to be built; it is built as carelessly
//! as the library allows (two links, the narrowest search), since an exact search does not use it.

use anyhow::Context as _;
use likeness_models::Metric;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::rival::Rival;

/// An index of one kind of scalar.
pub(crate) struct Usearch {
    index: Index,
    dimension: usize,
    bytes: usize,
    exact: bool,
}

pub(crate) fn metric_kind(metric: Metric) -> MetricKind {
    match metric {
        Metric::Euclidean => MetricKind::L2sq,
        Metric::Cosine => MetricKind::Cos,
    }
}

/// An index for exact search.
pub(crate) fn exact(dimension: usize, metric: Metric, scalars: ScalarKind) -> anyhow::Result<Usearch> {
    made(dimension, metric, scalars, (2, 1, 1), true)
}

/// An index for search by its graph: links per member, width of the search when adding, and when searching.
pub(crate) fn graph(
    dimension: usize,
    metric: Metric,
    scalars: ScalarKind,
    shape: (usize, usize, usize),
) -> anyhow::Result<Usearch> {
    made(dimension, metric, scalars, shape, false)
}

fn made(
    dimension: usize,
    metric: Metric,
    scalars: ScalarKind,
    (connectivity, expansion_add, expansion_search): (usize, usize, usize),
    exact: bool,
) -> anyhow::Result<Usearch> {
    let options = IndexOptions {
        dimensions: dimension,
        metric: metric_kind(metric),
        quantization: scalars,
        connectivity,
        expansion_add,
        expansion_search,
        multi: false,
    };
    let bytes = match scalars {
        ScalarKind::F32 => 4,
        ScalarKind::F16 => 2,
        _ => 1,
    };
    Ok(Usearch { index: Index::new(&options)?, dimension, bytes: dimension * bytes, exact })
}

impl Usearch {
    /// The instructions it chose.
    pub(crate) fn instructions(&self) -> String {
        self.index.hardware_acceleration()
    }

    /// Sets the width of a search by the graph.
    pub(crate) fn widen(&self, expansion: usize) {
        self.index.change_expansion_search(expansion);
    }
}

impl Rival for Usearch {
    fn stated_bytes(&self) -> usize {
        self.bytes
    }

    fn train(&mut self, _values: &[f32]) -> anyhow::Result<()> {
        Ok(())
    }

    fn add(&mut self, first: u64, values: &[f32]) -> anyhow::Result<()> {
        let templates = values.len() / self.dimension;
        let wanted = self.index.size() + templates;
        if wanted > self.index.capacity() {
            self.index.reserve(wanted.max(self.index.capacity() * 3 / 2))?;
        }
        for (row, template) in (first..).zip(values.chunks_exact(self.dimension)) {
            self.index.add(row, template)?;
        }
        Ok(())
    }

    fn search(&self, probes: &[f32], limit: usize) -> anyhow::Result<Vec<Vec<u64>>> {
        probes
            .chunks_exact(self.dimension)
            .map(|probe| {
                let found = if self.exact {
                    self.index.exact_search(probe, limit)
                } else {
                    self.index.search(probe, limit)
                };
                Ok(found.context("usearch failed")?.keys)
            })
            .collect()
    }

    fn remove(&mut self, rows: &[u64]) -> anyhow::Result<usize> {
        rows.iter().try_fold(0, |removed, &row| Ok(removed + self.index.remove(row)?))
    }
}
