//! Pipeline: the whole way from bytes to an embedding.

mod gate;
mod models;
#[cfg(test)]
mod tests;
mod times;

use std::{path::Path, time::Duration};

use likeness_models::{Manifest, Metric, Pack, SpaceId, Threshold};
use thiserror::Error;

pub use models::Models;
pub use times::StageTimes;

use crate::{
    align::align,
    decode::{Image, Limits, MediaType, decode},
    detect::{Detection, Detector, Face, FivePoints},
    embed::{EmbedError, Embedder, Embedding},
    fault::Fault,
    landmarks::Landmarker,
    quality::{self, QualityPolicy, QualityReport},
    rejection::Rejection,
    runtime::PoolSize,
    select::{Selection, select},
};
use gate::Gate;
use times::Clock;

/// How much a matcher may take, of the machine and of its callers' time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatcherOptions {
    /// Images worked on at a time, each with its own sessions. 1 to 1,024.
    pub sessions: usize,
    /// Callers that may wait for their turn; one more is refused with [`Fault::Busy`]. At most 65,536.
    pub queue: usize,
    /// What an image may cost.
    pub limits: Limits,
    /// Longest wait for a turn, and longest time for one inference. At most an hour.
    pub wait: Duration,
}

impl Default for MatcherOptions {
    /// One session per processor, a queue of 256, the default [`Limits`], half a minute.
    fn default() -> Self {
        let sessions = std::thread::available_parallelism().map_or(1, usize::from);
        Self { sessions, queue: 256, limits: Limits::default(), wait: Duration::from_secs(30) }
    }
}

/// An image that was turned into an embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysed {
    /// All faces found, largest first.
    pub faces: Vec<Face>,
    /// Which of them was embedded.
    pub chosen: usize,
    /// True when it was chosen for its size only ([`Selection::Largest`]): nobody pointed at it.
    pub selected_largest: bool,
    /// What was measured, and what the policy flags.
    pub quality: QualityReport,
    /// The chosen face.
    pub embedding: Embedding,
    /// The five points that the face was aligned by, in pixels of the upright image.
    pub points: FivePoints,
    /// The file's format.
    pub media_type: MediaType,
    /// Columns of the upright image.
    pub width: u32,
    /// Rows of the upright image.
    pub height: u32,
}

/// Why an image did not become an embedding.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AnalyseError {
    /// The image's fault: the same bytes will be refused again.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Ours: the same bytes may succeed later.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<EmbedError> for AnalyseError {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Rejected(rejection) => Self::Rejected(rejection),
            EmbedError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// A model pack ready to work. Share it: all methods take `&self` and may be called from any number of threads.
///
/// Its methods block: an asynchronous caller runs them on threads of its own.
pub struct Matcher {
    detector: Detector,
    landmarker: Landmarker,
    embedder: Embedder,
    template: FivePoints,
    size: u32,
    threshold: Threshold,
    limits: Limits,
    gate: Gate,
}

impl Matcher {
    /// Loads the pack's networks into ONNX Runtime, which is itself loaded from `runtime` once per process.
    ///
    /// # Errors
    /// [`Fault::Runtime`] and [`Fault::RuntimeDiffers`] about the library, [`Fault::Model`] when a network is not what
    /// the manifest promises, [`Fault::Options`] when a setting is out of range.
    pub fn open(pack: &Pack, runtime: &Path, options: &MatcherOptions) -> Result<Self, Fault> {
        let size = PoolSize { sessions: options.sessions, queue: options.queue, wait: options.wait };
        let models = Models::load(pack, runtime, size)?;
        Self::with_models(pack.manifest(), models, options)
    }

    /// A matcher on networks that run elsewhere: another engine, or one that records or measures.
    ///
    /// # Errors
    /// As [`Matcher::open`]; each network is run once to check its outputs.
    pub fn with_models(manifest: &Manifest, models: Models, options: &MatcherOptions) -> Result<Self, Fault> {
        let landmarker = match (&manifest.landmarks, models.landmarks) {
            (Some(manifest), Some(network)) => Landmarker::with_network(manifest, network)?,
            _ => Landmarker::from_detector(),
        };
        Ok(Self {
            detector: Detector::new(&manifest.detector, models.detector)?,
            landmarker,
            embedder: Embedder::new(&manifest.embedder, manifest.space_id(), models.embedder)?,
            template: manifest.embedder.template,
            size: manifest.embedder.size,
            threshold: manifest.threshold.clone(),
            limits: options.limits,
            gate: Gate::new(options.sessions, options.queue, options.wait)?,
        })
    }

