//! Why an image is refused: the image's fault, so that trying again with the same image is useless.
use thiserror::Error;

use crate::{
    decode::MediaType,
    detect::Face,
    quality::{Component, QualityReport},
};

/// A refusal of an image. [`Rejection::code`] is stable; the text may be reworded.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Rejection {
    /// No bytes.
    #[error("the image is empty: it has no bytes")]
    Empty,
    /// The file is too long.
    #[error("the image has {bytes} bytes; at most {limit} are accepted")]
    TooManyBytes {
        /// Bytes received.
        bytes: usize,
        /// Bytes accepted.
        limit: usize,
    },
    /// Not a format that is read.
    #[error("the bytes are no image in a known format; send JPEG, PNG, WebP, BMP or TIFF")]
    UnknownFormat,
    /// The file ends too early.
    #[error("the {media_type} image is cut off before its end; send the whole file")]
    Truncated {
        /// The format that its first bytes announce.
        media_type: MediaType,
    },
    /// The decoder refuses the file.
    #[error("the {media_type} image cannot be decoded: {reason}")]
    Undecodable {
        /// The format that its first bytes announce.
        media_type: MediaType,
        /// What the decoder said; at most 200 characters, none of them a control character.
        reason: String,
    },
    /// Too many pixels.
    #[error("the image has {width} x {height} pixels; at most {limit} pixels are accepted")]
    TooManyPixels {
        /// Columns announced by the header.
        width: u32,
        /// Rows announced by the header.
        height: u32,
        /// Pixels accepted.
        limit: u64,
    },
    /// One side is too long.
    #[error("the image has {width} x {height} pixels; a side may have at most {limit}")]
    SideTooLong {
        /// Columns announced by the header.
        width: u32,
        /// Rows announced by the header.
        height: u32,
        /// Longest side accepted.
        limit: u32,
    },
    /// Too small to hold a face.
    #[error("the image has {width} x {height} pixels; both sides need at least {minimum}")]
    TooSmall {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Shortest side accepted.
        minimum: u32,
    },
    /// Decoding would take more memory than the pixel limit stands for.
    #[error(
        "decoding the {media_type} image would take too much memory; send fewer pixels, or 8 bits per channel"
    )]
    TooMuchMemory {
        /// The format that its first bytes announce.
        media_type: MediaType,
    },
    /// The detector found no face.
    #[error("no face was found in the image")]
    NoFace,
    /// Several faces and no choice.
    #[error("the image shows {} faces; choose one by its index or by a box", faces.len())]
    SeveralFaces {
        /// All of them, largest first.
        faces: Vec<Face>,
    },
    /// The index chosen does not exist.
    #[error("face {index} was chosen, but the image shows {}; indices start at 0", faces.len())]
    NoSuchFace {
        /// The index asked for.
        index: usize,
        /// The faces there are, largest first.
        faces: Vec<Face>,
    },
    /// The box chosen lies on no face.
    #[error("the chosen box lies on none of the {} faces in the image", faces.len())]
    NoFaceInBox {
        /// The faces there are, largest first.
        faces: Vec<Face>,
    },
    /// The box chosen is no box.
    #[error("the chosen box is no box: its four numbers must be finite, and width and height above 0")]
    BoxUnusable,
    /// The points on the face are not those of a face.
    #[error("eyes, nose and mouth of the chosen face could not be located")]
    NoLandmarks,
    /// A quality measure is below what the pool's policy accepts.
    #[error("the image's quality is below the pool's policy: {}", listed(refused))]
    QualityBelowPolicy {
        /// All measures.
        report: QualityReport,
        /// Those that the policy refuses.
        refused: Vec<Component>,
    },
    /// The network gave no finite numbers for this image.
    #[error("the face could not be turned into finite numbers")]
    NotFinite,
}

fn listed(components: &[Component]) -> String {
    components.iter().map(|component| component.name()).collect::<Vec<_>>().join(", ")
}

impl Rejection {
    /// A stable name for machines, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooManyBytes { .. } => "too_many_bytes",
            Self::UnknownFormat => "unknown_format",
            Self::Truncated { .. } => "truncated",
            Self::Undecodable { .. } => "undecodable",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::SideTooLong { .. } => "side_too_long",
            Self::TooSmall { .. } => "too_small",
            Self::TooMuchMemory { .. } => "too_much_memory",
            Self::NoFace => "no_face",
            Self::SeveralFaces { .. } => "several_faces",
            Self::NoSuchFace { .. } => "no_such_face",
            Self::NoFaceInBox { .. } => "no_face_in_box",
            Self::BoxUnusable => "box_unusable",
            Self::NoLandmarks => "no_landmarks",
            Self::QualityBelowPolicy { .. } => "quality_below_policy",
            Self::NotFinite => "not_finite",
        }
    }

    /// The faces to choose from, where the refusal is about the choice; empty otherwise.
    #[must_use]
    pub fn faces(&self) -> &[Face] {
        match self {
            Self::SeveralFaces { faces } | Self::NoSuchFace { faces, .. } | Self::NoFaceInBox { faces } => {
                faces
            }
            _ => &[],
        }
    }
}
