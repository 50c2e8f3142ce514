//! Each measure says what it claims to say.
use proptest::prelude::*;

use super::{Component, Image, measure, of, picture, points};
use crate::quality::pose;

#[test]
fn every_component_is_measured_once_and_in_order() {
    let measures = measure(&picture(400, 20.0, 230.0), &points(400.0, 400.0, 90.0)).unwrap();
    let components: Vec<_> = measures.iter().map(|measure| measure.component).collect();
    assert_eq!(components, Component::ALL);
    assert!(measures.iter().all(|measure| measure.native.is_finite() && measure.scalar <= 100));
    assert!(measures.iter().all(|measure| measure.unit == measure.component.unit()));
}

#[test]
fn eyes_further_apart_are_worth_more() {
    let image = picture(1_000, 20.0, 230.0);
    let scalars: Vec<_> = [5.0, 12.0, 25.0, 50.0, 100.0, 300.0]
        .into_iter()
        .map(|apart| {
            of(&measure(&image, &points(1_000.0, 1_000.0, apart)).unwrap(), Component::InterEyeDistance)
        })
        .collect();
    assert!(scalars.is_sorted_by(|a, b| a.scalar < b.scalar), "{scalars:?}");
    assert!((scalars[3].native - 50.0).abs() < 0.01);
    assert_eq!(scalars[5].scalar, 100);
}

#[test]
fn room_around_the_face_is_counted_per_side() {
    let image = picture(400, 20.0, 230.0);
    let mut five = points(400.0, 400.0, 80.0);
    for point in &mut five {
        point[0] -= 150.0;
    }
    let measures = measure(&image, &five).unwrap();
    assert!((of(&measures, Component::LeftwardCrop).native - 50.0 / 80.0).abs() < 1e-4);
    assert!((of(&measures, Component::RightwardCrop).native - 350.0 / 80.0).abs() < 1e-4);
    assert!(of(&measures, Component::LeftwardCrop).scalar < 20);
    assert_eq!(of(&measures, Component::RightwardCrop).scalar, 100);
}

#[test]
fn blur_costs_sharpness() {
    let sharp = picture(300, 20.0, 230.0);
    let five = points(300.0, 300.0, 75.0);
    let mut ratios = Vec::new();
    for smaller in [300, 60, 30, 15] {
        // Shrunk and enlarged again: the fine detail is gone.
        let blurred = sharp.resampled([smaller, smaller]).resampled([300, 300]);
        ratios.push(of(&measure(&blurred, &five).unwrap(), Component::Sharpness).native);
    }
    assert!(ratios.is_sorted_by(|a, b| a > b), "{ratios:?}");
    assert!(ratios[3] < ratios[0] / 2.0, "{ratios:?}");
}

#[test]
fn light_is_seen() {
    let five = points(300.0, 300.0, 75.0);
    let scalar =
        |low, high, component| of(&measure(&picture(300, low, high), &five).unwrap(), component).scalar;
    assert!(scalar(40.0, 220.0, Component::LuminanceMean) > 90);
    assert!(scalar(0.0, 30.0, Component::LuminanceMean) < 30);
    assert!(scalar(230.0, 255.0, Component::LuminanceMean) < 30);
    assert!(scalar(0.0, 30.0, Component::UnderExposurePrevention) < 10);
    assert!(scalar(40.0, 220.0, Component::UnderExposurePrevention) > 95);
    assert!(scalar(248.0, 255.0, Component::OverExposurePrevention) < 10);
    assert!(scalar(40.0, 220.0, Component::OverExposurePrevention) > 95);
    assert!(scalar(100.0, 104.0, Component::DynamicRange) < 30);
    assert!(scalar(20.0, 230.0, Component::DynamicRange) > 80);
    assert!(scalar(100.0, 104.0, Component::LuminanceVariance) < 10);
}

#[test]
fn an_image_of_one_tone_has_finite_measures() {
    for tone in [0, 128, 255] {
        let image = Image::from_rgb(100, 100, vec![tone; 30_000]).unwrap();
        let measures = measure(&image, &points(100.0, 100.0, 30.0)).unwrap();
        assert!(measures.iter().all(|measure| measure.native.is_finite()), "{tone}");
        assert_eq!(of(&measures, Component::DynamicRange).native, 0.0);
        assert_eq!(of(&measures, Component::Sharpness).native, 0.0);
    }
}

#[test]
fn points_that_coincide_have_no_measures() {
    assert!(measure(&picture(100, 0.0, 255.0), &[[50.0; 2]; 5]).is_none());
}

/// The generic head turned and photographed from afar.
fn photographed(yaw: f64, pitch: f64, roll: f64, scale: f64) -> [[f32; 2]; 5] {
    let [(sy, cy), (sp, cp), (sr, cr)] = [yaw, pitch, roll].map(|angle| angle.to_radians().sin_cos());
    pose::HEAD.map(|[x, y, z]| {
        let (y, z) = (cp * y + sp * z, cp * z - sp * y);
        let (x, z) = (cy * x + sy * z, cy * z - sy * x);
        let _ = z;
        let (x, y) = (cr * x - sr * y, sr * x + cr * y);
        [(x * scale + 300.0) as f32, (y * scale + 300.0) as f32]
    })
}

#[test]
fn signs_of_the_pose_are_as_documented() {
    // The nose moves right for yaw, down for pitch.
    assert!(photographed(30.0, 0.0, 0.0, 1.0)[2][0] > photographed(0.0, 0.0, 0.0, 1.0)[2][0]);
    assert!(photographed(0.0, 30.0, 0.0, 1.0)[2][1] > photographed(0.0, 0.0, 0.0, 1.0)[2][1]);
    // Rolled clockwise, the eye on the image's right is the lower one.
    let rolled = photographed(0.0, 0.0, 30.0, 1.0);
    assert!(rolled[1][1] > rolled[0][1]);
}

proptest! {
    #[test]
    fn known_poses_are_recovered(
        yaw in -60.0..60.0_f64, pitch in -50.0..50.0_f64, roll in -170.0..170.0_f64, scale in 0.2..20.0_f64,
    ) {
        let found = pose::estimate(&photographed(yaw, pitch, roll, scale)).unwrap();
        prop_assert!((found.yaw - yaw).abs() < 0.1, "yaw {} of {yaw}", found.yaw);
        prop_assert!((found.pitch - pitch).abs() < 0.1, "pitch {} of {pitch}", found.pitch);
        prop_assert!((found.roll - roll).abs() < 0.1, "roll {} of {roll}", found.roll);
    }

    #[test]
    fn any_points_give_finite_measures_or_none(
        five in prop::array::uniform5(prop::array::uniform2(-500.0..500.0_f32)),
    ) {
        let image = Image::from_rgb(60, 60, vec![77; 10_800]).unwrap();
        if let Some(measures) = measure(&image, &five) {
            prop_assert!(measures.iter().all(|measure| measure.native.is_finite() && measure.scalar <= 100));
        }
    }
}
