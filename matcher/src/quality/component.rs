//! What is measured.
use std::fmt;

use serde::{Deserialize, Serialize};

/// A quality component, named as in ISO/IEC 29794-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Distance between the eye centres.
    InterEyeDistance,
    /// Eye line to chin, as a share of the image's height.
    HeadSize,
    /// Room between the face and the image's left edge, in inter-eye distances.
    LeftwardCrop,
    /// Room between the face and the image's right edge, in inter-eye distances.
    RightwardCrop,
    /// Room above the eyes, in distances from the eye line to the chin.
    MarginAbove,
    /// Room below the eyes, in distances from the eye line to the chin.
    MarginBelow,
    /// Turn to the side, estimated from five points.
    HeadPoseYaw,
    /// Nod, estimated from five points.
    HeadPosePitch,
    /// Tilt to a shoulder, estimated from five points.
    HeadPoseRoll,
    /// Fine detail relative to coarse contrast.
    Sharpness,
    /// Mean brightness of the face.
    LuminanceMean,
    /// Variance of the brightness of the face.
    LuminanceVariance,
    /// Entropy of the brightness of the face.
    DynamicRange,
    /// Share of the face that is almost black.
    UnderExposurePrevention,
    /// Share of the face that is almost white.
    OverExposurePrevention,
}

impl Component {
    /// All components, in the order in which a report lists them.
    pub const ALL: [Self; 15] = [
        Self::InterEyeDistance,
        Self::HeadSize,
        Self::LeftwardCrop,
        Self::RightwardCrop,
        Self::MarginAbove,
        Self::MarginBelow,
        Self::HeadPoseYaw,
        Self::HeadPosePitch,
        Self::HeadPoseRoll,
        Self::Sharpness,
        Self::LuminanceMean,
        Self::LuminanceVariance,
        Self::DynamicRange,
        Self::UnderExposurePrevention,
        Self::OverExposurePrevention,
    ];

    /// The name in configuration, messages and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InterEyeDistance => "inter_eye_distance",
            Self::HeadSize => "head_size",
            Self::LeftwardCrop => "leftward_crop",
            Self::RightwardCrop => "rightward_crop",
            Self::MarginAbove => "margin_above",
            Self::MarginBelow => "margin_below",
            Self::HeadPoseYaw => "head_pose_yaw",
            Self::HeadPosePitch => "head_pose_pitch",
            Self::HeadPoseRoll => "head_pose_roll",
            Self::Sharpness => "sharpness",
            Self::LuminanceMean => "luminance_mean",
            Self::LuminanceVariance => "luminance_variance",
            Self::DynamicRange => "dynamic_range",
            Self::UnderExposurePrevention => "under_exposure_prevention",
            Self::OverExposurePrevention => "over_exposure_prevention",
        }
    }

    /// The unit of the native value.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::InterEyeDistance => "px",
            Self::HeadSize => "image heights",
            Self::LeftwardCrop | Self::RightwardCrop => "inter-eye distances",
            Self::MarginAbove | Self::MarginBelow => "eye-chin distances",
            Self::HeadPoseYaw | Self::HeadPosePitch | Self::HeadPoseRoll => "degrees",
            Self::Sharpness => "ratio",
            Self::LuminanceMean => "share of white",
            Self::LuminanceVariance => "squared share of white",
            Self::DynamicRange => "bits",
            Self::UnderExposurePrevention | Self::OverExposurePrevention => "share of the face",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
