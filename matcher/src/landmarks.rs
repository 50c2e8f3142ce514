//! Landmarks: where the eyes, the nose and the mouth are.
//!
//! A pack with a landmark network locates 68 points in a square crop around the face, and aligns by five made of
//! them. A pack without takes the detector's own five points.
use std::sync::Arc;

use likeness_models::{LANDMARK_VALUES, Landmarks as LandmarksManifest};

use crate::{
    decode::{Grid, Image},
    detect::{BoundingBox, Detection, FivePoints, Normalise},
    fault::{Fault, Network},
    runtime::{Inference, Tensor},
    spare,
};

/// Eyes closer than this many pixels are no eyes that anything could be aligned by.
const CLOSEST_EYES: f32 = 2.0;

/// The points of one face, in pixels of the upright image; whole numbers are pixel centres.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// The five points to align by.
    pub five: FivePoints,
    /// All 68, in the usual order, when the pack has a network for them; empty otherwise.
    pub all: Vec<[f32; 2]>,
}

impl Points {
    /// True when the points can be those of a face: finite, eyes apart, and the mouth not on the eyes.
    #[must_use]
    pub fn are_usable(&self) -> bool {
        let [left_eye, right_eye, _, left_mouth, right_mouth] = self.five;
        let apart = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) >= CLOSEST_EYES;
        self.five.iter().flatten().all(|value| value.is_finite())
            && apart(left_eye, right_eye)
            && apart(middle(left_eye, right_eye), middle(left_mouth, right_mouth))
    }
}

fn middle(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [f32::midpoint(a[0], b[0]), f32::midpoint(a[1], b[1])]
}

/// Locates the points of a face.
pub struct Landmarker {
    network: Option<Loaded>,
}

struct Loaded {
    network: Arc<dyn Inference>,
    size: u32,
    normalise: Normalise,
}

impl Landmarker {
    /// Uses the pack's landmark network.
    ///
    /// # Errors
    /// [`Fault::Model`] when the network's input or output has another shape, and the faults of running it once.
    pub fn with_network(manifest: &LandmarksManifest, network: Arc<dyn Inference>) -> Result<Self, Fault> {
        let size = manifest.size;
        let side = Some(size as usize);
        let fits = |found: Option<usize>| found.is_none() || found == side;
        if !matches!(network.input(), [_, Some(3) | None, rows, columns] if fits(*rows) && fits(*columns)) {
            return Err(refused(format!("its input is not 1 x 3 x {size} x {size}")));
        }
        let normalise = Normalise::new(manifest.colour, manifest.mean, manifest.divide);
        let loaded = Loaded { network, size, normalise };
        loaded.fractions(vec![0.0; 3 * size as usize * size as usize])?;
        Ok(Self { network: Some(loaded) })
    }

    /// Uses the five points that the detector gives.
    #[must_use]
    pub fn from_detector() -> Self {
        Self { network: None }
    }

    /// The points of a detected face, or nothing when they cannot be those of a face.
    ///
    /// # Errors
    /// A [`Fault`] when the network fails.
    pub fn locate(&self, image: &Image, detection: &Detection) -> Result<Option<Points>, Fault> {
        let points = match &self.network {
            Some(loaded) => Some(loaded.locate(image, &detection.raw)?),
            None => detection.points.map(|five| Points { five, all: Vec::new() }),
        };
        Ok(points.filter(Points::are_usable))
    }

    /// The 68 points on a chip that is a face's crop already, in pixels of the chip. Nothing without a network.
    pub(crate) fn on_chip(&self, chip: &Image) -> Result<Option<Vec<[f32; 2]>>, Fault> {
        let all =
            BoundingBox { left: 0.0, top: 0.0, width: chip.width() as f32, height: chip.height() as f32 };
        self.network.as_ref().map(|loaded| Ok(loaded.locate(chip, &all)?.all)).transpose()
    }
}

impl Loaded {
    fn locate(&self, image: &Image, area: &BoundingBox) -> Result<Points, Fault> {
        // The longer side squared up around the centre: a stretched face has its points elsewhere.
        let side = area.width.max(area.height);
        let left = area.left + (area.width - side) / 2.0;
        let top = area.top + (area.height - side) / 2.0;
        let origin = [f64::from(left), f64::from(top)];
        let step = [f64::from(side) / f64::from(self.size), 0.0];
        // Not rounded to bytes: that alone would move points by a tenth of a pixel.
        let side_of_crop = self.size as usize;
        let mut crop = spare::floats(3 * side_of_crop * side_of_crop);
        let mut row = 0;
        image.sample(&Grid { origin, step }, self.size, |line| {
            self.normalise.fill_row(line, &mut crop, side_of_crop, row);
            row += 1;
        });
        let fractions = self.fractions(crop)?;
        let all: Vec<[f32; 2]> =
            fractions.chunks_exact(2).map(|at| [left + at[0] * side, top + at[1] * side]).collect();
        let mean = |from: usize, to: usize| {
            let sum =
                all[from..=to].iter().fold([0.0, 0.0], |sum, point| [sum[0] + point[0], sum[1] + point[1]]);
            sum.map(|value| value / (to - from + 1) as f32)
        };
        Ok(Points { five: [mean(36, 41), mean(42, 47), all[30], all[48], all[54]], all })
    }

    /// Runs the network on the crop's three planes: x and y of 68 points as fractions of the crop.
    fn fractions(&self, crop: Vec<f32>) -> Result<Vec<f32>, Fault> {
        let side = self.size as usize;
        let outputs = self.network.run(&Tensor::images(1, side, side, crop))?;
        match outputs.as_slice() {
            [output] if output.tensor.values().len() == LANDMARK_VALUES as usize => {
                Ok(output.tensor.values().to_vec())
            }
            _ => Err(refused(format!("its output is not one row of {LANDMARK_VALUES} values"))),
        }
    }
}

fn refused(reason: String) -> Fault {
    Fault::Model { network: Network::Landmarks, reason }
}
