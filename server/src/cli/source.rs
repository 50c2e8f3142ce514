//! Where a probe came from: the flags that become a `ProbeSource`.

use clap::{Args, builder::PossibleValuesParser};
use likeness_proto::v1::{PoolKind, ProbeSource, RequestContext};

use super::pool::Kind;

/// What `--source` accepts, as the service defines it.
pub const SOURCE_TYPES: [&str; 11] = [
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

/// What is recorded when the operator does not say how a probe was acquired: the fact that it was not said.
pub const NOT_STATED: &str = "not stated by operator";

/// How the probe was acquired and for which investigation.
#[derive(Args, Debug)]
pub struct Acquisition {
    /// Power, consent or process the image was acquired under
    #[arg(long, value_name = "TEXT", default_value = NOT_STATED)]
    acquired_under: String,
    /// Investigation or case it belongs to [default: the reference]
    #[arg(long, value_name = "REF")]
    investigation: Option<String>,
    /// Offence or incident type
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    offence_type: String,
    /// Any enhancement or edit made to the image; leave out when there was none
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    edits: String,
    /// Kind of pool that the person in the image is recorded in, for a photograph of a missing person say; leave out for
    /// an image from anywhere else. It decides, with the purpose, which pools may be searched
    #[arg(long, value_enum, value_name = "KIND")]
    origin: Option<Kind>,
}

impl Acquisition {
    /// The source on the wire.
    pub fn wire(&self, source_type: &str, context: &RequestContext) -> ProbeSource {
        ProbeSource {
            source_type: source_type.to_owned(),
            acquired_under: self.acquired_under.clone(),
            investigation_ref: self.investigation.clone().unwrap_or_else(|| context.reference_id.clone()),
            offence_type: self.offence_type.clone(),
            edits: self.edits.clone(),
            origin: self.origin.map_or(PoolKind::Unspecified, PoolKind::from).into(),
        }
    }
}

/// Accepts the source types, with `-` for `_` too.
pub fn source_types() -> PossibleValuesParser {
    PossibleValuesParser::new(SOURCE_TYPES)
}
