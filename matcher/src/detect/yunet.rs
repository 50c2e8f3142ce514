//! Decoder of YuNet: per stride an objectness, a class score, a box and five points per cell.
use super::{BoundingBox, Found, Letterbox, rows};
use crate::runtime::Output;

/// Input pixels per cell, of the three output levels.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Boxes above the threshold, in pixels of the input. Nothing when an output is missing or has another shape.
pub(super) fn decode(outputs: &[Output], letterbox: &Letterbox, threshold: f32) -> Option<Vec<Found>> {
    let mut found = Vec::new();
    for stride in STRIDES {
        let (columns, lines) = (letterbox.columns / stride, letterbox.rows / stride);
        let cells = columns * lines;
        let class = rows(outputs, &format!("cls_{stride}"), cells, 1)?;
        let object = rows(outputs, &format!("obj_{stride}"), cells, 1)?;
        let boxes = rows(outputs, &format!("bbox_{stride}"), cells, 4)?;
        let points = rows(outputs, &format!("kps_{stride}"), cells, 10)?;
        let size = stride as f32;
        for cell in 0..cells {
            let confidence = (class[cell].clamp(0.0, 1.0) * object[cell].clamp(0.0, 1.0)).sqrt();
            if confidence <= threshold || confidence.is_nan() {
                continue;
            }
            let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
            let [dx, dy, dw, dh] = [0, 1, 2, 3].map(|which| boxes[cell * 4 + which]);
            let (width, height) = (dw.exp() * size, dh.exp() * size);
            let area = BoundingBox {
                left: (column + dx) * size - width / 2.0,
                top: (row + dy) * size - height / 2.0,
                width,
                height,
            };
            // The subject's right eye comes first: that is the eye on the image's left, as this crate has it.
            let points = [0, 1, 2, 3, 4].map(|point| {
                let at = cell * 10 + point * 2;
                [(column + points[at]) * size, (row + points[at + 1]) * size]
            });
            found.push(Found { area, confidence, points: Some(points) });
        }
    }
    Some(found)
}
