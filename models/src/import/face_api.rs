//! The default pack, put together.

use super::package::{self, INTEGRITY};
use super::weights::{self, Weights};
use super::{
    DETECTOR_SHA256, EMBEDDER_SHA256, ImportError, LANDMARKS_SHA256, landmarks, recognition, tiny_face,
};
use crate::digest::Digest;
use crate::manifest::{
    Colour, Detector, DetectorKind, Embedder, FileName, Landmarks, Manifest, ManifestError, Metric,
    RawManifest, Threshold,
};
use crate::preset::EmbedderPreset;

/// A manifest and the files it names, not yet on disk.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    pub(crate) manifest: Manifest,
    pub(crate) files: Vec<(FileName, Vec<u8>)>,
    /// The licence text that came with the package; it has to go where the models go.
    pub(crate) licence: Vec<u8>,
}

const LICENCE_FILE: &str = "package/LICENSE";

/// Imports the pinned package. Other bytes are refused before anything in them is looked at.
pub(crate) fn import(tgz: &[u8]) -> Result<Imported, ImportError> {
    package::verify(tgz)?;
    let models = models(tgz)?;
    for (file, expected, bytes) in [
        ("detector", DETECTOR_SHA256, &models.detector),
        ("landmarks", LANDMARKS_SHA256, &models.landmarks),
        ("embedder", EMBEDDER_SHA256, &models.embedder),
    ] {
        let found = Digest::of(bytes).to_string();
        if found != expected {
            return Err(ImportError::Unexpected { file, expected, found });
        }
    }
    let manifest = current()?;
    let mut files = vec![(manifest.detector.file.clone(), models.detector)];
    files.extend(manifest.landmarks.as_ref().map(|part| (part.file.clone(), models.landmarks)));
    files.push((manifest.embedder.file.clone(), models.embedder));
    Ok(Imported { manifest, files, licence: models.licence })
}

/// The three networks as ONNX, and the licence text.
pub(super) struct Models {
    pub(super) detector: Vec<u8>,
    pub(super) landmarks: Vec<u8>,
    pub(super) embedder: Vec<u8>,
    licence: Vec<u8>,
}

/// Reads the networks from an archive of this layout, whatever its digest.
pub(super) fn models(tgz: &[u8]) -> Result<Models, ImportError> {
    let manifest = |network: &str| format!("package/model/{network}_model-weights_manifest.json");
    let networks = ["tiny_face_detector", "face_landmark_68", "face_recognition"];
    let mut wanted: Vec<String> = networks.iter().map(|network| manifest(network)).collect();
    wanted.push(LICENCE_FILE.to_owned());
    let mut found = package::files(tgz, &wanted)?;

    let read = |network: &str| {
        let file = manifest(network);
        let groups = weights::groups(&file, found.get(&file).map_or(&[][..], Vec::as_slice))?;
        let path = |name: &str| format!("package/model/{name}");
        let paths: Vec<String> =
            groups.iter().flat_map(|group| &group.paths).map(|name| path(name)).collect();
        let shards = package::files(tgz, &paths)?;
        Weights::read(&groups, |name| shards.get(&path(name)).map(Vec::as_slice))
    };
    let [detector, points, embedder] = networks.map(read);
    Ok(Models {
        detector: tiny_face::build(detector?)?,
        landmarks: landmarks::build(points?)?,
        embedder: recognition::build(embedder?)?,
        licence: found.remove(LICENCE_FILE).unwrap_or_default(),
    })
}

/// The manifest that this version of the software gives the default pack.
pub(crate) fn current() -> Result<Manifest, ImportError> {
    let digest = |text: &str| {
        text.parse::<Digest>()
            .map_err(|error| ManifestError::Invalid { field: "sha256", problem: error.to_string() })
    };
    // What the networks were trained with: the mean colour of the training images.
    let mean = [122.782, 117.001, 104.298];
    let preset = EmbedderPreset::Dlib150;
    Ok(Manifest::try_from(RawManifest {
        format: 1,
        name: crate::DEFAULT_PACK.parse()?,
        version: "1.7.15".to_owned(),
        licence: "MIT (see LICENCE.txt); the embedder's weights are dedicated to the public domain by their author".to_owned(),
        provenance: format!(
            "npm package {} ({INTEGRITY}); its weight files tiny_face_detector, face_landmark_68 and \
             face_recognition were converted to ONNX by likeness-models, per-channel scales folded into the \
             convolutions. face_recognition is dlib's ResNet-29 metric-learning network.",
            package::PACKAGE
        ),
        detector: Detector {
            kind: DetectorKind::TinyFace,
            file: "detector.onnx".parse()?,
            sha256: digest(DETECTOR_SHA256)?,
            colour: Colour::Rgb,
            mean: [117.001, 114.697, 97.404],
            divide: 255.0,
            // A face that fills the frame is found at 224, small faces in a crowd at 608; neither finds both.
            scales: vec![224, 608],
            score_threshold: 0.5,
            nms_iou: 0.4,
        },
        landmarks: Some(Landmarks {
            file: "landmarks.onnx".parse()?,
            sha256: digest(LANDMARKS_SHA256)?,
            size: landmarks::SIZE,
            colour: Colour::Rgb,
            mean,
            divide: 255.0,
        }),
        embedder: Embedder {
            file: "embedder.onnx".parse()?,
            sha256: digest(EMBEDDER_SHA256)?,
            size: recognition::SIZE,
            colour: preset.colour(),
            mean: preset.mean(),
            divide: preset.divide(),
            template: preset.template(),
            dimension: recognition::DIMENSION,
            metric: Metric::Euclidean,
            // Measured on 300 labelled pairs: d' 7.3 instead of 6.9, no more above the threshold of strangers.
            mirror_average: true,
        },
        threshold: Threshold {
            similarity: 0.4,
            source: "published by the author of the network: 99.38 % right on the LFW pairs at distance 0.6, \
                     which is similarity 0.4"
                .to_owned(),
            meaning: "above it, two embeddings are closer than the distance at which the network's author calls \
                      two images one person; it is no probability, and error rates on a site's own images have \
                      to be measured there"
                .to_owned(),
        },
    })?)
}
