//! A turned, scaled and shifted square part of an image.
use std::ops::Range;

use super::{Image, resample::Region};

/// Above this many image pixels per chip pixel the part is shrunk first, every pixel counted, so that fine patterns
/// do not turn into false coarse ones. Below it the chip is interpolated only, exactly as the reference
/// implementations of the networks do.
const SHRINKS_FROM: f64 = 1.5;

/// Where the pixels of a square chip lie in an image: pixel (column, row) at
/// `origin + column * step + row * (step turned by 90 degrees)`. Whole numbers are pixel centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grid {
    pub(crate) origin: [f64; 2],
    pub(crate) step: [f64; 2],
}

impl Grid {
    fn at(&self, [column, row]: [f64; 2]) -> [f64; 2] {
        let [x, y] = self.step;
        [self.origin[0] + column * x - row * y, self.origin[1] + column * y + row * x]
    }
}

/// A grid on an image that is itself shrunk, by slightly different factors across and down.
struct Stepper {
    origin: [f64; 2],
    column: [f64; 2],
    row: [f64; 2],
}

impl Image {
    /// The chip of side `size` on the grid. What lies outside the image is black.
    pub(crate) fn sampled(&self, grid: &Grid, size: u32) -> Self {
        let mut chip = Self::unwritten(size, size);
        let stride = (size as usize * 3).max(1);
        let mut rows = chip.pixels_mut().chunks_exact_mut(stride);
        self.sample(grid, size, |line| {
            if let Some(row) = rows.next() {
                rounded(line, row);
            }
        });
        chip
    }

    /// Hands over the chip's pixels line by line, 0 to 255, before they are rounded to bytes; the fourth value of each
    /// is of no meaning.
    pub(crate) fn sample(&self, grid: &Grid, size: u32, to: impl FnMut(&[[f32; 4]])) {
        let [x, y] = grid.step;
        let plain = Stepper { origin: grid.origin, column: [x, y], row: [-y, x] };
        let per_pixel = x.hypot(y);
        if per_pixel < SHRINKS_FROM {
            return self.interpolated(&plain, size, to);
        }
        let Some(region) = self.covered(grid, size, per_pixel) else {
            let black = vec![[0.0; 4]; size as usize];
            return (0..size).map(|_| black.as_slice()).for_each(to);
        };
        let shrunk_side = |side: f64| (side / per_pixel).round().max(1.0) as u32;
        let shrunk =
            self.part_resampled(Some(region), [shrunk_side(region.width), shrunk_side(region.height)]);
        let across = f64::from(shrunk.width()) / region.width;
        let down = f64::from(shrunk.height()) / region.height;
        let scaled = |[x, y]: [f64; 2]| [x * across, y * down];
        let [left, top] = scaled([grid.origin[0] + 0.5 - region.left, grid.origin[1] + 0.5 - region.top]);
        let stepper =
            Stepper { origin: [left - 0.5, top - 0.5], column: scaled(plain.column), row: scaled(plain.row) };
        shrunk.interpolated(&stepper, size, to);
    }

