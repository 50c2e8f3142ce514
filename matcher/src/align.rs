//! Align: the face upright, in one place and one size, as the embedder was trained to see it.
#[cfg(test)]
mod tests;

use crate::{
    decode::{Grid, Image},
    detect::FivePoints,
};

/// A similarity transform of the plane: turn, scale and shift; no mirror, no stretch.
///
/// `x' = a x - b y + shift_x`, `y' = b x + a y + shift_y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    a: f64,
    b: f64,
    shift: [f64; 2],
}

impl Similarity {
    /// The transform that brings `from` onto `to` with the least sum of squared distances (Umeyama 1991; in the plane,
    /// with the mirror excluded, it has this closed form). Nothing when all points of `from` coincide, a point is not
    /// finite, or the best transform would shrink everything to a point.
    #[must_use]
    pub fn fit(from: &FivePoints, to: &FivePoints) -> Option<Self> {
        let centre = |points: &FivePoints| {
            let sum = points
                .iter()
                .fold([0.0; 2], |sum, point| [sum[0] + f64::from(point[0]), sum[1] + f64::from(point[1])]);
            sum.map(|value| value / points.len() as f64)
        };
        let (from_centre, to_centre) = (centre(from), centre(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (from, to) in from.iter().zip(to) {
            let [x, y] = [0, 1].map(|axis| f64::from(from[axis]) - from_centre[axis]);
            let [u, v] = [0, 1].map(|axis| f64::from(to[axis]) - to_centre[axis]);
            along += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        let (a, b) = (along / spread, across / spread);
        let shift = [
            to_centre[0] - a * from_centre[0] + b * from_centre[1],
            to_centre[1] - b * from_centre[0] - a * from_centre[1],
        ];
        let usable = [a, b, shift[0], shift[1]].iter().all(|value| value.is_finite()) && a.hypot(b) > 1e-9;
        usable.then_some(Self { a, b, shift })
    }

    /// Where a point goes.
    #[must_use]
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.shift[0], self.b * x + self.a * y + self.shift[1]]
    }

    /// How much longer everything becomes. Above 0.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// The turn in radians, clockwise as seen on an image, from minus pi to pi.
    #[must_use]
    pub fn turn(&self) -> f64 {
        self.b.atan2(self.a)
    }

    /// The transform back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        // INVARIANT: the scale is above 0, which `fit` has checked.
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        let [x, y] = self.shift;
        Self { a, b, shift: [-(a * x - b * y), -(b * x + a * y)] }
    }
}

/// The face as a square chip of side `size`, its five points brought onto those of `template` (pixels of the chip).
/// What lies outside the image is black. Nothing when the points cannot be aligned.
#[must_use]
pub fn align(image: &Image, points: &FivePoints, template: &FivePoints, size: u32) -> Option<Image> {
    let back = Similarity::fit(points, template)?.inverse();
    let origin = back.apply([0.0, 0.0]);
    Some(image.sampled(&Grid { origin, step: [back.a, back.b] }, size))
}
