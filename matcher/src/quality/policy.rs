//! What a pool accepts.
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Component, Measure};

/// Bounds on one component's mapped value, or on the lowest of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityLimit {
    /// The component; absent for the lowest of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Component>,
    /// Below this the image is refused. 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse_below: Option<u8>,
    /// Below this the image is accepted with a mark. 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag_below: Option<u8>,
}

/// The limits of a pool. Of several on one component each holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPolicy", into = "RawPolicy")]
pub struct QualityPolicy {
    limits: Vec<QualityLimit>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    limits: Vec<QualityLimit>,
}

/// Why a policy is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// A bound above 100 would refuse or mark everything.
    #[error("a quality limit of {0} is out of range; limits are 0 to 100")]
    OutOfRange(u8),
    /// A limit without a bound does nothing, which is not what was meant.
    #[error("a quality limit has neither `refuse_below` nor `flag_below`; give one or both")]
    Empty,
}

impl QualityPolicy {
    /// A policy of these limits. An empty list accepts everything that has a face.
    ///
    /// # Errors
    /// When a bound is above 100, or a limit has no bound.
    pub fn new(limits: Vec<QualityLimit>) -> Result<Self, PolicyError> {
        for limit in &limits {
            let bounds = [limit.refuse_below, limit.flag_below];
            if let Some(&bound) = bounds.iter().flatten().find(|&&bound| bound > 100) {
                return Err(PolicyError::OutOfRange(bound));
            }
            if bounds.iter().all(Option::is_none) {
                return Err(PolicyError::Empty);
            }
        }
        Ok(Self { limits })
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &[QualityLimit] {
        &self.limits
    }

    /// Which components the limits refuse and which they mark, each named once.
    pub(super) fn apply(&self, measures: &[Measure]) -> Verdict {
        let mut verdict = Verdict::default();
        for limit in &self.limits {
            let bounded = match limit.component {
                Some(component) => measures.iter().find(|measure| measure.component == component),
                None => measures.iter().min_by_key(|measure| measure.scalar),
            };
            let Some(measure) = bounded else { continue };
            let below = |bound: Option<u8>| bound.is_some_and(|bound| measure.scalar < bound);
            let list = if below(limit.refuse_below) {
                &mut verdict.refused
            } else if below(limit.flag_below) {
                &mut verdict.flagged
            } else {
                continue;
            };
            if !list.contains(&measure.component) {
                list.push(measure.component);
            }
        }
        verdict
    }
}

impl Default for QualityPolicy {
    /// Refuses only what no embedder makes sense of: eyes less than 13 pixels apart, and a face of one tone. Marks what
    /// makes errors likelier. Refusing more is a choice that depends on the pool: a poor image of an unidentified
    /// person may be all there is.
    fn default() -> Self {
        let limit = |component, refuse_below, flag_below| QualityLimit {
            component: Some(component),
            refuse_below,
            flag_below: Some(flag_below),
        };
        let limits = vec![
            limit(Component::InterEyeDistance, Some(5), 25),
            limit(Component::DynamicRange, Some(20), 60),
            limit(Component::HeadPoseYaw, None, 60),
            limit(Component::HeadPosePitch, None, 60),
            limit(Component::HeadPoseRoll, None, 60),
            limit(Component::Sharpness, None, 25),
            limit(Component::LuminanceMean, None, 25),
            limit(Component::LuminanceVariance, None, 25),
            limit(Component::UnderExposurePrevention, None, 50),
            limit(Component::OverExposurePrevention, None, 50),
        ];
        Self { limits }
    }
}

impl TryFrom<RawPolicy> for QualityPolicy {
    type Error = PolicyError;

    fn try_from(raw: RawPolicy) -> Result<Self, PolicyError> {
        Self::new(raw.limits)
    }
}

impl From<QualityPolicy> for RawPolicy {
    fn from(policy: QualityPolicy) -> Self {
        Self { limits: policy.limits }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) refused: Vec<Component>,
    pub(super) flagged: Vec<Component>,
}