    /// The part of the image that the chip's pixels see, or nothing when they see none of it.
    fn covered(&self, grid: &Grid, size: u32, margin: f64) -> Option<Region> {
        let last = f64::from(size) - 1.0;
        let corners = [[0.0, 0.0], [last, 0.0], [0.0, last], [last, last]].map(|corner| grid.at(corner));
        let span = |axis: usize, length: u32| {
            let (low, high) =
                corners.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), corner| {
                    (low.min(corner[axis]), high.max(corner[axis]))
                });
            let low = (low - margin).floor().clamp(0.0, f64::from(length));
            let high = (high + margin + 1.0).ceil().clamp(0.0, f64::from(length));
            (high - low >= 1.0).then_some((low, high - low))
        };
        let (left, width) = span(0, self.width())?;
        let (top, height) = span(1, self.height())?;
        Some(Region { left, top, width, height })
    }

    fn interpolated(&self, stepper: &Stepper, size: u32, mut to: impl FnMut(&[[f32; 4]])) {
        let mut line = vec![[0.0; 4]; size as usize];
        for row in 0..size {
            let start = [0, 1].map(|axis| stepper.origin[axis] + f64::from(row) * stepper.row[axis]);
            let inside = self.inside(start, stepper.column, line.len());
            interpolate(self, start, stepper.column, &mut line[..inside.start], 0);
            interpolate(self, start, stepper.column, &mut line[inside.end..], inside.end);
            interpolate_inside(self, start, stepper.column, &mut line[inside.clone()], inside.start);
            to(&line);
        }
    }

    /// The places of a line that lie in the image with the pixels around them, and one column more, so that eight bytes
    /// can be read at each. What is not finite lies nowhere.
    fn inside(&self, start: [f64; 2], step: [f64; 2], size: usize) -> Range<usize> {
        let ends = [f64::from(self.width()) - 2.0, f64::from(self.height()) - 1.0];
        let holds = |place: usize| {
            [0, 1]
                .into_iter()
                .all(|axis| (0.0..ends[axis]).contains(&(start[axis] + place as f64 * step[axis])))
        };
        let (mut first, mut end) = (0.0_f64, size as f64);
        for axis in [0, 1] {
            let crossings = [-start[axis] / step[axis], (ends[axis] - start[axis]) / step[axis]];
            // Along an axis that the line does not move on, these are not finite, and all or none is inside.
            if crossings.iter().all(|place| place.is_finite()) {
                first = first.max(crossings[0].min(crossings[1]).ceil());
                end = end.min(crossings[0].max(crossings[1]).ceil());
            }
        }
        // The casts saturate. Rounding may have put an end one place off.
        let (mut first, mut end) = (first as usize, (end.max(0.0) as usize).min(size));
        if first < end && !holds(first) {
            first += 1;
        }
        if first < end && !holds(end - 1) {
            end -= 1;
        }
        // Places between two that are inside are too.
        if first < end && holds(first) && holds(end - 1) { first..end } else { 0..0 }
    }

    /// Bilinear mean of the four pixels around a place; those outside the image are black.
    #[inline(always)]
    fn at(&self, [x, y]: [f64; 2]) -> [f32; 3] {
        let (width, height) = (self.width() as usize, self.height() as usize);
        let (left, top) = (x.floor(), y.floor());
        // Compared as floats: a cast of a far or a NaN coordinate would saturate into the image.
        if !(left >= -1.0 && top >= -1.0 && left < width as f64 && top < height as f64) {
            return [0.0; 3];
        }
        let shares = [(x - left) as f32, (y - top) as f32];
        let (left, top) = (left as isize, top as isize);
        let source = self.pixels();
        let stride = width * 3;
        if left >= 0 && top >= 0 && left + 1 < width as isize && top + 1 < height as isize {
            let at = top as usize * stride + left as usize * 3;
            return mixed(&source[at..at + 6], &source[at + stride..at + stride + 6], shares);
        }
        let pair = |y: isize| {
            let mut pair = [0; 6];
            for (half, x) in [left, left + 1].into_iter().enumerate() {
                if x >= 0 && y >= 0 && x < width as isize && y < height as isize {
                    let at = y as usize * stride + x as usize * 3;
                    pair[half * 3..half * 3 + 3].copy_from_slice(&source[at..at + 3]);
                }
            }
            pair
        };
        mixed(&pair(top), &pair(top + 1), shares)
    }
}

/// A part of a line of a chip, from place `first` on, which may lie outside the image. Compiled for several generations
/// of processors: rounding down, once per pixel and axis, is a call on the oldest of them. All give the same numbers.
#[multiversion::multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
fn interpolate(image: &Image, start: [f64; 2], step: [f64; 2], line: &mut [[f32; 4]], first: usize) {
    for (column, value) in line.iter_mut().enumerate() {
        let column = (first + column) as f64;
        let [red, green, blue] = image.at([start[0] + column * step[0], start[1] + column * step[1]]);
        *value = [red, green, blue, 0.0];
    }
}

