//! Decoder of SCRFD: scores of all strides, then boxes of all strides, then points of all strides.
use super::{BoundingBox, Found, Letterbox};
use crate::runtime::Output;

/// Input pixels per cell, of the three output levels.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Anchors per cell.
const ANCHORS: usize = 2;

/// Boxes above the threshold, in pixels of the input. Nothing when an output is missing or has another shape.
pub(super) fn decode(outputs: &[Output], letterbox: &Letterbox, threshold: f32) -> Option<Vec<Found>> {
    if outputs.len() != 3 * STRIDES.len() {
        return None;
    }
    let mut found = Vec::new();
    for (level, stride) in STRIDES.into_iter().enumerate() {
        let (columns, lines) = (letterbox.columns / stride, letterbox.rows / stride);
        let count = columns * lines * ANCHORS;
        // Exports differ in their names and in a leading batch dimension; the order of the outputs is fixed.
        let values = |group: usize, width: usize| {
            let tensor = &outputs[group * STRIDES.len() + level].tensor;
            (tensor.shape().last() == Some(&width) && tensor.values().len() == count * width)
                .then(|| tensor.values())
        };
        let (scores, boxes, points) = (values(0, 1)?, values(1, 4)?, values(2, 10)?);
        let size = stride as f32;
        for anchor in 0..count {
            let confidence = scores[anchor];
            if confidence <= threshold || confidence.is_nan() {
                continue;
            }
            let cell = anchor / ANCHORS;
            let (x, y) = ((cell % columns) as f32 * size, (cell / columns) as f32 * size);
            // Distances from the anchor to the four edges, in strides.
            let [left, top, right, bottom] = [0, 1, 2, 3].map(|which| boxes[anchor * 4 + which] * size);
            let area =
                BoundingBox { left: x - left, top: y - top, width: left + right, height: top + bottom };
            let points = [0, 1, 2, 3, 4].map(|point| {
                let at = anchor * 10 + point * 2;
                [x + points[at] * size, y + points[at + 1] * size]
            });
            found.push(Found { area, confidence, points: Some(points) });
        }
    }
    Some(found)
}
