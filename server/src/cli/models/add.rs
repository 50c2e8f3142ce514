//! `likeness models add`: an operator's own ONNX files as a pack, by flags or by a manifest.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use likeness_models::{
    AddDetector, AddEmbedder, AddLandmarks, AddOptions, Colour, DetectorKind, EmbedderPreset, Home, Metric,
    Threshold, add, add_manifest,
};
use serde_json::json;

use super::to_json;
use crate::cli::{
    failure::{Exit, Failure, chain},
    output,
    text::plain,
};

/// What was typed. Either a manifest, or a name and parts.
#[derive(Args, Debug)]
#[group(skip)]
pub struct AddArgs {
    /// A manifest file; its ONNX files lie beside it
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["name", "detector", "embedder", "base", "landmarks", "threshold"])]
    manifest: Option<PathBuf>,
    /// Name of the new pack
    #[arg(required_unless_present = "manifest")]
    name: Option<String>,
    /// Pack from which the parts not given here are taken, for example `face-api`
    #[arg(long, value_name = "PACK")]
    base: Option<String>,
    /// Version of the models
    #[arg(long, default_value = "1")]
    version: String,
    /// Licence of the models
    #[arg(long, required_unless_present = "manifest")]
    licence: Option<String>,
    /// Where the models come from
    #[arg(long, required_unless_present = "manifest")]
    provenance: Option<String>,
    /// ONNX file of a detector
    #[arg(long, value_name = "FILE.onnx", requires = "detector_kind")]
    detector: Option<PathBuf>,
    /// How its output is read: yunet, scrfd, tiny_face
    #[arg(long, value_name = "KIND", requires = "detector")]
    detector_kind: Option<DetectorKind>,
    /// Sides of the square inputs to run the detector at, for example 320,640
    #[arg(long, value_name = "PX", value_delimiter = ',', requires = "detector")]
    detector_scales: Option<Vec<u32>>,
    /// Faces below this confidence are dropped, 0 to 1
    #[arg(long, value_name = "SCORE", requires = "detector")]
    detector_score: Option<f32>,
    /// Overlap above which the weaker of two boxes goes, 0 to 1
    #[arg(long, value_name = "IOU", requires = "detector")]
    detector_overlap: Option<f32>,
    /// Channel order of the detector: rgb, bgr
    #[arg(long, value_name = "ORDER", requires = "detector")]
    detector_colour: Option<Colour>,
    /// Subtracted from each channel of the detector's input
    #[arg(long, value_name = "A,B,C", requires = "detector", value_parser = triple)]
    detector_mean: Option<[f32; 3]>,
    /// Then divided by this
    #[arg(long, value_name = "N", requires = "detector")]
    detector_divide: Option<f32>,
    /// Align by the base pack's landmarks model, although the detector gives five points of its own
    #[arg(long, value_name = "WHOSE", value_parser = ["base"], requires = "base")]
    landmarks: Option<String>,
    /// ONNX file of an embedder
    #[arg(long, value_name = "FILE.onnx", requires_all = ["embedder_family", "dimension", "threshold"])]
    embedder: Option<PathBuf>,
    /// Its chip, normalisation and metric: arcface112, sface, dlib150
    #[arg(long, value_name = "FAMILY", requires = "embedder")]
    embedder_family: Option<EmbedderPreset>,
    /// Numbers per embedding
    #[arg(long, value_name = "N", requires = "embedder")]
    dimension: Option<u32>,
    /// Side of the chip in pixels, when it is not the family's
    #[arg(long, value_name = "PX", requires = "embedder")]
    chip_size: Option<u32>,
    /// Channel order of the embedder, when it is not the family's: rgb, bgr
    #[arg(long, value_name = "ORDER", requires = "embedder")]
    embedder_colour: Option<Colour>,
    /// Subtracted from each channel of the embedder's input, when it is not the family's
    #[arg(long, value_name = "A,B,C", requires = "embedder", value_parser = triple)]
    embedder_mean: Option<[f32; 3]>,
    /// Then divided by this, when it is not the family's
    #[arg(long, value_name = "N", requires = "embedder")]
    embedder_divide: Option<f32>,
    /// How embeddings compare, when it is not as in the family: euclidean, cosine
    #[arg(long, requires = "embedder")]
    metric: Option<Metric>,
    /// Average each embedding with its mirror image's
    #[arg(long, requires = "embedder")]
    mirror_average: bool,
    /// Similarity from which two images are read as alike, on the pack's own scale
    #[arg(long, value_name = "SIMILARITY", requires_all = ["threshold_source", "threshold_meaning"], allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Who measured the threshold, on what
    #[arg(long, value_name = "TEXT", requires = "threshold")]
    threshold_source: Option<String>,
    /// What a value above it says, for people who read results
    #[arg(long, value_name = "TEXT", requires = "threshold")]
    threshold_meaning: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn triple(text: &str) -> Result<[f32; 3], String> {
    let numbers = text.split(',').map(|number| f32::from_str(number.trim())).collect::<Result<Vec<_>, _>>();
    numbers
        .ok()
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| format!("`{text}` is not three numbers; write for example `104,117,123`"))
}

/// Adds the pack and shows it.
///
/// # Errors
/// A part is missing or out of range, a model has other inputs or outputs, or the name is taken.
pub fn run(home: &Home, args: AddArgs) -> Result<Exit, Failure> {
    let as_json = args.json;
    let added = match &args.manifest {
        Some(manifest) => add_manifest(home, manifest),
        None => add(home, &options(args)),
    };
    let pack = added.map_err(|error| Failure::usage(chain(&error)))?;
    if as_json {
        output::json(&json!({ "added": to_json(&pack) }))?;
    } else {
        output::line(&format!(
            "Added pack `{}`: detector {}, embedding of {} numbers, {} similarity, threshold {:.4}\nSpace {}\nNew pools use it when config.toml names it as `pack`.",
            pack.name,
            pack.detector,
            pack.dimension,
            pack.metric,
            pack.threshold.similarity,
            plain(&pack.space_id.to_string())
        ))?;
    }
    Ok(Exit::Done)
}

fn options(args: AddArgs) -> AddOptions {
    let detector = args.detector.zip(args.detector_kind).map(|(path, kind)| AddDetector {
        scales: args.detector_scales,
        score_threshold: args.detector_score,
        nms_iou: args.detector_overlap,
        colour: args.detector_colour,
        mean: args.detector_mean,
        divide: args.detector_divide,
        ..AddDetector::new(path, kind)
    });
    let family = args.embedder_family.zip(args.dimension);
    let embedder = args.embedder.zip(family).map(|(path, (preset, dimension))| AddEmbedder {
        size: args.chip_size,
        colour: args.embedder_colour,
        mean: args.embedder_mean,
        divide: args.embedder_divide,
        metric: args.metric,
        mirror_average: args.mirror_average,
        ..AddEmbedder::new(path, preset, dimension)
    });
    let threshold = args.threshold.map(|similarity| Threshold {
        similarity,
        source: args.threshold_source.unwrap_or_default(),
        meaning: args.threshold_meaning.unwrap_or_default(),
    });
    AddOptions {
        name: args.name.unwrap_or_default(),
        version: args.version,
        licence: args.licence.unwrap_or_default(),
        provenance: args.provenance.unwrap_or_default(),
        base: args.base,
        detector,
        landmarks: args.landmarks.map(|_| AddLandmarks::FromBase),
        embedder,
        threshold,
    }
}