/// Places worked on at a time.
const BLOCK: usize = 16;
/// A double of whole value below 2^32, added to this, has that value in its lowest bits: a cast that vectors have.
const WHOLE: f64 = (1_u64 << 52) as f64;

/// As [`interpolate`], to the same bits, for places that lie [inside](Image::inside).
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "x86_64+sse4.1"))]
fn interpolate_inside(image: &Image, start: [f64; 2], step: [f64; 2], line: &mut [[f32; 4]], first: usize) {
    let source = image.pixels();
    let stride = image.width() as usize * 3;
    for (block, line) in line.chunks_mut(BLOCK).enumerate() {
        let first = (first + block * BLOCK) as f64;
        let (mut at, mut right, mut below) = ([0_u32; BLOCK], [0.0_f32; BLOCK], [0.0_f32; BLOCK]);
        for lane in 0..BLOCK {
            let column = first + lane as f64;
            let (x, y) = (start[0] + column * step[0], start[1] + column * step[1]);
            let (left, top) = (x.floor(), y.floor());
            at[lane] = (top * stride as f64 + left * 3.0 + WHOLE).to_bits() as u32;
            right[lane] = (x - left) as f32;
            below[lane] = (y - top) as f32;
        }
        for (lane, value) in line.iter_mut().enumerate() {
            let at = at[lane] as usize;
            let upper = source.get(at..).and_then(|from| from.first_chunk::<8>());
            let lower = source.get(at.wrapping_add(stride)..).and_then(|from| from.first_chunk::<8>());
            // Always there, for what is inside.
            if let (Some(upper), Some(lower)) = (upper, lower) {
                let (upper, lower) = (u64::from_le_bytes(*upper), u64::from_le_bytes(*lower));
                *value = mixed_eight(upper, lower, right[lane], below[lane]);
            }
        }
    }
}

/// As [`mixed`], both rows at a time; each row's pixels are the lowest six bytes.
#[inline(always)]
fn mixed_eight(upper: u64, lower: u64, right: f32, below: f32) -> [f32; 4] {
    let left_half = (upper & 0xFFFF_FFFF) | (lower << 32);
    let right_half = ((upper >> 24) & 0xFFFF_FFFF) | ((lower >> 24) << 32);
    let (left_half, right_half) = (left_half.to_le_bytes(), right_half.to_le_bytes());
    let mut rows = [0.0_f32; 8];
    for ((value, left), right_pixel) in rows.iter_mut().zip(left_half).zip(right_half) {
        *value = mix(left, right_pixel, right);
    }
    let mut mixed = [0.0; 4];
    for (channel, value) in mixed.iter_mut().enumerate() {
        *value = rows[channel] + (rows[channel + 4] - rows[channel]) * below;
    }
    mixed
}

/// A line of a chip as bytes.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "x86_64+sse4.1"))]
fn rounded(line: &[[f32; 4]], row: &mut [u8]) {
    // A float of whole value below 2^23, added to this, has that value in its lowest bits: a cast that vectors have.
    let whole = (1_u32 << 23) as f32;
    for (value, pixel) in line.iter().zip(row.as_chunks_mut::<3>().0) {
        let bytes = value.map(|value| ((value + 0.5).floor().clamp(0.0, 255.0) + whole).to_bits() as u8);
        *pixel = [bytes[0], bytes[1], bytes[2]];
    }
}

/// Two pixels of one row and the two below them, by the share of the right ones and of the lower ones.
#[inline(always)]
fn mixed(upper: &[u8], lower: &[u8], [right, below]: [f32; 2]) -> [f32; 3] {
    let mut mixed = [0.0; 3];
    // Written out: a closure would not be compiled for its caller's instructions.
    for (channel, value) in mixed.iter_mut().enumerate() {
        let above = mix(upper[channel], upper[channel + 3], right);
        let beneath = mix(lower[channel], lower[channel + 3], right);
        *value = above + (beneath - above) * below;
    }
    mixed
}

#[inline(always)]
fn mix(left: u8, right: u8, share: f32) -> f32 {
    let (left, right) = (f32::from(left), f32::from(right));
    left + (right - left) * share
}
