//! What an index takes, and the form in which a template is stored.

use std::borrow::Cow;

use likeness_models::{Metric, SpaceId};

use super::{IndexFault, LONGEST, MOST_DIMENSIONS, UnusableLength};
use crate::embed::Embedding;

/// A squared length this near to 1 is a unit vector that was rounded to `f32`; it is stored bit for bit, so
/// that a template in the record store and its row in the index are the same numbers. Rounding each value to
/// `f32` moves a squared length by at most 1.2e-7.
const UNIT_TOLERANCE: f64 = 1e-6;

/// Space, dimension and metric of an index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) space: SpaceId,
    pub(super) dimension: usize,
    pub(super) metric: Metric,
}

/// An embedding as the index stores and compares it: a unit vector when the metric is cosine.
pub(super) struct Template<'a> {
    pub(super) values: Cow<'a, [f32]>,
    /// Euclidean length of `values`, at most [`LONGEST`].
    pub(super) length: f64,
}

impl Geometry {
    pub(super) fn new(space: SpaceId, dimension: usize, metric: Metric) -> Result<Self, IndexFault> {
        if (1..=MOST_DIMENSIONS).contains(&dimension) {
            Ok(Self { space, dimension, metric })
        } else {
            Err(IndexFault::UnusableDimension { dimension })
        }
    }

    /// Checks everything that can be wrong with an embedding, and brings it into the stored form.
    pub(super) fn template<'a>(&self, embedding: &'a Embedding) -> Result<Template<'a>, IndexFault> {
        if embedding.space() != self.space {
            return Err(IndexFault::ForeignSpace { expected: self.space, found: embedding.space() });
        }
        let values = embedding.values();
        if values.len() != self.dimension {
            return Err(IndexFault::Dimension { expected: self.dimension, found: values.len() });
        }
        // Any infinite or missing number makes the sum infinite or NaN; finite f32 squares cannot overflow f64.
        let squared: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        let unusable = |length| Err(IndexFault::Unusable { length });
        match self.metric {
            _ if !squared.is_finite() => unusable(UnusableLength::NotFinite),
            _ if squared > LONGEST * LONGEST => unusable(UnusableLength::TooLong),
            Metric::Cosine if squared == 0.0 => unusable(UnusableLength::Zero),
            Metric::Cosine if (squared - 1.0).abs() > UNIT_TOLERANCE => {
                let length = squared.sqrt();
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "rounding to the stored precision is the point"
                )]
                let unit = values.iter().map(|&value| (f64::from(value) / length) as f32).collect();
                Ok(Template { values: Cow::Owned(unit), length: 1.0 })
            }
            Metric::Cosine | Metric::Euclidean => {
                Ok(Template { values: Cow::Borrowed(values), length: squared.sqrt() })
            }
        }
    }
}
