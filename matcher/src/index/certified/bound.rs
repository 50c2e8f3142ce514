//! What a dot product of codes says about a similarity. The proof is in the module documentation of `certified`.

use likeness_models::Metric;

use super::gate::Gate;
use super::layout::{BAND_ROWS, Weight, Weights};
use super::quantise::{Quantised, above, below};

/// Unit roundoff of `f32`.
const ROUNDOFF: f64 = 1.0 / (1 << 24) as f64;

/// More than any product that `f32` lost by underflow can be worth: it lost at most 2^-126, and the factors that
/// it is multiplied with afterwards are below 2^31.
const VANISHED: f64 = 1e-27;

/// Relative slack for a handful of `f64` operations.
const HANDFUL: f64 = 64.0 * f64::EPSILON;

impl Weights {
    /// Of a band without rows.
    pub(super) fn vacant(metric: Metric) -> Self {
        let Weight { scale, residual, norm } = Weight::vacant(metric);
        Self { scale: [scale; BAND_ROWS], residual: [residual; BAND_ROWS], norm: [norm; BAND_ROWS] }
    }
}

/// How a row is stored beside its codes, so that [`Gate`] and [`ProbeBound`] may treat it as exact.
impl Weight {
    /// A row that no gate lets through, except one that lets everything through.
    pub(super) fn vacant(metric: Metric) -> Self {
        match metric {
            Metric::Cosine => Self { scale: 0.0, residual: f32::NEG_INFINITY, norm: 0.0 },
            Metric::Euclidean => Self { scale: 0.0, residual: 0.0, norm: f32::INFINITY },
        }
    }

    pub(super) fn of(row: &Quantised) -> Self {
        Self {
            scale: row.scale,
            // Room for the rounding of the sum and the square in `Gate::Euclidean`, and of the sum in the other.
            residual: above(row.residual * (1.0 + 8.0 * ROUNDOFF)),
            norm: below(row.norm * (1.0 - 16.0 * ROUNDOFF)),
        }
    }

    /// Of a row that lies in halves, compared by cosine.
    pub(super) fn of_halves(row: &Quantised) -> Self {
        // Where the upper halves say nothing, as of spikes, they may be off by more than the length of the row, and rounding
        // by more than the gate has room for: such a row is always looked at.
        let residual = |residual: f64| {
            if residual > 1.0 { f32::INFINITY } else { above(residual * (1.0 + 8.0 * ROUNDOFF)) }
        };
        Self { scale: row.scale, residual: residual(row.upper_residual), norm: residual(row.residual) }
    }

    /// An upper bound of the norm, which is stored rounded down.
    fn norm_at_most(&self) -> f64 {
        (f64::from(self.norm) + f64::from(f32::MIN_POSITIVE)) * (1.0 + 24.0 * ROUNDOFF)
    }
}

/// What is known of a probe, to bound its similarity with any row.
#[derive(Clone, Copy)]
pub(super) struct ProbeBound {
    metric: Metric,
    scale: f32,
    residual: f64,
    norm: f64,
    /// How far the similarity as computed in `f64` can be from the true one: relative to the distance
    /// (Euclidean), absolute (cosine).
    computed: f64,
}

/// A similarity as `crate::embed::similarity` computes it lies between these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) lower: f64,
    pub(super) upper: f64,
}

impl ProbeBound {
    pub(super) fn new(probe: &Quantised, metric: Metric) -> Self {
        let terms = probe.codes.len() as f64;
        // Cosine: three sums of n terms, each off by n roundings at most, a product, a root, a quotient: 2 n u and
        // a few for the whole; here 2 (n + 8) times 2 u. Euclidean: half of one sum, a root; here far more.
        let computed = 2.0 * (terms + 8.0) * f64::EPSILON;
        Self { metric, scale: probe.scale, residual: probe.residual, norm: probe.norm, computed }
    }

    /// Where the similarity with a row of this weight lies, given the dot product of their codes.
    pub(super) fn range(&self, row: Weight, dot: i32) -> Range {
        let product = f64::from(row.scale) * f64::from(self.scale) * f64::from(dot);
        let residual = f64::from(row.residual);
        match self.metric {
            Metric::Cosine => {
                let slack = residual + self.residual + residual * self.residual;
                let slack = slack * (1.0 + HANDFUL) + self.computed + 8.0 * HANDFUL;
                Range { lower: product - slack, upper: product + slack }
            }
            Metric::Euclidean => {
                let (low, high) = (f64::from(row.norm), row.norm_at_most());
                // The terms cancel: what rounding does to them is bounded by their size, not by that of the rest.
                let rounding = HANDFUL * (high + self.norm);
                let near = (low + self.norm - 2.0 * product - rounding).max(0.0).sqrt();
                let far = (high + self.norm - 2.0 * product + rounding).max(0.0).sqrt();
                let slack = (residual + self.residual) * (1.0 + HANDFUL);
                let rounds = self.computed + HANDFUL;
                Range {
                    lower: settle_down(1.0 - (far + slack) * (1.0 + rounds)),
                    upper: settle_up(1.0 - ((near * (1.0 - HANDFUL)) - slack).max(0.0) * (1.0 - rounds)),
                }
            }
        }
    }

    /// The gate that stops rows which cannot reach the line: rows whose similarity, as computed, is below it.
    /// Without a line it lets every row through.
    pub(super) fn gate(&self, line: Option<f64>) -> Gate {
        let line = line.unwrap_or(f64::NEG_INFINITY);
        match self.metric {
            Metric::Cosine => Gate::Cosine {
                scale: self.scale,
                stretch: above((1.0 + self.residual) * (1.0 + HANDFUL)),
                // 64 roundings of numbers that are at most 4 before rounding, where 6 of at most 8 happen.
                line: below(line - self.residual * (1.0 + HANDFUL) - self.computed - 256.0 * ROUNDOFF),
            },
            Metric::Euclidean => {
                let distance = 1.0 - line;
                let slack = 4.0 * HANDFUL * (1.0 + line.abs());
                let reach = (distance + slack).max(0.0) * (1.0 + 2.0 * self.computed) + self.residual;
                Gate::Euclidean {
                    twice_scale: 2.0 * self.scale,
                    norm: below(self.norm * (1.0 - 16.0 * ROUNDOFF) - VANISHED),
                    reach: above(reach * (1.0 + 8.0 * ROUNDOFF)),
                }
            }
        }
    }
}

/// Rounding of `1 - distance`, both ways: by less than this share of its size, and the size of the 1.
fn settle_up(similarity: f64) -> f64 {
    similarity + HANDFUL * (1.0 + similarity.abs())
}

fn settle_down(similarity: f64) -> f64 {
    similarity - HANDFUL * (1.0 + similarity.abs())
}
