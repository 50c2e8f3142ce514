//! What can be tested: a model pack, or any other matcher behind a process. The shape follows NIST's 1:N interface.

use std::num::NonZeroUsize;

use anyhow::Context as _;
use likeness_matcher::embed::{Embedding, similarity};
use likeness_matcher::index::{
    CertifiedIndex, IndexRead as _, IndexRow, IndexWrite as _, RowKey, SubjectKey,
};
use likeness_matcher::{AnalyseError, BoundingBox, Matcher, MatcherOptions, QualityPolicy, Selection};
use likeness_models::{Home, Metric, Pack, SpaceId};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::description::Description;
use super::one_to_many::Candidate;
use super::process::Process;
use super::record::PackRecord;

/// Probes that share one pass over the gallery.
const BATCH: usize = 64;

/// What a template is for. NIST: `Enrollment_1N` and `Search_1N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To be searched among.
    Reference,
    /// To be searched for.
    Probe,
}

/// What became of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The template, opaque to everyone but the algorithm; or the code of the refusal.
    pub template: Result<Vec<u8>, String>,
    /// Mapped quality, 0 to 100, in the order of [`Algorithm::quality_names`]. Empty where not told.
    pub quality: Vec<u8>,
}

/// Something that makes templates and compares them. All methods may be called from any number of threads.
pub trait Algorithm: Sync {
    /// Name, version and digest.
    fn record(&self) -> &PackRecord;

    /// The threshold it is published with, one-to-one.
    fn own_threshold(&self) -> Option<f64>;

    /// Names of the quality measures it gives.
    fn quality_names(&self) -> Vec<String>;

    /// Makes a template of the largest face, or of the one in the box (left, top, width, height in pixels).
    ///
    /// # Errors
    /// When the algorithm itself fails; an image it refuses is no error.
    fn make(&self, image: &[u8], face: Option<[f32; 4]>, role: Role) -> anyhow::Result<Made>;

    /// How alike two templates are: larger is more alike.
    ///
    /// # Errors
    /// When the algorithm fails.
    fn compare(&self, probe: &[u8], reference: &[u8]) -> anyhow::Result<f64>;

    /// Adds templates, given with the numbers of their subjects, and searches for every probe: the best `limit` subjects.
    ///
    /// The answer covers at least what this call adds; it may cover what earlier calls added. The caller merges.
    ///
    /// # Errors
    /// When the algorithm fails.
    fn search(
        &self,
        added: &[(u32, Vec<u8>)],
        probes: &[Option<Vec<u8>>],
        limit: usize,
        done: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<Vec<Vec<Candidate>>>;
}

/// The algorithm that a run names.
///
/// # Errors
/// When the pack is not installed, or the program cannot be started.
pub fn open(description: &Description) -> anyhow::Result<Box<dyn Algorithm>> {
    Ok(match &description.matcher {
        Some(command) => Box::new(Process::start(command)?),
        None => {
            Box::new(Installed::open(description.pack.as_deref().unwrap_or(likeness_models::DEFAULT_PACK))?)
        }
    })
}

/// Name, version and digests of an installed pack.
///
/// # Errors
/// When there is no such pack.
pub fn pack_record(name: &str) -> anyhow::Result<PackRecord> {
    record_of(&Pack::open(&Home::locate()?, name)?)
}

fn record_of(pack: &Pack) -> anyhow::Result<PackRecord> {
    let manifest = pack.manifest();
    let metric = match manifest.embedder.metric {
        Metric::Euclidean => "euclidean",
        Metric::Cosine => "cosine",
    };
    Ok(PackRecord {
        name: manifest.name.as_str().to_owned(),
        version: manifest.version.clone(),
        space_id: Some(pack.space_id().to_string()),
        digest: hex::encode(Sha256::digest(manifest.to_toml()?)),
        metric: Some(metric.to_owned()),
    })
}

/// An installed model pack.
struct Installed {
    record: PackRecord,
    matcher: Matcher,
    policy: QualityPolicy,
    templates: Templates,
}

impl Installed {
    fn open(name: &str) -> anyhow::Result<Self> {
        let home = Home::locate()?;
        let pack = Pack::open(&home, name)?;
        let matcher = Matcher::open(&pack, &home.runtime_library()?, &MatcherOptions::default())?;
        Ok(Self {
            record: record_of(&pack)?,
            templates: Templates {
                space: pack.space_id(),
                dimension: matcher.dimension(),
                metric: matcher.metric(),
            },
            matcher,
            policy: QualityPolicy::default(),
        })
    }
}

impl Algorithm for Installed {
    fn record(&self) -> &PackRecord {
        &self.record
    }

