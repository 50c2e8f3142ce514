#![doc = include_str!("../README.md")]
// Images are counted in pixels far below 2^24, and every cast back from float is bounded by a check or saturates.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "pixel arithmetic"
)]

// The stages, in the order of the flow; blank lines keep the formatter from sorting them.
pub mod decode;

pub mod detect;

pub mod select;

pub mod landmarks;

pub mod align;

pub mod quality;

pub mod embed;

pub mod index;

// The whole flow, and what it stands on.
pub mod fault;
pub mod pipeline;
pub mod rejection;
pub mod runtime;
mod spare;
pub mod verify;

pub use decode::{Limits, MediaType};
pub use detect::{BoundingBox, Face};
pub use embed::{Embedding, similarity};
pub use fault::Fault;
pub use pipeline::{AnalyseError, Analysed, Matcher, MatcherOptions, StageTimes};
pub use quality::{Component, QualityLimit, QualityPolicy, QualityReport};
pub use rejection::Rejection;
pub use select::Selection;
