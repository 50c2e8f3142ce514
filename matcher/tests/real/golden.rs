//! The networks compute what the package's own code computes.
use likeness_matcher::verify::{DESCRIPTOR_TOLERANCE, LANDMARK_TOLERANCE_PX, verify};
use likeness_models::golden;
use serde::Deserialize;

use crate::installed::{matcher, pack, shared};

#[test]
fn descriptors_and_landmarks_agree_with_the_reference() {
    let golden = golden(pack().manifest()).unwrap();
    assert_eq!(golden.len(), 4);
    let differences = verify(&matcher(1), &golden).unwrap();
    for (chip, difference) in differences.iter().enumerate() {
        let (descriptor, landmarks) = (difference.descriptor.unwrap(), difference.landmarks_px.unwrap());
        println!("report: golden chip {chip}: descriptor {descriptor:.1e}, landmarks {landmarks:.1e} px");
        assert!(descriptor <= DESCRIPTOR_TOLERANCE && landmarks <= LANDMARK_TOLERANCE_PX);
        assert!(difference.agrees());
    }
}

#[test]
fn other_values_do_not_agree() {
    let mut golden = golden(pack().manifest()).unwrap();
    golden[0].descriptor.as_mut().unwrap()[17] += 0.01;
    golden[1].landmarks.as_mut().unwrap()[30][1] -= 0.2;
    golden[2].descriptor.as_mut().unwrap().pop();
    let agrees: Vec<_> =
        verify(&matcher(1), &golden).unwrap().iter().map(|difference| difference.agrees()).collect();
    assert_eq!(agrees, [false, false, false, true]);
}

#[derive(Deserialize)]
struct Expected {
    descriptor: Vec<f32>,
    landmarks: Vec<[f32; 2]>,
}

#[test]
fn the_golden_values_built_in_are_the_shared_ones() {
    let Some(folder) = shared("golden/face-api") else { return };
    let text = std::fs::read_to_string(folder.join("faceapi.json")).unwrap();
    let shared: Vec<Expected> = serde_json::from_str(&text).unwrap();
    let built_in = golden(pack().manifest()).unwrap();
    assert_eq!(shared.len(), built_in.len());
    for (number, (shared, built_in)) in shared.into_iter().zip(built_in).enumerate() {
        assert_eq!(built_in.descriptor, Some(shared.descriptor));
        assert_eq!(built_in.landmarks, Some(shared.landmarks));
        assert_eq!(built_in.png, std::fs::read(folder.join(format!("chip{number}.png"))).unwrap());
    }
}
