//! Decoder of `tiny_face_detector`: one output of 25 planes, 5 anchors x (x, y, width, height, score).
use super::{BoundingBox, Found, Letterbox};
use crate::runtime::Output;

/// Input pixels per cell.
const CELL: usize = 32;
/// Width and height of the anchors in cells, as the network was trained (architecture, section 7).
const ANCHORS: [[f32; 2]; 5] = [
    [1.603_231, 2.094_468],
    [6.041_143, 7.080_126],
    [2.882_459, 3.518_061],
    [4.266_906, 5.178_857],
    [9.041_765, 10.663_08],
];
/// Values per anchor.
const VALUES: usize = 5;

/// Boxes above the threshold, in pixels of the input. Nothing when the output has another shape.
pub(super) fn decode(outputs: &[Output], letterbox: &Letterbox, threshold: f32) -> Option<Vec<Found>> {
    let [output] = outputs else { return None };
    let (columns, rows) = (letterbox.columns / CELL, letterbox.rows / CELL);
    if output.tensor.shape() != [1, ANCHORS.len() * VALUES, rows, columns] {
        return None;
    }
    let values = output.tensor.values();
    let plane = rows * columns;
    let mut found = Vec::new();
    for (anchor, &[wide, high]) in ANCHORS.iter().enumerate() {
        let value = |which: usize, cell: usize| values[(anchor * VALUES + which) * plane + cell];
        for cell in 0..plane {
            let confidence = sigmoid(value(4, cell));
            if confidence <= threshold || confidence.is_nan() {
                continue;
            }
            let centre_x = (cell % columns) as f32 + sigmoid(value(0, cell));
            let centre_y = (cell / columns) as f32 + sigmoid(value(1, cell));
            let width = value(2, cell).exp() * wide;
            let height = value(3, cell).exp() * high;
            let area = BoundingBox {
                left: (centre_x - width / 2.0) * CELL as f32,
                top: (centre_y - height / 2.0) * CELL as f32,
                width: width * CELL as f32,
                height: height * CELL as f32,
            };
            found.push(Found { area, confidence, points: None });
        }
    }
    Some(found)
}

fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}
