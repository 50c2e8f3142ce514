//! The test that every row meets: a few `f32` operations, rounded so that it errs on the side of letting through.

use super::layout::{BAND_ROWS, Dots, UPPER_UNIT, Weights};

/// What a row must show to be looked at more closely. Made by [`super::bound::ProbeBound::gate`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Gate {
    /// `scale product + stretch * residual >= line`.
    Cosine { scale: f32, stretch: f32, line: f32 },
    /// `norms - scale product <= (reach + residual)^2`.
    Euclidean { twice_scale: f32, norm: f32, reach: f32 },
}

impl Gate {
    /// The gate that a halved row meets with the dot product of its upper halves.
    pub(super) fn of_upper(self) -> Self {
        match self {
            // By a power of two: nothing is rounded.
            Self::Cosine { scale, stretch, line } => {
                Self::Cosine { scale: scale * f32::from(UPPER_UNIT), stretch, line }
            }
            // Not halved: see `Form::of`.
            Self::Euclidean { .. } => self,
        }
    }

    /// A bit per row of the band. Rows that hold nothing may pass: the caller knows which those are.
    #[inline(always)]
    pub(super) fn passing(&self, dots: &Dots, weights: &Weights) -> u64 {
        match *self {
            Self::Cosine { scale, stretch, line } => bits(|row| {
                let product = dots[row] as f32 * (weights.scale[row] * scale);
                product + weights.residual[row] * stretch >= line
            }),
            Self::Euclidean { twice_scale, norm, reach } => bits(|row| {
                let product = dots[row] as f32 * (weights.scale[row] * twice_scale);
                let reach = reach + weights.residual[row];
                (weights.norm[row] + norm) - product <= reach * reach
            }),
        }
    }
}

/// First whether any row passes, which the compiler turns into vector code and which is nearly always the end of
/// it; then which.
#[inline(always)]
fn bits(passes: impl Fn(usize) -> bool) -> u64 {
    let any = (0..BAND_ROWS).fold(0_u32, |any, row| any | u32::from(passes(row)));
    if any == 0 {
        return 0;
    }
    (0..BAND_ROWS).fold(0_u64, |bits, row| bits | u64::from(passes(row)) << row)
}
