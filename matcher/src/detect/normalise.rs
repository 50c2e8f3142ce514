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

    /// Writes the image into the top left corner of `planes`: 3 planes of `rows` x `columns`, all of which are written;
    /// the rest becomes what black becomes. The image must fit.
    pub(crate) fn fill(&self, image: &Image, planes: &mut [f32], columns: usize, rows: usize) {
        let width = (image.width() as usize).min(columns);
        let stride = image.width() as usize * 3;
        let mut of_channel = [0, 1, 2];
        for (plane, &channel) in self.order.iter().enumerate() {
            of_channel[channel] = plane;
        }
        let mut planes: Vec<&mut [f32]> = planes.chunks_exact_mut((columns * rows).max(1)).take(3).collect();
        let Ok(planes) = <&mut [&mut [f32]; 3]>::try_from(planes.as_mut_slice()) else { return };
        let mut below = 0;
        for (row, from) in image.pixels().chunks_exact(stride.max(1)).take(rows).enumerate() {
            let line = row * columns..row * columns + width;
            let [red, green, blue] = of_channel;
            if let Ok([red, green, blue]) = planes.get_disjoint_mut([red, green, blue]) {
                let to = [&mut red[line.clone()], &mut green[line.clone()], &mut blue[line.clone()]];
                spread(from, to, self.scale, of_channel.map(|plane| self.offset[plane]));
            }
            for (plane, &offset) in planes.iter_mut().zip(&self.offset) {
                plane[line.end..(row + 1) * columns].fill(offset);
            }
            below = (row + 1) * columns;
        }
        for (plane, &offset) in planes.iter_mut().zip(&self.offset) {
            plane[below..].fill(offset);
        }
    }

    /// The image alone, 3 planes of its own size, mirrored left to right.
    pub(crate) fn fill_mirrored(&self, image: &Image, planes: &mut [f32]) {
        let (columns, rows) = (image.width() as usize, image.height() as usize);
        self.fill(image, planes, columns, rows);
        planes.chunks_exact_mut(columns.max(1)).for_each(<[f32]>::reverse);
    }

    /// Writes a line of pixels that are not bytes (red, green, blue, and a value of no meaning) as row `row` of `planes`:
    /// 3 square planes of this side.
    pub(crate) fn fill_row(&self, line: &[[f32; 4]], planes: &mut [f32], side: usize, row: usize) {
        for (plane, (&channel, &offset)) in self.order.iter().zip(&self.offset).enumerate() {
            let start = (plane * side + row) * side;
            for (value, pixel) in planes[start..start + side].iter_mut().zip(line) {
                *value = pixel[channel] * self.scale + offset;
            }
        }
    }
}

/// Red, green, blue of each pixel into a line of each plane: `value * scale + offset`. Compiled for the instructions of
/// several generations of processors, of which the one at hand is chosen; all give the same numbers.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn spread(pixels: &[u8], planes: [&mut [f32]; 3], scale: f32, offset: [f32; 3]) {
    let [red, green, blue] = planes;
    let (pixels, _) = pixels.as_chunks::<3>();
    for (((pixel, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
        *red = f32::from(pixel[0]) * scale + offset[0];
        *green = f32::from(pixel[1]) * scale + offset[1];
        *blue = f32::from(pixel[2]) * scale + offset[2];
    }
}
