//! How much fine detail the face has.
use super::{Component, Measure, light::Luminance, mapping::rising};

/// The ratio mapped to one half, and how fast it rises.
const MIDDLE: f64 = 0.25;
const WIDTH: f64 = 0.07;

/// Root mean square of the Laplacian on the face, divided by the standard deviation of the brightness there: detail per
/// contrast, so that dim light does not count as blur. Noise counts as detail, as it does for every plain filter.
pub(super) fn measure(luminance: &Luminance, measures: &mut Vec<Measure>) {
    let ratio = ratio(luminance);
    measures.push(Measure::new(Component::Sharpness, ratio, rising(ratio, MIDDLE, WIDTH)));
}

pub(super) fn ratio(luminance: &Luminance) -> f64 {
    let Luminance { side, values, on_face } = luminance;
    let side = *side;
    let value = |at: usize| f64::from(values[at]);
    let (mut count, mut sum, mut squares, mut detail) = (0.0, 0.0, 0.0, 0.0);
    for row in 1..side.saturating_sub(1) {
        for column in 1..side - 1 {
            let at = row * side + column;
            let around = [at - 1, at + 1, at - side, at + side];
            // A neighbour off the face may lie outside the image: that edge is not detail.
            if !on_face[at] || around.iter().any(|&beside| !on_face[beside]) {
                continue;
            }
            let here = value(at);
            let laplacian = around.iter().map(|&beside| value(beside)).sum::<f64>() - 4.0 * here;
            count += 1.0;
            sum += here;
            squares += here * here;
            detail += laplacian * laplacian;
        }
    }
    if count == 0.0 {
        return 0.0;
    }
    let mean: f64 = sum / count;
    // Less than one step of contrast is none; it also keeps the ratio finite.
    let contrast = (squares / count - mean * mean).max(0.0).sqrt().max(1.0);
    (detail / count).sqrt() / contrast
}
