//! What the common families of embedders expect, so that an operator need not look it up.

use crate::manifest::{Colour, Metric};

/// A family of embedders: chip geometry, colour order, normalisation and metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmbedderPreset {
    /// ArcFace and its many relatives: 112x112, RGB, (pixel - 127.5) / 127.5, cosine.
    Arcface112,
    /// OpenCV Zoo's SFace: the ArcFace chip, RGB, pixels as they are (the model normalises), cosine.
    Sface,
    /// dlib's ResNet as face-api ships it: 150x150, RGB, mean colour, divided by 256, Euclidean.
    Dlib150,
}

/// The five-point template of the ArcFace line, for a 112x112 chip: published with InsightFace
/// (`face_align.py`, `arcface_dst`) and the same in OpenCV's `FaceRecognizerSF`.
const ARCFACE: [[f32; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

/// Fractions of a face chip without padding, as dlib's face chips have them.
const DLIB: [[f64; 2]; 5] =
    [[0.2273, 0.2213], [0.7528, 0.2213], [0.4901, 0.55], [0.2615, 0.7696], [0.7352, 0.7696]];

impl EmbedderPreset {
    /// Side of the chip in pixels.
    #[must_use]
    pub const fn size(self) -> u32 {
        match self {
            Self::Arcface112 | Self::Sface => 112,
            Self::Dlib150 => 150,
        }
    }

    /// Channel order of the tensor.
    #[must_use]
    pub const fn colour(self) -> Colour {
        match self {
            Self::Arcface112 | Self::Sface | Self::Dlib150 => Colour::Rgb,
        }
    }

    /// Subtracted from each channel of 0 to 255.
    #[must_use]
    pub const fn mean(self) -> [f32; 3] {
        match self {
            Self::Arcface112 => [127.5; 3],
            Self::Sface => [0.0; 3],
            Self::Dlib150 => [122.782, 117.001, 104.298],
        }
    }

    /// Then divided by this.
    #[must_use]
    pub const fn divide(self) -> f32 {
        match self {
            Self::Arcface112 => 127.5,
            Self::Sface => 1.0,
            Self::Dlib150 => 256.0,
        }
    }

    /// How two embeddings compare.
    #[must_use]
    pub const fn metric(self) -> Metric {
        match self {
            Self::Arcface112 | Self::Sface => Metric::Cosine,
            Self::Dlib150 => Metric::Euclidean,
        }
    }

    /// Where five points of the face come to lie, in pixels of the chip.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a small chip")]
    pub fn template(self) -> [[f32; 2]; 5] {
        match self {
            Self::Arcface112 | Self::Sface => ARCFACE,
            // dlib pads the chip by a quarter of the face on each side.
            Self::Dlib150 => DLIB.map(|point| point.map(|p| ((p + 0.25) / 1.5 * 150.0) as f32)),
        }
    }
}
