//! What a similarity means: how often somebody who is not enrolled scores this high, at a pool's size of today.
//!
//! Between what was measured, the conservative neighbour stands in: the next lower similarity on the curve (where false
//! positives are more frequent) and the next larger gallery (likewise). Beyond the largest gallery nothing is said: FPIR grows
//! with the gallery, and how fast is a property of the algorithm that nobody measured.
use super::{OperatingPoint, PointId, Rate, record::MeasuredSize};

/// What stands beside everything that comes from synthetic images.
pub(crate) const DEMONSTRATION: &str = "DEMONSTRATION: measured on synthetic images, which says nothing about people; not for operational use \
     until you calibrate on your own";

/// What a similarity means, or why that is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// The rate, and the gallery size it was measured at.
    pub fpir: Result<(Rate, u64), NotMeasured>,
    /// Searchable images in the pool today.
    pub gallery: u64,
    /// Gallery sizes that were measured, ascending; empty without an operating point.
    pub measured_sizes: Vec<u64>,
    /// Confidence of the interval.
    pub confidence: f64,
    /// The record it comes from.
    pub point: Option<PointId>,
    /// Measured on synthetic images.
    pub demonstration: bool,
    /// The record was approved here; false for one that came with the program.
    pub approved: bool,
}

/// Why nothing is known of a similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMeasured {
    /// No operating point in force covers this algorithm, kind of pool and purpose.
    NoPoint,
    /// The gallery is larger than any that was measured.
    GalleryTooLarge {
        /// The largest that was.
        largest: u64,
    },
}

impl OperatingPoint {
    /// The measured size that stands for a gallery of `images`: the smallest that is not smaller.
    pub fn size_for(&self, images: u64) -> Option<&MeasuredSize> {
        self.curve.iter().find(|size| size.references >= images)
    }

    /// FPIR at a similarity in a gallery of `images`, and the gallery size it was measured at.
    pub fn fpir_at(&self, similarity: f64, images: u64) -> Option<(Rate, u64)> {
        let size = self.size_for(images)?;
        Some((
            Rate::counted(size.false_positives(similarity), size.non_mated_searches, self.confidence)?,
            size.references,
        ))
    }

    /// FPIR and FNIR at the record's threshold, in the largest gallery it may be used for.
    pub(super) fn rates_at_threshold(&self) -> Option<(Rate, Rate)> {
        let size = self.size_for(self.applies_to.gallery_to)?;
        let fpir =
            Rate::counted(size.false_positives(self.threshold), size.non_mated_searches, self.confidence)?;
        let fnir = Rate::counted(size.missed(self.threshold), size.mated_searches, self.confidence)?;
        Some((fpir, fnir))
    }

    /// What a similarity means in a gallery of `images`.
    pub fn meaning(&self, id: &PointId, similarity: f64, images: u64) -> Meaning {
        let largest = self.curve.last().map_or(0, |size| size.references);
        Meaning {
            fpir: self.fpir_at(similarity, images).ok_or(NotMeasured::GalleryTooLarge { largest }),
            gallery: images,
            measured_sizes: self.curve.iter().map(|size| size.references).collect(),
            confidence: self.confidence,
            point: Some(id.clone()),
            demonstration: self.demonstration_only,
            approved: true,
        }
    }
}

impl MeasuredSize {
    /// Non-mated searches with a candidate at or above `similarity`, or a few more: those of the next lower step.
    pub fn false_positives(&self, similarity: f64) -> u64 {
        let after = self.rows.partition_point(|row| row.threshold <= similarity);
        match after.checked_sub(1).and_then(|at| self.rows.get(at)) {
            Some(row) => row.false_positives,
            None => self.non_mated_searches,
        }
    }

    /// Mated searches that find no mate at or above `similarity`, or a few more: those of the next higher step.
    pub fn missed(&self, similarity: f64) -> u64 {
        let at = self.rows.partition_point(|row| row.threshold < similarity);
        self.rows.get(at).map_or(self.mated_searches, |row| row.missed)
    }
}

impl Meaning {
    /// When there is no record to read it from.
    pub fn unknown(images: u64) -> Meaning {
        Meaning {
            fpir: Err(NotMeasured::NoPoint),
            gallery: images,
            measured_sizes: Vec::new(),
            confidence: 0.0,
            point: None,
            demonstration: false,
            approved: false,
        }
    }

    /// All of it in words.
    pub fn text(&self) -> String {
        let mut text = match &self.fpir {
            Err(NotMeasured::NoPoint) => {
                "not measured: no approved operating point covers this algorithm, kind of pool and purpose"
                    .to_owned()
            }
            Err(NotMeasured::GalleryTooLarge { largest }) => format!(
                "not measured: the pool has {} searchable images, the largest gallery measured had {largest}",
                self.gallery
            ),
            Ok((rate, references)) => {
                let mut text = format!(
                    "in {} of {} searches for people who are not enrolled, somebody scored this high or higher: {}, {} % \
                     interval {} to {}, measured with {references} enrolled images",
                    rate.count,
                    rate.of,
                    percent(rate.rate),
                    number(self.confidence * 100.0),
                    percent(rate.low),
                    percent(rate.high),
                );
                if *references != self.gallery {
                    text.push_str(&format!("; with {} as today it is at most that", self.gallery));
                }
                text
            }
        };
        if self.demonstration {
            text.push_str("; ");
            text.push_str(DEMONSTRATION);
        }
        text
    }
}

/// A share in per cent with two significant digits, for example `0.34 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    // Two significant digits below 100, and never more than six decimals.
    let decimals = (1.0 - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
