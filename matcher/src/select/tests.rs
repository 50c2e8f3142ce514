#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Selection, select};
use crate::{
    detect::{BoundingBox, Detection, Face},
    rejection::Rejection,
};

fn area(left: f32, top: f32, side: f32) -> BoundingBox {
    BoundingBox { left, top, width: side, height: side }
}

fn detection(area: BoundingBox) -> Detection {
    Detection { raw: area, points: None, face: Face { bounding_box: area, confidence: 0.9 } }
}

fn three() -> [Detection; 3] {
    [area(0.0, 0.0, 100.0), area(200.0, 0.0, 80.0), area(400.0, 100.0, 60.0)].map(detection)
}

#[test]
fn without_faces_every_choice_fails_alike() {
    for selection in
        [Selection::Only, Selection::Largest, Selection::Index(0), Selection::Box(area(0.0, 0.0, 1.0))]
    {
        assert_eq!(select(&[], &selection), Err(Rejection::NoFace));
    }
}

#[test]
fn one_face_needs_no_choice_and_several_do() {
    assert_eq!(select(&three()[..1], &Selection::Only), Ok(0));
    let refused = select(&three(), &Selection::Only).expect_err("three faces");
    assert_eq!(refused.code(), "several_faces");
    assert_eq!(refused.faces().len(), 3);
    assert_eq!(select(&three(), &Selection::Largest), Ok(0));
}

#[test]
fn an_index_counts_from_zero() {
    assert_eq!(select(&three(), &Selection::Index(2)), Ok(2));
    let refused = select(&three(), &Selection::Index(3)).expect_err("no fourth face");
    assert_eq!(refused.code(), "no_such_face");
    assert_eq!(refused.faces().len(), 3);
}

#[test]
fn a_box_chooses_the_face_it_fits_best() {
    assert_eq!(select(&three(), &Selection::Box(area(205.0, 5.0, 75.0))), Ok(1));
    // Drawn generously around one face.
    assert_eq!(select(&three(), &Selection::Box(area(350.0, 50.0, 170.0))), Ok(2));
    let missed = select(&three(), &Selection::Box(area(600.0, 600.0, 50.0))).expect_err("nobody is there");
    assert_eq!(missed.code(), "no_face_in_box");
    assert_eq!(missed.faces().len(), 3);
}

#[test]
fn a_box_that_is_none_is_refused_as_such() {
    for broken in
        [area(0.0, 0.0, 0.0), area(0.0, 0.0, -5.0), area(f32::NAN, 0.0, 5.0), area(0.0, 0.0, f32::INFINITY)]
    {
        assert_eq!(select(&three(), &Selection::Box(broken)), Err(Rejection::BoxUnusable));
    }
}
