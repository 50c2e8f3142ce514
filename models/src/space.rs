//! The identity of an embedding space.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::{ParseDigestError, parse_hex};
use crate::manifest::{Colour, DetectorKind, Manifest, Metric};

/// Which embedding space a number belongs to: two embeddings compare only when their `SpaceId` is equal.
///
/// It is the SHA-256 over everything in a pack that can move an embedding: the digests of the files, the
/// colour order, the normalisation, the geometry, the detector's settings and the metric. The pack's name,
/// version, licence, provenance and threshold are left out: correcting a sentence, or measuring a better
/// threshold, must not orphan a gallery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpaceId([u8; 32]);

impl SpaceId {
    /// The 32 raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// INVARIANT: every field is written with a fixed width or its length, so that two different manifests
    /// never write the same bytes. The order is part of the format: `likeness-space-v1` for ever.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let mut sha = Sha256::new();
        sha.update(b"likeness-space-v1\0");

        let detector = &manifest.detector;
        sha.update([match detector.kind {
            DetectorKind::TinyFace => 1,
            DetectorKind::YuNet => 2,
            DetectorKind::Scrfd => 3,
        }]);
        sha.update(detector.sha256.as_bytes());
        input(&mut sha, detector.colour, detector.mean, detector.divide);
        sha.update((detector.scales.len() as u64).to_le_bytes());
        for scale in &detector.scales {
            sha.update(scale.to_le_bytes());
        }
        number(&mut sha, detector.score_threshold);
        number(&mut sha, detector.nms_iou);

        sha.update([u8::from(manifest.landmarks.is_some())]);
        if let Some(landmarks) = &manifest.landmarks {
            sha.update(landmarks.sha256.as_bytes());
            sha.update(landmarks.size.to_le_bytes());
            input(&mut sha, landmarks.colour, landmarks.mean, landmarks.divide);
        }

        let embedder = &manifest.embedder;
        sha.update(embedder.sha256.as_bytes());
        sha.update(embedder.size.to_le_bytes());
        input(&mut sha, embedder.colour, embedder.mean, embedder.divide);
        for value in embedder.template.iter().flatten() {
            number(&mut sha, *value);
        }
        sha.update(embedder.dimension.to_le_bytes());
        sha.update([match embedder.metric {
            Metric::Euclidean => 1,
            Metric::Cosine => 2,
        }]);
        sha.update([u8::from(embedder.mirror_average)]);
        Self(sha.finalize().into())
    }
}

fn input(sha: &mut Sha256, colour: Colour, mean: [f32; 3], divide: f32) {
    sha.update([match colour {
        Colour::Rgb => 1,
        Colour::Bgr => 2,
    }]);
    for value in mean {
        number(sha, value);
    }
    number(sha, divide);
}

/// Zero has two bit patterns; both mean the same network.
fn number(sha: &mut Sha256, value: f32) {
    let value = if value == 0.0 { 0.0 } else { value };
    sha.update(value.to_le_bytes());
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpaceId({self})")
    }
}

impl From<SpaceId> for String {
    fn from(space: SpaceId) -> Self {
        space.to_string()
    }
}

impl From<[u8; 32]> for SpaceId {
    /// For a space that was stored as bytes; whether a pack has it is for the caller to compare.
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for SpaceId {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_hex(text).map(Self)
    }
}

impl TryFrom<String> for SpaceId {
    type Error = ParseDigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