    /// Turns an image file into an embedding of one of its faces.
    ///
    /// Waits for its turn and for each inference no longer than the options allow.
    ///
    /// # Errors
    /// [`AnalyseError::Rejected`] when the image is at fault, [`AnalyseError::Fault`] when we are.
    pub fn analyse(
        &self,
        image: &[u8],
        selection: &Selection,
        policy: &QualityPolicy,
    ) -> Result<Analysed, AnalyseError> {
        self.analyse_timed(image, selection, policy).map(|(analysed, _)| analysed)
    }

    /// [`Matcher::analyse`], and where the time went.
    ///
    /// # Errors
    /// As [`Matcher::analyse`].
    pub fn analyse_timed(
        &self,
        bytes: &[u8],
        selection: &Selection,
        policy: &QualityPolicy,
    ) -> Result<(Analysed, StageTimes), AnalyseError> {
        let mut clock = Clock::start();
        let mut times = StageTimes::default();
        // Held to the end: it bounds the decoded images in memory as well as the work.
        let _turn = self.gate.enter()?;
        times.wait = clock.lap();
        let (image, media_type) = decode(bytes, &self.limits)?;
        times.decode = clock.lap();
        let detections = self.detector.detect(&image)?;
        times.detect = clock.lap();
        let chosen = select(&detections, selection)?;
        let points = self.landmarker.locate(&image, &detections[chosen])?.ok_or(Rejection::NoLandmarks)?;
        times.landmarks = clock.lap();
        let chip = align(&image, &points.five, &self.template, self.size).ok_or(Rejection::NoLandmarks)?;
        times.align = clock.lap();
        let measures = quality::measure(&image, &points.five).ok_or(Rejection::NoLandmarks)?;
        let passed = quality::judge(chip, measures, policy)?;
        times.quality = clock.lap();
        let embedding = self.embedder.embed(&passed)?;
        times.embed = clock.lap();
        let analysed = Analysed {
            faces: detections.iter().map(Detection::face).collect(),
            chosen,
            selected_largest: *selection == Selection::Largest,
            quality: passed.report().clone(),
            embedding,
            points: points.five,
            media_type,
            width: image.width(),
            height: image.height(),
        };
        Ok((analysed, times))
    }

    /// The faces in an image, largest first, without choosing or embedding one. Empty when there is none.
    ///
    /// # Errors
    /// As [`Matcher::analyse`], for decoding and detection.
    pub fn find_faces(&self, image: &[u8]) -> Result<Vec<Face>, AnalyseError> {
        let _turn = self.gate.enter()?;
        let (image, _) = decode(image, &self.limits)?;
        Ok(self.detector.detect(&image)?.iter().map(Detection::face).collect())
    }

    /// The space of this matcher's embeddings.
    #[must_use]
    pub fn space_id(&self) -> SpaceId {
        self.embedder.space()
    }

    /// Values per embedding.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.embedder.dimension()
    }

    /// How embeddings compare.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.embedder.metric()
    }

    /// The pack's operating point: a similarity, who measured it, and what it means.
    #[must_use]
    pub fn threshold(&self) -> &Threshold {
        &self.threshold
    }

    /// The raw descriptor of a ready chip. See [`crate::verify`].
    pub(crate) fn descriptor(&self, chip: &Image) -> Result<Vec<f32>, Fault> {
        let _turn = self.gate.enter()?;
        self.embedder.descriptor(chip)
    }

    /// The 68 points on a ready chip, when the pack locates them. See [`crate::verify`].
    pub(crate) fn landmarks(&self, chip: &Image) -> Result<Option<Vec<[f32; 2]>>, Fault> {
        let _turn = self.gate.enter()?;
        self.landmarker.on_chip(chip)
    }
}
