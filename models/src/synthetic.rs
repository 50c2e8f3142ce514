//! Small ONNX files and packs for the tests of this crate: the right inputs and outputs, and nothing inside.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use crate::add::{AddDetector, AddEmbedder, AddLandmarks, AddOptions, add};
use crate::home::Home;
use crate::manifest::{Colour, DetectorKind, Threshold};
use crate::onnx::testing::{ANY, model};
use crate::preset::EmbedderPreset;

/// `[N, 3, H, W]` to `[N, 25, rows, columns]`.
pub(crate) fn tiny_face() -> Vec<u8> {
    model(&[("image", &[ANY, 3, ANY, ANY])], &[("grid", &[ANY, 25, ANY, ANY])])
}

/// `[N, 3, H, W]` to twelve outputs.
pub(crate) fn yunet() -> Vec<u8> {
    let mut names = Vec::new();
    for (kind, values) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
        names.extend([8, 16, 32].map(|stride| (format!("{kind}_{stride}"), [ANY, ANY, values])));
    }
    let outputs: Vec<(&str, &[i64])> =
        names.iter().map(|(name, shape)| (name.as_str(), &shape[..])).collect();
    model(&[("input", &[ANY, 3, ANY, ANY])], &outputs)
}

/// `[N, 3, size, size]` to `[N, values]`.
pub(crate) fn vector(size: i64, values: i64) -> Vec<u8> {
    model(&[("data", &[1, 3, size, size])], &[("out", &[1, values])])
}

pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn threshold() -> Threshold {
    Threshold { similarity: 0.3, source: "nobody".to_owned(), meaning: "nothing".to_owned() }
}

/// Options for a whole pack of synthetic files, which are written to `folder`.
pub(crate) fn whole(folder: &Path, name: &str) -> AddOptions {
    AddOptions {
        name: name.to_owned(),
        version: "1".to_owned(),
        licence: "none".to_owned(),
        provenance: "made up".to_owned(),
        base: None,
        detector: Some(AddDetector::new(write(folder, "t.onnx", &tiny_face()), DetectorKind::TinyFace)),
        landmarks: Some(AddLandmarks::File {
            path: write(folder, "l.onnx", &vector(112, 136)),
            size: 112,
            colour: Colour::Rgb,
            mean: [0.0; 3],
            divide: 255.0,
        }),
        embedder: Some(AddEmbedder::new(
            write(folder, "e.onnx", &vector(112, 512)),
            EmbedderPreset::Arcface112,
            512,
        )),
        threshold: Some(threshold()),
    }
}

/// A home with one synthetic pack in it.
pub(crate) fn home_with(name: &str) -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    add(&home, &whole(folder.path(), name)).unwrap();
    (folder, home)
}
