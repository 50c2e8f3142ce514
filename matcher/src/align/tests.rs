#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;

use super::{Similarity, align};
use crate::{decode::Image, detect::FivePoints};

const TEMPLATE: FivePoints = [[47.7, 47.1], [100.3, 47.1], [74.0, 80.0], [51.2, 102.0], [98.5, 102.0]];

fn moved(points: &FivePoints, scale: f64, angle: f64, shift: [f64; 2]) -> FivePoints {
    points.map(|[x, y]| {
        let (x, y) = (f64::from(x), f64::from(y));
        let (a, b) = (scale * angle.cos(), scale * angle.sin());
        [(a * x - b * y + shift[0]) as f32, (b * x + a * y + shift[1]) as f32]
    })
}

#[test]
fn points_that_coincide_or_are_not_numbers_have_no_transform() {
    assert_eq!(Similarity::fit(&[[5.0, 5.0]; 5], &TEMPLATE), None);
    assert_eq!(Similarity::fit(&TEMPLATE, &[[5.0, 5.0]; 5]), None);
    let mut broken = TEMPLATE;
    broken[2][0] = f32::NAN;
    assert_eq!(Similarity::fit(&broken, &TEMPLATE), None);
    broken[2][0] = f32::INFINITY;
    assert_eq!(Similarity::fit(&broken, &TEMPLATE), None);
}

#[test]
fn the_eyes_come_to_lie_on_the_template() {
    // White spots at the five points of a turned and enlarged face.
    let points = moved(&TEMPLATE, 2.5, 0.4, [220.0, 60.0]);
    let mut pixels = vec![0; 700 * 700 * 3];
    for [x, y] in points {
        for dy in -6_i32..=6 {
            for dx in -6_i32..=6 {
                let (x, y) = (x.round() as i32 + dx, y.round() as i32 + dy);
                let at = ((y * 700 + x) * 3) as usize;
                pixels[at..at + 3].fill(255);
            }
        }
    }
    let image = Image::from_rgb(700, 700, pixels).unwrap();
    let chip = align(&image, &points, &TEMPLATE, 150).unwrap();
    for [x, y] in TEMPLATE {
        let at = (y.round() as usize * 150 + x.round() as usize) * 3;
        assert!(chip.pixels()[at] > 200, "no spot at {x}, {y}");
    }
    let lit = chip.pixels().iter().filter(|&&value| value > 128).count() / 3;
    assert!((60..=250).contains(&lit), "five spots of about 5 x 5 pixels, not {lit} pixels");
}

proptest! {
    #[test]
    fn known_transforms_are_recovered(
        scale in 0.05..20.0_f64, angle in -3.1..3.1_f64, x in -2_000.0..2_000.0_f64, y in -2_000.0..2_000.0_f64,
    ) {
        let there = moved(&TEMPLATE, scale, angle, [x, y]);
        let fitted = Similarity::fit(&TEMPLATE, &there).unwrap();
        prop_assert!((fitted.scale() / scale - 1.0).abs() < 1e-3);
        prop_assert!((fitted.turn() - angle).abs() < 1e-3);
        for (from, to) in TEMPLATE.iter().zip(&there) {
            let found = fitted.apply(from.map(f64::from));
            prop_assert!((found[0] - f64::from(to[0])).abs() < 0.01 && (found[1] - f64::from(to[1])).abs() < 0.01);
            let back = fitted.inverse().apply(found);
            prop_assert!((back[0] - f64::from(from[0])).abs() < 1e-6 && (back[1] - f64::from(from[1])).abs() < 1e-6);
        }
    }

    #[test]
    fn no_other_transform_fits_better(
        noise in prop::array::uniform5(prop::array::uniform2(-8.0..8.0_f32)),
        other in prop::array::uniform4(-0.3..0.3_f64),
    ) {
        let mut there = moved(&TEMPLATE, 1.7, 0.3, [40.0, 90.0]);
        for (point, noise) in there.iter_mut().flatten().zip(noise.iter().flatten()) {
            *point += noise;
        }
        let error = |transform: &Similarity| -> f64 {
            TEMPLATE.iter().zip(&there).map(|(from, to)| {
                let found = transform.apply(from.map(f64::from));
                (found[0] - f64::from(to[0])).powi(2) + (found[1] - f64::from(to[1])).powi(2)
            }).sum()
        };
        let best = Similarity::fit(&TEMPLATE, &there).unwrap();
        let shift = [best.shift[0] + other[2] * 20.0, best.shift[1] + other[3] * 20.0];
        let worse = Similarity { a: best.a + other[0], b: best.b + other[1], shift };
        prop_assert!(error(&best) <= error(&worse) + 1e-6);
    }

    #[test]
    fn no_points_panic(points in prop::array::uniform5(prop::array::uniform2(prop::num::f32::ANY))) {
        let image = Image::from_rgb(40, 40, vec![9; 4_800]).unwrap();
        if let Some(chip) = align(&image, &points, &TEMPLATE, 30) {
            prop_assert_eq!(chip.width(), 30);
        }
    }
}
