//! Shrinking and sampling keep what is there and invent nothing.
use proptest::prelude::*;

use super::{Image, pixel, quadrants};
use crate::decode::Grid;

fn from(image: image::RgbImage) -> Image {
    let (width, height) = image.dimensions();
    Image::from_rgb(width, height, image.into_raw()).unwrap()
}

fn plain(left: f64, top: f64, per_pixel: f64) -> Grid {
    Grid { origin: [left, top], step: [per_pixel, 0.0] }
}

#[test]
fn an_image_needs_as_many_bytes_as_it_has_pixels() {
    assert!(Image::from_rgb(2, 2, vec![0; 12]).is_some());
    assert!(Image::from_rgb(2, 2, vec![0; 11]).is_none());
    assert!(Image::from_rgb(u32::MAX, u32::MAX, vec![]).is_none());
}

#[test]
fn debug_output_shows_no_pixels() {
    let shown = format!("{:?}", Image::from_rgb(2, 1, vec![201; 6]).unwrap());
    assert!(!shown.contains("201"), "{shown}");
}

#[test]
fn the_plain_grid_copies() {
    let image = from(quadrants(40, 40));
    assert_eq!(image.sampled(&plain(0.0, 0.0, 1.0), 40), image);
    let part = image.sampled(&plain(10.0, 10.0, 1.0), 20);
    assert_eq!(pixel(&part, 0, 0), pixel(&image, 10, 10));
    assert_eq!(pixel(&part, 19, 19), pixel(&image, 29, 29));
}

#[test]
fn a_quarter_turn_turns() {
    let image = from(quadrants(40, 40));
    // Down the chip is leftwards in the image.
    let turned = image.sampled(&Grid { origin: [39.0, 0.0], step: [0.0, 1.0] }, 40);
    assert_eq!(pixel(&turned, 0, 0), pixel(&image, 39, 0));
    assert_eq!(pixel(&turned, 39, 0), pixel(&image, 39, 39));
    assert_eq!(pixel(&turned, 0, 39), pixel(&image, 0, 0));
}

#[test]
fn outside_is_black() {
    let white = Image::from_rgb(32, 32, vec![255; 32 * 32 * 3]).unwrap();
    for per_pixel in [0.5, 1.0, 1.4, 1.6, 3.0] {
        let chip = white.sampled(&plain(-16.0 * per_pixel, -16.0 * per_pixel, per_pixel), 64);
        assert_eq!(pixel(&chip, 0, 0), [0; 3], "{per_pixel}");
        assert_eq!(pixel(&chip, 18, 18), [255; 3], "{per_pixel}");
        let away = white.sampled(&plain(1e9, 1e9, per_pixel), 8);
        assert!(away.pixels().iter().all(|&value| value == 0), "{per_pixel}");
    }
}

#[test]
fn fine_patterns_shrink_to_their_mean() {
    let board = from(image::RgbImage::from_fn(512, 512, |x, y| {
        image::Rgb([if (x + y) % 2 == 0 { 255 } else { 0 }; 3])
    }));
    for per_pixel in [2.0, 3.7, 8.0] {
        let chip = board.sampled(&plain(20.0, 20.0, per_pixel), 50);
        let off = chip.pixels().iter().map(|&value| value.abs_diff(128)).max().unwrap();
        assert!(off <= 20, "at {per_pixel} pixels per pixel a value is off by {off}");
    }
    let small = board.resampled([64, 64]);
    assert!(small.pixels().iter().all(|&value| value.abs_diff(128) <= 8));
}

#[test]
fn shrinking_keeps_places() {
    // One white spot: its centre of mass must lie where the grid says.
    let spot = from(image::RgbImage::from_fn(400, 400, |x, y| {
        image::Rgb([if (196..=204).contains(&x) && (96..=104).contains(&y) { 255 } else { 0 }; 3])
    }));
    for per_pixel in [1.0, 2.0, 3.3, 5.0] {
        let side = (400.0 / per_pixel) as u32;
        let chip = spot.sampled(&plain(0.0, 0.0, per_pixel), side);
        let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
        for (at, value) in chip.pixels().chunks_exact(3).enumerate() {
            let value = f64::from(value[0]);
            mass += value;
            x += value * (at % side as usize) as f64;
            y += value * (at / side as usize) as f64;
        }
        let (x, y) = (x / mass * per_pixel, y / mass * per_pixel);
        assert!((x - 200.0).abs() < 0.6 && (y - 100.0).abs() < 0.6, "at {per_pixel}: {x}, {y}");
    }
}

/// The definition: the mean of the four pixels around a place, weighted by how near they are; black outside.
fn weighted(image: &Image, [x, y]: [f64; 2]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for (column, row) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let (column, row) = (x.floor() + column, y.floor() + row);
        let inside = (0.0..f64::from(image.width())).contains(&column)
            && (0.0..f64::from(image.height())).contains(&row);
        if inside {
            let weight = (1.0 - (x - column).abs()) * (1.0 - (y - row).abs());
            let pixel = pixel(image, column as u32, row as u32);
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += weight * f64::from(value);
            }
        }
    }
    sum
}

proptest! {
    #[test]
    fn each_place_is_the_mean_of_the_pixels_around_it(
        seed: u64, width in 1..90_u32, height in 1..90_u32, left in -40.0..60.0_f64, top in -40.0..60.0_f64,
        angle in prop::sample::select(vec![0.0, 0.3, 1.0, std::f64::consts::FRAC_PI_2, 2.5, std::f64::consts::PI, 4.0]),
        per_pixel in 0.2..1.5_f64,
    ) {
        let noise = (0..u64::from(width * height * 3))
            .map(|at| ((seed ^ at.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD134_2543_DE82_EF95) >> 56) as u8);
        let image = Image::from_rgb(width, height, noise.collect()).unwrap();
        let grid = Grid { origin: [left, top], step: [per_pixel * angle.cos(), per_pixel * angle.sin()] };
        let chip = image.sampled(&grid, 37);
        for (row, column) in (0..37).flat_map(|row| (0..37).map(move |column| (row, column))) {
            let [x, y] = grid.step;
            let (down, across) = (f64::from(row), f64::from(column));
            let expected = weighted(&image, [left + across * x - down * y, top + across * y + down * x]);
            for (found, expected) in pixel(&chip, column, row).into_iter().zip(expected) {
                prop_assert!((f64::from(found) - expected).abs() <= 0.51, "{found}, not {expected}, at {column}, {row}");
            }
        }
    }

    #[test]
    fn one_colour_stays_one_colour(
        value in any::<u8>(), angle in 0.0..6.2_f64, per_pixel in 0.1..6.0_f64,
    ) {
        let image = Image::from_rgb(400, 400, vec![value; 400 * 400 * 3]).unwrap();
        let step = [per_pixel * angle.cos(), per_pixel * angle.sin()];
        // Centred, so that the chip's 32 pixels stay inside for every turn.
        let origin = [200.0 - 16.0 * (step[0] - step[1]), 200.0 - 16.0 * (step[1] + step[0])];
        let chip = image.sampled(&Grid { origin, step }, 32);
        prop_assert!(chip.pixels().iter().all(|&found| found.abs_diff(value) <= 1));
    }

    #[test]
    fn no_grid_panics(x in prop::num::f64::ANY, y in prop::num::f64::ANY, a in prop::num::f64::ANY, b in prop::num::f64::ANY) {
        let image = from(quadrants(33, 35));
        prop_assert_eq!(image.sampled(&Grid { origin: [x, y], step: [a, b] }, 9).width(), 9);
    }
}
