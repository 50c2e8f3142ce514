//! The image at a scale: shrunk or enlarged to fit, at the top left, the rest black, as the networks were trained.
use super::{BoundingBox, Found, Normalise};
use crate::{decode::Image, runtime::Tensor, spare};

/// Detectors halve their input five times.
const STEP: u32 = 32;

/// Where the image lies in a network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Letterbox {
    /// Columns of the input, padding included.
    pub(super) columns: usize,
    /// Rows of the input, padding included.
    pub(super) rows: usize,
    /// Image pixels per input pixel, across and down. They differ by rounding to whole pixels only.
    per_pixel: [f32; 2],
}

impl Letterbox {
    #[cfg(test)]
    pub(super) fn plain(columns: usize, rows: usize) -> Self {
        Self { columns, rows, per_pixel: [1.0, 1.0] }
    }

    pub(super) fn to_image(self, found: Found) -> Found {
        let [across, down] = self.per_pixel;
        let area = BoundingBox {
            left: found.area.left * across,
            top: found.area.top * down,
            width: found.area.width * across,
            height: found.area.height * down,
        };
        Found {
            area,
            points: found.points.map(|points| points.map(|[x, y]| [x * across, y * down])),
            ..found
        }
    }
}

/// The image, and the image at the largest scale that shrinks it: smaller scales are made of the latter, so that a
/// large photograph is read once.
pub(super) struct Pyramid<'a> {
    original: &'a Image,
    base: Option<Image>,
}

impl<'a> Pyramid<'a> {
    pub(super) fn new(original: &'a Image, scales: &[u32]) -> Self {
        let longest = original.width().max(original.height());
        let base = scales
            .iter()
            .copied()
            .max()
            .filter(|&scale| scale < longest)
            .map(|scale| original.resampled(fitting(original, scale)));
        Self { original, base }
    }

    /// The input tensor of shape 1, 3, rows, columns: a square of side `scale`, or when `free`, as little more than
    /// the image as the network's step allows.
    pub(super) fn letterbox(&self, scale: u32, free: bool, normalise: &Normalise) -> (Tensor, Letterbox) {
        let [width, height] = fitting(self.original, scale);
        let source = self.base.as_ref().unwrap_or(self.original);
        let scaled =
            (source.width() != width || source.height() != height).then(|| source.resampled([width, height]));
        let scaled = scaled.as_ref().unwrap_or(source);

        let padded = |side: u32| if free { side.next_multiple_of(STEP) } else { scale } as usize;
        let (columns, rows) = (padded(width), padded(height));
        let mut values = spare::floats(3 * columns * rows);
        normalise.fill(scaled, &mut values, columns, rows);
        let per_pixel = [
            self.original.width() as f32 / scaled.width() as f32,
            self.original.height() as f32 / scaled.height() as f32,
        ];
        (Tensor::images(1, rows, columns, values), Letterbox { columns, rows, per_pixel })
    }
}

/// Width and height with the longer side at `scale`; never 0.
fn fitting(image: &Image, scale: u32) -> [u32; 2] {
    let longest = u64::from(image.width().max(image.height()).max(1));
    let side = |side: u32| {
        let rounded = (u64::from(side) * u64::from(scale) + longest / 2) / longest;
        u32::try_from(rounded).unwrap_or(scale).clamp(1, scale)
    };
    [side(image.width()), side(image.height())]
}
