//! The words for the closed sets of a manifest, for command lines: one spelling, the manifest's.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::manifest::{Colour, DetectorKind, Metric};
use crate::preset::EmbedderPreset;

/// The word is none of those there are.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{word}` is no {what}: use one of {allowed}")]
pub struct UnknownWord {
    /// What was given, shortened.
    pub word: String,
    /// What kind of word was expected.
    pub what: &'static str,
    /// The words there are.
    pub allowed: &'static str,
}

macro_rules! words {
    ($type:ty, $what:literal, $allowed:literal, { $($variant:ident => $word:literal),+ }) => {
        impl $type {
            /// The word used in manifests and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord {
                        word: text.chars().take(32).flat_map(char::escape_debug).collect(),
                        what: $what,
                        allowed: $allowed,
                    }),
                }
            }
        }
    };
}

words!(DetectorKind, "kind of detector", "tiny_face, yunet, scrfd", {
    TinyFace => "tiny_face", YuNet => "yunet", Scrfd => "scrfd"
});
words!(Colour, "colour order", "rgb, bgr", { Rgb => "rgb", Bgr => "bgr" });
words!(Metric, "metric", "euclidean, cosine", { Euclidean => "euclidean", Cosine => "cosine" });
words!(EmbedderPreset, "family of embedders", "arcface112, sface, dlib150", {
    Arcface112 => "arcface112", Sface => "sface", Dlib150 => "dlib150"
});
