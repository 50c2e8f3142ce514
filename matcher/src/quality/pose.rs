//! Which way the head is turned, estimated from five points.
//!
//! A generic head is fitted by weak perspective (pose from orthography and scaling, DeMenthon and Davis 1995): the
//! 2x3 matrix that takes the head's points to the image's with least squared error; its rows, made orthogonal, are
//! the first two rows of the rotation. An estimate: the head is nobody's in particular.
use super::{Component, Measure, mapping::scalar};
use crate::detect::FivePoints;

/// A generic adult head in millimetres: x to the image's right, y down, z towards the camera; the five points in their
/// usual order.
pub(super) const HEAD: [[f64; 3]; 5] =
    [[-32.0, -34.0, -26.0], [32.0, -34.0, -26.0], [0.0, 8.0, 4.0], [-25.0, 38.0, -20.0], [25.0, 38.0, -20.0]];

/// Degrees; yaw above 0 turns the face to the image's right, pitch above 0 looks down, roll above 0 tilts clockwise as
/// seen on the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    pub(super) yaw: f64,
    pub(super) pitch: f64,
    pub(super) roll: f64,
}

pub(super) fn measure(five: &FivePoints, measures: &mut Vec<Measure>) {
    let pose = estimate(five);
    for (component, angle) in [
        (Component::HeadPoseYaw, pose.map(|pose| pose.yaw)),
        (Component::HeadPosePitch, pose.map(|pose| pose.pitch)),
        (Component::HeadPoseRoll, pose.map(|pose| pose.roll)),
    ] {
        // Points that fit no head are as bad as a profile.
        let angle = angle.unwrap_or(90.0);
        let cosine = angle.to_radians().cos().max(0.0);
        measures.push(Measure::new(component, angle, scalar(100.0 * cosine * cosine)));
    }
}

/// The pose, or nothing when the points fit no head.
pub(super) fn estimate(five: &FivePoints) -> Option<Pose> {
    let head = centred(&HEAD);
    let points = centred(&five.map(|point| point.map(f64::from)));
    let inverse = inverted(&gram(&head))?;
    let row = |axis: usize| -> [f64; 3] {
        let mut projected = [0.0; 3];
        for (point, at) in points.iter().zip(&head) {
            for (sum, value) in projected.iter_mut().zip(at) {
                *sum += point[axis] * value;
            }
        }
        inverse.map(|line| dot(line, projected))
    };
    let (across, down) = (row(0), row(1));
    let (across_length, down_length) = (dot(across, across).sqrt(), dot(down, down).sqrt());
    if !(across_length > 0.0 && down_length > 0.0 && (across_length * down_length).is_finite()) {
        return None;
    }
    let (across, down) =
        orthogonal(across.map(|value| value / across_length), down.map(|value| value / down_length))?;
    let towards = cross(across, down);
    // R = Rz(roll) Ry(yaw) Rx(pitch), its rows being `across`, `down`, `towards`.
    Some(Pose {
        yaw: (-towards[0]).clamp(-1.0, 1.0).asin().to_degrees(),
        pitch: (-towards[1]).atan2(towards[2]).to_degrees(),
        roll: down[0].atan2(across[0]).to_degrees(),
    })
}

/// Two unit vectors, moved by equal parts until they stand at right angles.
fn orthogonal(a: [f64; 3], b: [f64; 3]) -> Option<([f64; 3], [f64; 3])> {
    let unit = |vector: [f64; 3]| {
        let length = dot(vector, vector).sqrt();
        (length > 1e-9).then(|| vector.map(|value| value / length))
    };
    let sum = unit([0, 1, 2].map(|axis| a[axis] + b[axis]))?;
    let difference = unit([0, 1, 2].map(|axis| a[axis] - b[axis]))?;
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let mixed = |sign: f64| [0, 1, 2].map(|axis| half * (sum[axis] + sign * difference[axis]));
    Some((mixed(1.0), mixed(-1.0)))
}

fn centred<const N: usize>(points: &[[f64; N]; 5]) -> [[f64; N]; 5] {
    let mut centre = [0.0; N];
    for point in points {
        for (sum, value) in centre.iter_mut().zip(point) {
            *sum += value / 5.0;
        }
    }
    points.map(|mut point| {
        for (value, centre) in point.iter_mut().zip(&centre) {
            *value -= centre;
        }
        point
    })
}

/// Sum of the outer products of the points with themselves.
fn gram(points: &[[f64; 3]; 5]) -> [[f64; 3]; 3] {
    [0, 1, 2]
        .map(|row: usize| [0, 1, 2].map(|column: usize| points.iter().map(|at| at[row] * at[column]).sum()))
}

/// The inverse of a symmetric 3x3 matrix.
fn inverted(m: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let columns = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    let determinant = dot(m[0], columns[0]);
    // Symmetric, so that rows and columns of the inverse are the same.
    (determinant.abs() > 1e-9).then(|| columns.map(|column| column.map(|value| value / determinant)))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
