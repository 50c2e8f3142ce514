//! Each kind's outputs are read as its training code wrote them; other outputs are refused.
use std::sync::Arc;

use likeness_models::Manifest;

use super::{Detector, Fault, Image, Output, Tensor, fake, output};
use crate::detect::{letterbox::Letterbox, scrfd, tiny_face, yunet};

/// A manifest with a detector of this kind and these scales.
fn manifest(kind: &str, scales: &str) -> Manifest {
    let digest = |digit: &str| digit.repeat(64);
    let text = format!(
        r#"
format = 1
name = "test"
version = "1"
licence = "none"
provenance = "a test"
[detector]
kind = "{kind}"
file = "detector.onnx"
sha256 = "{}"
colour = "rgb"
mean = [0.0, 0.0, 0.0]
divide = 255.0
scales = {scales}
score_threshold = 0.5
nms_iou = 0.4
[landmarks]
file = "landmarks.onnx"
sha256 = "{}"
size = 112
colour = "rgb"
mean = [0.0, 0.0, 0.0]
divide = 255.0
[embedder]
file = "embedder.onnx"
sha256 = "{}"
size = 150
colour = "rgb"
mean = [0.0, 0.0, 0.0]
divide = 256.0
template = [[48.0, 47.0], [100.0, 47.0], [74.0, 80.0], [51.0, 102.0], [98.0, 102.0]]
dimension = 128
metric = "euclidean"
mirror_average = false
[threshold]
similarity = 0.4
source = "a test"
meaning = "nothing"
"#,
        digest("1"),
        digest("2"),
        digest("3"),
    );
    Manifest::parse(&text).expect("a valid manifest")
}

/// A tiny-face output with one confident face: anchor 0, in this cell, moved by a half, as large as its anchor.
fn tiny_answer(input: &Tensor, cell: impl Fn(usize, usize) -> Option<[usize; 2]>) -> Vec<Output> {
    let (rows, columns) = (input.shape()[2] / 32, input.shape()[3] / 32);
    let mut values = vec![-20.0; 25 * rows * columns];
    if let Some([column, row]) = cell(columns, rows) {
        let at = row * columns + column;
        for (which, value) in [0.0, 0.0, 0.0, 0.0, 5.0].into_iter().enumerate() {
            values[which * rows * columns + at] = value;
        }
    }
    vec![output("boxes", &[1, 25, rows, columns], values)]
}

#[test]
fn tiny_face_cells_become_boxes() {
    let input = Tensor::images(1, 64, 96, vec![]);
    let outputs = tiny_answer(&input, |_, _| Some([2, 1]));
    let found = tiny_face::decode(&outputs, &Letterbox::plain(96, 64), 0.5).unwrap();
    let [face] = found.as_slice() else { panic!("one face, not {}", found.len()) };
    assert!((face.confidence - 0.993_307).abs() < 1e-5);
    // Centre of cell (2, 1); 1.603231 x 2.094468 cells large.
    assert!((face.area.left - (2.5 - 0.801_615_5) * 32.0).abs() < 1e-3);
    assert!((face.area.top - (1.5 - 1.047_234) * 32.0).abs() < 1e-3);
    assert!((face.area.width - 51.303_39).abs() < 1e-3);
    assert!(tiny_face::decode(&outputs, &Letterbox::plain(96, 96), 0.5).is_none(), "rows do not fit");
    assert!(tiny_face::decode(&outputs, &Letterbox::plain(96, 64), 0.999).unwrap().is_empty());
}

fn yunet_outputs(side: usize, stride: usize, cell: usize) -> Vec<Output> {
    let mut outputs = Vec::new();
    for (name, width) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
        for level in [8, 16, 32] {
            let cells = (side / level) * (side / level);
            let mut values = vec![0.0; cells * width];
            if level == stride {
                let row: Vec<f32> = match name {
                    "cls" => vec![0.81],
                    "obj" => vec![1.0],
                    "bbox" => vec![0.5, 0.25, 1.0, 0.0],
                    _ => (0..10_u8).map(|value| f32::from(value) / 10.0).collect(),
                };
                values[cell * width..(cell + 1) * width].copy_from_slice(&row);
            }
            outputs.push(output(&format!("{name}_{level}"), &[1, cells, width], values));
        }
    }
    outputs
}

#[test]
fn yunet_cells_become_boxes_and_points() {
    let outputs = yunet_outputs(64, 16, 6);
    let found = yunet::decode(&outputs, &Letterbox::plain(64, 64), 0.5).unwrap();
    let [face] = found.as_slice() else { panic!("one face, not {}", found.len()) };
    // Cell 6 of 4 x 4 is column 2, row 1; the score is the geometric mean.
    assert!((face.confidence - 0.9).abs() < 1e-6);
    let width = 1.0_f32.exp() * 16.0;
    assert!((face.area.left - (2.5 * 16.0 - width / 2.0)).abs() < 1e-4);
    assert!((face.area.top - (1.25 * 16.0 - 8.0)).abs() < 1e-4);
    assert!((face.area.width - width).abs() < 1e-4 && (face.area.height - 16.0).abs() < 1e-4);
    let points = face.points.unwrap();
    assert!((points[0][0] - 32.0).abs() < 1e-4 && (points[0][1] - 1.1 * 16.0).abs() < 1e-4);
    assert!((points[4][0] - 2.8 * 16.0).abs() < 1e-4 && (points[4][1] - 1.9 * 16.0).abs() < 1e-4);
    assert!(yunet::decode(&outputs[1..], &Letterbox::plain(64, 64), 0.5).is_none(), "an output is missing");
    assert!(yunet::decode(&outputs, &Letterbox::plain(96, 64), 0.5).is_none(), "cells do not fit");
}

