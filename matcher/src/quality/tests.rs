#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod measures;
mod policies;

use super::{Component, Measure, QualityLimit, QualityPolicy, QualityReport, judge, measure};
use crate::{decode::Image, detect::FivePoints};

/// Points of an upright face with eyes `apart` pixels apart, around the middle of an image of this size.
fn points(width: f32, height: f32, apart: f32) -> FivePoints {
    let (x, y) = (width / 2.0, height / 2.0 - apart * 0.2);
    let at = |dx: f32, dy: f32| [x + dx * apart, y + dy * apart];
    [at(-0.5, 0.0), at(0.5, 0.0), at(0.0, 0.62), at(-0.39, 1.12), at(0.39, 1.12)]
}

/// A picture with detail at many sizes, brightness between `low` and `high`.
fn picture(side: u32, low: f32, high: f32) -> Image {
    let mut pixels = Vec::new();
    for y in 0..side {
        for x in 0..side {
            let (x, y) = (x as f32, y as f32);
            let wave = ((x / 1.6).sin() + (y / 4.3).sin() + (x / 17.0 + y / 11.0).sin() + (x / 60.0).cos())
                / 8.0
                + 0.5;
            pixels.extend([(low + (high - low) * wave) as u8; 3]);
        }
    }
    Image::from_rgb(side, side, pixels).unwrap()
}

fn of(measures: &[Measure], component: Component) -> Measure {
    *measures.iter().find(|measure| measure.component == component).unwrap()
}
