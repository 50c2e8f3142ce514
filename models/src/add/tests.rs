#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use super::{AddDetector, AddEmbedder, AddError, AddLandmarks, AddOptions, add, add_manifest};
use crate::home::Home;
use crate::install::InstallError;
use crate::manifest::{DetectorKind, Metric};
use crate::pack::{Pack, PackError};
use crate::preset::EmbedderPreset;
use crate::synthetic::{home_with, threshold, vector, whole, write, yunet};

fn on_base(name: &str) -> AddOptions {
    AddOptions {
        name: name.to_owned(),
        version: "1".to_owned(),
        licence: "none".to_owned(),
        provenance: "made up".to_owned(),
        base: Some("base".to_owned()),
        ..AddOptions::default()
    }
}

/// Names in the folder of packs, hidden ones included.
fn entries(home: &Home) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(home.packs())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_detector_with_points_brings_its_own_and_keeps_embedder_and_threshold() {
    let (folder, home) = home_with("base");
    let path = write(folder.path(), "y.onnx", &yunet());
    let options =
        AddOptions { detector: Some(AddDetector::new(path, DetectorKind::YuNet)), ..on_base("yunet") };
    add(&home, &options).unwrap();
    let (base, pack) = (Pack::open(&home, "base").unwrap(), Pack::open(&home, "yunet").unwrap());
    assert_eq!(pack.manifest().detector.kind, DetectorKind::YuNet);
    assert_eq!(pack.landmarks_onnx(), None);
    assert_eq!(pack.embedder_onnx(), base.embedder_onnx());
    assert_eq!(pack.manifest().threshold, base.manifest().threshold);
    assert_ne!(pack.space_id(), base.space_id());

    let options = AddOptions { landmarks: Some(AddLandmarks::FromBase), name: "both".to_owned(), ..options };
    assert!(add(&home, &options).unwrap().landmarks);
}

#[test]
fn a_new_embedder_keeps_detector_and_landmarks_and_needs_a_threshold() {
    let (folder, home) = home_with("base");
    let path = write(folder.path(), "own.onnx", &vector(224, 256));
    let mut embedder = AddEmbedder::new(path, EmbedderPreset::Arcface112, 256);
    embedder.size = Some(224);
    let mut options = AddOptions { embedder: Some(embedder), ..on_base("own") };
    assert!(matches!(add(&home, &options), Err(AddError::NoThreshold)));
    options.threshold = Some(threshold());
    let summary = add(&home, &options).unwrap();
    assert!(summary.landmarks);
    assert_eq!((summary.dimension, summary.metric, summary.chip_size), (256, Metric::Cosine, 224));
    let template = Pack::open(&home, "own").unwrap().manifest().embedder.template;
    assert!((template[2][0] - 2.0 * 56.0252).abs() < 1e-3, "{template:?}");
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing_behind() {
    let (folder, home) = home_with("base");
    let own =
        AddEmbedder::new(write(folder.path(), "own.onnx", &vector(112, 256)), EmbedderPreset::Sface, 128);
    let options = AddOptions { embedder: Some(own), threshold: Some(threshold()), ..on_base("own") };
    let error = add(&home, &options).unwrap_err();
    assert!(error.to_string().contains("wrong output shape"), "{error}");
    let nothing = AddOptions { base: None, ..on_base("own") };
    assert!(matches!(add(&home, &nothing), Err(AddError::PartMissing { part: "detector" })));
    let unknown = AddOptions { base: Some("none".to_owned()), ..on_base("own") };
    assert!(matches!(add(&home, &unknown), Err(AddError::Base(PackError::NotFound(_)))));
    let absent =
        AddOptions { detector: Some(AddDetector::new("/none.onnx", DetectorKind::YuNet)), ..on_base("own") };
    assert!(matches!(add(&home, &absent), Err(AddError::Pack(PackError::Read { .. }))));
    let named = AddOptions { name: "../own".to_owned(), ..on_base("own") };
    assert!(matches!(add(&home, &named), Err(AddError::Manifest(_))));
    assert_eq!(entries(&home), ["base"]);
}

#[test]
fn an_existing_pack_is_never_replaced() {
    let (folder, home) = home_with("base");
    let before = Pack::open(&home, "base").unwrap().space_id();
    let mut options = whole(folder.path(), "base");
    options.embedder.as_mut().unwrap().mirror_average = true;
    assert!(matches!(add(&home, &options), Err(AddError::Install(InstallError::Exists(_)))));
    assert_eq!(Pack::open(&home, "base").unwrap().space_id(), before);
    assert_eq!(entries(&home), ["base"]);
}

#[test]
fn a_manifest_file_adds_the_models_beside_it_if_their_digests_are_right() {
    let (folder, home) = home_with("base");
    let source = home.path().join("packs/base");
    let text = std::fs::read_to_string(source.join("pack.toml")).unwrap().replace("\"base\"", "\"copy\"");
    for file in ["detector.onnx", "landmarks.onnx", "embedder.onnx"] {
        std::fs::copy(source.join(file), folder.path().join(file)).unwrap();
    }
    let manifest = write(folder.path(), "my.toml", text.as_bytes());
    let summary = add_manifest(&home, &manifest).unwrap();
    assert_eq!(summary.space_id, Pack::open(&home, "base").unwrap().space_id());
    write(folder.path(), "embedder.onnx", b"another");
    std::fs::write(&manifest, text.replace("\"copy\"", "\"again\"")).unwrap();
    assert!(matches!(add_manifest(&home, &manifest), Err(AddError::Pack(PackError::Digest { .. }))));
    assert_eq!(entries(&home), ["base", "copy"]);
}

/// The published file, exported with dynamic sides.
#[test]
fn the_real_yunet_is_accepted() {
    let shared = std::env::var_os("LIKENESS_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let path = shared.join("models/yunet/yunet_n_dynamic.onnx");
    if !path.is_file() {
        eprintln!("skipped: no shared folder with models/yunet (set LIKENESS_SHARED)");
        return;
    }
    let (_folder, home) = home_with("base");
    let options =
        AddOptions { detector: Some(AddDetector::new(path, DetectorKind::YuNet)), ..on_base("yunet") };
    assert_eq!(add(&home, &options).unwrap().detector, DetectorKind::YuNet);
}
