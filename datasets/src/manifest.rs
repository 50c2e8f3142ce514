//! The manifest of a rendered data set: one row an image, in the columns `likeness enrol` reads, and the generator's own parameters.
use serde::{Deserialize, Serialize};

use crate::person::{AgeBand, Person, Sex};

/// One row of `manifest.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the person's folder.
    pub subject: String,
    /// Path of the image, relative to the manifest.
    pub image: String,
    /// YYYY-MM-DD; made up, like the person.
    pub capture_date: String,
    /// `synthetic_plain` or `synthetic_cctv`.
    pub capture_circumstance: String,
    /// Generator parameter: `female` or `male` presentation.
    #[serde(rename = "attr.sex")]
    pub sex: String,
    /// Generator parameter: `18-30`, `31-55` or `56+`.
    #[serde(rename = "attr.age_band")]
    pub age_band: String,
    /// Generator parameter: Monk skin tone, `1` to `10`.
    #[serde(rename = "attr.monk_tone")]
    pub monk_tone: String,
}

impl Row {
    /// The row of one capture of `person`.
    #[must_use]
    pub fn of(person: &Person, subject: &str, image: &str, capture: u32, circumstance: &str) -> Self {
        let sex = match person.sex {
            Sex::Female => "female",
            Sex::Male => "male",
        };
        let age_band = match person.age {
            AgeBand::Young => "18-30",
            AgeBand::Middle => "31-55",
            AgeBand::Older => "56+",
        };
        // Dates spread over 2019 to 2024, the same for the same person and capture.
        let day = person.index.wrapping_mul(97).wrapping_add(u64::from(capture) * 211) % (6 * 336);
        Self {
            subject: subject.to_owned(),
            image: image.to_owned(),
            capture_date: format!("{:04}-{:02}-{:02}", 2019 + day / 336, day / 28 % 12 + 1, day % 28 + 1),
            capture_circumstance: circumstance.to_owned(),
            sex: sex.to_owned(),
            age_band: age_band.to_owned(),
            monk_tone: person.monk_tone.to_string(),
        }
    }
}
