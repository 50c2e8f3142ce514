//! Face chips with known results, to see that a pack computes on this machine what it computed where it was
//! made. The faces are synthetic; the numbers come from the npm package's own JavaScript.

use serde::Deserialize;
use thiserror::Error;

use crate::import::{EMBEDDER_SHA256, LANDMARKS_SHA256};
use crate::manifest::Manifest;

const PNGS: [&[u8]; 4] = [
    include_bytes!("../golden/face-api/chip0.png"),
    include_bytes!("../golden/face-api/chip1.png"),
    include_bytes!("../golden/face-api/chip2.png"),
    include_bytes!("../golden/face-api/chip3.png"),
];
const RESULTS: &str = include_str!("../golden/face-api/faceapi.json");

/// A 150x150 face chip and what the models make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct GoldenChip {
    /// The chip as an RGB PNG file.
    pub png: &'static [u8],
    /// The embedding of the chip itself (not averaged with its mirror image), when the pack has the embedder that
    /// it was computed with. 1e-3 per number is agreement.
    pub descriptor: Option<Vec<f32>>,
    /// 68 points in pixels of the chip, found by scaling the whole chip to the landmarks model's input, when the
    /// pack has that model. 0.1 pixel is agreement.
    pub landmarks: Option<Vec<[f32; 2]>>,
}

/// The embedded file is damaged: a fault of this build.
#[derive(Debug, Error)]
#[error("the golden results of this build cannot be read: {0}")]
pub struct GoldenError(#[from] serde_json::Error);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    descriptor: Vec<f32>,
    landmarks: Vec<[f32; 2]>,
}

/// The golden chips that apply to the models of this pack: none for a pack that shares no model with `face-api`.
///
/// # Errors
/// [`GoldenError`], which no released build gives.
pub fn golden(manifest: &Manifest) -> Result<Vec<GoldenChip>, GoldenError> {
    let embedder = manifest.embedder.sha256.to_string() == EMBEDDER_SHA256;
    let landmarks =
        manifest.landmarks.as_ref().is_some_and(|part| part.sha256.to_string() == LANDMARKS_SHA256);
    if !embedder && !landmarks {
        return Ok(Vec::new());
    }
    let results: Vec<Expected> = serde_json::from_str(RESULTS)?;
    Ok(PNGS
        .into_iter()
        .zip(results)
        .map(|(png, result)| GoldenChip {
            png,
            descriptor: embedder.then_some(result.descriptor),
            landmarks: landmarks.then_some(result.landmarks),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn they_apply_to_the_models_they_were_computed_with_and_to_no_others() {
        let mut manifest = crate::import::current().unwrap();
        let chips = golden(&manifest).unwrap();
        assert_eq!(chips.len(), 4);
        for chip in &chips {
            assert!(chip.png.starts_with(b"\x89PNG"));
            assert_eq!(chip.descriptor.as_ref().unwrap().len(), 128);
            assert_eq!(chip.landmarks.as_ref().unwrap().len(), 68);
        }
        manifest.landmarks = None;
        assert!(
            golden(&manifest)
                .unwrap()
                .iter()
                .all(|chip| chip.landmarks.is_none() && chip.descriptor.is_some())
        );
        manifest.embedder.sha256 = crate::Digest::of(b"another");
        assert_eq!(golden(&manifest).unwrap(), []);
    }
}
