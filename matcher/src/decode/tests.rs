#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod formats;
mod hostile;
mod sampling;

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};

use super::{Image, Limits, MediaType, decode};

/// An image whose four quadrants are red, green, blue and grey: no turn or mirror of it looks like another.
fn quadrants(width: u32, height: u32) -> image::RgbImage {
    image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => [255, 0, 0],
            (false, true) => [0, 255, 0],
            (true, false) => [0, 0, 255],
            (false, false) => [127, 127, 127],
        })
    })
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("the test image is encoded");
    bytes.into_inner()
}

fn pixel(image: &Image, x: u32, y: u32) -> [u8; 3] {
    let at = (y * image.width() + x) as usize * 3;
    image.pixels()[at..at + 3].try_into().unwrap()
}

fn close(found: [u8; 3], expected: [u8; 3], tolerance: u8) -> bool {
    found.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) <= tolerance)
}

/// The colours in the middle of the four quadrants: top left, top right, bottom left, bottom right.
fn corners(image: &Image) -> [[u8; 3]; 4] {
    let (w, h) = (image.width(), image.height());
    [(w / 4, h / 4), (w * 3 / 4, h / 4), (w / 4, h * 3 / 4), (w * 3 / 4, h * 3 / 4)]
        .map(|(x, y)| pixel(image, x, y))
}
