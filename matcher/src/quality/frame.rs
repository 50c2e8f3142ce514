//! How large the face is, and how much room is around it.
use super::{
    Component, Measure,
    mapping::{rising, scalar, sigmoid},
};
use crate::{decode::Image, detect::FivePoints};

/// Eye line to chin, in distances from the eye line to the mouth line, for an upright adult face. Five points have no
/// chin.
const CHIN: f64 = 1.65;
/// Inter-eye distance mapped to about one half, and how fast it rises, in pixels. The curve is anchored at 0 for
/// eyes that touch.
const EYES_MIDDLE: f64 = 50.0;
const EYES_WIDTH: f64 = 15.0;

pub(super) fn measure(image: &Image, five: &FivePoints, measures: &mut Vec<Measure>) {
    let [left_eye, right_eye, _, left_mouth, right_mouth] = five.map(|point| point.map(f64::from));
    let middle = |a: [f64; 2], b: [f64; 2]| [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])];
    let distance = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let eyes = middle(left_eye, right_eye);
    let apart = distance(left_eye, right_eye);
    let chin = distance(eyes, middle(left_mouth, right_mouth)) * CHIN;

    let none = sigmoid(0.0, EYES_MIDDLE, EYES_WIDTH);
    let anchored = 100.0 * (sigmoid(apart, EYES_MIDDLE, EYES_WIDTH) - none) / (1.0 - none);
    measures.push(Measure::new(Component::InterEyeDistance, apart, scalar(anchored)));

    // Too small and too large are both worse than about half; the tail is long, because a cropped face embeds well.
    let head = chin / height;
    let off = (head - 0.45).abs();
    measures.push(Measure::new(Component::HeadSize, head, scalar(200.0 * (1.0 - sigmoid(off, 0.0, 0.1)))));

    for (component, room, middle) in [
        (Component::LeftwardCrop, eyes[0] / apart, 0.9),
        (Component::RightwardCrop, (width - eyes[0]) / apart, 0.9),
        (Component::MarginAbove, eyes[1] / chin, 1.4),
        (Component::MarginBelow, (height - eyes[1]) / chin, 1.8),
    ] {
        measures.push(Measure::new(component, room, rising(room, middle, 0.1)));
    }
}
