//! How bright the face is, and how evenly its tones are used.
use super::{
    Component, Measure,
    mapping::{scalar, sigmoid},
};
use crate::decode::Image;

/// At or below this a pixel is almost black, at or above the other almost white (of 255).
const DARK: u8 = 25;
const BRIGHT: u8 = 247;
/// Half axes and centre of the ellipse that holds the face without hair and background, as shares of the crop's side.
const ELLIPSE: [f64; 4] = [0.5, 0.56, 0.36, 0.42];

/// The brightness of each pixel of a face crop, 0 to 255, and which of them show the face.
pub(super) struct Luminance {
    pub(super) side: usize,
    pub(super) values: Vec<u8>,
    pub(super) on_face: Vec<bool>,
}

impl Luminance {
    /// Rec. 709 luma of the encoded values: what a viewer of the file sees. `in_image` says of a column and row of the
    /// crop whether they lie in the image: what is black for lying outside is not dark.
    pub(super) fn of(face: &Image, in_image: impl Fn([f64; 2]) -> bool) -> Self {
        let side = face.width() as usize;
        let values = face
            .pixels()
            .chunks_exact(3)
            .map(|rgb| {
                let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(rgb[channel]));
                // Integer weights of sum 65,536.
                u8::try_from((red * 13_933 + green * 46_871 + blue * 4_732 + 32_768) >> 16).unwrap_or(u8::MAX)
            })
            .collect();
        let [middle_x, middle_y, half_width, half_height] = ELLIPSE;
        let squares = |middle: f64, half: f64| -> Vec<f64> {
            (0..side).map(|at| (((at as f64 + 0.5) / side as f64 - middle) / half).powi(2)).collect()
        };
        let (across, down) = (squares(middle_x, half_width), squares(middle_y, half_height));
        let on_face = (0..side)
            .flat_map(|row| (0..side).map(move |column| (row, column)))
            .map(|(row, column)| across[column] + down[row] <= 1.0 && in_image([column as f64, row as f64]))
            .collect();
        Self { side, values, on_face }
    }

    fn histogram(&self) -> [u32; 256] {
        let mut histogram = [0; 256];
        for (&value, _) in self.values.iter().zip(&self.on_face).filter(|&(_, &on_face)| on_face) {
            histogram[usize::from(value)] += 1;
        }
        histogram
    }
}

pub(super) fn measure(luminance: &Luminance, measures: &mut Vec<Measure>) {
    let histogram = luminance.histogram();
    let total = f64::from(histogram.iter().sum::<u32>().max(1));
    let shares = histogram.map(|count| f64::from(count) / total);
    let tone = |at: usize| at as f64 / 255.0;
    let mean: f64 = shares.iter().enumerate().map(|(at, share)| share * tone(at)).sum();
    let variance: f64 = shares.iter().enumerate().map(|(at, share)| share * (tone(at) - mean).powi(2)).sum();
    let bits: f64 =
        -shares.iter().filter(|&&share| share > 0.0).map(|share| share * share.log2()).sum::<f64>();
    let dark: f64 = shares[..=usize::from(DARK)].iter().sum();
    let bright: f64 = shares[usize::from(BRIGHT)..].iter().sum();

    // Good between a fifth and four fifths of white, falling off on both sides.
    let mean_scalar = 100.0 * sigmoid(mean, 0.2, 0.05) * (1.0 - sigmoid(mean, 0.8, 0.05));
    // Rises from 0, is best around 1/60 (a standard deviation of 33 of 255), falls slowly towards harsh light.
    let spread = 60.0 * variance;
    let variance_scalar = 100.0 * (spread / (spread + 1.0) * std::f64::consts::PI).sin();
    measures.push(Measure::new(Component::LuminanceMean, mean, scalar(mean_scalar)));
    measures.push(Measure::new(Component::LuminanceVariance, variance, scalar(variance_scalar)));
    measures.push(Measure::new(Component::DynamicRange, bits.max(0.0), scalar(12.5 * bits)));
    // All is well up to a tenth of the face; a third of it lost maps to about one half.
    let kept = |lost: f64| scalar(104.0 * (1.0 - sigmoid(lost, 0.33, 0.1)));
    measures.push(Measure::new(Component::UnderExposurePrevention, dark, kept(dark)));
    measures.push(Measure::new(Component::OverExposurePrevention, bright, kept(bright)));
}
