//! Where a probe came from (R43a).
use super::fields::Fields;
use crate::authorise::Origin;

/// Kinds of source.
const SOURCE_TYPES: [&str; 11] = [
    "cctv",
    "body_worn_video",
    "social_media",
    "doorbell",
    "witness",
    "custody",
    "mobile_phone",
    "document",
    "family",
    "mortuary",
    "other",
];

/// The provenance of a probe as it was sent; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeSource {
    /// One of the source types.
    pub source_type: String,
    /// The power, consent or process it was acquired under, 1 to 256 characters.
    pub acquired_under: String,
    /// The investigation or case it belongs to, 1 to 128 characters.
    pub investigation_ref: String,
    /// Offence or incident type, to 128 characters; may be empty.
    pub offence_type: String,
    /// Edits made to the probe, to 512 characters; empty means none.
    pub edits: String,
    /// The kind of pool that the person in the probe is recorded in (R49); [`Origin::Scene`] for an image from elsewhere.
    pub origin: Origin,
    /// True when the request names an origin that does not exist: refused, and not taken for a scene.
    pub unknown_origin: bool,
}

impl ProbeSource {
    /// Longest of each field, in characters, in the order above.
    pub(super) const MOST: [usize; 5] = [32, 256, 128, 128, 512];

    pub(super) fn check(&self, fields: &mut Fields) {
        let [source_type, acquired, investigation, offence, edits] = Self::MOST;
        if !self.source_type.is_empty() && !SOURCE_TYPES.contains(&self.source_type.as_str()) {
            fields.wrong(format!("`source.source_type` is not one of: {}", SOURCE_TYPES.join(", ")));
        } else {
            fields.text("source.source_type", &self.source_type, 1, source_type);
        }
        if self.unknown_origin {
            fields.wrong("`source.origin` is not one of the kinds of pool");
        }
        fields.text("source.acquired_under", &self.acquired_under, 1, acquired);
        fields.text("source.investigation_ref", &self.investigation_ref, 1, investigation);
        fields.optional("source.offence_type", &self.offence_type, offence);
        fields.optional("source.edits", &self.edits, edits);
    }
}
