//! Embed: a chip that passed the quality stage becomes a point in the model pack's space.
mod network;
#[cfg(test)]
mod tests;

use likeness_models::{Metric, SpaceId};
use thiserror::Error;

pub use network::{EmbedError, Embedder};

/// A face as a point in one model pack's space. Points of different spaces never compare.
///
/// The values are biometric data: they have no `Debug` output, and belong in no log, error or audit entry.
#[derive(Clone, PartialEq)]
pub struct Embedding {
    space: SpaceId,
    values: Vec<f32>,
}

/// Why stored numbers are not an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmbeddingError {
    /// The length is not the pack's dimension.
    #[error(
        "the stored embedding has {found} values where the model pack makes {expected}; rebuild it from its image"
    )]
    Dimension {
        /// Values that the pack makes.
        expected: usize,
        /// Values that were stored.
        found: usize,
    },
    /// A value is not a finite number.
    #[error("the stored embedding holds a value that is not finite; rebuild it from its image")]
    NotFinite,
}

/// Two embeddings of different model packs were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("embeddings of spaces `{left}` and `{right}` do not compare; embed both images with one model pack")]
pub struct SpaceMismatch {
    /// Space of the left embedding.
    pub left: SpaceId,
    /// Space of the right embedding.
    pub right: SpaceId,
}

impl Embedding {
    /// An embedding read back from a store.
    ///
    /// # Errors
    /// When the length is not `dimension`, or a value is not finite.
    pub fn from_stored(space: SpaceId, values: Vec<f32>, dimension: usize) -> Result<Self, EmbeddingError> {
        if values.len() != dimension {
            return Err(EmbeddingError::Dimension { expected: dimension, found: values.len() });
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(EmbeddingError::NotFinite);
        }
        Ok(Self { space, values })
    }

    /// The model pack's space.
    #[must_use]
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// The coordinates: finite, as many as the pack's dimension, unit length when the metric is cosine.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// How alike two faces are: 1 is identical, larger is more alike; not a probability.
    ///
    /// # Errors
    /// When the embeddings come from different model packs.
    pub fn similarity(&self, other: &Self, metric: Metric) -> Result<f64, SpaceMismatch> {
        if self.space != other.space {
            return Err(SpaceMismatch { left: self.space, right: other.space });
        }
        Ok(similarity(&self.values, &other.values, metric))
    }
}

impl std::fmt::Debug for Embedding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedding")
            .field("space", &self.space)
            .field("dimension", &self.values.len())
            .finish_non_exhaustive()
    }
}

/// Similarity of two coordinate slices: `1 - distance` for Euclidean, the cosine for cosine.
///
/// Sums run in `f64`, in order: the same two slices give the same bits on every machine.
/// The slices must be of one length; surplus values of the longer are ignored. A zero vector has cosine 0 with everything.
#[must_use]
pub fn similarity(left: &[f32], right: &[f32], metric: Metric) -> f64 {
    let pairs = left.iter().zip(right).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    match metric {
        Metric::Euclidean => 1.0 - pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt(),
        Metric::Cosine => {
            let (dot, aa, bb) =
                pairs.fold((0.0, 0.0, 0.0), |(dot, aa, bb), (a, b)| (dot + a * b, aa + a * a, bb + b * b));
            let norms: f64 = aa * bb;
            if norms > 0.0 { dot / norms.sqrt() } else { 0.0 }
        }
    }
}