#[test]
fn scrfd_anchors_become_boxes_and_points() {
    let mut outputs = Vec::new();
    for (group, width) in [(0, 1), (1, 4), (2, 10)] {
        for stride in [8, 16, 32] {
            let count = (64 / stride) * (64 / stride) * 2;
            let mut values = vec![0.0; count * width];
            if stride == 32 {
                // The second anchor of cell 3: column 1, row 1.
                let row: Vec<f32> = match group {
                    0 => vec![0.7],
                    1 => vec![1.0, 0.5, 0.25, 0.5],
                    _ => vec![0.1; 10],
                };
                values[7 * width..8 * width].copy_from_slice(&row);
            }
            outputs.push(output(&format!("{group}{stride}"), &[count, width], values));
        }
    }
    let found = scrfd::decode(&outputs, &Letterbox::plain(64, 64), 0.5).unwrap();
    let [face] = found.as_slice() else { panic!("one face, not {}", found.len()) };
    assert_eq!((face.area.left, face.area.top, face.area.width, face.area.height), (0.0, 16.0, 40.0, 32.0));
    assert!((face.points.unwrap()[3][0] - 35.2).abs() < 1e-4);
    outputs.swap(0, 3);
    assert!(
        scrfd::decode(&outputs, &Letterbox::plain(64, 64), 0.5).is_none(),
        "scores and boxes change places"
    );
}

#[test]
fn faces_are_given_in_pixels_of_the_image_and_largest_first() {
    // The small scale sees a face in the middle, the large one a face in its first cell.
    let network = Arc::new(fake([Some(1), Some(3), None, None], |input| {
        tiny_answer(
            input,
            |columns, rows| if columns < 8 { Some([columns / 2, rows / 2]) } else { Some([1, 1]) },
        )
    }));
    let detector = Detector::new(&manifest("tiny_face", "[96, 512]").detector, network.clone()).unwrap();
    network.asked.lock().unwrap().clear();
    let image = Image::from_rgb(1_000, 500, vec![90; 1_500_000]).unwrap();
    let found = detector.detect(&image).unwrap();
    assert_eq!(
        *network.asked.lock().unwrap(),
        [[1, 3, 64, 96], [1, 3, 256, 512]],
        "padded to the next 32 only"
    );
    assert_eq!(found.len(), 2);
    let area = found[0].face().bounding_box;
    let per_pixel = 1_000.0 / 96.0;
    assert!((area.left - (1.5 - 0.801_615_5) * 32.0 * per_pixel).abs() < 0.1, "{area:?}");
    assert!(found[0].face().bounding_box.area() > found[1].face().bounding_box.area());
    assert!(found.iter().all(|found| {
        let area = found.face().bounding_box;
        area.left >= 0.0
            && area.top >= 0.0
            && area.left + area.width <= 1_000.0
            && area.top + area.height <= 500.0
    }));
}

#[test]
fn a_network_of_one_size_gets_squares() {
    let network =
        Arc::new(fake([Some(1), Some(3), Some(96), Some(96)], |input| tiny_answer(input, |_, _| None)));
    let detector = Detector::new(&manifest("tiny_face", "[96]").detector, network.clone()).unwrap();
    network.asked.lock().unwrap().clear();
    assert!(detector.detect(&Image::from_rgb(300, 100, vec![0; 90_000]).unwrap()).unwrap().is_empty());
    assert_eq!(*network.asked.lock().unwrap(), [[1, 3, 96, 96]]);
}

#[test]
fn a_network_that_does_not_fit_is_refused_at_the_start() {
    let tiny = manifest("tiny_face", "[96]").detector;
    let wrong_size =
        Arc::new(fake([Some(1), Some(3), Some(64), Some(64)], |input| tiny_answer(input, |_, _| None)));
    assert!(matches!(Detector::new(&tiny, wrong_size), Err(Fault::Model { .. })));
    let wrong_output = Arc::new(fake([None; 4], |_| vec![output("out", &[1, 4], vec![0.0; 4])]));
    let refused = Detector::new(&tiny, wrong_output).err().unwrap();
    assert!(refused.to_string().contains("`out` [1, 4]"), "{refused}");
}

#[test]
fn answers_that_are_not_numbers_are_no_faces() {
    for poison in [f32::NAN, f32::INFINITY, 1e38] {
        let network = Arc::new(fake([None; 4], move |input: &Tensor| {
            let (rows, columns) = (input.shape()[2] / 32, input.shape()[3] / 32);
            vec![output("boxes", &[1, 25, rows, columns], vec![poison; 25 * rows * columns])]
        }));
        let detector = Detector::new(&manifest("tiny_face", "[96]").detector, network).unwrap();
        let found = detector.detect(&Image::from_rgb(100, 100, vec![0; 30_000]).unwrap()).unwrap();
        assert!(found.is_empty(), "{poison}");
    }
}
