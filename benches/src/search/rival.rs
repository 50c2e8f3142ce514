//! What else searches templates: the exact kinds of other libraries.

use anyhow::Context as _;
use faiss::index::scalar_quantizer::{QuantizerType, ScalarQuantizerIndexImpl};
use faiss::selector::IdSelector;
use faiss::{ConcurrentIndex, FlatIndex, Idx, Index, MetricType};
use likeness_models::Metric;

/// An index of another library, by row numbers 0, 1 and so on in the order of insertion.
pub(crate) trait Rival: Send + Sync {
    /// Bytes that it keeps per template, as its documentation says; what it really takes is measured.
    fn stated_bytes(&self) -> usize;

    /// Whether several probes in a call take less time each. Without that, a batch is one probe after the other.
    fn has_batch_path(&self) -> bool {
        false
    }

    /// Learns from these templates, before the first insertion.
    fn train(&mut self, values: &[f32]) -> anyhow::Result<()>;

    /// Inserts templates, the first of which gets this row number.
    fn add(&mut self, first: u64, values: &[f32]) -> anyhow::Result<()>;

    /// The rows most like each probe, best first. Runs on the calling thread.
    fn search(&self, probes: &[f32], limit: usize) -> anyhow::Result<Vec<Vec<u64>>>;

    /// Removes rows; how many it says it removed. What is left may be numbered anew: nothing else is asked afterwards.
    fn remove(&mut self, rows: &[u64]) -> anyhow::Result<usize>;
}

/// A FAISS index that searches all rows.
pub(crate) struct Faiss<I> {
    index: I,
    bytes: usize,
    batch_path: bool,
}

pub(crate) fn faiss_metric(metric: Metric) -> MetricType {
    match metric {
        Metric::Euclidean => MetricType::L2,
        Metric::Cosine => MetricType::InnerProduct,
    }
}

/// Full precision.
pub(crate) fn flat(dimension: usize, metric: Metric) -> anyhow::Result<Faiss<FlatIndex>> {
    let index = FlatIndex::new(u32::try_from(dimension)?, faiss_metric(metric))?;
    // By matrix multiplication.
    Ok(Faiss { index, bytes: dimension * 4, batch_path: true })
}

/// Half precision.
pub(crate) fn half(dimension: usize, metric: Metric) -> anyhow::Result<Faiss<ScalarQuantizerIndexImpl>> {
    quantised(dimension, metric, QuantizerType::QT_fp16, dimension * 2)
}

/// A byte per value, between the least and the greatest value of each dimension.
pub(crate) fn bytes(dimension: usize, metric: Metric) -> anyhow::Result<Faiss<ScalarQuantizerIndexImpl>> {
    quantised(dimension, metric, QuantizerType::QT_8bit, dimension)
}

fn quantised(
    dimension: usize,
    metric: Metric,
    kind: QuantizerType,
    bytes: usize,
) -> anyhow::Result<Faiss<ScalarQuantizerIndexImpl>> {
    let index = ScalarQuantizerIndexImpl::new(u32::try_from(dimension)?, kind, faiss_metric(metric))?;
    Ok(Faiss { index, bytes, batch_path: false })
}

impl<I: Index + ConcurrentIndex + Send + Sync> Rival for Faiss<I> {
    fn stated_bytes(&self) -> usize {
        self.bytes
    }

    fn has_batch_path(&self) -> bool {
        self.batch_path
    }

    fn train(&mut self, values: &[f32]) -> anyhow::Result<()> {
        Ok(self.index.train(values)?)
    }

    fn add(&mut self, _first: u64, values: &[f32]) -> anyhow::Result<()> {
        Ok(self.index.add(values)?)
    }

    fn search(&self, probes: &[f32], limit: usize) -> anyhow::Result<Vec<Vec<u64>>> {
        let found = ConcurrentIndex::search(&self.index, probes, limit)?;
        Ok(by_probe(&found.labels, limit))
    }

    fn remove(&mut self, rows: &[u64]) -> anyhow::Result<usize> {
        let rows: Vec<Idx> = rows.iter().map(|&row| Idx::new(row)).collect();
        Ok(self.index.remove_ids(&IdSelector::batch(&rows)?)?)
    }
}

/// Rows of each probe; places that FAISS could not fill are left out.
pub(crate) fn by_probe(labels: &[Idx], limit: usize) -> Vec<Vec<u64>> {
    labels
        .chunks(limit.max(1))
        .map(|labels| labels.iter().filter_map(|label| label.get()).collect())
        .collect()
}

/// Searches with the probes shared out over so many callers, as a service would: none of these libraries divides the
/// work of one probe, and a batch is divided by probes whoever does it.
pub(crate) fn shared_out(
    rival: &dyn Rival,
    probes: &[f32],
    dimension: usize,
    limit: usize,
    threads: usize,
) -> anyhow::Result<Vec<Vec<u64>>> {
    let share = (probes.len() / dimension).div_ceil(threads).max(1) * dimension;
    let mut parts = probes.chunks(share);
    let own = parts.next().context("no probes")?;
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(|| rival.search(part, limit))).collect();
        let mut found = rival.search(own, limit)?;
        for other in others {
            found.extend(other.join().map_err(|_| anyhow::anyhow!("a searching thread panicked"))??);
        }
        Ok(found)
    })
}
