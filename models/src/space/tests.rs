#![allow(clippy::unwrap_used, reason = "tests")]

use crate::manifest::{Colour, DetectorKind, Manifest, Metric};
use crate::space::SpaceId;

fn example() -> Manifest {
    Manifest::parse(include_str!("../manifest/example.toml")).unwrap()
}

/// Stored galleries carry this number: if it changes, they are orphaned.
#[test]
fn the_space_of_a_manifest_never_changes() {
    assert_eq!(
        example().space_id().to_string(),
        "a8c9ccac9c43601ff2aa74f147a60aedf8ad91aaba066d14bc6d683c4770ceba"
    );
}

#[test]
fn the_space_of_the_default_pack_never_changes() {
    assert_eq!(
        crate::import::current().unwrap().space_id().to_string(),
        "ceb87a3440fed3a16c1c1e38455a24c973e14d376055d968b6fec4b1b070073c"
    );
}

#[test]
fn whatever_can_move_an_embedding_changes_the_space() {
    let changes: &[fn(&mut Manifest)] = &[
        |m| m.detector.kind = DetectorKind::YuNet,
        |m| m.detector.sha256 = crate::Digest::of(b"x"),
        |m| m.detector.colour = Colour::Bgr,
        |m| m.detector.mean = [0.0; 3],
        |m| m.detector.divide = 1.0,
        |m| m.detector.scales = vec![224],
        |m| m.detector.score_threshold = 0.6,
        |m| m.detector.nms_iou = 0.5,
        |m| m.landmarks = None,
        |m| m.landmarks.as_mut().unwrap().sha256 = crate::Digest::of(b"x"),
        |m| m.landmarks.as_mut().unwrap().size = 96,
        |m| m.embedder.sha256 = crate::Digest::of(b"x"),
        |m| m.embedder.size = 112,
        |m| m.embedder.colour = Colour::Bgr,
        |m| m.embedder.divide = 255.0,
        |m| m.embedder.template[2] = [75.0, 80.0],
        |m| m.embedder.dimension = 256,
        |m| m.embedder.metric = Metric::Cosine,
        |m| m.embedder.mirror_average = false,
    ];
    let mut seen = vec![example().space_id()];
    for change in changes {
        let mut manifest = example();
        change(&mut manifest);
        assert!(!seen.contains(&manifest.space_id()), "{manifest:?}");
        seen.push(manifest.space_id());
    }
}

#[test]
fn words_and_thresholds_do_not() {
    let mut manifest = example();
    manifest.name = "another".parse().unwrap();
    manifest.version = "2".to_owned();
    manifest.licence = "other".to_owned();
    manifest.provenance = "other".to_owned();
    manifest.threshold.similarity = 0.5;
    manifest.embedder.file = "other.onnx".parse().unwrap();
    assert_eq!(manifest.space_id(), example().space_id());
}

#[test]
fn it_reads_back_from_text_and_bytes() {
    let space = example().space_id();
    assert_eq!(space.to_string().parse::<SpaceId>().unwrap(), space);
    assert_eq!(SpaceId::from(*space.as_bytes()), space);
    let json = serde_json::to_string(&space).unwrap();
    assert_eq!(json, format!("\"{space}\""));
    assert_eq!(serde_json::from_str::<SpaceId>(&json).unwrap(), space);
    assert!("xyz".parse::<SpaceId>().is_err());
}
