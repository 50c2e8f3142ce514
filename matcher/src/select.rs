//! Select: which of the faces is meant.
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{
    detect::{BoundingBox, Detection, Face},
    rejection::Rejection,
};

/// A box drawn by hand fits a detected face when they overlap by at least this (intersection over union), or when
/// the face's centre lies in the box.
const LEAST_OVERLAP: f32 = 0.3;

/// How the face is chosen. There is no default: silently taking one of several people is how mistakes begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// The image must show exactly one face.
    Only,
    /// The face at this place in the list of faces, counted from 0, largest first.
    Index(usize),
    /// The face that fits this box best.
    Box(BoundingBox),
    /// The largest face. For data sets and bulk enrolment, where somebody has decided that it is the right one.
    Largest,
}

/// The place of the chosen face in `detections`, which are sorted largest first.
///
/// # Errors
/// A [`Rejection`] that lists the faces there are to choose from.
pub fn select(detections: &[Detection], selection: &Selection) -> Result<usize, Rejection> {
    if detections.is_empty() {
        return Err(Rejection::NoFace);
    }
    let faces = || -> Vec<Face> { detections.iter().map(Detection::face).collect() };
    match *selection {
        Selection::Only if detections.len() > 1 => Err(Rejection::SeveralFaces { faces: faces() }),
        Selection::Only | Selection::Largest => Ok(0),
        Selection::Index(index) if index < detections.len() => Ok(index),
        Selection::Index(index) => Err(Rejection::NoSuchFace { index, faces: faces() }),
        Selection::Box(wanted) if !wanted.is_usable() => Err(Rejection::BoxUnusable),
        Selection::Box(wanted) => {
            best_fit(detections, &wanted).ok_or_else(|| Rejection::NoFaceInBox { faces: faces() })
        }
    }
}

/// The face with the greatest overlap among those that fit; the larger one when equal.
fn best_fit(detections: &[Detection], wanted: &BoundingBox) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (index, detection) in detections.iter().enumerate() {
        let area = detection.face().bounding_box;
        let overlap = area.overlap(wanted);
        let centre = [area.left + area.width / 2.0, area.top + area.height / 2.0];
        let inside = (wanted.left..=wanted.left + wanted.width).contains(&centre[0])
            && (wanted.top..=wanted.top + wanted.height).contains(&centre[1]);
        if (overlap >= LEAST_OVERLAP || inside) && best.is_none_or(|(_, most)| overlap > most) {
            best = Some((index, overlap));
        }
    }
    best.map(|(index, _)| index)
}
