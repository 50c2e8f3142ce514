//! Pixels to numbers, as a network was trained to read them.
use likeness_models::Colour;

use crate::decode::Image;

/// `(pixel - mean) / divide` per channel, in the channel order of the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Normalise {
    /// Which byte of an RGB pixel each plane takes.
    order: [usize; 3],
    scale: f32,
    offset: [f32; 3],
}

impl Normalise {
    pub(crate) fn new(colour: Colour, mean: [f32; 3], divide: f32) -> Self {
        let order = match colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
        };
        Self { order, scale: 1.0 / divide, offset: mean.map(|mean| -mean / divide) }
    }

    /// Writes the image into the top left corner of `planes`: 3 planes of `rows` x `columns`; the rest becomes what
    /// black becomes. The image must fit.
    pub(crate) fn fill(&self, image: &Image, planes: &mut [f32], columns: usize, rows: usize) {
        let (width, height) = (image.width() as usize, image.height() as usize);
        for ((plane, &byte), &offset) in
            planes.chunks_exact_mut(columns * rows).zip(&self.order).zip(&self.offset)
        {
            let (filled, below) = plane.split_at_mut((height * columns).min(columns * rows));
            for (to, from) in filled.chunks_exact_mut(columns).zip(image.pixels().chunks_exact(width * 3)) {
                let (inside, right) = to.split_at_mut(width.min(columns));
                for (value, pixel) in inside.iter_mut().zip(from.chunks_exact(3)) {
                    *value = f32::from(pixel[byte]) * self.scale + offset;
                }
                right.fill(offset);
            }
            below.fill(offset);
        }
    }

    /// The image alone, 3 planes of its own size, appended to `values`; mirrored left to right when asked.
    pub(crate) fn append(&self, image: &Image, mirrored: bool, values: &mut Vec<f32>) {
        let width = image.width() as usize;
        for (&byte, &offset) in self.order.iter().zip(&self.offset) {
            for row in image.pixels().chunks_exact(width * 3) {
                let value = |pixel: &[u8]| f32::from(pixel[byte]) * self.scale + offset;
                if mirrored {
                    values.extend(row.chunks_exact(3).rev().map(value));
                } else {
                    values.extend(row.chunks_exact(3).map(value));
                }
            }
        }
    }

    /// Pixels that are not bytes, as 3 planes.
    pub(crate) fn planes(&self, pixels: &[[f32; 3]]) -> Vec<f32> {
        let mut values = Vec::with_capacity(pixels.len() * 3);
        for (&channel, &offset) in self.order.iter().zip(&self.offset) {
            values.extend(pixels.iter().map(|pixel| pixel[channel] * self.scale + offset));
        }
        values
    }
}
