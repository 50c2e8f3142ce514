//! From `f32` to int8, knowing how much was lost.

use likeness_models::Metric;

use super::layout::{OFFSET, UPPER_UNIT};

/// Largest code. The codes -128 and 128 do not exist: see the kernels for what relies on it.
const LARGEST: f64 = 127.0;

/// A template, or a probe, as int8.
///
/// Its *target* is the template itself (Euclidean), or the template divided by its length (cosine): with
/// `target = scale * codes + rest`, the length of `rest` is at most `residual`.
pub(super) struct Quantised {
    pub(super) codes: Vec<i8>,
    pub(super) scale: f32,
    /// Never too small, rounding included.
    pub(super) residual: f64,
    /// As `residual`, of the upper four bits of the codes alone: of `8 scale (2 upper - 15)`.
    pub(super) upper_residual: f64,
    /// `|scale * codes|^2`, to a relative error of 2^-51.
    pub(super) norm: f64,
}

impl Quantised {
    /// The values are finite and of a length that an index takes (see `geometry.rs`); not all zero when the metric
    /// is cosine.
    pub(super) fn new(values: &[f32], metric: Metric) -> Self {
        let terms = values.len() as f64;
        // Relative error of a sum of `n` squares in f64, with room for the few operations around it.
        let rounding = (terms + 16.0) * f64::EPSILON;
        let divisor = match metric {
            Metric::Euclidean => 1.0,
            Metric::Cosine => {
                values.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt()
            }
        };
        let target = || values.iter().map(|&value| f64::from(value) / divisor);

        let largest = target().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        // Rounded up, so that the largest value does not leave the range of the codes.
        let scale = above(largest / LARGEST);
        let step = f64::from(scale);
        let mut codes = Vec::with_capacity(values.len());
        let mut lost = 0.0;
        let mut upper_lost = 0.0;
        let mut squares = 0_i64;
        for value in target() {
            // A float cast saturates; a scale of zero means that every value is zero, and 0/0 casts to 0.
            #[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
            let code = (value / step).round().clamp(-LARGEST, LARGEST) as i8;
            let rest = value - step * f64::from(code);
            lost += rest * rest;
            let upper_rest = value - step * f64::from(upper_of(code));
            upper_lost += upper_rest * upper_rest;
            squares += i64::from(code) * i64::from(code);
            codes.push(code);
        }
        // The division and the length under it moved the target by this share of its length, which is 1.
        let moved = match metric {
            Metric::Euclidean => 0.0,
            Metric::Cosine => 2.0 * rounding,
        };
        let residual = |lost: f64| lost.sqrt() * (1.0 + rounding) + moved;
        let (residual, upper_residual) = (residual(lost), residual(upper_lost));
        Self { codes, scale, residual, upper_residual, norm: step * step * squares as f64 }
    }
}

/// What the upper four bits of a code, as it is stored, say: the middle of the sixteen codes that share them.
pub(super) fn upper_of(code: i8) -> i16 {
    let upper = code.cast_unsigned().wrapping_add(OFFSET) >> 4;
    UPPER_UNIT * (2 * i16::from(upper) - 15)
}

/// The smallest `f32` that is not below.
pub(super) fn above(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounded, then put right")]
    let rounded = value as f32;
    if f64::from(rounded) < value { rounded.next_up() } else { rounded }
}

/// The largest `f32` that is not above.
pub(super) fn below(value: f64) -> f32 {
    -above(-value)
}
