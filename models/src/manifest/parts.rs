//! The parts of a pack. All tensors are 32-bit floats in N, channel, row, column order.

use serde::{Deserialize, Serialize};

use super::FileName;
use crate::digest::Digest;

/// Values that a landmarks network gives per face: x and y of 68 points, as fractions of the crop.
pub const LANDMARK_VALUES: u32 = 136;

/// Which decoder reads the detector's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectorKind {
    /// One output `[N, 25, H/32, W/32]`: for each of 5 anchors x, y, width, height and score, raw.
    TinyFace,
    /// Twelve outputs `cls_S`, `obj_S`, `bbox_S`, `kps_S` for strides 8, 16, 32. Gives five points.
    #[serde(rename = "yunet")]
    YuNet,
    /// Outputs in the order scores, boxes, points, each for strides 8, 16, 32, with two anchors per cell.
    Scrfd,
}

/// Order of the three colour channels in the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// How two embeddings compare. Similarity is always "1 is identical, larger is more alike".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Similarity is 1 minus the Euclidean distance of the raw embeddings. 1 at most, no lower bound.
    Euclidean,
    /// Similarity is the cosine of the angle. From -1 to 1.
    Cosine,
}

/// Finds faces. Tensor value = (pixel of 0 to 255 - `mean`) / `divide`, channel by channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Detector {
    /// Which decoder reads the output.
    pub kind: DetectorKind,
    /// The ONNX file, beside the manifest.
    pub file: FileName,
    /// SHA-256 of that file.
    pub sha256: Digest,
    /// Channel order of the tensor.
    pub colour: Colour,
    /// Subtracted from each channel, in the order of `colour`. 0 to 255.
    pub mean: [f32; 3],
    /// Then divided by this. More than 0.
    pub divide: f32,
    /// Sides in pixels of the square inputs to run at, ascending; multiples of 32 from 64 to 4096. The image's
    /// longer side is scaled to it; the results of all scales are merged.
    pub scales: Vec<u32>,
    /// Faces below this confidence are dropped. Between 0 and 1.
    pub score_threshold: f32,
    /// Of two boxes that overlap by more than this (intersection over union), the weaker goes. Between 0 and 1.
    pub nms_iou: f32,
}

/// Finds 68 points in a square crop around a face. Tensor values as for the detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Landmarks {
    /// The ONNX file, beside the manifest.
    pub file: FileName,
    /// SHA-256 of that file.
    pub sha256: Digest,
    /// Side of the square crop in pixels.
    pub size: u32,
    /// Channel order of the tensor.
    pub colour: Colour,
    /// Subtracted from each channel, in the order of `colour`. 0 to 255.
    pub mean: [f32; 3],
    /// Then divided by this. More than 0.
    pub divide: f32,
}

/// Turns an aligned chip into an embedding. Tensor values as for the detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Embedder {
    /// The ONNX file, beside the manifest.
    pub file: FileName,
    /// SHA-256 of that file.
    pub sha256: Digest,
    /// Side of the square chip in pixels.
    pub size: u32,
    /// Channel order of the tensor.
    pub colour: Colour,
    /// Subtracted from each channel, in the order of `colour`. 0 to 255.
    pub mean: [f32; 3],
    /// Then divided by this. More than 0.
    pub divide: f32,
    /// Where five points of the face come to lie on the chip, x and y in pixels: the eye on the left of the
    /// image (the subject's right), the eye on the right, the nose tip, the mouth corner on the left of the
    /// image, the one on the right.
    pub template: [[f32; 2]; 5],
    /// Numbers per embedding.
    pub dimension: u32,
    /// How two embeddings compare.
    pub metric: Metric,
    /// Whether the embedding is the mean of the chip's and of its mirror image's.
    pub mirror_average: bool,
}

/// A similarity above which two images are commonly held to show one person. It is where somebody measured
/// the pack, not a probability and not a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// In the pack's own similarity: 1 at most.
    pub similarity: f64,
    /// Who measured it, on what. 1 to 1,000 characters.
    pub source: String,
    /// What a value above it does and does not say, for people who read results. 1 to 1,000 characters.
    pub meaning: String,
}
