//! The one algorithm this server runs: its model pack, and the matcher when images are to be worked on.
use likeness_matcher::{
    detect::Face,
    pipeline::{AnalyseError, Analysed, Matcher},
    quality::{QualityPolicy, QualityReport},
    select::Selection,
};
use likeness_models::{Metric, Pack, SpaceId, Threshold};

use super::{MATCHER_VERSION, Refusal};
use crate::pool::Geometry;

/// The exact algorithm behind a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithm {
    /// Name of the model pack.
    pub pack: String,
    /// Its space, hex.
    pub space_id: String,
    /// Version of the matcher library.
    pub matcher_version: String,
}

/// The face of a probe that was worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeFace {
    /// All faces, largest first.
    pub faces: Vec<Face>,
    /// The one that was used.
    pub chosen: usize,
    /// Its quality.
    pub quality: QualityReport,
}

impl ProbeFace {
    pub(super) fn of(analysed: &Analysed) -> Self {
        ProbeFace {
            faces: analysed.faces.clone(),
            chosen: analysed.chosen,
            quality: analysed.quality.clone(),
        }
    }
}

/// The pack, and the matcher that runs it.
pub struct Engine {
    pack: String,
    space: SpaceId,
    dimension: usize,
    metric: Metric,
    threshold: Threshold,
    /// Absent when the data directory was opened for administration only.
    matcher: Option<Matcher>,
}

impl Engine {
    pub(super) fn new(pack: &Pack, matcher: Option<Matcher>) -> Engine {
        let manifest = pack.manifest();
        Engine {
            pack: manifest.name.to_string(),
            space: pack.space_id(),
            dimension: manifest.embedder.dimension as usize,
            metric: manifest.embedder.metric,
            threshold: manifest.threshold.clone(),
            matcher,
        }
    }

    /// Name of the pack.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// Space of the pack.
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// Values per template.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How templates compare.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The pack's published one-to-one threshold.
    pub fn threshold(&self) -> &Threshold {
        &self.threshold
    }

    /// The algorithm, as told to callers.
    pub fn algorithm(&self) -> Algorithm {
        Algorithm {
            pack: self.pack.clone(),
            space_id: self.space.to_string(),
            matcher_version: MATCHER_VERSION.to_owned(),
        }
    }

    /// What pools need to know of it.
    pub(super) fn geometry(&self) -> Geometry {
        Geometry {
            pack: self.pack.clone(),
            space: self.space,
            dimension: self.dimension,
            metric: self.metric,
        }
    }

    /// What a similarity of this pack means, in words.
    pub fn similarity_meaning(&self) -> String {
        let scale = match self.metric {
            Metric::Euclidean => "1 minus the Euclidean distance of the two descriptors",
            Metric::Cosine => "the cosine of the angle between the two descriptors",
        };
        format!(
            "{scale}: 1 is identical, larger is more alike; comparable only within model pack `{}`, and not a probability. \
             The pack's one-to-one threshold is {}: {} (source: {})",
            self.pack, self.threshold.similarity, self.threshold.meaning, self.threshold.source
        )
    }

    pub(super) fn analyse(
        &self,
        image: &[u8],
        selection: &Selection,
        policy: &QualityPolicy,
    ) -> Result<Analysed, Refusal> {
        Ok(self.try_analyse(image, selection, policy)??)
    }

    /// As [`Engine::analyse`], with what the image is at fault for kept apart.
    pub(super) fn try_analyse(
        &self,
        image: &[u8],
        selection: &Selection,
        policy: &QualityPolicy,
    ) -> Result<Result<Analysed, AnalyseError>, Refusal> {
        match &self.matcher {
            Some(matcher) => Ok(matcher.analyse(image, selection, policy)),
            None => Err(Refusal::new(
                super::RefusalKind::Unavailable,
                "matcher_not_loaded",
                "the data directory is open for administration only; start the server",
            )),
        }
    }
}
