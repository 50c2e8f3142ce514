//! Verify: does this pack, on this machine, compute what the package's own code computes?
use likeness_models::GoldenChip;
use thiserror::Error;

use crate::{
    decode::{Limits, decode},
    fault::Fault,
    pipeline::Matcher,
    rejection::Rejection,
};

/// Largest accepted difference of a descriptor value. Both sides sum thousands of 32-bit floats in their own order.
pub const DESCRIPTOR_TOLERANCE: f32 = 1e-3;
/// Largest accepted difference of a landmark coordinate, in pixels of the chip.
pub const LANDMARK_TOLERANCE_PX: f32 = 0.1;

/// The differences on one golden chip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChipDifference {
    /// Largest difference of a descriptor value; absent when the pack has another embedder than the golden values.
    pub descriptor: Option<f32>,
    /// Largest difference of a landmark coordinate in pixels; absent when the pack has another landmark network.
    pub landmarks_px: Option<f32>,
}

impl ChipDifference {
    /// Whether both are within tolerance. NaN is not.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.descriptor.is_none_or(|difference| difference <= DESCRIPTOR_TOLERANCE)
            && self.landmarks_px.is_none_or(|difference| difference <= LANDMARK_TOLERANCE_PX)
    }
}

/// Why a pack could not be compared with golden values.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum VerifyError {
    /// A golden chip is no image: the golden files are damaged.
    #[error("golden chip {chip} cannot be read: {rejection}")]
    Chip {
        /// Its place in the list, from 0.
        chip: usize,
        /// Why.
        rejection: Rejection,
    },
    /// A network failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Runs the embedder and the landmark network on each golden chip, as it is and not mirrored. The list of differences
/// is in the order of the chips; deciding is [`ChipDifference::agrees`].
///
/// # Errors
/// [`VerifyError`] when a chip is no image or a network fails.
pub fn verify(matcher: &Matcher, golden: &[GoldenChip]) -> Result<Vec<ChipDifference>, VerifyError> {
    golden
        .iter()
        .enumerate()
        .map(|(number, expected)| {
            let (chip, _) = decode(expected.png, &Limits::default())
                .map_err(|rejection| VerifyError::Chip { chip: number, rejection })?;
            let descriptor = match &expected.descriptor {
                Some(expected) => Some(furthest(expected, &matcher.descriptor(&chip)?)),
                None => None,
            };
            let landmarks_px = match &expected.landmarks {
                Some(expected) => {
                    let found = matcher.landmarks(&chip)?.unwrap_or_default();
                    Some(furthest(expected.as_flattened(), found.as_flattened()))
                }
                None => None,
            };
            Ok(ChipDifference { descriptor, landmarks_px })
        })
        .collect()
}

/// Largest difference of two lists; infinite when they differ in length or a value is NaN.
fn furthest(expected: &[f32], found: &[f32]) -> f32 {
    if expected.len() != found.len() {
        return f32::INFINITY;
    }
    let differences = expected.iter().zip(found).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |most, next| if next.is_nan() { f32::INFINITY } else { most.max(next) })
}
