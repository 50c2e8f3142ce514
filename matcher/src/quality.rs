//! Quality: what the image is worth, measured; and whether the pool's policy accepts it.
//!
//! Measures, their names and the shape of their mapping to 0..100 follow ISO/IEC 29794-5:2025 and its reference
//! implementation where no further model is needed. They are 29794-5-*style*: parameters are this project's own, poses
//! come from five points, and sharpness is a plain filter. They are not conformant and not comparable with OFIQ's.
//! Both values of each measure are kept: the native one with its unit, and the mapped one, where 100 is best.
//!
//! The face is measured on a crop of its own geometry, not on the embedder's chip: the quality of an image does not
//! change with the algorithm.

mod component;
mod frame;
mod light;
mod mapping;
mod policy;
mod pose;
mod report;
mod sharpness;
#[cfg(test)]
mod tests;

pub use component::Component;
pub use policy::{PolicyError, QualityLimit, QualityPolicy};
pub use report::{Measure, QualityReport};

use crate::{
    align::{Similarity, align},
    decode::Image,
    detect::FivePoints,
    rejection::Rejection,
};

/// Side of the crop that light and sharpness are measured on, in pixels.
const FACE_SIDE: u32 = 112;
/// Where the five points lie on that crop.
const FACE_TEMPLATE: FivePoints = [[38.0, 44.0], [74.0, 44.0], [56.0, 66.0], [42.0, 84.0], [70.0, 84.0]];

/// An aligned chip that the quality stage let pass. Nothing else can be embedded, and nothing else makes one.
#[derive(Debug, Clone)]
pub struct Passed {
    chip: Image,
    report: QualityReport,
}

impl Passed {
    /// The chip, in the embedder's geometry.
    #[must_use]
    pub fn chip(&self) -> &Image {
        &self.chip
    }

    /// What was measured, and what the policy flags.
    #[must_use]
    pub fn report(&self) -> &QualityReport {
        &self.report
    }
}

/// Measures the face whose points are `five`. Nothing when the points cannot be aligned.
#[must_use]
pub fn measure(image: &Image, five: &FivePoints) -> Option<Vec<Measure>> {
    let face = align(image, five, &FACE_TEMPLATE, FACE_SIDE)?;
    let back = Similarity::fit(five, &FACE_TEMPLATE)?.inverse();
    let last = [image.width(), image.height()].map(|side| f64::from(side) - 1.0);
    let in_image = |place| {
        let [x, y] = back.apply(place);
        (0.0..=last[0]).contains(&x) && (0.0..=last[1]).contains(&y)
    };
    // A turned square lies inside where its corners do.
    let side = f64::from(FACE_SIDE);
    let all = [[0.0, 0.0], [side, 0.0], [0.0, side], [side, side]].into_iter().all(in_image);
    let luminance = light::Luminance::of(&face, |place| all || in_image(place));
    let mut measures = Vec::with_capacity(Component::ALL.len());
    frame::measure(image, five, &mut measures);
    pose::measure(five, &mut measures);
    sharpness::measure(&luminance, &mut measures);
    light::measure(&luminance, &mut measures);
    Some(measures)
}

/// Lets a chip pass, or refuses it by the policy.
///
/// # Errors
/// [`Rejection::QualityBelowPolicy`] with all measures, and the components that the policy refuses.
pub fn judge(chip: Image, measures: Vec<Measure>, policy: &QualityPolicy) -> Result<Passed, Rejection> {
    let verdict = policy.apply(&measures);
    let report = QualityReport { measures, flags: verdict.flagged };
    if verdict.refused.is_empty() {
        Ok(Passed { chip, report })
    } else {
        Err(Rejection::QualityBelowPolicy { report, refused: verdict.refused })
    }
}
