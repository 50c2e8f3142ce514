//! Detect: where the faces are.
//!
//! The detector runs at every scale of its manifest: a face that fills the frame is found at a small scale, faces in
//! a crowd only at a large one. The image is shrunk once to the largest scale and from there to the others. The
//! results are merged, and listed largest first.

mod letterbox;
mod merge;
mod normalise;
mod scrfd;
#[cfg(test)]
mod tests;
mod tiny_face;
mod yunet;

use std::sync::Arc;

use likeness_models::{Detector as DetectorManifest, DetectorKind};
use serde::{Deserialize, Serialize};

pub(crate) use normalise::Normalise;

use crate::{
    decode::Image,
    fault::{Fault, Network},
    runtime::{Inference, Output, Side, Tensor},
};
use letterbox::{Letterbox, Pyramid};

/// A rectangle in pixels of the upright image; the top left corner of the image is 0, 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundingBox {
    /// Distance from the image's left edge.
    pub left: f32,
    /// Distance from the image's top edge.
    pub top: f32,
    /// Above 0.
    pub width: f32,
    /// Above 0.
    pub height: f32,
}

impl BoundingBox {
    /// Width times height.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// True when all four numbers are finite, and width and height above 0.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        [self.left, self.top, self.width, self.height].iter().all(|value| value.is_finite())
            && self.width > 0.0
            && self.height > 0.0
    }

    /// Area that both rectangles cover.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> f32 {
        let across = (self.left + self.width).min(other.left + other.width) - self.left.max(other.left);
        let down = (self.top + self.height).min(other.top + other.height) - self.top.max(other.top);
        across.max(0.0) * down.max(0.0)
    }

    /// Shared area divided by the area of the union: 0 to 1.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// The part inside an image of this size, or nothing.
    fn clipped(&self, width: u32, height: u32) -> Option<Self> {
        // Asked first: `max` and `min` would turn NaN into the image's edge.
        if !self.is_usable() {
            return None;
        }
        let (left, top) = (self.left.max(0.0), self.top.max(0.0));
        let right = (self.left + self.width).min(width as f32);
        let bottom = (self.top + self.height).min(height as f32);
        let inside = Self { left, top, width: right - left, height: bottom - top };
        inside.is_usable().then_some(inside)
    }
}

/// A face that the detector reports.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Face {
    /// The part of its box that lies inside the image.
    pub bounding_box: BoundingBox,
    /// The detector's score, 0 to 1. Not a probability.
    pub confidence: f32,
}

/// Eye on the image's left, eye on its right, nose tip, mouth corner on the left, mouth corner on the right: x and y in
/// pixels of the upright image, where whole numbers are pixel centres.
pub type FivePoints = [[f32; 2]; 5];

/// A face with what the later stages need and nobody else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The box as the detector gave it: it may reach outside the image.
    pub(crate) raw: BoundingBox,
    /// Five points, where the detector gives them.
    pub(crate) points: Option<FivePoints>,
    pub(crate) face: Face,
}

impl Detection {
    /// The face as callers see it.
    #[must_use]
    pub fn face(&self) -> Face {
        self.face
    }
}

/// What a decoder reads from one run, in pixels of the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Found {
    area: BoundingBox,
    confidence: f32,
    points: Option<FivePoints>,
}

/// A loaded detector.
pub struct Detector {
    network: Arc<dyn Inference>,
    kind: DetectorKind,
    scales: Vec<u32>,
    normalise: Normalise,
    score_threshold: f32,
    nms_iou: f32,
    /// Whether the input's rows and columns are free, so that padding to a square is not needed.
    free: bool,
}

