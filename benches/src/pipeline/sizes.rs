//! Images of the sizes that a service meets.

use clap::ValueEnum;
use likeness_datasets::{Capture, Person, encode_jpeg, render};
use rayon::prelude::*;
use serde::Serialize;

/// JPEG quality of the images.
const JPEG_QUALITY: u8 = 90;

/// A size of image: one synthetic person in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// 150 x 150 pixels, as data sets have them.
    Small,
    /// 600 x 800 pixels, as custody suites have them.
    Portrait,
    /// 4000 x 3000 pixels, as telephones have them; the face is a quarter of the picture's height.
    Large,
}

impl Size {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Small => "small (150 x 150)",
            Self::Portrait => "portrait (600 x 800)",
            Self::Large => "large (4000 x 3000)",
        }
    }

    /// How many are rendered unless it is said: large ones take seconds each.
    pub(super) fn usual_number(self) -> usize {
        match self {
            Self::Small | Self::Portrait => 48,
            Self::Large => 12,
        }
    }

    /// So many images, as JPEG files: plain captures, taken with a camera of this size.
    pub(super) fn images(self, seed: u64, number: usize) -> anyhow::Result<Vec<Vec<u8>>> {
        let one = |index: usize| {
            let person = Person::from_seed(seed, index as u64);
            let mut capture = Capture::plain(seed, &person, 0);
            (capture.width, capture.height) = match self {
                Self::Small => (150, 150),
                Self::Portrait => (600, 800),
                Self::Large => (4000, 3000),
            };
            if self == Self::Large {
                capture.face_share = 0.1;
            }
            Ok(encode_jpeg(&render(&person, &capture), JPEG_QUALITY)?)
        };
        (0..number).into_par_iter().map(one).collect()
    }
}
