//! One box per face, of the boxes of all scales.
use super::Found;

/// Candidates looked at, best first. Bounds the work that a hostile image can cause.
const MOST_CANDIDATES: usize = 2_000;
/// A box that lies with more than this share of its area inside a stronger box is a part of that face: at large
/// scales the detectors report eyes or mouths of close-ups as small faces.
const MOST_INSIDE: f32 = 0.7;

/// Non-maximum suppression: of two boxes that overlap by more than `most_overlap`, or of which one holds most of the
/// other, the one with the lower confidence goes. The result is sorted by confidence, highest first. Boxes that
/// are not finite, or have no area, go.
pub(super) fn merge(mut found: Vec<Found>, most_overlap: f32) -> Vec<Found> {
    found.retain(|found| {
        let finite = |points: [[f32; 2]; 5]| points.iter().flatten().all(|value| value.is_finite());
        found.area.is_usable()
            && found.area.area().is_finite()
            && found.confidence.is_finite()
            && found.points.is_none_or(finite)
    });
    found.sort_by(|a, b| {
        // Ties are broken by place, so that the result does not depend on the order of scales.
        (b.confidence.total_cmp(&a.confidence))
            .then(a.area.left.total_cmp(&b.area.left))
            .then(a.area.top.total_cmp(&b.area.top))
            .then(a.area.width.total_cmp(&b.area.width))
    });
    found.truncate(MOST_CANDIDATES);
    let mut kept: Vec<Found> = Vec::new();
    for candidate in found {
        let covered = kept.iter().any(|stronger| {
            let inside =
                stronger.area.intersection(&candidate.area) / stronger.area.area().min(candidate.area.area());
            inside > MOST_INSIDE || stronger.area.overlap(&candidate.area) > most_overlap
        });
        if !covered {
            kept.push(candidate);
        }
    }
    kept
}