impl Detector {
    /// Makes a detector of a network, and runs it once per scale on a grey image to see that its outputs are those
    /// that its kind promises.
    ///
    /// # Errors
    /// [`Fault::Model`] when the input or the outputs have other shapes, and the faults of running it.
    pub fn new(manifest: &DetectorManifest, network: Arc<dyn Inference>) -> Result<Self, Fault> {
        let free = match network.input() {
            [_, Some(3) | None, None, None] => true,
            [_, Some(3) | None, Some(rows), Some(columns)]
                if manifest.scales.iter().all(|&scale| [*rows, *columns] == [scale as usize; 2]) =>
            {
                false
            }
            other => {
                return Err(refused(&format!("its input is {}, which its scales do not fit", shown(other))));
            }
        };
        let detector = Self {
            network,
            kind: manifest.kind,
            scales: manifest.scales.clone(),
            normalise: Normalise::new(manifest.colour, manifest.mean, manifest.divide),
            score_threshold: manifest.score_threshold,
            nms_iou: manifest.nms_iou,
            free,
        };
        let side = detector.scales.first().copied().unwrap_or(64);
        let grey = Image::from_rgb(side, side, vec![128; (side * side * 3) as usize]);
        detector.detect(&grey.ok_or_else(|| refused("its smallest scale is no size"))?)?;
        Ok(detector)
    }

    /// Finds all faces, largest first. Boxes that lie outside the image or are not finite are dropped.
    ///
    /// # Errors
    /// A [`Fault`] when the network fails. An image without faces gives an empty list.
    pub fn detect(&self, image: &Image) -> Result<Vec<Detection>, Fault> {
        let mut found = Vec::new();
        let pyramid = Pyramid::new(image, &self.scales);
        for &scale in &self.scales {
            let (tensor, letterbox) = pyramid.letterbox(scale, self.free, &self.normalise);
            let outputs = self.network.run(&tensor)?;
            let read = match self.kind {
                DetectorKind::TinyFace => tiny_face::decode(&outputs, &letterbox, self.score_threshold),
                DetectorKind::YuNet => yunet::decode(&outputs, &letterbox, self.score_threshold),
                DetectorKind::Scrfd => scrfd::decode(&outputs, &letterbox, self.score_threshold),
            };
            let read = read.ok_or_else(|| refused(&wrong_outputs(self.kind, &outputs)))?;
            found.extend(read.into_iter().map(|found| letterbox.to_image(found)));
        }
        let mut detections: Vec<_> = merge::merge(found, self.nms_iou)
            .into_iter()
            .filter_map(|found| {
                let bounding_box = found.area.clipped(image.width(), image.height())?;
                let face = Face { bounding_box, confidence: found.confidence.clamp(0.0, 1.0) };
                Some(Detection { raw: found.area, points: found.points, face })
            })
            .collect();
        // Stable, and independent of the order of scales: equal areas go by confidence, then from left to right.
        detections.sort_by(|a, b| {
            let (a, b) = (a.face, b.face);
            (b.bounding_box.area().total_cmp(&a.bounding_box.area()))
                .then(b.confidence.total_cmp(&a.confidence))
                .then(a.bounding_box.left.total_cmp(&b.bounding_box.left))
                .then(a.bounding_box.top.total_cmp(&b.bounding_box.top))
        });
        Ok(detections)
    }
}

fn refused(reason: &str) -> Fault {
    Fault::Model { network: Network::Detector, reason: reason.to_owned() }
}

fn shown(sides: &[Side]) -> String {
    let sides: Vec<_> =
        sides.iter().map(|side| side.map_or("?".to_owned(), |side| side.to_string())).collect();
    format!("[{}]", sides.join(", "))
}

fn wrong_outputs(kind: DetectorKind, outputs: &[Output]) -> String {
    let shapes: Vec<_> =
        outputs.iter().map(|output| format!("`{}` {:?}", output.name, output.tensor.shape())).collect();
    format!("its outputs are not those of a {} detector: {}", kind.as_str(), shapes.join(", "))
}

/// An output by name, as rows of `columns` values, when there are exactly `rows` of them. A leading batch of 1 is fine.
fn rows<'a>(outputs: &'a [Output], name: &str, rows: usize, columns: usize) -> Option<&'a [f32]> {
    let tensor: &Tensor = &outputs.iter().find(|output| output.name == name)?.tensor;
    let last_fits = columns == 1 || tensor.shape().last() == Some(&columns);
    (last_fits && tensor.values().len() == rows * columns).then(|| tensor.values())
}
