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
    // Whole numbers, far below 2^53: the sums are exact.
    let (mut count, mut sum, mut squares, mut detail) = (0_i64, 0_i64, 0_i64, 0_i64);
    for row in 1..side.saturating_sub(1) {
        let lines = [row - 1, row, row + 1].map(|row| row * side..(row + 1) * side);
        let line = line_sums(lines.clone().map(|line| &values[line]), lines.map(|line| &on_face[line]));
        count += i64::from(line[0]);
        sum += i64::from(line[1]);
        squares += i64::from(line[2]);
        detail += i64::from(line[3]);
    }
    let [count, sum, squares, detail] = [count, sum, squares, detail].map(|sum| sum as f64);
    if count < 1.0 {
        return 0.0;
    }
    let mean: f64 = sum / count;
    // Less than one step of contrast is none; it also keeps the ratio finite.
    let contrast = (squares / count - mean * mean).max(0.0).sqrt().max(1.0);
    (detail / count).sqrt() / contrast
}

/// Of three lines of brightness, and which of their pixels show the face: the middle line's number of pixels, their sum
/// and sum of squares, and the sum of squares of the Laplacian. A neighbour off the face may lie outside the image, and
/// that edge is not detail: such pixels do not count. 32 bits suffice for lines of up to 2,000 pixels.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "x86_64+sse4.1"))]
fn line_sums([above, here, below]: [&[u8]; 3], [face_above, face, face_below]: [&[bool]; 3]) -> [i32; 4] {
    let inner = here.len().saturating_sub(2);
    let sides = here.iter().zip(here.iter().skip(2));
    let face_sides = face.iter().zip(face.iter().skip(2));
    let values = above.iter().skip(1).zip(below.iter().skip(1)).zip(here.iter().skip(1)).zip(sides);
    let faces =
        face_above.iter().skip(1).zip(face_below.iter().skip(1)).zip(face.iter().skip(1)).zip(face_sides);
    let (mut count, mut sum, mut squares, mut detail) = (0_i32, 0_i32, 0_i32, 0_i32);
    for ((((&above, &below), &here), (&left, &right)), (((&a, &b), &c), (&d, &e))) in
        values.zip(faces).take(inner)
    {
        // Without overflow checks, which would be a jump per pixel.
        let counts = i32::from(a & b & c & d & e);
        let [above, below, here, left, right] = [above, below, here, left, right].map(i32::from);
        let around = above.wrapping_add(below).wrapping_add(left).wrapping_add(right);
        let laplacian = around.wrapping_sub(here.wrapping_mul(4)).wrapping_mul(counts);
        let here = here.wrapping_mul(counts);
        count = count.wrapping_add(counts);
        sum = sum.wrapping_add(here);
        squares = squares.wrapping_add(here.wrapping_mul(here));
        detail = detail.wrapping_add(laplacian.wrapping_mul(laplacian));
    }
    [count, sum, squares, detail]
}