    fn own_threshold(&self) -> Option<f64> {
        Some(self.matcher.threshold().similarity)
    }

    fn quality_names(&self) -> Vec<String> {
        likeness_matcher::Component::ALL.iter().map(|component| component.name().to_owned()).collect()
    }

    fn make(&self, image: &[u8], face: Option<[f32; 4]>, _role: Role) -> anyhow::Result<Made> {
        let selection = match face {
            // NIST: the largest face is the one in the foreground.
            None => Selection::Largest,
            Some([left, top, width, height]) => Selection::Box(BoundingBox { left, top, width, height }),
        };
        match self.matcher.analyse(image, &selection, &self.policy) {
            Ok(analysed) => Ok(Made {
                template: Ok(bytes(analysed.embedding.values())),
                quality: analysed.quality.measures.iter().map(|measure| measure.scalar).collect(),
            }),
            Err(AnalyseError::Rejected(rejection)) => {
                Ok(Made { template: Err(rejection.code().to_owned()), quality: Vec::new() })
            }
            Err(AnalyseError::Fault(fault)) => Err(fault.into()),
        }
    }

    fn compare(&self, probe: &[u8], reference: &[u8]) -> anyhow::Result<f64> {
        self.templates.compare(probe, reference)
    }

    fn search(
        &self,
        added: &[(u32, Vec<u8>)],
        probes: &[Option<Vec<u8>>],
        limit: usize,
        done: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<Vec<Vec<Candidate>>> {
        self.templates.search(added, probes, limit, done)
    }
}

/// Templates of a known space, without the networks that make them.
#[derive(Clone, Copy, Debug)]
pub struct Templates {
    /// Which pack's.
    pub space: SpaceId,
    /// Values of each.
    pub dimension: usize,
    /// How they compare.
    pub metric: Metric,
}

impl Templates {
    /// As [`Algorithm::compare`].
    ///
    /// # Errors
    /// When a template has another length.
    pub fn compare(&self, probe: &[u8], reference: &[u8]) -> anyhow::Result<f64> {
        let (probe, reference) = (self.embedding(probe)?, self.embedding(reference)?);
        Ok(similarity(probe.values(), reference.values(), self.metric))
    }

    fn embedding(&self, template: &[u8]) -> anyhow::Result<Embedding> {
        Ok(Embedding::from_stored(self.space, values(template), self.dimension)?)
    }

    /// As [`Algorithm::search`]: exact, in an index of what was added only.
    ///
    /// # Errors
    /// When a template has another length, or memory runs out.
    pub fn search(
        &self,
        added: &[(u32, Vec<u8>)],
        probes: &[Option<Vec<u8>>],
        limit: usize,
        done: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<Vec<Vec<Candidate>>> {
        // One thread a search: there are more probes than cores.
        let index =
            CertifiedIndex::new(self.space, self.dimension, self.metric)?.with_threads(NonZeroUsize::MIN);
        let embeddings: Vec<Embedding> =
            added.par_iter().map(|(_, template)| self.embedding(template)).collect::<anyhow::Result<_>>()?;
        let rows: Vec<IndexRow<'_>> = (0..)
            .zip(added.iter().zip(&embeddings))
            .map(|(row, ((subject, _), embedding))| IndexRow {
                row: RowKey(row),
                subject: SubjectKey(u64::from(*subject)),
                embedding,
            })
            .collect();
        index.insert(&rows).context("the gallery cannot be indexed")?;
        let batch = |probes: &[Option<Vec<u8>>]| {
            let embeddings: Vec<Option<Embedding>> = probes
                .iter()
                .map(|probe| probe.as_ref().map(|probe| self.embedding(probe)).transpose())
                .collect::<anyhow::Result<_>>()?;
            let made: Vec<&Embedding> = embeddings.iter().flatten().collect();
            let mut lists = index.search_batch(&made, limit, None)?.into_iter();
            done(probes.len() as u64);
            let candidates = |probe: &Option<Embedding>| match probe {
                None => Vec::new(),
                Some(_) => lists
                    .next()
                    .unwrap_or_default()
                    .into_iter()
                    .map(|hit| Candidate {
                        subject: u32::try_from(hit.subject.0).unwrap_or(u32::MAX),
                        score: hit.similarity,
                    })
                    .collect(),
            };
            Ok(embeddings.iter().map(candidates).collect::<Vec<_>>())
        };
        let lists: Vec<Vec<Vec<Candidate>>> =
            probes.par_chunks(BATCH).map(batch).collect::<anyhow::Result<_>>()?;
        Ok(lists.into_iter().flatten().collect())
    }
}

/// A template as bytes.
#[must_use]
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn values(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}
