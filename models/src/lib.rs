#![doc = include_str!("../README.md")]

// What a pack is, and how one is opened.
mod digest;
mod home;
mod manifest;
mod onnx;
mod pack;
mod space;

// How packs and the runtime come to be there.
mod add;
mod fetch;
mod import;
mod install;
mod preset;
mod pull;
mod runtime;

// What a pack has to compute.
mod golden;

mod word;

#[cfg(test)]
mod synthetic;

pub use add::{AddDetector, AddEmbedder, AddError, AddLandmarks, AddOptions, add, add_manifest};
pub use digest::{Digest, ParseDigestError};
pub use fetch::FetchError;
pub use golden::{GoldenChip, GoldenError, golden};
pub use home::{Home, HomeError};
pub use import::ImportError;
pub use install::InstallError;
pub use manifest::{
    Colour, Detector, DetectorKind, Embedder, FileName, LANDMARK_VALUES, Landmarks, Manifest, ManifestError,
    Metric, PackName, Threshold,
};
pub use onnx::{FirstLayers, InterfaceError};
pub use pack::{Listed, Pack, PackError, PackSummary, list};
pub use preset::EmbedderPreset;
pub use pull::{PullError, PullEvent, PullItem, PullOptions, Pulled, pull};
pub use runtime::{RuntimeError, WheelError};
pub use space::SpaceId;
pub use word::UnknownWord;

/// Name of the pack that [`pull()`] installs and that everything uses unless told otherwise.
pub const DEFAULT_PACK: &str = "face-api";
