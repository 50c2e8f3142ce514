//! Questions and answers of the certified index, beyond what every index can be asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use thiserror::Error;

use super::collect::{Collector, Probe};
use super::filter::Filter;
use super::scan::{PROBES_PER_PASS, Pass};
use super::{CertifiedIndex, block::Block};
use crate::embed::Embedding;
use crate::index::blocks::Block as _;
use crate::index::geometry::Template;
use crate::index::{Hit, IndexFault};

/// Which subjects to list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// All whose best row is this similar or more. Not a NaN.
    AtLeast(f64),
    /// The so many most similar.
    Best(usize),
}

/// A search of the certified index. Each answer lists subjects, each with its best row, in the order of
/// [`crate::index::IndexRead::search_batch`].
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Which subjects to list.
    pub wanted: Wanted,
    /// Rows to consider.
    pub filter: Filter<'a>,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// Set by another thread to give up.
    pub cancelled: Option<&'a AtomicBool>,
}

impl Question<'_> {
    /// Of all rows, with all the time it takes.
    #[must_use]
    pub const fn new(wanted: Wanted) -> Self {
        Self { wanted, filter: Filter::All, deadline: None, cancelled: None }
    }
}

/// A list that is certified: it is identical to what comparing the probe with every row in full precision gives.
/// There is no other kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Rows whose full-precision template was looked at.
    pub scored: usize,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AskFault {
    /// The search was cancelled by its caller.
    #[error("the search was cancelled")]
    Cancelled,
    /// As for every index.
    #[error(transparent)]
    Index(#[from] IndexFault),
    /// The threshold is not a number.
    #[error("the similarity threshold is not a number; give one, such as the model pack's")]
    Threshold,
}

/// When to stop early.
#[derive(Clone, Copy)]
pub(super) struct Stop<'a> {
    deadline: Option<Instant>,
    cancelled: Option<&'a AtomicBool>,
}

impl Stop<'_> {
    pub(super) fn check(&self) -> Result<(), AskFault> {
        if self.cancelled.is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
            return Err(AskFault::Cancelled);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(IndexFault::DeadlineExceeded.into());
        }
        Ok(())
    }
}

impl CertifiedIndex {
    /// Answers the question for each probe, in the order of the probes. Probes share passes over memory, up to 256
    /// a pass. Runs on the calling thread, and on as many more as [`CertifiedIndex::with_threads`] allows, until it
    /// returns; deadline and cancellation are looked at before each block of at most 2 MiB (of 64 rows at least).
    ///
    /// # Errors
    /// See [`AskFault`]; there is never a partial answer.
    pub fn ask(&self, probes: &[&Embedding], question: &Question<'_>) -> Result<Vec<Answer>, AskFault> {
        self.blocks.refuse_if_broken()?;
        if matches!(question.wanted, Wanted::AtLeast(threshold) if threshold.is_nan()) {
            return Err(AskFault::Threshold);
        }
        let templates: Vec<Template<'_>> =
            probes.iter().map(|probe| self.geometry.template(probe)).collect::<Result<_, _>>()?;
        if question.wanted == Wanted::Best(0) {
            return Ok(vec![Answer { hits: Vec::new(), scored: 0 }; probes.len()]);
        }
        let blocks = self.blocks();
        let stop = Stop { deadline: question.deadline, cancelled: question.cancelled };
        stop.check()?;
        let mut answers = Vec::with_capacity(probes.len());
        for templates in templates.chunks(PROBES_PER_PASS) {
            let threads = self.threads_for(&blocks);
            let pass = Pass { kernel: self.kernel, form: self.form, threads, stop, blocks: &blocks };
            answers.extend(answer(&pass, templates, question, self.geometry.metric)?);
        }
        Ok(answers)
    }

    /// A thread is worth starting for a few blocks only.
    fn threads_for(&self, blocks: &[std::sync::Arc<Block>]) -> usize {
        self.threads.get().min(blocks.len() / 4).max(1)
    }
}

fn answer(
    pass: &Pass<'_>,
    templates: &[Template<'_>],
    question: &Question<'_>,
    metric: likeness_models::Metric,
) -> Result<Vec<Answer>, AskFault> {
    let probes: Vec<Probe<'_>> =
        templates.iter().map(|template| Probe::new(template, metric, pass.form)).collect();
    let rows = pass.blocks.iter().map(|block| block.capacity()).sum();
    let fresh = |probe| Collector::new(probe, question.wanted, question.filter, rows);
    let all: Vec<&Probe<'_>> = probes.iter().collect();
    let mut collectors = pass.run(&all, all.iter().map(|probe| fresh(probe)).collect(), || {
        all.iter().map(|probe| fresh(probe)).collect()
    })?;

    // A row that raised the line was removed meanwhile: look again, raising it on what cannot be taken back.
    // On one thread: what is certain so far is known to one collector only.
    let pass = Pass { threads: 1, ..*pass };
    for (probe, collector) in all.iter().zip(&mut collectors) {
        if !collector.certified() {
            let again = std::mem::replace(collector, fresh(probe)).again();
            if let Some(settled) = pass.run(&[probe], vec![again], Vec::new)?.pop() {
                *collector = settled;
            }
        }
    }
    Ok(collectors
        .into_iter()
        .map(|collector| {
            let (hits, scored) = collector.into_answer();
            Answer { hits, scored }
        })
        .collect())
}
