//! A turned, scaled and shifted square part of an image.
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
        let mut chip = Self::black(size, size);
        for (pixel, value) in chip.pixels_mut().chunks_exact_mut(3).zip(self.sampled_unrounded(grid, size)) {
            // A weighted mean of bytes is a byte; the cast saturates all the same.
            pixel.copy_from_slice(&value.map(|value| (value + 0.5) as u8));
        }
        chip
    }

    /// The chip's pixels, row by row, 0 to 255, before they are rounded to bytes.
    pub(crate) fn sampled_unrounded(&self, grid: &Grid, size: u32) -> Vec<[f32; 3]> {
        let [x, y] = grid.step;
        let plain = Stepper { origin: grid.origin, column: [x, y], row: [-y, x] };
        let per_pixel = x.hypot(y);
        if per_pixel < SHRINKS_FROM {
            return self.interpolated(&plain, size);
        }
        let Some(region) = self.covered(grid, size, per_pixel) else {
            return vec![[0.0; 3]; size as usize * size as usize];
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
        shrunk.interpolated(&stepper, size)
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

    fn interpolated(&self, stepper: &Stepper, size: u32) -> Vec<[f32; 3]> {
        let size = size as usize;
        let mut values = vec![[0.0; 3]; size * size];
        for (row, line) in values.chunks_exact_mut(size.max(1)).enumerate() {
            let start = [0, 1].map(|axis| stepper.origin[axis] + row as f64 * stepper.row[axis]);
            interpolate(self, start, stepper.column, line);
        }
        values
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

/// One line of a chip. Compiled for several generations of processors: rounding down, once per pixel and axis, is a call
/// on the oldest of them. All give the same numbers.
#[multiversion::multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
fn interpolate(image: &Image, start: [f64; 2], step: [f64; 2], line: &mut [[f32; 3]]) {
    for (column, value) in line.iter_mut().enumerate() {
        *value = image.at([start[0] + column as f64 * step[0], start[1] + column as f64 * step[1]]);
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
