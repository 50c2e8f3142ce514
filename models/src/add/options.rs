//! What an operator states about their models, with what each family commonly expects filled in.

use std::path::PathBuf;

use crate::digest::Digest;
use crate::manifest::{Colour, Detector, DetectorKind, Embedder, FileName, Metric, Threshold};
use crate::preset::EmbedderPreset;

/// A pack to be added. Units and ranges are those of the [`Manifest`](crate::Manifest).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddOptions {
    /// Name of the new pack.
    pub name: String,
    /// Version of the models.
    pub version: String,
    /// Under which licence they may be used.
    pub licence: String,
    /// Where they come from.
    pub provenance: String,
    /// Pack from which the parts not given here are copied.
    pub base: Option<String>,
    /// A detector of one's own.
    pub detector: Option<AddDetector>,
    /// Which landmarks model to align by. `None`: the base pack's when its detector is used too or the new
    /// one gives no points; else none, and the detector's own five points are used.
    pub landmarks: Option<AddLandmarks>,
    /// An embedder of one's own. It needs a `threshold`.
    pub embedder: Option<AddEmbedder>,
    /// The operating point. `None`: the base pack's, when its embedder is used.
    pub threshold: Option<Threshold>,
}

/// A detector file. What is `None` is as the kind commonly has it.
#[derive(Clone, Debug, PartialEq)]
pub struct AddDetector {
    /// The ONNX file.
    pub path: PathBuf,
    /// Which decoder reads its output.
    pub kind: DetectorKind,
    /// Sides in pixels of the square inputs to run at.
    pub scales: Option<Vec<u32>>,
    /// Faces below this confidence are dropped.
    pub score_threshold: Option<f32>,
    /// Overlap above which the weaker of two boxes goes.
    pub nms_iou: Option<f32>,
    /// Channel order of the tensor.
    pub colour: Option<Colour>,
    /// Subtracted from each channel.
    pub mean: Option<[f32; 3]>,
    /// Then divided by this.
    pub divide: Option<f32>,
}

/// Which landmarks model to align by.
#[derive(Clone, Debug, PartialEq)]
pub enum AddLandmarks {
    /// The base pack's.
    FromBase,
    /// One of one's own, for 68 points.
    File {
        /// The ONNX file.
        path: PathBuf,
        /// Side of the square crop in pixels.
        size: u32,
        /// Channel order of the tensor.
        colour: Colour,
        /// Subtracted from each channel.
        mean: [f32; 3],
        /// Then divided by this.
        divide: f32,
    },
}

/// An embedder file. What is `None` is as the family has it.
#[derive(Clone, Debug, PartialEq)]
pub struct AddEmbedder {
    /// The ONNX file.
    pub path: PathBuf,
    /// The family.
    pub preset: EmbedderPreset,
    /// Numbers per embedding.
    pub dimension: u32,
    /// Side of the square chip in pixels. The family's template is scaled to it.
    pub size: Option<u32>,
    /// Channel order of the tensor.
    pub colour: Option<Colour>,
    /// Subtracted from each channel.
    pub mean: Option<[f32; 3]>,
    /// Then divided by this.
    pub divide: Option<f32>,
    /// Where five points of the face come to lie on the chip.
    pub template: Option<[[f32; 2]; 5]>,
    /// How two embeddings compare.
    pub metric: Option<Metric>,
    /// Whether to average with the mirror image.
    pub mirror_average: bool,
}

impl AddDetector {
    /// A detector as its kind commonly is.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, kind: DetectorKind) -> Self {
        Self {
            path: path.into(),
            kind,
            scales: None,
            score_threshold: None,
            nms_iou: None,
            colour: None,
            mean: None,
            divide: None,
        }
    }

    pub(super) fn part(&self, (file, sha256): (FileName, Digest)) -> Detector {
        let common = Common::of(self.kind);
        Detector {
            kind: self.kind,
            file,
            sha256,
            colour: self.colour.unwrap_or(common.colour),
            mean: self.mean.unwrap_or(common.mean),
            divide: self.divide.unwrap_or(common.divide),
            scales: self.scales.clone().unwrap_or(common.scales),
            score_threshold: self.score_threshold.unwrap_or(common.score_threshold),
            nms_iou: self.nms_iou.unwrap_or(common.nms_iou),
        }
    }
}

/// How detectors of a kind are commonly trained and run.
struct Common {
    colour: Colour,
    mean: [f32; 3],
    divide: f32,
    scales: Vec<u32>,
    score_threshold: f32,
    nms_iou: f32,
}

impl Common {
    fn of(kind: DetectorKind) -> Self {
        match kind {
            DetectorKind::TinyFace => Self {
                colour: Colour::Rgb,
                mean: [117.001, 114.697, 97.404],
                divide: 255.0,
                scales: vec![224, 608],
                score_threshold: 0.5,
                nms_iou: 0.4,
            },
            // OpenCV Zoo's demonstration drops faces below 0.9, which loses the blurred and the dark.
            DetectorKind::YuNet => Self {
                colour: Colour::Bgr,
                mean: [0.0; 3],
                divide: 1.0,
                scales: vec![320, 640],
                score_threshold: 0.6,
                nms_iou: 0.3,
            },
            DetectorKind::Scrfd => Self {
                colour: Colour::Rgb,
                mean: [127.5; 3],
                divide: 128.0,
                scales: vec![320, 640],
                score_threshold: 0.5,
                nms_iou: 0.4,
            },
        }
    }
}

impl AddEmbedder {
    /// An embedder as its family is.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, preset: EmbedderPreset, dimension: u32) -> Self {
        Self {
            path: path.into(),
            preset,
            dimension,
            size: None,
            colour: None,
            mean: None,
            divide: None,
            template: None,
            metric: None,
            mirror_average: false,
        }
    }

    pub(super) fn part(&self, (file, sha256): (FileName, Digest)) -> Embedder {
        let preset = self.preset;
        let size = self.size.unwrap_or(preset.size());
        #[expect(
            clippy::cast_precision_loss,
            reason = "sides of chips are small; larger ones are refused later"
        )]
        let scale = size as f32 / preset.size() as f32;
        Embedder {
            file,
            sha256,
            size,
            colour: self.colour.unwrap_or(preset.colour()),
            mean: self.mean.unwrap_or(preset.mean()),
            divide: self.divide.unwrap_or(preset.divide()),
            template: self
                .template
                .unwrap_or_else(|| preset.template().map(|point| point.map(|p| p * scale))),
            dimension: self.dimension,
            metric: self.metric.unwrap_or(preset.metric()),
            mirror_average: self.mirror_average,
        }
    }
}
