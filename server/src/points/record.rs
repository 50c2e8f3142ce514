//! What an operating point says: everything that gives a threshold its meaning, in one record.
use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::pool::PoolKind;

/// Version of the record that this program writes and reads.
pub const FORMAT: u32 = 1;

/// `op-` and the first 16 hexadecimal digits of the record's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId(String);

impl PointId {
    /// The id of the record with this text.
    pub fn of(text: &str) -> PointId {
        PointId(format!("op-{}", hex::encode(&Sha256::digest(text.as_bytes())[..8])))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not the id of an operating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an operating point's id is `op-` and 16 hexadecimal digits; `likeness operating-point list` shows them"
)]
pub struct PointIdError;

impl FromStr for PointId {
    type Err = PointIdError;

    fn from_str(text: &str) -> Result<Self, PointIdError> {
        let digits = text.strip_prefix("op-").ok_or(PointIdError)?;
        let hexadecimal = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if digits.len() == 16 && hexadecimal { Ok(PointId(text.to_owned())) } else { Err(PointIdError) }
    }
}

/// The algorithm that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Name of the model pack.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// Its space, hex: the record holds for no other.
    pub space_id: String,
    /// Digest of the whole pack, hex.
    pub digest: String,
}

/// The pools a record may be used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Kinds of pool.
    pub pool_kinds: BTreeSet<PoolKind>,
    /// Purpose codes.
    pub use_cases: BTreeSet<String>,
    /// Fewest searchable images in the pool.
    pub gallery_from: u64,
    /// Most searchable images in the pool: never more than were measured.
    pub gallery_to: u64,
}

/// A measured rate with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Searches that went wrong.
    pub count: u64,
    /// Searches made; at least 1.
    pub of: u64,
    /// `count / of`.
    pub rate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// A rate in one demographic group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRate {
    /// For example `sex=female, age_band=60+`.
    pub group: String,
    /// In this group.
    pub rate: Rate,
}

/// Where the rates are worst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorstGroups {
    /// The group with the highest FPIR at the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fpir: Option<GroupRate>,
    /// The group with the highest FNIR at the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fnir: Option<GroupRate>,
    /// Groups too small to be judged, by the smallest number of searches that counts.
    pub left_out: u64,
    /// Why there are no groups, as the tester said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_measured: Option<String>,
}

/// The curve at one gallery size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredSize {
    /// Images enrolled with a template: what a pool's size is compared with.
    pub references: u64,
    /// People enrolled.
    pub subjects: u64,
    /// Searches for people who are enrolled.
    pub mated_searches: u64,
    /// Searches for people who are not.
    pub non_mated_searches: u64,
    /// Ascending by threshold.
    pub rows: Vec<CurveRow>,
}

/// One step of the curve, as counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveRow {
    /// A similarity.
    pub threshold: f64,
    /// Non-mated searches with a candidate at or above it.
    pub false_positives: u64,
    /// Mated searches whose mate was not found at or above it.
    pub missed: u64,
}

/// What the numbers come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Name of the data set.
    pub data_set: String,
    /// Its digest, hex.
    pub data_set_digest: String,
    /// True when its people are synthetic.
    pub synthetic: bool,
    /// SHA-256 of the run's `metrics.json`, hex.
    pub report_id: String,
    /// Identity of what was measured, hex.
    pub run_digest: String,
    /// The tool and its version.
    pub tool: String,
}

/// An operating point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Version of this form.
    pub format: u32,
    /// With which algorithm.
    pub algorithm: Measured,
    /// For what it may be used.
    pub applies_to: Use,
    /// At or above it, a candidate is shown in identification mode.
    pub threshold: f64,
    /// The FPIR that was asked for.
    pub target_fpir: f64,
    /// Non-mated searches with a candidate at or above the threshold, at the size measured for `gallery_to`.
    pub fpir: Rate,
    /// Mated searches whose mate was not found at or above it, at that size.
    pub fnir: Rate,
    /// The same in the worst groups.
    pub worst: WorstGroups,
    /// Of every interval.
    pub confidence: f64,
    /// Longest candidate list of the measured searches.
    pub list_length: u64,
    /// Ascending by gallery size.
    pub curve: Vec<MeasuredSize>,
    /// Where it comes from.
    pub evidence: Evidence,
    /// True: not for operational use.
    pub demonstration_only: bool,
    /// The id of the person who is asked to approve it.
    pub approver: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Last day of validity, UTC.
    pub expires_on: Date,
}
