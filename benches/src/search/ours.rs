//! The certified index under measurement.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context as _;
use likeness_matcher::embed::Embedding;
use likeness_matcher::index::certified::{Question, Wanted};
use likeness_matcher::index::{CertifiedIndex, Hit, IndexRow, IndexWrite as _, RowKey, SubjectKey};

use crate::gallery::{Gallery, Reference, embedding, space};

/// Where the templates in full precision lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Memory,
    Sealed,
}

impl Tier {
    /// Bytes of memory per template. What is measured is told beside it.
    pub(crate) fn stated_bytes(self, dimension: usize) -> usize {
        let codes = dimension + 100;
        match self {
            Self::Memory => codes + 4 * dimension,
            Self::Sealed => codes,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sealed => "sealed file",
        }
    }
}

pub(crate) struct Ours {
    index: Option<CertifiedIndex>,
}

/// What a batch was answered.
pub(crate) struct Answered {
    pub(crate) lists: Vec<Vec<Hit>>,
    /// Rows looked at in full precision, for all probes together.
    pub(crate) scored: usize,
}

impl Ours {
    pub(crate) fn new(gallery: &Gallery, tier: Tier, folder: &Path) -> anyhow::Result<Self> {
        let index = CertifiedIndex::new(space()?, gallery.dimension(), gallery.metric())?;
        let index = match tier {
            Tier::Memory => index,
            Tier::Sealed => index.with_sealed_tier(folder, 0)?,
        };
        Ok(Self { index: Some(index) })
    }

    pub(crate) fn index(&self) -> anyhow::Result<&CertifiedIndex> {
        self.index.as_ref().context("the index is gone")
    }

    /// Lets each search use so many threads.
    pub(crate) fn use_threads(&mut self, threads: usize) {
        let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
        self.index = self.index.take().map(|index| index.with_threads(threads));
    }

    pub(crate) fn search(&self, probes: &[&Embedding], limit: usize) -> anyhow::Result<Answered> {
        let answers = self.index()?.ask(probes, &Question::new(Wanted::Best(limit)))?;
        let scored = answers.iter().map(|answer| answer.scored).sum();
        Ok(Answered { lists: answers.into_iter().map(|answer| answer.hits).collect(), scored })
    }
}

/// References in the form that an index takes, made outside of what is timed.
pub(crate) struct Batch {
    first: u64,
    subjects: Vec<SubjectKey>,
    embeddings: Vec<Embedding>,
}

impl Batch {
    pub(crate) fn of(first: u64, references: &[Reference]) -> anyhow::Result<Self> {
        let space = space()?;
        Ok(Self {
            first,
            subjects: references.iter().map(|reference| SubjectKey(reference.subject)).collect(),
            embeddings: references
                .iter()
                .map(|reference| embedding(space, reference.values.clone()))
                .collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn insert(&self, index: &CertifiedIndex) -> anyhow::Result<()> {
        let rows: Vec<IndexRow<'_>> = (self.first..)
            .zip(self.subjects.iter().zip(&self.embeddings))
            .map(|(row, (&subject, embedding))| IndexRow { row: RowKey(row), subject, embedding })
            .collect();
        Ok(index.insert(&rows)?)
    }
}
